"""How many readers for which SDC and ICC of change: the G study and the D study of the human readers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.agreement.comparison import CHANGE
from core.agreement.generalisability.study import d_study, g_study, readers_for
from core.figures.agreement.readers_needed import by_readers
from core.markdown import md
from pages.common.agreement.error_statistics import read_twice
from pages.common.agreement.question import Comparison, Question, comparison
from pages.common.agreement.widgets import figure, sentence_with_data, with_limits
from pages.common.page import Page
from pages.common.queries import computed
from pages.common.shown_table import show_table
from pages.common.sticky_widgets import pick_number
from pages.common.views.choices import anew

KEY = "agreement_plan_sdc"
SD_OF_REPEAT = "bland_altman.sd"


def readers_needed(page: Page, compared: Comparison) -> None:
    """What scores vary by, and SDC and ICC of change by number of readers."""
    if CHANGE not in compared.panels or len(compared.readings.people) < 2:
        st.markdown("Two readers and two visits are needed.")
        return
    status, change = computed(page, _studies, compared.question)
    if not change["by_readers"]:
        st.markdown(f"Not computable: {change['notes']['by_readers']}.")
        return
    _answer(compared, change)
    rows = table_of(change)
    figure(
        by_readers(rows, on=page.look), "readers_needed",
        alt="SDC and ICC of change over the number of readers",
        sentence=_sentence(compared, change), data=rows,
    )  # fmt: skip
    with st.expander("SDC and ICC by number of readers", icon=":material/table:"):
        show_table(_by_readers(change))
    with st.expander("What scores vary by (G study)", icon=":material/table:"):
        _components(status, change)


def _answer(compared: Comparison, change: dict[str, Any]) -> None:
    """The number of readers for a wanted SDC, beginning with that of the readers here."""
    here = len(compared.readings.people)
    known = {row["readers"]: row["sdc95"]["estimate"] for row in change["by_readers"] if row["reads"] == 1}
    start = math.ceil(10 * float(known.get(min(here, 3)) or 1.0)) / 10
    anew("plan_sdc_for", compared.question, KEY)
    wanted = pick_number("Wanted SDC95", KEY, 0.1, 500.0, start, 0.1)
    count = readers_for(change, sdc=wanted)
    if count is None:
        st.markdown(f"More than {max(known)} readers would be needed for an SDC95 of {wanted:.1f}.")
        return
    row = next(one for one in change["by_readers"] if one["readers"] == count and one["reads"] == 1)
    st.markdown(
        f"**{count} {'reader' if count == 1 else 'readers'}** for an SDC95 of at most {wanted:.1f}: "
        f"{with_limits(row['sdc95']['estimate'], *row['sdc95']['ci'])}, "
        f"ICC(A) of their mean change {with_limits(row['icc']['estimate'], *row['icc']['ci'])}."
    )


def _sentence(compared: Comparison, change: dict[str, Any]) -> str:
    again = change["notes"].get("reads")
    dotted = f"Repeat reads: {again}." if again else "Dotted: each reader reads twice (from repeat readings)."
    return (
        f"Change {md(compared.question.interval.label)}, n = {change['n']} patients read by two or more of "
        f"{change['readers']} readers; 95% intervals ({change['method']}), which take errors as normal: "
        "where error grows with change or is absent in some patients they are too narrow. The interval of "
        "the SDC of the readers here is under Reading error: by bootstrap-t from their own changes, and "
        f"mostly wider. {dotted}"
    )


def _components(status: dict[str, Any], change: dict[str, Any]) -> None:
    """Variances of status and change as one table."""
    rows = [
        {"of": name, "varies by": row["name"], "variance": row["variance"], "low": row["ci"][0],
         "high": row["ci"][1], "proportion": row["share"]}
        for name, found in (("status", status), ("change", change))
        for row in found["components"]
    ]  # fmt: skip
    shown = [
        {"of": row["of"], "varies by": row["varies by"],
         "variance (95% CI)": with_limits(row["variance"], row["low"], row["high"]),
         "proportion": f"{100 * row['proportion']:.0f}%" if row["proportion"] is not None else ""}
        for row in rows
    ]  # fmt: skip
    show_table(pd.DataFrame(shown))
    note = "".join(f" Status: {why}." for why in status["notes"].values())
    sentence_with_data(
        "Status: both visits, their means taken off. A difference of a reader "
        f"on one patient that stays from visit to visit (patient x reader) cancels out of change.{note}",
        pd.DataFrame(rows), "components",
    )  # fmt: skip


def _by_readers(change: dict[str, Any]) -> pd.DataFrame:
    """SDC and ICC of every number of readers, in words."""
    rows = [
        {
            "readers": row["readers"],
            "reads of each": row["reads"],
            "SDC95 of their mean (95% CI)": with_limits(row["sdc95"]["estimate"], *row["sdc95"]["ci"]),
            "ICC(A) of their mean change (95% CI)": with_limits(row["icc"]["estimate"], *row["icc"]["ci"]),
        }
        for row in change["by_readers"]
    ]
    return pd.DataFrame(rows)


def table_of(change: dict[str, Any]) -> pd.DataFrame:
    """``readers, reads, sdc, sdc_low, sdc_high, icc, icc_low, icc_high``."""
    rows = []
    for row in change["by_readers"]:
        found = {"readers": row["readers"], "reads": row["reads"]}
        for name, key in (("sdc", "sdc95"), ("icc", "icc")):
            low, high = row[key]["ci"]
            found |= {name: row[key]["estimate"], f"{name}_low": low, f"{name}_high": high}
        rows.append(found)
    return pd.DataFrame(rows)


def _studies(page: Page, asked: Question) -> tuple[dict[str, Any], dict[str, Any]]:
    compared = comparison(page, asked)
    who = compared.readings.people
    totals = compared.readings.totals
    totals = totals[(totals["component"] == asked.component) & totals["label"].isin(who)]
    at = [
        totals[totals["visit"] == visit].pivot(index="subject", columns="label", values="total")
        for visit in (asked.first, asked.last)
    ]
    subjects = sorted(set(at[0].index) | set(at[1].index))
    scores = np.stack([one.reindex(index=subjects, columns=who).to_numpy(dtype=float) for one in at], axis=2)
    return g_study(scores), d_study(scores[:, :, 1] - scores[:, :, 0], within=_within(page, asked))


def _within(page: Page, asked: Question) -> float | None:
    """Error variance of change of readers who read again, mean over the readers; None without any."""
    found = read_twice(page, asked)
    found = found[(found["panel"] == CHANGE) & (found["component"] == asked.component)]
    squares = found.loc[found["statistic"] == SD_OF_REPEAT, "estimate"].dropna().astype(float) ** 2 / 2
    return float(squares.mean()) if len(squares) else None
