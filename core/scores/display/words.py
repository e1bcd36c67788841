"""Words that depend on the score: what it is made from, what more of it is, what its rule says."""

from __future__ import annotations

import re

from core.scores.system import ScoreSystem


def of_images(system: ScoreSystem, text: str) -> str:
    """A sentence about films, about stacks or images where the score is made from them."""
    title = system.image_title
    if title == "film":
        return text
    if title[0] in "aeiou":
        text = re.sub(r"\b([Aa]) film", r"\1n film", text)
    return text.replace("film", title).replace("Film", title.capitalize())


def is_damage(system: ScoreSystem) -> bool:
    """Whether more of the score is damage, which stays; inflammation may fall, and a fall is a response."""
    return system.measures == "damage"


def worsened(system: ScoreSystem) -> str:
    """What a patient did whose score rose."""
    return "progressed" if is_damage(system) else "worsened"


def definition_words(system: ScoreSystem, definition: str) -> str:
    """A definition of progression as it is headed; of a score that may fall, with its direction."""
    if is_damage(system):
        return definition
    if definition == "net progression":
        return "net worsening"
    return f"{definition} ({'better' if definition.startswith(('<', '≤')) else 'worse'})"


RULE_WORDS = (
    ("Missing sites were handled by the rule", "Totals were made by the rule"),
    ("Missing sites: ", "Rule: "),
)


def of_rule(system: ScoreSystem, text: str) -> str:
    """A sentence on the rule for missing sites; of a score whose rule chooses what counts, on that rule."""
    if not system.chooses_blocks:
        return text
    for before, after in RULE_WORDS:
        text = text.replace(before, after)
    return text
