"""The commands that give the numbers of the Progression page."""

from __future__ import annotations

from core.domain import CohortFilter
from core.facets import range_words
from core.progression.pairing import WINDOW_DAYS
from core.scores.system import Fill
from pages.common.page import Page
from pages.common.progression.question import READERS, Question


def commands(page: Page, asked: Question, readers: list[str]) -> str:
    """The commands that give the same numbers from the command line."""
    system = asked.system
    rules = [asked.rule_used.name, *(rule.name for rule in system.rules if rule.fill is Fill.NOTHING)]
    lines = []
    if not asked.is_full_set:
        lines.append(f"# add: only the patients of this filter, {_selection(asked.chosen)}")
        lines.append(
            "# the SDC of this page is that of all patients of the campaign: run it without the filter"
        )
    for rule in dict.fromkeys(rules):
        file = f"totals_{rule.partition('.')[2]}.csv"
        lines.append(f"sharpline export --table totals --system {system.name} --rule {rule} --out {file}")
        who = f"--readers {','.join(readers)} --where component={asked.component}"
        days = f"--from-days {asked.days[0]:g} --to-days {asked.days[1]:g} --window {WINDOW_DAYS:g}"
        campaign = f" --where campaign={asked.chosen.campaign}" if asked.scorer == READERS else ""
        lines.append(f"sharpline progression {file} {who}{campaign} {days}")
    return "\n".join(lines)


def _selection(chosen: CohortFilter) -> str:
    parts = {"arm": chosen.arms, "sex": chosen.sexes, "patients": chosen.subjects, "visits": chosen.visits}
    told = [f"{name} {' or '.join(values)}" for name, values in parts.items() if values]
    told += [f"centre {' or '.join(chosen.centres)}"] if chosen.centres else []
    told += [range_words(*one) for one in chosen.ranges]
    return ", ".join(told + [f"{name} {level}" for name, level in chosen.covariates])
