"""The model by device and over calendar time, with limits that raise a flag."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.agreement.drift.measures import AGREEMENT, IMAGE, OUTPUT
from core.errors import InputError
from core.figures.agreement import drift as drawing
from core.markdown import md
from core.reader_labels import md_name
from data.queries import scores
from data.queries.drift import drift as drifting
from data.queries.drift.images import model_images, models
from pages.common.agreement.question import Comparison
from pages.common.agreement.widgets import figure
from pages.common.page import Page
from pages.common.queries import ask, computed
from pages.common.shown_table import show_table
from pages.common.sticky_widgets import pick, pick_one

GROUPS = {"Agreement with readers": AGREEMENT, "What the model gives": OUTPUT, "The images": IMAGE}
WHAT, MODEL, MOST = "agreement_drift_what", "agreement_drift_model", 200
RULE = (
    "The band reaches to the limit of each device or period; a flag (diamond) lies beyond. Limits hold for "
    "all measures of a column together: where nothing differs, about one column in twenty has a flag. Levels "
    "are compared within the same kind of image and visit; patients, not images, are the unit. Open circles: "
    "a period alone."
)


def device_drift(page: Page, compared: Comparison) -> str:
    """Agreement, output and images of a model by device and over time."""
    asked = _asked(page, compared)
    found: dict[str, Any] | str = (
        computed(page, _drift, asked) if asked else "No model has read these images."
    )
    if isinstance(found, str):
        st.info(md(found), icon=":material/inbox:")
        return ""
    _verdict(found)
    shown = pick_one("Measures of", list(GROUPS), WHAT, label_visibility="collapsed")
    names = [name for name, about in found["measures"].items() if about["group"] == GROUPS[shown]]
    drawn = drawing.varying(found, names)
    if drawn:
        figure(
            drawing.drift(found, drawn, page.look), "drift", alt=f"{shown} by device and over time",
            sentence=f"{_counts(found)} {RULE}", data=_rows(found, drawn),
        )  # fmt: skip
    elif drawing.is_compared(found):
        st.markdown("None of these differs from device to device or over time.")
    for note in found["notes"]:
        st.caption(md(f"{note[:1].upper()}{note[1:]}."))
    return (
        f"{md_name(found['model'])} was followed by device and, as an exponentially weighted moving average, "
        "over calendar time, within the same kind of image and visit; limits come from sign flips of the "
        "patients' contributions (Hemerik, Goeman and Finos 2020), for all measures together."
    )


def _asked(page: Page, compared: Comparison) -> drifting.Asked | None:
    chosen = compared.question.chosen
    known = ask(page, models, chosen.system)
    if known.empty:
        return None
    names = [f"{row.reader} ({row.campaign})" for row in known.itertuples()]
    name = names[0] if len(names) == 1 else pick("Reads of", names, MODEL, format_func=md_name)
    row = known.iloc[names.index(name)]
    asked = drifting.Asked(chosen, str(row["reader"]), str(row["campaign"]), images=MOST)
    return drifting.pick(_people(asked, compared), known, ask(page, scores.readers, chosen.system))


def _people(asked: drifting.Asked, compared: Comparison) -> drifting.Asked:
    """With the readers' campaign that the page shows, where people read in it."""
    own = compared.question.chosen.campaign if compared.readings.people else ""
    return drifting.Asked(asked.chosen, asked.model, asked.campaign, own, images=asked.images)


def _drift(page: Page, asked: drifting.Asked) -> dict[str, Any] | str:
    rows = ask(page, model_images, asked.chosen, asked.model, asked.campaign, asked.people)
    try:
        return drifting.charts(page.store, rows, asked)
    except InputError as error:
        return f"{error.given}: {error.needed}"


def _verdict(found: dict[str, Any]) -> None:
    flags = pd.DataFrame(found["flags"], columns=["by", "level", "measure", "difference", "p"])
    groups = [found["measures"][name]["group"] for name in flags["measure"]]
    of_model = flags[[group != IMAGE for group in groups]]
    if not drawing.is_compared(found):
        st.info("Nothing can be compared.", icon=":material/inbox:")
        return
    if flags.empty:
        st.success("No flag: nothing lies beyond its limit.", icon=":material/check_circle:")
        return
    if of_model.empty:
        words = (
            "Images differ from device to device or over time; no flag on the model's agreement and output."
        )
        st.info(words, icon=":material/info:")
    else:
        where = "; ".join(dict.fromkeys(of_model["level"]))
        st.warning(f"The model differs by more than the limit: {md(where)}.", icon=":material/flag:")
    shown = flags.assign(
        measure=[found["measures"][name]["title"] for name in flags["measure"]],
        difference=[f"{row.difference:+.3g} {found['measures'][row.measure]['unit']}" for row in
                    flags.itertuples()],
        p=[f"{p:.3f}" for p in flags["p"]],
    )  # fmt: skip
    with st.expander(f"All flags ({len(flags)})", icon=":material/flag:"):
        show_table(shown.rename(columns={"p": "adjusted p", "level": "device or period"}))


def _counts(found: dict[str, Any]) -> str:
    axis = "taken" if found["time"]["by"] == "film" else "imported"
    readers = found["readers_campaign"]
    with_whom = f", with readers of {md(readers)}" if readers else ""
    looked = found["images_looked_at"]
    part = f" Grey values are those of {looked:,} of them." if looked < found["images"] else ""
    return (
        f"{found['images']:,} images of {found['patients']:,} patients read by {md_name(found['model'])} "
        f"({md(found['campaign'])}){with_whom}; months in which images were {axis}, joined until "
        f"{found['min_patients']} patients were seen.{part}"
    )


def _rows(found: dict[str, Any], names: list[str]) -> pd.DataFrame:
    rows = [
        {"by": axis, "measure": name} | point
        for axis in ("device", "time")
        for name in names
        for point in found[axis]["measures"].get(name, [])
    ]
    return pd.DataFrame(rows)
