"""Is the model a reader? The last part of the Agreement page, with the margin that a person sets."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core import scores as systems
from core.figures.agreement_forest import interchangeability
from core.readings import models, people
from data.settings import Margin, decide, margins
from data.store import current_actor
from pages.common import agreement_study as study
from pages.common import guards
from pages.common import session_keys as keys
from pages.common.agreement_study import Comparison
from pages.common.charts import chart
from pages.common.made import download
from pages.common.opening import Page


def model_as_reader(page: Page, compared: Comparison) -> None:
    """Interchangeability against the study's margin, and change seen where others see none."""
    asked, who = compared.question, people(compared.kinds)
    st.markdown("#### Is the model a reader?")
    if not models(compared.kinds) or len(who) < 2:
        st.markdown("This needs a model and two readers.")
        return
    model = models(compared.kinds)[0]
    margin = _margin(page, asked.chosen.system)
    found = study.model_as_reader(page, asked, model, margin)
    for column, panel in zip(st.columns(2), study.PANELS, strict=True):
        with column:
            st.markdown(f"##### {panel.capitalize()}")
            figure = interchangeability(found[panel], unit=compared.unit, on=page.look)
            chart(figure, f"interchangeability_{panel}", alt=f"Interchangeability index, {panel}")
            st.caption(_index_sentence(found[panel]))
    _false_change(found["false_change"], model)


def _index_sentence(found: dict[str, Any]) -> str:
    index = found["index"]
    n = f"n = {found['subjects']}, left out {found['dropped_subjects']}"
    if index["estimate"] is None:
        return f"{n}. {found['notes'].get('index', 'The index cannot be computed')}."
    closer = (
        "further from the readers than they are"
        if index["estimate"] > 0
        else "as close to the readers as they are"
    )
    verdict = "No verdict: no margin was set."
    if found["margin"] is not None:
        high = index["ci"][1]
        where = "under" if found["equivalent"] else "not under"
        verdict = f"The upper limit {_number(high)} is {where} the margin."
    return f"{n}. The model is {closer} to each other (index {_number(index['estimate'])}). {verdict}"


def _false_change(found: dict[str, Any], model: str) -> None:
    rows = [{"reader": model, **_rates(found["model"])}]
    rows += [{"reader": name, **_rates(value)} for name, value in found["readers"].items()]
    table = pd.DataFrame(rows)
    st.markdown("##### Change seen where every other reader sees none")
    st.dataframe(table, hide_index=True)
    st.caption(
        "Cases: patients in whom all other readers see no change. False change: any change there; false "
        "improvement: a change below 0. Intervals resample patients."
    )
    download(table, "false_change")


def _rates(value: dict[str, Any]) -> dict[str, Any]:
    return {"cases (n)": value["cases"], "false change": _share(value["false_change"]),
            "false improvement": _share(value["false_improvement"])}  # fmt: skip


def _share(value: dict[str, Any]) -> str:
    if value["estimate"] is None:
        return "no case"
    low, high = value["ci"]
    interval = "" if low is None else f" ({100 * low:.0f} to {100 * high:.0f})"
    return f"{100 * value['estimate']:.0f} %{interval}"


def _margin(page: Page, system: str) -> float | None:
    """The margin of the study: said with who set it when, and a form to set another. None without one."""
    stored = next(reversed(margins(page.store, system)), None)
    value = stored.value if stored else None
    st.markdown(_margin_sentence(stored))
    with st.expander("Set the margin", icon=":material/straighten:"), st.form("margin", border=False):
        unit = systems.get(system).title
        new = st.number_input(
            f"Largest index that still counts as interchangeable ({unit}²)", min_value=0.0, value=None,
            step=0.5, key=keys.MARGIN, placeholder="no margin, no verdict",
        )  # fmt: skip
        why = st.text_input("Reason", placeholder="needed once a model has scored", key=keys.MARGIN_REASON)
        if st.form_submit_button("Set it; who, when and why stays in the trail"):
            with guards.told():
                decide(page.store, actor=current_actor(), reason=why.strip(), margins={system: new or None})
            st.rerun()
    return value


def _margin_sentence(stored: Margin | None) -> str:
    if stored is None or stored.value is None:
        return "No margin is set, so there is no verdict. It belongs into the protocol, before looking."
    when = "before any model had scored" if stored.is_preset else "**after** a model had scored"
    why = f": {stored.reason}" if stored.reason else ""
    return (
        f"Margin **{stored.value:g} {stored.unit}**, set {when} by {stored.by} on {stored.at:%Y-%m-%d}{why}."
    )


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:+.2f}"
