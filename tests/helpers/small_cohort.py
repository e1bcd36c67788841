"""A small cohort for page tests: six patients, three visits, two readers, a model, truth, tiny films.

Patient P4 progresses at C5I and L2S between BL and W104; everybody else stays but for reader noise. The model
refuses the lumbar film of P6 at W52. P5 has no cervical film at W104. One film has no patient.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from core import scores
from data.dicom.previews import preview_path, write_preview
from data.store.cohort import CohortStore

PATIENTS = [f"P{number}" for number in range(1, 7)]
VISITS = {"BL": 0, "W52": 364, "W104": 728}
MODEL = "model:msasss-demo"
WEIGHTS = "abc123def4567890"
READERS = ("R1", "R2", MODEL, "truth")
KINDS = {"R1": "human", "R2": "human", MODEL: "model", "truth": "consensus"}
CAMPAIGNS = {"R1": "paired", "R2": "paired", MODEL: "model-single", "truth": "truth"}
SYSTEM = scores.get("msasss")
SHAPE = (360, 240)


def build(
    path: Path, *, blinded: bool = False, films: bool = True, grades: pd.DataFrame | None = None
) -> CohortStore:
    """The cohort at ``path``. grades: other ones than those of ``site_grades``."""
    store = CohortStore.open(path)
    with store.write("test", "build") as tx:
        tx.set_meta("phantom", "true")
        tx.set_meta("blinded", "true" if blinded else "false")
        tx.insert("subject", _subjects())
        tx.insert("visit", _visits())
        tx.insert("covariate", _covariates())
        tx.insert("reader", _readers())
        tx.insert("campaign", _campaigns())
        grades = site_grades() if grades is None else grades
        tx.insert("site_score", grades)
        if films:
            images = _images()
            tx.insert("image", images)
            tx.insert("run", _run())
            tx.insert("finding", _findings(images, grades))
            tx.refuse("holiday.jpg", [{"row": None, "reason": "is not a DICOM file", "content": None}])
    if films:
        _write_films(store, images)
    return store


def _readers() -> pd.DataFrame:
    hashes = [WEIGHTS if KINDS[reader] == "model" else None for reader in READERS]
    return pd.DataFrame({"reader": READERS, "kind": [KINDS[r] for r in READERS], "weights_hash": hashes})


def _campaigns() -> pd.DataFrame:
    modes = {"paired": "paired", "model-single": "single", "truth": "paired"}
    return pd.DataFrame({"campaign": list(modes), "system": "msasss", "read_mode": list(modes.values())})


def _run() -> pd.DataFrame:
    row = {"run": "run1", "system": "msasss", "reader": MODEL, "campaign": "model-single"}
    return pd.DataFrame([row | {"weights_hash": WEIGHTS, "software": "0.1.0", "settings": "{}"}])


def _subjects() -> pd.DataFrame:
    frame = pd.DataFrame({"subject": PATIENTS, "arm": ["Placebo", "Active"] * 3})
    frame["sex"] = ["M", "F", "M", "M", "F", "F"]
    frame["birth_year"] = [1970 + 3 * place for place in range(6)]
    return frame.assign(centre=["01", "01", "02", "02", "03", "03"])


def _visits() -> pd.DataFrame:
    rows = [
        (p, v, place, day, day + 2 * (v != "BL"))
        for p in PATIENTS
        for place, (v, day) in enumerate(VISITS.items())
    ]
    return pd.DataFrame(rows, columns=["subject", "visit", "visit_order", "planned_day", "day"])


def _covariates() -> pd.DataFrame:
    rows = []
    for place, patient in enumerate(PATIENTS):
        rows.append((patient, None, "HLA-B27", None, "positive" if place % 3 else "negative", None))
        for visit, level in zip(VISITS, (12.0, 7.5, 5.0), strict=True):
            rows.append((patient, visit, "CRP", level + place, None, "mg/L"))
    return pd.DataFrame(rows, columns=["subject", "visit", "name", "number", "text", "unit"])


def true_grade(patient: str, visit: str, site: str) -> int:
    """The grade that the films of the small cohort are said to show."""
    base = (PATIENTS.index(patient) + SYSTEM.codes.index(site)) % 5 == 0
    grade = 1 if base else 0
    if patient == "P4" and visit == "W104" and site in ("C5I", "L2S"):
        grade = 3
    return grade


def site_grades() -> pd.DataFrame:
    """Every reader's grades; reader noise from a fixed seed."""
    rng = np.random.default_rng(7)
    rows = []
    for patient in PATIENTS:
        for visit in VISITS:
            for site in SYSTEM.codes:
                truth = true_grade(patient, visit, site)
                for reader in READERS:
                    noise = 0 if reader == "truth" else int(rng.choice([-1, 0, 1], p=[0.02, 0.94, 0.04]))
                    grade: int | None = int(np.clip(truth + noise, 0, 3))
                    reason = None
                    if site == "T1S" and reader == "R2":
                        grade, reason = None, "behind the shoulders"
                    if patient == "P4" and site in ("C5I", "L2S"):
                        grade = truth
                    if reader == MODEL and not _scored(patient, visit, site):
                        grade, reason = None, "film refused"
                    rows.append((patient, visit, site, reader, CAMPAIGNS[reader], grade, reason))
    frame = pd.DataFrame(rows, columns=["subject", "visit", "site", "reader", "campaign", "grade", "reason"])
    return frame.assign(system="msasss", feature="corner", read=1, grade=frame["grade"].astype("Int32"))


def _scored(patient: str, visit: str, site: str) -> bool:
    return not (patient == "P6" and visit == "W52" and SYSTEM.by_code[site].region == "lumbar")


def _images() -> pd.DataFrame:
    rows = [
        (f"{place:02d}{patient}{visit}{part}".ljust(24, "0").lower(), patient, visit, part)
        for patient in PATIENTS
        for visit in VISITS
        for place, part in enumerate(("cervical", "lumbar"))
        if (patient, visit, part) != ("P5", "W104", "cervical")
    ]
    rows.append(("ff" + "0" * 22, None, None, "lumbar"))
    frame = pd.DataFrame(rows, columns=["image", "subject", "visit", "body_part"])
    return frame.assign(
        modality="DX", view="lateral", row_count=SHAPE[0], column_count=SHAPE[1], frame_count=1,
        spacing_row_mm=0.8, spacing_column_mm=0.8, sop_uid=frame["image"], pixel_hash=frame["image"],
    )  # fmt: skip


def _findings(images: pd.DataFrame, grades: pd.DataFrame) -> pd.DataFrame:
    seen = grades[grades["reader"] == MODEL].set_index(["subject", "visit", "site"])["grade"]
    rows = []
    for image in images[images["subject"].notna()].itertuples():
        if image.subject == "P6" and image.visit == "W52" and image.body_part == "lumbar":
            rows.append((f"f{len(rows)}", image.image, None, None, None, "too few corners found"))
            continue
        sites = [site.code for site in SYSTEM.sites if site.region == image.body_part]
        for place, site in enumerate(sites):
            box = {"box": [130 + place, 30 + 25 * place, 146 + place, 44 + 25 * place]}
            grade = seen[(image.subject, image.visit, site)]
            rows.append((f"f{len(rows)}", image.image, site, grade, json.dumps(box), None))
    frame = pd.DataFrame(rows, columns=["finding", "image", "site", "grade", "geometry", "abstained"])
    return frame.assign(run="run1", system="msasss", feature="corner", confidence=0.9,
                        grade=frame["grade"].astype("Int32"))  # fmt: skip


def _write_films(store: CohortStore, images: pd.DataFrame) -> None:
    rng = np.random.default_rng(3)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    spine = 20000 * np.exp(-(((x - 110) / 30.0) ** 2)) + 9000 * (np.sin(y / 8.0) > 0)
    for image in images["image"]:
        pixels = np.clip(8000 + spine + rng.normal(0, 300, SHAPE), 0, 65535).astype(np.uint16)
        path = preview_path(store.folder, image)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_preview(path, pixels, {"spacing_mm": [0.8, 0.8], "modality": "DX", "view": "lateral"})
