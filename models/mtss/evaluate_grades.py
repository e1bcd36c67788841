"""The scores of mTSS on labelled films, by any scorer or by the grader alone, beside simulated people.

python -m models.mtss.evaluate_grades --data DIR --people --out FILE.json
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
import pandas as pd

from core.domain import Abstained, Finding, Scored
from core.scores.mtss import MTSS
from models.evaluation.agreement import DRAWS, FEATURE, MODEL, PAIRED, TRUTH, figures
from models.mtss.labels import GradedFilm, read_graded
from models.mtss.score_report import shown
from models.mtss.system import PAIRED_READING
from models.paired.reader import PairedReader

if TYPE_CHECKING:
    from data.phantom.hands.course import HandsCourse
    from data.phantom.hands.readers import HandsReads

Read = Callable[[GradedFilm], Scored | Abstained]
COLUMNS = ["subject", "visit", "reader", "site", "feature", "grade"]


@dataclass(frozen=True)
class ScoreSet:
    """Films with truth. truth, reads: ``subject, visit, reader, site, grade`` of all sites."""

    name: str
    films: Sequence[GradedFilm]
    truth: pd.DataFrame
    reads: pd.DataFrame


def evaluate(
    one: ScoreSet, read: Read, together: PairedReader | None, *, draws: int = DRAWS
) -> dict[str, Any]:
    """The figures of a scorer on a set of films, single and (where it can) read together, beside people."""
    results = [read(film) for film in one.films]
    parts = [one.truth, one.reads, grades_of(one.films, results, MODEL)]
    if together is not None:
        parts.append(grades_of(one.films, read_patients(one.films, results, together), PAIRED))
    refused = [r.reason for r in results if isinstance(r, Abstained)]
    about = {
        "set": one.name,
        "note": "phantom films, research only",
        "patients": len({film.patient for film in one.films}),
        "films": len(one.films),
        "abstained": refused,
    }
    return about | figures(pd.concat([part for part in parts if len(part)], ignore_index=True), draws=draws)


def grades_of(
    films: Sequence[GradedFilm], results: Sequence[Scored | Abstained], reader: str
) -> pd.DataFrame:
    """Long grades of one reader from the results of films; sites that were not graded have no row."""
    rows = [
        (film.patient, film.visit, reader, finding.site, finding.feature, finding.grade)
        for film, result in zip(films, results, strict=True)
        if isinstance(result, Scored)
        for finding in result.findings
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def read_patients(
    films: Sequence[GradedFilm], results: Sequence[Scored | Abstained], together: PairedReader
) -> list[Scored | Abstained]:
    """The results of all films, each patient's films of one view read together."""
    places: dict[tuple[str, str], list[int]] = {}
    for place, film in enumerate(films):
        places.setdefault((film.patient, film.view), []).append(place)
    found = list(results)
    for of_patient in places.values():
        for place, result in zip(
            of_patient, together.read([results[i] for i in of_patient]).results, strict=True
        ):
            found[place] = result
    return found


def with_true_places(grader: Any, *, jitter_mm: float = 0.9, seed: int = 0) -> Read:
    """A scorer of labelled films: the grader alone, on the labels' places with a site finder's error (SD in
    each direction).
    """

    def read(film: GradedFilm) -> Scored | Abstained:
        rng = np.random.default_rng([seed, *film.name.encode()])
        graded = grader.grade(film.as_film(), film.places(rng, jitter_mm))
        if not graded:
            return Abstained("no labelled place can be seen")
        return Scored(
            tuple(
                Finding(site, FEATURE[site], one.grade, one.probabilities, 1.0, one.box)
                for site, one in graded.items()
            )
        )

    return read


def labelled_truth(films: Sequence[GradedFilm]) -> pd.DataFrame:
    """The labels as the reader ``truth``, findings at joints as rows of their own."""
    code = {(site.unit, site.feature): site.code for site in MTSS.sites}
    rows = [
        (film.patient, film.visit, TRUTH, code[unit, feature], feature, int(grade))
        for film in films
        for feature in ("erosion", "jsn")
        for unit, grade in zip(film.units, film.grades[feature], strict=True)
        if grade >= 0
    ]
    rows += [
        (film.patient, film.visit, TRUTH, code.get((unit, "jsn")) or code[unit, "erosion"], finding, 1)
        for film in films
        for unit, finding in zip(film.units, film.findings, strict=True)
        if finding != "none"
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def folder_set(folder: Path, *, people: bool = False) -> ScoreSet:
    """The films of a labelled folder; the labels are the truth.

    people: the films are of phantom patients for testing; their latent course is the truth of all sites, and
    simulated readers read the same films.
    """
    films = read_graded(folder)
    if not people:
        return ScoreSet(folder.name, films, labelled_truth(films), pd.DataFrame())
    truth, reads = read_by_people(films)
    return ScoreSet(folder.name, films, truth, reads)


def read_by_people(films: Sequence[GradedFilm], role: str = "test") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Truth of all sites of these phantom patients and the grades of the simulated readers (paired, order
    blinded), who see each place as well as its label says.
    """
    from data.phantom.hands.course import UNITS, simulate_hands
    from data.phantom.hands.readers import HANDS_READERS, read_joints, true_reads
    from data.phantom.seeds import StudyRole, StudySeed
    from data.phantom.spine.course import visit_codes
    from models.mtss.phantom import SEED

    study = StudySeed(StudyRole(role), SEED)
    codes = visit_codes(3)
    of_patient: dict[str, list[GradedFilm]] = {}
    for film in films:
        of_patient.setdefault(film.patient, []).append(film)
    parts: dict[str, list[pd.DataFrame]] = {"truth": [], "reads": []}
    for subject, own in of_patient.items():
        number = int(subject[2:])
        course = simulate_hands(study, 1, len(codes), first=number)
        if course.subjects != (subject,):
            raise ValueError(f"{subject} is no phantom patient of the role {role}")
        visibility = np.full(course.finding.shape, np.nan)
        for film in own:
            at = [UNITS.index(unit) for unit in film.units]
            visibility[0, codes.index(film.visit), at] = film.visibility
        filmed = np.zeros(course.finding.shape, dtype=bool)
        filmed[0, sorted({codes.index(film.visit) for film in own})] = True
        parts["truth"].append(_rows(course, true_reads(course), filmed, TRUTH))
        for reader in HANDS_READERS:
            read = read_joints(course, study, reader, visibility, first=number)
            parts["reads"].append(_rows(course, read, filmed, reader.name))
    truth, reads = (pd.concat(parts[name], ignore_index=True) for name in ("truth", "reads"))
    return truth, reads


def _rows(course: HandsCourse, reads: HandsReads, filmed: np.ndarray, reader: str) -> pd.DataFrame:
    """Grades given and findings noticed, in the columns of the tables."""
    from data.phantom.hands.readers import reads_frame

    frame = reads_frame(course, reads, filmed).assign(reader=reader)
    return frame.loc[frame["grade"].notna(), COLUMNS]


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--people", is_flag=True, help="Phantom test patients: add truth of all sites and readers.")
@click.option("--size", type=click.Choice(["demo", "full"]), default="demo")
@click.option("--out", type=click.Path(path_type=Path))
def main(data: Path, people: bool, size: str, out: Path | None) -> None:
    """Evaluate the grader alone on labelled films, places from the labels with a finder's error."""
    from models.mtss.grader.grade import build_grader

    read = with_true_places(build_grader(size))
    result = evaluate(folder_set(data, people=people), read, PAIRED_READING.build(size))
    click.echo(shown(result))
    if out is not None:
        out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
