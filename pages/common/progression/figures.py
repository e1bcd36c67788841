"""The figures of the Progression page, each opening the films behind a point."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pandas as pd
import streamlit as st

from core.figures.progression.change import change_by_arm, cumulative_probability
from core.figures.progression.probability_bands import with_bands
from core.markdown import md
from core.scores.display.words import of_images, worsened
from core.scores.system import ScoreSystem
from data.queries import cohort
from pages.common import url_state
from pages.common.charts import chart, clickable
from pages.common.page import Page
from pages.common.progression import results
from pages.common.progression.plan.bands import band_words, chosen_band
from pages.common.progression.question import COMPLETE, IMPUTED, Question
from pages.common.queries import ask, computed
from pages.common.sticky_widgets import pick_one

WAYS = {IMPUTED: "with imputed sites", COMPLETE: "without imputed sites"}
WAY = "progression_way"
Found = dict[str, dict[str, Any]]
REASONS = 3  # that are named for those who are left out


def figures(page: Page, asked: Question, found: Found) -> None:
    """Cumulative probability of one way, and mean change by arm of both."""
    left, right = st.columns([1.5, 1])
    with left:
        st.markdown("## Every patient's change")
        with st.container(horizontal=True):
            way, kind = chosen_way(found), chosen_band()
        points = results.points(page, asked, way)
        clicked = clickable(
            computed(page, _cumulative, asked, way, kind),
            "cumulative_probability",
            alt="Change of every patient over the proportion of the arm",
        )
        st.caption(
            f"{counted(points, found[way], asked.system)} Each point is a patient; a curve that rises "
            f"earlier means more patients {worsened(asked.system)}. Click a point to open the "
            f"{asked.images}.{band_words(kind)}"
        )
    with right:
        st.markdown("## Mean change")
        plot, counts = computed(page, _means, asked)
        chart(plot, "mean_change", alt="Mean change by arm")
        st.caption(counts)
    if clicked:
        open_films(str(clicked[0]), asked)


def _cumulative(page: Page, asked: Question, way: str, kind: str) -> Any:
    points, sdc = results.points(page, asked, way), sdc_of(results.results(page, asked)[way])
    arms = study_arms(page)
    drawn = cumulative_probability(points, unit=asked.unit, sdc=sdc, arms=arms, on=page.look)
    return with_bands(drawn, points, kind, arms=arms, on=page.look)


def _means(page: Page, asked: Question) -> tuple[Any, str]:
    """Mean change by arm, and how many patients are behind each."""
    table = results.summary_table(results.results(page, asked))
    table = table[table["arm"] != "all"] if (table["arm"] != "all").any() else table
    table = table.assign(sites=table["sites"].map(WAYS))
    drawn = change_by_arm(table, unit=asked.unit, arms=study_arms(page), on=page.look)
    return drawn, "; ".join(f"{md(row.arm)} {row.sites}: n = {row.n}" for row in table.itertuples()) + "."


def chosen_way(found: Found) -> str:
    """With or without imputed sites, for every figure below."""
    return pick_one(
        "Imputed sites", list(found), WAY, label_visibility="collapsed",
        format_func=lambda one: WAYS[one] if one == IMPUTED else "without",
    )  # fmt: skip


def study_arms(page: Page) -> list[str]:
    """All arms of the study, for their colours; none where they are hidden."""
    levels = ask(page, cohort.levels)
    return [str(one) for one in levels.loc[levels["kind"] == "arm", "level"]]


def sdc_of(result: dict[str, Any]) -> float | None:
    return result["sdc95"]["mean_of_readers"] if result["sdc95"] else None


def counted(points: pd.DataFrame, result: dict[str, Any], system: ScoreSystem) -> str:
    """n, how many of them with an imputed value (hollow or pale), and how many are left out."""
    imputed = int(points["imputed"].sum())
    hollow = f" ({imputed} with an imputed {system.image_title}, hollow)" if imputed else ""
    everyone = result["subjects"] + len(result["left_out"])
    gone = max(everyone - len(points), 0)
    if gone == len(result["left_out"]):
        return f"n = {len(points)}{hollow}, {of_images(system, left_out_words(result))}."
    return f"n = {len(points)}{hollow}, left out {gone} without a value under this method."


def left_out_words(result: dict[str, Any]) -> str:
    """How many have no change, with the reasons: "left out 4 (3: no film within 90 days of day 728; ...)"."""
    counts = Counter(str(row["reason"]) for row in result["left_out"])
    if not counts:
        return "none left out"
    said = [f"{count}: {md(reason)}" for reason, count in counts.most_common(REASONS)]
    more = sum(counts.values()) - sum(count for _, count in counts.most_common(REASONS))
    said += [f"{more}: see “Left out” below"] if more else []
    return f"left out {len(result['left_out'])} ({'; '.join(said)})"


def open_films(subject: str, asked: Question, site: str = "") -> None:
    """Go to a patient's films at these two visits."""
    url_state.open_patient(subject, site=site, first=asked.first, last=asked.last)


def shown_way(found: Found) -> str:
    way = st.session_state.get(WAY)
    return way if way in found else next(iter(found))
