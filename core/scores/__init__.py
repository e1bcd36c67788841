"""Score systems as data, and the rule engine that turns site grades into totals.

``get(name)`` gives a ScoreSystem; ``core.scores.engine.totals.compute`` computes for any of them. Other
packages add systems of their own through the entry-point group ``sharpline.scores``.
"""

from __future__ import annotations

from functools import cache

from core.errors import InputError
from core.plugins import installed
from core.scores.msasss import MSASSS
from core.scores.mtss import MTSS
from core.scores.sparcc import SPARCC
from core.scores.synovitis import SYNOVITIS
from core.scores.system import ScoreSystem, Site

OURS = (MSASSS, MTSS, SPARCC, SYNOVITIS)
GROUP = "sharpline.scores"


@cache
def systems() -> dict[str, ScoreSystem]:
    """Every system by its name: ours in the order of the design, then those of other packages.

    Looked up once. Raises InputError where another package's system has a name or alias that is taken.
    """
    found = {system.name: system for system in OURS}
    taken = {name for system in OURS for name in (system.name, *system.aliases)}
    for package, system in installed(GROUP, ScoreSystem):
        clash = taken.intersection((system.name, *system.aliases))
        if clash:
            raise InputError(
                f"the scoring system {system.name} of {package}",
                f"the name {min(clash)} is taken",
                "give it another name, or uninstall one of the two packages",
            )
        taken.update((system.name, *system.aliases))
        found[system.name] = system
    return found


def names() -> tuple[str, ...]:
    """The names of all systems, ours first."""
    return tuple(systems())


def listed() -> str:
    """The names of all systems with their aliases, for help texts: ``one, two (other name for two)``."""
    return ", ".join(
        name + (f" ({', '.join(system.aliases)})" if system.aliases else "")
        for name, system in systems().items()
    )


def get(name: str) -> ScoreSystem:
    """The system with this name or alias, any case. Raises InputError."""
    wanted = name.strip().casefold()
    for system in systems().values():
        if wanted in (system.name, *system.aliases):
            return system
    raise InputError(f"system {name}", f"one of {', '.join(names())} is needed", "choose one of them")


def of_stacks() -> list[str]:
    """The names of the systems that are scored on stacks of slices."""
    return [name for name, system in systems().items() if system.of_stacks]


def recognise_site(system: str | ScoreSystem, text: str) -> str | None:
    """Our code of a site written in our or another convention (case, separators, RA2-DREAM), else None."""
    return (get(system) if isinstance(system, str) else system).recognise(text)


__all__ = ["ScoreSystem", "Site", "get", "listed", "names", "of_stacks", "recognise_site", "systems"]
