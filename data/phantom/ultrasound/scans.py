"""One scan of one joint, drawn: body, settings, screen, and the grades of what was drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from data.phantom.seeds import derived_seed
from data.phantom.ultrasound.acquire import Settings, grid, scan
from data.phantom.ultrasound.anatomy import Joint, kind_of, make_joint
from data.phantom.ultrasound.body import CODE, layers, tissue_map
from data.phantom.ultrasound.doppler import CELL, Flow, FlowSettings, colour_power, draw_blood, measure_flow
from data.phantom.ultrasound.machines import Machine
from data.phantom.ultrasound.patients import JointState, Patient
from data.phantom.ultrasound.screen import Screen, Words, show
from data.phantom.ultrasound.synovium import Measures, Synovium, draw_synovium, measure

MODES = ("B", "PD")
DARKER = -4.0  # dB: grey scale under colour
MIRRORED = 0.04  # share of scans shown the other way round


@dataclass(frozen=True)
class Body:
    """A joint at a visit, with nothing scanned yet. blood: on pixels with sides of ``CELL``, from ``across``
    and the depth below ``roof`` of the joint."""

    joint: Joint
    synovium: Synovium
    state: JointState
    measures: Measures
    flow: Flow
    blood: np.ndarray
    roof: float

    @property
    def gs(self) -> int:
        return self.measures.grade

    @property
    def pd(self) -> int:
        return self.flow.grade


@dataclass(frozen=True)
class DrawnScan:
    """A scan with its truth: the screen, the body, and how it was taken."""

    screen: Screen
    body: Body
    mode: str
    machine: Machine
    settings: Settings
    words: Words


def body_of(patient: Patient, side: str, joint: str, week: float) -> Body:
    """The joint of a patient at a week: its bones and the kind of shape stay, its severity does not."""
    state = patient.state(side, joint, week)
    seed = derived_seed(patient.study.film_seed(), patient.subject, "ultrasound", side, joint)
    healthy = make_joint(np.random.default_rng([seed, 0]), kind_of(joint), eroded=state.erosions)
    found = draw_synovium(np.random.default_rng([seed, 1]), healthy, state.hypertrophy, state.effusion)
    measured = measure(healthy, found)
    lining, roof = _on_cells(healthy, found)
    blood = np.zeros(lining.shape, bool)
    if measured.grade:
        blood = draw_blood(np.random.default_rng([seed, 2, round(week)]), lining, state.flow)
    return Body(healthy, found, state, measured, measure_flow(blood, lining), blood, roof)


def _on_cells(joint: Joint, synovium: Synovium) -> tuple[np.ndarray, float]:
    """Synovium as a mask of cells, and the depth of its first row."""
    top, bottom = (_cells_across(joint, one) for one in (synovium.top, synovium.bottom))
    roof = float(np.floor(top.min()))
    rows = roof + (np.arange(int((bottom.max() - roof) / CELL) + 2) + 0.5) * CELL
    return (rows[:, None] >= top) & (rows[:, None] < bottom), roof


def _cells_across(joint: Joint, values: np.ndarray) -> np.ndarray:
    return np.asarray(np.interp(np.arange(joint.x[0], joint.x[-1], CELL) + CELL / 2, joint.x, values))


def draw_settings(rng: np.random.Generator, machine: Machine, kind: str, mode: str) -> Settings:
    """How a scan is taken by whoever holds the probe."""
    no_gel = rng.random() < 0.10
    return Settings(
        gain=machine.gain_spread * rng.normal() + (DARKER if mode == "PD" else 0.0),
        tgc=(machine.tgc_spread * rng.normal(), 0.7 * machine.tgc_spread * rng.normal()),
        probe=1.3 * rng.normal(),
        contact=(rng.uniform(-10, 10), rng.uniform(1, 3)) if no_gel else (np.nan, 1.0),
        gel=float(rng.gamma(1.6, 0.5)) + 0.15,
        depth=machine.depth[kind] * float(rng.choice([0.85, 1.0, 1.15], p=[0.25, 0.55, 0.2])),
        synovium=3.0 * rng.normal(),
        soft=2.2 * rng.normal(),
        mirrored=bool(rng.random() < MIRRORED),
        seed=int(rng.integers(2**31)),
    )


def draw_scan(
    patient: Patient, side: str, joint: str, week: float, mode: str, *, frames: int = 1, again: str = ""
) -> DrawnScan:
    """A scan of a joint in a mode (B or PD), of one frame or a cine. again: of a scan taken once more."""
    body, machine, kind = body_of(patient, side, joint, week), patient.machine, kind_of(joint)
    study = patient.study.film_seed()
    key = (study, patient.subject, "ultrasound", side, joint, round(week))
    person = np.random.default_rng(derived_seed(*key[:3], "look"))
    rng = np.random.default_rng(derived_seed(*key, mode, *([again] if again else [])))
    settings = draw_settings(rng, machine, kind, mode)
    settings = replace(settings, soft=settings.soft + 1.5 * person.normal())
    cut = layers(body.joint, body.synovium, gel=settings.gel, sheath=body.state.sheath)
    z, x = grid(machine, settings)
    tissues = tissue_map(body.joint, cut, z, x)
    flow_settings = draw_flow_settings(rng, machine, settings, body, cut.line) if mode == "PD" else None
    greys, flows = [], []
    for frame in range(frames):
        greys.append(scan(machine, settings, body.joint, cut, tissues, frame))
        flows.append(_flow(machine, settings, flow_settings, body, cut.synovium_top, tissues, frame))
    called = f"{joint} {side}" if rng.random() < 0.45 else ""
    words = Words(mode, called, settings.gain, settings.depth, settings.mirrored)
    screen = show(
        machine, words, (x[-1] - x[0], settings.depth), greys, flows, tissues,
        None if flow_settings is None else flow_settings.box,
    )  # fmt: skip
    return DrawnScan(screen, body, mode, machine, settings, words)


def draw_flow_settings(
    rng: np.random.Generator, machine: Machine, settings: Settings, body: Body, line: np.ndarray
) -> FlowSettings:
    """How colour is set: a box over the joint, gain, what moves."""
    _, x = grid(machine, settings)
    middle = float(np.interp(0.0, body.joint.x, line)) / settings.depth
    centre, half = (0 - x[0]) / (x[-1] - x[0]) + rng.normal(0, 0.02), rng.uniform(0.28, 0.38)
    return FlowSettings(
        gain=3.2 * rng.normal(),
        box=(
            max(centre - half, 0.03), max(middle - rng.uniform(0.22, 0.30), 0.02),
            min(centre + half, 0.97), min(middle + rng.uniform(0.15, 0.3), 0.97),
        ),
        flash=float(rng.uniform(0.6, 1.6)) if rng.random() < 0.10 else 0.0,
        vessels=int(rng.poisson(0.7)),
        mirror=bool(rng.random() < 0.3),
        seed=int(rng.integers(2**31)),
    )  # fmt: skip


def _flow(
    machine: Machine,
    settings: Settings,
    flow: FlowSettings | None,
    body: Body,
    synovium_top: np.ndarray,
    tissues: np.ndarray,
    frame: int,
) -> np.ndarray | None:
    """Colour of a frame on cells of the picture, None where none is shown."""
    if flow is None:
        return None
    _, x = grid(machine, settings)
    shape = (round(settings.depth / CELL), round((x[-1] - x[0]) / CELL))
    codes = cv2.resize(tissues, shape[::-1], interpolation=cv2.INTER_NEAREST)
    placed = np.zeros(shape, bool)
    shift = float(np.nanmedian(synovium_top - body.synovium.top))
    rows, columns = np.nonzero(body.blood)
    rows = rows + round((body.roof + shift) / CELL)
    columns = columns + round((body.joint.x[0] - x[0]) / CELL)
    seen = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
    placed[rows[seen], columns[seen]] = True
    return colour_power(machine, flow, placed & (codes == CODE["synovium"]), codes, frame)
