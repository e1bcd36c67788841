"""Reader scores in long format, checked row by row and turned into codes for the rule engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.cells import labels, numbers
from core.errors import InputError
from core.scores.system import ScoreSystem, squeeze
from core.visit_order import order_by_name, order_of_table

NEEDED = ("subject", "visit", "site", "grade")
TWO_ROWS = "two rows for one subject, visit, reader, site and feature"


@dataclass(frozen=True)
class Reads:
    """Accepted rows as codes, and what was refused.

    keys: one row per subject, visit and reader (the columns of ``by``), sorted by ``group`` (subject and
    reader) and then by visit, with ``group``, ``visit_order``, ``is_baseline`` (the subject's first visit,
    whoever read it) and ``first_row`` (position of the key's first row in the file).
    key, site, grade: one entry per accepted row; site indexes ``system.sites``; grade is NaN if not scorable.
    state_key, state_unit, state_code, state_grade: the same for findings such as ``ankylosis``.
    row, state_row: row number (the frame's index) of each entry.
    refused: frame ``row, reason``.
    """

    system: ScoreSystem
    by: tuple[str, ...]
    keys: pd.DataFrame
    key: np.ndarray
    site: np.ndarray
    grade: np.ndarray
    row: np.ndarray
    state_key: np.ndarray
    state_unit: np.ndarray
    state_code: np.ndarray
    state_grade: np.ndarray
    state_row: np.ndarray
    refused: pd.DataFrame


@dataclass(frozen=True)
class Targets:
    """What each row grades: a site or a state of a unit, and why not where neither."""

    site: np.ndarray  # index into system.sites, -1 where none
    state: np.ndarray  # index into system.states, -1 where the row grades the site itself
    unit: np.ndarray  # index into system.units
    maximum: np.ndarray
    pair: np.ndarray  # which pair of spellings
    reasons: list[str | None]  # one per pair, None where fine


def code_reads(
    frame: pd.DataFrame,
    system: ScoreSystem,
    *,
    by: Sequence[str] = ("reader",),
    visits: Iterable[str] | None = None,
) -> Reads:
    """The frame's rows as codes; what cannot be used is in ``refused`` with its row number and reason.

    frame: columns ``subject, visit, site, grade``, those of ``by``, and ``feature`` if there is one (a site
    code says its feature, so it only has to fit). Other columns are ignored. The index is the row number.
    An empty grade is a site that was looked at and not scorable. Two rows for the same site are both refused.
    by: what beside subject and visit tells one reading from another, such as reader, campaign, read.
    visits: order of visits where it is known, the others behind by name; without it the order of the table's
    own column or of the names (``core.visit_order``), never that of the rows.
    Raises InputError where a column is missing.
    """
    _need(frame, (*NEEDED, *by))
    refused = _Refusals(frame.index)
    identity = [labels(frame[name]) for name in ("subject", "visit", *by)]
    for name, (codes, _) in zip(("subject", "visit", *by), identity, strict=True):
        refused.add(codes < 0, f"{name} is empty")
    targets = _targets(frame, system)
    unfit = np.array([text is not None for text in targets.reasons], bool)
    refused.add_texts(unfit[targets.pair], lambda row: targets.reasons[targets.pair[row]] or "")
    placed = ~refused.bad
    grade = _grades(frame["grade"], targets, system, refused)
    order = order_of_table(frame, "visit").names if visits is None else visits
    keys, key = _keys(identity, order, ("subject", "visit", *by))
    refused.add(_duplicates(key, targets, placed, system), TWO_ROWS)
    is_site, is_state = ~refused.bad & (targets.state < 0), ~refused.bad & (targets.state >= 0)
    rows = frame.index.to_numpy()
    return Reads(
        system,
        tuple(by),
        keys,
        key[is_site],
        targets.site[is_site],
        grade[is_site],
        rows[is_site],
        key[is_state],
        targets.unit[is_state],
        targets.state[is_state],
        grade[is_state],
        rows[is_state],
        refused.frame(),
    )


def clean(
    frame: pd.DataFrame, system: ScoreSystem, *, by: Sequence[str] = ("reader",)
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Accepted rows in our own codes (all columns kept, ``feature`` added), and refused ``row, reason``."""
    reads = code_reads(frame, system, by=by)
    rows = np.concatenate([reads.row, reads.state_row])
    accepted = pd.DataFrame(
        {
            "site": np.concatenate(
                [
                    np.asarray(system.codes, object)[reads.site],
                    frame.loc[reads.state_row, "site"].map(system.recognise).to_numpy(object),
                ]
            ),
            "feature": np.concatenate(
                [
                    np.asarray([site.feature for site in system.sites], object)[reads.site],
                    np.asarray([state.code for state in system.states], object)[reads.state_code]
                    if len(reads.state_code)
                    else np.empty(0, object),
                ]
            ),
            "grade": pd.array(np.concatenate([reads.grade, reads.state_grade])).astype("Int64"),
        },
        index=pd.Index(rows, name=frame.index.name),
    ).sort_index()
    rest = frame.loc[accepted.index, [name for name in frame.columns if name not in accepted.columns]]
    return pd.concat([rest, accepted], axis=1), reads.refused


class _Refusals:
    """The first reason found for each row."""

    def __init__(self, rows: pd.Index) -> None:
        self._rows = rows
        self._reasons: dict[int, str] = {}
        self.bad = np.zeros(len(rows), bool)

    def add(self, mask: np.ndarray, reason: str) -> None:
        self.add_texts(mask, lambda _: reason)

    def add_texts(self, mask: np.ndarray, reason: Callable[[int], str]) -> None:
        for position in np.flatnonzero(mask & ~self.bad):
            self._reasons[int(position)] = reason(int(position))
        self.bad |= mask

    def frame(self) -> pd.DataFrame:
        positions = sorted(self._reasons)
        reasons = [self._reasons[position] for position in positions]
        return pd.DataFrame({"row": self._rows[positions], "reason": pd.array(reasons, dtype="str")})


def _need(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise InputError(
            f"the table has no column {', '.join(missing)}",
            f"{', '.join(columns)} are needed, it has {', '.join(map(str, frame.columns))}",
            "rename or add it",
        )


def _targets(frame: pd.DataFrame, system: ScoreSystem) -> Targets:
    """What each row grades, computed once for each pair of spellings and looked up for all rows."""
    sites, site_texts = labels(frame["site"])
    if "feature" in frame.columns:
        features, feature_texts = labels(frame["feature"])
    else:
        features, feature_texts = np.full(len(frame), -1, np.int64), np.empty(0, object)
    width = len(feature_texts) + 1
    pair = (sites + 1) * width + features + 1
    present = np.flatnonzero(np.bincount(pair, minlength=(len(site_texts) + 1) * width))
    resolved = [
        _resolve(
            system,
            "" if code < width else site_texts[code // width - 1],
            "" if code % width == 0 else feature_texts[code % width - 1],
        )
        for code in present
    ]
    place = np.zeros((len(site_texts) + 1) * width, np.int32)
    place[present] = np.arange(len(present))
    at = place[pair]
    numbers = np.array([item[:4] for item in resolved], np.int16).reshape(-1, 4)
    site, state, unit, maximum = (column[at] for column in np.ascontiguousarray(numbers.T))
    return Targets(site, state, unit, maximum, at, [item[4] for item in resolved])


def _resolve(system: ScoreSystem, site: str, feature: str) -> tuple[int, int, int, int, str | None]:
    """Index of site, state and unit, largest grade, and the reason where the pair is none of the system's."""
    nothing = (-1, -1, -1, 0)
    if not site:
        return (*nothing, "site is empty")
    code = system.recognise(site)
    if code is None:
        return (*nothing, f"site {site} is not {system.article} {system.title} site")
    known = system.by_code[code]
    unit = system.units.index(known.unit)
    wanted = system.feature_spellings.get(squeeze(feature)) if feature else known.feature
    if wanted == known.feature:
        return system.codes.index(code), -1, unit, known.maximum, None
    states = [state.code for state in system.states]
    if wanted in states:
        return system.codes.index(code), states.index(wanted), unit, 1, None
    if wanted is None:
        return (*nothing, f"feature {feature} is not {system.article} {system.title} feature")
    return (*nothing, f"feature {feature} does not fit site {site}, which has {known.feature}")


def _grades(series: pd.Series, targets: Targets, system: ScoreSystem, refused: _Refusals) -> np.ndarray:
    """Grades as numbers, NaN where empty or refused."""
    values, texts, is_text = numbers(series)
    broken = values != np.round(values)
    broken &= ~np.isnan(values)
    outside = (values < 0) | (values > targets.maximum)

    def where(row: int) -> str:
        state = targets.state[row]
        return system.states[state].code if state >= 0 else system.codes[targets.site[row]]

    refused.add_texts(
        is_text, lambda row: f"grade '{texts[row]}' is not a number; leave it empty if not scorable"
    )
    refused.add_texts(broken, lambda row: f"grade {values[row]:g} is not a whole number")
    refused.add_texts(
        outside, lambda row: f"grade {values[row]:g} is outside 0-{targets.maximum[row]} of {where(row)}"
    )
    return values


def _keys(
    identity: list[tuple[np.ndarray, np.ndarray]], visits: Iterable[str], names: Sequence[str]
) -> tuple[pd.DataFrame, np.ndarray]:
    """One row per reading, sorted by group and visit, and for each row of the file the reading's position."""
    rank = _visit_rank(identity[1][1], visits)
    whole = np.zeros(len(identity[0][0]), np.int64)
    known = np.ones(len(whole), bool)
    for codes, texts in identity:
        whole = whole * max(len(texts), 1) + codes
        known &= codes >= 0
    key, first = _first_seen(whole, known)
    columns = {name: codes[first] for name, (codes, _) in zip(names, identity, strict=True)}
    order = np.lexsort(
        [rank[columns["visit"]], *[columns[name] for name in names[:1:-1]], columns["subject"]]
    )
    keys = pd.DataFrame({name: columns[name][order] for name in names})
    visit_order = rank[keys["visit"].to_numpy()] if len(keys) else np.empty(0, np.int64)
    parts = keys[[name for name in names if name != "visit"]].to_numpy()
    starts = np.ones(len(keys), bool)
    starts[1:] = (parts[1:] != parts[:-1]).any(axis=1)
    earliest = pd.Series(visit_order).groupby(keys["subject"].to_numpy()).transform("min").to_numpy()
    for name, (_, texts) in zip(names, identity, strict=True):
        keys[name] = pd.array(texts[keys[name].to_numpy()], dtype="str")
    keys["group"] = np.cumsum(starts) - 1
    keys["visit_order"] = visit_order
    keys["is_baseline"] = visit_order == earliest
    keys["first_row"] = first[order]
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return keys, np.where(key >= 0, place[key] if len(place) else -1, -1)


def _visit_rank(texts: np.ndarray, visits: Iterable[str]) -> np.ndarray:
    """Position of each visit code: given order first, the others behind by name."""
    given = list(dict.fromkeys(visits))
    order = given + order_by_name([text for text in texts if text not in set(given)]).names
    position = {text: number for number, text in enumerate(order)}
    return np.array([position[text] for text in texts], np.int64)


def _first_seen(whole: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes of the known numbers in order of first appearance (-1 else), and the row of each first one."""
    key = np.full(len(whole), -1, np.int64)
    codes, uniques = pd.factorize(whole[known])
    key[known] = codes
    rows = np.flatnonzero(known)
    first = np.full(len(uniques), len(whole), np.int64)
    first[codes[::-1]] = rows[::-1]
    return key, first


def _duplicates(key: np.ndarray, targets: Targets, placed: np.ndarray, system: ScoreSystem) -> np.ndarray:
    """Rows of which there is another one for the same reading, site and feature."""
    width = len(system.sites)
    rows = np.flatnonzero(placed & (key >= 0))
    what = targets.site[rows] + width * (targets.state[rows].astype(np.int64) + 1)
    code = key[rows] * (width * (len(system.states) + 1)) + what
    twice = np.zeros(len(key), bool)
    twice[rows] = _occurs_again(code)
    return twice


def _occurs_again(code: np.ndarray) -> np.ndarray:
    """Where a whole number from 0 upwards occurs more than once: counted where dense, hashed where sparse."""
    if len(code) and code.max() < 8 * len(code):
        return np.asarray(np.bincount(code)[code] > 1)
    return pd.Series(code).duplicated(keep=False).to_numpy()
