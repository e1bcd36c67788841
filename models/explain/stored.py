"""The map of a stored finding: the film is read again by the same weights, and asked why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core import scores
from core.domain import Abstained, Viewer
from core.errors import InputError, ModelError
from data.ingest import load_film
from data.queries.findings import of_image
from data.store import CohortStore
from models.base import entry
from models.explain.method import METHODS
from models.explain.msasss import MsasssExplainer
from models.explain.verdict import Verdict, read_verdict
from models.msasss.grading import GradingRule
from models.msasss.infer import build

SYSTEM, NETWORK = "msasss", "grader"


@dataclass(frozen=True)
class Explained:
    """Everything that stands beside a map.

    tile: what the network saw, (rows, columns) in [0, 1]. heat: the map on it, largest value 1. box: (x0, y0,
    x1, y1) in its pixels. rule: how probabilities became the grade.
    """

    site: str
    where: str
    grade: int
    grades: tuple[str, ...]
    probabilities: tuple[float, ...]
    tile: np.ndarray
    heat: np.ndarray
    box: np.ndarray
    mm_per_pixel: float
    reader: str
    weights_hash: str
    method: str
    rule: str
    verdict: Verdict
    image: str
    notes: tuple[str, ...] = ()
    phantom: bool = False


def explain(store: CohortStore, image: str, site: str, *, size: str = "demo") -> Explained:
    """Why the model gave its grade at a site, from the film alone (read mode ``single``).

    Raises InputError where no finding is stored there, ModelError where it was made by other weights than
    those of this size.
    """
    system = scores.get(SYSTEM)
    stored = _stored(store, image, site, system.codes)
    reader, weights_hash = entry(SYSTEM).identify(size)
    if stored["weights_hash"] != weights_hash:
        raise ModelError(
            f"{stored['reader']} gave the finding at {site} with weights {stored['weights_hash'][:12]}",
            f"the weights of size {size} are {weights_hash[:12]}, and would explain another grade",
            "run 'sharpline score' first, or give the --size that made it",
        )
    explainer = MsasssExplainer(build(size=size, threads=1))
    film = load_film(store, image)
    reading = explainer.scorer.read(film)
    if isinstance(reading, Abstained) or site not in reading.sites:
        raise ModelError(
            f"site {site} of film {image[:12]}", "it is no longer found on the film", "verify the cohort"
        )
    rule = explainer.scorer.rule
    probabilities = rule.probabilities(reading.sites[site].logits[None])
    grade = int(rule.grades(probabilities)[0])
    question = explainer.about_site(film, reading, site, grade)
    method = METHODS[SYSTEM][NETWORK].name
    place = system.by_code[site]
    return Explained(
        site=site,
        where=place.name,
        grade=grade,
        grades=system.by_feature[place.feature].grades,
        probabilities=tuple(float(p) for p in probabilities[0]),
        tile=question.picture.grey,
        heat=explainer.heat(question),
        box=question.box,
        mm_per_pixel=question.picture.frame.mm_per_pixel,
        reader=reader,
        weights_hash=weights_hash,
        method=method,
        rule=rule_text(rule),
        verdict=read_verdict(SYSTEM, size, NETWORK, method),
        image=image,
        notes=_notes(store, image, site, grade, stored),
        phantom=store.is_phantom,
    )


def rule_text(rule: GradingRule) -> str:
    """How a grade follows from probabilities, in words."""
    if len(set(rule.emphasis)) == 1:
        return "the most probable grade"
    weights = ", ".join(f"{value:g}" for value in rule.emphasis)
    return f"the largest of probability x {weights} (grades 0 to {len(rule.emphasis) - 1})"


def _stored(store: CohortStore, image: str, site: str, codes: tuple[str, ...]) -> pd.Series:
    if site not in codes:
        raise InputError(f"site {site!r}", f"one of {', '.join(codes)} is needed", "name one of them")
    rows = of_image(store, Viewer(), image, SYSTEM, read_mode="single")
    found = rows[rows["site"] == site]
    if found.empty:
        abstained = rows["abstained"].dropna()
        why = f"the model abstained ({abstained.iloc[0]})" if len(abstained) else "no model graded it there"
        raise InputError(f"site {site} of film {image[:12]}", why, "choose a site that has a finding")
    return found.iloc[0]


def _notes(store: CohortStore, image: str, site: str, grade: int, stored: pd.Series) -> tuple[str, ...]:
    """What else was read there, and whether the grade came out as it is stored."""
    notes = []
    if int(stored["grade"]) != grade:
        notes.append(f"stored grade {int(stored['grade'])}, read again now {grade}")
    paired = of_image(store, Viewer(), image, SYSTEM, read_mode="paired")
    together = paired[paired["site"] == site]
    if len(together) and pd.notna(together["grade"].iloc[0]):
        given = int(together["grade"].iloc[0])
        notes.append(f"read together with the patient's other films: grade {given}")
    return tuple(notes)
