"""The score of a stack by rule: 18 items a unit, as findings that ``core/scores`` adds up, with evidence.

Total -> unit -> slice -> item -> pixels: :meth:`StackScore.table` has a row for each point.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.domain import Abstained, Box, Finding, Image, Measured, Scored
from core.imaging.spine import UNITS
from core.scores.sparcc import ITEMS, SLICES, SPARCC
from models.sparcc.rule.points import UNIT_OF, Point, points_of
from models.sparcc.rule.references import References
from models.sparcc.rule.settings import Settings
from models.sparcc.rule.stack import Anatomy, Stack, look_at
from models.sparcc.rule.units import Window, windows_of

FEATURE = {site.code: site.feature for site in SPARCC.sites}


@dataclass(frozen=True)
class UnitScore:
    """A unit that was read. frames: its three slices along the normal. confidence: that its name is right.
    slices: item -> point, one a slice.
    """

    unit: str
    frames: Window
    confidence: float
    slices: tuple[dict[str, Point], ...]

    @property
    def points(self) -> list[Point]:
        """Its 18 points."""
        return [point for one in self.slices for point in one.values()]

    @property
    def total(self) -> int | None:
        """0 to 18; None where an item could not be read."""
        grades = [point.grade for point in self.points]
        return None if None in grades else sum(grade or 0 for grade in grades)


@dataclass(frozen=True)
class StackScore:
    """Units of a stack that were read, and those that it shows in part, with why they were not."""

    units: dict[str, UnitScore]
    missing: dict[str, str]
    settings: Settings

    def scored(self, chances: Mapping[str, float] | None = None) -> Scored:
        """As findings, and sites without a grade with why. chances: site -> that its grade is 1, where the
        masks come with chances; else a grade is certain.
        """
        points = [(point, unit.confidence) for unit in self.units.values() for point in unit.points]
        reasons = {
            f"{unit}.{cut}.{item}": why
            for unit, why in self.missing.items()
            for cut in SLICES
            for item in ITEMS
        }
        reasons |= {point.site: point.reason for point, _ in points if point.grade is None}
        findings = tuple(
            _finding(point, sure, (chances or {}).get(point.site, float(point.grade)))
            for point, sure in points
            if point.grade is not None
        )
        return Scored(findings, reasons)

    def table(self) -> pd.DataFrame:
        """A row a point: unit, slice, item, grade, rule, value, threshold, measured_in, frame, place_mm,
        area_mm2, compared, reason.
        """
        rows = []
        for unit in self.units.values():
            for point in unit.points:
                name, cut, item = point.site.split(".")
                rows.append(
                    {
                        "unit": name, "slice": cut, "item": item, "grade": point.grade, "rule": point.rule,
                        "value": point.value, "threshold": point.threshold,
                        "measured_in": UNIT_OF[point.rule], "frame": point.frame, "place_mm": point.place,
                        "area_mm2": point.area, "compared": point.compared, "reason": point.reason,
                    }
                )  # fmt: skip
        return pd.DataFrame(rows)


def score_stack(
    image: Image,
    anatomy: Anatomy,
    oedema: np.ndarray,
    settings: Settings | None = None,
    *,
    windows: Mapping[str, Window] | None = None,
) -> StackScore | Abstained:
    """The score of a sagittal stack from masks of its bodies and its oedema.

    oedema (frames, rows, columns): nonzero where there is oedema; what lies outside bodies does not count.
    windows: the slices of each unit as another visit says (``visits.windows_like``), else those with most
    oedema. Raises InputError where a mask is of another size than the stack.
    """
    stack = look_at(image, anatomy, oedema, settings or Settings())
    if isinstance(stack, Abstained):
        return stack
    found = windows_of(stack, windows)
    read = {unit: window for unit, window in found.items() if not isinstance(window, str)}
    missing = {unit: why for unit, why in found.items() if isinstance(why, str)}
    if not read:
        unit, why = next(iter(missing.items()))
        return Abstained(f"no unit can be read; {unit}: {why}")
    references = References(stack)
    return StackScore(
        {unit: _unit(stack, references, unit, window) for unit, window in read.items()},
        missing,
        stack.settings,
    )


def _unit(stack: Stack, references: References, unit: str, window: Window) -> UnitScore:
    slices = tuple(
        points_of(stack, references, unit, number, frame) for number, frame in enumerate(window, 1)
    )
    sure = min(stack.anatomy.confidence.get(level, 1.0) for level in UNITS[unit])
    return UnitScore(unit, window, sure, slices)


def _finding(point: Point, confidence: float, chance: float) -> Finding:
    """A point as the store keeps it. chance: that its grade is 1."""
    rows, columns = point.pixels[:, 0], point.pixels[:, 1]
    box = None
    if len(point.pixels):
        edges = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        box = Box(*(float(edge) for edge in edges))
    return Finding(
        site=point.site,
        feature=FEATURE[point.site],
        grade=int(point.grade or 0),
        grade_probabilities=(1.0 - chance, chance),
        confidence=confidence,
        box=box,
        polygon=point.outline or None,
        frame=point.frame,
        measured=Measured(point.rule, point.value, point.threshold, UNIT_OF[point.rule], point.compared),
    )
