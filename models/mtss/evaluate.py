"""The whole model on labelled films: joints and special findings as S004 reports them, then the scores.

Films are read once, in a few processes; a film of hands that the model abstains on counts as a film on which
no joint was found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd

from core.domain import Abstained, Scored
from models import cards
from models.mtss.detectors.evaluate import count_names, count_reading, figures, nothing_seen
from models.mtss.detectors.labels import read_folder
from models.mtss.detectors.read import HandReading
from models.mtss.evaluate_grades import evaluate, folder_set
from models.mtss.labels import GradedFilm
from models.mtss.scorer import MtssScorer, build, judge
from models.mtss.system import PAIRED_READING

Tell = Callable[[str], None]
TOLD_EVERY = 20  # films


@dataclass(frozen=True)
class FilmResult:
    """What the model makes of one film, and what its joint detectors saw of it, None where it shows feet."""

    result: Scored | Abstained
    hands: HandReading | None


def evaluate_folder(
    folder: Path,
    *,
    people: bool = False,
    size: str = "demo",
    weights_folder: Path = cards.FOLDER,
    processes: int = 2,
    tell: Tell = print,
) -> dict[str, Any]:
    """The figures of the model on a labelled folder. people: of phantom test patients, whom readers read."""
    films = folder_set(folder, people=people)
    tell(f"{len(films.films)} films")
    seen: dict[str, FilmResult] = {}
    for film, result in read_all(films.films, size, weights_folder, processes):
        seen[film.name] = result
        if len(seen) % TOLD_EVERY == 0:
            tell(f"{len(seen)} of {len(films.films)} films read")
    scores = evaluate(films, lambda film: seen[film.name].result, PAIRED_READING.build(size))
    return {"detection": joints_found(folder, seen)} | scores


def read_all(
    films: Sequence[GradedFilm], size: str, folder: Path, processes: int
) -> Iterator[tuple[GradedFilm, FilmResult]]:
    """Every film with what the model makes of it, in order."""
    if processes <= 1:
        scorer = build(size=size, threads=1, folder=folder)
        yield from ((film, look(scorer, film)) for film in films)
        return
    with ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=_start, initargs=(size, folder)
    ) as pool:
        yield from zip(films, pool.map(_look, films, chunksize=2), strict=True)


def look(scorer: MtssScorer, film: GradedFilm) -> FilmResult:
    """One film read and judged."""
    reading = scorer.read(film.as_film())
    if isinstance(reading, Abstained):
        return FilmResult(reading, None)
    return FilmResult(judge(reading), reading.hands)


_worker: dict[str, MtssScorer] = {}


def _start(size: str, folder: Path) -> None:
    _worker["scorer"] = build(size=size, threads=1, folder=folder)


def _look(film: GradedFilm) -> FilmResult:
    return look(_worker["scorer"], film)


def joints_found(folder: Path, seen: dict[str, FilmResult]) -> dict[str, Any]:
    """Detection and special findings over the films of hands, pooled."""
    counts: list[dict[str, Any]] = []
    names: list[dict[str, Any]] = []
    for film in read_folder(folder):
        if not film.units:
            continue
        result = seen[film.name]
        why = result.result if isinstance(result.result, Abstained) else Abstained("read as feet")
        reading = result.hands if result.hands is not None else nothing_seen(why)
        counts += count_reading(film, reading)
        names.append(count_names(film, reading))
    found = figures(pd.DataFrame(counts), pd.DataFrame(names), planned_folds=1)
    return found | {"folds": "patients that were not trained on"}
