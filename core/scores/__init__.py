"""Score systems as data, and the rule engine that turns site grades into totals.

``get("msasss")`` gives a ScoreSystem; ``core.scores.engine.totals.compute`` computes for any of them.
"""

from __future__ import annotations

from core.errors import InputError
from core.scores.msasss import MSASSS
from core.scores.mtss import MTSS
from core.scores.sparcc import SPARCC
from core.scores.synovitis import SYNOVITIS
from core.scores.system import ScoreSystem, Site

SYSTEMS: dict[str, ScoreSystem] = {system.name: system for system in (MSASSS, MTSS, SPARCC, SYNOVITIS)}


def names() -> tuple[str, ...]:
    """The names of all systems, in the order of the design."""
    return tuple(SYSTEMS)


def get(name: str) -> ScoreSystem:
    """The system with this name or alias (``svdh`` is ``mtss``), any case. Raises InputError."""
    wanted = name.strip().casefold()
    for system in SYSTEMS.values():
        if wanted in (system.name, *system.aliases):
            return system
    raise InputError(f"system {name}", f"one of {', '.join(SYSTEMS)} is needed", "choose one of them")


def recognise_site(system: str | ScoreSystem, text: str) -> str | None:
    """Our code of a site written in our or another convention (case, separators, RA2-DREAM), else None."""
    return (get(system) if isinstance(system, str) else system).recognise(text)


__all__ = ["SYSTEMS", "ScoreSystem", "Site", "get", "names", "recognise_site"]
