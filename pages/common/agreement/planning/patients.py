"""How many patients a study of agreement needs."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.agreement.sample_size import expected_width, subjects_for_width
from core.domain import ReaderKind
from core.figures.agreement.planning import width_by_subjects
from pages.common.agreement import question, statistics
from pages.common.agreement.question import Comparison
from pages.common.agreement.widgets import figure
from pages.common.page import Page
from pages.common.sticky_widgets import pick, pick_number, pick_on_scale
from pages.common.views.choices import anew

FORMS = ("ICC(A,1)", "ICC(C,1)", "ICC(1,1)")
KEY = "agreement_plan_"
MAX_ICC = 0.99  # of an ICC that is planned for


def patients(page: Page, compared: Comparison) -> None:
    """Patients for an ICC interval of a wanted width, beginning with what this study found."""
    anew("plan_icc_for", compared.question, f"{KEY}icc", f"{KEY}raters")
    one, two, three, four = st.columns(4)
    with one:
        form = pick("Form", FORMS, f"{KEY}form")
    with two:
        icc = pick_number("Expected ICC", f"{KEY}icc", 0.0, MAX_ICC, _planned(page, compared), 0.05)
    with three:
        raters = int(pick_number("Readers", f"{KEY}raters", 2, 20, max(2, len(compared.readings.people)), 1))
    with four:
        width = pick_number("Width of the 95% interval", f"{KEY}width", 0.02, 1.0, 0.2, 0.05)
    share = _rater_proportion(icc) if form == question.ICC else 0.0
    n = subjects_for_width(icc, raters, width, form=form, rater_share=share)
    if n is None:
        st.warning(
            f"No number of patients gives {form} an interval of {width:.2f} with {raters} readers: more "
            "patients do not narrow the difference between readers; more readers do.",
            icon=":material/groups:",
        )
        return
    st.markdown(f"**{n:,} patients**, each scored by {raters} readers, for a 95% interval {width:.2f} wide.")
    curve = width_curve(icc, raters, form, share, n)
    figure(
        width_by_subjects(curve, width, n, form=form, on=page.look), "planning",
        alt=f"Width of the interval of {form} over the number of patients",
        sentence=f"Expected width of the 95% interval of {form} {icc:.2f} with {raters} readers, n = {n:,} "
        f"for {width:.2f}: Bonett 2002, then the smallest n whose own interval is that narrow. The expected "
        "ICC begins as that of the readers here, about change where there is change.",
        data=curve,
    )  # fmt: skip


def _rater_proportion(icc: float) -> float:
    most = round(MAX_ICC - icc, 2)
    if most < 0.01:
        return 0.0
    title = "Proportion of the variance that is a constant difference between readers"
    return pick_on_scale(title, f"{KEY}share", 0.0, most, 0.0, 0.01)


def _planned(page: Page, compared: Comparison) -> float:
    """The human readers' ICC of change, or of status, kept within what can be planned for."""
    found = statistics.statistics(page, compared.question)
    here = found[(found["statistic"] == question.ICC) & (found["component"] == compared.question.component)]
    here = here[(here["kind"] == ReaderKind.HUMAN) & (here["panel"] == compared.panels[-1])]
    mean = here["estimate"].mean()
    return 0.7 if pd.isna(mean) else round(min(max(float(mean), 0.0), 0.95), 2)


def width_curve(icc: float, raters: int, form: str, share: float, n: int) -> pd.DataFrame:
    """``patients, width`` from a sixth of n to three times n."""
    steps = sorted({max(3, round(n * part / 12)) for part in range(2, 37)} | {n})
    widths = [expected_width(icc, raters, step, form, share) for step in steps]
    frame = pd.DataFrame({"patients": steps, "width": widths})
    return frame[frame["width"] < 2].reset_index(drop=True)
