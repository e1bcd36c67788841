"""From the state of a site (grade, extent) to the shapes that are drawn there."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from data.phantom.body import SITES, Body
from data.phantom.placement import Placement
from data.phantom.shapes import add_sheet

State = tuple[int, float]
SCALE = {"cervical": 0.72, "lumbar": 1.0}


def advance(state: State) -> float:
    """How much of the early change (erosion, squaring, sclerosis) a state shows: 0 none to 1 full."""
    grade, extent = state
    if grade == 0:
        return 0.18 * extent
    return 0.45 + 0.55 * extent if grade == 1 else 1.0


def body_lesions(body: Body, view: str, level: str, states: Mapping[str, State]) -> np.ndarray:
    """Lesion rows of ``shapes.add_body`` (upper, lower corner) for one level, shape (2, 7) in mm."""
    rows = np.zeros((2, 7))
    size = SCALE[view]
    for j, letter in enumerate("SI"):
        site = level + letter
        if site not in body.corners or site not in SITES[view]:
            continue
        look, state = body.corners[site], states.get(site, (0, 0.0))
        share = advance(state)
        healed = {0: 1.0, 1: 1.0, 2: 0.35, 3: 0.0}[state[0]]
        bite = size * look.erosion * share * healed * 4.8
        rows[j, 4] = min(1.15, 1.3 * look.squaring * share)
        if bite > 0.5:
            rows[j, :4] = bite, bite * look.bite_height, size * (9 + 9 * look.erosion), look.bite_side
        if look.sclerosis * share > 0.05:
            rows[j, 5] = 14.0 * look.sclerosis * share * (1.0 if state[0] < 2 else 0.6)
            rows[j, 6] = size * (3.5 + 2.5 * look.sclerosis)
        if (level in body.sclerotic_discs and letter == "I") or _below_sclerotic(body, site):
            rows[j, 5] = max(rows[j, 5], 1.6)
            rows[j, 6] = max(rows[j, 6], 4.0)
    return rows


def _below_sclerotic(body: Body, site: str) -> bool:
    return site.endswith("S") and site in body.spurs


def units(view: str) -> list[tuple[str, str]]:
    """Facing corners of every unit: (lower corner of the upper vertebra, upper corner of the lower one)."""
    sites = SITES[view]
    return list(zip(sites[0::2], sites[1::2], strict=True))


def add_new_bone(cortical, pixel, placement: Placement, states: Mapping[str, State]) -> None:
    """Syndesmophytes, bridges and degenerative spurs of all units of the film."""
    view = placement.conditions.view
    for upper, lower in units(view):
        a, b = states.get(upper, (0, 0.0)), states.get(lower, (0, 0.0))
        if a[0] == 3 or b[0] == 3:
            _bridge(cortical, pixel, placement, upper, lower, a, b)
            continue
        both = a[0] == 2 and b[0] == 2
        for site, other, state in ((upper, lower, a), (lower, upper, b)):
            if state[0] == 2:
                _syndesmophyte(cortical, pixel, placement, site, other, state[1], both)
            elif site in placement.body.spurs:
                _spur(cortical, pixel, placement, site)


def _ends(placement: Placement, site: str, other: str):
    frame, facing = placement.frames[site[:-1]], placement.frames[other[:-1]]
    front = -(frame.axes[0, :2] + facing.axes[0, :2])
    return placement.corners[site], placement.corners[other], front / np.hypot(*front), frame


def _syndesmophyte(cortical, pixel, placement, site, other, extent, both) -> None:
    p0, p1, front, frame = _ends(placement, site, other)
    look, size = placement.body.corners[site], SCALE[placement.conditions.view]
    gap = float(np.hypot(*(p1 - p0))) / frame.magnification
    longest = min(8.0, (0.42 if both else 0.74) * gap)
    shortest = min(2.0 * size, 0.6 * longest)
    reach = shortest + (longest - shortest) * extent
    girth = size * look.girth
    lean = np.tan(np.radians(look.lean)) * (1 - 0.5 * extent)
    breadth = size * 9.5 * look.breadth * (0.75 + 0.25 * extent)
    params = np.array(
        [
            reach,
            1.1 * girth,
            0.55 * girth,
            breadth,
            0.3 * look.bulge,
            lean,
            0.75 * look.density,
            24.0,
            0.0,
            0.12 * size,
            look.phase,
        ]
    )
    add_sheet(cortical, pixel, 0.0, 0.0, p0, p1, front, frame.magnification, params)


def _bridge(cortical, pixel, placement, upper, lower, a: State, b: State) -> None:
    """One bridge per unit; if only one corner is said to be bridged, the spur still reaches its
    partner's rim."""
    site, other = (upper, lower) if a[0] == 3 else (lower, upper)
    extent = max(a[1] if a[0] == 3 else 0.0, b[1] if b[0] == 3 else 0.0)
    p0, p1, front, frame = _ends(placement, site, other)
    look, size = placement.body.corners[site], SCALE[placement.conditions.view]
    gap = float(np.hypot(*(p1 - p0))) / frame.magnification
    girth = size * look.girth * (1.1 + 0.5 * extent)
    waist = girth * (0.72 + 0.2 * extent)
    breadth = size * 10.5 * look.breadth * (0.9 + 0.3 * extent)
    params = np.array(
        [gap, girth, waist, breadth, look.bulge, 0.0, 0.74 * look.density, 26.0, 1.0, 0.16 * size, look.phase]
    )
    add_sheet(cortical, pixel, 0.0, 0.0, p0, p1, front, frame.magnification, params)


def _spur(cortical, pixel, placement, site) -> None:
    """Degenerative spur: grows to the front, more than 45 degrees from the line of the spine."""
    frame = placement.frames[site[:-1]]
    p0 = placement.corners[site]
    front, down = -frame.axes[0, :2], frame.axes[1, :2] * (1 if site.endswith("I") else -1)
    angle = np.radians(20)
    reach = placement.body.spurs[site]
    size = SCALE[placement.conditions.view]
    towards = front * np.cos(angle) + down * np.sin(angle)
    p0 = p0 - 0.8 * frame.magnification * down
    p1 = p0 + towards / np.hypot(*towards) * reach * frame.magnification
    params = np.array([reach, 1.5 * size, 0.5 * size, 9.0 * size, 0.0, 0.0, 0.3, 40.0, 0.0, 0.15, reach])
    add_sheet(cortical, pixel, 0.0, 0.0, p0, p1, down, frame.magnification, params)
