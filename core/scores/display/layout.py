"""Where each site of a system stands on a map: a row a unit, columns for sides, corners, features."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache

import pandas as pd

from core.scores.system import ScoreSystem, Site

MAX_BESIDE = 4  # sites of one unit and side that stand beside each other; more are summed


@dataclass(frozen=True)
class SiteLayout:
    """Places on a map, from head to foot and thumb to little finger.

    rows: units without their side. columns: what stands beside each other. places: key -> (row, column);
    a key is a site code, or a unit where its sites are summed. names: key -> what it is called.
    summed: site -> unit, empty where every site has a place of its own.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    places: dict[str, tuple[int, int]]
    names: dict[str, str]
    summed: dict[str, str] = field(default_factory=dict)


@cache
def layout(system: ScoreSystem) -> SiteLayout:
    """The layout of any system, from its sites alone."""
    sized = pd.Series([site.unit for site in system.sites]).value_counts()
    if int(sized.max()) > MAX_BESIDE:
        units = {site.unit: f"{site.unit}, sum of {sized[site.unit]} items" for site in system.sites}
        places = {unit: (row, 0) for row, unit in enumerate(units)}
        return SiteLayout(
            tuple(units), ("unit",), places, units, {site.code: site.unit for site in system.sites}
        )
    rows = _rows(system)
    columns = _columns(system)
    row_of = {name: place for place, name in enumerate(dict.fromkeys(rows.values()))}
    column_of = {name: place for place, name in enumerate(dict.fromkeys(columns.values()))}
    places = {code: (row_of[rows[code]], column_of[columns[code]]) for code in system.codes}
    names = {site.code: site.name for site in system.sites}
    return SiteLayout(tuple(row_of), tuple(column_of), places, names)


def narrowed(where: SiteLayout, codes: Collection[str]) -> SiteLayout:
    """The layout of these sites alone: rows and columns without any of them are left out."""
    keys = {where.summed.get(code, code) for code in codes}
    kept = {key: place for key, place in where.places.items() if key in keys}
    rows, columns = (sorted({place[axis] for place in kept.values()}) for axis in (0, 1))
    return SiteLayout(
        tuple(where.rows[row] for row in rows),
        tuple(where.columns[column] for column in columns),
        {key: (rows.index(row), columns.index(column)) for key, (row, column) in kept.items()},
        {key: name for key, name in where.names.items() if key in kept},
        {code: unit for code, unit in where.summed.items() if unit in kept},
    )


def placed(grades: pd.DataFrame, where: SiteLayout, keys: list[str]) -> pd.DataFrame:
    """Grades by place: as they are, or summed over the sites of a unit.

    grades: columns ``keys``, ``site``, ``grade``. A unit with a site that is missing or was not graded has no
    sum. Returns ``keys``, ``site`` (the place's key) and ``grade`` (float), without gaps.
    """
    columns = [*keys, "site", "grade"]
    if not where.summed:
        return grades.loc[grades["grade"].notna(), columns].astype({"grade": float})
    unit = grades["site"].map(where.summed)
    sized = pd.Series(where.summed).value_counts()
    grouped = grades.assign(site=unit, grade=grades["grade"].astype(float)).groupby([*keys, "site"])
    found = grouped["grade"].agg(["sum", "count"]).reset_index()
    whole = found["count"] == found["site"].map(sized)
    return found[whole].rename(columns={"sum": "grade"})[columns].reset_index(drop=True)


def _rows(system: ScoreSystem) -> dict[str, str]:
    """Site -> its unit without the side, with the region where two units would be called the same."""
    joint = {site.code: _without_side(site) for site in system.sites}
    regions: dict[str, set[str]] = {}
    for site in system.sites:
        regions.setdefault(joint[site.code], set()).add(site.region)
    return {
        site.code: joint[site.code]
        if len(regions[joint[site.code]]) == 1
        else f"{site.region} {joint[site.code]}"
        for site in system.sites
    }


def _without_side(site: Site) -> str:
    return site.unit.rpartition(".")[2] if site.side else site.unit


def _columns(system: ScoreSystem) -> dict[str, str]:
    """Site -> the name of its column: side and feature, or what tells the sites of one unit apart."""
    if len({site.feature for site in system.sites}) > 1:
        sides = sorted({site.side for site in system.sites}, key=lambda side: (side == "L", side))
        order = [(side, feature.code) for side in sides for feature in system.features]
        named = {site.code: (site.side, site.feature) for site in system.sites}
        short = {feature.code: feature.short or feature.code for feature in system.features}
        return {
            code: f"{named[code][0]} {short[named[code][1]]}".strip()
            for code in sorted(named, key=lambda code: order.index(named[code]))
        }
    number: dict[str, int] = {}
    place: dict[str, int] = {}
    for site in system.sites:
        place[site.code] = number.get(site.unit, 0)
        number[site.unit] = place[site.code] + 1
    words = {
        one: _shared([s.name for s in system.sites if place[s.code] == one]) for one in set(place.values())
    }
    common = set.intersection(*(set(part) for part in words.values()))
    titles = {one: " ".join(word for word in part if word not in common) for one, part in words.items()}
    return {code: titles[one] or f"site {one + 1}" for code, one in place.items()}


def _shared(names: list[str]) -> list[str]:
    """Words of the first name that all names have."""
    kept = set.intersection(*(set(name.split()) for name in names))
    return [word for word in names[0].split() if word in kept]
