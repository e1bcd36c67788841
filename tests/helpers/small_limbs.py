"""A small cohort of hands and feet: five patients, two visits, two readers, a model, truth, tiny films.

Patient P3 progresses between BL and W52: erosion at LH.PIP2 and narrowing at RF.MTP1, seen by everybody; an
ankylosis at LH.PIP3 is seen by R1 and there in truth. R2 cannot grade the right lunate. The model finds every
joint but the left ulna, whose box it lacks.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from core import scores
from data.dicom.previews import preview_path, write_preview
from data.store.cohort import CohortStore

PATIENTS = [f"P{number}" for number in range(1, 6)]
VISITS = {"BL": 0, "W52": 364}
MODEL = "model:mtss-demo"
READERS = {"R1": "human", "R2": "human", MODEL: "model", "truth": "consensus"}
CAMPAIGNS = {"R1": "paired", "R2": "paired", MODEL: "model-single", "truth": "truth"}
SYSTEM = scores.get("mtss")
REGIONS = ("hand", "foot")
SHAPE = (300, 420)
SPACING = 0.8
PROGRESS = {"LH.E.PIP2": 3, "RF.J.MTP1": 2}
ANKYLOSED = "LH.J.PIP3"
NOT_FOUND = "LH.E.ULN"
CELL = 40  # pixels from box to box
SIDE = 26  # of a box


def build(path: Path, *, films: bool = True) -> CohortStore:
    """The cohort at ``path``."""
    store = CohortStore.open(path)
    grades, images = site_grades(), _images()
    with store.write("test", "build") as tx:
        tx.set_meta("phantom", "true")
        tx.set_meta("blinded", "false")
        arms = {"subject": PATIENTS, "arm": ["Placebo", "Active", "Placebo", "Active", "Placebo"]}
        tx.insert("subject", pd.DataFrame(arms).assign(sex="F"))
        visits = [(p, v, n, day, day) for p in PATIENTS for n, (v, day) in enumerate(VISITS.items())]
        columns = ["subject", "visit", "visit_order", "planned_day", "day"]
        tx.insert("visit", pd.DataFrame(visits, columns=columns))
        kinds = pd.DataFrame({"reader": list(READERS), "kind": list(READERS.values())})
        tx.insert("reader", kinds.assign(weights_hash=np.where(kinds["kind"] == "model", "feed0123", None)))
        modes = {"paired": "paired", "model-single": "single", "truth": "paired"}
        campaigns = pd.DataFrame({"campaign": list(modes), "read_mode": list(modes.values())})
        tx.insert("campaign", campaigns.assign(system="mtss"))
        tx.insert("site_score", pd.concat([grades, _special()], ignore_index=True))
        if films:
            tx.insert("image", images)
            run = {"run": "run1", "system": "mtss", "reader": MODEL, "campaign": "model-single"}
            tx.insert("run", pd.DataFrame([run | {"weights_hash": "feed0123", "software": "0.1.0"}]))
            tx.insert("finding", _findings(images, grades))
    if films:
        _write_films(store, images)
    return store


def true_grade(patient: str, visit: str, site: str) -> int:
    """The grade that the films are said to show."""
    if patient == "P3" and visit == "W52" and site in PROGRESS:
        return PROGRESS[site]
    return int((PATIENTS.index(patient) + SYSTEM.codes.index(site)) % 7 == 0)


def site_grades() -> pd.DataFrame:
    """Every reading's grades; reader noise from a fixed seed, none at the sites that progress in P3."""
    rng = np.random.default_rng(5)
    rows = []
    for patient in PATIENTS:
        for visit in VISITS:
            for site in SYSTEM.sites:
                truth = true_grade(patient, visit, site.code)
                for reader in READERS:
                    noise = 0 if reader == "truth" else int(rng.choice([-1, 0, 1], p=[0.02, 0.94, 0.04]))
                    grade: int | None = int(np.clip(truth + noise, 0, site.maximum))
                    reason = None
                    if patient == "P3" and site.code in (*PROGRESS, ANKYLOSED):
                        grade = truth
                    if site.code == "RH.E.LUN" and reader == "R2":
                        grade, reason = None, "overlapped"
                    if site.code == NOT_FOUND and reader == MODEL:
                        grade, reason = None, "the joint was not found"
                    rows.append((patient, visit, site.code, site.feature, reader, grade, reason))
    columns = ["subject", "visit", "site", "feature", "reader", "grade", "reason"]
    return _scores(pd.DataFrame(rows, columns=columns))


def _special() -> pd.DataFrame:
    row = {"subject": "P3", "visit": "W52", "site": ANKYLOSED, "feature": "ankylosis", "grade": 1}
    return _scores(pd.DataFrame([row | {"reader": reader, "reason": None} for reader in ("R1", "truth")]))


def _scores(frame: pd.DataFrame) -> pd.DataFrame:
    campaign, run = frame["reader"].map(CAMPAIGNS), np.where(frame["reader"] == MODEL, "run1", None)
    grade = frame["grade"].astype("Int32")
    return frame.assign(system="mtss", read=1, campaign=campaign, run=run, grade=grade)


def image_of(patient: str, visit: str, region: str) -> str:
    """The id of a film."""
    return f"{REGIONS.index(region)}b{patient}{visit}{region}".ljust(24, "0").lower()


def _images() -> pd.DataFrame:
    rows = [
        (image_of(patient, visit, region), patient, visit, region, "PA" if region == "hand" else "AP")
        for patient in PATIENTS
        for visit in VISITS
        for region in REGIONS
    ]
    frame = pd.DataFrame(rows, columns=["image", "subject", "visit", "body_part", "view"])
    return frame.assign(
        modality="DX", row_count=SHAPE[0], column_count=SHAPE[1], frame_count=1, laterality="B",
        spacing_row_mm=SPACING, spacing_column_mm=SPACING, sop_uid=frame["image"], pixel_hash=frame["image"],
    )  # fmt: skip


def box_of(site: str) -> list[int]:
    """Where a site's joint lies on its film; both features of a joint have the same box."""
    one = SYSTEM.by_code[site]
    units = [unit for unit in SYSTEM.units if _region(unit) == one.region]
    place = units.index(one.unit)
    x, y = 8 + CELL * (place % 10), 20 + (CELL + 20) * (place // 10)
    return [x, y, x + SIDE, y + SIDE]


def _region(unit: str) -> str:
    return "hand" if unit[1] == "H" else "foot"


def _findings(images: pd.DataFrame, grades: pd.DataFrame) -> pd.DataFrame:
    seen = grades[grades["reader"] == MODEL].set_index(["subject", "visit", "site"])["grade"]
    rows = []
    for image in images.itertuples():
        for site in SYSTEM.sites:
            if site.region != image.body_part or site.code == NOT_FOUND:
                continue
            grade = int(seen[(image.subject, image.visit, site.code)])
            shares = [0.1 / site.maximum] * (site.maximum + 1)
            shares[grade] = 0.9
            box = json.dumps({"box": box_of(site.code)})
            rows.append((f"f{len(rows)}", image.image, site.code, site.feature, grade, shares, box))
    columns = ["finding", "image", "site", "feature", "grade", "grade_probabilities", "geometry"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(run="run1", system="mtss", confidence=0.9, grade=frame["grade"].astype("Int32"))


def _write_films(store: CohortStore, images: pd.DataFrame) -> None:
    rng = np.random.default_rng(3)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    bones = 20000 * (np.cos(2 * np.pi * (x - 21) / CELL) > 0.4) + 9000 * (np.sin(y / 9.0) > -0.6)
    for image in images["image"]:
        pixels = np.clip(8000 + bones + rng.normal(0, 300, SHAPE), 0, 65535).astype(np.uint16)
        path = preview_path(store.folder, image)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_preview(path, pixels, {"spacing_mm": [SPACING, SPACING], "modality": "DX"})
