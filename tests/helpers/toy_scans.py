"""Ultrasound scans in a cohort, with small pictures, and a model that grades them by what they are called."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from core.domain import Abstained, Finding, Image, Scored
from core.errors import InputError
from data.store.cohort import CohortStore
from models.system import SystemModel
from tests.helpers.stack_cohort import fill

MODES = {"B": "GS", "PD": "PD"}
FEATURES = {"GS": "gs", "PD": "pd"}


def scan(image: str, subject: str | None = "P1", visit: str | None = "BL", **columns: Any) -> pd.DataFrame:
    """A row of ``image``: a B picture of the right MCP2 unless columns say otherwise. Its name ends in the
    grade that the toy sees.
    """
    row = {
        "image": image, "subject": subject, "visit": visit, "modality": "US", "body_part": "hand",
        "joint": "MCP2", "mode": "B", "laterality": "R", "row_count": 6, "column_count": 5, "frame_count": 1,
        "classification": "{}",
    }  # fmt: skip
    return pd.DataFrame([row | columns])


def make(path: Path, *scans: pd.DataFrame, subjects: Sequence[str] = ("P1",)) -> CohortStore:
    """A cohort of these scans."""
    store = CohortStore.open(path)
    with store.write("test", "subjects") as tx:
        tx.insert("subject", pd.DataFrame({"subject": list(subjects)}))
    fill(store, *scans)
    return store


class ToyScorer:
    """The grade is the last letter of the image's name, 2 where that is none; it is that of the last frame.
    Broken images fail, odd ones are abstained on.
    """

    reader = "model:toy-scans"
    weights_hash = "abc"

    def score(self, images: Sequence[Image]) -> list[Scored | Abstained]:
        if any("broken" in image.image for image in images):
            raise InputError("a scan", "it is broken", "leave it out")
        return [self._one(image) for image in images]

    def _one(self, image: Image) -> Scored | Abstained:
        if not image.joint:
            return Abstained("which joint it shows is not known")
        site = f"{image.laterality}.{image.joint}.{MODES[image.mode]}"
        if "odd" in image.image:
            return Abstained("unlike the scans that the model knows", sites=(site,))
        grade = int(image.image[-1]) if image.image[-1] in "0123" else 2
        chances = tuple(0.7 if other == grade else 0.1 for other in range(4))
        feature = FEATURES[MODES[image.mode]]
        found = Finding(site, feature, grade, chances, 0.7, frame=len(image.frames) - 1)
        return Scored((found,), chances={"ra_v_spa": 0.25 * grade})


def build_toy(*, size: str, device: str, threads: int) -> ToyScorer:
    """The toy."""
    return ToyScorer()


def identify_toy(size: str) -> tuple[str, str]:
    """Reader and weights hash."""
    return ToyScorer.reader, ToyScorer.weights_hash


TOY = SystemModel(
    "synovitis",
    ("hand",),
    (),
    f"{__name__}:build_toy",
    identity=f"{__name__}:identify_toy",
    scans=True,
    diagnoses={"ra_v_spa": ("RA", "SpA/PsA")},
)
