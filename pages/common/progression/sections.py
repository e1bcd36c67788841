"""More about the change, one section at a time: only the open one is computed."""

from __future__ import annotations

from pages.common.page import Page
from pages.common.progression.by_patient import by_patient
from pages.common.progression.by_site import changed_sites
from pages.common.progression.components import parts
from pages.common.progression.cuts.remission import remission_cuts
from pages.common.progression.estimands.section import estimands_section
from pages.common.progression.figures import Found, shown_way
from pages.common.progression.fitting.adjusted import adjusted
from pages.common.progression.fitting.models import models
from pages.common.progression.frozen_analyses import frozen_analyses
from pages.common.progression.over_time import over_time
from pages.common.progression.plan.plan_a_trial import plan_a_trial
from pages.common.progression.plan.responsiveness import responsiveness
from pages.common.progression.question import Question
from pages.common.progression.sensitivity import sensitivity
from pages.common.progression.subgroups import subgroups
from pages.common.views.sections import Section, open_one

KEY = "progression_section"


def sections(page: Page, asked: Question, found: Found) -> None:
    """The sections, and the one that is open."""
    known: dict[str, Section] = {
        "Patient by patient": by_patient,
        "Over time": over_time,
        "Where": changed_sites,
        "Parts of the score": lambda page, asked, found: parts(page, asked, shown_way(found)),
        "Subgroups": subgroups,
        "Models and tests": models,
        "Strata and covariates": adjusted,
        "Missing data": sensitivity,
        "Estimands": estimands_section,
        "Responsiveness": responsiveness,
        "Plan a trial": plan_a_trial,
        "Access log and frozen analyses": frozen_analyses,
    }
    if asked.system.remission:
        known = {"Remission": remission_cuts, **known}
    open_one("More about this change", known, KEY, (page, asked, found))
