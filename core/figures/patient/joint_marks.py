"""What the marks of a joint map tell: a reading's grades and their change, or the largest change of all."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core.reader_labels import people, short_names
from core.scores.system import ScoreSystem, State

LARGEST = "largest change"
COLUMNS = ["site", "feature", "maximum", "value", "change", "reason", "text", "tip"]


def joint_marks(
    grades: pd.DataFrame, system: ScoreSystem, kinds: dict[str, str], first: str, last: str, reading: str
) -> pd.DataFrame:
    """A row per site that was read: ``site, feature, maximum, value, change, reason, text, tip``.

    value: the reading's grade at the last visit, for ``LARGEST`` the largest change that a person saw (of a
    model where nobody read both); NaN where there is none, with ``reason`` where it was not gradable.
    change: of the reading, NaN where either visit lacks. text: what stands in the mark.
    """
    cells = {(row.site, row.visit, row.label): row for row in grades.itertuples()}
    rows = []
    for site in system.sites:
        pairs = {label: (cells.get((site.code, first, label)), cells.get((site.code, last, label)))
                 for label in kinds}  # fmt: skip
        if any(cell is not None for pair in pairs.values() for cell in pair):
            value, change, reason = _formatted(pairs, kinds, reading)
            rows.append(
                (site.code, site.feature, site.maximum, value, change, reason,
                 _text(value, reading == LARGEST), _tip(site, system, pairs, kinds, reason))
            )  # fmt: skip
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.astype({"value": "float64", "change": "float64"})


def _formatted(
    pairs: dict[str, tuple[Any, Any]], kinds: dict[str, str], reading: str
) -> tuple[Any, Any, str]:
    """value, change and reason of one site."""
    changes = {label: _change(*pair) for label, pair in pairs.items()}
    if reading != LARGEST:
        after = pairs[reading][1] if reading in pairs else None
        return _grade(after), changes.get(reading), _reason(after)
    judges = [label for label in people(kinds) if changes[label] is not None] or list(kinds)
    known = [change for label in judges if (change := changes[label]) is not None]
    reasons = [_reason(pair[1]) for pair in pairs.values() if _reason(pair[1])]
    if not known:
        return None, None, next(iter(reasons), "")
    largest = max(known, key=abs)
    return largest, largest, ""


def _grade(cell: Any) -> int | None:
    return None if cell is None or pd.isna(cell.grade) else int(cell.grade)


def _change(before: Any, after: Any) -> int | None:
    one, other = _grade(before), _grade(after)
    return None if one is None or other is None else other - one


def _reason(cell: Any) -> str:
    """Why a site that was read has no grade; "" where it has one or was not read."""
    if cell is None or not pd.isna(cell.grade):
        return ""
    return cell.reason if isinstance(cell.reason, str) and cell.reason else "not gradable"


def _text(value: int | None, is_change: bool) -> str:
    if not value:
        return ""
    return f"{value:+d}".replace("-", "−") if is_change else str(value)


def _tip(site: Any, system: ScoreSystem, pairs: dict, kinds: dict[str, str], reason: str) -> str:
    short = short_names(kinds)
    said = [
        f"{short[label]} {_shown(before)} → {_shown(after)}"
        for label, (before, after) in pairs.items()
        if before is not None or after is not None
    ]
    why = f"<br>not gradable: {reason}" if reason else ""
    return f"<b>{site.code}</b> {site.name} (0-{site.maximum})<br>{', '.join(said)}{why}"


def _shown(cell: Any) -> str:
    grade = _grade(cell)
    return "–" if grade is None else str(grade)


# -- findings beside the grades --


def letters(system: ScoreSystem) -> dict[str, str]:
    """A letter of its own for every state of a system, a question mark for those to be resolved."""
    found: dict[str, str] = {}
    for state in system.states:
        free = [letter for letter in state.code.upper() if letter.isalpha() and letter not in found.values()]
        found[state.code] = "?" if state.is_query else free[0]
    return found


def special_marks(
    special: pd.DataFrame, system: ScoreSystem, kinds: dict[str, str], visit: str, reading: str
) -> pd.DataFrame:
    """Findings at a visit, a row per joint and state: ``unit, site, state, labels, tip``.

    Those of the reading, of all readings for ``LARGEST``; what is to be resolved by a person is in either
    way. site: one that the joint has.
    """
    rows = []
    for state in system.states:
        here = seen(special, state, visit)
        if reading != LARGEST and not state.is_query:
            here = here[here["label"] == reading]
        units = here["site"].map(lambda site: system.by_code[site].unit)
        for unit, part in here.groupby(units, sort=False):
            labels = [label for label in kinds if label in set(part["label"])]
            said = _said(state, system, str(unit), labels)
            rows.append((unit, part["site"].iloc[0], state.code, labels, said))
    return pd.DataFrame(rows, columns=["unit", "site", "state", "labels", "tip"])


def seen(special: pd.DataFrame, state: State, visit: str) -> pd.DataFrame:
    """The rows in which a state was seen at a visit."""
    return special[(special["feature"] == state.code) & (special["visit"] == visit) & (special["grade"] == 1)]


def _said(state: State, system: ScoreSystem, unit: str, labels: list[str]) -> str:
    ask = " A person has to resolve it." if state.is_query else ""
    return f"<b>{unit}</b> {state.name}: {', '.join(labels)}<br>{counts_as(state, system)}{ask}"


def counts_as(state: State, system: ScoreSystem) -> str:
    """What a state does to the grades of its joint, in words."""
    parts = [f"{system.by_feature[feature].name} at least {grade}" for feature, grade in state.lifts]
    if state.lifts_under:
        names = " and ".join(system.by_feature[feature].name for feature, _ in state.lifts_under)
        parts.append(f"{names} at its maximum where {state.setting} = {state.value}")
    return f"Counts as {'; '.join(parts)}." if parts else ""
