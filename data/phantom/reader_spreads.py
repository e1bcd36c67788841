"""Simulated readers with the errors of people: a person's error at a site divided into a reader's parts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar


class HasSpreads(Protocol):
    """A simulated reader by its spreads over patients, of a site, and of a site at a visit."""

    @property
    def site(self) -> float: ...
    @property
    def visit(self) -> float: ...


Reader = TypeVar("Reader", bound=HasSpreads)


@dataclass(frozen=True)
class ErrorOf:
    """The errors of one person in grades: shift from the mean of the readers, spread of all errors at a site,
    and its part that is the same over a patient.
    """

    name: str
    shift: float
    spread: float
    patient: float


def parts_of(error: ErrorOf, *, site: float, visit: float, growth: float) -> tuple[float, float, float]:
    """Spreads over patients, of a site over all visits, and of a site at a visit, at a clear place.

    site, visit: of the shipped reader, whose share is kept. growth: root mean square of the factor by which
    spreads grow where places are harder to see, on films as they are.
    """
    spread, patient = error.spread / growth, min(error.patient, error.spread) / growth
    rest = math.sqrt(max(spread**2 - patient**2, 0.0))
    of_visit = visit / math.hypot(site, visit)
    return patient, rest * math.sqrt(1 - of_visit**2), rest * of_visit


def readers_like(errors: Sequence[ErrorOf], usual: Reader, growth: float) -> tuple[Reader, ...]:
    """Readers with these errors in grades; what grades do not tell is as in the usual one."""
    found = []
    for error in errors:
        patient, site, visit = parts_of(error, site=usual.site, visit=usual.visit, growth=growth)
        parts = {"name": error.name, "bias": error.shift, "patient": patient, "site": site, "visit": visit}
        found.append(replace(usual, **parts))  # type: ignore[type-var]
    return tuple(found)
