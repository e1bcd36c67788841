"""A model's chance that a grade differs between two films, beside the grades: it is an output of its own."""

from __future__ import annotations

from collections.abc import Mapping

from core.markdown import md

Pair = tuple[int, int]  # grades of a site on the first and the second film
SURE = 0.8  # the least chance that goes with grades that differ
LIKELY = 0.5  # the largest that goes with equal grades


def goes_with(chance: float, own: Pair | None) -> bool:
    """Whether the chance goes with the model's own grades of the two films; it does where there are none."""
    if own is None:
        return True
    return chance >= SURE if own[0] != own[1] else chance <= LIKELY


def beside_grades(said: str, chance: float, own: Pair | None, readers: Mapping[str, Pair]) -> str:
    """The chance as ``said``, with the model's own grades and the readers', and a word where it does not go
    with them.
    """
    if own is None:
        return f"{said}."
    text = f"{said}; its own grades {own[0]} → {own[1]}"
    text += "".join(f", {md(name)} {before} → {after}" for name, (before, after) in readers.items())
    if goes_with(chance, own):
        return f"{text}."
    moved = own[1] - own[0]
    agree = moved and readers and all((after - before) * moved > 0 for before, after in readers.values())
    why = "every reading sees the change" if agree else "the grades are what counts"
    return f"{text}. **Chance and grades do not go together here**: {why}, the chance is no more than a hint."
