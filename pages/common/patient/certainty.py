"""How sure a change is, given the readers' error."""

from __future__ import annotations

from core.patient.certainty import ASSUMES, probability_real
from core.reader_labels import people
from core.report import formatting
from pages.common.patient.case import Case

SURE, LIKELY = 0.975, 0.9


def probability(case: Case) -> float | None:
    """That the mean change of the readers has the true sign; None without a change or an SDC."""
    if case.mean_change is None or case.error is None:
        return None
    return probability_real(case.mean_change, case.error.mean)


def how_sure(case: Case) -> str:
    """The probability in words; empty where there is none."""
    found, change = probability(case), case.mean_change
    if found is None or change is None or case.error is None:
        return ""
    if not change:
        return f" {_no_change(case)}"
    kind = "worse" if change > 0 else "better"
    sure = "almost surely" if found >= SURE else "probably" if found >= LIKELY else "perhaps"
    return f" **{sure.capitalize()} {kind}: {_percent(found)}** that the change is real."


def _no_change(case: Case) -> str:
    """Why the mean change is 0: nobody saw a change in the total, or the readers' changes cancel out."""
    names = people(case.kinds)
    if any(case.change(name) for name in names):
        return "The readers' changes cancel out."
    return f"{'Neither' if len(names) == 2 else 'No'} reader saw a change."


def _percent(share: float) -> str:
    return "over 99.9%" if share > 0.999 else f"{100 * share:.1f}%" if share > 0.99 else f"{100 * share:.0f}%"


def formula(case: Case) -> str:
    """How that probability is made, and what it assumes."""
    if probability(case) is None or case.error is None or case.mean_change is None:
        return ""
    return (
        f"Probability that the change is real: Φ(1.96 × |{formatting.signed(case.mean_change, 1)}| / "
        f"{case.error.mean:.2f}), "
        f"assuming that {ASSUMES}. At the SDC it is 97.5%, at no change 50%."
    )
