"""Stacks of small MRI slices in a cohort, with pictures, and a model that grades them by their pixels."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.domain import Abstained, Finding, Image, Measured, Outline, Scored
from core.errors import InputError
from core.imaging.sequences import Needs
from core.scores.sparcc import ITEMS, REGIONS, SLICES, SPARCC
from data.dicom.previews import preview_path, write_preview
from data.store.cohort import CohortStore
from models.system import SystemModel

SAGITTAL = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0]
AXIAL = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
PLACES = (-7.0, -3.5, 0.0, 3.5, 7.0)
FEATURE = {site.code: site.feature for site in SPARCC.sites}
PIXELS = (6, 5)


def slices(
    series: str,
    subject: str | None = "P1",
    visit: str | None = "BL",
    *,
    region: str = "lumbar",
    places: Sequence[float] = PLACES,
    orientation: Sequence[float] = SAGITTAL,
    **columns: Any,
) -> pd.DataFrame:
    """Rows of ``image``, one a slice; what is not given is that of a STIR stack of the spine."""
    along = np.cross(orientation[:3], orientation[3:])
    rows = {
        "image": [f"{series}:{place:g}" for place in places], "series_uid": series, "subject": subject,
        "visit": visit, "modality": "MR", "body_part": f"{region} spine".strip(), "region": region or None,
        "sequence": "STIR", "row_count": PIXELS[0], "column_count": PIXELS[1], "frame_count": 1,
        "spacing_row_mm": 1.0, "spacing_column_mm": 1.0, "spacing_slice_mm": 3.5, "slice_thickness_mm": 3.5,
        "orientation": [list(orientation)] * len(places), "positions_mm": [list(along * p) for p in places],
        "acquisition": "{}", "classification": "{}",
    }  # fmt: skip
    return pd.DataFrame(rows | columns)


def fill(store: CohortStore, *stacks: pd.DataFrame) -> None:
    """Images with their pictures, into the cohort."""
    images = pd.concat(stacks, ignore_index=True)
    for row in images.itertuples():
        path = preview_path(store.folder, row.image)
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.full(PIXELS, sum(map(ord, row.image)) % 89, np.uint16)
        about = {
            "image": row.image, "spacing_mm": [1.0, 1.0], "modality": row.modality, "window": [0, 99],
            "body_part": row.body_part, "view": "", "colour": False, "frame": 0, "frames": 1, "slope": 1.0,
            "sign": 1, "offset": 0.0, "intercept": 0.0,
        }  # fmt: skip
        write_preview(path, pixels, about)
    with store.write("test", "ingest") as tx:
        tx.insert("image", images)


def replace_images(store: CohortStore, names: Sequence[str], **columns: Any) -> None:
    """The rows of these images with other values."""
    rows = store.query(
        "SELECT * EXCLUDE (event, superseded_by) FROM main.image WHERE superseded_by IS NULL "
        "AND list_contains($names, image) ORDER BY image",
        {"names": list(names)},
    )
    with store.write("test", "change") as tx:
        tx.supersede("image", rows[["image"]])
        tx.insert("image", rows.assign(**columns))


def make(
    path: Path, subjects: Sequence[str] = ("P1", "P2"), visits: Sequence[str] = ("BL", "W24")
) -> CohortStore:
    """Lumbar and thoracic stacks of each visit and a T1 beside, and a film of the spine of each."""
    store = CohortStore.open(path)
    with store.write("test", "subjects") as tx:
        tx.insert("subject", pd.DataFrame({"subject": list(subjects)}))
    frames = []
    for subject in subjects:
        for visit in visits:
            name = f"{subject}-{visit}"
            frames += [
                slices(f"lumbar-{name}", subject, visit),
                slices(f"thoracic-{name}", subject, visit, region="thoracic"),
                slices(f"t1-{name}", subject, visit, sequence="T1"),
            ]
            film = {"image": [f"film-{name}"], "subject": subject, "visit": visit, "modality": "DX"}
            frames.append(pd.DataFrame(film | {"body_part": "lumbar spine", "frame_count": 1}))
    fill(store, *frames)
    return store


class ToyScorer:
    """Grades the middle three slices of each stack by their pixels, on the first two units of its region; a
    unit that two stacks show is that of the first. Stacks that are called odd are abstained on, those called
    broken fail.
    """

    reader = "model:toy-stacks"
    weights_hash = "abc"

    def score(self, images: Sequence[Image]) -> list[Scored | Abstained]:
        taken: set[str] = set()
        return [self._one(image, taken) for image in images]

    def _one(self, image: Image, taken: set[str]) -> Scored | Abstained:
        time.sleep(float(os.environ.get("TOY_SECONDS", "0")))
        if "broken" in image.image:
            raise InputError(f"stack {image.image}", "it is broken", "leave it out")
        if "odd" in image.image:
            return Abstained("no row of vertebral bodies was found")
        first = len(image.frames) // 2 - 1
        findings = []
        units = [unit for unit in REGIONS[image.region][:2] if unit not in taken]
        taken.update(units)
        for unit in units:
            for number, cut in enumerate(SLICES):
                for item in ITEMS:
                    site, frame = f"{unit}.{cut}.{item}", first + number
                    grade = int(image.frames[frame, 0, 0] + len(item)) % 2
                    measured = Measured("toy", float(grade), 0.5, "mm2", {"body": unit})
                    chances = (1.0 - grade, float(grade))
                    findings.append(
                        Finding(
                            site,
                            FEATURE[site],
                            grade,
                            chances,
                            0.9,
                            None,
                            ((0, 0), (1, 0), (1, 1)),
                            frame,
                            measured,
                        )
                    )
        drawn = tuple(
            Outline(frame, "body", "L4", ((0.0, 0.0), (2.0, 0.0), (2.0, 2.0)))
            for frame in range(len(image.frames))
        )
        third = REGIONS[image.region][2]
        missing = {f"{third}.{cut}.{item}": "it is cut off" for cut in SLICES for item in ITEMS}
        return Scored(tuple(findings), missing, drawn)


def build_toy(*, size: str, device: str, threads: int) -> ToyScorer:
    return ToyScorer()


def identify_toy(size: str) -> tuple[str, str]:
    return ToyScorer.reader, ToyScorer.weights_hash


TOY = SystemModel(
    "sparcc",
    ("spine",),
    (),
    f"{__name__}:build_toy",
    identity=f"{__name__}:identify_toy",
    stacks=Needs(),
)
