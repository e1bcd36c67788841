"""The commands that give the numbers of the Progression page."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.domain import CohortFilter
from core.facets import range_words
from core.progression.estimands.analysis import POLICY
from core.progression.pairing import WINDOW_DAYS
from core.scores.system import Fill
from pages.common.page import Page
from pages.common.progression.question import READERS, Question

NO_EVENT = "no event"
ESTIMAND_KEY = "progression_estimand_"  # of the widgets of the section on estimands


@dataclass(frozen=True)
class Chosen:
    """What the sections on arms and estimands of this page were asked; empty where they were not opened."""

    strata: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    adjust: str = ""
    strategy: str = ""
    event: str = ""
    assumptions: tuple[str, ...] = ()
    rule: str = ""

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Chosen:
        """From the state of the page's widgets. NO_EVENT stands for no event."""
        event = state.get(f"{ESTIMAND_KEY}event") or ""
        return cls(
            tuple(state.get("progression_strata") or ()),
            tuple(state.get("progression_covariates") or ()),
            state.get("progression_several_adjusted") or "",
            state.get(f"{ESTIMAND_KEY}strategy") or "",
            "" if event == NO_EVENT else event,
            tuple(state.get(f"{ESTIMAND_KEY}missing") or ()),
            state.get(f"{ESTIMAND_KEY}rule") or "",
        )

    @property
    def properties(self) -> list[str]:
        """Columns that the exported table needs."""
        named = [*self.strata, *self.covariates, *([self.event] if self.event else [])]
        return list(dict.fromkeys(named))

    @property
    def options(self) -> list[str]:
        """Of ``sharpline progression``."""
        found = [f"--strata {shlex.quote(name)}" for name in self.strata]
        found += [f"--covariate {shlex.quote(name)}" for name in self.covariates]
        found += [f"--adjust {self.adjust}"] if self.adjust else []
        if self.event:
            found.append(f"--event {shlex.quote(self.event)}")
        if self.strategy and (self.event or self.strategy == POLICY):
            found.append(f"--estimand {self.strategy}")
            if self.strategy in (POLICY, "hypothetical"):
                found += [*(f"--reference-based {name}" for name in self.assumptions), "--tipping"]
            if self.strategy == "composite" and self.rule:
                found.append(f"--progressor {shlex.quote(self.rule)}")
        return found


def commands(page: Page, asked: Question, readers: list[str], chosen: Chosen | None = None) -> str:
    """The commands that give the same numbers from the command line."""
    system, chosen = asked.system, chosen or Chosen()
    reference = page.state.get("reference_arm")
    more = [f"--reference {shlex.quote(reference)}"] if reference and page.sees_arm else []
    columns = "".join(f" --property {shlex.quote(name)}" for name in chosen.properties)
    rules = [asked.rule_used.name, *(rule.name for rule in system.rules if rule.fill is Fill.NOTHING)]
    lines = []
    if not asked.is_full_set:
        lines.append(f"# add: only the patients of this filter, {_selection(asked.chosen)}")
        lines.append(
            "# the SDC of this page is that of all patients of the campaign: run it without the filter"
        )
    for rule in dict.fromkeys(rules):
        file = f"totals_{rule.partition('.')[2]}.csv"
        lines.append(
            f"sharpline export --table totals --system {system.name} --rule {rule}{columns} --out {file}"
        )
        who = f"--readers {','.join(readers)} --where component={asked.component}"
        days = f"--from-days {asked.days[0]:g} --to-days {asked.days[1]:g} --window {WINDOW_DAYS:g}"
        campaign = f" --where campaign={asked.chosen.campaign}" if asked.scorer == READERS else ""
        lines.append(
            " ".join([f"sharpline progression {file} {who}{campaign} {days}", *more, *chosen.options])
        )
    return "\n".join(lines)


def _selection(chosen: CohortFilter) -> str:
    parts = {"arm": chosen.arms, "sex": chosen.sexes, "patients": chosen.subjects, "visits": chosen.visits}
    told = [f"{name} {' or '.join(values)}" for name, values in parts.items() if values]
    told += [f"centre {' or '.join(chosen.centres)}"] if chosen.centres else []
    told += [range_words(*one) for one in chosen.ranges]
    return ", ".join(told + [f"{name} {level}" for name, level in chosen.covariates])
