"""Who progressed: counts beyond a cut-off, with intervals, and net progression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.agreement.proportion import proportion
from core.ties import is_above, is_below


@dataclass(frozen=True)
class Cutoff:
    """A definition such as ``>0.5``, ``>=2``, ``>SDC``, ``<-SDC``, ``<=-5`` or ``>=5/y`` (per year).

    value: None stands for the study's SDC (mean of readers); of a fall it is minus the SDC.
    """

    name: str
    sign: str
    value: float | None
    is_per_year: bool = False
    is_fall: bool = False

    def limit(self, sdc: Any) -> Any:
        """The change beyond which it counts; None where that is the SDC and the study has none.

        sdc: one for all, or one for each subject.
        """
        if self.value is not None:
            return self.value
        return None if sdc is None else -sdc if self.is_fall else sdc


def cutoff(name: str) -> Cutoff:
    """The definition so written. Raises ValueError where it is none."""
    sign = name[:2] if name[1:2] == "=" else name[:1]
    if sign not in (">", ">=", "<", "<="):
        raise ValueError(f"{name}: a cut-off begins with >, >=, < or <=")
    rest = name[len(sign) :]
    per_year = rest.endswith("/y")
    rest = rest.removesuffix("/y")
    if rest.removeprefix("-") == "SDC":
        is_fall = rest.startswith("-")
        if is_fall != sign.startswith("<"):
            raise ValueError(f"{name}: beyond the SDC is >SDC, or <-SDC for a fall")
        return Cutoff(name, sign, None, per_year, is_fall)
    return Cutoff(name, sign, float(rest), per_year)


STANDARD = tuple(cutoff(name) for name in (">0", ">0.5", ">=2", ">SDC", ">=5", ">=5/y"))


def beyond(value: np.ndarray, sign: str, limit: np.ndarray | float) -> np.ndarray:
    """Which values lie beyond the limit; within 1e-9 of it counts as equal to it. NaN lies nowhere."""
    value = np.asarray(value, float)
    if sign == ">":
        return is_above(value, limit)
    if sign == "<":
        return is_below(value, limit)
    known = ~np.isnan(value)
    return known & ~(is_below(value, limit) if sign == ">=" else is_above(value, limit))


def progressed(
    rule: Cutoff, change: np.ndarray, per_year: np.ndarray, sdc: np.ndarray | float | None
) -> tuple[np.ndarray, np.ndarray] | None:
    """Flags and who could be judged, both of shape (subjects,); None where the study has no SDC.

    change, per_year: raw and annualised change; the cut-off says which it looks at. sdc: one for all, or one
    for each subject.
    """
    limit = rule.limit(sdc)
    if limit is None:
        return None
    value = per_year if rule.is_per_year else change
    known = ~np.isnan(value)
    return beyond(value, rule.sign, limit) & known, known


def share(flags: np.ndarray, known: np.ndarray) -> dict[str, Any]:
    """Count, n and share with its Wilson interval."""
    count, n = int((flags & known).sum()), int(known.sum())
    return {"count": count, "n": n, "share": proportion(count, n)}


def net_progression(change: np.ndarray, limit: float = 0.0) -> int:
    """Subjects beyond the limit minus subjects beyond minus the limit (proportion: over n).

    The form is not verified against a primary paper.
    """
    return int(beyond(change, ">", limit).sum()) - int(beyond(change, "<", -limit).sum())
