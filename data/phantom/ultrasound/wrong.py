"""Pictures that are sent beside the right ones by mistake, and that nobody can grade.

``knee``: another joint. ``organ``: a curved probe over something that is no joint at all. ``worksheet``: a
picture of the machine's page of texts, with a made-up name on it.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from data.phantom.ultrasound.acquire import DX, DZ, Settings, grid, scan
from data.phantom.ultrasound.anatomy import STEP, Joint
from data.phantom.ultrasound.body import CODE, Layers, tissue_map
from data.phantom.ultrasound.machines import Machine
from data.phantom.ultrasound.screen import FONT, INK, Screen, Words, show

KNEE, ORGAN, WORKSHEET = "knee", "organ", "worksheet"
KINDS = (KNEE, ORGAN, WORKSHEET)
DEEP = 38.0  # mm of the picture of a knee


def draw_wrong(machine: Machine, kind: str, seed: int) -> tuple[Screen, Words]:
    """The screen of a picture sent by mistake. Raises ValueError for a kind that does not exist."""
    rng = np.random.default_rng(seed)
    words = Words("B", "", 0.0, DEEP, mirrored=False)
    if kind == KNEE:
        return _knee(machine, rng, words), words
    if kind == ORGAN:
        return _organ(machine, rng, words), words
    if kind == WORKSHEET:
        return _worksheet(machine, rng), words
    raise ValueError(f"kind {kind!r} is not one of {', '.join(KINDS)}")


def _knee(machine: Machine, rng: np.random.Generator, words: Words) -> Screen:
    """Femur and quadriceps tendon, fluid in the recess between them."""
    settings = Settings(
        0.0,
        (0.0, 0.0),
        0.0,
        (np.nan, 1.0),
        0.5,
        DEEP,
        0.0,
        0.0,
        mirrored=False,
        seed=int(rng.integers(2**31)),
    )
    z, x = grid(machine, settings)
    across = np.arange(x[0] - 2, x[-1] + 2, STEP)
    bone = 27 + 1.2 * np.sin(across / 9 + rng.uniform(0, 6)) - 0.12 * across
    tendon = 12 + 0.03 * across + gaussian_filter1d(rng.normal(size=len(across)), 60)
    fluid = 6.5 * np.exp(-(((across - rng.uniform(-4, 4)) / 9) ** 2))
    nothing = np.zeros(len(across))
    cut = Layers(
        skin=nothing + 0.8,
        tendon_top=tendon,
        tendon_bottom=tendon + 6,
        sheath=nothing,
        fluid_top=bone - 4 - fluid,
        synovium_top=bone - 3.9,
        synovium_bottom=bone - 4,
        cartilage_top=bone,
        bone=bone,
        solid=nothing == 0,
        line=bone - 4,
    )
    joint = Joint("WR", across, bone, bone, bone, (-8.0, 8.0), nothing, 6.0, 0.5, 1.8, ())
    tissues = tissue_map(joint, cut, z, x)
    grey = scan(machine, settings, joint, cut, tissues)
    return show(machine, words, (x[-1] - x[0], DEEP), [grey], [None], tissues, None)


def _organ(machine: Machine, rng: np.random.Generator, words: Words) -> Screen:
    """Speckle of an organ with vessels, in the fan of a curved probe."""
    rows, columns = round(DEEP / DZ / 2), round(machine.width / DX)
    field = gaussian_filter(rng.standard_normal((rows, columns), dtype=np.float32), (1.6, 2.6))
    envelope = np.hypot(
        field, gaussian_filter(rng.standard_normal(field.shape, dtype=np.float32), (1.6, 2.6))
    )
    grey = 0.42 + 0.16 * np.log10(envelope / envelope.mean() + 1e-3)
    for _ in range(int(rng.integers(3, 7))):
        centre = (int(rng.integers(columns)), int(rng.integers(rows // 5, rows)))
        size = (int(rng.integers(8, 40)), int(rng.integers(10, 60)))
        cv2.ellipse(grey, centre, size, float(rng.uniform(0, 180)), 0, 360, 0.08, -1)
    row, column = np.mgrid[:rows, :columns].astype(np.float32)
    apex, half = -0.45 * rows, columns / 2
    angle = np.arctan2(column - half, row - apex)
    radius = np.hypot(column - half, row - apex)
    fan = (np.abs(angle) < 0.5) & (radius > 0.55 * rows) & (radius < 1.45 * rows)
    bent = cv2.remap(
        grey.astype(np.float32), (angle / 1.0 + 0.5) * columns, (radius - 0.55 * rows) / 0.9, cv2.INTER_LINEAR
    )
    tissues = np.where(fan, np.uint8(CODE["soft tissue"]), np.uint8(CODE["background"]))
    return show(machine, words, (machine.width, DEEP), [np.where(fan, bent, 0)], [None], tissues, None)


def _worksheet(machine: Machine, rng: np.random.Generator) -> Screen:
    """A page of texts: a made-up name and measurements."""
    rows, columns = machine.screen
    page = np.zeros((rows, columns, 3), np.uint8)
    page[:] = (18, 24, 40)
    lines = [
        f"Patient: MUSTER, {rng.choice(['ALEX', 'KIM', 'ROBIN', 'TONI'])}", "Exam: US hands and wrists", "",
        "Joint        GS   PD", *(
            f"{joint:<10}   {int(rng.integers(0, 4))}    {int(rng.integers(0, 4))}"
            for joint in ("MCP2 R", "MCP3 R", "WR R", "MCP2 L", "WR L")
        ),
    ]  # fmt: skip
    for number, text in enumerate(lines):
        cv2.putText(page, text, (40, 60 + 34 * number), FONT, 0.7, INK[machine.look], 1, cv2.LINE_AA)
    tissue = np.where(page.max(axis=2) > 60, CODE["furniture"], CODE["background"]).astype(np.uint8)
    return Screen(page[None], tissue, (0, 0, columns, rows), (0.1, 0.1), None)
