"""Type III hypotheses of the terms of a formula, whatever the coding of its factors.

A term's hypothesis is that its columns have no effect when factors are coded to sum to 0: effects are
averaged with equal weight over other factors, and numbers that interact stand at 0, as in SAS and lmerTest.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from core.progression.mmrm.design import Design

OWN_CODING = "a factor has a coding of its own in the formula, no F tests of terms"
EMPTY = "a combination of factors has no rows, or a term follows from others: no F tests of terms"


def type_three(design: Design) -> tuple[dict[str, np.ndarray], str]:
    """(term -> combinations of the kept columns, shape (rows, kept); why there is none, else empty).

    The intercept is no term.
    """
    if not design.kept.all():
        return {}, EMPTY
    terms = [_summing(term, design) for term in design.spec.formula]
    if None in terms:
        return {}, OWN_CODING
    names = [str(term) for term in design.spec.formula]
    spec, matrix = _matrix(" + ".join(["0", *map(str, terms)]), design.frame)
    if matrix.shape[1] != design.x.shape[1]:
        return {}, EMPTY
    recoding = np.linalg.lstsq(design.x, matrix, rcond=None)[0]
    if not np.allclose(design.x @ recoding, matrix, atol=1e-8 * max(1.0, np.abs(matrix).max())):
        return {}, EMPTY
    rows = np.linalg.inv(recoding)
    slices = [spec.term_slices[term] for term in spec.formula]
    return {name: rows[part] for name, part in zip(names, slices, strict=True) if name != "1"}, ""


def _summing(term: Any, design: Design) -> str | None:
    """The term with its factors coded to sum to 0, None where the formula codes one in another way."""
    parts = []
    for factor in term.factors:
        text = str(factor.expr)
        plain = re.fullmatch(r"C\(\s*(\w+)\s*\)", text)
        name = plain[1] if plain else text
        if plain or (name in design.frame and not pd.api.types.is_numeric_dtype(design.frame[name])):
            parts.append(f"C({name}, contr.sum)")
        elif text.startswith("C("):
            return None
        else:
            parts.append(text)
    return ":".join(parts)


def _matrix(terms: str, frame: pd.DataFrame) -> tuple[Any, np.ndarray]:
    import formulaic

    made = formulaic.model_matrix(terms, frame, context={}, na_action="raise")
    return made.model_spec, made.to_numpy(float)
