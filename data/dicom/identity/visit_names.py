"""What visits of a study are usually called: such a name is a term of the trial and names nobody."""

from __future__ import annotations

import re

_UNIT = (
    r"(?:visit|vis|v|week|wk|w|month|mth|mon|m|day|d|year|yr|y|cycle|c|period|p|tp|time\s?point|t)"
    r"[\s_.-]*-?\d{1,3}"
)
_COUNT = r"\d{1,3}[\s_.-]*(?:weeks?|months?|days?|years?)|\d{1,3}"
_WORD = (
    r"(?:baseline|bl|base|screening|screen|scr|randomi[sz]ation|end of (?:treatment|study)|eot|eos|et|"
    r"early termination|follow[\s-]?up|fu|final|unscheduled|unsch|uns|repeat|rescreening)"
)
_ONE = rf"(?:{_WORD}|{_UNIT}|{_COUNT})"
_NAME = re.compile(rf"{_ONE}(?:[\s_.,/()-]+{_ONE})*[\s)]*", re.IGNORECASE)


def is_visit_name(text: str) -> bool:
    """Whether a text is a visit's name in usual words and numbers of up to three digits."""
    return _NAME.fullmatch(text.strip()) is not None and len(re.sub(r"\D", "", text)) <= 5
