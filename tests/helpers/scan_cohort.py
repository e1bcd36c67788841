"""Ultrasound of one patient at two visits, grades of two by two readers, and what a model saw."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from core.domain import ReadMode
from data.store.cohort import CohortStore
from data.tables.import_reads import ReadsRequest, import_reads
from data.tables.import_subjects import SubjectsRequest, import_subjects
from tests.helpers.deliveries import take
from tests.helpers.drawn_ultrasound import Screen, draw
from tests.helpers.small_films import save
from tests.helpers.ultrasound_files import scan_file

SCREEN = Screen(size=(120, 160), scan=(20, 24, 140, 110), mark="", text="")
FRAMES, GRADED = 5, 3  # of the cine at W24, and the one that the model graded
READS = {  # site -> grades at BL and W24
    "R.MCP2.GS": (2, 1), "R.MCP2.PD": (2, 0), "R.MCP3.GS": (0, 0), "R.MCP3.PD": (1, 0),
}  # fmt: skip


def build(path: Path, *, is_scored: bool = True) -> CohortStore:
    """Grey scale and power Doppler of the right MCP2 at BL and W24 (a cine), one image of no known joint.

    is_scored: whether a model has graded the cine.
    """
    store = CohortStore.open(path)
    folder = path.parent / "delivery"
    folder.mkdir()
    for place, (visit, mode) in enumerate((v, m) for v in ("BL", "W24") for m in ("B", "PD")):
        save(_file(place, visit, mode), folder / f"{place}.dcm")
    save(_file(9, "BL", "B", SeriesDescription="small joints"), folder / "9.dcm")
    take(store, folder)
    rows = [
        {"subject": subject, "visit": visit, "reader": reader, "site": site, "grade": grade}
        for subject in ("P1", "P2")
        for site, pair in READS.items()
        for visit, grade in zip(("BL", "W24"), pair, strict=True)
        for reader in ("R1", "R2")
    ]
    reads = pd.DataFrame(rows)
    reads.index = pd.RangeIndex(1, len(reads) + 1)
    _days(store)
    import_reads(store, reads, ReadsRequest("synovitis", read_mode=ReadMode.PAIRED), source="reads")
    if is_scored:
        _model(store)
    return store


def _file(place: int, visit: str, mode: str, **tags: str):  # type: ignore[no-untyped-def]
    screen = Screen(**{**vars(SCREEN), "seed": place, "flow": 20 if mode == "PD" else 0})
    colour = draw(screen)
    if (visit, mode) == ("W24", "PD"):
        colour = np.stack([np.roll(colour, shift, axis=0) for shift in range(FRAMES)])
    about = {"SeriesDescription": f"MCP2 R dorsal long {mode}", "SOPInstanceUID": f"1.2.{place}"}
    about |= {"ClinicalTrialSubjectID": "P1", "ClinicalTrialTimePointID": visit}
    return scan_file(screen, colour=colour, **(about | tags))


def _days(store: CohortStore) -> None:
    """The visits with their days, also of P2, who has no images."""
    people = pd.DataFrame({"subject": ["P1", "P2"]}, index=[1, 2])
    when = pd.DataFrame(
        [
            {"subject": subject, "visit": visit, "visit_order": order, "day": 168 * order}
            for subject in people["subject"]
            for order, visit in enumerate(("BL", "W24"))
        ]
    )
    when.index = pd.RangeIndex(1, len(when) + 1)
    import_subjects(store, people, when, SubjectsRequest())


def _model(store: CohortStore) -> None:
    cine = store.query("SELECT image FROM main.image WHERE frame_count > 1")["image"].iloc[0]
    geometry = json.dumps({"box": [20, 24, 140, 110], "frame": GRADED})
    with store.write("test", "score") as transaction:
        transaction.insert("run", pd.DataFrame([{"run": "r1", "system": "synovitis", "reader": "model:toy"}]))
        found = {"finding": "f1", "run": "r1", "image": cine, "system": "synovitis", "site": "R.MCP2.PD"}
        found |= {"feature": "pd", "grade": 0, "confidence": 0.9, "geometry": geometry}
        transaction.insert("finding", pd.DataFrame([found]))
        chance = {"run": "r1", "image": cine, "task": "ra_v_spa", "probability": 0.6}
        transaction.insert("diagnosis_chance", pd.DataFrame([chance]))
