"""A phantom study as files: DICOM films, tables of subjects, visits and reads, truth with positions.

The folder holds what a trial would deliver (``films/``, ``subjects.csv``, ``visits.csv``, ``reads_R1.csv``,
``reads_R2.csv``, and the second reads of some patients in ``rereads_R1.csv``, ``rereads_R2.csv``) and what
only a phantom has (``truth.csv``, ``corners.csv``, ``films.csv``). Films, reads and truth of each scoring
system are those of its generator, which marks the names of its tables. The same study gives the same bytes. A
film that is there already is not rendered again.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.errors import InputError
from core.helper_process import end_with_parent
from data.phantom import generators
from data.phantom.generators import Part
from data.phantom.schedule import Conduct, Patients, PlannedFilm, conduct
from data.phantom.seeds import StudyRole, StudySeed
from data.phantom.spine.course import Course, simulate

ABOUT, FILMS, LABELS = "study.json", "films", "labels"
CAMPAIGNS = {1: "paired", 2: "reread"}  # a campaign of its own: nobody adds the two up by mistake
PROTOCOL = "SL-DEMO"
REREAD_EVERY, REREAD_AT = 6, 2  # patients 2, 8, 14 ... are read twice by both readers
PHANTOM = "phantom data: simulated patients, rendered films, simulated readers; for research only"
Progress = Callable[[int, int], None]  # films done, films in all


def first_system() -> tuple[str, ...]:
    """The system that studies had when there was one, alone."""
    return generators.systems()[:1]


@dataclass(frozen=True)
class StudyPlan:
    """Which study: everything else follows from it. systems: the scores that its films are taken for."""

    patients: int
    visits: int
    seed: int
    domain: str = "first"
    role: StudyRole = StudyRole.DEMO
    systems: tuple[str, ...] = field(default_factory=first_system)

    @property
    def study(self) -> StudySeed:
        return StudySeed(self.role, self.seed)

    def about(self) -> dict[str, Any]:
        """What distinguishes this study; of the first system alone, as before there were others."""
        about = asdict(self) | {"what": PHANTOM}
        if self.systems == first_system():
            del about["systems"]
        return about


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
        patients = Patients(self.plan.study, self.course, self.conduct, self.plan.domain)
        return {name: generators.generators()[name].part(patients) for name in self.plan.systems}

    @property
    def films(self) -> list[PlannedFilm]:
        """All films, by patient and visit."""
        films = [film for part in self.parts.values() for film in part.films]
        return sorted(films, key=lambda film: (film.number, film.order))

    def states(self, film: PlannedFilm) -> Mapping[str, Any]:
        """True state of every site at the visit of a film."""
        return self.parts[generators.of_view(film.view).system].states(film)


# -- tables ------------------------------------------------------------------------------------------------


def tables(study: Study) -> dict[str, pd.DataFrame]:
    """File name -> table, for everything that does not need a film rendered; none is empty."""
    made = {"subjects.csv": subjects_table(study), "visits.csv": visits_table(study)}
    for system, part in study.parts.items():
        generator = generators.generators()[system]
        for read, prefix in ((1, "reads"), (2, "rereads")):
            for reader in generator.readers:
                name = f"{prefix}{generator.tag}_{reader}.csv"
                made[name] = _campaign(part.reads(reader, read), study.course, reader, read)
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


def _campaign(frame: pd.DataFrame, course: Course, reader: str, read: int) -> pd.DataFrame:
    """The reads of a session: of all patients, or of those who are read again."""
    if read > 1:
        again = list(course.subjects["subject"])[REREAD_AT - 1 :: REREAD_EVERY]
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
    write_films(study, folder, processes=processes, progress=progress)
    labels = [json.loads(_label_path(folder, film).read_text()) for film in study.films]
    about = list(labels[0]["film"]) if labels else []
    write_csv(pd.DataFrame([label["film"] for label in labels]), folder / "films.csv")
    for system in plan.systems:
        generator = generators.generators()[system]
        rows = [label["film"] | row for label in labels for row in label.get(generator.labels, [])]
        table = pd.DataFrame(rows, columns=[*about, *generator.label_columns])
        write_csv(table, folder / f"{generator.labels}.csv")
    return study


def film_path(folder: Path, film: PlannedFilm) -> Path:
    return folder / FILMS / film.subject / f"{film.name}.dcm"


def _label_path(folder: Path, film: PlannedFilm) -> Path:
    return folder / LABELS / film.subject / f"{film.name}.json"


def claim(plan: StudyPlan, folder: Path) -> None:
    """Make the folder this study's. Raises InputError where it holds another one, or anything else."""
    about = folder / ABOUT
    wanted = _about_text(plan)
    if about.is_file():
        if about.read_text(encoding="utf-8") != wanted:
            raise InputError(
                f"the folder {folder}",
                "it holds another phantom study (its study.json says which)",
                "give another --out, or the same --patients, --visits, --seed, --domain and --systems",
            )
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"the folder {folder}", "an empty or new folder is needed", "give another --out")
    folder.mkdir(parents=True, exist_ok=True)
    _write(about, wanted)


def known_plan(plan: StudyPlan, folder: Path) -> StudyPlan:
    """The plan, or the same of the first system alone where the folder holds that one already."""
    first, about = replace(plan, systems=first_system()), folder / ABOUT
    return first if about.is_file() and about.read_text(encoding="utf-8") == _about_text(first) else plan


def _about_text(plan: StudyPlan) -> str:
    return json.dumps(plan.about(), indent=1, sort_keys=True) + "\n"


def write_films(
    study: Study, folder: Path, *, processes: int = 2, progress: Progress = lambda done, total: None
) -> None:
    """Render the films that are missing, a few at the same time; a film appears when it is whole."""
    _sweep(folder)
    films = study.films
    missing = [film for film in films if not _is_there(folder, film)]
    done = len(films) - len(missing)
    progress(done, len(films))
    for _ in _rendered(study, folder, missing, processes):
        done += 1
        progress(done, len(films))


def _sweep(folder: Path) -> None:
    """Remove what a process that was killed left half written."""
    for part in folder.rglob("*.part*"):
        part.unlink(missing_ok=True)


def _is_there(folder: Path, film: PlannedFilm) -> bool:
    return film_path(folder, film).is_file() and _label_path(folder, film).is_file()


def _rendered(study: Study, folder: Path, films: list[PlannedFilm], processes: int) -> Iterator[None]:
    if processes <= 1 or len(films) < 2:
        for film in films:
            write_film(study.plan, folder, film, study.states(film))
            yield
        return
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_start_worker)
    try:
        jobs = [pool.submit(write_film, study.plan, folder, film, study.states(film)) for film in films]
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


def write_film(plan: StudyPlan, folder: Path, film: PlannedFilm, states: Mapping[str, Any]) -> None:
    """Render one film; its labels are written first, so that a film that is there has them."""
    from pydicom import dcmread

    from data.phantom.dicom_out import write_dicom

    generator = generators.of_view(film.view)
    rendered, rows = generator.render(plan.study, plan.domain, film, states)
    path, labels = film_path(folder, film), _label_path(folder, film)
    part = path.with_suffix(f".part{os.getpid()}")
    write_dicom(
        rendered,
        part,
        subject=film.subject,
        visit=film.visit,
        study_date=film.date,
        uid_seed=plan.study.film_seed(),
        protocol=PROTOCOL,
    )
    about = {
        "file": path.relative_to(folder).as_posix(),
        "sop_uid": str(dcmread(part, stop_before_pixels=True).SOPInstanceUID),
        "subject": film.subject,
        "visit": film.visit,
        "view": film.view,
        "kind": rendered.kind,
        "to_refuse": rendered.kind in generator.wrong_kinds,
    }
    _write(labels, json.dumps({"film": about, generator.labels: rows}, default=_plain) + "\n")
    os.replace(part, path)


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """The table as CSV, the same bytes everywhere; a file that is there and equal is left alone."""
    _write(path, table.to_csv(index=False, lineterminator="\n"))


def _write(path: Path, text: str) -> None:
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part{os.getpid()}")
    part.write_text(text, encoding="utf-8", newline="\n")
    os.replace(part, path)


def _plain(value: object) -> object:
    """Numbers of numpy as JSON numbers."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} in a film's labels")
