"""The result under other rules for missing sites and other methods for missing films."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from core.errors import InputError
from core.progression.missing.methods import BY_NAME, METHODS
from core.progression.missing.sensitivity import SensitivityOptions, sensitivity
from pages.common.page import Page
from pages.common.progression.question import IMPUTED, Question, without_films
from pages.common.progression.results import asked_grid, campaign_sdc
from pages.common.queries import computed, shelf


def under_method(page: Page, asked: Question) -> pd.DataFrame:
    """Means, shares and differences under the chosen rule and film method (see ``sensitivity``)."""
    found: pd.DataFrame = computed(page, _panel, asked, asked.rule_used.name, asked.films)
    return found


def panel_of_rule(page: Page, asked: Question, rule: str) -> pd.DataFrame:
    """The same under one missing-site rule and every method."""
    found: pd.DataFrame = computed(page, _panel, *_panel_arguments(asked, rule))
    return found


def is_known(page: Page, asked: Question, rule: str) -> bool:
    """Whether the panel of this rule was computed already."""
    return shelf().has(page, _panel, _panel_arguments(asked, rule))


def _panel_arguments(asked: Question, rule: str) -> tuple[Question, str, str]:
    return replace(without_films(asked), rule=""), rule, ""


def _panel(page: Page, asked: Question, rule: str, films: str) -> pd.DataFrame:
    of_rule = replace(without_films(asked), rule=rule)
    grid = asked_grid(page, of_rule)
    days = tuple(grid.visit_days().values())
    methods = METHODS if not films else (BY_NAME[films],)
    reference = grid.reference if grid.reference in set(grid.arm) else None
    sdc = campaign_sdc(page, of_rule, IMPUTED)
    options = SensitivityOptions(*asked.days, methods=methods, visit_days=days, reference=reference, sdc=sdc)
    try:
        return sensitivity({rule: grid.frame()}, options)
    except InputError:
        return pd.DataFrame()


def missing_counts(page: Page, asked: Question) -> dict[str, int]:
    """What is missing at the two visits among those asked: ``readings, imputed, incomplete`` (no total)."""
    grid = asked_grid(page, asked)
    here = [place for place, visit in enumerate(grid.visits) if visit in (asked.first, asked.last)]
    read, imputed, totals = grid.read[:, here], grid.imputed[:, here], grid.totals[:, here]
    return {
        "readings": int(read.sum()),
        "imputed": int(imputed[read & ~np.isnan(totals)].sum()),
        "incomplete": int((read & np.isnan(totals)).sum()),
        "sites": int(read.sum()) * len(asked.sites),
    }
