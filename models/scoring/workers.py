"""Read and score films, here or in lean processes of one thread each."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from core.domain import Abstained, Image
from core.errors import CohortError
from core.helper_process import end_with_parent
from data.scoring.filing import Result
from data.store.cohort import CohortStore
from models.common.single_film import not_a_film
from models.system import Scorer, SystemModel

Load = Callable[[CohortStore, str], Image]


def score_image(store: CohortStore, scorer: Scorer, load: Load, image: str) -> Result:
    """The result of one film; what cannot be read, or is no single film, is abstained on with the reason."""
    try:
        film = load(store, image)
        reason = not_a_film(film)
        return Abstained(reason) if reason else scorer.score([film])[0]
    except CohortError as error:
        return Abstained(f"the film cannot be read: {error}")


def score_here(
    store: CohortStore, scorer: Scorer, load: Load, films: pd.DataFrame
) -> Iterator[tuple[str, Result]]:
    """Results in order, in this process."""
    for image in films["image"]:
        yield image, score_image(store, scorer, load, image)


_worker: dict[str, Any] = {}


def score_in_processes(
    store: CohortStore,
    model: SystemModel,
    size: str,
    device: str,
    load: Load,
    films: pd.DataFrame,
    processes: int,
) -> Iterator[tuple[str, Result]]:
    """Results in order, from lean processes that each read and score whole films with one thread.

    One film's decoding overlaps with another one's network, and no thread waits for another.
    """
    context = multiprocessing.get_context("spawn")
    setup = (str(store.path), model, size, device, load)
    with context.Pool(processes, initializer=_start_worker, initargs=setup) as pool:
        yield from pool.imap(_score_in_worker, list(films["image"]), chunksize=1)


def prepare_worker() -> None:
    """The parent alone answers Ctrl-C; it ends its helpers, and they end with it where it is killed."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (errors go to the parent; a killed one asks for none)


def _start_worker(path: str, model: SystemModel, size: str, device: str, load: Load) -> None:
    prepare_worker()
    _worker["store"], _worker["load"] = CohortStore(path), load
    _worker["scorer"] = model.build(size=size, device=device, threads=1)


def _score_in_worker(image: str) -> tuple[str, Result]:
    return image, score_image(_worker["store"], _worker["scorer"], _worker["load"], image)
