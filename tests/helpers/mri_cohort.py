"""A small MRI cohort: two patients, two visits, STIR and T1 of three regions, three readers and the truth.

A stack has five slices; s1, s2 and s3 of every unit are the second, third and fourth of them. P1 (placebo)
has oedema at T9T10 and L4L5 that stays; P2 (active) at C5C6 and T11T12 at BL, and one quadrant of T11T12 at
W24. R1 reads the truth, R2 overlooks the first of the three slices, R3 sees a quadrant of L1L2 besides. There
are no scores of a model.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd

from core import scores
from core.imaging.spine import LEVELS, UNITS
from data.dicom.previews import preview_path, write_preview
from data.store.cohort import CohortStore

PATIENTS = ["P1", "P2"]
VISITS = {"BL": 0, "W24": 168}
SYSTEM = scores.get("sparcc")
SEQUENCES = ("STIR", "T1")
READERS = {"R1": "human", "R2": "human", "R3": "human", "truth": "consensus"}
CAMPAIGNS = {"R1": "paired", "R2": "paired", "R3": "paired", "truth": "truth"}
SHOWN = {"cervical": ("C2", "T1"), "thoracic": ("T1", "T12"), "lumbar": ("T12", "S1")}  # first and last level
INFLAMED = {
    ("P1", "BL"): ("T9T10", "L4L5"),
    ("P1", "W24"): ("T9T10", "L4L5"),
    ("P2", "BL"): ("C5C6", "T11T12"),
}
ONE_QUADRANT = {("P2", "W24"): "T11T12"}
PLACES = (-7.0, -3.5, 0.0, 3.5, 7.0)  # mm to the patient's right, in the order of frames
SAGITTAL = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0]
PIXEL, HEIGHT, COLUMNS = 2.5, 10, 64  # mm; pixels of a vertebra with its disc; of a row
FRONT, BACK, CANAL = 24, 38, 43  # columns of the bodies, and where the canal ends


def build(path: Path, *, blinded: bool = False, pictures: bool = True) -> CohortStore:
    """The cohort at ``path``."""
    store = CohortStore.open(path)
    images = _images()
    with store.write("test", "build") as tx:
        tx.set_meta("phantom", "true")
        tx.set_meta("blinded", "true" if blinded else "false")
        tx.insert("subject", pd.DataFrame({"subject": PATIENTS, "arm": ["Placebo", "Active"]}))
        tx.insert("visit", _visits())
        tx.insert("reader", pd.DataFrame({"reader": list(READERS), "kind": list(READERS.values())}))
        both = {"campaign": ["paired", "truth"], "system": SYSTEM.name, "read_mode": "paired"}
        tx.insert("campaign", pd.DataFrame(both))
        tx.insert("site_score", site_grades())
        tx.insert("image", images.drop(columns="number"))
    if pictures:
        _write_pictures(store, images)
    return store


def _visits() -> pd.DataFrame:
    rows = [(p, v, place, day, day) for p in PATIENTS for place, (v, day) in enumerate(VISITS.items())]
    return pd.DataFrame(rows, columns=["subject", "visit", "visit_order", "planned_day", "day"])


def points(patient: str, visit: str) -> set[str]:
    """The items that the stacks of a visit are said to show."""
    found = {
        f"{unit}.{item}"
        for unit in INFLAMED.get((patient, visit), ())
        for item in ("s1.UA", "s2.UA", "s2.LA", "s2.INT", "s3.UA")
    }
    if unit := ONE_QUADRANT.get((patient, visit)):
        found.add(f"{unit}.s2.UA")
    return found


def site_grades() -> pd.DataFrame:
    """Every reader's items of every visit."""
    rows = []
    for patient in PATIENTS:
        for visit in VISITS:
            true = points(patient, visit)
            seen = {
                "R1": true,
                "R2": {site for site in true if ".s1." not in site},
                "R3": true | {"L1L2.s2.UP"},
                "truth": true,
            }
            rows += [
                (patient, visit, site.code, site.feature, reader, CAMPAIGNS[reader], int(site.code in its))
                for reader, its in seen.items()
                for site in SYSTEM.sites
            ]
    frame = pd.DataFrame(rows, columns=["subject", "visit", "site", "feature", "reader", "campaign", "grade"])
    return frame.assign(system=SYSTEM.name, read=1, reason=None, grade=frame["grade"].astype("Int32"))


def _images() -> pd.DataFrame:
    """One row a slice; the files are in another order than the slices."""
    rows = []
    for patient in PATIENTS:
        for visit in VISITS:
            for region, (first, _) in SHOWN.items():
                for sequence in SEQUENCES:
                    series = _hash(patient, visit, region, sequence)
                    top = -PIXEL * HEIGHT * (LEVELS.index(first) - 0.5)
                    for number in np.argsort([_hash(series, place) for place in PLACES]):
                        rows.append(
                            {
                                "image": _hash(series, PLACES[number]), "series_uid": series,
                                "study_uid": _hash(patient, visit), "subject": patient, "visit": visit,
                                "body_part": f"{region} spine", "region": region, "sequence": sequence,
                                "positions_mm": [-PLACES[number], -80.0, top],
                                "row_count": _rows(region), "number": int(number),
                                "instance_number": int(number) + 1,
                            }
                        )  # fmt: skip
    frame = pd.DataFrame(rows)
    about = {"how": "from tags", "confidence": 0.95}
    sure = [
        json.dumps({name: about | {"value": row[name]} for name in ("sequence", "region")}) for row in rows
    ]
    return frame.assign(
        modality="MR", view="sagittal", column_count=COLUMNS, frame_count=1, spacing_row_mm=PIXEL,
        spacing_column_mm=PIXEL, spacing_slice_mm=3.5, slice_thickness_mm=3.5, sop_uid=frame["image"],
        pixel_hash=frame["image"], orientation=[SAGITTAL] * len(frame), classification=sure, warnings="[]",
        acquisition="{}",
    )  # fmt: skip


def _hash(*parts: object) -> str:
    return hashlib.sha256(" ".join(map(str, parts)).encode()).hexdigest()


def _rows(region: str) -> int:
    first, last = (LEVELS.index(level) for level in SHOWN[region])
    return HEIGHT * (last - first + 2)


def picture(patient: str, visit: str, region: str, sequence: str, number: int) -> np.ndarray:
    """One slice, 12 bits: a column of bodies before the canal, oedema where the truth has it."""
    rng = np.random.default_rng(int(_hash(patient, visit, region, sequence, number)[:8], 16))
    stir = sequence == "STIR"
    body, disc, canal, around = (550, 800, 2600, 450) if stir else (2400, 1500, 500, 1100)
    pixels = np.full((_rows(region), COLUMNS), around, float)
    pixels[:, FRONT:BACK], pixels[:, BACK:CANAL] = disc, canal
    first, last = (LEVELS.index(level) for level in SHOWN[region])
    for level in range(first, last + 1):
        top = corner_row(region, LEVELS[level])
        pixels[top : top + HEIGHT - 2, FRONT:BACK] = body
    for site in points(patient, visit) if stir else ():
        unit, cut, item = site.split(".")
        upper, lower = UNITS[unit]
        shown = first <= LEVELS.index(upper) and LEVELS.index(lower) <= last
        if shown and number == int(cut[1]) and item in ("UA", "LA"):
            bottom = corner_row(region, upper) + HEIGHT - 2
            rows = slice(bottom - 4, bottom) if item == "UA" else slice(bottom + 2, bottom + 6)
            pixels[rows, FRONT : FRONT + 6] = 2700 if number == 2 else 1900
    return np.clip(pixels + rng.normal(0, 40, pixels.shape), 0, 4095).astype(np.uint16)


def corner_row(region: str, level: str) -> int:
    """The first row of a body in a stack of that region."""
    return HEIGHT * (LEVELS.index(level) - LEVELS.index(SHOWN[region][0])) + HEIGHT // 2 + 1


def _write_pictures(store: CohortStore, images: pd.DataFrame) -> None:
    for row in images.itertuples():
        pixels = picture(row.subject, row.visit, row.region, row.sequence, row.number)
        path = preview_path(store.folder, row.image)
        path.parent.mkdir(parents=True, exist_ok=True)
        about = {
            "image": row.image, "spacing_mm": [PIXEL, PIXEL], "modality": "MR", "body_part": row.body_part,
            "view": "sagittal", "window": [0, 2800], "colour": False, "frame": 0, "frames": 1, "slope": 1.0,
            "sign": 1, "offset": 0.0, "intercept": 0.0,
        }  # fmt: skip
        write_preview(path, pixels, about)
