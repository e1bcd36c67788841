"""The whole analysis: table and formula to coefficients, covariance, contrasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from core.agreement.estimate import number
from core.arms import arms_in_order, reference_arm
from core.errors import InputError
from core.progression.arms.multiplicity import WORDS, check_adjust
from core.progression.mmrm.contrasts import Means, arm_means, arm_of, average, contrasts, estimable
from core.progression.mmrm.design import Design, design
from core.progression.mmrm.f_test import f_test
from core.progression.mmrm.fit import Fit, fit
from core.progression.mmrm.inference import METHODS, Effect, Inference, effect, inference
from core.progression.mmrm.panel import panel
from core.progression.mmrm.several_arms import NOTE, SMALLEST_DF, adjust
from core.progression.mmrm.structures import LAGGED, NAMES, structure
from core.progression.mmrm.term_tests import type_three
from core.visit_order import uneven_steps


@dataclass(frozen=True)
class Options:
    """Choices of the analysis: ``covariance`` one of ``NAMES``, ``df`` one of ``METHODS``.

    group: column with a covariance of its own for each level. arm: the factor to compare; the first that
    interacts with visit if None. levels: column to order of its levels, the first being the reference; visits
    named there and without a row keep their place in the lags. reference: the arm that others are compared
    with, in coefficients and contrasts; without it, and without levels of the arm, coefficients keep natural
    order and contrasts are against the arm of ``core.arms``. averages: sets of visits to average over; all
    visits if empty. adjust: p-values for several arms, one of ``arms.multiplicity.METHODS``; order: of the
    arms that are compared, for ``fixed``.
    """

    covariance: str = "us"
    df: str = "satterthwaite"
    group: str | None = None
    arm: str | None = None
    levels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    reference: str | None = None
    averages: Sequence[Sequence[str]] = ()
    adjust: str | None = None
    order: Sequence[str] = ()


def mmrm(
    table: pd.DataFrame, formula: str, subject: str, visit: str, options: Options | None = None
) -> dict[str, Any]:
    """REML fit of the formula with a covariance among the visits of each subject.

    table: one row per subject and visit, its index the row number. Returns the dictionary of the contract;
    what cannot be computed is None with its reason under ``notes``.
    Raises InputError where the table, formula or options cannot be used.
    """
    options = options or Options()
    _check(options)
    made = _with_reference(
        design(table, formula, subject=subject, visit=visit, group=options.group, levels=options.levels),
        table, formula, subject, visit, options,
    )  # fmt: skip
    if options.covariance.startswith(LAGGED):
        made.order.certain(f"covariance {options.covariance}")
    shape = structure(options.covariance, len(made.positions), made.positions)
    rows = panel(made.y, made.x[:, made.kept], made.subject, made.visit, made.group, len(made.visit_levels))
    found = fit(rows, shape)
    if found is None:
        raise InputError(
            f"{rows.rows} rows of {len(rows.y)} subjects",
            f"they do not determine a {options.covariance} covariance of {len(made.visit_levels)} visits",
            "choose a structure with fewer parameters",
        )
    pieces = inference(rows, shape, found, options.df)
    arm = arm_of(made, visit, options.arm)
    reference = _reference(made, arm, options)
    means = arm_means(made, visit, arm, reference)
    check_adjust(options.adjust, options.order, means.compared)
    tests, why_none = _tests(made, pieces, options.df)
    return {
        "n_subjects": len(rows.y),
        "n_rows": rows.rows,
        "dropped_rows": made.dropped,
        "formula": formula,
        "covariance_structure": options.covariance,
        "df_method": options.df,
        "reml_loglik": found.state.loglik,
        "covariance_parameters": shape.size * rows.groups,
        "converged": found.converged,
        "tried": found.tried,
        "coefficients": _coefficients(made, pieces),
        "covariance": _covariance(made, found),
        "arm": arm,
        "contrasts": _contrasts(made, pieces, means, options),
        "ls_means": _ls_means(made, pieces, means),
        "averages": _averages(made, pieces, means, options),
        "tests": tests,
        "refused": made.refused.to_dict("records"),
        "reference_arm": reference,
        "adjust": options.adjust,
        "adjust_words": WORDS[options.adjust] if options.adjust else None,
        "visit_order": {"visits": made.order.names, "source": made.order.source, "empty": made.unused},
        "notes": _notes(made, found, arm, visit)
        | _visit_notes(made, options.covariance)
        | _coding_note(made, arm, reference)
        | ({"tests": why_none} if why_none else {})
        | _adjust_note(options.adjust),
    }


def _with_reference(
    made: Design, table: pd.DataFrame, formula: str, subject: str, visit: str, options: Options
) -> Design:
    """The design coded against the reference arm that was named; as it is where none was."""
    if not options.reference:
        return made
    arm = arm_of(made, visit, options.arm)
    levels = [] if arm is None else _levels(made, arm)
    if arm is None or not levels:
        raise InputError(
            f"--reference {options.reference}", "a factor to compare is needed", "name it with --arm"
        )
    order = arms_in_order(levels, options.reference)
    if order == levels:
        return made
    levels_of = {**options.levels, arm: order}
    return design(table, formula, subject=subject, visit=visit, group=options.group, levels=levels_of)


def _levels(made: Design, arm: str) -> list[str]:
    """Levels of the arm, none where it is a number."""
    column = made.frame[arm]
    return [] if pd.api.types.is_numeric_dtype(column) else list(map(str, column.cat.categories))


def _reference(made: Design, arm: str | None, options: Options) -> str | None:
    """The level that contrasts are against: the first where it was chosen, else by ``core.arms``."""
    levels = [] if arm is None else _levels(made, arm)
    if not levels or options.reference or arm in options.levels:
        return levels[0] if levels else None
    return reference_arm(levels)


def _coding_note(made: Design, arm: str | None, reference: str | None) -> dict[str, str]:
    """That coefficients are coded against another level than contrasts, where it is so."""
    levels = [] if arm is None else _levels(made, arm)
    if not levels or reference == levels[0]:
        return {}
    return {
        "reference_arm": f"contrasts are against {reference}, coefficients of {arm} against {levels[0]}, the "
        f"first by name; --reference {reference} codes both alike"
    }


def _visit_notes(made: Design, covariance: str) -> dict[str, str]:
    """What a reader should know of the visits: the order, those without a row, steps that differ."""
    notes = {"visit_order": "; ".join(made.order.said)} if made.order.said else {}
    is_lagged = covariance.startswith(LAGGED)
    names = made.order.names
    inner = names[made.positions[0] : made.positions[-1]]
    empty = [name for name in made.unused if name in inner or made.order.source == "given"]
    if empty:
        kept = "they keep their place in the lags" if is_lagged else f"they change nothing in {covariance}"
        notes["empty_visits"] = f"named and without a row that can be used: {', '.join(empty)}; {kept}"
    uneven = uneven_steps(names if empty else made.visit_levels)
    if is_lagged and uneven:
        notes["visit_steps"] = (
            f"{covariance} counts lags by visit, as if all steps were alike; here {uneven}. Name visits in "
            "between with --visit-order, or use us"
        )
    return notes


def _check(options: Options) -> None:
    for name, value, known in (("covariance", options.covariance, NAMES), ("df", options.df, METHODS)):
        if value not in known:
            raise InputError(f"--{name} {value}", f"one of {', '.join(known)} is needed", "choose one")


def _coefficients(made: Design, pieces: Inference) -> list[dict[str, Any]]:
    """One entry a column; a column that follows from earlier ones has no estimate."""
    rows = []
    place = np.cumsum(made.kept) - 1
    for column, term in enumerate(made.terms):
        if made.kept[column]:
            found = effect(pieces, np.eye(len(pieces.beta))[place[column]])
            rows.append({"term": term, **_entry(found)})
        else:
            rows.append({"term": term, **_entry(None)})
    return rows


def _entry(found: Effect | None) -> dict[str, Any]:
    if found is None:
        return dict.fromkeys(("estimate", "se", "df", "t", "p")) | {"ci": [None, None]}
    values = {name: number(getattr(found, name)) for name in ("estimate", "se", "df", "t", "p")}
    return values | {"ci": [number(found.low), number(found.high)]}


def _covariance(made: Design, found: Fit) -> dict[str, Any]:
    matrices = [matrix.tolist() for matrix in found.state.sigma]
    if len(matrices) == 1:
        return {"levels": made.visit_levels, "matrix": matrices[0]}
    groups = dict(zip(made.group_levels, matrices, strict=True))
    return {"levels": made.visit_levels, "matrix": None, "groups": groups}


def _contrasts(made: Design, pieces: Inference, means: Means, options: Options) -> list[dict[str, Any]]:
    found = contrasts(means)
    rows = [
        {"visit": item.visit, "a": item.a, "b": item.b, **_entry(_effect(made, pieces, item.combination))}
        for item in found
    ]
    if options.adjust:
        kept = [item.combination[made.kept] for item in found]
        adjust(rows, kept, pieces, options.adjust, options.order)
    return rows


def _effect(made: Design, pieces: Inference, combination: np.ndarray) -> Effect | None:
    """The combination of all columns, None where the rows do not determine it."""
    kept = combination[made.kept]
    return effect(pieces, kept) if estimable(made, combination) and kept.any() else None


def _ls_means(made: Design, pieces: Inference, means: Means) -> list[dict[str, Any]]:
    """Means by visit and arm with standard error and interval; no test, as nobody asks whether one is 0."""
    rows = []
    for place, at in enumerate(means.visits):
        for level_place, level in enumerate(means.levels):
            found = _entry(_effect(made, pieces, means.rows[place, level_place]))
            kept = {name: found[name] for name in ("estimate", "se", "df", "ci")}
            n = {"n": int(means.n[place, level_place])} if len(means.n) else {}
            rows.append({"visit": at, "arm": level, **kept, **n})
    return rows


def _averages(made: Design, pieces: Inference, means: Means, options: Options) -> list[dict[str, Any]]:
    """LS means and contrasts over several visits, weighted equally."""
    whole = [means.visits] if len(means.visits) > 1 else []
    rows = []
    for visits in options.averages or whole:
        over = average(means, visits)
        found = {
            "ls_means": _ls_means(made, pieces, over),
            "contrasts": _contrasts(made, pieces, over, options),
        }
        without = {name: [_but(row, "visit") for row in entries] for name, entries in found.items()}
        rows.append({"visits": list(dict.fromkeys(visits)), **without})
    return rows


def _but(row: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}


def _tests(made: Design, pieces: Inference, method: str) -> tuple[list[dict[str, Any]], str]:
    """F tests of the terms (Type III), and why there are none."""
    hypotheses, why = type_three(made)
    rows = []
    for term, combinations in hypotheses.items():
        found = f_test(pieces, combinations, method)
        numbers = {name: number(getattr(found, name)) for name in ("den_df", "f", "p")}
        rows.append({"term": term, "num_df": found.num_df, **numbers})
    return rows, why


def _adjust_note(method: str | None) -> dict[str, str]:
    """What p-values are adjusted for, where they are."""
    return {"adjust": NOTE + (SMALLEST_DF if method == "dunnett" else "")} if method else {}


def _notes(made: Design, found: Fit, arm: str | None, visit: str) -> dict[str, str]:
    notes = {}
    if not found.converged:
        notes["converged"] = "no optimum was reached: " + "; ".join(found.tried)
    if found.theta_cov is None:
        notes["df"] = "the information of the covariance is not positive definite: no degrees of freedom"
    lost = [term for term, is_kept in zip(made.terms, made.kept, strict=True) if not is_kept]
    if lost:
        notes["coefficients"] = f"{', '.join(lost)}: follows from earlier terms, no estimate"
    if arm is None:
        notes["contrasts"] = f"no factor interacts with {visit}: name one with --arm"
    return notes
