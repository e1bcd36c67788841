"""Templates to download: the columns of a table in words, and a table to fill in."""

from __future__ import annotations

import streamlit as st

from core import scores as systems
from data.tables import templates
from pages.common.page import Page
from pages.common.provenance import as_csv
from pages.common.shown_table import show_table

CSV = "text/csv"


def subjects_templates(page: Page) -> None:
    """Columns and templates of the tables of patients and of visits."""
    with st.expander("Columns, and templates to fill in", icon=":material/table_view:"):
        st.markdown("**Patients**: one row each")
        _columns(templates.SUBJECTS)
        patients = as_csv(templates.subjects_template(page.store, page.viewer))
        _download("Template of patients", "patients", patients)
        st.markdown("**Visits**: a plan for all, or one row for each patient and visit")
        _columns(templates.VISITS)
        visits = as_csv(templates.visits_template(page.store, page.viewer))
        _download("Template of visits", "visits", visits)
        st.caption(
            "A template names the patients and visits that are known already. Common and CDISC names of "
            "columns are recognised."
        )


def reads_template(page: Page, system: str) -> None:
    """Columns and template of a table of scores: one row for each patient and visit, one column a site."""
    with st.expander("Columns, and a template to fill in", icon=":material/table_view:"):
        _columns(templates.READS)
        title = systems.get(system).title
        st.caption(
            f"Or long: subject, visit, site, grade, and where there are any feature, reason, reader. "
            f"The template has a row for each patient and visit that is known, and the sites of {title}."
        )
        table = templates.reads_template(page.store, page.viewer, system)
        _download(f"Template of {title} scores", f"scores_{system}", as_csv(table))


def _columns(shown: tuple[templates.Column, ...]) -> None:
    show_table(templates.columns_of(shown))


def _download(label: str, name: str, content: bytes) -> None:
    st.download_button(
        f"{label} (CSV)",
        content,
        f"template_{name}.csv",
        CSV,
        icon=":material/download:",
        key=f"template_{name}",
    )
