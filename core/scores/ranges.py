"""What a number in a table of scores can be: the range of a total, of a component, of a change."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core import scores
from core.scores.system import ScoreSystem

EPSILON = 1e-9


@dataclass(frozen=True)
class Range:
    """Lowest and highest possible value, and of what: ``0 to 72, the range of a total``.

    slack: how far below a value may lie that was computed; none where the score is known.
    """

    low: float
    high: float
    of: str
    slack: float = 0.0

    def holds(self, value: float) -> bool:
        return self.low - EPSILON <= value <= self.high + EPSILON

    def tolerates(self, value: float) -> bool:
        """Whether the value lies outside, by so little that only a computed one can."""
        return self.low - self.slack < value < self.low - EPSILON

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}, {self.of}"


def total_range(system: ScoreSystem | None, component: str = "total", rule: str = "") -> Range:
    """The range of a total or a component; without a system that of the largest total of any.

    rule: under which the totals were made, where it is known; one that chooses units caps the total.
    """
    if system is None:
        largest = max(one.maximum for one in scores.systems().values())
        return Range(0, largest, "the largest total of any score", slack=1.0)
    known = component if component in [one.name for one in system.components] else "total"
    title = f"{system.title} {system.name_of(known)}"
    return Range(0, _largest(system, known, rule), f"the range of {title}")


def change_range(of: Range) -> Range:
    """The range of the difference of two values of a range."""
    width = of.high - of.low
    return Range(-width, width, f"a change within {of.of}")


def grade_range(system: ScoreSystem) -> Range:
    """The range of the grade of any site."""
    return Range(0, max(site.maximum for site in system.sites), f"the grades of {system.title}")


def system_in(text: str) -> ScoreSystem | None:
    """The one system whose name, title or alias the text has as a word or begins a word with, else None.

    What names none, or several, gives None.
    """
    words = re.findall(r"[a-z0-9]+", text.casefold())
    found = []
    for system in scores.systems().values():
        names = {name.casefold() for name in (system.name, system.title, *system.aliases)}
        if any(word.startswith(name) for word in words for name in names):
            found.append(system)
    return found[0] if len(found) == 1 else None


def _largest(system: ScoreSystem, component: str, rule: str) -> float:
    counted = next((one.count for one in system.rules if rule in (one.name, one.short)), 0)
    sites = system.sites_of(component)
    if not counted:
        return sum(site.maximum for site in sites)
    units: dict[str, int] = {}
    for site in sites:
        units[site.unit] = units.get(site.unit, 0) + site.maximum
    return sum(sorted(units.values(), reverse=True)[:counted])
