"""What the difference between arms stands for: events, missing films, the tipping point."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.figures.progression.tipping import tipping_line, tipping_map
from core.markdown import md
from core.progression.estimands.strategies import ASSUMPTION, ASSUMPTIONS, STRATEGIES, STRATEGY
from core.progression.estimands.tipping import tipping_sentence
from core.report import formatting
from core.scores.display.words import of_images
from pages.common.charts import chart
from pages.common.page import Page
from pages.common.progression.commands import ESTIMAND_KEY, NO_EVENT
from pages.common.progression.estimands.compute import estimands_of, event_columns
from pages.common.progression.figures import Found
from pages.common.progression.question import Question
from pages.common.provenance import download
from pages.common.shown_table import show_table
from pages.common.sticky_widgets import pick, pick_many
from pages.common.ways_out.change_sections import estimand_methods


def estimands_section(page: Page, asked: Question, found: Found) -> str:
    """The choices, who is affected, and the result."""
    event, strategy, assumptions, rule = _choices(page, asked)
    if strategy != STRATEGIES[0].name and not event:
        st.info(
            "This strategy needs the column of the event. Import it with the table of subjects: the day from "
            "baseline, or the visit.",
            icon=":material/event_busy:",
        )
        return ""
    with st.spinner("Estimands", show_time=True):
        result = estimands_of(page, asked, event, strategy, assumptions, rule)
    if "failed" in result:
        st.info(f"{result['failed']}.", icon=":material/inbox:")
        return ""
    st.markdown(f"**{STRATEGY[strategy].title.capitalize()}.** {STRATEGY[strategy].text}")
    if event:
        _affected(asked, result, event)
    row = result["results"][0]
    if "failed" in row:
        st.info(f"{row['failed']}.", icon=":material/inbox:")
        return ""
    if strategy == "composite":
        _composite(row)
    elif strategy == "while-on-treatment":
        _while_on_treatment(row, asked)
    else:
        _change(page, asked, row, result["variance"])
    return estimand_methods(event, strategy, rule, row)


def _choices(page: Page, asked: Question) -> tuple[str, str, tuple[str, ...], str]:
    one, two, three = st.columns([1, 1.2, 1.6])
    with one:
        event = pick(
            "Intercurrent event", [NO_EVENT, *event_columns(page, asked)], f"{ESTIMAND_KEY}event",
            help="A property of the patients: the day from baseline, or the visit, of rescue, stop of "
            "treatment or surgery.",
        )  # fmt: skip
    with two:
        strategy = pick(
            "Estimand", [one.name for one in STRATEGIES], f"{ESTIMAND_KEY}strategy",
            format_func=lambda name: STRATEGY[name].title,
            help=" \n\n".join(f"**{one.title}**: {one.text}" for one in STRATEGIES),
        )  # fmt: skip
    rule, assumptions = asked.system.cutoffs[0], []
    with three:
        if strategy == "composite":
            rule = pick(
                "Progressor definition",
                asked.system.cutoffs,
                f"{ESTIMAND_KEY}rule",
                format_func=formatting.definition,
            )
        elif strategy != "while-on-treatment":
            assumptions = pick_many(
                f"Missing {asked.images}, beside missing at random", [one.name for one in ASSUMPTIONS[1:]],
                f"{ESTIMAND_KEY}missing", ["j2r"],
                format_func=lambda name: of_images(asked.system, ASSUMPTION[name].title),
                help=of_images(
                    asked.system, " \n\n".join(f"**{one.title}**: {one.text}" for one in ASSUMPTIONS)
                ),
            )  # fmt: skip
    return ("" if event == NO_EVENT else event), strategy, tuple(assumptions), rule


def _affected(asked: Question, result: dict[str, Any], event: str) -> None:
    """How many by arm, and who."""
    said = "; ".join(f"{md(row['arm'])} {row['affected']} of {row['patients']}" for row in result["affected"])
    st.caption(f"{md(event)} before the {asked.system.image_title} of the visit: {said}.")
    rows = [
        {"patient": one["subject"], "arm": row["arm"], "day of the event": one["day"],
         f"{asked.images} after it": one["films_after"]}
        for row in result["affected"] for one in row["subjects"]
    ]  # fmt: skip
    if rows:
        with st.expander(f"The {len(rows)} patients affected"):
            show_table(pd.DataFrame(rows))
    for row in result["excluded"]:
        st.warning(f"{md(row['subject'])} is in no estimand: {md(row['reason'])}.")


def _change(page: Page, asked: Question, row: dict[str, Any], variance: str) -> None:
    """Means and differences under every assumption, then the tipping point."""
    rows = change_rows(row)
    show_table(rows)
    gaps = ", ".join(f"{md(arm)} {count} of {row['patients'][arm]}" for arm, count in row["missing"].items())
    without = of_images(asked.system, "without a film at the visit")
    st.caption(
        f"Mean change ({asked.unit}) with its 95% interval, at mean baseline; {asked.images} set aside: "
        f"{row['films_set_aside']}; {without}: {gaps}. Variance: {variance}."
    )
    with st.expander(f"What is assumed of missing {asked.images}", icon=":material/rule:"):
        assumed = "\n".join(f"- **{one['title']}**: {one['text']}" for one in row["assumptions"])
        st.markdown(of_images(asked.system, assumed))
    download(rows, "estimands")
    if row["tipping"]:
        _tipping(page, asked, row["tipping"])


def change_rows(row: dict[str, Any]) -> pd.DataFrame:
    """One row per assumption, and per arm or difference in it."""
    return pd.DataFrame(
        [
            {
                "missing films": one["title"],
                "of": part["arm"] if "arm" in part else f"{part['a']} minus {part['b']}",
                "estimate (95% CI)": _value(part),
                "Rubin's rules (95% CI)": _value(part["rubin"]) if part["rubin"] else formatting.NOTHING,
            }
            for one in row["assumptions"]
            for part in [*one["arms"], *one["differences"]]
        ]
    )


def _tipping(page: Page, asked: Question, rows: list[dict[str, Any]]) -> None:
    st.subheader("Tipping point")
    titles = [f"{row['a']} minus {row['b']}, {ASSUMPTION[row['assumption']].title}" for row in rows]
    chosen = pick("Tipping point of", titles, f"{ESTIMAND_KEY}tipping", label_visibility="collapsed")
    place = titles.index(chosen)
    row = rows[place]
    st.markdown(sentence(row))
    if not row["missing"][0]:
        return
    with st.expander("Figures of the tipping point", icon=":material/balance:"):
        _tipping_figures(page, asked, row, titles[place])


def _tipping_figures(page: Page, asked: Question, row: dict[str, Any], title: str) -> None:
    left, right = st.columns(2)
    with left:
        chart(tipping_line(row, unit=asked.unit, on=page.look), "tipping", alt=f"Tipping point of {title}")
    with right:
        chart(
            tipping_map(row, unit=asked.unit, on=page.look), "tipping_map",
            alt=f"Shifts of the missing changes of both arms, {title}",
        )  # fmt: skip
    st.caption(
        f"Left: only the missing changes of {md(row['a'])} are shifted. Right: those of both arms; a dot "
        "where the interval leaves out 0. A shift that no patient shows means that the verdict does not hang "
        f"on the missing {asked.images}."
    )


def sentence(row: dict[str, Any]) -> str:
    """The verdict, and the shift that turns it."""
    return tipping_sentence(row | {name: md(row[name]) for name in ("a", "b")}, bold="**")


def _composite(row: dict[str, Any]) -> None:
    rows = [
        {"of": part["arm"], "progressed": f"{part['count']} of {part['n']}",
         "by the event": str(part["events"]), "proportion (95% CI)": _share(part)}
        for part in row["progressors"]
    ] + [
        {"of": f"{part['a']} minus {part['b']}", "progressed": "", "by the event": "",
         "proportion (95% CI)": _share(part, signed=True)}
        for part in row["differences"]
    ]  # fmt: skip
    show_table(pd.DataFrame(rows))
    for part in row["ranks"]:
        st.markdown(
            f"In ranks, with the event as worst: a patient on {md(part['a'])} does worse than one on "
            f"{md(part['b'])} in **{_share(part)}** of pairs (ties half)."
        )
    without = row["without_change"]
    st.caption(
        f"Progression: {formatting.definition(row['definition'])}, or the event. Without a change and "
        f"without the event, in neither: {len(without)} patients."
    )


def _while_on_treatment(row: dict[str, Any], asked: Question) -> None:
    rows = [
        {"of": part["arm"], "n": str(part["n"]), "days followed (mean)": formatting.number(part["days"], 0),
         "change (95% CI)": _value(part), "per year (95% CI)": _value(part["per_year"])}
        for part in row["arms"]
    ] + [
        {"of": f"{part['a']} minus {part['b']}", "n": "", "days followed (mean)": "",
         "change (95% CI)": _value(part), "per year (95% CI)": _value(part["per_year"])}
        for part in row["differences"]
    ]  # fmt: skip
    show_table(pd.DataFrame(rows))
    st.caption(
        f"{asked.unit}. {of_images(asked.system, 'Without a film')} between baseline and the event, in no "
        f"row: {len(row['without_change'])} patients. Per year where followed for half a year or more."
    )


def _value(part: dict[str, Any]) -> str:
    return formatting.estimated(part, signed=True)


def _share(part: dict[str, Any], *, signed: bool = False) -> str:
    return formatting.percent(part, signed=signed, empty=formatting.NOTHING)
