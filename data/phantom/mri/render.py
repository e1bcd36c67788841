"""One stack of one visit: STIR and T1 pictures, and masks of oedema, bodies and discs on the same grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.domain import Point
from data.phantom.mri.anatomy import Spine, lying
from data.phantom.mri.conditions import CENTRE, SPACING_MM, Scan
from data.phantom.mri.drawing import acquire
from data.phantom.mri.drawing.bones import Marrow, draw_bones
from data.phantom.mri.drawing.canvas import Canvas, Grid, over_slices
from data.phantom.mri.drawing.lines import lines
from data.phantom.mri.drawing.neural import draw_canal
from data.phantom.mri.drawing.posterior import draw_posterior
from data.phantom.mri.drawing.soft_tissue import draw_soft_tissue
from data.phantom.mri.drawing.tissues import table
from data.phantom.mri.lesions import Lesion
from data.phantom.spine.body import Body

TO_PATIENT = np.array([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])  # stack axes in DICOM's


@dataclass(frozen=True)
class Plan:
    """A spine where the stack has it, the voxels, and where they lie in the patient.

    orientation, positions_mm: as in ``core.domain.Image``.
    """

    spine: Spine
    grid: Grid
    orientation: tuple[Point, Point]
    positions_mm: tuple[Point, ...]


@dataclass(frozen=True)
class RenderedStack:
    """One stack. Frames are in the order of their place along the slice normal, from the patient's left.

    stir, t1: uint16, shape (frames, rows, columns). oedema: 1 where a voxel is at least half inflamed marrow.
    structures: number of body or disc (``anatomy.BODY_LABEL``, ``DISC_LABEL``), 0 elsewhere; both uint8.
    kind: ``good``, or what was sent by mistake (``wrong.KINDS``).
    """

    scan: Scan
    plan: Plan
    stir: np.ndarray
    t1: np.ndarray
    oedema: np.ndarray
    structures: np.ndarray
    kind: str = "good"

    @property
    def spacing_mm(self) -> tuple[float, float]:
        return self.scan.pixel, self.scan.pixel


def plan_stack(body: Body, scan: Scan) -> Plan:
    """Where the spine of a body lies in a stack."""
    spine = lying(body, flexion=scan.flexion)
    centres = spine.centres()
    middle = np.mean([spine.placed[level].centre for level in CENTRE[scan.view]], axis=0)
    if scan.view == "whole":
        middle[1] = (centres[0, 1] + centres[list(spine.placed).index("S1"), 1]) / 2
    shown = centres[np.abs(centres[:, 1] - middle[1]) < scan.field[0] / 2, 0]
    middle[0] = (shown.min() + shown.max()) / 2
    turn = _rotation(scan.turn[0], 0) @ _rotation(scan.turn[1], 1)
    ahead = np.array([0.04 * scan.field[1], 0.0, 0.0])
    shift = -turn @ middle - np.array(scan.shift) - ahead
    rows, columns = (round(size / scan.pixel / 2) * 2 for size in scan.field)
    grid = Grid(
        x=(np.arange(columns) - (columns - 1) / 2) * scan.pixel,
        y=(np.arange(rows) - (rows - 1) / 2) * scan.pixel,
        z=(np.arange(scan.slices) - (scan.slices - 1) / 2) * SPACING_MM,
        thickness=scan.thickness,
    )
    lie = _rotation(scan.lie[0], 0) @ _rotation(scan.lie[1], 1) @ _rotation(scan.lie[2], 2)
    to_patient = lie @ TO_PATIENT @ turn.T
    corners = np.array([(grid.x[0], grid.y[0], z) for z in grid.z])
    places = (corners - shift) @ to_patient.T + scan.table
    row, column = to_patient[:, 0], to_patient[:, 1]
    return Plan(
        spine.moved(turn, shift), grid, (_point(row), _point(column)), tuple(_point(at) for at in places)
    )


def render_stack(body: Body, scan: Scan, marrow: Marrow, lesions: tuple[Lesion, ...] = ()) -> RenderedStack:
    """Draw a stack with the lesions of one visit."""
    plan = plan_stack(body, scan)
    grid, spine = plan.grid, plan.spine
    along = lines(spine, grid.y)
    canvas = Canvas(grid, table(scan.protocol))
    rng = np.random.default_rng([body.seed, scan.draw % 1000, 3])
    from_back = draw_soft_tissue(canvas, spine, along, rng)
    draw_canal(canvas, spine, along)
    draw_posterior(canvas, spine, marrow.fat, lesions)
    draw_bones(canvas, spine, marrow, lesions)
    stir_water, stir_fat, t1_water, t1_fat = (over_slices(channel) for channel in canvas.signal)
    gain = acquire.shading(scan, from_back, grid.y)
    front = (along.back - grid.x[None, :] - 2 * along.depth).astype(np.float32)
    band = acquire.saturation(scan, front)[None]
    left = acquire.residual_fat(scan, from_back, grid.y, grid.x)
    stir = acquire.picture(stir_water, stir_fat * left, gain * band, scan, noise=scan.noise, number=0)
    t1 = acquire.picture(t1_water, t1_fat, gain * np.sqrt(band), scan, noise=scan.noise_t1, number=1)
    return RenderedStack(
        scan=scan,
        plan=plan,
        stir=acquire.stored(stir, scan),
        t1=acquire.stored(t1, scan),
        oedema=(canvas.oedema >= 0.5).astype(np.uint8),
        structures=canvas.labels,
    )


def _rotation(degrees: float, axis: int) -> np.ndarray:
    angle = np.radians(degrees)
    turn = np.eye(3)
    i, j = [(1, 2), (0, 2), (0, 1)][axis]
    turn[i, i] = turn[j, j] = np.cos(angle)
    turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
    return turn


def _point(values: np.ndarray) -> Point:
    return float(values[0]), float(values[1]), float(values[2])
