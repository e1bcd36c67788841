"""The 24 corners of the mSASSS by vertebral unit: names, order, facing corners."""

from __future__ import annotations

from itertools import pairwise

REGIONS = ("cervical", "lumbar")
LEVELS: dict[str, tuple[str, ...]] = {
    "cervical": ("C2", "C3", "C4", "C5", "C6", "C7", "T1"),
    "lumbar": ("T12", "L1", "L2", "L3", "L4", "L5", "S1"),
}
UNITS: dict[str, tuple[str, ...]] = {
    region: tuple(upper + lower for upper, lower in pairwise(levels)) for region, levels in LEVELS.items()
}
ALL_UNITS: tuple[str, ...] = UNITS["cervical"] + UNITS["lumbar"]  # the finder's classes, in this order
REGION_OF_UNIT: dict[str, str] = {unit: region for region, units in UNITS.items() for unit in units}
CORNERS: dict[str, tuple[str, str]] = {
    upper + lower: (f"{upper}I", f"{lower}S")
    for levels in LEVELS.values()
    for upper, lower in pairwise(levels)
}
SITES: dict[str, tuple[str, ...]] = {
    region: tuple(site for unit in UNITS[region] for site in CORNERS[unit]) for region in REGIONS
}
UNIT_OF_SITE: dict[str, str] = {site: unit for unit, sites in CORNERS.items() for site in sites}
GRADE_NAMES = ("normal", "erosion", "syndesmophyte", "ankylosis")  # grades 0 to 3, the grader's classes
