"""The grades of all readings together: Fleiss, Conger, Krippendorff, AC1 and AC2."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.agreement.comparison import STATUS
from core.report import formatting
from pages.common.agreement.question import Comparison
from pages.common.agreement.site_statistics import together
from pages.common.agreement.widgets import beside, titled
from pages.common.page import Page
from pages.common.provenance import download
from pages.common.shown_table import show_table

TITLES = {
    "fleiss": "Fleiss' kappa",
    "conger": "Conger's kappa",
    "krippendorff": "Krippendorff's alpha",
    "gwet": "Gwet's AC1 / AC2",
}
WEIGHTS = {"unweighted": "same grade or not", "linear": "linear", "quadratic": "quadratic"}


def all_raters(page: Page, compared: Comparison, visit: str, feature: str) -> None:
    """One table a panel, where three readings or more graded the sites."""
    panels = list(compared.panels)
    found = {panel: together(page, compared.question, visit, feature, panel) for panel in panels}
    if not any(found.values()):
        return
    st.markdown("## All readings together")
    for column, panel in zip(beside(len(panels)), panels, strict=True):
        with column:
            if panel == STATUS:
                st.markdown(f"### Status, {visit or 'all visits'}")
            else:
                titled(compared, panel)
            _panel(found[panel], panel)


def _panel(found: dict[str, Any] | None, panel: str) -> None:
    if found is None:
        st.markdown("Too many different grades, or none: no coefficient for all readings.")
        return
    rows = coefficient_rows(found)
    shown = {
        name: [formatting.estimated({"estimate": e, "ci": [low, high]}) for e, low, high in values]
        for name, values in rows.groupby("weights", sort=False)[["estimate", "low", "high"]]
        .apply(lambda part: list(part.itertuples(index=False, name=None)))
        .items()
    }
    show_table(pd.DataFrame({"coefficient": list(TITLES.values())} | shown))
    st.caption(
        f"{len(found['raters'])} readings, {found['ratings']:,} grades of {found['patients']:,} patients; "
        "sites with gaps count. Intervals resample patients. Conger sees who gave which grades, Fleiss and "
        "alpha do not; AC1 and AC2 stay steady where most grades are 0."
    )
    download(rows, f"all_readings_{panel}")


def coefficient_rows(found: dict[str, Any]) -> pd.DataFrame:
    """``coefficient, weights, estimate, low, high``."""
    rows = []
    for name, title in TITLES.items():
        for weights, value in zip(WEIGHTS.values(), found[name].values(), strict=True):
            rows.append((title, weights, value["estimate"], *value["ci"]))
    return pd.DataFrame(rows, columns=["coefficient", "weights", "estimate", "low", "high"])
