"""Render one film of both hands (or both feet) with the truth of every scored joint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np
import pandas as pd

from data.phantom.hands.body import HandBody
from data.phantom.hands.conditions import LimbConditions
from data.phantom.hands.foreign_objects import add_metal, stamp_markers
from data.phantom.hands.frame import Joint, Placement, Skeleton
from data.phantom.hands.limbs import build, pieces_of, shown
from data.phantom.hands.paint import Canvas, add_flat_bones, add_long_bones
from data.phantom.hands.processing import attenuation_of, develop
from data.phantom.hands.soft_tissue import add_flesh
from data.phantom.hands.state import GRADED, HEALTHY, NONE, JointState

JOINT_COLUMNS = [
    "unit", "side", "site", "finger", "scored", "x", "y", "x0", "y0", "x1", "y1", "erosion", "jsn", "finding",
    "gap_mm", "visibility", "visible", "angle",
]  # fmt: skip
VISIBLE = 0.3


@dataclass(frozen=True)
class LimbFilm:
    """One film with its labels. ``pixels`` (0-1023) are bone bright; a MONOCHROME1 file stores them inverted.

    joints: one row a scored joint or bone (``JOINT_COLUMNS``; pixels, x to the right, y downwards), and the
    DIP joints with ``scored`` False. erosion and jsn are grades, NA where the place has no such site. angle:
    direction of the joint's distal bone, degrees clockwise from up.
    """

    pixels: np.ndarray
    spacing_mm: tuple[float, float]
    shown_spacing_mm: tuple[float, float] | None
    joints: pd.DataFrame
    photometric: str
    view: str
    kind: str
    conditions: LimbConditions
    body_seed: int


def render_limbs(
    body: HandBody, states: Mapping[str, JointState], conditions: LimbConditions, seed: int
) -> LimbFilm:
    """Render the film that these conditions give of this body in this state. seed: quantum noise only."""
    c = conditions
    shape = shape_of(c)
    canvas = Canvas.empty(shape, c.spacing)
    rng = np.random.default_rng([c.draw, 11])
    limbs = placed_limbs(body, states, c)
    for skeleton, placement in limbs:
        add_limb(canvas, skeleton, placement, body, c, states, rng)
    if c.kind == "chest":
        canvas = chest(body, c)
    lit = field_mask(shape, c)
    attenuation = attenuation_of(canvas, c)
    stamp_markers(attenuation, c, shown(c))
    pixels = develop(attenuation, lit, c, seed)
    if c.kind == "mirrored":
        pixels = np.ascontiguousarray(pixels[:, ::-1])
    return LimbFilm(
        pixels=pixels,
        spacing_mm=(c.spacing, c.spacing),
        shown_spacing_mm=None if c.show_spacing == "none" else (c.spacing, c.spacing),
        joints=film_rows(limbs, states, c),
        photometric=c.photometric,
        view=c.view,
        kind=c.kind,
        conditions=c,
        body_seed=body.seed,
    )


def film_joints(body: HandBody, states: Mapping[str, JointState], c: LimbConditions) -> pd.DataFrame:
    """The labels that ``render_limbs`` gives of this film (``JOINT_COLUMNS``), with nothing rendered."""
    return film_rows(placed_limbs(body, states, c), states, c)


def shape_of(c: LimbConditions) -> tuple[int, int]:
    """Rows and columns of the film."""
    return round(c.field[0] / c.spacing), round(c.field[1] / c.spacing)


def placed_limbs(
    body: HandBody, states: Mapping[str, JointState], c: LimbConditions
) -> list[tuple[Skeleton, Placement]]:
    """The limbs on the film, left first, and where each lies."""
    skeletons = [build(body, limb, states, c) for limb in shown(c)]
    return [(skeleton, place(c, skeleton.limb, skeleton, body)) for skeleton in skeletons]


def film_rows(
    limbs: list[tuple[Skeleton, Placement]], states: Mapping[str, JointState], c: LimbConditions
) -> pd.DataFrame:
    """Labels of all limbs of a film; none on a foot that was sent as a hand."""
    shape = shape_of(c)
    rows: list[tuple] = []
    for skeleton, placement in limbs if c.kind != "foot_as_hand" else ():
        rows += joint_rows(skeleton, placement, states, c, shape)
    rows = overlaid(rows)
    if c.kind == "mirrored":
        rows = [mirrored_row(row, shape[1]) for row in rows]
    return pd.DataFrame(rows, columns=JOINT_COLUMNS)


def chest(body: HandBody, c: LimbConditions) -> Canvas:
    """What the beam passes on a chest film that was sent by mistake."""
    from data.phantom.spine.body import make_body
    from data.phantom.spine.other_views import wrong_attenuation

    drawn, _ = wrong_attenuation(make_body(body.seed), {}, c)
    return Canvas(drawn.cortical, drawn.trabecular, 0.35 * drawn.soft, drawn.metal, c.spacing)


def place(c: LimbConditions, limb: str, skeleton: Skeleton, body: HandBody) -> Placement:
    """Where the limb lies: middle and longest tip at ``c.at``, but the little finger in the lit field."""
    number = 0 if limb.startswith("L") else 1
    free = Placement(
        mirror=limb.startswith("L"),
        roll=float(np.radians(c.rolls[number])),
        turn=float(np.radians(c.turns[number])),
        magnification=c.magnification,
        shift=(0.0, 0.0),
    )
    pieces = np.array(pieces_of(skeleton, body))
    pieces = pieces[np.maximum(pieces[:, 1], pieces[:, 4]) < 35.0]
    ends = np.concatenate([free.points(pieces[:, 0:2]), free.points(pieces[:, 3:5])])
    reach = np.concatenate([pieces[:, 2], pieces[:, 5]])
    x, y = c.at[number]
    left, right = float((ends[:, 0] - reach).min()), float((ends[:, 0] + reach).max())
    top = float((ends[:, 1] - reach).min())
    across = x * c.field[1] - (left + right) / 2
    edges = max(c.collimation[3], 0.0) + 3.0, c.field[1] - max(c.collimation[1], 0.0) - 3.0
    across += max(edges[0] - left - across, 0.0) if number == 0 else -max(right + across - edges[1], 0.0)
    return replace(free, shift=(across, y * c.field[0] - top))


def add_limb(canvas, skeleton: Skeleton, placement: Placement, body: HandBody, c, states, rng) -> None:
    beam = (c.field[1] / 2, c.field[0] * 0.45, c.source_distance)
    add_long_bones(canvas, skeleton, placement, beam, body.seed)
    wrist = [states.get(f"{skeleton.limb}.{s}", HEALTHY).jsn for s in ("RC", "CNL", "CMC4")]
    add_flat_bones(canvas, skeleton, placement, body.mineral, min(0.8, 0.15 * max(wrist)), body.seed)
    add_flesh(canvas, pieces_of(skeleton, body), placement, rng)
    add_metal(canvas, skeleton, placement, body)


def field_mask(shape: tuple[int, int], c: LimbConditions) -> np.ndarray:
    """Share of the beam that passes the collimator, with a soft edge."""
    top, right, bottom, left = c.collimation
    height, width = c.field
    corners = np.array(
        [[left, top], [width - right, top], [width - right, height - bottom], [left, height - bottom]]
    )
    turn = np.radians(c.collimation_tilt)
    middle = corners.mean(axis=0)
    corners = (corners - middle) @ np.array(
        [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]
    ) + middle
    mask = np.zeros(shape, np.float32)
    cv2.fillPoly(mask, [np.round(corners / c.spacing * 16).astype(np.int32)], 1.0, shift=4)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.5 / c.spacing)
    fall = np.linspace(1 + c.heel, 1 - c.heel, shape[0], dtype=np.float32)[:, None]
    return (0.004 + 0.996 * mask) * fall


def joint_rows(skeleton: Skeleton, placement: Placement, states, c: LimbConditions, shape) -> list[tuple]:
    """Rows of ``JOINT_COLUMNS`` of one limb."""
    rows = []
    for joint in skeleton.joints:
        state = states.get(joint.unit, HEALTHY)
        x, y = placement.points(joint.centre[None])[0] / c.spacing - 0.5
        half = np.array(joint.box) * placement.magnification / c.spacing / 2
        box = np.clip(
            [x - half[0], y - half[1], x + half[0], y + half[1]], 0, [shape[1] - 1, shape[0] - 1] * 2
        )
        site = joint.unit[3:]
        graded = GRADED.get(joint.unit, {})
        seen = visibility(joint, (x, y), c, shape)
        rows.append(
            (
                joint.unit,
                joint.unit[0],
                site,
                int(site[-1]) if site[-1].isdigit() else 0,
                joint.scored,
                x,
                y,
                *box,
                state.erosion_grade if "erosion" in graded else pd.NA,
                state.jsn_grade if "jsn" in graded else pd.NA,
                state.finding if joint.scored else NONE,
                joint.gap_mm,
                seen,
                seen >= VISIBLE,
                _angle(joint, placement),
            )
        )
    return rows


def overlaid(rows: list[tuple]) -> list[tuple]:
    """Rows with less visibility where a joint lies inside the box of a joint of the other limb."""
    frame = pd.DataFrame(rows, columns=JOINT_COLUMNS)
    for i, row in frame.iterrows():
        other = frame[frame["side"] != row["side"]]
        x, y = row["x"], row["y"]
        within = other["x0"].lt(x) & other["x1"].gt(x) & other["y0"].lt(y) & other["y1"].gt(y)
        if within.any():
            frame.loc[i, "visibility"] *= 0.5  # type: ignore[index]
    frame["visible"] = frame["visibility"] >= VISIBLE
    return list(frame.itertuples(index=False, name=None))


def mirrored_row(row: tuple, columns: int) -> tuple:
    """A row of ``JOINT_COLUMNS`` on the film flipped; side and unit stay those of the patient."""
    values = dict(zip(JOINT_COLUMNS, row, strict=True))
    last = columns - 1
    values |= {"x": last - values["x"], "x0": last - values["x1"], "x1": last - values["x0"]}
    values["angle"] = -values["angle"]
    return tuple(values[name] for name in JOINT_COLUMNS)


def _angle(joint: Joint, placement: Placement) -> float:
    """Direction of the distal bone on the film, degrees clockwise from up; NaN for a bone of the wrist."""
    if joint.along is None:
        return float("nan")
    x, y = (placement.matrix() @ joint.along)[:2]
    return float(np.degrees(np.arctan2(x, -y)))


def visibility(joint: Joint, at: tuple[float, float], c: LimbConditions, shape) -> float:
    """0 (cannot be read) to 1: inside the lit field, exposed, sharp, not rolled out of view."""
    top, right, bottom, left = c.collimation
    x, y = at[0] * c.spacing, at[1] * c.spacing
    margin = min(x - left, y - top, c.field[1] - right - x, c.field[0] - bottom - y)
    value = float(np.clip(margin / 8.0, 0, 1))
    value *= float(np.clip(c.exposure / 0.12, 0.25, 1)) * float(np.clip(0.3 / c.blur, 0.35, 1))
    number = 0 if joint.unit.startswith("L") else 1
    value *= float(np.clip(1.25 - abs(c.rolls[number]) / 40, 0.4, 1))
    if joint.unit[3:] in ("MUL", "MNA", "CMC3", "CMC4", "CMC5"):
        value *= 0.85
    return value
