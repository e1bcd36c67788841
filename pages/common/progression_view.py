"""The parts of the Progression page."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.domain import CohortFilter
from core.figures.progression import change_by_arm, cumulative_probability
from data.queries import cohort
from pages.common import address, guards
from pages.common import progression_study as study
from pages.common.charts import chart, clickable
from pages.common.made import download, how_made
from pages.common.opening import Page
from pages.common.progression_study import COMPLETE, IMPUTED, READERS, Ask
from pages.common.queries import ask
from pages.common.study import chosen_totals, system_of, visits_in_order

WAYS = {IMPUTED: "with imputed sites", COMPLETE: "without imputed sites"}


def question(page: Page, chosen: CohortFilter) -> Ask:
    """Which part of the score, between which visits, scored by whom."""
    with guards.told():
        totals = chosen_totals(page, chosen)
    guards.needs_rows(totals, "Nobody has scored these patients yet.")
    days = study.visit_days(totals)
    visits = [visit for visit in visits_in_order(totals) if visit in days]
    if len(visits) < 2:
        st.info("Change needs two visits with a day; this selection has fewer.", icon=":material/event_busy:")
        guards.link(guards.IMPORT, "Bring in visits and their days")
        st.stop()
    system = system_of(chosen)
    part, who, from_, to = st.columns(4)
    component = part.selectbox("Score", ["total", *(item.name for item in system.components)])
    scorer = who.selectbox("Scored by", study.scorers(totals))
    first = from_.selectbox("From", visits[:-1], index=0)
    later = visits[visits.index(first) + 1 :]
    last = to.selectbox("To", later, index=len(later) - 1)
    return Ask(chosen, first, last, (days[first], days[last]), scorer, component)


def answer(page: Page, asked: Ask, found: dict[str, dict[str, Any]]) -> None:
    """The question of the page, answered in words: which arm, by how much, against the SDC, both ways."""
    if not found:
        st.info("No patient has a total at both visits.", icon=":material/inbox:")
        st.stop()
    for way, result in found.items():
        st.markdown(f"**{WAYS[way].capitalize()}.** {_sentence(page, asked, result)}")


def _sentence(page: Page, asked: Ask, result: dict[str, Any]) -> str:
    unit = system_of(asked.chosen).title
    arms = {arm: value for arm, value in result["summary"].items() if arm != "all"} or {
        "All": result["summary"]["all"]
    }
    ranked = sorted(arms.items(), key=lambda item: -(item[1]["mean"] or 0))
    said = " and ".join(f"**{arm}** by {_mean(value)}" for arm, value in ranked)
    text = f"From {asked.first} to {asked.last} {said} ({unit}, mean and 95% CI). {_difference(result)}"
    return text + _against_sdc(result, [arm for arm, _ in ranked])


def _mean(value: dict[str, Any]) -> str:
    low, high = value["ci"]
    interval = "" if low is None else f" ({low:+.2f} to {high:+.2f})"
    return f"{value['mean']:+.2f}{interval}, n = {value['n']}"


def _difference(result: dict[str, Any]) -> str:
    said = []
    for row in result["arm_differences"]:
        if row["estimate"] is None:
            continue
        low, high = row["ci"]
        interval = "" if low is None else f" ({low:+.2f} to {high:+.2f})"
        said.append(f"{row['a']} minus {row['b']} {row['estimate']:+.2f}{interval}")
    return f"Difference: {'; '.join(said)}. " if said else ""


def _against_sdc(result: dict[str, Any], arms: list[str]) -> str:
    if result["sdc95"] is None:
        return f"No smallest detectable change: {result['notes'].get('sdc95', 'not computable')}."
    shares = result["progressor_shares"][">SDC"]
    counts = (shares.get(arm, shares["all"]) for arm in arms)
    beyond = ", ".join(f"{v['count']} of {v['n']} in {arm}" for arm, v in zip(arms, counts, strict=True))
    sdc = result["sdc95"]["mean_of_readers"]
    k = len(result["readers"])
    return f"Beyond the SDC95 (mean of {k} readers) of {sdc:.2f}: {beyond}."


def figures(page: Page, asked: Ask, found: dict[str, dict[str, Any]]) -> None:
    """Cumulative probability of one way, and mean change by arm of both."""
    levels = ask(page, cohort.levels)
    arms = levels.loc[levels["kind"] == "arm", "level"].tolist()
    unit = system_of(asked.chosen).title
    left, right = st.columns([1.5, 1])
    with left:
        st.markdown("#### Every patient's change")
        way = st.segmented_control(
            "Missing sites", list(found), default=next(iter(found)), format_func=lambda one: WAYS[one],
            label_visibility="collapsed", required=True,
        ) or next(iter(found))  # fmt: skip
        result = found[way]
        points = pd.DataFrame(result["cumulative_probability"], columns=["subject", "arm", "x", "y"])
        sdc = result["sdc95"]["mean_of_readers"] if result["sdc95"] else None
        plot = cumulative_probability(points, unit=unit, sdc=sdc, arms=arms, on=page.look)
        clicked = clickable(
            plot, "cumulative_probability", alt="Change of every patient over the share of the arm"
        )
        st.caption(
            f"n = {result['subjects']}, left out {len(result['left_out'])}. Each point is a patient; the "
            "further left a curve leaves 0, the more patients progressed. Click: the patient opens."
        )
    with right:
        st.markdown("#### Mean change")
        table = study.summary_table(found, ())
        table = table[table["arm"] != "all"] if (table["arm"] != "all").any() else table
        table = table.assign(sites=table["sites"].map(WAYS))
        chart(
            change_by_arm(table, unit=unit, arms=arms, on=page.look), "mean_change", alt="Mean change by arm"
        )
        st.caption("; ".join(f"{row.arm} {row.sites}: n = {row.n}" for row in table.itertuples()) + ".")
    if clicked:
        address.go(patient=str(clicked[0]), site="", first=asked.first, last=asked.last)
        st.switch_page("pages/2_Patient.py", query_params=address.parameters())


def table(page: Page, asked: Ask, found: dict[str, dict[str, Any]]) -> None:
    """Numbers by arm and way, and who progressed."""
    st.markdown("#### Numbers")
    cutoffs = system_of(asked.chosen).cutoffs
    rows = study.summary_table(found, cutoffs)
    number = st.column_config.NumberColumn
    shown = {
        name: number(name, format="%.2f") for name in ("mean", "sd", "median", "q1", "q3", "low", "high")
    }
    shown["net"] = number("net progression", format="percent", help="Share above 0 minus share below 0")
    st.dataframe(rows, hide_index=True, column_config=shown)
    unit = system_of(asked.chosen).title
    st.caption(
        f"Change in {unit}; low and high: 95% interval of the mean. Columns {', '.join(cutoffs)}: patients "
        f"beyond that change. Scored by: {asked.scorer}."
    )
    download(rows, "progression")


def left_out(found: dict[str, dict[str, Any]]) -> None:
    """Who is not counted, and why."""
    parts = [pd.DataFrame(result["left_out"], columns=["subject", "reason"]).assign(sites=WAYS[way])
             for way, result in found.items()]  # fmt: skip
    gone = pd.concat(parts, ignore_index=True)
    counts = ", ".join(
        f"{len(part)} {part_way}" for part, part_way in zip(parts, (WAYS[w] for w in found), strict=True)
    )
    with st.expander(f"Left out: {counts}", icon=":material/block:"):
        st.dataframe(gone, hide_index=True)
        for way, result in found.items():
            for warning in result["warnings"]:
                st.markdown(f"{WAYS[way]}: {warning}")


def ending(page: Page, asked: Ask, found: dict[str, dict[str, Any]]) -> None:
    """The commands and settings that made the numbers."""
    readers = next(iter(found.values()))["readers"]
    st.markdown("#### The same on the command line")
    st.code(study.commands(page, asked, readers), language="bash", wrap_lines=True)
    settings = {
        "from": asked.first,
        "to": asked.last,
        "days": list(asked.days),
        "scored by": readers if asked.scorer == READERS else asked.scorer,
        "component": asked.component,
        "rules": [system_of(asked.chosen).default_rule.name, "complete only"],
    }
    how_made(page, asked.chosen, [chosen_totals(page, asked.chosen)], settings)
