"""``sharpline evaluate synovitis``: grades of joints in the paper's layout, and what the paper leaves open.

First the five folds: what networks said of training patients whom they had not learned from. Then test
patients of both domains, scored by the model as it is shipped: sums (GLOESS) and their change under
treatment, three simulated readers beside it, and where the network looked. All on phantoms, unless a folder
of labelled pictures is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.domain import Scored
from models.evaluation.agreement import TRUTH
from models.evaluation.run import Evaluation, Outcome, Tell
from models.evaluation.test_set import TestImage, TestSet
from models.synovitis.evaluation import held_out, readers
from models.synovitis.evaluation.folder import read_folder
from models.synovitis.evaluation.grade_tables import blocks
from models.synovitis.explain import tissues
from models.synovitis.tasks import GRADE

KEYS = ["subject", "visit", "reader", "site"]
LOOKED_AT = 12  # patients on whose scans at baseline the maps are asked where they lie


def sections(
    images: Sequence[TestImage], outcomes: Sequence[Outcome], grades: pd.DataFrame
) -> dict[str, Any]:
    """The model and readers against the truth in the paper's terms, with each other, by device, and how many
    joints no sum counts.
    """
    single = highest(grades)
    found: dict[str, Any] = {
        "test": {
            "against_truth": readers.against_truth(single, chances_of(images, outcomes)),
            "pairs": readers.pairs(single),
            "daily": daily_pairs(images),
            "devices": by_device(images, single),
            "joints": joints_counted(single),
        }
    }
    rows = [
        row | {"patient": image.subject, "image": image.name}
        for image, outcome in zip(images, outcomes, strict=True)
        for row in outcome.seen or ()
    ]
    return found | ({"heat": tissues.figures(pd.DataFrame(rows))} if rows else {})


@dataclass(frozen=True)
class Grader:
    """The scorer, and the maps of its networks with those of random weights beside."""

    scorer: Any
    explainer: Any
    drawn: Mapping[str, Sequence[Any]]


def grader(size: str) -> Grader:
    """Both with their weights. Raises ModelError where they are absent."""
    from models.synovitis.explain.explainer import build_explainer
    from models.synovitis.scorer import build

    explainer = build_explainer(size)
    drawn = {task: tissues.random_networks(explainer, task) for task in explainer.networks}
    return Grader(build(size=size, threads=1), explainer, drawn)


def look(reader: Grader, label: Any) -> Outcome:
    """A scan graded; of some scans of which the tissues are known, also where the heat of the maps lies."""
    from models.synovitis.evaluation.patients import Scan

    if not isinstance(label, Scan) or label.order or label.number > LOOKED_AT:
        return Outcome(reader.scorer.score([label.as_film()])[0])
    case = label.case
    result = reader.scorer.score([case.image])[0]
    if not isinstance(result, Scored) or not result.findings:
        return Outcome(result)
    return Outcome(result, heat_of(reader, case, result))


def heat_of(reader: Grader, case: Any, result: Scored) -> list[dict[str, Any]]:
    """Where the heat lies of the grade given (1 or more: what speaks for it rather than for none), and of
    each diagnosis: what speaks for the answer.
    """
    from data.phantom.ultrasound.cases import TISSUES

    answers = {task: int(chance > 0.5) for task, chance in result.chances.items()}
    if result.findings[0].grade:
        answers = {GRADE: result.findings[0].grade} | answers
    parts = tissues.parts_of(case.image, case.tissue, TISSUES)
    return tissues.heat_rows(reader.explainer, case.image, parts, answers, reader.drawn)


def highest(grades: pd.DataFrame) -> pd.DataFrame:
    """One grade a site and reader: of several pictures of a joint the highest counts."""
    rows = grades[grades["grade"].notna()]
    rows = rows.sort_values("grade", ascending=False, kind="stable").drop_duplicates(KEYS)
    return rows.sort_index()


def same_joints(grades: pd.DataFrame) -> pd.DataFrame:
    """The grades that sums and their agreement are made from: joints that everybody graded and combined."""
    return readers.alike(highest(grades))


def chances_of(images: Sequence[TestImage], outcomes: Sequence[Outcome]) -> dict[tuple[str, str, str], Any]:
    """(subject, visit, site) -> probabilities of the picture that gave the highest grade."""
    best: dict[tuple[str, str, str], tuple[int, Any]] = {}
    for image, outcome in zip(images, outcomes, strict=True):
        for finding in outcome.result.findings if isinstance(outcome.result, Scored) else ():
            key = (image.subject, image.visit, finding.site)
            if key not in best or finding.grade > best[key][0]:
                best[key] = (finding.grade, np.asarray(finding.grade_probabilities, float))
    return {key: chances for key, (_, chances) in best.items()}


def by_device(images: Sequence[TestImage], grades: pd.DataFrame) -> dict[str, Any]:
    """Device -> figures of the model's grades on its pictures."""
    device = {image.subject: str(image.label.device) for image in images}
    of = grades["subject"].map(device)
    return {
        name: readers.against_truth(grades[of == name], {})["all"] for name in sorted(set(device.values()))
    }


def daily_pairs(images: Sequence[TestImage]) -> dict[str, Any]:
    """Pairs of readers as they grade in daily practice, on the same joints; none of labelled pictures."""
    from data.phantom.ultrasound.readers import DAILY
    from models.synovitis.evaluation.patients import Scan, read

    labels = [image.label for image in images if isinstance(image.label, Scan)]
    if not labels:
        return {}
    _, reads = read(labels[0].domain, max(label.number for label in labels), DAILY)
    return {scale: found["readers"] for scale, found in readers.pairs(reads).items() if "readers" in found}


def joints_counted(grades: pd.DataFrame) -> dict[str, int]:
    """Joints of all visits with both scales in the truth, and those that count in sums."""
    whole = readers.with_combined(grades[grades["reader"] == TRUTH])
    same = readers.with_combined(readers.alike(grades))
    return {
        "joints": int((whole["scale"] == "combined").sum()),
        "counted": int(((same["scale"] == "combined") & (same["reader"] == TRUTH)).sum()),
    }


def render(domain: str, patients: int, *, processes: int, tell: Tell) -> TestSet:
    """Phantom test patients before and a year after the start of treatment; drawn when they are read."""
    from data.phantom.ultrasound.readers import READERS
    from models.synovitis.evaluation.patients import test_patients

    return test_patients(domain, patients, READERS, tell)


def stored(size: str) -> list[dict[str, Any]]:
    """The five folds."""
    return [held_out.grade_set(size)]


def summary(found: Mapping[str, Any]) -> dict[str, Any]:
    """What of it stands on the card: the figures in the paper's terms."""
    if "held_out" in found:
        return {name: found["held_out"]["pooled"][name] for name in ("auc", "balanced_accuracy", "spearman")}
    own = found["test"]["against_truth"]["all"].get("model", {})
    return {name: own[name] for name in ("auc", "balanced_accuracy", "spearman") if name in own}


EVALUATION = Evaluation(
    render, read_folder, look, sections, blocks, summary, patients=24, chosen=same_joints, stored=stored,
    reader="models.synovitis.evaluation.synovitis:grader",
)  # fmt: skip
