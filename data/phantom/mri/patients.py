"""Stacks of the patients of a study: everything follows from (study, patient, week, view)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.phantom.mri.conditions import Scan, draw_scan, draw_visit
from data.phantom.mri.course import Patch, lesions_at, patches
from data.phantom.mri.distractors import draw_marrow
from data.phantom.mri.drawing.bones import Marrow
from data.phantom.mri.lesions import Lesion
from data.phantom.mri.population import CLINIC, Population
from data.phantom.mri.render import Plan, RenderedStack, plan_stack, render_stack
from data.phantom.seeds import StudySeed, derived_seed
from data.phantom.spine.body import Body, make_body

WEEKS = (0, 12, 24)
REGIONS = ("cervical", "thoracic", "lumbar")


@dataclass(frozen=True)
class Patient:
    """One patient: the body of the films, its marrow, and the patches of oedema over time."""

    study: StudySeed
    number: int
    domain: str
    population: Population
    body: Body
    marrow: Marrow
    patches: tuple[Patch, ...]

    @property
    def subject(self) -> str:
        return self.study.subject(self.number)

    def lesions(self, week: float) -> tuple[Lesion, ...]:
        """Oedema at a week after baseline, and fat where some was."""
        return lesions_at(list(self.patches), week, self.population)

    def scan(self, week: int, view: str) -> Scan:
        """How a stack of this visit is taken."""
        seed = self.study.film_seed()
        visit = draw_visit(np.random.default_rng(derived_seed(seed, self.subject, "mri", week)), self.domain)
        rng = np.random.default_rng(derived_seed(seed, self.subject, "mri", week, view))
        return draw_scan(rng, view, self.domain, visit=visit)

    def plan(self, week: int, view: str) -> Plan:
        """Where spine and voxels of a stack lie. Nothing is rendered."""
        return plan_stack(self.body, self.scan(week, view))

    def stack(self, week: int, view: str) -> RenderedStack:
        """Render STIR, T1 and masks of one view (``cervical``, ``thoracic``, ``lumbar`` or ``whole``)."""
        return render_stack(self.body, self.scan(week, view), self.marrow, self.lesions(week))


def make_patient(
    study: StudySeed,
    number: int,
    *,
    domain: str = "first",
    population: Population = CLINIC,
    last: float = 104.0,
) -> Patient:
    """Patient ``number`` (from 1) of a study, who has the body of the films of the same study.

    last: week up to which patches of oedema appear; the first ones do not depend on it.
    """
    body = make_body(derived_seed(study.film_seed(), study.subject(number), "body"), domain=domain)
    found = tuple(patches(study, number, body, population, last))
    return Patient(study, number, domain, population, body, draw_marrow(body), found)
