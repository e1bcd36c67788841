"""The frame of the Agreement page: what is asked, its sections, who was left out, how it was made."""

from __future__ import annotations

from pages.common.agreement import (
    disagreements,
    drift,
    grades,
    model_as_reader,
    pair,
    planning,
    reading_error,
    sites,
    subgroups,
)
from pages.common.agreement.question import Comparison
from pages.common.agreement.verdicts.section import verdicts
from pages.common.agreement.widgets import SECTION
from pages.common.agreement.with_model.section import with_and_without
from pages.common.page import Page
from pages.common.views.sections import Section, open_one

SECTIONS: dict[str, Section] = {
    "Patient by patient": pair.one_pair,
    "Site by site": sites.site_by_site,
    "Grades": grades.grades,
    "Subgroups": subgroups.groups,
    "Model as a reader": model_as_reader.model_as_reader,
    "Verdicts": verdicts,
    "With and without the model": with_and_without,
    "Largest disagreements": disagreements.worst,
    "Device drift": drift.device_drift,
    "Reading error": reading_error.reading_error,
    "Planning": planning.planning,
}


def sections(page: Page, compared: Comparison) -> None:
    """One section at a time: only the open one is computed."""
    open_one("Look closer", SECTIONS, SECTION, (page, compared), label_visibility="collapsed", wrap=True)
