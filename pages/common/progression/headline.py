"""The question and the answer in a sentence, with and without imputation, against the SDC."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.markdown import md
from core.progression.missing.methods import BY_NAME
from core.progression.missing.sensitivity import MEAN
from core.reader_labels import label_kinds, people
from core.report import formatting
from core.scores.display.partly_read import in_words, partly_read
from core.scores.display.words import of_images, worsened
from core.scores.system import Choose
from core.ties import in_order
from pages.common.page import Page
from pages.common.progression.figures import WAYS, Found
from pages.common.progression.missing_data import missing_counts, under_method
from pages.common.progression.question import IMPUTED, OBSERVED, READERS, SELECTION, Question
from pages.common.readings import chosen_totals

OF_SDC = {
    "such 95% intervals": "95% intervals of the SDC made in this way",
    "such an interval": "an interval of the SDC made in this way",
}
ALIKE = "every patient changed by as much: no interval"


def answer(page: Page, asked: Question, found: Found) -> None:
    """The question of the page, answered: which arm, by how much, against the SDC, both ways."""
    if not found:
        st.info(_nobody(asked), icon=":material/inbox:")
        st.stop()
    for title, way in _ways(page, asked, found).items():
        said = _sentence(asked, found[way]) if way in found else _nobody(asked)
        st.markdown(f"**{title}.** {said}")
    _missing(page, asked)


def _ways(page: Page, asked: Question, found: Found) -> dict[str, str]:
    """Title of a paragraph -> its way: one for both where no site was imputed, so that both are the same."""
    both = [found[way] for way in WAYS if way in found]
    if len(both) == len(WAYS) and _same(*both) and not missing_counts(page, asked)["imputed"]:
        return {"With or without imputed sites: none was imputed": IMPUTED}
    return {words.capitalize(): way for way, words in WAYS.items()}


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two results give the same paragraph."""
    return all(one[name] == other[name] for name in ("summary", "arm_differences", "sdc95", "intervals"))


def _nobody(asked: Question) -> str:
    """That no change can be formed, and what may help."""
    who = "No patient" if asked.is_full_set else "None of the patients that the filter leaves"
    return f"{who} has a total at both {md(asked.first)} and {md(asked.last)}."


def _sentence(asked: Question, result: dict[str, Any]) -> str:
    unit = asked.unit
    arms = {arm: value for arm, value in result["summary"].items() if arm != "all"} or {
        "All": result["summary"]["all"]
    }
    means = [value["mean"] or 0.0 for value in arms.values()]
    ranked = [list(arms.items())[place] for place in in_order(means, largest_first=True)]
    rose, images = worsened(asked.system), asked.images
    said = "; ".join(_progress(arm, value, rose, images) for arm, value in ranked)
    text = f"{md(asked.first)} to {md(asked.last)}, {unit} (mean, 95% CI): {said}. {_difference(result)}"
    return text + _against_sdc(asked, result, [arm for arm, _ in ranked])


def _progress(arm: str, value: dict[str, Any], rose: str = "progressed", images: str = "films") -> str:
    """What an arm did, in words: progressed by, improved by, or no patient with both films."""
    mean = value["mean"]
    if mean is None:
        return f"**{md(arm)}**: no patient has both {images}"
    verb = "improved" if mean < 0 else rose
    low, high = value["ci"]
    if low is None:
        return f"**{md(arm)}** {verb} by {formatting.number(abs(mean))} (one patient: no interval), n = 1"
    if mean < 0:
        low, high = -high, -low
    interval = formatting.interval(low, high) if low != high else f"({ALIKE})"
    return f"**{md(arm)}** {verb} by {formatting.number(abs(mean))} {interval}, n = {value['n']}"


def _difference(result: dict[str, Any]) -> str:
    said = []
    for row in result["arm_differences"]:
        if row["estimate"] is None:
            continue
        value = formatting.with_interval([row["estimate"], *row["ci"]], signed=True)
        said.append(f"{md(row['a'])} minus {md(row['b'])} {value}")
    return f"Difference: {'; '.join(said)}. " if said else ""


def _against_sdc(asked: Question, result: dict[str, Any], arms: list[str]) -> str:
    if result["sdc95"] is None:
        return f"No smallest detectable change: {result['notes'].get('sdc95', 'not computable')}."
    shares = result["progressor_shares"]
    beyond = _counts(shares[">SDC"], arms)
    if "<-SDC" in shares:
        beyond = f"worse {beyond}; better {_counts(shares['<-SDC'], arms)}"
    sdc, k = result["sdc95"]["mean_of_readers"], result["sdc_readers"]
    better = result["intervals"]
    low, high = (better["sdc95"] if better else result["sdc95_ci"])["mean_of_readers"]
    interval = f" ({low:.2f} to {high:.2f})" if low is not None and high is not None else ""
    whose = "" if asked.is_full_set else f", from all {result['sdc_subjects']} patients of the campaign"
    if asked.sdc_of == SELECTION:
        whose = f", from the {result['sdc_subjects']} patients chosen"
    said = better["coverage"]["sdc95"]["note"] if better else ""
    held = f" {of_sdc(said)}." if said else ""
    return f"Beyond the SDC95 (mean of {k} readers) of {sdc:.2f}{interval}{whose}: {beyond}.{held}"


def _counts(shares: dict[str, Any], arms: list[str]) -> str:
    counts = (shares.get(arm, shares["all"]) for arm in arms)
    return ", ".join(f"{v['count']} of {v['n']} in {md(arm)}" for arm, v in zip(arms, counts, strict=True))


def of_sdc(said: str) -> str:
    """A note on how often intervals hold, as a sentence that names which number is meant."""
    for such, named in OF_SDC.items():
        said = said.replace(such, named)
    return f"{said[:1].upper()}{said[1:]}"


def _missing(page: Page, asked: Question) -> None:
    """What was imputed, and what the result then stands for."""
    counts = missing_counts(page, asked)
    rule = asked.rule_used
    named = rule.title if asked.system.chooses_blocks else f"Missing sites, {rule.title}"
    text = (
        f"{named}: {counts['imputed']:,} of {counts['sites']:,} imputed at the two "
        f"visits; {counts['incomplete']:,} of {counts['readings']:,} readings have no total under it."
    )
    if asked.rule_used.choose != Choose.ALL:
        part = partly_read(_totals_asked(page, asked), asked.system)
        if len(part):
            st.warning(in_words(part, asked.system), icon=":material/rule:")
    if asked.films == OBSERVED:
        none = of_images(asked.system, f"Missing films: none imputed. {BY_NAME[OBSERVED].estimand}")
        st.caption(f"{text} {none}")
        return
    panel = under_method(page, asked)
    st.markdown(_under_method(panel, asked))
    for who in _left_out(panel):
        st.text(who)
    st.caption(f"{text} {of_images(asked.system, BY_NAME[asked.films].estimand)}")


def _totals_asked(page: Page, asked: Question) -> pd.DataFrame:
    """The totals of those who are asked, at both visits."""
    found = chosen_totals(page, asked.chosen)
    wanted = people(label_kinds(found)) if asked.scorer == READERS else [asked.scorer]
    return found[found["label"].isin(wanted) & found["visit"].isin([asked.first, asked.last])]


def _left_out(panel: pd.DataFrame) -> list[str]:
    """Who has no value under the method, by name, where the panel says so."""
    rows = panel[(panel["group"] == "all") & (panel["measure"] == MEAN)] if len(panel) else panel
    return [text for text in rows["note"] if text] if len(rows) else []


def _under_method(panel: pd.DataFrame, asked: Question) -> str:
    rows = panel[panel["measure"] == MEAN] if len(panel) else panel
    if rows.empty:
        title = of_images(asked.system, BY_NAME[asked.films].title)
        return f"**{title.capitalize()}**: nothing can be computed."
    said = []
    for row in rows.to_dict("records"):
        if row["group"] == "all" and len(rows) > 1:
            continue
        value = formatting.with_interval([row["estimate"], row["low"], row["high"]], signed=True)
        said.append(f"**{md(row['group'])}** {value}, n = {row['n']}")
    everyone = rows[rows["group"] == "all"].iloc[0]
    by = of_images(asked.system, f"**Missing films by {BY_NAME[asked.films].title}.**")
    imputed = of_images(asked.system, f"Films imputed in {everyone['imputed_films']} of {everyone['n']}")
    return f"{by} {'; '.join(said)}. {imputed} patients; {everyone['without_change']} still without a change."
