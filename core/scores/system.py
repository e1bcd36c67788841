"""The shape that every score has: sites, features, rules and settings, as data.

A system says where one looks (sites), what one grades there (features), how site grades add up (blocks,
components, total) and what happens to a site that could not be graded (rules). Nothing here computes;
``core.scores.engine.totals`` computes for any system. What was not verified against the primary paper is a
Rule or Setting with ``is_verified`` False, or an Assumption: a page that uses it shows its name.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import combinations

from core.errors import InputError
from core.names import plain
from core.scores.drawing import Drawing
from core.scores.set_sites import SetSites


class Fill(StrEnum):
    """What happens to a site that a reader could not grade."""

    NOTHING = "nothing"  # a block with a gap has no sum
    BLOCK_MEAN = "block_mean"  # the mean of the graded sites of its block, same reader and visit
    OTHER_VISIT = "other_visit"  # the grade of the same site at the reader's other visit
    OTHER_VISIT_PLUS_CHANGE = "other_visit_plus_change"  # the same, moved by the mean change of its block
    DROP_SITE = "drop_site"  # left out at every visit of that subject and reader
    GRADED_ONLY = "graded_only"  # a block sums what is graded
    PRO_RATE = "pro_rate"  # the same, scaled to all sites of the block that have a row


class Counted(StrEnum):
    """Which sites a count beside the total takes; "then" is the reader's own first visit of the subject."""

    NOW = "now"  # at or above the grade now
    AT_RISK = "at_risk"  # below the grade then
    NEW = "new"  # below the grade then, at or above it now


class Choose(StrEnum):
    """Which blocks make the total."""

    ALL = "all"
    WORST_EACH_VISIT = "worst_each_visit"
    WORST_AT_BASELINE = "worst_at_baseline"  # the reader's worst at baseline, at every visit


@dataclass(frozen=True)
class Feature:
    """What is graded at a site.

    grades: what each grade from 0 upwards means, in the reader's words.
    aliases: other spellings in a ``feature`` column. note: what else its scale needs to be understood.
    short: its name where there is little room, such as over a column; the code where it has none.
    """

    code: str
    name: str
    grades: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    note: str = ""
    short: str = ""


@dataclass(frozen=True)
class Site:
    """One place with one grade, 0 to ``maximum``.

    block: sites that are summed, imputed and judged together.
    unit: the anatomical unit: a disc level, a joint, a discovertebral unit.
    group: sites that one reader sees together, such as one slice of a unit; the unit where there is none.
    region: coarse place for charts: cervical, thoracic, lumbar, hand, foot, ...
    side: ``R``, ``L`` or nothing.
    anatomy: the bone or part in SNOMED CT, as ``pydicom.sr.codedict`` spells it (``L3Vertebra``), or nothing.
    """

    code: str
    name: str
    feature: str
    maximum: int
    block: str
    unit: str
    region: str
    side: str = ""
    group: str = ""
    aliases: tuple[str, ...] = ()
    anatomy: str = ""


@dataclass(frozen=True)
class Component:
    """A part of the total that is reported on its own: the sum of these blocks."""

    name: str
    title: str
    blocks: tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """How totals come from sites that are partly missing.

    max_missing, min_share: limits for a block under ``BLOCK_MEAN``: at most so many sites missing, or at
    least this share graded; beyond, the block has no sum.
    count: blocks chosen, where ``choose`` is not ``ALL``.
    """

    name: str
    title: str
    text: str
    source: str
    is_verified: bool
    fill: Fill = Fill.NOTHING
    max_missing: int | None = None
    min_share: float | None = None
    choose: Choose = Choose.ALL
    count: int = 0

    @property
    def short(self) -> str:
        return self.name.partition(".")[2]


@dataclass(frozen=True)
class Setting:
    """A choice within the rules that a protocol makes; recorded with every total."""

    name: str
    choices: tuple[str, ...]  # empty: free text
    default: str
    text: str
    is_verified: bool

    @property
    def short(self) -> str:
        return self.name.partition(".")[2]


@dataclass(frozen=True)
class Assumption:
    """A fact that the definition builds on and that was not checked against the primary paper."""

    name: str
    text: str


@dataclass(frozen=True)
class State:
    """A finding at a joint that lifts grades there, given as 0 or 1 under its own feature.

    lifts: (feature, grade) pairs; the grade becomes the larger of the two. Grade -1 means the site's maximum.
    lifts_under: the same, but only where setting ``setting`` has the value ``value``.
    is_query: a person has to resolve it.
    """

    code: str
    name: str
    lifts: tuple[tuple[str, int], ...] = ()
    setting: str = ""
    value: str = ""
    lifts_under: tuple[tuple[str, int], ...] = ()
    is_query: bool = False
    is_surgery: bool = False
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Combination:
    """A grade that is never given but looked up from two others of the same unit.

    table: ``table[row grade][column grade]``; None is a query, and no grade.
    """

    feature: str
    rows: str
    columns: str
    table: tuple[tuple[int | None, ...], ...]


@dataclass(frozen=True)
class Remission:
    """A published cut of a visit: a sum of a component's joints that is at most so much, or a joint of at
    least so much (then it is a sign of activity).

    component: whose grades count. at_most: of the sum. joint_at_least: of the highest grade.
    """

    name: str
    component: str
    at_most: int | None = None
    joint_at_least: int | None = None


@dataclass(frozen=True)
class Needs:
    """A finding that is impossible without another one in the same group, as intense without oedema.

    reason: why a row with it is refused, behind "SITE is 1 and".
    """

    features: tuple[str, ...]
    needed: str
    reason: str


@dataclass(frozen=True)
class Partner:
    """Two sites of one unit where this grade at one makes a lower grade at the other a question.

    reason: the question, behind the name of the unit.
    """

    grade: int
    reason: str


@dataclass(frozen=True)
class Lesion:
    """What counts as a lesion, so that new ones can be counted between two visits.

    name: in the singular, such as syndesmophyte. grade: a site of ``feature`` from this grade on has one.
    component: the part of the total that it belongs to, where it is not shown with the others.
    patient: what a patient is called who had none and now has one; without it they are not counted.
    """

    name: str
    feature: str
    grade: int
    component: str = ""
    patient: str = ""


@dataclass(frozen=True)
class Companion:
    """A count of graded sites that stands beside the total, such as the number of bridges.

    features: those whose sites are counted. grade: where counting begins, see ``Counted``.
    """

    name: str
    features: tuple[str, ...]
    grade: int
    counted: Counted = Counted.NOW


@dataclass(frozen=True)
class ScoreSystem:
    """One score, complete. ``sites`` stand from head to foot, right before left, thumb to little finger."""

    name: str
    title: str
    long_name: str
    aliases: tuple[str, ...]
    sites: tuple[Site, ...]
    features: tuple[Feature, ...]
    components: tuple[Component, ...]
    total_blocks: tuple[str, ...]
    rules: tuple[Rule, ...]  # the first is the default
    settings: tuple[Setting, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    states: tuple[State, ...] = ()
    combination: Combination | None = None
    needs: Needs | None = None
    partner: Partner | None = None
    lesions: tuple[Lesion, ...] = ()
    companions: tuple[Companion, ...] = ()
    joint_sets: tuple[tuple[str, tuple[str, ...]], ...] = ()  # names for lists of joints, both sides
    block_title: str = "block"
    site_title: str = "sites"
    cutoffs: tuple[str, ...] = (">0", ">SDC")  # definitions of progression
    article: str = "a"  # before the title, as it is spoken
    relatives: tuple[str, ...] = ()  # scores with like sites that must not be pooled with it
    films: str = ""  # what is scored, in a few words
    of_stacks: bool = False  # scored on stacks of slices, not on single films
    of_scans: bool = False  # scored on images of one joint each, in colour or grey
    remission: tuple[Remission, ...] = ()  # published cuts of a visit's sums
    measures: str = "damage"  # what more of it is; damage stays, inflammation may fall
    drawing: Drawing | None = None  # where units lie in the body, for maps; without one sites are listed
    sets: tuple[tuple[str, SetSites], ...] = ()  # open data sets with its sites: name, (their word, code)

    @property
    def image_title(self) -> str:
        """What is scored, in the singular."""
        return "stack" if self.of_stacks else "image" if self.of_scans else "film"

    @property
    def has_slices(self) -> bool:
        """Whether a block is scored slice by slice: its sites are in groups, each seen at once."""
        return any(site.group for site in self.sites)

    @cached_property
    def codes(self) -> tuple[str, ...]:
        return tuple(site.code for site in self.sites)

    @cached_property
    def by_code(self) -> dict[str, Site]:
        return {site.code: site for site in self.sites}

    @cached_property
    def blocks(self) -> tuple[str, ...]:
        """Block names in the order of their first site."""
        return tuple(dict.fromkeys(site.block for site in self.sites))

    @cached_property
    def units(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(site.unit for site in self.sites))

    @cached_property
    def by_feature(self) -> dict[str, Feature]:
        return {feature.code: feature for feature in self.features}

    @cached_property
    def spellings(self) -> dict[str, str]:
        """Every accepted spelling of a site, squeezed, to its code."""
        return {
            squeeze(text): site.code for site in self.sites for text in (site.code, *site.aliases) if text
        }

    @cached_property
    def feature_spellings(self) -> dict[str, str]:
        """Every accepted spelling of a feature or state, squeezed, to its code."""
        known: tuple[Feature | State, ...] = (*self.features, *self.states)
        return {squeeze(text): item.code for item in known for text in (item.code, item.name, *item.aliases)}

    def sites_of(self, component: str) -> tuple[Site, ...]:
        """The sites that make a component, all of the total's for ``total``. Raises KeyError if unknown."""
        blocks = {item.name: item.blocks for item in self.components}
        kept = (blocks | {"total": self.total_blocks})[component]
        return tuple(site for site in self.sites if site.block in kept)

    def title_of(self, component: str, rule: Rule | None = None) -> str:
        """What a component is called, with its range: ``total (0-448)``, ``erosion (0-280)``.

        rule: under which the total is made, the default without.
        """
        titles = {item.name: item.title for item in self.components}
        return titles.get(component, f"{component} (0-{self.most_of(rule)})")

    def name_of(self, component: str) -> str:
        """The same without the range: ``total``, ``joint space narrowing``."""
        return self.title_of(component).partition(" (")[0]

    def sites_of_set(self, name: str) -> dict[str, str]:
        """The words of an open data set -> codes of sites; empty where the set has none of them."""
        return dict(dict(self.sets).get(name, ()))

    @property
    def halves(self) -> tuple[tuple[str, str], ...]:
        """Pairs of components that make the total between them: erosion and jsn, hands and feet."""
        return tuple(
            (one.name, other.name)
            for one, other in combinations(self.components, 2)
            if sorted(one.blocks + other.blocks) == sorted(self.total_blocks)
        )

    @property
    def default_rule(self) -> Rule:
        return self.rules[0]

    @property
    def maximum(self) -> int:
        """The largest total when every block counts."""
        return sum(site.maximum for site in self.sites if site.block in self.total_blocks)

    def most_of(self, rule: Rule | None = None) -> int:
        """The largest total under a rule, the default without: of the blocks that it lets count."""
        used = rule or self.default_rule
        blocks = Counter[str]()
        for site in self.sites:
            if site.block in self.total_blocks:
                blocks[site.block] += site.maximum
        largest = sorted(blocks.values(), reverse=True)
        return sum(largest if used.choose == Choose.ALL else largest[: used.count])

    @property
    def chooses_blocks(self) -> bool:
        """Whether a rule says which blocks make the total."""
        return any(rule.choose != Choose.ALL for rule in self.rules)

    def rule(self, name: str | None = None) -> Rule:
        """The rule with this full or short name, the default without a name. Raises InputError if unknown."""
        if not name:
            return self.default_rule
        for rule in self.rules:
            if name.casefold() in (
                rule.name,
                rule.short,
                *(f"{alias}.{rule.short}" for alias in self.aliases),
            ):
                return rule
        raise InputError(
            f"rule {name}", f"{self.title} has {', '.join(rule.short for rule in self.rules)}", "choose one"
        )

    def choices(self, given: dict[str, str] | None = None) -> dict[str, str]:
        """Every setting's value, given ones over defaults. Raises InputError for an unknown name or value."""
        chosen = {setting.name: setting.default for setting in self.settings}
        for name, value in (given or {}).items():
            setting = next((item for item in self.settings if name in (item.name, item.short)), None)
            if setting is None:
                known = ", ".join(item.short for item in self.settings) or "none"
                raise InputError(f"setting {name}", f"{self.title} has {known}", "choose one")
            if setting.choices and value not in setting.choices:
                raise InputError(
                    f"setting {name}={value}", f"it can be {', '.join(setting.choices)}", "choose one"
                )
            chosen[setting.name] = value
        return chosen

    def recognise(self, text: str) -> str | None:
        """The code of the site so written, None where it is none: any case, separators and aliases."""
        return self.spellings.get(squeeze(text))


_SEPARATORS = re.compile(r"[\s._/\\-]+")


def squeeze(text: str) -> str:
    """Text without case, blanks, dots, dashes, slashes and underscores: how spellings are compared."""
    return _SEPARATORS.sub("", plain(text))
