"""What an imported table changes: new rows, rows already there, and conflicts, which are refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from data.store.session import Session
from data.store.transaction import Transaction
from data.store.treatment_names import is_known

KEPT_FIELDS = frozenset({  # of a refused row; everything else in it may name a person or say the arm
    "subject", "visit", "sex", "birth_year", "age", "age_unit", "centre", "visit_order", "planned_day",
    "planned_study_day", "planned_week", "planned_month", "window_before", "window_after", "window", "day",
    "study_day", "site", "feature", "grade", "reader", "campaign", "read", "read_mode", "system", "image",
})  # fmt: skip
QUOTED_CELL = re.compile(r"'[^']*'")

Refused = list[dict[str, Any]]  # row (number from 1, None for the whole table), reason


@dataclass
class Merge:
    """Rows of one table against what the cohort holds.

    insert: rows to add. supersede: keys of the rows that they replace. unchanged: rows already there.
    """

    insert: pd.DataFrame
    supersede: pd.DataFrame
    unchanged: int
    refused: Refused


def merge(
    session: Session,
    table: str,
    rows: pd.DataFrame,
    keys: Sequence[str],
    values: Sequence[str],
    *,
    correct: bool,
    fills_gaps: bool,
    sealed: Sequence[str] = (),
) -> Merge:
    """Which rows are new, known or in conflict with a current row of the same keys.

    rows: ``keys``, ``values`` and the index as row number; other columns are kept but not compared.
    fills_gaps: an empty value on one side is no conflict; the other side's value stands (False: an empty
    grade means "not scorable" and is a value like any other).
    sealed: values that may not be compared with the stored ones, so that nobody learns them by trying: a
    stored one stands, whatever the table says, and with ``correct`` the table's replaces it, equal or not.
    """
    current = session.current(table, rows[list(keys)])
    for name in current.columns:
        if pd.api.types.is_datetime64_dtype(current[name].dtype):
            current[name] = current[name].dt.date.where(current[name].notna(), None).astype(object)
    found = rows.reset_index(names="row").merge(
        current, on=list(keys), how="left", suffixes=("", "_old"), indicator=True
    )
    found.index = pd.Index(found["row"])
    known = (found["_merge"] == "both").to_numpy()
    differs = pd.Series(False, index=found.index)
    adds = pd.Series(False, index=found.index)
    for name in values:
        new, old = found[name], found[f"{name}_old"]
        if name in sealed:
            adds |= old.isna() & new.notna()
            differs |= correct & old.notna() & new.notna()
            found[name] = new.where(new.notna() if correct else old.isna(), old)
            continue
        same = (new.isna() & old.isna()) | (new.astype(object) == old.astype(object)).fillna(False)
        if fills_gaps:
            adds |= old.isna() & new.notna()
            differs |= old.notna() & new.notna() & ~same
            found[name] = new.where(new.notna(), old)
        else:
            differs |= ~same
    conflict = known & differs.to_numpy()
    refused: Refused = []
    if not correct:
        refused = [_conflict(row, values, keys, fills_gaps) for row in found[conflict].to_dict("records")]
    replaces = conflict if correct else known & adds.to_numpy() & ~conflict
    kept = rows.columns.tolist()
    return Merge(
        insert=found.loc[~known | replaces, kept],
        supersede=found.loc[replaces, list(keys)],
        unchanged=int((known & ~conflict & ~replaces).sum()),
        refused=refused,
    )


def _conflict(
    row: Mapping[Any, Any], values: Sequence[str], keys: Sequence[str], fills_gaps: bool
) -> dict[str, Any]:
    changed = []
    for name in values:
        new, old = row[name], row[f"{name}_old"]
        empty = int(pd.isna(new)) + int(pd.isna(old))
        if (empty == 1 and not fills_gaps) or (empty == 0 and new != old):
            changed.append(
                f"{name} is {_shown(old)} in the cohort, {_shown(new)} here"
                if _may_be_told(name, row)
                else f"{name} differs from the cohort"
            )
    what = ", ".join(_shown(row[key]) for key in keys if not pd.isna(row[key]))
    return {"row": int(row["row"]), "reason": f"{what}: {'; '.join(changed)}; needs --correct REASON"}


def _may_be_told(name: str, row: Mapping[Any, Any]) -> bool:
    """Whether a reason may hold the values: not those of the arm, nor of a covariate that may say it."""
    return name != "arm" and ("name" not in row or is_known(str(row["name"])))


def _shown(value: Any) -> str:
    if pd.isna(value):
        return "empty"
    return f"{value:g}" if isinstance(value, float) else str(value)


def put(transaction: Transaction, table: str, merged: Merge) -> int:
    """Writes what a merge found; returns the number of new rows."""
    transaction.supersede(table, merged.supersede)
    return transaction.insert(table, merged.insert)


def keep_refused(
    transaction: Transaction, source: str, table: pd.DataFrame, refused: Refused, kept: Iterable[str]
) -> None:
    """Keeps refused rows with the content of some columns, those left out that the same file brought before.

    kept: columns whose cells may be kept. A reason that quotes another cell is kept without it.
    """
    table = table[[name for name in table.columns if name in set(kept)]]
    rows = [item | {"content": _content(table, item["row"])} for item in refused]
    rows = [item | {"reason": _without_cells(item["reason"], item["content"])} for item in rows]
    known = transaction.query("SELECT row_number, reason FROM main.refused WHERE source = ?", [source])
    before = {
        (None if pd.isna(row) else int(row), reason)
        for row, reason in zip(known["row_number"], known["reason"], strict=True)
    }
    transaction.refuse(source, [item for item in rows if (item["row"], item["reason"]) not in before])


def _content(table: pd.DataFrame, row: int | None) -> dict[str, str] | None:
    if row is None or row not in table.index:
        return None
    return {str(name): str(value) for name, value in table.loc[row].items() if not pd.isna(value)}


def _without_cells(reason: str, content: dict[str, str] | None) -> str:
    """A reason whose quoted cells are only those that are kept anyway."""
    cells = set((content or {}).values())
    return QUOTED_CELL.sub(lambda match: match[0] if match[0][1:-1] in cells else "'...'", reason)


def in_order(refused: Refused) -> Refused:
    """One entry a row and reason, in row order."""
    unique = {(item["row"], item["reason"]): item for item in refused}
    return sorted(unique.values(), key=lambda item: (item["row"] is not None, item["row"] or 0))
