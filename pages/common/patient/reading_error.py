"""A patient's change against the readers' error, and the probability that the patient truly worsened."""

from __future__ import annotations

from core.domain import CohortFilter
from core.progression.probability_of_change.model import WORSENED
from core.progression.probability_of_change.posterior import (
    Worsening,
    by_subject,
    in_words,
    meaning_of,
    true_change,
)
from core.progression.sdc import says
from core.reader_labels import label_kinds, people
from pages.common.page import Page
from pages.common.patient.case import Case
from pages.common.queries import computed
from pages.common.readings import change_table, chosen_totals


def against_error(case: Case) -> str:
    """ "beyond reading error" or "within reading error"; empty without a change or an SDC."""
    if case.mean_change is None or case.error is None:
        return ""
    beyond = abs(case.mean_change) > case.error.limit(case.readers_of_change) + 1e-9
    return "**beyond reading error**" if beyond else "**within reading error**"


def no_change(case: Case) -> str:
    """Why the mean change is 0: nobody saw a change in the total, or the readers' changes cancel out."""
    if case.mean_change is None or case.mean_change:
        return ""
    names = people(case.kinds)
    if any(case.change(name) for name in names):
        return "The readers' changes cancel out."
    return f"{'Neither' if len(names) == 2 else 'No'} reader's total changed."


def meaning(page: Page, case: Case) -> str:
    """What "beyond reading error" says, and what the probability beside it does; empty without an SDC."""
    if case.mean_change is None or case.error is None:
        return ""
    text = says(case.error.limit(case.readers_of_change))
    found = _probability(page, case)
    return f"{text} {meaning_of(found)}".strip() if found is not None else text


def worsening(page: Page, case: Case) -> str:
    """The probability that the patient truly worsened, or why none is given; empty without a change."""
    found = _probability(page, case)
    if found is None:
        return ""
    if found.probability is None:
        return f"**Truly worse?** No probability is given: {found.reason}."
    return (
        f"**Probability of true worsening:** {in_words(found.probability)} (true change above {WORSENED:g}, "
        f"by the change of all {found.cohort:,} patients)."
    )


def _probability(page: Page, case: Case) -> Worsening | None:
    if page.is_reader or case.mean_change is None or case.error is None:
        return None
    chosen = case.chosen
    found: Worsening | None = computed(
        page, _of_subject, case.subject, chosen.system, chosen.campaign, case.first, case.last, case.rule.name
    )
    return found


def _of_subject(
    page: Page, subject: str, system: str, campaign: str, first: str, last: str, rule: str
) -> Worsening | None:
    everybody: dict[str, Worsening] = computed(page, _of_all, system, campaign, first, last, rule)
    return everybody.get(subject)


def _of_all(page: Page, system: str, campaign: str, first: str, last: str, rule: str) -> dict[str, Worsening]:
    """Of everybody in the campaign with a change, whatever the filter leaves."""
    totals = chosen_totals(page, CohortFilter(system=system, campaign=campaign), rule=rule)
    table = change_table(totals, first, last)
    table = table[[label for label in people(label_kinds(totals)) if label in table]].dropna(how="all")
    return by_subject(true_change(table.to_numpy(dtype=float)), [str(name) for name in table.index])
