"""Ultrasound scans that a model is offered, visit by visit: each picture or cine is one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from core.domain import Image, Viewer
from data.dicom.images import load_image
from data.scoring.together import Offered, Place, VisitGroup, asking, grouped, held_words, place_of
from data.store.access import HELD_FILMS
from data.store.cohort import CohortStore

US = "US"
SCANS = f"""
    SELECT image, subject, visit, coalesce(frame_count, 1) AS frames, false AS is_held,
        coalesce(joint, '') AS joint, coalesce(mode, '') AS mode, coalesce(laterality, '') AS side
    FROM image WHERE modality = $modality
    UNION ALL
    SELECT image, subject, visit, coalesce(frame_count, 1), true, '', '', ''
    FROM {HELD_FILMS} WHERE modality = $modality
    ORDER BY image
"""


@dataclass(frozen=True)
class ScanOffers:
    """Every ultrasound image. What stands against reading one is the scorer's to say; one that is held back
    is offered with that reason to abstain, until a person releases it.
    """

    @property
    def thing(self) -> str:
        return "scan"

    @property
    def modality(self) -> str:
        return US

    def groups(self, store: CohortStore, viewer: Viewer, more: Collection[Place] = ()) -> list[VisitGroup]:
        rows = asking(store, viewer)(SCANS, {"modality": US})
        rows = rows.astype(object).where(rows.notna(), None)
        placed: list[tuple[Place | None, Offered]] = []
        for image, subject, visit, frames, is_held, *shown in rows.itertuples(index=False, name=None):
            why = held_words("the image") if is_held else ""
            each = tuple((image, frame) for frame in range(int(frames)))
            offered = Offered(image, each, why, tuple(shown), None if is_held else image)
            placed.append((place_of(subject, visit), offered))
        return grouped(placed, {}, more)

    def load(self, store: CohortStore, one: Offered) -> Image:
        return load_image(store, one.name)
