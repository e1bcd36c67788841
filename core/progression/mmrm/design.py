"""A formula and a table to outcome, design matrix and factors, with what was left out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.cells import labels, numbers
from core.errors import InputError
from core.progression.mmrm.levels import ordered_levels
from core.progression.regression.independent import independent_columns
from core.visit_order import VisitOrder, order_of_table


@dataclass(frozen=True)
class Design:
    """What the formula makes of the rows that can be used.

    frame: the rows used, every model variable typed (factors as ordered categories). y: (rows,).
    x: (rows, columns), all columns; terms: their names; kept: mask of columns that do not depend on earlier
    ones. spec: makes the same columns for other rows. variables: of the right side, in order of appearance;
    pairs: for each term its variables. visit_levels: visits with rows, in order; positions: of each among all
    that were named; unused: named visits without a row; order: where the order comes from. subject, visit,
    group: labels. dropped: rows with a missing variable.
    refused: ``row, reason``.
    """

    frame: pd.DataFrame
    y: np.ndarray
    x: np.ndarray
    terms: list[str]
    kept: np.ndarray
    spec: Any
    variables: list[str]
    pairs: list[set[str]]
    visit_levels: list[str]
    positions: list[int]
    unused: list[str]
    order: VisitOrder
    subject: np.ndarray
    visit: np.ndarray
    group: np.ndarray
    group_levels: list[str]
    dropped: int
    refused: pd.DataFrame


def design(
    table: pd.DataFrame,
    formula: str,
    *,
    subject: str,
    visit: str,
    group: str | None = None,
    levels: Mapping[str, Sequence[str]] | None = None,
) -> Design:
    """Rows, factors and matrix of a formula in the patsy/formulaic style, treatment coding.

    Text columns are factors, number columns numbers; ``C(name)`` makes a factor of numbers. Levels stand in
    natural order or as ``levels`` says, visits in order of time (``core.visit_order``); the first is the
    reference. Rows with any model variable missing are
    left out and counted; text in the outcome is refused.
    Raises InputError for an unknown column, a column of numbers and text, a formula that cannot be read, two
    rows for one subject and visit, a subject in two groups, or too few rows.
    """
    left, right, terms = _parse(formula)
    names = list(dict.fromkeys([*left, *right, subject, visit, *([group] if group else [])]))
    _need(table, names)
    levels = levels or {}
    _need(table, list(levels))
    as_factor = {name for name in right if re.search(rf"\bC\(\s*{re.escape(name)}\b", formula)} | set(levels)
    labelled = {subject, visit, *([group] if group else [])}
    columns, refused = _typed(table, left, right, as_factor, labelled)
    is_missing = np.array([pd.isna(column).to_numpy() for column in columns.values()]).any(axis=0)
    bad = table.index.isin(refused["row"])
    frame = pd.DataFrame({name: column[~is_missing & ~bad] for name, column in columns.items()})
    if not len(frame):
        raise InputError("the table", "no row has every variable of the model", "check the columns")
    text = {name: _as_text(frame[name]) for name in labelled}
    order = _order(table, frame.index, visit, levels.get(visit))
    seen = set(text[visit])
    visit_levels = [name for name in order.names if name in seen]
    frame = _with_categories(frame, {**levels, visit: visit_levels})
    _check_rows(text, subject, visit, group)
    y, x, spec, columns_of_x = _matrices(formula, frame)
    kept = independent_columns(x)
    if len(frame) <= kept.sum():
        raise InputError(
            f"{len(frame)} rows for {int(kept.sum())} coefficients",
            "more rows are needed",
            "use a smaller model",
        )
    group_levels = ordered_levels(text[group], levels.get(group), group) if group else [""]
    return Design(
        frame,
        y,
        x,
        columns_of_x,
        kept,
        spec,
        right,
        terms,
        visit_levels,
        [order.names.index(name) for name in visit_levels],
        [name for name in order.names if name not in seen],
        order,
        pd.factorize(text[subject])[0],
        pd.Index(visit_levels).get_indexer(pd.Index(text[visit])),
        pd.Index(group_levels).get_indexer(pd.Index(text[group])) if group else np.zeros(len(frame), int),
        group_levels,
        int((is_missing & ~bad).sum()),
        refused,
    )


def _order(table: pd.DataFrame, used: pd.Index, visit: str, given: Sequence[str] | None) -> VisitOrder:
    """The order of the visits: those given, else all of the table, also where no row of one can be used."""
    if given is not None:
        ordered_levels(labels(table.loc[used, visit])[1], given, visit)
        return VisitOrder(list(dict.fromkeys(given)), "given")
    whole = order_of_table(table, visit)
    return order_of_table(table.loc[used], visit) if whole.undecided else whole


def _parse(formula: str) -> tuple[list[str], list[str], list[set[str]]]:
    """Variables of the left and right side, and the variables of each term of the right side."""
    import formulaic
    from formulaic.errors import FormulaicError

    try:
        parsed = formulaic.Formula(formula)
        left, right = parsed.lhs, parsed.rhs
    except (FormulaicError, AttributeError, SyntaxError, ValueError) as error:
        raise InputError(
            f"formula '{formula}'",
            "OUTCOME ~ TERMS is needed",
            "write for example change ~ baseline + arm * visit",
        ) from error
    terms = [
        set(map(str, term.required_variables)) if hasattr(term, "required_variables") else _names(term)
        for term in right
    ]
    order = re.findall(r"[^\W\d]\w*", formula.partition("~")[2])
    known = set().union(*terms) if terms else set()
    variables = [name for name in dict.fromkeys(order) if name in known]
    return [str(name) for name in left.required_variables], variables + sorted(known - set(variables)), terms


def _names(term: Any) -> set[str]:
    import formulaic

    return set(map(str, formulaic.Formula(f"0 + {term}").required_variables))


def _need(table: pd.DataFrame, names: list[str]) -> None:
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise InputError(
            f"the table has no column {', '.join(missing)}",
            f"it has {', '.join(map(str, table.columns))}",
            "use these names",
        )


def _typed(
    table: pd.DataFrame, left: list[str], right: list[str], as_factor: set[str], labelled: set[str]
) -> tuple[dict[str, pd.Series], pd.DataFrame]:
    """Columns as numbers or text, and refused rows (text in the outcome)."""
    columns: dict[str, pd.Series] = {}
    refused: dict[Any, str] = {}
    for name in dict.fromkeys([*left, *right, *sorted(labelled)]):
        values, texts, is_text = numbers(table[name])
        if name in left:
            refused |= {
                row: f"{name} '{texts[place]}' is not a number"
                for place, row in enumerate(table.index)
                if is_text[place]
            }
            columns[name] = pd.Series(values, index=table.index)
        elif (
            name in as_factor
            or is_text.all()
            or name not in right
            or _is_factor(table[name], values, is_text, name)
        ):
            codes, words = labels(table[name])
            columns[name] = pd.Series(
                np.append(words, np.array([None], object))[codes], index=table.index, dtype="str"
            )
        else:
            columns[name] = pd.Series(values, index=table.index)
    rows = sorted(refused)
    return columns, pd.DataFrame({"row": rows, "reason": [refused[row] for row in rows]})


def _is_factor(series: pd.Series, values: np.ndarray, is_text: np.ndarray, name: str) -> bool:
    """Whether a column holds text; numbers and text together are an error."""
    if is_text.any() and not np.isnan(values).all():
        row, text = series.index[is_text][0], series[is_text].iloc[0]
        raise InputError(
            f"column {name} holds numbers, and '{text}' in row {row}",
            "numbers or text are needed",
            f"fix it, or write C({name}) for a factor",
        )
    return bool(is_text.any()) or isinstance(series.dtype, pd.CategoricalDtype)


def _with_categories(frame: pd.DataFrame, levels: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Text columns as categories, the reference first."""
    frame = frame.copy()
    for name in frame.columns:
        if not pd.api.types.is_numeric_dtype(frame[name]):
            order = ordered_levels(frame[name], levels.get(name), name)
            frame[name] = pd.Categorical(frame[name], categories=order)
    return frame


def _as_text(column: pd.Series) -> pd.Series:
    if not pd.api.types.is_numeric_dtype(column):
        return column.astype("str")
    codes, words = labels(column)
    return pd.Series(words[codes], index=column.index, dtype="str")


def _check_rows(text: dict[str, pd.Series], subject: str, visit: str, group: str | None) -> None:
    twice = pd.DataFrame({"s": text[subject], "v": text[visit]}).duplicated()
    if twice.any():
        row = twice.index[twice][0]
        raise InputError(
            f"two rows for subject {text[subject][row]} and visit {text[visit][row]} (row {row})",
            "one row for each is needed",
            "choose with --where or fix the table",
        )
    if group:
        pairs = pd.DataFrame({"s": text[subject], "g": text[group]}).drop_duplicates()
        duplicates = pairs.loc[pairs["s"].duplicated(), "s"]
        if len(duplicates):
            raise InputError(
                f"subject {duplicates.iloc[0]} has two values of {group}", "one is needed", "fix the table"
            )


def _matrices(formula: str, frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, Any, list[str]]:
    import formulaic
    from formulaic.errors import FormulaicError

    try:
        made = formulaic.model_matrix(formula, frame, context={}, na_action="raise")
    except (FormulaicError, NameError, SyntaxError, TypeError, ValueError) as error:
        raise InputError(
            f"formula '{formula}'", f"it cannot be evaluated ({error})", "fix the formula"
        ) from error
    y = made.lhs.to_numpy(float)
    if y.shape[1] != 1:
        raise InputError(f"formula '{formula}'", "one outcome of numbers is needed", "fix the left side")
    return y[:, 0], made.rhs.to_numpy(float), made.rhs.model_spec, list(map(str, made.rhs.columns))
