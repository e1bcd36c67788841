"""The six items of a unit on a slice, each with the pixels, the value and the limit that made it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.imaging.spine import UNITS
from models.sparcc.outlines import polygons_of
from models.sparcc.rule.bodies import Body, extent
from models.sparcc.rule.references import References
from models.sparcc.rule.settings import Settings
from models.sparcc.rule.stack import Stack
from models.sparcc.rule.units import Quadrant, quadrants_of

OEDEMA, INTENSITY, DEPTH = "oedema in a quadrant", "as bright as CSF", "1 cm deep and homogeneous"
UNIT_OF = {OEDEMA: "mm2", INTENSITY: "of the way from marrow to CSF", DEPTH: "mm"}


@dataclass(frozen=True)
class Point:
    """One item of a unit on a slice.

    site: ``L4L5.s2.UA``. grade: 0 or 1; None where it cannot be said, with why in ``reason``. rule: its name;
    value, threshold: what was measured against which limit, in ``UNIT_OF[rule]``. frame, place: the slice by
    index and by mm along the normal. pixels (n, 2): rows and columns of the lesion, of the region that was
    looked at where there is none. compared: what else the value rests on, by name.
    """

    site: str
    grade: int | None
    rule: str
    value: float
    threshold: float
    frame: int
    place: float
    pixels: np.ndarray
    area: float
    compared: dict[str, float | str]
    reason: str = ""

    @property
    def outline(self) -> tuple[tuple[float, float], ...]:
        """The outline (x, y) of the largest connected part of its pixels; empty where there are none."""
        if not len(self.pixels):
            return ()
        low = self.pixels.min(axis=0)
        mask = np.zeros(np.ptp(self.pixels, axis=0) + 1, np.uint8)
        mask[tuple((self.pixels - low).T)] = 1
        return tuple((x + float(low[1]), y + float(low[0])) for x, y in polygons_of(mask)[0])


@dataclass(frozen=True)
class _Lesion:
    """Oedema of one quadrant on a slice."""

    quadrant: Quadrant
    pixels: np.ndarray
    area: float


def points_of(stack: Stack, references: References, unit: str, number: int, frame: int) -> dict[str, Point]:
    """Item -> point of a unit on its slice ``number`` (1 to 3)."""
    prefix = f"{unit}.s{number}"
    place = float(stack.plane.places[frame])
    lesions = [_lesion(stack, frame, part) for part in quadrants_of(stack, unit, frame).values()]
    found = {}
    for lesion in lesions:
        has = lesion.area >= stack.settings.min_oedema
        found[lesion.quadrant.name] = Point(
            site=f"{prefix}.{lesion.quadrant.name}",
            grade=int(has),
            rule=OEDEMA,
            value=round(lesion.area, 3),
            threshold=stack.settings.min_oedema,
            frame=frame,
            place=place,
            pixels=lesion.pixels if has else lesion.quadrant.pixels,
            area=round(lesion.area, 3),
            compared={"body": lesion.quadrant.level},
        )
    counted = [lesion for lesion in lesions if lesion.area >= stack.settings.min_oedema]
    found["INT"] = _intense(stack, references, f"{prefix}.INT", frame, counted)
    found["DEP"] = _deep(stack, references, f"{prefix}.DEP", frame, counted)
    return found


def _lesion(stack: Stack, frame: int, quadrant: Quadrant) -> _Lesion:
    pixels = quadrant.pixels
    ill = pixels[stack.has_oedema(frame, pixels)]
    return _Lesion(quadrant, ill, len(ill) * stack.plane.pixel_area)


def _nothing(stack: Stack, site: str, frame: int, rule: str, threshold: float) -> Point:
    """An item that is 0 because no quadrant of its slice has oedema."""
    nowhere = np.empty((0, 2), dtype=int)
    place = float(stack.plane.places[frame])
    return Point(site, 0, rule, 0.0, threshold, frame, place, nowhere, 0.0, {"quadrant": "none has oedema"})


def _intense(stack: Stack, references: References, site: str, frame: int, lesions: list[_Lesion]) -> Point:
    """Whether the brightest part of a quadrant's oedema is as bright as CSF."""
    limit = stack.settings.as_bright
    if not lesions:
        return _nothing(stack, site, frame, INTENSITY, limit)
    points = [_brightness(stack, references, site, frame, lesion) for lesion in lesions]
    said = [point for point in points if point.grade is not None]
    if any(point.grade for point in said) or len(said) == len(points):
        return max(said, key=lambda point: point.value)
    return next(point for point in points if point.grade is None)


def _brightness(stack: Stack, references: References, site: str, frame: int, lesion: _Lesion) -> Point:
    level = lesion.quadrant.level
    marrow, csf = references.marrow(level), references.csf(level)
    place, limit = float(stack.plane.places[frame]), stack.settings.as_bright
    compared: dict[str, float | str] = {"quadrant": lesion.quadrant.name, "body": level}
    if isinstance(marrow, str) or isinstance(csf, str):
        why = marrow if isinstance(marrow, str) else csf
        return Point(
            site, None, INTENSITY, float("nan"), limit, frame, place, lesion.pixels, lesion.area, compared,
            str(why),
        )  # fmt: skip
    signal = stack.signal(frame, lesion.pixels)
    count = max(1, round(stack.settings.bright_area / stack.plane.pixel_area))
    brightest = np.argsort(-signal, kind="stable")[:count]
    mean = float(signal[brightest].mean())
    share = (mean - marrow.value) / (csf.value - marrow.value)
    compared |= {
        "signal": round(mean, 3),
        "CSF": round(csf.value, 3),
        "CSF behind": csf.level,
        "marrow": round(marrow.value, 3),
        "marrow of": marrow.level,
    }
    pixels = lesion.pixels[brightest]
    area = len(pixels) * stack.plane.pixel_area
    return Point(
        site, int(share >= limit), INTENSITY, round(share, 4), limit, frame, place, pixels, area, compared
    )


def _deep(stack: Stack, references: References, site: str, frame: int, lesions: list[_Lesion]) -> Point:
    """Whether homogeneous oedema reaches 1 cm from the end plate in a body of the unit."""
    limit = stack.settings.deep
    if not lesions:
        return _nothing(stack, site, frame, DEPTH, limit)
    of_body = {lesion.quadrant.level: lesion for lesion in lesions}
    points = [_depth(stack, references, site, frame, lesion) for lesion in of_body.values()]
    said = [point for point in points if point.grade is not None]
    if any(point.grade for point in said) or len(said) == len(points):
        return max(said, key=lambda point: (point.grade or 0, point.value))
    return next(point for point in points if point.grade is None)


def _depth(stack: Stack, references: References, site: str, frame: int, lesion: _Lesion) -> Point:
    """The depth of a body's oedema, from the unit's end plate to wherever it ends, on both sides."""
    level, body = lesion.quadrant.level, lesion.quadrant.body
    from_top = UNITS[site.split(".")[0]][1] == level
    ill = stack.has_oedema(frame, body.pixels)
    depth, inside, below = depth_of(body, ill, stack.plane.pixel_mm, stack.settings, from_top=from_top)
    pixels = body.pixels[inside] if inside.any() else lesion.pixels
    place, limit = float(stack.plane.places[frame]), stack.settings.deep
    area = len(pixels) * stack.plane.pixel_area
    compared: dict[str, float | str] = {"body": level}
    if depth < limit:
        return Point(site, 0, DEPTH, round(depth, 3), limit, frame, place, pixels, area, compared)
    marrow = references.marrow(level)
    if isinstance(marrow, str):
        nan = float("nan")
        return Point(site, None, DEPTH, nan, limit, frame, place, pixels, area, compared, marrow)
    even = _evenness(stack.signal(frame, pixels) - marrow.value, below[inside], stack.settings)
    compared |= {
        "homogeneity": round(even, 3),
        "homogeneous from": stack.settings.homogeneous,
        "marrow of": marrow.level,
    }
    grade = int(even >= stack.settings.homogeneous)
    return Point(site, grade, DEPTH, round(depth, 3), limit, frame, place, pixels, area, compared)


def depth_of(
    body: Body, ill: np.ndarray, pixel_mm: tuple[float, float], settings: Settings, *, from_top: bool
) -> tuple[float, np.ndarray, np.ndarray]:
    """How many mm from the end plate oedema reaches without a gap over a width of ``settings.deep_width``.

    ill (n,): the body's pixels with oedema. from_top: from the upper end plate. The end plate of a strip one
    pixel wide is where the body's mask ends there, so that a hollow plate counts as it lies. Returns the
    depth (0 where none begins at the plate), the pixels (n,) of the strips that have it, and how far (n,)
    each pixel of the body lies below the plate.
    """
    width, height = extent(body.anterior, pixel_mm), extent(body.cranial, pixel_mm)
    strip = np.floor((body.forward - body.forward.min()) / width).astype(int)
    down = -body.upward if from_top else body.upward
    plate = np.full(strip.max() + 1, np.inf)
    np.minimum.at(plate, strip, down)
    below = down - plate[strip] + height / 2
    reach = np.zeros(len(plate))
    for number in np.unique(strip[ill]):
        reach[number] = _reach(np.sort(below[ill & (strip == number)]), height, settings)
    wide = max(1, int(np.ceil(settings.deep_width / width - 1e-9)))
    if len(reach) < wide:
        return 0.0, np.zeros(len(ill), dtype=bool), below
    least = np.lib.stride_tricks.sliding_window_view(reach, wide).min(axis=1)
    depth = float(least.max())
    deep = np.flatnonzero(least >= min(depth, settings.deep) - 1e-9)
    strips = np.unique((deep[:, None] + np.arange(wide)).ravel())
    inside = ill & np.isin(strip, strips) & (below <= reach[strip] + 1e-9)
    return depth, inside & (depth > 0), below


def _evenness(above: np.ndarray, below: np.ndarray, settings: Settings) -> float:
    """The darkest layer of a deep lesion as a share of its brightest, both above marrow; 0 where none is.

    above (n,): signal of its pixels above marrow. below (n,): how far each lies below the end plate, whose
    own dark line is left out.
    """
    counted = (below >= settings.at_plate) & (below < settings.deep)
    layer = ((below[counted] - settings.at_plate) / settings.layer).astype(int)
    sums, counts = np.bincount(layer, above[counted]), np.bincount(layer)
    means = sums[counts > 0] / counts[counts > 0]
    return float(max(means.min(), 0.0) / means.max()) if means.max() > 0 else 0.0


def _reach(below: np.ndarray, height: float, settings: Settings) -> float:
    """The depth to which a strip's oedema goes on without a gap; 0 where it does not begin at the plate."""
    if below[0] - height / 2 > settings.at_plate:
        return 0.0
    gaps = np.flatnonzero(np.diff(below) > height + settings.bridged)
    last = below[gaps[0]] if len(gaps) else below[-1]
    return float(last + height / 2)
