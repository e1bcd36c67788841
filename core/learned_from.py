"""What a model learned from, in words: phantoms, or real films, of whom, from where and under which licence.

A card and a scoring run keep it as a list of steps in their order, each with ``kind`` (one of ``PHANTOM``,
``REAL``, ``UNSTATED``), ``patients`` and ``films`` (None where unknown), and of an open set its ``title``,
``version``, ``licence`` and ``notice``. "Real films" is said only of films whose labels say whose they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

PHANTOM, REAL, UNSTATED = "phantom", "real", "unstated"
KEY = "learned_from"  # in a card's entry "training" and in the settings of a run
Step = Mapping[str, Any]
PHANTOMS_ONLY: tuple[Step, ...] = ({"kind": PHANTOM},)


def only_phantoms(steps: Sequence[Step]) -> bool:
    """Whether nothing but phantoms was learned from."""
    return bool(steps) and all(step["kind"] == PHANTOM for step in steps)


def of_settings(settings: object) -> Sequence[Step]:
    """The steps in the settings of a run, which are JSON; a run without any is of a model of phantoms."""
    try:
        found = json.loads(settings).get(KEY) if isinstance(settings, str) else None
    except (ValueError, AttributeError):
        found = None
    return found or PHANTOMS_ONLY


def in_words(steps: Sequence[Step]) -> str:
    """The steps as half a sentence: ``phantoms, then real films: 29 patients, RAM-W600 (CC BY 4.0)``."""
    if only_phantoms(steps):
        return "phantoms only"
    return ", then ".join(_step(step) for step in steps) or "nothing that is stated"


def notices(steps: Sequence[Step]) -> list[str]:
    """What the owners of the sets ask to be said, each once."""
    return list(dict.fromkeys(str(step["notice"]) for step in steps if step.get("notice")))


def _step(step: Step) -> str:
    patients = step.get("patients")
    count = "" if patients is None else f"{patients:,} patient" + "s" * (patients != 1)
    if step["kind"] == PHANTOM:
        return "phantoms" + (f" ({count})" if count else "")
    if step["kind"] == UNSTATED:
        return f"labelled films of a source that is not stated ({count or 'number unknown'})"
    name = str(step.get("title") or step.get("data_set") or "")
    version = f" {step['version']}" if step.get("version") else ""
    licence = f" ({step['licence']})" if step.get("licence") else ""
    return f"real films: {count or 'number unknown'}, {name}{version}{licence}"
