"""How many patients would a trial like this one need?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from core.errors import InputError
from core.figures.progression.planning import power_by_patients
from core.markdown import md
from core.progression.pairing import WINDOW_DAYS, Interval
from core.progression.planning.means import steady_loss
from core.progression.planning.plan import SHORT, TESTS, Design, plan, power_curve
from core.progression.planning.ranks import EFFECT_WORDS, EFFECTS
from core.progression.planning.start import Start, start
from core.reader_labels import md_name
from core.report.formatting import number
from pages.common import guards
from pages.common.charts import chart
from pages.common.page import Page
from pages.common.progression import results
from pages.common.progression.figures import Found, shown_way
from pages.common.progression.question import Question
from pages.common.provenance import download
from pages.common.queries import computed
from pages.common.shown_table import show_table
from pages.common.sticky_widgets import pick, pick_number
from pages.common.views.choices import anew

CURVE_POINTS = 40
KEY = "progression_plan_"
OF_THIS_CHANGE = ("sd", "sdc", "mean", "gap", "cutoff", "correlation", "dropout", "readers")
TREATED = {"fewer": "progress less often", "smaller": "progress less", "shift": "all shift"}


@dataclass(frozen=True)
class Wish:
    """What the planner typed. difference: in units of the score."""

    difference: float
    mean: float
    sd: float
    sdc: float
    readers: int
    correlation: float
    effect: str
    cutoff: float
    power: float
    alpha: float
    dropout: float
    allocation: float


def plan_a_trial(page: Page, asked: Question, found: Found) -> str:
    """Patients per arm by test, from the change, reading error and dropout of this study."""
    way = shown_way(found)
    begun: Start | None = computed(page, _start, asked, way)
    if begun is None or begun.sd is None:
        st.info("A plan begins with the changes of three patients who differ.", icon=":material/inbox:")
        return ""
    who = "all patients, arms together" if begun.controls is None else f"the arm {md(begun.controls)}"
    st.caption(
        f"The boxes begin with this study: {begun.patients} patients, change from {md(asked.first)} to "
        f"{md(asked.last)} as scored by {md_name(asked.scorer)}; the mean is that of {who}, the SD that "
        "within arms. Change any of them. On the command line: `sharpline plan --from` an exported table of "
        "totals."
    )
    wish = _wish(asked, begun)
    if wish is None:
        return ""
    with guards.errors_shown():
        try:
            result, curve = computed(page, _planned, asked, way, wish)
        except InputError as problem:
            st.warning(str(problem), icon=":material/report:")
            return ""
    _show(page, wish, result, curve)
    return f"{_in_words(wish, result).replace('**', '')} {' '.join(result['assumptions'])}"


def _start(page: Page, asked: Question, way: str) -> Start | None:
    readings = results.all_readings(page, asked, way)
    found = start(readings, Interval(*asked.days, WINDOW_DAYS))
    return found if found.patients else None


def _wish(asked: Question, begun: Start) -> Wish | None:
    """The boxes; None where no difference is asked for."""
    anew("plan_for", asked, *(f"{KEY}{name}" for name in OF_THIS_CHANGE))
    one, two, three, four = st.columns(4)
    difference = _difference(one, two, begun)
    power = _number(three, "Power, %", "power", 50, 99, 90, 5) / 100
    lost = min(round(100 * begun.lost), 60)
    dropout = _number(four, "Dropout, %", "dropout", 0, 90, lost, 5) / 100
    one, two, three, four = st.columns(4)
    sd = _number(one, "SD of change", "sd", 0.01, None, round(begun.sd or 1.0, 2), 0.1)
    sdc = _number(
        two, "SDC95 of one reader", "sdc", 0.0, None, round(begun.sdc or 0.0, 2), 0.1,
        help="Their reading error: 1.96 times the SD of one reader's error of change. 0: not known.",
    )  # fmt: skip
    readers = _number(three, "Readers of the trial", "readers", 1, 10, begun.readers, 1)
    correlation = _number(
        four, "Correlation with baseline", "correlation", -0.95, 0.95, round(begun.correlation or 0.0, 2),
        0.05, help="Of the change with the baseline value, within arms.",
    )  # fmt: skip
    one, two, three, four = st.columns(4)
    with one:
        effect = pick(
            "Treated patients", EFFECTS, f"{KEY}effect", format_func=TREATED.__getitem__,
            help=" \n\n".join(f"**{TREATED[name]}**: {text}" for name, text in EFFECT_WORDS.items()),
        )  # fmt: skip
    beyond = round((begun.sdc or 0.0) / math.sqrt(begun.readers or 1), 2)
    cutoff = _number(
        two, "Progressors change by more than", "cutoff", 0.0, None, beyond, 0.5,
        help="Begins with the SDC95 of the mean of this study's readers; 0 counts any change.",
    )  # fmt: skip
    alpha = _number(three, "Alpha, two-sided", "alpha", 0.001, 0.2, 0.05, 0.01, format="%.3f")
    allocation = _number(four, "Treated per control", "allocation", 0.2, 5.0, 1.0, 0.5)
    if difference <= 0:
        st.info("A difference above 0 is needed.", icon=":material/edit:")
        return None
    return Wish(
        difference, begun.mean, sd, sdc, int(readers), correlation, effect, cutoff, power, alpha, dropout,
        allocation,
    )  # fmt: skip


def _number(place: Any, title: str, name: str, *limits: Any, **more: Any) -> float:
    with place:
        return pick_number(title, f"{KEY}{name}", *limits, **more)


def _difference(one: Any, two: Any, begun: Start) -> float:
    """The difference in units of the score: typed, or as a share of the controls' mean change."""
    if round(begun.mean, 2) <= 0:
        start_at = round((begun.sd or 1.0) / 2, 2)
        two.caption(f"Mean change here {number(begun.mean)}: no share of it can be prevented.")
        return _number(one, "Difference to be found", "gap", 0.0, None, start_at, 0.1)
    mean = _number(one, "Mean change of controls", "mean", 0.01, None, round(begun.mean, 2), 0.1)
    return mean * _number(two, "Treatment prevents, % of that", "reduction", 1, 100, 50, 5) / 100


def _planned(page: Page, asked: Question, way: str, wish: Wish) -> tuple[dict[str, Any], pd.DataFrame]:
    begun = computed(page, _start, asked, way)
    between = begun.between_visits
    design = Design(
        sd=wish.sd, sd_readers=begun.readers, sdc=wish.sdc or None, readers=wish.readers,
        difference=wish.difference, mean=wish.mean, changes=begun.changes, effect=wish.effect,
        cutoff=wish.cutoff, correlation=wish.correlation, between_visits=between,
        retention=None if between is None else steady_loss(len(between), wish.dropout),
        alpha=wish.alpha, power=wish.power, allocation=wish.allocation, dropout=wish.dropout,
    )  # fmt: skip
    result = plan(design)
    most = max(row["enrol"]["total"] for row in result["tests"])
    totals = sorted({max(6, round(most * 1.3 * (step + 1) / CURVE_POINTS)) for step in range(CURVE_POINTS)})
    return result, power_curve(design, [row["test"] for row in result["tests"]], totals)


def _show(page: Page, wish: Wish, result: dict[str, Any], curve: pd.DataFrame) -> None:
    table = _table(result)
    st.markdown(_in_words(wish, result))
    percent = st.column_config.NumberColumn
    show_table(
        table,
        column_config={
            "power": percent("power", format="percent"),
            "checked": percent(
                "power, checked", format="percent",
                help="In simulated trials (t, rank) or over every table (progressors), with the changes "
                "of this study.",
            ),
        },
    )  # fmt: skip
    st.caption("  \n".join(f"{TESTS.get(name, name)}: {md(why)}." for name, why in result["notes"].items()))
    left, right = st.columns([1.2, 1] if result["by_readers"] else [4, 1])
    with left:
        chart(power_by_patients(curve, wish.power, on=page.look), "plan", alt="Power over patients enrolled")
    with right:
        _by_readers(result)
        download(table, "trial_plan", label="Plan (CSV)")
    with right if result["by_readers"] else st.container(), st.expander("What these numbers assume"):
        st.markdown("\n".join(f"- {md(text)}" for text in result["assumptions"]))


def _table(result: dict[str, Any]) -> pd.DataFrame:
    rows = [
        {
            "test": row["title"], "control": row["enrol"]["control"], "treated": row["enrol"]["treated"],
            "to enrol": row["enrol"]["total"], "with a result": row["with_result"]["total"],
            "power": row["power"], "checked": row.get("checked", {}).get("power"),
        }
        for row in result["tests"]
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _in_words(wish: Wish, result: dict[str, Any]) -> str:
    sizes = {row["test"]: row["enrol"] for row in result["tests"]}
    main = next(name for name in ("ancova", "t", "rank", "responders") if name in sizes)
    enrol = sizes[main]
    reading = result["sd"]
    readers = "1 reader" if wish.readers == 1 else f"{wish.readers} readers"
    error = (
        f" The SD of change is {reading['planned']:.2f} with the reading error of {readers}, "
        f"{reading['true']:.2f} without."
        if reading["true"] is not None
        else ""
    )
    return (
        f"**{enrol['total']:,} patients to enrol** ({enrol['control']:,} controls, {enrol['treated']:,} "
        f"treated) to find a difference of {wish.difference:.2f} with power {wish.power:.0%} by "
        f"{TESTS[main]}."
        f"{error}"
    )


def _by_readers(result: dict[str, Any]) -> None:
    """Patients to enrol with one to four readers."""
    rows = result["by_readers"]
    if not rows:
        return
    st.caption("Patients to enrol by the number of readers:")
    frame = pd.DataFrame(
        [
            {"readers": row["readers"], "SD": row["sd"]}
            | {SHORT[name]: size for name, size in row["enrol"].items()}
            for row in rows
        ]
    )
    show_table(frame, column_config={"SD": st.column_config.NumberColumn(format="%.2f")})
