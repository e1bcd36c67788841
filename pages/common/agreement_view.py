"""The parts of the Agreement page."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.domain import CohortFilter, ReaderKind
from core.figures import agreement as figures
from core.figures.agreement_forest import forest
from core.readings import models, people, truths
from data.queries import scores
from pages.common import address, guards
from pages.common import agreement_study as study
from pages.common.agreement_study import Comparison, Question
from pages.common.charts import clickable
from pages.common.made import download, how_made
from pages.common.opening import Page
from pages.common.queries import ask
from pages.common.study import chosen_totals, system_of, visits_in_order

PAIR = "agreement_pair"


def question(page: Page, chosen: CohortFilter) -> Question:
    """What is compared: part of the score, the two visits, and whether the truth is shown."""
    with guards.told():
        totals = chosen_totals(page, chosen)
    guards.needs_rows(totals, "Nobody has scored these patients yet.")
    visits = visits_in_order(totals)
    system = system_of(chosen)
    part, from_, to, truth = st.columns([1.4, 1, 1, 1.6], vertical_alignment="bottom")
    component = part.selectbox("Score", ["total", *(item.name for item in system.components)])
    first = from_.selectbox("Change from", visits[:-1] or visits, index=0)
    later = visits[visits.index(first) + 1 :] or visits[-1:]
    last = to.selectbox("to; status at", later, index=len(later) - 1)
    has_truth = bool((totals["kind"] == ReaderKind.CONSENSUS).any())
    shown = has_truth and truth.toggle("Show the truth", value=False, help="What the phantoms were made from")
    return Question(chosen, first, last, component, shown)


def needs_two(compared: Comparison) -> None:
    if len(people(compared.kinds)) + len(models(compared.kinds)) < 2:
        st.info("One reader has scored so far: agreement needs a second one.", icon=":material/group_add:")
        guards.link(guards.IMPORT, "Bring in another reader, or run the model")
        st.stop()


def all_pairs(page: Page, compared: Comparison) -> None:
    """ICC of every pair for status and change on one axis; a click chooses the pair."""
    asked = compared.question
    found = study.statistics(page, asked)
    st.markdown(f"#### Status at {asked.last}, change {asked.first} to {asked.last}")
    rows = found[(found["statistic"] == "ICC(A,1)") & (found["component"] == asked.component)]
    figure = forest(rows.assign(label=asked.component), axis="ICC(A,1), 95% interval", on=page.look)
    clicked = clickable(figure, "forest", alt="ICC of every pair of readings, status beside change")
    if clicked:
        st.session_state[PAIR] = f"{clicked[2]} – {clicked[3]}"
    st.caption(_forest_sentence(rows))
    with st.expander("All numbers of this figure", icon=":material/table:"):
        table = found[found["component"] == asked.component].drop(columns=["component", "kind", "interval"])
        st.dataframe(table, hide_index=True)
        download(table, "agreement")


def _forest_sentence(rows: pd.DataFrame) -> str:
    """Model-reader beside reader-reader, for change and for status, in one sentence."""
    n = sorted({int(value) for value in rows["n"]})
    told = f"n = {n[0]} patients" if len(n) == 1 else f"n = {n[0]} to {n[-1]} patients"
    said = [f"{panel} {_ranges(rows[rows['panel'] == panel])}" for panel in reversed(study.PANELS)]
    return (
        f"Agreement, ICC(A,1), about {'; about '.join(said)}; {told}. A model is good when its change agrees."
    )


def _ranges(rows: pd.DataFrame) -> str:
    said = []
    names = {ReaderKind.HUMAN: "readers with each other", ReaderKind.MODEL: "the model with readers"}
    for kind, name in names.items():
        part = rows.loc[rows["kind"] == kind, "estimate"].dropna()
        if len(part):
            low, high = f"{part.min():.2f}", f"{part.max():.2f}"
            said.append(f"{name} {low}" + (f" to {high}" if high != low else ""))
    return ", ".join(said) or "nothing: no pair has enough patients"


def one_pair(page: Page, compared: Comparison) -> None:
    """Scatter and Bland-Altman of one pair, status beside change; a click on a point opens the patient."""
    options = {f"{a} – {b}": (a, b) for a, b in compared.pairs}
    if st.session_state.get(PAIR) not in options:
        with_model = [
            name for name, (a, b) in options.items() if compared.pair(a, b).kind == ReaderKind.MODEL
        ]
        st.session_state[PAIR] = (with_model or list(options))[0]
    st.markdown("#### One pair, patient by patient")
    name = st.selectbox("Pair", list(options), key=PAIR, help="Or click on a line of the figure above.")
    first, second = options[name]
    for column, panel in zip(st.columns(2), study.PANELS, strict=True):
        with column:
            _panel(page, compared, panel, first, second)


def _panel(page: Page, compared: Comparison, panel: str, first: str, second: str) -> None:
    asked, pair = compared.question, compared.pair(first, second)
    rows = compared.rows(panel, first, second)
    st.markdown(f"##### {panel.capitalize()}")
    if len(rows) < 2:
        st.markdown(f"n = {len(rows)}: too few patients were scored by both.")
        return
    limits = study.limits(page, asked, panel, first, second)
    spread = figures.scatter(rows, pair, keys=("subject",), on=page.look)
    clicks = [clickable(spread, f"scatter_{panel}", alt=f"{second} over {first}, {panel}")]
    bias = limits["bias"]
    st.caption(
        f"n = {len(rows)}. {first} scores {_more(bias['estimate'])} than {second} on average "
        f"(95% CI {_number(bias['ci'][0])} to {_number(bias['ci'][1])} {pair.unit})."
    )
    plot = figures.bland_altman(rows, limits, pair, keys=("subject",), on=page.look)
    clicks.append(clickable(plot, f"bland_altman_{panel}", alt=f"Difference over mean, {panel}"))
    loa = limits["loa"]
    st.caption(
        f"n = {len(rows)}. In 95 of 100 patients the two differ by {_number(loa['lower']['estimate'])} to "
        f"{_number(loa['upper']['estimate'])} {pair.unit}. Click on a point: the patient and the films open."
    )
    for clicked in clicks:
        if clicked:
            _open(str(clicked[0]), asked)


def _open(subject: str, asked: Question) -> None:
    address.go(patient=subject, site="", first=asked.first, last=asked.last)
    st.switch_page("pages/2_Patient.py", query_params=address.parameters())


def _more(bias: float | None) -> str:
    if bias is None:
        return "an unknown amount more"
    return f"{abs(bias):.2f} {'higher' if bias > 0 else 'lower'}"


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:+.2f}"


def worst(page: Page, compared: Comparison) -> None:
    """The largest disagreements of the chosen pair, each opening its patient."""
    options = {f"{a} – {b}": (a, b) for a, b in compared.pairs}
    first, second = options[st.session_state[PAIR]]
    asked = compared.question
    st.markdown("#### Largest disagreements about change")
    rows = study.outliers(page, asked, "change", first, second)[["subject", "first", "second", "difference"]]
    if rows.empty:
        st.markdown(f"{first} and {second} do not differ in any patient.")
        return
    table = rows.rename(columns={"first": first, "second": second})
    numbers = {name: st.column_config.NumberColumn(format="%.2f") for name in table.columns[1:]}
    st.dataframe(
        table,
        hide_index=True,
        key="worst",
        selection_mode="single-cell",
        height=min(38 + 35 * len(table), 250),
        column_config=numbers,
        on_select=lambda: _keep_worst(rows["subject"].tolist(), asked),
    )
    if st.session_state.pop("open_worst", False):
        st.switch_page("pages/2_Patient.py", query_params=address.parameters())
    of = len(compared.rows("change", first, second))
    st.caption(f"n = {len(rows)} of {of} patients differ. Click on a row: the patient and the films open.")
    download(table, "largest_disagreements")


def _keep_worst(subjects: list[str], asked: Question) -> None:
    cells = st.session_state["worst"]["selection"]["cells"]
    if cells:
        address.go(patient=subjects[cells[0][0]], site="", first=asked.first, last=asked.last)
        st.session_state["open_worst"] = True


def left_out(page: Page, compared: Comparison) -> None:
    """Who is not in the figures, and why."""
    asked = compared.question
    gone = study.left_out(page, asked)
    if not asked.truth:
        gone = gone[~gone["label"].isin(truths(compared.kinds))]
    refused = ask(page, scores.abstentions, asked.chosen)
    title = f"Left out: patients who lack a total {gone['subject'].nunique()}, films refused {len(refused)}"
    with st.expander(title, icon=":material/block:"):
        st.dataframe(gone, hide_index=True)
        st.dataframe(refused[["subject", "visit", "body_part", "reader", "reason"]], hide_index=True)
        download(gone, "left_out")


def ending(page: Page, compared: Comparison) -> None:
    asked = compared.question
    settings = {"from": asked.first, "to": asked.last, "component": asked.component, "icc": "ICC(A,1)"}
    settings |= {"limits": "1.96 SD, exact intervals", "rule": system_of(asked.chosen).default_rule.name}
    how_made(page, asked.chosen, [ask(page, scores.totals, asked.chosen)], settings)
