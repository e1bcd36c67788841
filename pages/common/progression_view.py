"""The head of the Progression page: the question, its answer in words, the two main figures, the tables."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.domain import CohortFilter
from core.figures.progression import change_by_arm, cumulative_probability
from core.progression.film_methods import BY_NAME, METHODS
from core.progression.sensitivity import MEAN
from data.queries import cohort
from pages.common import address, guards
from pages.common import progression_study as study
from pages.common.charts import chart, clickable
from pages.common.lasting import pick_component
from pages.common.made import download, how_made
from pages.common.opening import Page
from pages.common.progression_rows import chosen_grid
from pages.common.progression_study import COMPLETE, IMPUTED, OBSERVED, READERS, Ask
from pages.common.queries import ask
from pages.common.study import system_of

WAYS = {IMPUTED: "with imputed sites", COMPLETE: "without imputed sites"}
Found = dict[str, dict[str, Any]]


def question(page: Page, chosen: CohortFilter) -> Ask:
    """Which part of the score, between which visits, scored by whom, and what stands in for gaps."""
    system = system_of(chosen)
    part, who, from_, to = st.columns([1, 1.2, 1, 1])
    sites, films = st.columns(2)
    with part:
        component = pick_component(system)
    titles = {rule.name: rule.title for rule in system.rules}
    rule = sites.selectbox(
        "Missing sites",
        list(titles),
        format_func=titles.__getitem__,
        index=list(titles).index(system.default_rule.name),
        help=" \n\n".join(f"**{rule.title}**: {rule.text}" for rule in system.rules),
    )
    method = films.selectbox(
        "Missing films",
        [method.name for method in METHODS],
        format_func=lambda name: BY_NAME[name].title,
        help=" \n\n".join(f"**{method.title}**: {method.estimand}" for method in METHODS),
    )
    with guards.told(), st.spinner("Totals under this rule", show_time=True):
        found = chosen_grid(page, chosen, component, rule)
    guards.needs_rows(pd.DataFrame(found.grid.subjects), "Nobody has scored these patients yet.")
    days = found.grid.visit_days()
    visits = [visit for visit in found.grid.visits if visit in days]
    if len(visits) < 2:
        st.info("Change needs two visits with a day; this selection has fewer.", icon=":material/event_busy:")
        guards.link(guards.IMPORT, "Bring in visits and their days")
        st.stop()
    scorer = who.selectbox("Scored by", study.scorers(found.kinds))
    start = visits.index(study.baseline_visit({visit: days[visit] for visit in visits[:-1]}))
    first = from_.selectbox("From", visits[:-1], index=start)
    later = [visit for visit in visits[visits.index(first) + 1 :] if days[visit] > days[first]]
    if not later:
        st.info(f"No visit has a later day than {first}.", icon=":material/event_busy:")
        st.stop()
    last = to.selectbox("To", later, index=len(later) - 1)
    return Ask(chosen, first, last, (days[first], days[last]), scorer, component, rule, method)


# -- in words ------------------------------------------------------------------------------------------------


def answer(page: Page, asked: Ask, found: Found) -> None:
    """The question of the page, answered: which arm, by how much, against the SDC, both ways."""
    if not found:
        st.info("No patient has a total at both visits.", icon=":material/inbox:")
        st.stop()
    for way, result in found.items():
        st.markdown(f"**{WAYS[way].capitalize()}.** {_sentence(asked, result)}")
    _missing(page, asked)


def _sentence(asked: Ask, result: dict[str, Any]) -> str:
    unit = asked.unit
    arms = {arm: value for arm, value in result["summary"].items() if arm != "all"} or {
        "All": result["summary"]["all"]
    }
    ranked = sorted(arms.items(), key=lambda item: -(item[1]["mean"] or 0))
    said = " and ".join(f"**{arm}** by {_mean(value)}" for arm, value in ranked)
    text = f"From {asked.first} to {asked.last} {said} ({unit}, mean and 95% CI). {_difference(result)}"
    return text + _against_sdc(result, [arm for arm, _ in ranked])


def _mean(value: dict[str, Any]) -> str:
    if value["mean"] is None:
        return "no change that could be formed (n = 0)"
    low, high = value["ci"]
    interval = " (one patient: no interval)" if low is None else f" ({low:+.2f} to {high:+.2f})"
    return f"{value['mean']:+.2f}{interval}, n = {value['n']}"


def _difference(result: dict[str, Any]) -> str:
    said = []
    for row in result["arm_differences"]:
        if row["estimate"] is None:
            continue
        low, high = row["ci"]
        interval = " (no interval)" if low is None else f" ({low:+.2f} to {high:+.2f})"
        said.append(f"{row['a']} minus {row['b']} {row['estimate']:+.2f}{interval}")
    return f"Difference: {'; '.join(said)}. " if said else ""


def _against_sdc(result: dict[str, Any], arms: list[str]) -> str:
    if result["sdc95"] is None:
        return f"No smallest detectable change: {result['notes'].get('sdc95', 'not computable')}."
    shares = result["progressor_shares"][">SDC"]
    counts = (shares.get(arm, shares["all"]) for arm in arms)
    beyond = ", ".join(f"{v['count']} of {v['n']} in {arm}" for arm, v in zip(arms, counts, strict=True))
    sdc, k = result["sdc95"]["mean_of_readers"], len(result["readers"])
    low, high = result["sdc95_ci"]["mean_of_readers"]
    interval = f" ({low:.2f} to {high:.2f})" if low is not None and high is not None else ""
    return f"Beyond the SDC95 (mean of {k} readers) of {sdc:.2f}{interval}: {beyond}."


def _missing(page: Page, asked: Ask) -> None:
    """What was put in, and what the result then stands for."""
    counts = study.missing_counts(page, asked)
    rule = asked.rule_used
    text = (
        f"Missing sites, rule `{rule.name}`: {counts['imputed']:,} of {counts['sites']:,} imputed at the two "
        f"visits; {counts['incomplete']:,} of {counts['readings']:,} readings have no total under it."
    )
    if asked.films == OBSERVED:
        st.caption(f"{text} Missing films: none put in. {BY_NAME[OBSERVED].estimand}")
        return
    panel = study.under_method(page, asked)
    st.markdown(_under_method(panel, asked))
    st.caption(f"{text} {BY_NAME[asked.films].estimand}")


def _under_method(panel: pd.DataFrame, asked: Ask) -> str:
    rows = panel[panel["measure"] == MEAN] if len(panel) else panel
    if rows.empty:
        return f"**{BY_NAME[asked.films].title.capitalize()}**: nothing can be worked out."
    said = []
    for row in rows.to_dict("records"):
        if row["group"] == "all" and len(rows) > 1:
            continue
        low = row["low"]
        interval = "no interval" if pd.isna(low) else f"{low:+.2f} to {row['high']:+.2f}"
        value = "none" if pd.isna(row["estimate"]) else f"{row['estimate']:+.2f} ({interval})"
        said.append(f"**{row['group']}** {value}, n = {row['n']}")
    everyone = rows[rows["group"] == "all"].iloc[0]
    return (
        f"**Missing films by {BY_NAME[asked.films].title}.** {'; '.join(said)}. Values put in for a "
        f"film: {everyone['imputed_films']} of {everyone['n']} patients; {everyone['without_change']} still "
        "without."
    )


# -- the two main figures ------------------------------------------------------------------------------------


def figures(page: Page, asked: Ask, found: Found) -> None:
    """Cumulative probability of one way, and mean change by arm of both."""
    arms = study_arms(page)
    unit = asked.unit
    left, right = st.columns([1.5, 1])
    with left:
        st.markdown("#### Every patient's change")
        way = chosen_way(found)
        points = study.points(page, asked, way)
        sdc = sdc_of(found[way])
        plot = cumulative_probability(points, unit=unit, sdc=sdc, arms=arms, on=page.look)
        clicked = clickable(
            plot, "cumulative_probability", alt="Change of every patient over the share of the arm"
        )
        st.caption(
            f"{counted(points, found[way])} Each point is a patient; the further left a curve leaves 0, the "
            "more patients progressed. Click: the films open."
        )
    with right:
        st.markdown("#### Mean change")
        table = study.summary_table(found)
        table = table[table["arm"] != "all"] if (table["arm"] != "all").any() else table
        table = table.assign(sites=table["sites"].map(WAYS))
        chart(
            change_by_arm(table, unit=unit, arms=arms, on=page.look), "mean_change", alt="Mean change by arm"
        )
        st.caption("; ".join(f"{row.arm} {row.sites}: n = {row.n}" for row in table.itertuples()) + ".")
    if clicked:
        open_films(str(clicked[0]), asked)


def chosen_way(found: Found) -> str:
    """With or without imputed sites, for every figure below."""
    way = st.segmented_control(
        "Imputed sites", list(found), default=next(iter(found)), format_func=lambda one: WAYS[one],
        label_visibility="collapsed", required=True, key="progression_way",
    )  # fmt: skip
    return way if way in found else next(iter(found))


def study_arms(page: Page) -> list[str]:
    """All arms of the study, for their colours; none where they are hidden."""
    levels = ask(page, cohort.levels)
    return [str(one) for one in levels.loc[levels["kind"] == "arm", "level"]]


def sdc_of(result: dict[str, Any]) -> float | None:
    return result["sdc95"]["mean_of_readers"] if result["sdc95"] else None


def counted(points: pd.DataFrame, result: dict[str, Any]) -> str:
    """n, how many of them with a value put in (hollow or pale), and how many are left out."""
    imputed = int(points["imputed"].sum())
    told = f" ({imputed} with a value put in for a film, hollow)" if imputed else ""
    everyone = result["subjects"] + len(result["left_out"])
    return f"n = {len(points)}{told}, left out {max(everyone - len(points), 0)}."


def open_films(subject: str, asked: Ask, site: str = "") -> None:
    """Go to a patient's films at these two visits."""
    address.go(patient=subject, site=site, first=asked.first, last=asked.last)
    st.switch_page("pages/2_Patient.py", query_params=address.parameters())


# -- tables ------------------------------------------------------------------------------------------------


def tables(page: Page, asked: Ask, found: Found) -> None:
    """Who progressed by every definition, and the numbers of the change."""
    way = st.session_state.get("progression_way") or next(iter(found))
    way = way if way in found else next(iter(found))
    st.markdown(f"#### Who progressed, {WAYS[way]}")
    rows = study.definitions(page, asked, way)
    st.dataframe(definition_table(rows), hide_index=True, height="content")
    st.caption(
        f"Patients and share with Wilson's 95% interval, differences with Newcombe's; n = "
        f"{found[way]['subjects']}, left out {len(found[way]['left_out'])}. Net progression: those above 0 "
        f"minus those below, over all (Tango). Scored by: {asked.scorer}."
    )
    summary = study.summary_table(found)
    with st.expander("Numbers of the change, and downloads", icon=":material/table:"):
        number = st.column_config.NumberColumn
        names = ("mean", "sd", "median", "q1", "q3", "low", "high")
        st.dataframe(
            summary, hide_index=True, column_config={name: number(name, format="%.2f") for name in names}
        )
        st.caption(f"Change in {asked.unit}; low and high: 95% interval of the mean.")
        one, two, three = st.columns(3)
        with one:
            download(summary, "progression", label="Change (CSV)")
        with two:
            download(rows, "progressors", label="Definitions (CSV)")
        with three:
            download(pd.DataFrame(found[way]["change"]), "change_by_patient", label="Patients (CSV)")


def definition_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Definitions by group in words: "5 of 12, 42% (19 to 68)"; differences in points of percent."""
    if rows.empty:
        return rows
    groups = [group for group in dict.fromkeys(rows["group"]) if group != "all"] or ["all"]
    table = []
    for name, own in rows.groupby("definition", sort=False):
        by_group = {row["group"]: row for row in own.to_dict("records")}
        cells = {group: _cell(by_group[group]) if group in by_group else "–" for group in groups}
        table.append({"definition": name, **cells})
    return pd.DataFrame(table)


def _cell(row: dict[Any, Any]) -> str:
    if pd.isna(row["estimate"]):
        return "–"
    low, high = row["low"], row["high"]
    if row["kind"] == "difference":
        interval = "" if pd.isna(low) else f" ({100 * low:+.0f} to {100 * high:+.0f})"
        return f"{100 * row['estimate']:+.0f} %{interval}"
    interval = "" if pd.isna(low) else f" ({100 * low:.0f} to {100 * high:.0f})"
    return f"{int(row['count'])} of {int(row['n'])}, {100 * row['estimate']:.0f} %{interval}"


def left_out(page: Page, asked: Ask, found: Found) -> None:
    """Who is not counted, and why; a click opens the films."""
    parts = [pd.DataFrame(result["left_out"], columns=["subject", "reason"]).assign(sites=WAYS[way])
             for way, result in found.items()]  # fmt: skip
    gone = pd.concat(parts, ignore_index=True)
    counts = ", ".join(
        f"{len(part)} {part_way}" for part, part_way in zip(parts, (WAYS[w] for w in found), strict=True)
    )
    with st.expander(f"Left out: {counts}", icon=":material/block:"):
        patient_table(gone, "left_out", asked)
        for way, result in found.items():
            for reason, rows in _refused(result).items():
                st.markdown(f"{WAYS[way]}: {rows} readings refused, {reason}: neither is used.")
            for warning in result["warnings"]:
                st.markdown(f"{WAYS[way]}: {warning}")


def _refused(result: dict[str, Any]) -> dict[str, int]:
    """Reason -> readings, such as two totals of one reader on one day."""
    reasons = [str(row["reason"]) for row in result["refused"]]
    return {reason: reasons.count(reason) for reason in dict.fromkeys(reasons)}


def patient_table(rows: pd.DataFrame, name: str, asked: Ask, site: str = "") -> None:
    """A table with a column ``subject``; a click on a row opens that patient's films."""
    shown = st.dataframe(
        rows, hide_index=True, key=name, on_select="rerun", selection_mode="single-cell",
        column_config={"subject": st.column_config.TextColumn("Patient", help="Click: the films open")},
    )  # fmt: skip
    cells = shown["selection"]["cells"]
    if cells:
        open_films(str(rows["subject"].iloc[cells[0][0]]), asked, site)


def ending(page: Page, asked: Ask, found: Found) -> None:
    """The commands and settings that made the numbers."""
    readers = next(iter(found.values()))["readers"]
    st.markdown("#### The same on the command line")
    st.code(study.commands(page, asked, readers), language="bash", wrap_lines=True)
    settings = asked.as_settings() | {"scored by": readers if asked.scorer == READERS else asked.scorer}
    grid = chosen_grid(page, asked.chosen, asked.component, asked.rule_used.name)
    frame = pd.DataFrame()
    frame.attrs["sql"] = grid.sql
    how_made(page, asked.chosen, [frame], settings)
