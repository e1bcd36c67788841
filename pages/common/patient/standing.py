"""Where a patient's change and status lie among all patients."""

from __future__ import annotations

import numpy as np

from core.markdown import md
from core.patient.standing import Rank, rank_among
from core.reader_labels import people
from pages.common.page import Page
from pages.common.patient.case import Case
from pages.common.progression.grids import all_totals
from pages.common.queries import computed


def standing(page: Page, case: Case) -> str:
    """Where change and status lie among all patients of the cohort; empty where it cannot be said."""
    if page.is_reader or case.first == case.last or case.mean_change is None:
        return ""
    change, status = computed(
        page, _ranks, case.subject, case.chosen.system, case.chosen.campaign, case.first, case.last,
        case.rule.name,
    )  # fmt: skip
    if change is None or change.percentile is None:
        return ""
    text = f"**Rank of the change among {change.n + 1} patients:** {_place(change)}"
    if status is not None and status.percentile is not None:
        more = f"{100 * status.below / status.n:.0f}%"
        text += f"; at {md(case.last)} more {case.system.measures} than in {more} of the other {status.n}"
    return text + "."


def _place(rank: Rank) -> str:
    """Where it stands, the largest change first: "8th", "8th to 10th" where others have the same."""
    first, last = rank.above + 1, rank.above + 1 + rank.equal
    return _ordinal(first) if first == last else f"{_ordinal(first)} to {_ordinal(last)}"


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _ranks(
    page: Page, subject: str, system: str, campaign: str, first: str, last: str, rule: str
) -> tuple[Rank | None, Rank | None]:
    found = all_totals(page, system, campaign, "total", rule)
    grid = found.grid.only(readers=people(found.kinds))
    if subject not in grid.subjects or first not in grid.visits or last not in grid.visits:
        return None, None
    place = grid.visits.index(last)
    return (
        _rank_of(grid.change_from(first)[:, place], grid.subjects == subject),
        _rank_of(grid.status()[:, place], grid.subjects == subject),
    )


def _rank_of(values: np.ndarray, is_own: np.ndarray) -> Rank | None:
    own = values[is_own]
    return None if np.isnan(own).all() else rank_among(float(own[0]), values[~is_own])
