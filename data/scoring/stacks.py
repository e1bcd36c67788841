"""Stacks of MRI that a model is offered, visit by visit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from core.domain import Image, Viewer
from core.imaging.sequences import Needs
from core.imaging.series import LOCALISER
from data.queries.stacks import PART, CohortStack, all_stacks, load
from data.scoring.together import Ask, Offered, Place, VisitGroup, asking, grouped, held_words, place_of
from data.store.access import HELD_FILMS
from data.store.cohort import CohortStore

MR = "MR"


@dataclass(frozen=True)
class StackOffers:
    """What a model with these needs is offered.

    A stack of another known sequence (T1, T2 ...) and a localiser are not. One of unknown sequence, or on
    which something else stands against reading, is offered with the reason to abstain; so is one of which
    slices are held back, until a person releases them.
    """

    needs: Needs

    @property
    def thing(self) -> str:
        return "stack"

    @property
    def modality(self) -> str:
        return MR

    def groups(self, store: CohortStore, viewer: Viewer, more: Collection[Place] = ()) -> list[VisitGroup]:
        everything = [one for one in all_stacks(store, viewer) if one.modality == MR]
        placed = _placed(everything, _held(asking(store, viewer)), self.needs)
        return grouped(placed, _images_of(everything), more)

    def load(self, store: CohortStore, one: Offered) -> Image:
        return load(store, one.found)


def _images_of(everything: Sequence[CohortStack]) -> dict[Place, set[str]]:
    images: dict[Place, set[str]] = {}
    for one in everything:
        if place := place_of(one.subject, one.visit):
            images.setdefault(place, set()).update(part.image for part in one.stack.slices)
    return images


def _placed(
    everything: Sequence[CohortStack], held: Mapping[str, _Held], needs: Needs
) -> list[tuple[Place | None, Offered]]:
    """Each stack that is offered and its visit; a series that is held back as a whole is one."""
    found = [
        (place_of(one.subject, one.visit), _offered(one, needs, held))
        for one in everything
        if _is_offered(one, needs)
    ]
    there = {one.name.partition(PART)[0] for one in everything}
    return found + [
        (place, Offered(series, tuple((image, 0) for image in images), _held_words(len(images))))
        for series, (place, images) in held.items()
        if series not in there
    ]


def _is_offered(one: CohortStack, needs: Needs) -> bool:
    if any(problem.kind == LOCALISER for problem in one.stack.problems):
        return False
    return one.sequence.value in ("", *needs.sequences)


def _offered(one: CohortStack, needs: Needs, held: Mapping[str, _Held]) -> Offered:
    frames = tuple((part.image, part.frame) for part in one.stack.slices)
    of_series = held.get(one.name.partition(PART)[0])
    reasons = one.why_not(needs)
    why = _held_words(len(of_series[1])) if of_series else "; ".join(reasons)
    return Offered(one.name, frames, why, (one.sequence.value, one.region.value, one.part), one)


def _held_words(count: int) -> str:
    return held_words("a slice of the series" if count == 1 else f"{count} slices of the series")


_Held = tuple[Place | None, list[str]]


def _held(ask: Ask) -> dict[str, _Held]:
    """Series of MR -> visit and images of its slices that are held back."""
    rows = ask(
        f"SELECT coalesce(series_uid, image) AS series, subject, visit, image FROM {HELD_FILMS} "
        "WHERE modality = 'MR' ORDER BY series, image",
        {},
    )
    found: dict[str, _Held] = {}
    plain = rows.astype(object).where(rows.notna(), None)
    for series, subject, visit, image in plain.itertuples(index=False, name=None):
        found.setdefault(series, (place_of(subject, visit), []))[1].append(image)
    return found
