"""The nouns that every floor shares: films, findings, who looks, and what is selected."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


class ReaderKind(StrEnum):
    """Who gave a score."""

    HUMAN = "human"
    MODEL = "model"
    CONSENSUS = "consensus"


class ReadMode(StrEnum):
    """How films were shown to the reader; changes differ by mode (van der Heijde 1999, Wanders 2004)."""

    SINGLE = "single"
    PAIRED = "paired"  # all visits of a patient together, order blinded
    CHRONOLOGICAL = "chronological"


class Role(StrEnum):
    """What a person at the screen may see."""

    ANALYST = "analyst"
    READER = "reader"  # blinded: no arm, no other reader, no model, no visit order


@dataclass(frozen=True)
class Viewer:
    """Who asks. Every query takes one, and every cache key holds it."""

    role: Role = Role.ANALYST
    reader: str | None = None


@dataclass(frozen=True)
class Box:
    """A box in pixels of the whole film: x to the right, y downwards, (0, 0) the upper left corner."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def centre(self) -> tuple[float, float]:
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2


@dataclass(frozen=True)
class Image:
    """One image as a scorer sees it.

    image: id in the store (or a file name).
    pixels: uint16 or float32, shape (rows, columns), bone bright (MONOCHROME1 already inverted).
    spacing_mm: (between rows, between columns), None where the file does not say.
    modality, body_part, view, laterality: derived at ingest, ``""`` where unknown.
    """

    image: str
    pixels: np.ndarray
    spacing_mm: tuple[float, float] | None = None
    modality: str = ""
    body_part: str = ""
    view: str = ""
    laterality: str = ""


@dataclass(frozen=True)
class Finding:
    """One graded site on one film.

    grade: integer within the site's range.
    grade_probabilities: one per grade from 0 upwards, sums to 1.
    confidence: 0 to 1, that the site is where the box says.
    """

    site: str
    feature: str
    grade: int
    grade_probabilities: tuple[float, ...]
    confidence: float
    box: Box | None = None
    polygon: tuple[tuple[float, float], ...] | None = None


@dataclass(frozen=True)
class Scored:
    """Findings of one film, and the sites that it should show but that could not be graded, with why."""

    findings: tuple[Finding, ...]
    unscorable: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Abstained:
    """The scorer gives no score for this film; ``reason`` is stored and shown."""

    reason: str


@dataclass(frozen=True)
class ScoredTogether:
    """Results for all films of a patient read together, in the order given, which need not be that of the
    visits.

    change_probability: site -> {(place of one film, place of another): probability that the grade differs},
    both ways round, for the films on which the site was graded.
    """

    films: tuple[Scored | Abstained, ...]
    change_probability: dict[str, dict[tuple[int, int], float]] = field(default_factory=dict)


def _first_system() -> str:
    from core.scores import names

    return names()[0]


@dataclass(frozen=True)
class CohortFilter:
    """What is selected on the pages. An empty tuple selects everything. Hashable, so a good cache key.

    system: the first one that is registered, unless another is given.
    """

    system: str = field(default_factory=_first_system)
    campaign: str = ""
    arms: tuple[str, ...] = ()
    sexes: tuple[str, ...] = ()
    visits: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    covariates: tuple[tuple[str, str], ...] = ()  # (name, level), for example ("HLA-B27", "positive")
