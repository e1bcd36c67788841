"""A scoring run: every film that the model has not seen yet, findings and site scores into the cohort.

What is written depends only on the films and the weights: the run's name comes from the weights, a finding's
name from run, film and site, and films are committed visit by visit. A run that was stopped anywhere and
started again therefore ends in the same rows as one that was not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import pandas as pd

from core.domain import HELD_BACK, Abstained, Image
from data.scoring.filing import Result, Run, pending_films, store_visits
from data.store.cohort import CohortStore
from models.registry import foreign_body_parts
from models.scoring.workers import Load, score_here, score_in_processes
from models.system import SystemModel

BATCH_FILMS = 8  # films a transaction, in whole visits
FEW_FILMS = 6  # up to this many are scored without helper processes, which take seconds to start


@dataclass(frozen=True)
class Progress:
    """How far a run is. image: the film just done, by the model of ``system``."""

    done: int
    total: int
    abstained: int
    image: str = ""
    system: str = ""


@dataclass
class Report:
    """What a run did. abstained: image and reason. read_paired: patients with a new paired reading."""

    images: int = 0
    scored: int = 0
    abstained: list[dict[str, str]] = field(default_factory=list)
    read_paired: int = 0

    def take(self, image: str, result: Result, system: str, **about: str) -> Progress:
        """Count a result; how far the run is then. about: what else tells an image that was abstained on."""
        if isinstance(result, Abstained):
            self.abstained.append({"image": image, "reason": result.reason, **about})
        else:
            self.scored += 1
        abstained = len(self.abstained)
        return Progress(self.scored + abstained, self.images, abstained, image, system)


def score_films(
    store: CohortStore,
    model: SystemModel,
    run: Run,
    size: str,
    device: str,
    processes: int,
    tell: Callable[[Progress], None],
    loader: Load,
) -> Report:
    """Every film that this run has not seen, one by one."""
    films = pending_films(store, run, foreign_body_parts(model))
    report = Report(images=len(films))
    if not len(films):
        return report
    free = films[films["held"].isna()]
    few = processes <= 1 or len(free) <= FEW_FILMS
    results: Iterator[tuple[str, Result]] = iter(())
    if len(free) and few:
        results = score_here(store, model.build(size=size, device=device), loader, free)
    elif len(free):
        results = score_in_processes(store, model, size, device, loader, free, processes)
    for visit in _by_visit(films, _with_held(films, results)):
        store_visits(store, run, *visit)
        for image, result in visit[1].items():
            tell(report.take(image, result, model.system))
    return report


def stored_film(store: CohortStore, image: str) -> Image:
    """A film of the cohort as a scorer sees it."""
    from data.dicom.images import load_image

    return load_image(store, image)


def _with_held(films: pd.DataFrame, results: Iterator[tuple[str, Result]]) -> Iterator[tuple[str, Result]]:
    """Results of all films in order; those that are held back are abstained on, and nobody looks at them."""
    for image, held in zip(films["image"], films["held"], strict=True):
        yield next(results) if pd.isna(held) else (image, Abstained(f"{HELD_BACK}: {held}"))


def _by_visit(
    films: pd.DataFrame, results: Iterable[tuple[str, Result]]
) -> Iterator[tuple[list[tuple[str, str]], dict[str, Result]]]:
    """Results in groups of whole visits, at least ``BATCH_FILMS`` films each but for the last."""
    visits: list[tuple[str, str]] = []
    group: dict[str, Result] = {}
    rows = list(zip(films["image"], films["subject"], films["visit"], strict=True))
    for place, (image, result) in enumerate(results):
        _, subject, visit = rows[place]
        known = not (pd.isna(subject) or pd.isna(visit))
        group[image] = result
        if known and (subject, visit) not in visits:
            visits.append((subject, visit))
        following = rows[place + 1][1:] if place + 1 < len(rows) else None
        if following is None or (len(group) >= BATCH_FILMS and not (known and following == (subject, visit))):
            yield visits, group
            visits, group = [], {}
