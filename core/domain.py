"""The nouns that every floor shares: films, findings, who looks, and what is selected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from core.errors import InputError

if TYPE_CHECKING:
    import numpy as np


BIRTH_YEAR = "birth_year"  # the one number among the columns of patients, as a filter names it
HELD_BACK = "held back until a person releases it"  # how the reason for such an abstention begins


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
    CLINICIAN = "clinician"
    MANAGER = "data manager"
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
class ScanArea:
    """A part of an ultrasound picture that the machine draws one thing in.

    box: in pixels, its right and lower edge outside of it. mm_per_pixel: (down, to the right), None where the
    file does not say. kind: ``tissue`` (grey scale), ``doppler`` (colour over tissue), ``spectral`` (flow
    over time) or ``other`` (bars, traces).
    """

    box: Box
    mm_per_pixel: tuple[float, float] | None = None
    kind: str = "tissue"


Point = tuple[float, float, float]


@dataclass(frozen=True)
class Image:
    """One image: a film (an image of one frame), a stack of slices, or a cine.

    image: id in the store (or a file name); of a stack made of several files, its series.
    frames: uint16 or float32, shape (frames, rows, columns), bone bright (MONOCHROME1 already inverted); a
    single picture (rows, columns) is taken as an image of one frame.
    spacing_mm: (between rows, between columns), None where the file does not say.
    modality, body_part, view, laterality: derived at ingest, ``""`` where unknown.
    slice_spacing_mm: between the centres of neighbouring frames, None where unknown or uneven.
    orientation: direction cosines of a row, then of a column, in patient coordinates (DICOM PS3.3, C.7.6.2);
    None where unknown or not the same for all frames.
    positions_mm: centre of the upper left pixel of each frame, in patient coordinates; None where unknown.
    times_ms: of each frame of a cine, from the first one; None where unknown.
    sequence, region: of a stack of MRI (``core.imaging.sequences``), ``""`` where unknown.
    slice_thickness_mm: of each slice; the gap between slices is what their spacing has beyond it.
    colour: uint8 (frames, rows, columns, 3), red, green, blue, where the picture is in colour; ``frames`` is
    its brightness. A single picture (rows, columns, 3) is taken as one frame.
    joint, mode: of ultrasound, a joint code of its score and ``B`` (grey scale) or ``PD`` (power Doppler),
    ``""`` where unknown. device: maker and model, as the file says. areas: of the screen, as the file says.
    Raises InputError where positions or times are not one a frame, or the colour is of another picture.
    """

    image: str
    frames: np.ndarray
    spacing_mm: tuple[float, float] | None = None
    modality: str = ""
    body_part: str = ""
    view: str = ""
    laterality: str = ""
    slice_spacing_mm: float | None = None
    orientation: tuple[Point, Point] | None = None
    positions_mm: tuple[Point, ...] | None = None
    times_ms: tuple[float, ...] | None = None
    sequence: str = ""
    region: str = ""
    slice_thickness_mm: float | None = None
    colour: np.ndarray | None = None
    joint: str = ""
    mode: str = ""
    device: str = ""
    areas: tuple[ScanArea, ...] = ()

    def __post_init__(self) -> None:
        if self.frames.ndim == 2:
            object.__setattr__(self, "frames", self.frames[None])
        if self.frames.ndim != 3:
            shape = " x ".join(map(str, self.frames.shape))
            raise InputError(
                f"an image of shape {shape}", "frames x rows x columns is needed", "give grey pictures"
            )
        for name, values in (("positions", self.positions_mm), ("times", self.times_ms)):
            if values is not None and len(values) != len(self.frames):
                raise InputError(
                    f"{len(values)} {name} for {len(self.frames)} frames",
                    "one a frame is needed",
                    "leave them out",
                )
        if self.colour is not None:
            self._check_colour(self.colour)

    def _check_colour(self, colour: np.ndarray) -> None:
        if colour.ndim == 3:
            colour = colour[None]
            object.__setattr__(self, "colour", colour)
        if colour.shape != (*self.frames.shape, 3) or colour.dtype != "uint8":
            raise InputError(
                f"colour of shape {' x '.join(map(str, colour.shape))} and type {colour.dtype}",
                "three bytes for each pixel of the picture are needed",
                "give red, green and blue",
            )

    @property
    def is_film(self) -> bool:
        """Whether it is a single picture."""
        return len(self.frames) == 1

    @property
    def pixels(self) -> np.ndarray:
        """The picture of an image of one frame, (rows, columns). Raises InputError for several."""
        if not self.is_film:
            raise InputError(
                f"image {self.image[:12]} with {len(self.frames)} frames",
                "an image of one frame is needed",
                "choose a frame",
            )
        picture: np.ndarray = self.frames[0]
        return picture


@dataclass(frozen=True)
class Measured:
    """What a rule measured against which limit, in ``unit``. compared: what else it rests on, by name."""

    rule: str
    value: float
    limit: float
    unit: str
    compared: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """One graded site on one image.

    grade: integer within the site's range.
    grade_probabilities: one per grade from 0 upwards, sums to 1.
    confidence: 0 to 1, that the site is where the box says.
    frame: of the image, None on a film. measured: what a grade by rule was made from.
    """

    site: str
    feature: str
    grade: int
    grade_probabilities: tuple[float, ...]
    confidence: float
    box: Box | None = None
    polygon: tuple[tuple[float, float], ...] | None = None
    frame: int | None = None
    measured: Measured | None = None


@dataclass(frozen=True)
class Outline:
    """A closed line around one structure on one frame, (x, y) in its pixels. structure: body, disc or oedema;
    name: level or unit, ``""`` where it has none.
    """

    frame: int
    structure: str
    name: str
    polygon: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Scored:
    """Findings of one image, and the sites that it should show but that could not be graded, with why.

    outlines: what was drawn on the frames of a stack. chances: 0 to 1, of a diagnosis, by the question asked;
    no score of the image.
    """

    findings: tuple[Finding, ...]
    unscorable: dict[str, str] = field(default_factory=dict)
    outlines: tuple[Outline, ...] = ()
    chances: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Abstained:
    """The scorer gives no score for this film; ``reason`` is stored and shown. sites: those that it should
    show, where that is known.
    """

    reason: str
    sites: tuple[str, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True)
class ScoredPaired:
    """Results of all images of a patient from paired reading, in the order given, which need not be that of
    the visits.

    change_probability: site -> {(place of one image, place of another): probability that the grade
    differs}, both ways round, for the images on which the site was graded.
    """

    results: tuple[Scored | Abstained, ...]
    change_probability: dict[str, dict[tuple[int, int], float]] = field(default_factory=dict)


def _first_system() -> str:
    from core.scores import names

    return names()[0]


@dataclass(frozen=True)
class CohortFilter:
    """What is selected on the pages. An empty tuple selects everything. Hashable, so a good cache key.

    Values of one property are alternatives, properties restrict each other. Covariates are those of the
    patient or of the first visit; ranges are of their numbers and of ``BIRTH_YEAR``.

    system: the first one that is registered, unless another is given.
    """

    system: str = field(default_factory=_first_system)
    campaign: str = ""
    arms: tuple[str, ...] = ()
    sexes: tuple[str, ...] = ()
    visits: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    covariates: tuple[tuple[str, str], ...] = ()  # (name, level), for example ("HLA-B27", "positive")
    centres: tuple[str, ...] = ()
    ranges: tuple[
        tuple[str, float | None, float | None], ...
    ] = ()  # (name, at least, at most), None for open

    @property
    def leaves_out(self) -> bool:
        """Whether it may leave patients out."""
        lists = (self.arms, self.sexes, self.subjects, self.covariates, self.centres, self.ranges)
        return any(lists)
