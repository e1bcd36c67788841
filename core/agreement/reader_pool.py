"""ICC where every subject is rated by some of many raters: a pool, of which no table is complete.

Both subjects and raters are random (``crossed``); limits are percentiles of a parametric bootstrap, as F
intervals with effective numbers of raters hold nothing here: from two of ten raters a patient they run from
0.07 to 0.95 where the bootstrap has 0.56 to 0.81.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.agreement.crossed import DRAWS, SEED, Components, CrossedDesign, fit_crossed, simulate
from core.agreement.estimate import Estimate, estimate, number
from core.agreement.icc import MCGRAW_WONG, SHROUT_FLEISS, power_of_two
from core.agreement.mixed import FORMS, why_not

METHOD = "REML, subjects and raters random; parametric bootstrap of {draws} draws, seed {seed}"


def is_pool(ratings: np.ndarray) -> bool:
    """Whether the table is one of a pool: three raters or more, less than half of the subjects seen by all.

    ratings: shape (subjects, raters), NaN where missing; subjects with one rating do not count.
    """
    count = (~np.isnan(ratings)).sum(axis=1)
    raters = int((~np.isnan(ratings)).any(axis=0).sum())
    return raters > 2 and int((count == raters).sum()) < int((count > 1).sum()) / 2


def usual_number(ratings: np.ndarray) -> int:
    """How many raters most subjects have, the smaller number in a tie; 1 without a rating."""
    count = (~np.isnan(ratings)).sum(axis=1)
    count = count[count > 0]
    return int(np.bincount(count).argmax()) if len(count) else 1


def pool_icc(ratings: Any, *, draws: int = DRAWS, seed: int = SEED) -> dict[str, Any]:
    """ICC(A,.) and ICC(C,.) of a table with gaps, raters as a sample of a pool.

    The forms with k are those of the mean of ``averaged`` raters, the usual number of a subject. Returns what
    ``mixed.mixed_icc`` does, and ``averaged``; None with a reason where the ratings do not determine it.
    """
    table = np.asarray(ratings, dtype=float)
    table = table[:, ~np.isnan(table).all(axis=0)] if table.size else table
    table = table[~np.isnan(table).all(axis=1)] if table.size else table
    averaged = usual_number(table)
    method = METHOD.format(draws=draws, seed=seed)
    size = {"subjects": len(table), "ratings": int((~np.isnan(table)).sum()), "averaged": averaged}
    reason = why_not(table)
    if reason:
        nothing = dict.fromkeys(("subject", "rater", "residual"))
        forms = {form: _named(form, estimate(None)) for form in FORMS}
        return {"forms": forms, "variance_components": nothing, **size, "method": method} | {
            "notes": {"icc_mixed": reason}
        }
    table = _in_one_order(table)
    scale = power_of_two(table[~np.isnan(table)])
    parts = fit_crossed(table / scale)
    drawn = simulate(CrossedDesign.of(~np.isnan(table)), parts, draws, seed)
    forms = {form: _named(form, _form(form, parts, drawn, averaged)) for form in FORMS}
    found = {"subject": parts.subject, "rater": parts.reader, "residual": parts.residual}
    components = {name: number(value * scale * scale) for name, value in found.items()}
    return {"forms": forms, "variance_components": components, **size, "method": method, "notes": {}}


def _in_one_order(table: np.ndarray) -> np.ndarray:
    """The table in an order that the rows of a file do not change: one seed, one result."""
    known = ~np.isnan(table)
    table = table[:, np.lexsort((np.nanmean(table, axis=0), known.sum(axis=0)))]
    return table[np.lexsort((~np.isnan(table)).T)]


def _form(form: str, parts: Components, drawn: Components, averaged: int) -> Estimate:
    agreement, k = form.startswith("ICC(A"), averaged if form.endswith("k)") else 1
    values = drawn.icc(agreement=agreement, averaged=k)
    low, high = np.nanquantile(values, [0.025, 0.975]) if not np.isnan(values).all() else (None, None)
    return estimate(parts.icc(agreement=agreement, averaged=k), low, high)


def _named(form: str, value: Estimate) -> Estimate:
    return value | {"shrout_fleiss": SHROUT_FLEISS[form], "mcgraw_wong": MCGRAW_WONG[form]}
