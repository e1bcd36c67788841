"""A scoring run of a model that reads a visit together: its stacks or scans, whole visits into the cohort.

As with films, what is written depends only on the images and the weights, so a run that was stopped anywhere
and started again ends in the same rows as one that was not (``data.scoring.together``).
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from core.domain import Abstained, Image
from core.errors import CohortError
from data.scoring.filing import Result, Run, begin, store_visits, waiting_visits
from data.scoring.together import Offered, Offers, VisitGroup, pending, store_groups
from data.store.cohort import CohortStore
from models.scoring.single import Progress, Report
from models.scoring.workers import prepare_worker
from models.system import Scorer, SystemModel

BATCH_IMAGES = 6  # stacks or scans of a transaction, in whole visits
FEW_VISITS = 2  # up to this many are scored without helper processes, which take seconds to start

Read = tuple[VisitGroup, dict[str, Result]]  # results by name of what is offered


def score_visits(
    store: CohortStore,
    model: SystemModel,
    run: Run,
    size: str,
    device: str,
    processes: int,
    tell: Callable[[Progress], None],
) -> Report:
    """Every visit whose images this run has not read as they are now. A cohort without any does not get to
    know the model.
    """
    offers = model.offers
    if offers is None:
        return Report()
    visits, late = pending(store, run, offers), waiting_visits(store, run)
    if not visits and not late:
        return Report()
    begin(store, run)
    store_visits(store, run, late, {})
    report = Report(images=sum(len(visit.offered) for visit in visits))
    with _scoring(store, model, size, device, processes, visits) as results:
        for batch in _batches(results):
            store_groups(store, run, offers, batch)
            for visit, by_name in batch:
                for one in visit.offered:
                    about = {"stack": one.name} if model.stacks is not None else {}
                    tell(report.take(one.home, by_name[one.name], model.system, **about))
    return report


def _batches(results: Iterator[Read]) -> Iterator[list[Read]]:
    """Whole visits, at least ``BATCH_IMAGES`` images each but for the last."""
    batch: list[Read] = []
    for one in results:
        batch.append(one)
        if sum(len(visit.offered) for visit, _ in batch) >= BATCH_IMAGES:
            yield batch
            batch = []
    if batch:
        yield batch


@contextmanager
def _scoring(
    store: CohortStore,
    model: SystemModel,
    size: str,
    device: str,
    processes: int,
    visits: Sequence[VisitGroup],
) -> Iterator[Iterator[Read]]:
    """Results of the visits in order, worked out here or in helper processes of one thread each."""
    to_read = [visit for visit in visits if _to_read(visit)]
    if processes <= 1 or len(to_read) <= FEW_VISITS:
        scorer = model.build(size=size, device=device) if to_read else None
        yield ((visit, score_visit(store, model.offers, scorer, visit)) for visit in visits)
        return
    context = multiprocessing.get_context("spawn")
    setup = (str(store.path), model, size, device)
    with context.Pool(processes, initializer=_start_worker, initargs=setup) as pool:
        yield zip(visits, pool.imap(_score_in_worker, visits, chunksize=1), strict=True)


def _to_read(visit: VisitGroup) -> list[Offered]:
    return [one for one in visit.offered if not one.why_not]


def score_visit(
    store: CohortStore, offers: Offers | None, scorer: Scorer | None, visit: VisitGroup
) -> dict[str, Result]:
    """The results of what is offered of a visit, by name.

    What stands against reading one, or breaks while it is read, is the reason to abstain on that one alone.
    """
    results: dict[str, Result] = {one.name: Abstained(one.why_not) for one in visit.offered if one.why_not}
    images: dict[str, Image] = {}
    thing = offers.thing if offers is not None else ""
    for one in _to_read(visit):
        try:
            images[one.name] = _loaded(store, offers, one)
        except CohortError as error:
            results[one.name] = Abstained(f"the {thing} cannot be read: {error}")
    if images and scorer is not None:
        results |= dict(zip(images, _scored(scorer, list(images.values()), thing), strict=True))
    return {one.name: results[one.name] for one in visit.offered}


def _loaded(store: CohortStore, offers: Offers | None, one: Offered) -> Image:
    assert offers is not None and one.found is not None  # nothing stands against it, so it is there
    return offers.load(store, one)


def _scored(scorer: Scorer, images: Sequence[Image], thing: str) -> list[Result]:
    """One result per image; where all together fail, each alone, so that a bad one costs itself only."""
    try:
        return list(scorer.score(images))
    except CohortError as error:
        if len(images) == 1:
            return [Abstained(f"the {thing} cannot be read: {error}")]
    return [result for image in images for result in _scored(scorer, [image], thing)]


_worker: dict[str, Any] = {}


def _start_worker(path: str, model: SystemModel, size: str, device: str) -> None:
    prepare_worker()
    _worker["store"] = CohortStore(path)
    _worker["offers"] = model.offers
    _worker["scorer"] = model.build(size=size, device=device, threads=1)


def _score_in_worker(visit: VisitGroup) -> dict[str, Result]:
    return score_visit(_worker["store"], _worker["offers"], _worker["scorer"], visit)
