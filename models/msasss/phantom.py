"""Labelled phantom films for training and tuning: rendered patients that no test and no demo study contains.

Patients are (role, seed, number) of :mod:`data.phantom.seeds`; the role keeps training, tuning, test and demo
patients apart whatever the seeds. Training patients are drawn from three populations with rising damage, so
that rare grades are seen often enough; tuning patients are drawn from the plain population (and, where
asked, from the damaged ones as well, in numbers that the caller knows).

    python -m models.msasss.phantom --out DIR --patients 20        # a COCO folder, as a labelling tool
    writes it
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import click
import cv2
import numpy as np

from core.helper_process import end_with_parent
from data.phantom.coco import write_labels, write_pixels
from data.phantom.seeds import StudyRole, StudySeed
from data.phantom.spine.conditions import WRONG_KINDS
from data.phantom.spine.course import Course, simulate, visit_codes
from data.phantom.spine.films import make_film
from data.phantom.spine.population import OASIS
from data.phantom.spine.render import RenderedFilm
from models.msasss.labels import Corner, LabelledFilm
from models.msasss.samples import prepare_all, save
from models.msasss.sites import GRADE_NAMES, REGIONS

ENRICHED = (0.0, 0.5, 1.0)  # shifts of the latent severity, patient after patient
PLAIN = (0.0,)
BOX_MM = {"cervical": 8.0, "lumbar": 12.0}  # side of a corner's box
SEED = 2026
WRONG_SHARE = 0.16  # films without a spine to read, so that the finder learns to see none
POOR_SHARE = 0.15


@dataclass(frozen=True)
class Patients:
    """A range of phantom patients and the films taken of them.

    shifts: rising damage, one after the other (see ``ENRICHED``). visits: orders of the visits filmed, 0 is
    baseline. wrong: share of films replaced by one that must be refused. extra_wrong: one such film more for
    each patient. poor: share of films that are poor but can be read.
    """

    role: StudyRole
    first: int
    count: int
    seed: int = SEED
    shifts: tuple[float, ...] = ENRICHED
    visits: tuple[int, ...] = (0,)
    wrong: float = WRONG_SHARE
    extra_wrong: bool = False
    poor: float = POOR_SHARE
    domain: str = "first"

    @property
    def study(self) -> StudySeed:
        return StudySeed(self.role, self.seed)

    @property
    def numbers(self) -> range:
        return range(self.first, self.first + self.count)

    def course(self, number: int) -> Course:
        """The course of one patient."""
        shift = self.shifts[number % len(self.shifts)]
        population = replace(OASIS, baseline=replace(OASIS.baseline, shift=OASIS.baseline.shift + shift))
        return simulate(self.study, 1, max(self.visits) + 1, population, first=number)


def patient_films(patients: Patients, number: int) -> Iterator[tuple[LabelledFilm, RenderedFilm]]:
    """The films of one patient: both views at each visit, some of them films that must be refused."""
    truth = patients.course(number).truth
    seed, subject = patients.study.film_seed(), patients.study.subject(number)
    rng = np.random.default_rng([seed % 2**32, number])
    for order in patients.visits:
        visit = visit_codes(order + 1)[order]
        at_visit = truth[truth["visit"] == visit]
        states = {
            str(site): (int(grade), float(extent))
            for site, grade, extent in zip(
                at_visit["site"], at_visit["grade"], at_visit["extent"], strict=True
            )
        }
        plans = [
            (view, visit, _wrong_kind(rng) if rng.random() < patients.wrong else None) for view in REGIONS
        ]
        if patients.extra_wrong and order == patients.visits[-1]:
            plans.append((REGIONS[number % 2], f"{visit} extra", WRONG_KINDS[number % len(WRONG_KINDS)]))
        for view, seed_visit, kind in plans:
            film = make_film(
                seed, subject, seed_visit, view, states, patients.domain, poor=patients.poor, kind=kind
            )
            name = f"{subject}_{seed_visit.replace(' ', '-')}_{view}"
            yield replace(labelled(film, subject, name), visit=visit), film


def grade_courses(patients: int, visits: int = 3) -> list[np.ndarray]:
    """(visits,) true grades of every corner of so many training patients of the plain population, without
    films: what happens to a corner, as numbers.
    """
    severity = simulate(StudySeed(StudyRole.TRAIN, SEED), patients, visits, OASIS).severity
    grades = np.minimum(np.floor(severity), 3).astype(int)
    return list(grades.transpose(0, 2, 1).reshape(-1, visits))


def _wrong_kind(rng: np.random.Generator) -> str:
    return str(rng.choice(WRONG_KINDS))


def labelled(film: RenderedFilm, patient: str, name: str) -> LabelledFilm:
    """The film with a box around each corner; hidden corners are kept as not visible."""
    side = BOX_MM[film.view] / film.spacing_mm[0]
    corners = tuple(
        Corner(str(row["site"]), row["x"], row["y"], side, side, int(row["grade"]), bool(row["visible"]))
        for row in film.corners.to_dict("records")
    )
    return LabelledFilm(
        name, patient, film.view, film.spacing_mm, corners, kind=film.kind, pixels=film.pixels
    )


def render_part(patients: Patients, path: Path) -> Path:
    """The samples of these patients in one file; done already where the file exists."""
    if not path.exists():
        cv2.setNumThreads(1)
        path.parent.mkdir(parents=True, exist_ok=True)
        films = (film for number in patients.numbers for film, _ in patient_films(patients, number))
        save(prepare_all(films), path)
    return path


def render_samples(patients: Patients, folder: Path, *, part: int = 20, processes: int = 1) -> list[Path]:
    """Sample files of all patients, ``part`` patients a file; goes on where an earlier run stopped."""
    jobs = [
        (replace(patients, first=first, count=min(part, patients.first + patients.count - first)),
         folder / f"{patients.study.subject(first)}.npz")
        for first in range(patients.first, patients.first + patients.count, part)
    ]  # fmt: skip
    if processes == 1:
        return [render_part(*job) for job in jobs]
    with get_context("spawn").Pool(processes, end_with_parent) as pool:
        return pool.starmap(render_part, jobs, chunksize=1)


def write_coco(patients: Patients, out: Path, *, processes: int = 1) -> Path:
    """Films as 16-bit PNG and their boxes as COCO ``annotations.json``, the way a labelling tool exports
    them.

    Goes on where an earlier run stopped: a patient's films are rendered once.
    """
    jobs = [(patients, number, out) for number in patients.numbers]
    if processes == 1:
        parts = [_write_patient(*job) for job in jobs]
    else:
        with get_context("spawn").Pool(processes, end_with_parent) as pool:
            parts = pool.starmap(_write_patient, jobs, chunksize=1)
    films = [
        ({key: value for key, value in entry.items() if key != "corners"}, _boxes(entry["corners"]))
        for entries in parts
        for entry in entries
    ]
    return write_labels(films, GRADE_NAMES, out, "phantom films, research only")


def _write_patient(patients: Patients, number: int, out: Path) -> list[dict]:
    """The films of one patient as PNG; returns their COCO image entries with ``corners`` inside."""
    note = out / "images" / f"{patients.study.subject(number)}.json"
    if note.exists():
        done: list[dict] = json.loads(note.read_text(encoding="utf-8"))
        return done
    cv2.setNumThreads(1)
    entries = []
    for film, rendered in patient_films(patients, number):
        name = f"{film.name}.png"
        write_pixels(rendered.pixels, out, name)
        corners = [asdict(corner) for corner in film.corners]
        entries.append(_coco_image(name, film, rendered) | {"corners": corners})
    note.write_text(json.dumps(entries), encoding="utf-8")
    return entries


def _coco_image(name: str, film: LabelledFilm, rendered: RenderedFilm) -> dict:
    rows, columns = rendered.pixels.shape
    return {
        "file_name": name,
        "width": columns,
        "height": rows,
        "patient": film.patient,
        "visit": film.visit,
        "view": film.region,
        "kind": film.kind,
        "spacing_mm": list(film.spacing_mm),
        "shown_spacing_mm": list(rendered.shown_spacing_mm) if rendered.shown_spacing_mm else None,
    }


def _boxes(corners: list[dict]) -> list[dict]:
    return [
        {
            "category_id": corner["grade"] + 1,
            "bbox": [
                corner["x"] - corner["width"] / 2,
                corner["y"] - corner["height"] / 2,
                corner["width"],
                corner["height"],
            ],
            "attributes": {"site": corner["site"], "visible": corner["visible"]},
        }
        for corner in corners
    ]


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write.")
@click.option("--patients", default=20, show_default=True, help="Number of patients, two films each.")
@click.option("--first", default=1, show_default=True, help="Number of the first patient.")
@click.option("--role", type=click.Choice(["train", "tune"]), default="train", show_default=True)
@click.option("--seed", default=SEED, show_default=True)
@click.option(
    "--samples", is_flag=True, help="Write prepared samples (.npz) instead of films with COCO labels."
)
@click.option("--plain", is_flag=True, help="Draw from the plain population, not from damaged ones as well.")
@click.option("--processes", default=1, show_default=True)
def main(
    out: Path, patients: int, first: int, role: str, seed: int, samples: bool, plain: bool, processes: int
) -> None:
    """Render labelled phantom films."""
    who = Patients(StudyRole(role), first, patients, seed, PLAIN if plain else ENRICHED)
    if samples:
        click.echo(f"{len(render_samples(who, out, processes=processes))} files in {out}")
    else:
        click.echo(str(write_coco(who, out, processes=processes)))


if __name__ == "__main__":
    main()
