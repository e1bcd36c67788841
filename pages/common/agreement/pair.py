"""One pair of readings, patient by patient: scatter and Bland-Altman, status beside change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.agreement.estimate import estimate
from core.agreement.limits.regression import regression_limits
from core.agreement.plain_words import FEW_PATIENTS, limits_sentence
from core.figures.agreement import pairs as figures
from core.reader_labels import md_name
from core.report.formatting import signed
from pages.common.agreement import statistics
from pages.common.agreement.question import Comparison, Question, comparison
from pages.common.agreement.widgets import beside, figure, open_case, pick_pair, readable_pair, titled
from pages.common.page import Page
from pages.common.provenance import as_csv
from pages.common.queries import computed
from pages.common.sticky_widgets import switch

SLOPING = "agreement_sloping"


def one_pair(page: Page, compared: Comparison) -> str:
    """A click on a point opens the patient and the films."""
    who, how = st.columns([2, 1], vertical_alignment="bottom")
    with who:
        pair = pick_pair(compared)
    with how:
        sloping = switch(
            "Limits that follow the mean", SLOPING, help="For differences that grow with the score: limits "
            "from a regression of the differences and of their spread on the mean (Bland and Altman 1999)",
        )  # fmt: skip
    for column, panel in zip(beside(len(compared.panels)), compared.panels, strict=True):
        with column:
            titled(compared, panel)
            _panel(page, compared, panel, pair, sloping)
    how = (
        "limits of agreement from a regression of the differences and of their spread on the mean"
        if sloping
        else "limits of agreement as mean difference ± 1.96 SD with exact intervals"
    )
    return f"{readable_pair(*pair, ' and ')} were compared patient by patient, {how} (Bland and Altman 1999)."


def _panel(page: Page, compared: Comparison, panel: str, names: tuple[str, str], sloping: bool) -> None:
    first, second = names
    count = len(compared.rows(panel, first, second))
    if count < 2:
        st.markdown(f"n = {count}: too few patients were scored by both.")
        return
    found: Plots = computed(page, _plots, compared.question, panel, names, sloping)
    clicked = figure(
        found.scatter, f"scatter_{panel}", alt=f"{second} over {first}, {panel}", sentence=found.bias,
        data=found.data, clicks=True,
    )  # fmt: skip
    clicked = figure(
        found.bland_altman, f"bland_altman_{panel}", alt=f"Difference over mean, {panel}",
        sentence=found.limits, data=found.more_data, clicks=True,
    ) or clicked  # fmt: skip
    if clicked:
        open_case(compared, str(clicked[0]))


@dataclass(frozen=True)
class Plots:
    """Both figures of a pair in one panel, the sentence under each, and the data of each as CSV."""

    scatter: Any
    bias: str
    data: bytes
    bland_altman: Any
    limits: str
    more_data: bytes


def _plots(page: Page, asked: Question, panel: str, names: tuple[str, str], sloping: bool) -> Plots:
    first, second = names
    compared = comparison(page, asked)
    pair, rows = compared.pair(first, second), compared.rows(panel, first, second)
    limits = statistics.limits(page, asked, panel, first, second)
    data = _named(rows, first, second)
    lines = (
        regression_limits(rows["first"].to_numpy(dtype=float), rows["second"].to_numpy(dtype=float))
        if sloping and len(rows) >= FEW_PATIENTS
        else None
    )
    is_few = len(rows) < FEW_PATIENTS  # then points and bias are drawn, no limits
    drawn = limits | {"loa": dict.fromkeys(("lower", "upper"), estimate(None))} if is_few else limits
    mean, gap = (rows["first"] + rows["second"]) / 2, rows["first"] - rows["second"]
    return Plots(
        figures.scatter(rows, pair, keys=("subject",), on=page.look),
        _bias_sentence(limits, pair, len(rows)),
        as_csv(data),
        figures.bland_altman(rows, drawn, pair, regression=lines, keys=("subject",), on=page.look),
        f"n = {len(rows)}. {limits_sentence(limits, md_name(first), md_name(second), pair.unit)}"
        f"{_slope(limits)} Click a point to open the patient and the {compared.images}.",
        as_csv(data.assign(mean=mean, gap=gap)),
    )


def _named(rows: pd.DataFrame, first: str, second: str) -> pd.DataFrame:
    return rows.rename(columns={"first": first, "second": second})


def _bias_sentence(limits: dict, pair: figures.Pair, n: int) -> str:
    bias = limits["bias"]
    value = bias["estimate"]
    more = (
        "as much as" if abs(value) < 0.005 else f"{abs(value):.2f} {'higher' if value > 0 else 'lower'} than"
    )
    return (
        f"n = {n}. {md_name(pair.first)} scores {more} {md_name(pair.second)} on average "
        f"(95% CI of the difference {signed(bias['ci'][0])} to {signed(bias['ci'][1])} {pair.unit})."
    )


def _slope(limits: dict) -> str:
    """Whether the difference grows with the score, where that is known."""
    slope, p = limits["proportional_bias"]["slope"], limits["proportional_bias"]["p"]
    if limits["n"] < FEW_PATIENTS or slope is None or p is None or not np.isfinite(p) or p >= 0.05:
        return ""
    sure = "< 0.001" if p < 0.001 else f"= {p:.3f}"
    return f" The difference changes with the score: slope {signed(slope)}, p {sure}."
