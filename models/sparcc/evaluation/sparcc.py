"""``sharpline evaluate sparcc``: the score against the truth and against three simulated readers, its change,
its units, and the masks that it is made from.

A labelled image is a visit: its fat-suppressed stacks are scored together. Truth and readers are those of the
phantom; population ``trial``, in which every patient is inflamed at baseline and treated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from core.domain import Abstained, Scored
from core.scores.sparcc import SPARCC
from models.evaluation.agreement import TRUTH
from models.evaluation.run import Evaluation, Outcome, Tell
from models.evaluation.test_set import TestImage, TestSet
from models.sparcc.evaluation import units
from models.sparcc.evaluation.files import StackFiles, stacks_in
from models.sparcc.evaluation.masks import StackMasks, masks_of, summed
from models.sparcc.evaluation.rendered import test_folder
from models.sparcc.evaluation.sparcc_tables import blocks

POPULATION, WEEKS = "trial", (0, 24)
READS = ("R1", "R2", "R3")


@dataclass(frozen=True)
class Visit:
    """The stacks of one visit."""

    stacks: tuple[StackFiles, ...]


@dataclass(frozen=True)
class VisitSeen:
    """What became of the stacks of a visit. unscorable: unit -> why it has no points."""

    stacks: tuple[StackMasks, ...]
    unscorable: dict[str, str] = field(default_factory=dict)


def look(scorer: Any, label: Visit) -> Outcome:
    """A visit scored, with its masks beside the true ones."""
    images = [stack.image() for stack in label.stacks]
    readings = scorer.read_visit(images)
    results = scorer.judged(images, readings)
    seen = [
        StackMasks(stack.view, abstained=reading.reason)
        if isinstance(reading, Abstained)
        else masks_of(
            stack.view, reading.anatomy, reading.oedema, stack.mask("structures"), stack.mask("oedema")
        )
        for stack, reading in zip(label.stacks, readings, strict=True)
    ]
    return Outcome(together(results), VisitSeen(tuple(seen), without_points(results)))


def together(results: Sequence[Scored | Abstained]) -> Scored | Abstained:
    """The results of the stacks of a visit as one; abstained on where all are."""
    scored = [one for one in results if isinstance(one, Scored)]
    if not scored:
        reasons = dict.fromkeys(one.reason for one in results if isinstance(one, Abstained))
        return Abstained("; ".join(reasons))
    findings = tuple(finding for one in scored for finding in one.findings)
    graded = {finding.site for finding in findings}
    why = {site: text for one in scored for site, text in one.unscorable.items() if site not in graded}
    return Scored(findings, why)


def without_points(results: Sequence[Scored | Abstained]) -> dict[str, str]:
    """Unit -> why it has not all of its points: what its stack says, else that no stack shows it by name."""
    scored = [one for one in results if isinstance(one, Scored)]
    graded = Counter(finding.site.partition(".")[0] for one in scored for finding in one.findings)
    said: dict[str, str] = {}
    for one in scored:
        for site, text in one.unscorable.items():
            said.setdefault(site.partition(".")[0], text)
    items = Counter(str(site.unit) for site in SPARCC.sites)
    lacking = [unit for unit in items if graded[unit] < items[unit]]
    return {unit: said.get(unit, "no stack shows it by name") for unit in lacking}


def sections(images: Sequence[TestImage], outcomes: Sequence[Outcome], grades: pd.DataFrame) -> dict:
    """Rules, units, false change, masks, and units without points."""
    visits = list(dict.fromkeys(image.visit for image in images))
    points = units.unit_points(grades)
    found: dict[str, Any] = {
        "rules": units.by_rule(grades, visits),
        "units": units.any_oedema(points),
        "false_change": {},
        "masks": {},
        "unscorable": unscorable(images, outcomes),
    }
    if len(visits) > 1:
        found["false_change"] = _false_change(grades, points, visits)
    seen = [(image.subject, out.seen) for image, out in zip(images, outcomes, strict=True)]
    stacks = [(who, one) for who, visit in seen if visit is not None for one in visit.stacks]
    found["masks"] = summed(stacks) if stacks else {}
    return found


def _false_change(grades: pd.DataFrame, points: pd.DataFrame, visits: Sequence[str]) -> dict[str, Any]:
    """Of patients whose true change is small, and of units whose points truly stay, by reader."""
    total = units.change_of(units.totals(grades, SPARCC.rules[0].name), visits)
    of_unit = units.change_of(points, visits)
    return {
        "patients": units.false_change(total, units.MIC - 1, units.MIC),
        "units": units.false_change(of_unit, 0, 1),
        "units_by_three": units.false_change(of_unit, 0, 3),
    }


def unscorable(images: Sequence[TestImage], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Units of all visits and those without points, by reason; all of a visit that is abstained on."""
    every = {str(site.unit) for site in SPARCC.sites}
    reasons: Counter[str] = Counter()
    for outcome in outcomes:
        if isinstance(outcome.result, Abstained):
            reasons["the whole visit was abstained on"] += len(every)
        elif outcome.seen is not None:
            reasons.update(outcome.seen.unscorable.values())
    return {
        "units": len(every) * len(images),
        "without_points": sum(reasons.values()),
        "reasons": dict(reasons.most_common()),
    }


def visits_of(folder: Path) -> list[TestImage]:
    """The visits of a folder of phantom MRI, in the order of its tables."""
    groups: dict[tuple[str, str], list[StackFiles]] = {}
    for stack in stacks_in(folder):
        groups.setdefault((stack.subject, stack.visit), []).append(stack)
    return [
        TestImage(Visit(tuple(stacks)), f"{subject}_{visit}", subject, visit)
        for (subject, visit), stacks in groups.items()
    ]


def read_folder(folder: Path, name: str = "", domain: str = "") -> TestSet:
    """A folder of phantom MRI; its tables are truth and readers."""
    images = visits_of(folder)
    truth = _table(folder / "truth_sparcc.csv")
    reads = [
        _table(folder / f"reads_{reader}.csv").assign(reader=reader)
        for reader in READS
        if (folder / f"reads_{reader}.csv").is_file()
    ]
    joined = pd.concat(reads, ignore_index=True) if reads else pd.DataFrame()
    return TestSet(name or folder.name, images, truth, joined, domain, real=False)


def _table(path: Path) -> pd.DataFrame:
    frame = pd.read_csv(path, dtype={"subject": str, "visit": str, "site": str})
    frame["grade"] = frame["grade"].astype("Int64")
    return frame[["subject", "visit", "site", "grade"]]


def render(domain: str, patients: int, *, processes: int, tell: Tell) -> TestSet:
    """Test patients at baseline and after 24 weeks of treatment: cervical, thoracic and lumbar stacks."""
    folder = test_folder(domain, patients, POPULATION, WEEKS, processes=processes, tell=tell)
    return read_folder(folder, f"{domain} domain", domain)


def summary(found: Mapping[str, Any]) -> dict[str, Any]:
    """What of it stands on the card: units and Dice."""
    own = found["units"].get(f"model with {TRUTH}", {})
    kept = {f"units_{name}": own[name] for name in ("kappa", "sensitivity", "specificity") if name in own}
    masks = found["masks"].get("all", {"dice": {}})["dice"]
    return kept | {f"dice_{part}": value for part, value in masks.items()}


EVALUATION = Evaluation(render, read_folder, look, sections, blocks, summary, item="visit", patients=12)
