"""Where the bones of a body lie on one film, and how well each site can be seen there.

Detector coordinates are mm from the upper left corner of the image, x to the right, y downwards; the central
ray meets the middle of the image. A point at depth z (mm towards the detector is negative, away positive)
is seen in exact perspective from a point source.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.phantom.spine.body import CERVICAL_LEVELS, LABELLED_LEVELS, LUMBAR_LEVELS, SITES, Body, Vertebra
from data.phantom.spine.conditions import WRONG_KINDS, Conditions


@dataclass(frozen=True)
class Frame:
    """One vertebra on one film.

    centre: detector mm of its centre. axes: rows e_a, e_h, e_l in the patient (x, y, z). beam: (dx, dy) per
    unit of depth through the centre. magnification: of its plane. distance: source to its plane in mm.
    """

    vertebra: Vertebra
    centre: np.ndarray
    axes: np.ndarray
    beam: np.ndarray
    magnification: float
    distance: float

    def project(self, a, h, l) -> np.ndarray:  # noqa: E741 - the field's axis name
        """Detector mm, shape (..., 2), of local points in mm."""
        local = np.stack(np.broadcast_arrays(a, h, l), axis=-1).astype(float)
        world = local @ self.axes
        z = world[..., 2:3]
        offset = (world[..., :2] - z * self.beam) / (1 + z / self.distance)
        return self.centre + offset * self.magnification


@dataclass(frozen=True)
class Placement:
    """All vertebrae of a film, cranial to caudal, and the corner of every site in detector mm."""

    frames: dict[str, Frame]
    corners: dict[str, np.ndarray]
    conditions: Conditions
    body: Body


def wall(v: Vertebra, hn):
    """Half depths of the body (anterior, posterior) and half width at ``hn`` = 2h / height, in mm."""
    hn = np.clip(hn, -1.0, 1.0)
    hollow = 1 - hn * hn
    lip = v.lip * np.clip((hn - 0.55) / 0.45, 0, 1) ** 2
    return (
        v.depth - v.waist_anterior * hollow + lip,
        v.depth - v.waist_posterior * hollow,
        v.width - v.waist_side * hollow,
    )


def half_height(v: Vertebra, a):
    """Half height at depth position ``a`` (the body is a wedge)."""
    share = np.clip((np.asarray(a) / v.depth + 1) / 2, 0, 1)
    return (v.anterior + (v.posterior - v.anterior) * share) / 2


def rim(v: Vertebra, phi, lower: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Local points of the anterior rim at angle ``phi`` (0 is the midline, radians to either side)."""
    hn = 1.0 if lower else -1.0
    anterior, _, side = wall(v, hn)
    a = -anterior * np.cos(phi)
    l = side * np.sin(phi)  # noqa: E741
    height = half_height(v, a)
    return a, height if lower else -height, l


def levels_of(view: str) -> tuple[str, ...]:
    """The vertebrae that a film of ``view`` draws, cranial to caudal."""
    return CERVICAL_LEVELS if view == "cervical" else LUMBAR_LEVELS


def place(body: Body, c: Conditions) -> Placement:
    """Put the spine of ``c.view`` on the film."""
    levels = levels_of(c.view)
    tilts, centres = _chain(body, c, levels)
    labelled = [levels.index(level) for level in LABELLED_LEVELS[c.view]]
    span = centres[labelled[1:]]
    middle = np.array([span[:, 0].mean(), (span[0, 1] + span[-1, 1]) / 2])
    height, width = c.field
    target = np.array([c.centre[0] * width, c.centre[1] * height])
    ray = np.array([width, height]) / 2
    frames = {}
    for level, tilt, at in zip(levels, tilts, centres, strict=True):
        v = body.vertebrae[level]
        centre = target + (at - middle) * c.magnification
        beam = (centre - ray) / c.source_distance
        side = np.radians(v.side_tilt + c.side_tilt) - np.arctan(beam[1]) * c.sag
        frames[level] = Frame(
            vertebra=v,
            centre=centre,
            axes=axes_of(np.radians(tilt), side, np.radians(v.axial + c.rotation)),
            beam=beam,
            magnification=c.magnification,
            distance=c.source_distance / c.magnification,
        )
    corners = {site: corner_of(frames[site[:-1]], site.endswith("I")) for site in SITES[c.view]}
    return Placement(frames=frames, corners=corners, conditions=c, body=body)


def _chain(body: Body, c: Conditions, levels) -> tuple[list[float], np.ndarray]:
    """Tilts in degrees and mid-sagittal centres in patient mm, hung on one another at the anterior
    corners."""
    rng = np.random.default_rng([body.seed, 71])
    steps = np.clip(rng.normal(-1.0 if c.view == "lumbar" else 1.0, 1.6, len(levels)), -4, 4)
    mean = float(np.mean([body.vertebrae[level].tilt for level in levels]))
    tilts = [
        v + c.in_plane + c.flexion * (v - mean) for v in (body.vertebrae[level].tilt for level in levels)
    ]
    centres = [np.zeros(2)]
    for i in range(1, len(levels)):
        upper, lower = body.vertebrae[levels[i - 1]], body.vertebrae[levels[i]]
        gap = body.gaps[levels[i - 1]]
        wedge = np.degrees((upper.posterior - upper.anterior) + (lower.posterior - lower.anterior))
        wedge = tilts[i] - tilts[i - 1] + wedge / (2 * (upper.depth + lower.depth))
        closed = gap - np.radians(wedge) * (upper.depth + lower.depth)
        short = max(0.0, min(2.0, 0.4 * gap) - closed)
        turn = np.degrees(short / (upper.depth + lower.depth))
        tilts[i:] = [tilt - turn for tilt in tilts[i:]]
        step = np.radians((tilts[i] + tilts[i - 1]) / 2 + steps[i])
        corner = centres[-1] + _flat(tilts[i - 1]) @ (-upper.depth - upper.lip, upper.anterior / 2)
        corner = corner + gap * np.array([np.sin(step), np.cos(step)])
        centres.append(corner - _flat(tilts[i]) @ (-lower.depth, -lower.anterior / 2))
    return tilts, np.array(centres)


def _flat(tilt: float) -> np.ndarray:
    """Columns e_a, e_h in the sagittal plane for a tilt in degrees."""
    t = np.radians(tilt)
    return np.array([[np.cos(t), np.sin(t)], [-np.sin(t), np.cos(t)]])


def axes_of(tilt: float, side: float, axial: float) -> np.ndarray:
    """Rows e_a, e_h, e_l after tilt in the sagittal plane, side bending and axial rotation (radians)."""
    e_a = np.array([np.cos(tilt), -np.sin(tilt), 0.0])
    e_h = np.array([np.sin(tilt), np.cos(tilt), 0.0])
    e_z = np.array([0.0, 0.0, 1.0])
    e_h, e_l = np.cos(side) * e_h + np.sin(side) * e_z, np.cos(side) * e_z - np.sin(side) * e_h
    e_a, e_l = np.cos(axial) * e_a + np.sin(axial) * e_l, np.cos(axial) * e_l - np.sin(axial) * e_a
    return np.stack([e_a, e_h, e_l])


def corner_of(frame: Frame, lower: bool) -> np.ndarray:
    """Detector mm of the anterior corner: the point of the projected rim furthest to the front and the
    disc."""
    points = frame.project(*rim(frame.vertebra, np.radians(np.linspace(-50, 50, 101)), lower))
    front = -frame.axes[0, :2] + (0.35 if lower else -0.35) * frame.axes[1, :2]
    return points[np.argmax(points @ front)]


def outline(frame: Frame) -> np.ndarray:
    """Four corners of the body in the midplane, detector mm: anterior upper, posterior upper, posterior
    lower,
    anterior lower."""
    v = frame.vertebra
    front, back, _ = wall(v, np.array([-1.0, 1.0]))
    a = np.array([-front[0], back[0], back[1], -front[1]])
    h = half_height(v, a) * np.array([-1, -1, 1, 1])
    return frame.project(a, h, 0.0)


def lit_field(c: Conditions) -> np.ndarray:
    """Corners (4, 2) of the collimated field in detector mm, turned by ``collimation_tilt``."""
    height, width = c.field
    top, right, bottom, left = c.collimation
    corners = np.array(
        [[left, top], [width - right, top], [width - right, height - bottom], [left, height - bottom]]
    )
    middle = corners.mean(axis=0)
    t = np.radians(c.collimation_tilt)
    return middle + (corners - middle) @ np.array([[np.cos(t), np.sin(t)], [-np.sin(t), np.cos(t)]])


def inside(points: np.ndarray, field: np.ndarray, c: Conditions) -> np.ndarray:
    """mm from each point to the nearest edge of the lit field or the image; negative outside."""
    points = np.atleast_2d(points)
    height, width = c.field
    distance = np.minimum.reduce([points[:, 0], points[:, 1], width - points[:, 0], height - points[:, 1]])
    for i in range(4):
        edge = field[(i + 1) % 4] - field[i]
        normal = np.array([-edge[1], edge[0]]) / np.hypot(*edge)
        distance = np.minimum(distance, (points - field[i]) @ normal)
    return distance


def shoulder_line(placement: Placement) -> float:
    """Height on the detector (mm) at which the shoulders begin to cover the neck."""
    c = placement.conditions
    frame = placement.frames["C7"]
    return float(frame.centre[1] + (placement.body.shoulder + c.shoulder_drop) * c.magnification)


def visibility(conditions: Conditions, body: Body, sites=None) -> dict[str, float]:
    """How well each site can be seen, 0 to 1 (0: off the field or hidden). Cheap: nothing is rendered."""
    sites = SITES[conditions.view] if sites is None else sites
    if conditions.kind in WRONG_KINDS:
        return dict.fromkeys(sites, 0.0)
    return visibility_at(place(body, conditions), sites)


def visibility_at(placement: Placement, sites) -> dict[str, float]:
    """As ``visibility``, for a film already placed."""
    c, body = placement.conditions, placement.body
    field = lit_field(c)
    whole = _film_quality(c)
    seen = {}
    for site in sites:
        if site not in placement.corners:
            seen[site] = 0.0
            continue
        at = placement.corners[site]
        margin = float(inside(at, field, c)[0])
        value = whole * float(np.clip((margin - 1.5) / 6, 0, 1)) * _double_edge(placement.frames[site[:-1]])
        if c.view == "cervical":
            below = (at[1] - shoulder_line(placement)) / c.magnification
            value *= _through_shoulders(below, body.bulk, c)
        else:
            value *= {"T12I": 0.92, "L1S": 0.95, "L5I": 0.9, "S1S": 0.82}.get(site, 1.0)
            value *= float(np.clip(1 - 0.7 * (body.bulk - 1), 0.6, 1.05))
        seen[site] = float(np.clip(value, 0, 1))
    return seen


def _through_shoulders(below: float, bulk: float, c: Conditions) -> float:
    """Share of a corner's visibility left at ``below`` mm under the shoulder line: few quanta come
    through."""
    cover = float(np.interp(below, [0, 24, 42, 62], [0.0, 0.58, 0.86, 0.96]))
    dose = np.clip(1 + 0.35 * np.log10(min(c.exposure, 1.0)) - 0.15 * (c.noise - 1), 0.3, 1.0)
    return float(np.clip(1 - cover * (1 + 0.5 * (bulk - 1)) / dose, 0.0, 1.0))


def _film_quality(c: Conditions) -> float:
    dose = np.clip(1 + 0.38 * np.log10(min(c.exposure, 1.0)) - 0.12 * (c.noise - 1), 0.2, 1)
    sharp = np.exp(-((np.hypot(c.blur, c.motion / 3) / 0.75) ** 2))
    contrast = np.clip(0.35 + 0.65 * c.contrast * min(1.0, 0.55 + 0.6 * c.grid), 0.3, 1.05)
    turned = 1 - 0.35 * min(abs(c.rotation) / 14, 1)
    return float(dose * sharp * contrast * turned)


def _double_edge(frame: Frame) -> float:
    """Loss where near and far rim are drawn apart."""
    slope = frame.axes[2, :2] - frame.beam * frame.axes[2, 2]
    apart = 2 * frame.vertebra.width * abs(float(slope @ frame.axes[1, :2]))
    return float(np.clip(1 - 0.03 * max(0.0, apart - 2.5), 0.6, 1))
