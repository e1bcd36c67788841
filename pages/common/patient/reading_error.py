"""A patient's change against the readers' error, and what that comparison does not say."""

from __future__ import annotations

from core.progression.sdc import says
from core.reader_labels import people
from pages.common.patient.case import Case


def against_error(case: Case) -> str:
    """ "beyond reading error" or "within reading error"; empty without a change or an SDC."""
    if case.mean_change is None or case.error is None:
        return ""
    beyond = abs(case.mean_change) > case.error.mean + 1e-9
    return "**beyond reading error**" if beyond else "**within reading error**"


def no_change(case: Case) -> str:
    """Why the mean change is 0: nobody saw a change in the total, or the readers' changes cancel out."""
    if case.mean_change is None or case.mean_change:
        return ""
    names = people(case.kinds)
    if any(case.change(name) for name in names):
        return "The readers' changes cancel out."
    return f"{'Neither' if len(names) == 2 else 'No'} reader saw a change."


def meaning(case: Case) -> str:
    """What "beyond reading error" says and what it does not; empty without a change or an SDC."""
    if case.mean_change is None or case.error is None:
        return ""
    return says(case.error.mean)
