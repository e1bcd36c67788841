"""How often the intervals held in simulated studies, to be said beside them (docs/statistics-coverage.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ICC, SPREAD = "change_icc", "sdc95"
# statistic -> patients -> (mean over the kinds of studies, the worst kind); a test compares with the page
HELD: dict[str, dict[int, tuple[float, float]]] = {
    ICC: {12: (0.937, 0.815), 24: (0.947, 0.9), 60: (0.966, 0.93), 200: (0.954, 0.91)},
    SPREAD: {12: (0.925, 0.805), 24: (0.935, 0.875), 60: (0.947, 0.91), 200: (0.95, 0.9)},
}
WANTED = 0.93


@dataclass(frozen=True)
class Coverage:
    """Share of simulated studies in which a 95% interval held: over all kinds, and in the worst kind.

    patients: of the simulated studies, the largest size that is not above the study's. None: not measured.
    """

    patients: int | None
    mean: float | None
    worst: float | None

    @property
    def note(self) -> str:
        """What to know about the interval; empty where it holds as it says."""
        if self.patients is None:
            return "below 12 patients it was not measured how often such an interval holds"
        if self.mean is None or self.worst is None or self.worst >= WANTED:
            return ""
        return (
            f"such 95% intervals held in {self.mean:.0%} of simulated studies of {self.patients} patients "
            f"({self.worst:.0%} in the worst kind)"
        )

    def plain(self) -> dict[str, Any]:
        """As in the JSON of the commands."""
        return {"patients": self.patients, "mean": self.mean, "worst": self.worst, "note": self.note}


def coverage(statistic: str, patients: int) -> Coverage:
    """What was measured for studies of this size. statistic: a key of ``HELD``."""
    known = [n for n in HELD[statistic] if n <= patients]
    if not known:
        return Coverage(None, None, None)
    return Coverage(max(known), *HELD[statistic][max(known)])
