"""Terms of a fitted model in words, as a person reads them."""

from __future__ import annotations

import re

NAMES = {"Intercept": "intercept", "years": "years (slope)", "baseline": "baseline (per point)"}


def term_words(term: str) -> str:
    """``arm[T.Active]:years`` as "arm Active × years"; what is no term of a formula stays as it is."""
    return NAMES.get(term) or " × ".join(map(_factor, _factors(term)))


def _factors(term: str) -> list[str]:
    """The factors of a term: a colon within brackets belongs to the name of a level, one before a blank to
    the name of a part of the model."""
    return re.split(r":(?![^\[]*\])(?=\S)", term)


def _factor(text: str) -> str:
    level = re.fullmatch(r"(.*?)\[(?:T\.)?(.*)\]", text)
    if level is None:
        return text
    coded = re.fullmatch(r"C\((\w+).*\)", level[1])
    return f"{coded[1] if coded else level[1]} {level[2]}"
