"""Agreement site by site, and the table of two readings' grades."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.agreement import by_site
from core.agreement.bootstrap import DRAWS, SEED
from core.agreement.comparison import CHANGE, STATUS, TOTAL
from core.agreement.grades.confusion import MAX_LEVELS, confusion
from core.agreement.grades.many_raters import many_raters
from core.agreement.grades.two_categories import two_categories
from core.reader_labels import shown_readings
from core.scores.display.layout import layout, placed
from data.queries import scores
from pages.common.agreement.question import Question, codes_of, comparison
from pages.common.page import Page
from pages.common.queries import ask, computed
from pages.common.readings import system_of

MAX_GRADES = 3_000_000  # site grades that a page takes into memory


def too_many_grades(page: Page, question: Question) -> str:
    """Why agreement site by site is not computed here; "" where it is."""
    readings = comparison(page, question).readings
    rows = int((readings.totals["component"] == TOTAL).sum()) * len(codes_of(question))
    if rows <= MAX_GRADES:
        return ""
    return (
        f"This selection holds about {rows:,} site grades; a page takes at most {MAX_GRADES:,}. Choose "
        "fewer patients in the sidebar, or run `sharpline export --table site_scores` and `sharpline "
        "agreement --cluster subject`, which take them all."
    )


def rated_sites(page: Page, question: Question, visit: str, feature: str = "") -> dict[str, pd.DataFrame]:
    """By panel the grades of every place of the map, ``core.agreement.by_site``.

    visit: of the status, "" for all visits. feature: only its sites; a part of the score: only its own. Sites
    of a large unit are summed.
    """
    found: dict[str, pd.DataFrame] = computed(page, _rated_sites, question, visit, feature)
    return found


def _rated_sites(page: Page, question: Question, visit: str, feature: str) -> dict[str, pd.DataFrame]:
    chosen, interval = question.chosen, question.interval
    system = system_of(chosen)
    grades = shown_readings(ask(page, scores.site_grades, chosen), chosen.campaign)
    if feature:
        grades = grades[grades["feature"] == feature]
    grades = grades[grades["site"].isin(codes_of(question))]
    known = placed(grades, layout(system), ["subject", "visit", "label"])
    found = {STATUS: by_site.status_grades(known, visit)}
    if interval.first:
        found[CHANGE] = by_site.change_grades(known, interval.first, interval.last)
    return found


def site_statistics(page: Page, question: Question, visit: str) -> pd.DataFrame:
    """``core.agreement.by_site`` of every place and pair of human readers and models, with ``panel``."""
    found: pd.DataFrame = computed(page, _site_statistics, question, visit)
    return found


def _site_statistics(page: Page, question: Question, visit: str) -> pd.DataFrame:
    pairs = comparison(page, question).pairs
    parts = [
        by_site.by_site(rated, pairs).assign(panel=panel)
        for panel, rated in rated_sites(page, question, visit).items()
    ]
    return pd.concat(parts, ignore_index=True)


@dataclass(frozen=True)
class Squares:
    """The table of two readings' grades. both: the cases, ``subject, visit, site, first, second``.

    cuts: ``core.agreement.grades.two_categories``, patients drawn; empty where the grades are none.
    """

    counts: Any
    levels: list[float]
    both: pd.DataFrame
    values: dict[str, dict[str, Any]]  # statistic -> {estimate, ci}
    patients: int
    cuts: list[dict[str, Any]]


def squares(
    page: Page, question: Question, visit: str, feature: str, panel: str, pair: tuple[str, str]
) -> Squares:
    """Counts of pairs of grades of all sites of a feature, with kappa and shares that resample patients."""
    found: Squares = computed(page, _squares, question, visit, feature, panel, pair)
    return found


def _squares(
    page: Page, question: Question, visit: str, feature: str, panel: str, pair: tuple[str, str]
) -> Squares:
    rated = rated_sites(page, question, visit, feature)[panel]
    both = by_site.graded_by_both(rated, *pair)
    counts, levels = confusion(both["first"], both["second"], _levels(question, feature, panel, both))
    rows = by_site.all_sites(rated[rated["label"].isin(pair)], [pair])
    values = {
        str(row["statistic"]): {
            "estimate": _known(row["estimate"]),
            "ci": [_known(row["low"]), _known(row["high"])],
        }
        for row in rows.to_dict("records")
    }
    cuts = two_categories(both["first"], both["second"], levels, both["subject"], draws=DRAWS, seed=SEED)
    return Squares(counts, levels.tolist(), both, values, both["subject"].nunique(), cuts or [])


def together(page: Page, question: Question, visit: str, feature: str, panel: str) -> dict[str, Any] | None:
    """``core.agreement.grades.many_raters`` of all readers and models; None below three of them."""
    found: tuple[dict[str, Any] | None] = computed(page, _together, question, visit, feature, panel)
    return found[0]


def _together(
    page: Page, question: Question, visit: str, feature: str, panel: str
) -> tuple[dict[str, Any] | None]:
    readings = comparison(page, question).readings
    who = [*readings.people, *readings.models]
    rated = rated_sites(page, question, visit, feature)[panel]
    keys = [name for name in ("subject", "visit", "site") if name in rated]
    table = rated.pivot(index=keys, columns="label", values="grade")
    who = [label for label in who if label in table]
    if len(who) < 3:
        return (None,)
    grades = table[who].astype("float64").dropna(how="all")
    both = pd.DataFrame({"first": grades.min(axis=1), "second": grades.max(axis=1)})
    levels = _levels(question, feature, panel, both)
    patients = grades.index.get_level_values("subject").to_numpy()
    found = many_raters(grades.to_numpy(), levels, patients, draws=DRAWS, seed=SEED)
    return (found and found | {"raters": who, "patients": len(set(patients))},)


def _levels(question: Question, feature: str, panel: str, both: pd.DataFrame) -> list[float] | None:
    """All grades of the feature for status; for change and sums of a unit all between least and most."""
    system = system_of(question.chosen)
    if panel == CHANGE or layout(system).summed:
        seen = both[["first", "second"]].to_numpy(float)
        whole = seen.size and (seen == np.floor(seen)).all() and np.ptp(seen) < MAX_LEVELS
        return np.arange(seen.min(), seen.max() + 1).tolist() if whole else None
    most = max((site.maximum for site in system.sites if feature in ("", site.feature)), default=0)
    return [float(grade) for grade in range(most + 1)]


def _known(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)
