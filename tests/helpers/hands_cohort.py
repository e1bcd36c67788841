"""A small mTSS cohort for page tests: six patients, two visits, two readers, a model, truth, tiny films.

P4 gets worse between BL and W52: erosion at RH.MCP2 (0 to 2) and LF.MTP5 (6 to 8), narrowing at RH.MCP2 (1 to
2), all seen by everybody; its joint LH.PIP3 is ankylosed, and the model asks about a luxation at RH.MCP3. P2
becomes eroded (RH.NAV 0 to 1) and is clean otherwise. Everybody else stays but for R2's single grades. The
model refuses the foot film of P6 at W52; P5 has no foot film there.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from core import scores
from data.dicom.previews import preview_path, write_preview
from data.store.cohort import CohortStore
from tests.helpers import small_cohort

PATIENTS = small_cohort.PATIENTS
VISITS = {"BL": 0, "W52": 364}
MODEL = "model:mtss-demo"
KINDS = {"R1": "human", "R2": "human", MODEL: "model", "truth": "consensus"}
CAMPAIGNS = {"R1": "paired", "R2": "paired", MODEL: "model-single", "truth": "truth"}
SYSTEM = scores.get("mtss")
SHAPE = (240, 320)
WORSE = {"RH.E.MCP2": (0, 2), "RH.J.MCP2": (1, 2), "LF.E.MTP5": (6, 8)}


def build(path: Path, *, films: bool = True, spine: bool = False) -> CohortStore:
    """The cohort at ``path``. spine: with the mSASSS grades of ``small_cohort`` beside the hands."""
    store = CohortStore.open(path)
    with store.write("test", "build") as tx:
        tx.set_meta("phantom", "true")
        tx.set_meta("blinded", "false")
        tx.insert("subject", small_cohort._subjects())
        tx.insert("visit", _visits())
        readers = KINDS | ({small_cohort.MODEL: "model"} if spine else {})
        tx.insert("reader", pd.DataFrame({"reader": list(readers), "kind": list(readers.values())}))
        tx.insert("campaign", _campaigns("mtss"))
        tx.insert("site_score", rows())
        if spine:
            tx.insert("campaign", _campaigns("msasss"))
            grades = small_cohort.site_grades()
            tx.insert("site_score", grades[grades["visit"].isin(VISITS)])
        if films:
            images = _images()
            tx.insert("image", images)
            tx.insert("run", _run())
            tx.insert("finding", _findings(images))
    if films:
        _write_films(store, images)
    return store


def _visits() -> pd.DataFrame:
    rows = [(p, v, place, day, day) for p in PATIENTS for place, (v, day) in enumerate(VISITS.items())]
    return pd.DataFrame(rows, columns=["subject", "visit", "visit_order", "planned_day", "day"])


def _campaigns(system: str) -> pd.DataFrame:
    modes = {"paired": "paired", "model-single": "single", "truth": "paired"}
    return pd.DataFrame({"campaign": list(modes), "system": system, "read_mode": list(modes.values())})


def true_grade(patient: str, visit: str, site: str) -> int:
    """What the films are said to show."""
    late = visit == "W52"
    if patient == "P4" and site in WORSE:
        return WORSE[site][late]
    if patient == "P2":
        return int(late and site == "RH.E.NAV")
    if (patient, site) == ("P4", "LH.J.PIP3"):
        return 4
    return int((PATIENTS.index(patient) + 3 * SYSTEM.codes.index(site)) % 11 == 0)


def site_grades() -> pd.DataFrame:
    """Every reader's grades: R2 sees one grade more at one site of some patients, and cannot see one."""
    rows = []
    for patient in PATIENTS:
        for visit in VISITS:
            for site in SYSTEM.sites:
                for reader in KINDS:
                    grade: int | None = true_grade(patient, visit, site.code)
                    reason = None
                    if reader == "R2" and (patient, visit, site.code) in EXTRA:
                        grade = min((grade or 0) + 1, site.maximum)
                    if reader == "R2" and patient == "P3" and site.code == "LH.J.RC":
                        grade, reason = None, "overlapped"
                    if reader == MODEL and (patient, visit, site.region) == ("P6", "W52", "foot"):
                        grade, reason = None, "film refused"
                    rows.append((patient, visit, site.code, site.feature, reader, grade, reason))
    frame = pd.DataFrame(rows, columns=["subject", "visit", "site", "feature", "reader", "grade", "reason"])
    return _as_scores(frame)


def rows() -> pd.DataFrame:
    """Grades and the findings beside them, as they are stored."""
    return pd.concat([site_grades(), findings_at_joints()], ignore_index=True)


EXTRA = {
    ("P1", "W52", "LH.E.RAD"), ("P3", "BL", "RF.J.MTP1"), ("P5", "BL", "RH.J.CMC3"),
    ("P5", "W52", "LH.E.ULN"),
}  # fmt: skip


def findings_at_joints() -> pd.DataFrame:
    """Ankylosis that R1 and the truth state, and a luxation of unknown degree that the model saw."""
    rows = [("P4", visit, "LH.E.PIP3", "ankylosis", reader) for visit in VISITS for reader in ("R1", "truth")]
    rows += [("P4", "W52", "RH.E.MCP3", "luxation_unspecified", MODEL)]
    frame = pd.DataFrame(rows, columns=["subject", "visit", "site", "feature", "reader"])
    return _as_scores(frame.assign(grade=1, reason=None))


def _as_scores(frame: pd.DataFrame) -> pd.DataFrame:
    campaigns = frame["reader"].map(CAMPAIGNS)
    return frame.assign(system="mtss", read=1, campaign=campaigns, grade=frame["grade"].astype("Int32"))


def _images() -> pd.DataFrame:
    rows = [
        (f"{place}{patient[1:]}{visit.replace('W', 'b').replace('L', 'a')}".lower().ljust(24, "0"), patient,
         visit, part)
        for patient in PATIENTS
        for visit in VISITS
        for place, part in enumerate(("hand", "foot"))
        if (patient, visit, part) != ("P5", "W52", "foot")
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["image", "subject", "visit", "body_part"])
    return frame.assign(
        modality="DX", view="PA", row_count=SHAPE[0], column_count=SHAPE[1], frame_count=1,
        spacing_row_mm=1.0, spacing_column_mm=1.0, sop_uid=frame["image"], pixel_hash=frame["image"],
    )  # fmt: skip


def _run() -> pd.DataFrame:
    row = {"run": "run1", "system": "mtss", "reader": MODEL, "campaign": "model-single"}
    return pd.DataFrame([row | {"weights_hash": "abc", "software": "0.1.0", "settings": "{}"}])


def box_of(site: str) -> list[int]:
    """Where the box of a site's joint lies on its film: right hand and foot on the right."""
    units = [unit for unit in SYSTEM.units if unit[1] == site[1]]
    place = units.index(SYSTEM.by_code[site].unit)
    column, row = place % 7, place // 7
    return [10 + 44 * column, 10 + 44 * row, 40 + 44 * column, 40 + 44 * row]


def _findings(images: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for image in images.itertuples():
        if (image.subject, image.visit, image.body_part) == ("P6", "W52", "foot"):
            rows.append((image.image, None, None, None, None, "too few joints found"))
            continue
        for site in SYSTEM.sites:
            if site.region == image.body_part:
                grade = true_grade(image.subject, image.visit, site.code)
                box = json.dumps({"box": box_of(site.code)})
                rows.append((image.image, site.code, site.feature, grade, box, None))
    columns = ["image", "site", "feature", "grade", "geometry", "abstained"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(
        finding=[f"f{place}" for place in range(len(frame))], run="run1", system="mtss", confidence=0.9,
        grade=frame["grade"].astype("Int32"),
    )  # fmt: skip


def _write_films(store: CohortStore, images: pd.DataFrame) -> None:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    fingers = 18000 * (np.sin(x / 9.0) > 0.2) + 6000 * (np.sin(y / 14.0) > 0)
    pixels = np.clip(6000 + fingers, 0, 65535).astype(np.uint16)
    for image in images["image"]:
        path = preview_path(store.folder, image)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_preview(path, pixels, {"spacing_mm": [1.0, 1.0], "modality": "DX", "view": "PA"})
