"""What is asked on the Progression page: score, scorer, visits, method for missing films."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from core.domain import CohortFilter, ReaderKind
from core.progression.missing.methods import METHODS
from core.reader_labels import people
from core.scores.system import Rule, ScoreSystem
from pages.common.readings import all_patients, system_of

READERS = "Readers (mean)"
TOTAL = "total"
IMPUTED, COMPLETE = "imputed", "complete only"
OBSERVED = METHODS[0].name
CAMPAIGN, SELECTION = "campaign", "selection"


@dataclass(frozen=True)
class Question:
    """Which change. scorer: READERS, or the label of a model or the truth. days: of the two visits.

    rule: for missing sites, "" for the system's default. films: method for missing films. sdc_of: whose
    change gives the SDC: of all patients of the reading campaign, or of the patients chosen, as in analyses
    frozen before version 0.3.
    """

    chosen: CohortFilter
    first: str
    last: str
    days: tuple[float, float]
    scorer: str = READERS
    component: str = TOTAL
    rule: str = ""
    films: str = OBSERVED
    sdc_of: str = CAMPAIGN

    @property
    def system(self) -> ScoreSystem:
        return system_of(self.chosen)

    @property
    def sites(self) -> tuple[str, ...]:
        """The sites of the part of the score that is asked about; all of the system's for the total."""
        if self.component == TOTAL:
            return self.system.codes
        return tuple(site.code for site in self.system.sites_of(self.component))

    @property
    def unit(self) -> str:
        """What a number is in: the score, and the part of it."""
        if self.component == TOTAL:
            return self.system.title
        return f"{self.system.title}, {self.system.name_of(self.component)}"

    @property
    def images(self) -> str:
        """What readers looked at: films, or stacks of slices."""
        return f"{self.system.image_title}s"

    @property
    def rule_used(self) -> Rule:
        named = [rule for rule in self.system.rules if rule.name == self.rule]
        return named[0] if named else self.system.default_rule

    @property
    def is_full_set(self) -> bool:
        """Whether all patients are in: p-values belong to the full analysis set alone."""
        return all_patients(self.chosen) == self.chosen

    def as_settings(self) -> dict[str, Any]:
        """Plain values: for looks, frozen sets, and how a figure was made."""
        chosen = {name: _plain(value) for name, value in asdict(self.chosen).items() if value}
        rest = ("first", "last", "scorer", "component", "films", "sdc_of")
        return {
            "filter": chosen,
            **{name: getattr(self, name) for name in rest},
            "days": list(self.days),
            "rule": self.rule_used.name,
        }


def question_from(settings: dict[str, Any]) -> Question:
    """The question that ``as_settings`` wrote down."""
    given = settings["filter"]
    lists = {name: tuple(given.get(name, ())) for name in ("arms", "sexes", "visits", "subjects", "centres")}
    pairs = tuple((str(name), str(level)) for name, level in given.get("covariates", ()))
    chosen = CohortFilter(
        system=given["system"],
        campaign=given.get("campaign", ""),
        covariates=pairs,
        ranges=tuple(tuple(one) for one in given.get("ranges", ())),
        **lists,
    )
    rest = {name: settings[name] for name in ("first", "last", "scorer", "component", "rule", "films")}
    days = (settings["days"][0], settings["days"][1])
    return Question(chosen, days=days, **rest, sdc_of=settings.get("sdc_of", SELECTION))


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def scorers(kinds: dict[str, str]) -> list[str]:
    """Who can be asked: the mean of the human readers, then each model and the truth."""
    others = [label for label, kind in kinds.items() if kind != ReaderKind.HUMAN]
    return ([READERS] if people(kinds) else []) + others


def baseline_visit(days: dict[str, float]) -> str:
    """The visit nearest to day 0: a screening visit before it is no baseline."""
    return min(days, key=lambda visit: (abs(days[visit]), days[visit]))


def without_films(asked: Question) -> Question:
    """The question with the observed films only: what does not depend on the method is kept once."""
    return replace(asked, films=OBSERVED)
