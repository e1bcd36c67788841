"""What the evaluation of the mTSS model has of its own: its test patients, its labelled folders, its joint
detectors, and agreement joint by joint.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from core.domain import Abstained
from core.scores.mtss import MTSS
from data.phantom.hands.labels import write_coco
from data.phantom.seeds import StudyRole
from models.common.coco import ANNOTATIONS
from models.evaluation.agreement import MODEL, PAIRED, graded, site_grades
from models.evaluation.markdown import Block, Table
from models.evaluation.report import grade_rows, reader_name
from models.evaluation.run import Evaluation, Outcome, Tell
from models.evaluation.test_set import TestImage, TestSet, is_real, phantom_folder
from models.mtss.detectors import report
from models.mtss.detectors.evaluate import count_names, count_reading, figures, nothing_seen
from models.mtss.detectors.labels import LabelledHands, read_folder
from models.mtss.evaluate_grades import labelled_truth, read_by_simulated_readers
from models.mtss.labels import GradedFilm, read_graded
from models.mtss.phantom import Patients, limb_films
from models.mtss.scorer import MtssScorer, judge
from models.mtss.train import VIEWS, VISITS

FIRST = {"first": 1001, "second": 3001}  # number of the first test patient of each domain
JOINT_DRAWS = 500


@dataclass(frozen=True)
class LabelledLimbs:
    """A film with its grades and, of hands, the boxes of its finger joints."""

    graded: GradedFilm
    hands: LabelledHands | None


def test_images(folder: Path) -> list[TestImage]:
    """The films of a labelled folder."""
    hands = {film.name: film for film in read_folder(folder) if film.units}
    return [
        TestImage(LabelledLimbs(film, hands.get(film.name)), film.name, film.patient, film.visit, film.kind)
        for film in read_graded(folder)
    ]


test_images.__test__ = False  # type: ignore[attr-defined]


def read_test_folder(folder: Path) -> TestSet:
    """The films of a labelled folder; the labels are the truth."""
    images = test_images(folder)
    truth = labelled_truth([image.label.graded for image in images])
    return TestSet(folder.name, images, truth, pd.DataFrame(), real=is_real(folder))


def render(domain: str, patients: int, *, processes: int = 2, tell: Tell = print) -> TestSet:
    """Hands and feet of test patients at two visits, rendered, and read by simulated readers.

    The latent course is the truth of all sites. Films are kept in the temporary folder, and found again.
    """
    who = Patients(
        FIRST[domain], patients, VISITS, role=StudyRole.TEST, spacing=None, views=VIEWS, domain=domain
    )
    folder = phantom_folder("mtss", domain, FIRST[domain], patients)
    if not (folder / ANNOTATIONS).is_file():
        tell(f"rendering hands and feet of {patients} test patients at two visits, {domain} domain")
        write_coco(limb_films(who), folder)
    images = test_images(folder)
    truth, reads = read_by_simulated_readers([image.label.graded for image in images])
    return TestSet(f"{domain} domain", images, truth, reads, domain, real=False)


def look(scorer: MtssScorer, label: LabelledLimbs) -> Outcome:
    """One film read and judged, with what the joint detectors saw of it, None where it shows feet."""
    reading = scorer.read(label.graded.as_film())
    if isinstance(reading, Abstained):
        return Outcome(reading)
    return Outcome(judge(reading), reading.hands)


def sections(images: Sequence[TestImage], outcomes: Sequence[Outcome], grades: pd.DataFrame) -> dict:
    """Detection and special findings over the films of hands, and the grades of each joint."""
    return {"detectors": joints_found(images, outcomes), "joints": joints(grades)}


def joints_found(images: Sequence[TestImage], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Detection and special findings over the films of hands, pooled; on a film that the model abstains on no
    joint was found. Empty without films of hands.
    """
    counts: list[dict[str, Any]] = []
    names: list[dict[str, Any]] = []
    for image, outcome in zip(images, outcomes, strict=True):
        film, result = image.label.hands, outcome.result
        if film is None:
            continue
        why = result if isinstance(result, Abstained) else Abstained("read as feet")
        reading = outcome.seen if outcome.seen is not None else nothing_seen(why)
        counts += count_reading(film, reading)
        names.append(count_names(film, reading))
    if not counts:
        return {}
    found = figures(pd.DataFrame(counts), pd.DataFrame(names), planned_folds=1)
    return found | {"folds": "patients that were not trained on"}


def joints(grades: pd.DataFrame, *, draws: int = JOINT_DRAWS) -> dict[str, Any]:
    """Site without its side (``H.E.MCP2``) -> reader -> agreement of its grades with the truth."""
    known = site_grades(grades, MTSS)
    groups = known.groupby(known["site"].str[1:], sort=False)
    return {str(joint): graded(rows, draws=draws) for joint, rows in groups}


def blocks(found: Mapping[str, Any]) -> list[Block]:
    """Tables of the detectors, and of the joints of both of the model's readings."""
    parts: list[Block] = []
    if found["detectors"]:
        parts += report.pooled_blocks(found["detectors"])
    rows = [
        [joint, reader_name(reader), *grade_rows(row)]
        for joint, by_reader in found["joints"].items()
        for reader, row in by_reader.items()
        if reader in (MODEL, PAIRED)
    ]
    head = ("joint", "reader", "n", "quadratic kappa", "exact", "within one grade")
    return [*parts, Table("Agreement joint by joint (both sides pooled)", head, rows, is_long=True)]


EVALUATION = Evaluation(render, read_test_folder, look, sections, blocks)
