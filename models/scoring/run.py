"""Score a cohort: every system with a model, single films first, then paired."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import ModelError
from core.learned_from import KEY, only_phantoms
from data.scoring.filing import Run, begin, pending_films, store_visits, waiting_visits
from data.scoring.together import pending
from data.store.cohort import CohortStore
from models import cards
from models.registry import foreign_body_parts, model_of, models
from models.scoring.single import Progress, Report, score_films, stored_film
from models.scoring.together import score_visits
from models.scoring.workers import Load
from models.system import SystemModel
from models.training.sources import learned_from


@dataclass
class Reports:
    """What the runs of several systems did. left_out: system -> why its model did not run."""

    by_system: dict[str, Report] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def images(self) -> int:
        """Images that any model looked at."""
        return sum(report.images for report in self.by_system.values())

    @property
    def scored(self) -> int:
        """Images with a score."""
        return sum(report.scored for report in self.by_system.values())

    @property
    def abstained(self) -> list[dict[str, str]]:
        """Image, reason and system; of a stack also its name."""
        return [
            row | {"system": system} for system, report in self.by_system.items() for row in report.abstained
        ]

    @property
    def read_paired(self) -> int:
        """Patients with a new paired reading."""
        return sum(report.read_paired for report in self.by_system.values())


def score_systems(
    store: CohortStore,
    systems: Sequence[str] = (),
    *,
    size: str = "demo",
    device: str = "cpu",
    processes: int = 2,
    tell: Callable[[Progress], None] = lambda progress: None,
    load: Load | None = None,
) -> Reports:
    """Score what is not scored yet, system after system, every one that has a model where none is named.

    Progress counts the images of all systems, an image that two models look at twice; a stack is one. A
    system whose weights are absent is left out with the reason; raises ModelError where that leaves none,
    StoreError without a cohort.
    """
    asked = [model_of(system) for system in systems or models()]
    store.meta()  # says so where there is no cohort
    store = CohortStore.open(store.path)
    reports, waiting = Reports(), {}
    errors: list[ModelError] = []
    for model in asked:
        try:
            run = identify(model, size)
        except ModelError as error:
            reports.left_out[model.system] = str(error)
            errors.append(error)
            continue
        waiting[model.system] = _waiting(store, model, run)
    if not waiting:
        raise errors[0]
    total = sum(waiting.values())
    for system in waiting:
        before = Progress(reports.images, total, len(reports.abstained))

        def shifted(step: Progress, before: Progress = before) -> None:
            done, abstained = before.done + step.done, before.abstained + step.abstained
            tell(Progress(done, max(total, done), abstained, step.image, step.system))

        reports.by_system[system] = score_cohort(
            store, system, size=size, device=device, processes=processes, tell=shifted, load=load
        )
    return reports


def _waiting(store: CohortStore, model: SystemModel, run: Run) -> int:
    """How many films, stacks or scans a run has still to look at."""
    if model.offers is None:
        return len(pending_films(store, run, foreign_body_parts(model)))
    return sum(len(visit.offered) for visit in pending(store, run, model.offers))


def score_cohort(
    store: CohortStore,
    system: str,
    *,
    size: str = "demo",
    device: str = "cpu",
    processes: int = 2,
    tell: Callable[[Progress], None] = lambda progress: None,
    load: Load | None = None,
    model: SystemModel | None = None,
) -> Report:
    """Score what is not scored yet. Raises ModelError where weights are absent, StoreError without a cohort.

    load: how a film is read, ``data.dicom.images.load_image`` unless given (what is read by visits
    is loaded by ``SystemModel.offers``). Interrupted, it leaves whole visits only.
    """
    model = model or model_of(system)
    store.meta()  # says so where there is no cohort, before networks are loaded
    store = CohortStore.open(store.path)  # tables of an older cohort are brought up to date
    run = identify(model, size)
    if model.offers is not None:
        return score_visits(store, model, run, size, device, processes, tell)
    begin(store, run)
    store_visits(store, run, waiting_visits(store, run), {})
    report = score_films(store, model, run, size, device, processes, tell, load or stored_film)
    if model.paired is not None:
        from models.scoring.paired import read_cohort_paired

        report.read_paired = read_cohort_paired(store, model.paired, run, size)
    return report


def _learned(model: SystemModel, size: str) -> dict[str, Any]:
    """What weights learned from, where it is more than phantoms: it stands with the run, whatever becomes of
    their card.
    """
    if model.identity is not None:
        return {}
    steps = learned_from(cards.read_card(model.system, size))
    return {} if only_phantoms(steps) else {KEY: steps}


def identify(model: SystemModel, size: str) -> Run:
    """The run of these weights."""
    reader, weights_hash = model.identify(size)
    about = {"size": size, "read_mode": model.read_mode} | _learned(model, size)
    settings = json.dumps(about, sort_keys=True)
    parts = (model.system, reader, model.campaign, weights_hash, settings)
    name = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]
    return Run(
        name, model.system, reader, model.campaign, model.read_mode, weights_hash, settings, model.reads
    )
