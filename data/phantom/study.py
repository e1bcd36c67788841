"""A phantom study as files: DICOM films, tables of subjects, visits and reads, truth with positions.

The folder holds what a trial would deliver (``films/``, ``subjects.csv``, ``visits.csv``, ``reads_R1.csv``,
``reads_R2.csv``, and the second reads of some patients in ``rereads_R1.csv``, ``rereads_R2.csv``) and what
only a phantom has (``truth.csv``, ``corners.csv``, ``films.csv``). A study that is scored by mTSS has films
of both hands and both feet at the same visits, ``reads_mtss_R1.csv`` and so on, ``truth_mtss.csv`` and
``joints.csv``. The same study gives the same bytes. A film that is there already is not rendered again.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.errors import InputError
from data.phantom.hands.conditions import VIEWS as LIMB_VIEWS
from data.phantom.hands.conditions import WRONG_KINDS as WRONG_LIMB_KINDS
from data.phantom.hands.course import HandsCourse, simulate_hands
from data.phantom.hands.labels import SITE_COLUMNS, site_rows
from data.phantom.hands.readers import HANDS_READERS, HandsReader, read_joints, true_reads
from data.phantom.hands.readers import reads_frame as hands_frame
from data.phantom.hands.schedule import conduct_hands, hands_visibility
from data.phantom.hands.state import JointState
from data.phantom.schedule import POOR, Conduct, PlannedFilm, conduct, visibility
from data.phantom.seeds import StudyRole, StudySeed
from data.phantom.spine.conditions import WRONG_KINDS
from data.phantom.spine.course import Course, simulate, visit_codes
from data.phantom.spine.population import SITES
from data.phantom.spine.readers import READERS, Reader, read_films, reads_frame

if TYPE_CHECKING:
    from data.phantom.hands.render import LimbFilm
    from data.phantom.spine.render import RenderedFilm

ABOUT, FILMS, LABELS = "study.json", "films", "labels"
SYSTEMS = ("msasss", "mtss")
SPINE_ONLY = SYSTEMS[:1]
CORNER_COLUMNS = ("site", "x", "y", "grade", "extent", "visibility", "visible", "x0", "y0", "x1", "y1")
DIGITS = 4  # of positions (pixels), extent and visibility
CAMPAIGNS = {1: "paired", 2: "reread"}  # a campaign of its own: nobody adds the two up by mistake
PROTOCOL = "SL-DEMO"
REREAD_EVERY, REREAD_AT = 6, 2  # patients 2, 8, 14 ... are read twice by both readers
PHANTOM = "phantom data: simulated patients, rendered films, simulated readers; for research only"
States = dict[str, tuple[int, float]] | dict[str, JointState]
Progress = Callable[[int, int], None]  # films done, films in all


@dataclass(frozen=True)
class StudyPlan:
    """Which study: everything else follows from it. systems: the scores that its films are taken for."""

    patients: int
    visits: int
    seed: int
    domain: str = "first"
    role: StudyRole = StudyRole.DEMO
    systems: tuple[str, ...] = SPINE_ONLY

    @property
    def study(self) -> StudySeed:
        return StudySeed(self.role, self.seed)

    def about(self) -> dict[str, Any]:
        """What tells this study from others; of the spine alone, as before there were others."""
        about = asdict(self) | {"what": PHANTOM}
        if self.systems == SPINE_ONLY:
            del about["systems"]
        return about


@dataclass(frozen=True)
class Study:
    """A study as numbers: course, conduct and what can be seen on its films."""

    plan: StudyPlan

    @cached_property
    def course(self) -> Course:
        return simulate(self.plan.study, self.plan.patients, self.plan.visits)

    @cached_property
    def conduct(self) -> Conduct:
        return conduct(self.plan.study, self.course)

    @cached_property
    def seen(self) -> np.ndarray:
        """Visibility of every corner, shape (patients, visits, 24), NaN where there is no film."""
        films, shape = self.conduct.films, self.course.severity.shape
        return visibility(self.plan.study, films, shape, domain=self.plan.domain)

    @cached_property
    def hands(self) -> HandsCourse:
        """The course of hands and feet of the same patients."""
        return simulate_hands(self.plan.study, self.plan.patients, self.plan.visits)

    @cached_property
    def limb_films(self) -> list[PlannedFilm]:
        return conduct_hands(self.plan.study, self.hands, self.conduct)

    @cached_property
    def joints_seen(self) -> np.ndarray:
        """Visibility of every joint, shape (patients, visits, 56 units), NaN where there is no film."""
        return hands_visibility(self.plan.study, self.hands, self.limb_films, domain=self.plan.domain)

    @property
    def films(self) -> list[PlannedFilm]:
        """All films, by patient and visit."""
        spine = self.conduct.films if "msasss" in self.plan.systems else []
        limbs = self.limb_films if "mtss" in self.plan.systems else []
        return sorted([*spine, *limbs], key=lambda film: (film.number, film.order))

    def states(self, film: PlannedFilm) -> States:
        """True state of every site at the visit of a film."""
        if film.view in LIMB_VIEWS:
            return self.hands.states(film.number, film.order)
        severity = self.course.severity[film.number, film.order]
        return {
            site: (int(min(value, 3)), float(value - min(int(value), 3)))
            for site, value in zip(SITES, severity, strict=True)
        }


# -- tables ------------------------------------------------------------------------------------------------


def tables(study: Study) -> dict[str, pd.DataFrame]:
    """File name -> table, for everything that does not need a film rendered; none is empty."""
    made = {"subjects.csv": subjects_table(study), "visits.csv": visits_table(study)}
    if "msasss" in study.plan.systems:
        for reader in READERS:
            made[f"reads_{reader.name}.csv"] = reads_table(study, reader)
        for reader in READERS:
            made[f"rereads_{reader.name}.csv"] = reads_table(study, reader, read=2)
        made["truth.csv"] = truth_table(study)
    if "mtss" in study.plan.systems:
        for one in HANDS_READERS:
            made[f"reads_mtss_{one.name}.csv"] = joint_reads_table(study, one)
        for one in HANDS_READERS:
            made[f"rereads_mtss_{one.name}.csv"] = joint_reads_table(study, one, read=2)
        made["truth_mtss.csv"] = joint_truth_table(study)
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


def reads_table(study: Study, reader: Reader, *, read: int = 1) -> pd.DataFrame:
    """Paired reads of one reader. read: 1 for all patients, 2 for the second reads of some."""
    course, plan = study.course, study.plan
    subjects, visits = list(course.subjects["subject"]), visit_codes(plan.visits)
    grades = read_films(course.severity, study.seen, plan.study, reader, read=read)
    frame = reads_frame(subjects, visits, grades, study.seen)
    return _campaign(frame, subjects, reader.name, read)


def _campaign(frame: pd.DataFrame, subjects: Sequence[str], reader: str, read: int) -> pd.DataFrame:
    """The reads of a session: of all patients, or of those who are read again."""
    if read > 1:
        frame = frame[frame["subject"].isin(subjects[REREAD_AT - 1 :: REREAD_EVERY])]
    return frame.assign(reader=reader, campaign=CAMPAIGNS[read], read=1)


def truth_table(study: Study) -> pd.DataFrame:
    """True grades at every visit that took place, films or not."""
    truth = study.course.truth[np.repeat(study.conduct.came.ravel(), len(SITES))]
    return truth[["subject", "visit", "site", "grade"]].assign(reader="truth", campaign="truth")


def joint_reads_table(study: Study, reader: HandsReader, *, read: int = 1) -> pd.DataFrame:
    """Paired reads of hands and feet by one reader, findings at joints as rows of their own."""
    seen = study.joints_seen
    reads = read_joints(study.hands, study.plan.study, reader, seen, read=read)
    frame = hands_frame(study.hands, reads, np.isfinite(seen))
    return _campaign(frame, study.hands.subjects, reader.name, read)


def joint_truth_table(study: Study) -> pd.DataFrame:
    """True grades and findings of hands and feet at every visit that took place, films or not."""
    took_place = np.broadcast_to(study.conduct.came[..., None], study.hands.finding.shape)
    truth = hands_frame(study.hands, true_reads(study.hands), took_place).drop(columns="reason")
    return truth.assign(reader="truth", campaign="truth")


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
    if "msasss" in plan.systems:
        corners = [label["film"] | corner for label in labels for corner in label.get("corners", [])]
        write_csv(pd.DataFrame(corners, columns=[*about, *CORNER_COLUMNS]), folder / "corners.csv")
    if "mtss" in plan.systems:
        joints = [label["film"] | joint for label in labels for joint in label.get("joints", [])]
        write_csv(pd.DataFrame(joints, columns=[*about, *SITE_COLUMNS]), folder / "joints.csv")
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
    """The plan, or the same of the spine alone where the folder holds that one already."""
    spine, about = replace(plan, systems=SPINE_ONLY), folder / ABOUT
    return spine if about.is_file() and about.read_text(encoding="utf-8") == _about_text(spine) else plan


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
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def write_film(plan: StudyPlan, folder: Path, film: PlannedFilm, states: States) -> None:
    """Render one film; its labels are written first, so that a film that is there has them."""
    from pydicom import dcmread

    from data.phantom.dicom_out import write_dicom

    seed = plan.study.film_seed()
    rendered, rows = _rendered_film(plan, film, states)
    path, labels = film_path(folder, film), _label_path(folder, film)
    part = path.with_suffix(f".part{os.getpid()}")
    write_dicom(
        rendered,
        part,
        subject=film.subject,
        visit=film.visit,
        study_date=film.date,
        uid_seed=seed,
        protocol=PROTOCOL,
    )
    about = {
        "file": path.relative_to(folder).as_posix(),
        "sop_uid": str(dcmread(part, stop_before_pixels=True).SOPInstanceUID),
        "subject": film.subject,
        "visit": film.visit,
        "view": film.view,
        "kind": rendered.kind,
        "to_refuse": rendered.kind in (WRONG_LIMB_KINDS if film.view in LIMB_VIEWS else WRONG_KINDS),
    }
    _write(labels, json.dumps({"film": about} | rows, default=_plain) + "\n")
    os.replace(part, path)


def _rendered_film(
    plan: StudyPlan, film: PlannedFilm, states: States
) -> tuple[RenderedFilm | LimbFilm, dict[str, Any]]:
    """The film, and the rows of its labels: ``corners`` or ``joints``."""
    from data.phantom.hands.films import make_hand_film
    from data.phantom.spine.films import make_film

    draw: Callable[..., Any] = make_hand_film if film.view in LIMB_VIEWS else make_film
    rendered = draw(
        plan.study.film_seed(),
        film.subject,
        film.seed_visit,
        film.view,
        states,
        plan.domain,
        poor=POOR,
        kind=film.kind,
    )
    if film.view in LIMB_VIEWS:
        return rendered, {"joints": site_rows(rendered.joints.round(DIGITS))}
    return rendered, {"corners": rendered.corners[list(CORNER_COLUMNS)].round(DIGITS).to_dict("records")}


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
