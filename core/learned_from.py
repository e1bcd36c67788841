"""What a model learned from, in words: phantoms, or real films, of whom, from where and under which licence.

A card and a scoring run keep it as a list of steps in their order, each with ``kind`` (one of ``PHANTOM``,
``REAL``, ``UNSTATED``), ``patients`` and ``films`` (None where unknown), and of an open set its ``title``,
``version``, ``licence`` and ``notice``. "Real films" is said only of films whose labels say whose they are.
``things``: what they are, where they are no films (``MRI``). ``part``: what was learned, where the networks
of a model learned from different images; ``together``: at once with the step before rather than after it;
``begun_from``: the part whose weights it began with.
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
    """The steps after "learned": ``grades from phantoms, then real films: 29 patients, RAM-W600``.

    Each part with its own: ``bodies from real MRI: 26 patients, X, with phantoms; oedema from phantoms``.
    """
    if only_phantoms(steps):
        return "grades from phantoms only"
    parts = list(dict.fromkeys(str(step.get("part", "grades")) for step in steps)) or ["grades"]
    return "; ".join(
        f"{part} from {_row([step for step in steps if step.get('part', 'grades') == part])}"
        for part in parts
    )


def notices(steps: Sequence[Step]) -> list[str]:
    """What the owners of the sets ask to be said, each once."""
    return list(dict.fromkeys(str(step["notice"]) for step in steps if step.get("notice")))


def _row(steps: Sequence[Step]) -> str:
    """The steps of one part in their order."""
    said = ""
    for step in steps:
        link = ", together with " if step.get("together") else ", then "
        said += (link if said else "") + _step(step)
        if begun := step.get("begun_from"):
            said += f", beginning with the weights for {begun}"
    return said or "nothing that is stated"


def _step(step: Step) -> str:
    patients, things = step.get("patients"), step.get("things", "films")
    count = "" if patients is None else f"{patients:,} patient" + "s" * (patients != 1)
    if step["kind"] == PHANTOM:
        return "phantoms" + (f" ({count})" if count else "")
    if step["kind"] == UNSTATED:
        return f"labelled {things} of a source that is not stated ({count or 'number unknown'})"
    name = str(step.get("title") or step.get("data_set") or "")
    version = f" {step['version']}" if step.get("version") else ""
    licence = f" ({step['licence']})" if step.get("licence") else ""
    return f"real {things}: {count or 'number unknown'}, {name}{version}{licence}"
