"""Sites of a long score in groups that belong together on a page: a limb or region, and a feature."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from core.scores.system import ScoreSystem

MAX_UNGROUPED = 40  # sites that are read as one list
SIDES = {"R": "right ", "L": "left "}


@dataclass(frozen=True)
class SiteGroup:
    """Sites under one name; a system that is short enough has one group without a name."""

    name: str
    codes: tuple[str, ...]


@cache
def site_groups(system: ScoreSystem) -> tuple[SiteGroup, ...]:
    """The groups of a system in the order of its sites: right hand, erosion; left hand, erosion; ..."""
    if len(system.codes) <= MAX_UNGROUPED:
        return (SiteGroup("", system.codes),)
    found: dict[str, list[str]] = {}
    for site in system.sites:
        feature = system.by_feature[site.feature].name
        found.setdefault(f"{SIDES.get(site.side, '')}{site.region}, {feature}", []).append(site.code)
    return tuple(SiteGroup(name, tuple(codes)) for name, codes in found.items())


def only(groups: tuple[SiteGroup, ...], codes: Collection[str]) -> tuple[SiteGroup, ...]:
    """The groups with these sites alone, each named with how many of its sites they are; empty ones go."""
    found = []
    for group in groups:
        kept = tuple(code for code in group.codes if code in codes)
        name = f"{group.name} ({len(kept)} of {len(group.codes)})" if group.name else ""
        if kept:
            found.append(SiteGroup(name, kept))
    return tuple(found)


def short_site(system: ScoreSystem, code: str) -> str:
    """A site within its group: the joint alone, where side and feature stand over it."""
    site = system.by_code[code]
    return site.unit.rpartition(".")[2] if site.side else code
