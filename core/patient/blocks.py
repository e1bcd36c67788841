"""The blocks of a score that is read slice by slice: what each adds up to, by visit and by slice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.reader_labels import people
from core.scores.engine.contributions import How, Parts
from core.scores.system import ScoreSystem


@dataclass(frozen=True)
class SliceItems:
    """One slice of a block: its name within it, and its sites."""

    title: str
    sites: tuple[str, ...]


def slices_of(system: ScoreSystem, block: str) -> tuple[SliceItems, ...]:
    """The slices of a block, in their order."""
    groups: dict[str, list[str]] = {}
    for site in system.sites:
        if site.block == block:
            groups.setdefault(site.group, []).append(site.code)
    return tuple(SliceItems(_slice_title(system, codes[0]), tuple(codes)) for codes in groups.values())


def _slice_title(system: ScoreSystem, code: str) -> str:
    site = system.by_code[code]
    return site.name.partition(", ")[0].removeprefix(site.block).strip() or site.group


def item_title(system: ScoreSystem, code: str) -> str:
    """What a site is called within its slice."""
    return system.by_code[code].name.partition(", ")[2] or code


def by_block(parts: Parts, label: str) -> pd.DataFrame:
    """One row a block and visit of a reading: ``block, visit, value, lacking, counts, site``.

    value: the sum of its sites as graded, NaN where one of them has no grade (``lacking`` of them). counts:
    whether it is part of the total under the rule. site: where one looks first: the first site above 0, else
    the first one of the middle slice.
    """
    rows = parts.sites[parts.sites["label"] == label]
    found = []
    for (visit, block), inside in rows.groupby(["visit", "block"], sort=False):
        grades = inside["counts"]
        lacking = int(grades.isna().sum())
        found.append(
            {
                "block": block,
                "visit": visit,
                "value": np.nan if lacking else float(grades.sum()),
                "lacking": lacking,
                "counts": bool((inside["how"] != How.NOT_CHOSEN).any() and inside["in_total"].any()),
                "site": _first_site(parts.system, str(block), inside),
            }
        )
    return pd.DataFrame(found, columns=["block", "visit", "value", "lacking", "counts", "site"])


def _first_site(system: ScoreSystem, block: str, inside: pd.DataFrame) -> str:
    above = inside.loc[inside["counts"].fillna(0) > 0, "site"]
    if len(above):
        return str(above.iloc[0])
    slices = slices_of(system, block)
    return slices[len(slices) // 2].sites[0]


def by_slice(parts: Parts, reading: pd.DataFrame, component_blocks: tuple[str, ...]) -> pd.DataFrame:
    """One row a block of a reading: ``block``, what it ``adds`` and its sum in each slice, largest first.

    reading: of ``core.patient.breakdown.reading_of``. Slices are columns by their names; NaN where a site of
    one lacks. counts: whether the block is part of the total. Blocks without any grade above 0, and with all
    grades, are left out.
    """
    rows = []
    for block in component_blocks:
        inside = reading[reading["block"] == block].set_index("site")
        slices = slices_of(parts.system, block)
        sums = {one.title: inside.loc[list(one.sites), "counts"].sum(skipna=False) for one in slices}
        values = inside["value"]
        rows.append(
            {"block": block, "adds": float(values.sum(skipna=False)), **sums,
             "counts": bool((inside["how"] != How.NOT_CHOSEN).any())}
        )  # fmt: skip
    table = pd.DataFrame(rows)
    names = [name for name in table if name not in ("block", "adds", "counts")]
    shown = table[(table[names].fillna(1) > 0).any(axis=1)]
    order = (-shown[names].sum(axis=1)).argsort(kind="stable")
    return shown.iloc[order].reset_index(drop=True)


def block_changes(
    grades: pd.DataFrame, system: ScoreSystem, first: str, last: str, kinds: dict[str, str]
) -> pd.DataFrame:
    """Blocks whose sum differs between two visits in any reading, largest mean change of people first.

    grades: one patient; ``site, visit, label, grade``. Columns: ``block``, ``site`` (of the block, where one
    looks first), one column a label as "5 → 0" (a dash where an item has no grade), ``seen_by`` (people whose
    change goes in the direction of their mean), ``readers`` (people with both sums).
    """
    block = {site.code: site.block for site in system.sites}
    rows = grades[grades["visit"].isin([first, last]) & grades["site"].isin(system.codes)]
    totals = _sums(rows.assign(block=rows["site"].map(block)), system)
    found = []
    for name in system.blocks:
        pairs = {
            label: (totals.get((name, label, first)), totals.get((name, label, last))) for label in kinds
        }
        change = {label: b - a for label, (a, b) in pairs.items() if a is not None and b is not None}
        if not any(change.values()):
            continue
        judges = [change[label] for label in people(kinds) if label in change]
        mean = sum(judges) / len(judges) if judges else 0.0
        row = {"block": name, "mean": mean, "site": _changed_site(rows, name, block, first, last)}
        row |= {label: " → ".join(_text(one) for one in pair) for label, pair in pairs.items()}
        found.append(row | {"seen_by": sum(one * mean > 0 for one in judges), "readers": len(judges)})
    table = pd.DataFrame(found, columns=["block", "mean", "site", *kinds, "seen_by", "readers"])
    order = (-table["mean"].astype(float).abs()).argsort(kind="stable")
    return table.iloc[order].drop(columns="mean").reset_index(drop=True)


def _sums(rows: pd.DataFrame, system: ScoreSystem) -> dict[tuple[str, str, str], float]:
    """(block, label, visit) -> sum, of blocks of which every site has a grade."""
    size = Counter(site.block for site in system.sites)
    grouped = rows.groupby(["block", "label", "visit"])["grade"].agg(["sum", "count"])
    names = [(str(block), str(label), str(visit)) for block, label, visit in grouped.index]
    pairs = zip(names, grouped["sum"].tolist(), grouped["count"].tolist(), strict=True)
    return {key: float(value) for key, value, count in pairs if count == size[key[0]]}


def _text(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"


def _changed_site(rows: pd.DataFrame, name: str, block: dict[str, str], first: str, last: str) -> str:
    """The site of the block that most readings see change; the first of equals."""
    inside = rows[rows["site"].map(block) == name]
    wide = inside.pivot_table(
        index=["site", "label"], columns="visit", values="grade", aggfunc="first", sort=False
    )
    if first not in wide or last not in wide:
        return str(inside["site"].iloc[0])
    seen = (wide[last] - wide[first]).abs().fillna(0).groupby(level="site", sort=False).sum()
    return str(seen.idxmax())
