"""From the state of a site (grade, extent) to the shapes that are drawn there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from data.phantom.spine.body import SITES, Body, Corner
from data.phantom.spine.placement import Placement, wall
from data.phantom.spine.ray_kernels import add_sheet

State = tuple[int, float]
SCALE = {"cervical": 0.72, "lumbar": 1.0}


_ABOVE = [site[:-1] for view in ("lumbar", "cervical") for site in SITES[view][0::2]]


def advance(state: State) -> float:
    """How much of the early change (erosion, squaring, sclerosis) a state shows: 0 none to 1 full."""
    grade, extent = state
    if grade == 0:
        return 0.26 * extent
    return 0.32 + 0.68 * extent if grade == 1 else 1.0


def share_of(look: Corner, state: State) -> float:
    """``advance`` on top of what this corner looks like without disease."""
    return look.wear + (1 - look.wear) * advance(state)


def body_lesions(body: Body, view: str, level: str, states: Mapping[str, State]) -> np.ndarray:
    """Lesion rows of ``ray_kernels.add_body`` (upper, lower corner) for one level, shape (2, 7) in mm."""
    rows = np.zeros((2, 7))
    size = SCALE[view]
    for j, letter in enumerate("SI"):
        site = level + letter
        if site not in body.corners or site not in SITES[view]:
            continue
        look, state = body.corners[site], states.get(site, (0, 0.0))
        share = share_of(look, state)
        bite = bite_of(look, state, size)
        rows[j, 4] = min(1.15, 1.3 * look.squaring * share)
        if bite > 0.5:
            rows[j, :4] = bite, bite * look.bite_height, size * (9 + 9 * look.erosion), look.bite_side
        if look.sclerosis * share > 0.05:
            rows[j, 5] = 12.0 * look.sclerosis * share * (1.0 if state[0] < 2 else 0.6)
            rows[j, 6] = size * (3.5 + 2.5 * look.sclerosis)
        if (level in body.sclerotic_discs and letter == "I") or _below_sclerotic(body, site):
            rows[j, 5] = max(rows[j, 5], 1.6)
            rows[j, 6] = max(rows[j, 6], 4.0)
    return rows


def _below_sclerotic(body: Body, site: str) -> bool:
    facing = dict(zip(SITES["lumbar"][1::2] + SITES["cervical"][1::2], _ABOVE, strict=True))
    return facing.get(site, "") in body.sclerotic_discs


def units(view: str) -> list[tuple[str, str]]:
    """Facing corners of every unit: (lower corner of the upper vertebra, upper corner of the lower one)."""
    sites = SITES[view]
    return list(zip(sites[0::2], sites[1::2], strict=True))


def add_new_bone(cortical, trabecular, pixel, placement: Placement, states: Mapping[str, State]) -> None:
    """Syndesmophytes, bridges and degenerative spurs of all units of the film."""
    bone = _NewBone(cortical, trabecular, pixel, placement)
    for upper, lower in units(placement.conditions.view):
        a, b = states.get(upper, (0, 0.0)), states.get(lower, (0, 0.0))
        if a[0] == 3 or b[0] == 3:
            bone.bridge(upper, lower, a, b)
            continue
        both = a[0] == 2 and b[0] == 2
        for site, other, state in ((upper, lower, a), (lower, upper, b)):
            if state[0] == 2:
                bone.syndesmophyte(site, other, state[1], both)
            elif site in placement.body.spurs:
                bone.spur(site, state)


def bite_of(look: Corner, state: State, size: float) -> float:
    """Radius in mm of the bone that an erosion has taken from a corner; it fills up while new bone grows."""
    grade, extent = state
    left = 1.0 if grade < 2 else (0.38 - 0.2 * extent if grade == 2 else 0.0)
    return size * look.erosion * share_of(look, state) * left * 4.5


@dataclass(frozen=True)
class _NewBone:
    """Where new bone of one film is added to."""

    cortical: np.ndarray
    trabecular: np.ndarray
    pixel: float
    placement: Placement

    @property
    def size(self) -> float:
        return SCALE[self.placement.conditions.view]

    def _sheet(self, p0, p1, front, *params: float) -> None:
        """``params``: see ``shapes.add_sheet``."""
        mag = self.placement.conditions.magnification
        values = np.array(params)
        add_sheet(self.cortical, self.trabecular, self.pixel, 0.0, 0.0, p0, p1, front, mag, values)

    def _ends(self, site: str, other: str):
        """Base, far corner, direction to the front, distance in patient mm."""
        frames, corners = self.placement.frames, self.placement.corners
        front = -(frames[site[:-1]].axes[0, :2] + frames[other[:-1]].axes[0, :2])
        p0, p1 = corners[site], corners[other]
        gap = float(np.hypot(*(p1 - p0))) / self.placement.conditions.magnification
        return p0, p1, front / np.hypot(*front), gap

    def syndesmophyte(self, site: str, other: str, extent: float, both: bool) -> None:
        """From a lip of the rim to a sheet that all but meets its neighbour; faint while it is short."""
        p0, p1, front, gap = self._ends(site, other)
        look, size = self.placement.body.corners[site], self.size
        longest = min(11.0 * size, (0.485 if both else 0.88) * gap)
        shortest = min(1.3 * size, 0.4 * longest)
        girth = size * look.girth * (0.8 + 0.3 * extent)
        haste = 0.5 + 0.6 * np.sin(look.phase) ** 2
        self._sheet(
            p0, p1, front,
            shortest + (longest - shortest) * extent**haste, 1.15 * girth, 0.5 * girth,
            size * 9.5 * look.breadth * (0.62 + 0.38 * extent), 0.3 * look.bulge,
            np.tan(np.radians(look.lean)) * (1.25 - 0.75 * extent), (0.56 + 0.16 * extent) * look.density,
            24.0, 0.0, 0.12 * size, look.phase,
            1.2 * size + 0.9 * bite_of(look, (2, extent), size), 0.55 * size,
        )  # fmt: skip

    def bridge(self, upper: str, lower: str, a: State, b: State) -> None:
        """One bridge per unit, thin and faint at first; if only one corner is said to be bridged, the spur
        still reaches its partner's rim."""
        site, other = (upper, lower) if a[0] == 3 else (lower, upper)
        extent = max(a[1] if a[0] == 3 else 0.0, b[1] if b[0] == 3 else 0.0)
        p0, p1, front, gap = self._ends(site, other)
        look, size = self.placement.body.corners[site], self.size
        girth = size * look.girth * (1.24 + 0.56 * extent)
        self._sheet(
            p0, p1, front,
            gap, girth, girth * (0.47 + 0.43 * extent), size * 10.0 * look.breadth * (0.92 + 0.33 * extent),
            look.bulge, 0.0, (0.7 + 0.09 * extent) * look.density, 26.0, 1.0, 0.16 * size, look.phase,
            2.4 * size, (0.62 - 0.12 * extent) * size,
        )  # fmt: skip

    def spur(self, site: str, state: State) -> None:
        """Degenerative spur: grows to the front, more than 45 degrees from the line of the spine.

        It stands on the wall: where an erosion has taken the rim, beyond the bite, and shorter.
        """
        body, size = self.placement.body, self.size
        frame, look = self.placement.frames[site[:-1]], body.corners[site]
        bite = bite_of(look, state, size) * look.bite_height
        bite = bite if bite > 0.5 else 0.0
        angle = np.radians(6 + 30 * (look.phase / 6.28))
        reach = body.spurs[site] * (1 - 0.35 * min(bite / (4.8 * size), 1.0))
        front, down = -frame.axes[0, :2], frame.axes[1, :2] * (1 if site.endswith("I") else -1)
        towards = front * np.cos(angle) + down * np.sin(angle)
        v, height = frame.vertebra, 0.9 * size + 1.1 * bite
        back = float(wall(v, 1.0)[0] - wall(v, 1.0 - 2 * height / v.anterior)[0])
        reach += back
        p0 = self.placement.corners[site] - frame.magnification * (height * down + back * front)
        p1 = p0 + towards / np.hypot(*towards) * reach * frame.magnification
        girth = size * look.girth
        self._sheet(
            p0, p1, down,
            reach, 1.5 * girth, 0.45 * girth, 9.0 * size, -0.12, 0.0, 0.48, 40.0, 0.0, 0.15, reach,
            3.2 * size + 0.5 * bite, 0.5 * size,
        )  # fmt: skip
