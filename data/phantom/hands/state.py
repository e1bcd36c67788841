"""What is wrong with a joint, and the grades that readers would give for it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from core.scores.mtss import MTSS

NONE, ANKYLOSIS, SUBLUXATION, LUXATION = "none", "ankylosis", "subluxation", "luxation"
FINDINGS = (NONE, ANKYLOSIS, SUBLUXATION, LUXATION)
LIFTS = {NONE: 0, ANKYLOSIS: 4, SUBLUXATION: 3, LUXATION: 4}
GRADED: dict[str, dict[str, str]] = {}  # unit -> feature -> site code
for _site in MTSS.sites:
    GRADED.setdefault(_site.unit, {})[_site.feature] = _site.code
VIEWS = {"hands": "H", "feet": "F"}


def units_of(view: str) -> tuple[str, ...]:
    """Units (``RH.PIP2``) that a film of this view shows, in the order of the score."""
    return tuple(unit for unit in GRADED if unit[1] == VIEWS[view])


@dataclass(frozen=True)
class JointState:
    """Severity of one joint or bone: grade plus how far within it (0 to below 1).

    erosion: 0 to below 6 (foot: metatarsal side). distal_erosion: phalangeal side of a foot joint, else 0.
    jsn: narrowing alone, 0 to below 4. finding: none, ankylosis, subluxation or luxation, ``degree`` 0 to 1.
    """

    erosion: float = 0.0
    jsn: float = 0.0
    finding: str = NONE
    degree: float = 0.5
    distal_erosion: float = 0.0

    @property
    def erosion_grade(self) -> int:
        """As seen: 0-5, for a foot 0-10."""
        return min(int(self.erosion), 5) + min(int(self.distal_erosion), 5)

    @property
    def jsn_grade(self) -> int:
        """Narrowing or what the finding counts for, whichever is more; 0-4."""
        return max(min(int(self.jsn), 3), LIFTS[self.finding])


HEALTHY = JointState()


def space_share(jsn: float) -> float:
    """Share of the healthy joint space that is left, falling with severity: 1 to 0.05."""
    knots = ((0.0, 1.0), (1.0, 0.90), (2.0, 0.70), (3.0, 0.46), (4.0, 0.06))
    for (low, high), (after, less) in pairwise(knots):
        if jsn <= after:
            return high + (less - high) * (jsn - low) / (after - low)
    return knots[-1][1]
