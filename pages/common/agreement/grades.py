"""The grades of two readings against each other: tables whose squares open patients and films."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.agreement.comparison import STATUS
from core.agreement.plain_words import kappa_sentence
from core.domain import ReaderKind
from core.figures.agreement.squares import confusion
from core.markdown import md
from core.reader_labels import display_name, md_name
from core.report import formatting
from pages.common.agreement import question
from pages.common.agreement.all_raters import all_raters
from pages.common.agreement.question import Comparison
from pages.common.agreement.site_statistics import Squares, squares, too_many_grades
from pages.common.agreement.sites import ALL_VISITS, VISIT
from pages.common.agreement.widgets import (
    beside,
    figure,
    listed_cases,
    open_first,
    pick_pair,
    readable_pair,
    sentence_with_data,
    titled,
)
from pages.common.page import Page
from pages.common.readings import system_of
from pages.common.shown_table import show_table
from pages.common.sticky_widgets import pick

FEATURE, KEY = "agreement_feature", "grades"
MAX_SQUARES = 30
CUTS = {
    "kappa": "kappa",
    "pabak": "PABAK",
    "prevalence_index": "prevalence index",
    "bias_index": "bias index",
}


def grades(page: Page, compared: Comparison) -> str:
    """All sites together; a click on a square opens its first case and lists the others."""
    reason = too_many_grades(page, compared.question)
    if reason:
        st.info(reason, icon=":material/database:")
        return ""
    system = system_of(compared.question.chosen)
    there = {system.by_code[code].feature for code in question.codes_of(compared.question)}
    features = {feature.name: feature.code for feature in system.features if feature.code in there}
    columns = st.columns([2, 1.2, 1.2])
    with columns[0]:
        pair = pick_pair(compared)
    with columns[1]:
        visit = pick("Status at", [ALL_VISITS, *compared.readings.visits], VISIT)
    with columns[2]:
        feature = features[pick("Grade of", list(features), FEATURE)]
    visit = "" if visit == ALL_VISITS else visit
    for column, panel in zip(beside(len(compared.panels)), compared.panels, strict=True):
        with column:
            if panel == STATUS:
                st.markdown(f"## Status, {md(visit or ALL_VISITS)}")
            else:
                titled(compared, panel)
            _table(page, compared, panel, visit, feature, pair)
    listed_cases(compared, KEY, system.codes)
    all_raters(page, compared, visit, feature)
    return (
        f"Grades of {readable_pair(*pair, ' and ')} were compared at all sites together by quadratically "
        f"weighted kappa, status at {visit or ALL_VISITS}, and grades of all readings by Fleiss' and "
        "Conger's kappa, Krippendorff's alpha and Gwet's AC1 and AC2; intervals resample patients."
    )


def _table(
    page: Page, compared: Comparison, panel: str, visit: str, feature: str, pair: tuple[str, str]
) -> None:
    found = squares(page, compared.question, visit, feature, panel, pair)
    if found.both.empty or len(found.levels) > MAX_SQUARES:
        st.markdown(
            "No site was graded by both." if found.both.empty else "Too many different grades for a table."
        )
        return
    unit = "change of grade" if panel != STATUS else "grade"
    drawn = confusion(found.counts, found.levels, _pair(compared, pair, unit), on=page.look)
    clicked = figure(
        drawn, f"grades_{panel}", alt=f"Grades of {readable_pair(*pair, ' against those of ')}, {panel}",
        sentence=_sentence(found), data=_long(found, pair), clicks=True,
    )  # fmt: skip
    with st.expander("Kappa, prevalence and bias at each cut", icon=":material/table:"):
        _cuts(found, pair, panel)
    if clicked:
        _open(compared, found, pair, panel, [float(value) for value in clicked[:2]])


def _cuts(found: Squares, pair: tuple[str, str], panel: str) -> None:
    """Why kappa may be low where agreement is high, for the two categories of each cut."""
    rows = cut_rows(found.cuts)
    if rows.empty:
        st.markdown("One grade throughout: there is no cut.")
        return
    shown = {
        name: [formatting.with_interval(list(value), signed=name.endswith("index")) for value in part]
        for name, part in (
            (title, rows.loc[rows["statistic"] == title, ["estimate", "low", "high"]].to_numpy())
            for title in CUTS.values()
        )
    }
    at_least = rows["at_least"].drop_duplicates().map("{:g} or more".format)
    show_table(pd.DataFrame({"cut": list(at_least)} | shown))
    sentence_with_data(
        "Two categories: the grade or more, and less. Near −1 or 1 of the prevalence index kappa is low "
        "however well readers agree; PABAK is without it. Bias index above 0: "
        f"{md_name(pair[0])} reaches the cut more often. Intervals resample patients.",
        rows, f"cuts_{panel}",
    )  # fmt: skip


def cut_rows(cuts: list[dict[str, Any]]) -> pd.DataFrame:
    """``at_least, statistic, estimate, low, high``."""
    rows = [
        (cut["at_least"], title, *(_known(v) for v in (cut[name]["estimate"], *cut[name]["ci"])))
        for cut in cuts
        for name, title in CUTS.items()
    ]
    return pd.DataFrame(rows, columns=["at_least", "statistic", "estimate", "low", "high"])


def _known(value: float | None) -> float:
    return float("nan") if value is None else value


def _pair(compared: Comparison, pair: tuple[str, str], unit: str):
    from core.figures.agreement.pairs import Pair

    return Pair(*pair, unit, ReaderKind(compared.readings.kind(*pair)))


def _sentence(found: Squares) -> str:
    kappa = found.values["kappa.quadratic"]
    exact, near = (found.values[name]["estimate"] for name in ("exact_agreement", "within_one"))
    return (
        f"n = {len(found.both):,} grades of {found.patients:,} patients. "
        f"{kappa_sentence(kappa, exact, near)} Intervals resample "
        "patients. Click a square to open its first case; the others are listed here."
    )


def _long(found: Squares, pair: tuple[str, str]) -> pd.DataFrame:
    rows = [
        (found.levels[i], found.levels[j], int(found.counts[i][j]))
        for i in range(len(found.levels))
        for j in range(len(found.levels))
    ]
    return pd.DataFrame(rows, columns=[pair[0], pair[1], "count"])


def cases_of(found: Squares, first: float, second: float) -> pd.DataFrame:
    """The cases of one square: ``subject``, maybe ``visit``, ``site``, ``first, second, difference``."""
    both = found.both
    return both[(both["first"] == first) & (both["second"] == second)].reset_index(drop=True)


def _open(
    compared: Comparison, found: Squares, pair: tuple[str, str], panel: str, clicked: list[float]
) -> None:
    cases = cases_of(found, *clicked)
    title = f"{display_name(pair[0])} {clicked[0]:g}, {display_name(pair[1])} {clicked[1]:g}, {panel}"
    open_first(compared, cases, title, KEY, system_of(compared.question.chosen).codes)
