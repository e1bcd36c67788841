"""A phantom study as files: films and stacks, tables of subjects, visits and reads, truth with positions.

The folder holds what a trial would deliver (``films/``, ``stacks/``, ``subjects.csv``, ``visits.csv``,
``reads_R1.csv``, ``reads_R2.csv``, and the second reads of some patients in ``rereads_R1.csv``,
``rereads_R2.csv``) and what only a phantom has (``truth.csv``, ``corners.csv``, ``films.csv``,
``stacks.csv``). Images, reads and truth of each scoring system are those of its generator, which marks the
names of its tables. The same study gives the same bytes. An image that is there is not rendered again.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import combinations
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.errors import InputError
from core.helper_process import end_with_parent
from data.phantom import generators
from data.phantom.generators import Generator, Part
from data.phantom.images_out import image_tables, is_there, sweep, write_csv, write_image, write_text
from data.phantom.reader_spreads import ErrorOf
from data.phantom.schedule import Conduct, Patients, PlannedFilm, conduct
from data.phantom.seeds import StudyRole, StudySeed
from data.phantom.spine.course import Course, simulate

ABOUT = "study.json"
CAMPAIGNS = {1: "paired", 2: "reread"}  # a campaign of its own: nobody adds the two up by mistake
PHANTOM = "phantom data: simulated patients, rendered films, simulated readers; for research only"
Progress = Callable[[int, int], None]  # films and stacks done, and in all


def first_system() -> tuple[str, ...]:
    """The system that studies had when there was one, alone."""
    return generators.systems()[:1]


@dataclass(frozen=True)
class StudyPlan:
    """Which study: everything else follows from it. systems: the scores that its films are taken for.

    readers: system -> errors of the readers that it has in place of the shipped ones, as pairs.
    """

    patients: int
    visits: int
    seed: int
    domain: str = "first"
    role: StudyRole = StudyRole.DEMO
    systems: tuple[str, ...] = field(default_factory=first_system)
    readers: tuple[tuple[str, tuple[ErrorOf, ...]], ...] = ()

    @property
    def study(self) -> StudySeed:
        return StudySeed(self.role, self.seed)

    def about(self) -> dict[str, Any]:
        """What distinguishes this study; of the first system alone, as before there were others."""
        about = asdict(self) | {"what": PHANTOM}
        if self.systems == first_system():
            del about["systems"]
        if not self.readers:
            del about["readers"]
        return about

    def reader_names(self, system: str) -> list[str]:
        """Who reads the films of a system."""
        own = dict(self.readers).get(system)
        return [one.name for one in own] if own else list(generators.generators()[system].readers)

    def made_readers(self) -> dict[str, tuple[Any, ...]]:
        """System -> readers with the errors asked for."""
        makers = {system: generators.generators()[system].readers_like for system, _ in self.readers}
        return {system: make(errors) for system, errors in self.readers if (make := makers[system])}


@dataclass(frozen=True)
class Study:
    """A study as numbers: its patients, and the part of each scoring system."""

    plan: StudyPlan

    @cached_property
    def course(self) -> Course:
        return simulate(self.plan.study, self.plan.patients, self.plan.visits)

    @cached_property
    def conduct(self) -> Conduct:
        return conduct(self.plan.study, self.course)

    @cached_property
    def parts(self) -> dict[str, Part]:
        """The part of each of the plan's systems, by its name."""
        readers = self.plan.made_readers()
        patients = Patients(self.plan.study, self.course, self.conduct, self.plan.domain, readers)
        return {name: generators.generators()[name].part(patients) for name in self.plan.systems}

    @property
    def images(self) -> list[PlannedFilm]:
        """All films and stacks, by patient and visit."""
        images = [film for part in self.parts.values() for film in part.films]
        return sorted(images, key=lambda film: (film.number, film.order))

    @property
    def films(self) -> list[PlannedFilm]:
        """Those that are radiographs, an image each."""
        return [one for one in self._single_files() if generators.of_view(one.view).write_film is None]

    @property
    def scans(self) -> list[PlannedFilm]:
        """Those that are ultrasound: a picture or a cine each."""
        return [one for one in self._single_files() if generators.of_view(one.view).write_film is not None]

    def _single_files(self) -> list[PlannedFilm]:
        return [one for one in self.images if not generators.of_view(one.view).draws_stacks]

    @property
    def stacks(self) -> list[PlannedFilm]:
        """Those that are slices, of one sequence or several."""
        return [one for one in self.images if generators.of_view(one.view).draws_stacks]

    def states(self, film: PlannedFilm) -> Mapping[str, Any]:
        """True state of every site at the visit of a film or stack."""
        return self.parts[generators.of_view(film.view).system].states(film)


# -- tables ------------------------------------------------------------------------------------------------


def tables(study: Study) -> dict[str, pd.DataFrame]:
    """File name -> table, for everything that does not need a film rendered; none is empty."""
    made = {"subjects.csv": subjects_table(study), "visits.csv": visits_table(study)}
    for system, part in study.parts.items():
        generator = generators.generators()[system]
        for read, prefix in ((1, "reads"), (2, "rereads")):
            for reader in study.plan.reader_names(system):
                name = f"{prefix}{generator.tag}_{reader}.csv"
                made[name] = _campaign(part.reads(reader, read), study.course, generator, reader, read)
        made[f"truth{generator.tag}.csv"] = part.truth().assign(reader="truth", campaign="truth")
    return {name: table for name, table in made.items() if len(table)}


def subjects_table(study: Study) -> pd.DataFrame:
    """One row a subject, with covariates that do not change as columns."""
    known = study.course.covariates
    fixed = known[known["visit"].isna()]
    frame = study.course.subjects.assign(baseline_date=[day.isoformat() for day in study.conduct.start])
    for name, column in (("age", "age"), ("symptom duration", "symptom_duration_years")):
        frame[column] = fixed.loc[fixed["name"] == name, "number"].to_numpy()
    frame["age"] = frame["age"].astype(int)
    frame["HLA-B27"] = fixed.loc[fixed["name"] == "HLA-B27", "text"].to_numpy()
    return frame


def visits_table(study: Study) -> pd.DataFrame:
    """One row a subject and planned visit; day and CRP are empty where the patient did not come."""
    crp = study.course.covariates.query("name == 'CRP'")["number"].to_numpy()
    came = study.conduct.came.ravel()
    visits = study.conduct.visits.assign(
        window_before=28, window_after=28, crp_mg_l=np.where(came, crp, np.nan)
    )
    return visits


def _campaign(
    frame: pd.DataFrame, course: Course, generator: Generator, reader: str, read: int
) -> pd.DataFrame:
    """The reads of a session: of all patients, or of those who are read again."""
    if read > 1:
        every, first = generator.rereads
        again = list(course.subjects["subject"])[first - 1 :: every]
        frame = frame[frame["subject"].isin(again)]
    return frame.assign(reader=reader, campaign=CAMPAIGNS[read], read=1)


# -- files -------------------------------------------------------------------------------------------------


def write_study(
    plan: StudyPlan, folder: Path, *, processes: int = 2, progress: Progress = lambda done, total: None
) -> Study:
    """Write the study's files that are not there yet.

    Raises InputError where the folder holds something else.
    """
    claim(plan, folder)
    study = Study(plan)
    for name, table in tables(study).items():
        write_csv(table, folder / name)
    write_images(study, folder, processes=processes, progress=progress)
    drawn = [generators.generators()[system] for system in plan.systems]
    for name, table in image_tables(folder, study.images, drawn).items():
        write_csv(table, folder / name)
    return study


def claim(plan: StudyPlan, folder: Path) -> None:
    """Make the folder this study's. Raises InputError where it holds another one, or anything else."""
    about = folder / ABOUT
    wanted = _about_text(plan)
    if about.is_file():
        if about.read_text(encoding="utf-8") != wanted:
            raise InputError(
                f"the folder {folder}",
                "it holds another phantom study (its study.json says which)",
                "give another --out, or the options of that one: --patients, --visits, --seed, --domain ...",
            )
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"the folder {folder}", "an empty or new folder is needed", "give another --out")
    folder.mkdir(parents=True, exist_ok=True)
    write_text(about, wanted)


def known_plan(plan: StudyPlan, folder: Path) -> StudyPlan:
    """The plan, or the same of fewer systems where the folder holds that one already.

    So a study that was made before there were others goes on.
    """
    about = folder / ABOUT
    if not about.is_file():
        return plan
    held, count = about.read_text(encoding="utf-8"), len(plan.systems)
    fewer = [part for size in range(1, count) for part in combinations(plan.systems, size)]
    plans = [replace(plan, systems=systems) for systems in fewer]
    return next((one for one in plans if _about_text(one) == held), plan)


def _about_text(plan: StudyPlan) -> str:
    return json.dumps(plan.about(), indent=1, sort_keys=True) + "\n"


def write_images(
    study: Study, folder: Path, *, processes: int = 2, progress: Progress = lambda done, total: None
) -> None:
    """Render the films and stacks that are missing, a few at the same time."""
    sweep(folder)
    films = study.images
    missing = [film for film in films if not is_there(folder, film)]
    done = len(films) - len(missing)
    progress(done, len(films))
    for _ in _rendered(study, folder, missing, processes):
        done += 1
        progress(done, len(films))


def _rendered(study: Study, folder: Path, films: list[PlannedFilm], processes: int) -> Iterator[None]:
    if processes <= 1 or len(films) < 2:
        for film in films:
            write_image(study.plan.study, study.plan.domain, folder, film, study.states(film))
            yield
        return
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_start_worker)
    try:
        plan = study.plan
        jobs = [
            pool.submit(write_image, plan.study, plan.domain, folder, film, study.states(film))
            for film in films
        ]
        for job in as_completed(jobs):
            job.result()
            yield
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker() -> None:
    """A worker leaves Ctrl-C to its parent, ends with it, and uses one core."""
    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    cv2.setNumThreads(1)
