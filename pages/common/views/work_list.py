"""The patients as a work list: each with change, flag and arm, sorted by what asks for a look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core import scores as systems
from core.domain import CohortFilter
from core.reader_labels import people
from core.report import formatting
from core.ties import in_order
from data.queries import cohort
from data.queries.work_list import model_doubt
from pages.common.page import Page
from pages.common.progression.grids import Totals, all_totals
from pages.common.progression.question import baseline_visit
from pages.common.queries import ask, computed
from pages.common.readings import Error, reader_error
from pages.common.sticky_widgets import pick
from pages.common.views.choices import SHARED

BY_NAME, BY_CHANGE, BY_DOUBT, BY_DISAGREEMENT = "name", "change", "doubt", "disagreement"
SORTED = SHARED["sort"]
TITLES = {
    BY_NAME: "Name",
    BY_CHANGE: "Change",
    BY_DOUBT: "Model's doubt",
    BY_DISAGREEMENT: "Readers differ",
}
HELP = (
    "Largest first. Change: mean of the readers. Readers differ: largest minus smallest of their changes. "
    "Doubt: standard deviation that the model's grade probabilities leave in its score at the later visit, "
    "sites taken as independent."
)


@dataclass(frozen=True)
class WorkList:
    """Of all patients chosen, by name. rows: ``subject, arm, change, beyond`` (beyond the SDC, None where it
    is not known), ``disagreement, doubt``; arm only where it is shown, numbers NaN where not known.

    first, last: the visits of the change, "" without two visits. error: the readers' error between them.
    """

    rows: pd.DataFrame
    first: str = ""
    last: str = ""
    error: Error | None = None

    def sorted_by(self, name: str) -> pd.DataFrame:
        """Largest first, who has no such number last; among equals by name."""
        if name == BY_NAME:
            return self.rows
        return self.rows.iloc[in_order(self.rows[name], largest_first=True)].reset_index(drop=True)

    @property
    def orders(self) -> list[str]:
        """What the list can be sorted by."""
        return [name for name in TITLES if name == BY_NAME or self.rows[name].notna().any()]


def work_list(page: Page, chosen: CohortFilter, first: str = "", last: str = "", rule: str = "") -> WorkList:
    """Change between two visits, from baseline to the last visit of the study where none are named.

    rule: under which totals are made, the system's default without one. A blinded reader gets the names
    alone.
    """
    rule = rule or systems.get(chosen.system).default_rule.name
    found: WorkList = computed(page, _work_list, chosen, first, last, page.sees_arm, rule)
    return found


def pick_order(found: WorkList, **options: Any) -> str:
    """The choice of the order, one for all pages; only the name where nothing else is known."""
    orders = found.orders
    if len(orders) < 2:
        return BY_NAME
    return pick("Sorted by", orders, SORTED, format_func=TITLES.__getitem__, help=HELP, **options)


def labels(found: WorkList) -> dict[str, str]:
    """Patient -> "P019 · +7.5 > SDC · Placebo", what is known of it."""
    told = {}
    columns = (found.rows[name].tolist() for name in ("subject", "arm", "change", "beyond"))
    for subject, arm, change, beyond in zip(*columns, strict=True):
        parts = [str(subject)]
        if not pd.isna(change):
            parts.append(formatting.signed(change, 1) + (" > SDC" if beyond is True else ""))
        told[str(subject)] = " · ".join(parts + ([str(arm)] if arm and not pd.isna(arm) else []))
    return told


def _work_list(
    page: Page, chosen: CohortFilter, first: str, last: str, sees_arm: bool, rule: str
) -> WorkList:
    subjects = ask(page, cohort.subjects, chosen)
    rows = pd.DataFrame(
        {"subject": subjects["subject"].astype(str), "arm": None, "beyond": None}, dtype=object
    )
    rows = rows.assign(change=np.nan, disagreement=np.nan, doubt=np.nan)
    if sees_arm:
        rows["arm"] = subjects["arm"].astype(object)
    if page.is_reader or rows.empty:
        return WorkList(rows)
    totals = all_totals(page, chosen.system, chosen.campaign, "total", rule)
    first, last = _visits(totals, first, last)
    if not first:
        return WorkList(rows)
    error = reader_error(page, chosen, first, last, rule=rule)
    change, disagreement = _changes(totals, rows["subject"], first, last)
    rows = rows.assign(change=change, disagreement=disagreement)
    if error is not None:
        limit = np.where(np.isnan(disagreement), error.one, error.mean)  # of one reader, or as usual
        beyond = np.abs(change) > limit + 1e-9
        rows["beyond"] = pd.Series(beyond, dtype=object).where(~np.isnan(change), None)
    doubt = ask(page, model_doubt, chosen, last).set_index("subject")["doubt"]
    return WorkList(rows.assign(doubt=rows["subject"].map(doubt).astype(float)), first, last, error)


def _visits(totals: Totals, first: str, last: str) -> tuple[str, str]:
    """The two visits, those of the study where they are not named; "" where there are no two."""
    days = totals.grid.visit_days()
    known = [visit for visit in totals.grid.visits if visit in days]
    if len(known) < 2:
        return "", ""
    first = first if first in known[:-1] else baseline_visit({visit: days[visit] for visit in known[:-1]})
    later = known[known.index(first) + 1 :]
    return first, last if last in later else later[-1]


def _changes(totals: Totals, subjects: pd.Series, first: str, last: str) -> tuple[np.ndarray, np.ndarray]:
    """(mean change of the human readers, largest minus smallest of theirs) of each patient."""
    grid = totals.grid.only(readers=people(totals.kinds))
    before, after = grid.visits.index(first), grid.visits.index(last)
    each = pd.DataFrame(grid.totals[:, after] - grid.totals[:, before], index=grid.subjects)
    each = each.reindex(subjects)
    apart = (each.max(axis=1) - each.min(axis=1)).where(each.notna().sum(axis=1) > 1)
    return each.mean(axis=1).to_numpy(float), apart.to_numpy(float)
