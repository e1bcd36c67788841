"""How often a chart of drift raises a flag, where nothing differs and where something does (docs/drift.md).

    python -m tests.bench.simulate_drift --studies 200 --seed 20261130

Patients enter over two years and come three times, half a year apart; four images a visit, on three devices.
Four measures, which hang together within a patient and fall by visit. A device is the patient's own, or any.
"""

from __future__ import annotations

import argparse
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from core.agreement.drift.charts import Pictures, by_device, over_time

MEASURES = [f"m{number}" for number in range(4)]
REFERENCE = pd.Period("2022-03", "M")
MONTHS = pd.period_range("2021-01", periods=48, freq="M")
SHAPES = {"normal": lambda y: y, "lognormal": np.exp, "rare": lambda y: (y > 2.5).astype(float)}
KINDS = [
    *product((24, 60), (False, True), SHAPES, (0.0,)),
    *product((24, 60), (False,), ("normal",), (0.5, 1.0)),
]


def study(rng: np.random.Generator, patients: int, *, own: bool, shape: str, shift: float) -> pd.DataFrame:
    """Pictures of one study. own: a device of the patient's own. shift: of the first measure on one device,
    and from month 24 on, in SD of an image within its patient.
    """
    size = (patients, 3, 4)
    person = rng.normal(size=(patients, 1, 1, 4)) + rng.normal(0, 0.5, (patients, 3, 1, 4))
    visit, kind = np.arange(3)[None, :, None], np.arange(4)[None, None, :]
    value = person + rng.normal(size=(*size, 4)) - 0.3 * visit[..., None] + 0.5 * kind[..., None]
    month = np.broadcast_to(rng.integers(0, 24, (patients, 1, 1)) + 6 * visit, size)
    device = rng.integers(0, 3, (patients, 1, 1) if own else size)
    device = np.broadcast_to(device, size)
    value[..., 0] += shift * ((device == 2) | (month >= 24))
    flat = {"subject": np.arange(patients)[:, None, None], "visit": visit, "kind": kind}
    frame = pd.DataFrame({name: np.broadcast_to(code, size).ravel() for name, code in flat.items()})
    frame = frame.assign(device=np.array(list("ABC"))[device.ravel()], month=MONTHS[month.ravel()])
    frame[MEASURES] = SHAPES[shape](value).reshape(-1, 4)
    return frame.astype({"subject": str})


def shares(studies: int, seed: int, patients: int, own: bool, shape: str, shift: float) -> dict[str, Any]:
    """Share of studies whose chart has a flag, of each chart."""
    rng = np.random.default_rng([seed, patients, own, list(SHAPES).index(shape), int(10 * shift)])
    raised = np.zeros(3)
    for _ in range(studies):
        given = Pictures(study(rng, patients, own=own, shape=shape, shift=shift), MEASURES)
        charts = (
            by_device(given, flips=199), over_time(given, flips=199),
            over_time(given, flips=199, reference=REFERENCE),
        )  # fmt: skip
        raised += [any(p["flag"] for points in c["measures"].values() for p in points) for c in charts]
    return dict(zip(("device", "time", "time, reference"), raised / studies, strict=True))


def main() -> None:
    """Prints a row a kind of study."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20261130)
    given = parser.parse_args()
    print("| patients | device | values | shift | device | time | time, reference |")
    print("|---" * 7 + "|")
    for patients, own, shape, shift in KINDS:
        found = shares(given.studies, given.seed, patients, own, shape, shift)
        cells = (patients, "the patient's own" if own else "any", shape, f"{shift:g} SD" if shift else "none")
        print(
            "|",
            " | ".join([*map(str, cells), *(f"{share:.3f}" for share in found.values())]),
            "|",
            flush=True,
        )


if __name__ == "__main__":
    main()
