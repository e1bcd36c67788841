"""A scoring run of a model that reads stacks: those of a visit together, whole visits into the cohort.

As with films, what is written depends only on the stacks and the weights, so a run that was stopped anywhere
and started again ends in the same rows as one that was not (``data.scoring.stacks``).
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from core.domain import Abstained, Image
from core.errors import CohortError
from data.queries.stacks import load
from data.scoring.filing import Result, Run, begin, store_visits, waiting_visits
from data.scoring.stacks import Offered, VisitStacks, pending_stacks, store_stacks
from data.store.cohort import CohortStore
from models.scoring.single import Progress, Report
from models.scoring.workers import prepare_worker
from models.system import Scorer, SystemModel

BATCH_STACKS = 6  # a transaction, in whole visits
FEW_VISITS = 2  # up to this many are scored without helper processes, which take seconds to start

Read = tuple[VisitStacks, dict[str, Result]]  # results by name of the stack


def score_stacks(
    store: CohortStore,
    model: SystemModel,
    run: Run,
    size: str,
    device: str,
    processes: int,
    tell: Callable[[Progress], None],
) -> Report:
    """Every visit whose stacks this run has not read as they are now. A cohort without any does not get to
    know the model.
    """
    if model.stacks is None:
        return Report()
    visits, late = pending_stacks(store, run, model.stacks), waiting_visits(store, run)
    if not visits and not late:
        return Report()
    begin(store, run)
    store_visits(store, run, late, {})
    report = Report(images=sum(len(visit.stacks) for visit in visits))
    with _scoring(store, model, size, device, processes, visits) as results:
        for batch in _batches(results):
            store_stacks(store, run, batch)
            for visit, by_name in batch:
                for stack in visit.stacks:
                    result = by_name[stack.name]
                    tell(report.take(stack.home, result, model.system, stack=stack.name))
    return report


def _batches(results: Iterator[Read]) -> Iterator[list[Read]]:
    """Whole visits, at least ``BATCH_STACKS`` stacks each but for the last."""
    batch: list[Read] = []
    for one in results:
        batch.append(one)
        if sum(len(visit.stacks) for visit, _ in batch) >= BATCH_STACKS:
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
    visits: Sequence[VisitStacks],
) -> Iterator[Iterator[Read]]:
    """Results of the visits in order, worked out here or in helper processes of one thread each."""
    to_read = [visit for visit in visits if _to_read(visit)]
    if processes <= 1 or len(to_read) <= FEW_VISITS:
        scorer = model.build(size=size, device=device) if to_read else None
        yield ((visit, score_visit(store, scorer, visit)) for visit in visits)
        return
    context = multiprocessing.get_context("spawn")
    setup = (str(store.path), model, size, device)
    with context.Pool(processes, initializer=_start_worker, initargs=setup) as pool:
        yield zip(visits, pool.imap(_score_in_worker, visits, chunksize=1), strict=True)


def _to_read(visit: VisitStacks) -> list[Offered]:
    return [one for one in visit.stacks if not one.why_not]


def score_visit(store: CohortStore, scorer: Scorer | None, visit: VisitStacks) -> dict[str, Result]:
    """The results of a visit's stacks by name.

    What stands against reading one, or breaks while it is read, is the reason to abstain on that one alone.
    """
    results: dict[str, Result] = {one.name: Abstained(one.why_not) for one in visit.stacks if one.why_not}
    images: dict[str, Image] = {}
    for one in _to_read(visit):
        try:
            images[one.name] = _loaded(store, one)
        except CohortError as error:
            results[one.name] = Abstained(f"the stack cannot be read: {error}")
    if images and scorer is not None:
        results |= dict(zip(images, _scored(scorer, list(images.values())), strict=True))
    return {one.name: results[one.name] for one in visit.stacks}


def _loaded(store: CohortStore, one: Offered) -> Image:
    assert one.found is not None  # nothing stands against it, so it is there
    return load(store, one.found)


def _scored(scorer: Scorer, images: Sequence[Image]) -> list[Result]:
    """One result per stack; where all together fail, each alone, so that a bad one costs itself only."""
    try:
        return list(scorer.score(images))
    except CohortError as error:
        if len(images) == 1:
            return [Abstained(f"the stack cannot be read: {error}")]
    return [result for image in images for result in _scored(scorer, [image])]


_worker: dict[str, Any] = {}


def _start_worker(path: str, model: SystemModel, size: str, device: str) -> None:
    prepare_worker()
    _worker["store"] = CohortStore(path)
    _worker["scorer"] = model.build(size=size, device=device, threads=1)


def _score_in_worker(visit: VisitStacks) -> dict[str, Result]:
    return score_visit(_worker["store"], _worker["scorer"], visit)
