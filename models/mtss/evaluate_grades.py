"""The truth of labelled films and what simulated readers say of them; and the grader alone on these films.

python -m models.mtss.evaluate_grades --data DIR --readers --out FILE.json
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
import pandas as pd

from core.domain import Abstained, Finding, Scored
from core.scores.mtss import MTSS
from models.evaluation.agreement import COLUMNS, DRAWS, TRUTH
from models.evaluation.markdown import as_terminal
from models.evaluation.report import blocks_of_set
from models.evaluation.run import Outcome, set_figures
from models.evaluation.test_set import TestImage, TestSet, is_real
from models.mtss.labels import GradedFilm, read_graded
from models.paired.reader import PairedReader

if TYPE_CHECKING:
    from data.phantom.hands.course import HandsCourse
    from data.phantom.hands.readers import HandsReads

Read = Callable[[GradedFilm], Scored | Abstained]
FEATURE = {site.code: site.feature for site in MTSS.sites}


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


def read_by_simulated_readers(
    films: Sequence[GradedFilm], role: str = "test"
) -> tuple[pd.DataFrame, pd.DataFrame]:
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


def grader_figures(
    read: Read,
    folder: Path,
    *,
    with_readers: bool = False,
    paired: PairedReader | None = None,
    draws: int = DRAWS,
) -> dict[str, Any]:
    """The figures of a scorer of labelled films, single and (where it can) paired.

    with_readers: the films are of phantom patients for testing; their latent course is the truth of all
    sites, and simulated readers read the same films.
    """
    films = read_graded(folder)
    images = [TestImage(film, film.name, film.patient, film.visit, film.kind) for film in films]
    truth, reads = labelled_truth(films), pd.DataFrame()
    if with_readers:
        truth, reads = read_by_simulated_readers(films)
    one = TestSet(folder.name, images, truth, reads, real=is_real(folder))
    return set_figures(MTSS, one, [Outcome(read(film)) for film in films], paired, draws=draws)


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--readers", is_flag=True, help="Phantom test patients: add truth of all sites and readers.")
@click.option("--size", type=click.Choice(["demo", "full"]), default="demo")
@click.option("--out", type=click.Path(path_type=Path))
def main(data: Path, readers: bool, size: str, out: Path | None) -> None:
    """Evaluate the grader alone on labelled films, places from the labels with a finder's error."""
    from models.mtss.grader.grade import build_grader
    from models.registry import model_of

    paired, read = model_of(MTSS.name).paired, with_true_places(build_grader(size))
    reader = paired.build(size) if paired is not None else None
    result = grader_figures(read, data, with_readers=readers, paired=reader)
    click.echo(as_terminal(blocks_of_set(result, MTSS)))
    if out is not None:
        out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
