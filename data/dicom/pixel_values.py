"""Stored pixel values to what a viewer and a scorer see: 16-bit grey with bone bright, or 8-bit colour.

Grey values keep the file's own steps where they fit into 16 bits: unsigned ones stay as they are, signed ones
are moved up by half their range, MONOCHROME1 is flipped within its range. A modality or VOI look-up table
is applied; a linear rescale is not (it would cost precision) but described, so that::

    value in the file's units = slope * (sign * grey + offset) + intercept
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels import apply_color_lut

from data.dicom.picture.padding import darken, is_padding
from data.dicom.read import Refusal, whole_number

Window = tuple[float, float]

UNREADABLE = "?"  # stands for a value that cannot be read; it is no number

LARGEST_RESCALE = 1e9  # of slope and intercept; beyond, a step of one grey value is lost in rounding
MIN_SHOWN = 0.01  # proportion of pixels that a window must leave between black and white


@dataclass
class Picture:
    """One frame, or all frames of an image, ready to be looked at.

    pixels: uint16 (rows, columns) or, for a colour image, uint8 (rows, columns, 3); several
    frames stand in front of that.
    window: (darkest, brightest) grey value to show first; from the file where it says, else from the picture.
    """

    pixels: np.ndarray
    window: Window
    window_source: str = "picture"  # file | look-up table | picture
    slope: float = 1.0
    intercept: float = 0.0
    sign: int = 1
    offset: float = 0.0
    turned_over: int | None = None  # brightest value, where pixels = brightest - stored values and no more
    warnings: list[str] = field(default_factory=list)

    @property
    def is_colour(self) -> bool:
        return self.pixels.dtype == np.uint8

    def description(self) -> dict[str, Any]:
        """Everything but the pixels and warnings, as JSON types."""
        return {
            "colour": self.is_colour,
            "window": list(self.window),
            "window_source": self.window_source,
            "slope": self.slope,
            "intercept": self.intercept,
            "sign": self.sign,
            "offset": self.offset,
        }


def to_picture(frame: np.ndarray, dataset: Dataset, *, several: bool = False) -> Picture:
    """One decoded frame (stored values, RGB where it has three samples) as a Picture.

    several: ``frame`` holds several, the number of the frame in front; they get one scale and one window.
    frame is left as it is. Raises Refusal where a colour table is missing or damaged.
    """
    if frame.ndim == 3 + several:
        grey = _grey_of_colour(frame)
        return _colour(frame, dataset) if grey is None else _grey(grey, dataset)
    if str(dataset.get("PhotometricInterpretation", "")) == "PALETTE COLOR":
        return _palette(frame, dataset)
    return _grey(frame, dataset)


def _grey_of_colour(frame: np.ndarray) -> np.ndarray | None:
    """The one channel of a picture whose three are equal: a grey film that was saved as colour."""
    for part in (frame[..., ::31, ::31, :], frame):  # most colour pictures are known by a few pixels
        if any((part[..., 0] != part[..., channel]).any() for channel in (1, 2)):
            return None
    return np.ascontiguousarray(frame[..., 0])


def _colour(frame: np.ndarray, dataset: Dataset) -> Picture:
    bits = whole_number(dataset.get("BitsStored")) or 8 * frame.dtype.itemsize
    shift = max(min(bits, 8 * frame.dtype.itemsize) - 8, 0)
    pixels = (frame >> shift).astype(np.uint8) if shift else frame.astype(np.uint8, copy=False)
    return Picture(pixels, (0.0, 255.0))


def _palette(frame: np.ndarray, dataset: Dataset) -> Picture:
    shallow = np.empty((*frame.shape, 3), np.uint8)
    places = list(np.ndindex(frame.shape[:-2]))  # one frame after the other: a cine has many
    try:
        colours = _colour_table(dataset)
        bits = int(dataset.RedPaletteColorLookupTableDescriptor[2])
        deep = bits > 8 or any(int(apply_color_lut(frame[place], colours).max()) > 255 for place in places)
        for place in places:
            table = apply_color_lut(frame[place], colours)
            shallow[place] = table >> 8 if deep else table
    except Exception as error:  # descriptors may be missing, short or contradict their data
        raise Refusal("the colour table of the picture is missing or damaged") from error
    return Picture(shallow, (0.0, 255.0))


def _colour_table(dataset: Dataset) -> Dataset:
    """The data set with its colour tables in little endian: apply_color_lut takes plain ones as such."""
    little_endian = getattr(dataset, "original_encoding", (None, True))[1] is not False
    if little_endian or "SegmentedRedPaletteColorLookupTableData" in dataset:
        return dataset
    copy = Dataset({element.tag: element for element in dataset if element.tag.group == 0x0028})
    for colour in ("Red", "Green", "Blue"):
        keyword = f"{colour}PaletteColorLookupTableData"
        swapped = np.frombuffer(dataset[keyword].value, ">u2").astype("<u2").tobytes()
        copy.add_new(dataset[keyword].tag, "OW", swapped)
    return copy


def _grey(frame: np.ndarray, dataset: Dataset) -> Picture:
    picture = Picture(frame, (0.0, 0.0))
    values = frame.astype(frame.dtype.newbyteorder("="), copy=False)
    padding = is_padding(values, dataset)
    values, has_table = _apply_modality_table(values, dataset, picture)
    values, has_voi_table = _apply_voi_table(values, dataset, picture)
    signed = values.dtype.kind == "i" and not (has_table or has_voi_table)
    is_inverted = (str(dataset.get("PhotometricInterpretation", "")) == "MONOCHROME1") != (picture.slope < 0)
    if padding is not None:
        values = darken(values, padding, is_inverted=is_inverted)
    picture.pixels, brightest = _to_uint16(values, _bits(dataset, values), signed, picture)
    is_as_stored = picture.pixels is frame
    if is_inverted:
        _turn_over(picture, brightest)
        picture.turned_over = brightest if is_as_stored else None
    if has_voi_table:
        picture.window, picture.window_source = (0.0, float(picture.pixels.max(initial=1))), "look-up table"
    else:
        _choose_window(picture, dataset, padding)
    return picture


def _bits(dataset: Dataset, values: np.ndarray) -> int:
    """Bits that the values use: those stored, or more where a value is larger than they allow."""
    stored = whole_number(dataset.get("BitsStored")) or 8 * values.dtype.itemsize
    needed = int(values.max(initial=0)).bit_length() if values.dtype.kind in "iu" else 16
    return max(stored, needed)


def _apply_modality_table(values: np.ndarray, dataset: Dataset, picture: Picture) -> tuple[np.ndarray, bool]:
    table = first_item(dataset, "ModalityLUTSequence")
    if table is not None:
        looked_up = _look_up(values, table)
        if looked_up is not None:
            return looked_up, True
        picture.warnings.append("the modality look-up table is damaged and was left out")
    picture.slope = _rescale(dataset, "RescaleSlope", 1.0, picture)
    picture.intercept = _rescale(dataset, "RescaleIntercept", 0.0, picture)
    if picture.slope == 0:
        picture.slope = 1.0
        picture.warnings.append("the rescale slope is 0 and was left out")
    return values, False


def _rescale(dataset: Dataset, keyword: str, default: float, picture: Picture) -> float:
    """The slope or intercept of the file's units; the default, with a warning, where it cannot be used."""
    group, name = "PixelValueTransformationSequence", f"the rescale {keyword.removeprefix('Rescale').lower()}"
    stated = functional(dataset, group, keyword)
    value = number(stated)
    if stated in (None, ""):
        return default
    if not abs(value) <= LARGEST_RESCALE:
        picture.warnings.append(f"{name} cannot be right and was left out")
        return default
    if len({str(own) for own in functional_of_frames(dataset, group, keyword)}) > 1:
        picture.warnings.append(
            f"{name} is not the same for all frames; grey values of frames do not compare"
        )
    return value


def _apply_voi_table(values: np.ndarray, dataset: Dataset, picture: Picture) -> tuple[np.ndarray, bool]:
    table = first_item(dataset, "VOILUTSequence")
    if table is None:
        return values, False
    inputs = values
    if (picture.slope, picture.intercept) != (1.0, 0.0):
        inputs = np.rint(values * picture.slope + picture.intercept).astype(np.int64)
    looked_up = _look_up(inputs, table)
    if looked_up is None:
        picture.warnings.append("the VOI look-up table is damaged and was left out")
        return values, False
    picture.slope, picture.intercept = 1.0, 0.0
    return looked_up, True


def _look_up(values: np.ndarray, table: Dataset) -> np.ndarray | None:
    """The values through a look-up table (PS3.3 C.11.1.1), uint16; None where it cannot be used."""
    descriptor, data = table.get("LUTDescriptor"), table.get("LUTData")
    if descriptor is None or data is None or len(descriptor) != 3:
        return None
    entries = int(descriptor[0]) or 65536
    first = int(descriptor[1])
    if values.dtype.kind == "i" and first > 32767:  # read as unsigned though the values are signed
        first -= 65536
    lut = _lut_data(data, entries)
    if lut is None:
        return None
    return lut[np.clip(values.astype(np.int64) - first, 0, entries - 1)]


def _lut_data(data: Any, entries: int) -> np.ndarray | None:
    if isinstance(data, bytes):
        width = len(data) // entries
        if width not in (1, 2):
            return None
        return np.frombuffer(data[: entries * width], dtype=np.uint8 if width == 1 else "<u2").astype(
            np.uint16
        )
    numbers = np.atleast_1d(np.asarray(data)).astype(np.int64) & 0xFFFF
    return numbers[:entries].astype(np.uint16) if len(numbers) >= entries else None


def _to_uint16(values: np.ndarray, bits: int, signed: bool, picture: Picture) -> tuple[np.ndarray, int]:
    """Grey values, and the brightest one that their bits allow."""
    if values.dtype.kind == "f" or bits > 16:
        return _squeeze(values, picture), 65535
    if not signed:
        return values.astype(np.uint16, copy=False), (1 << bits) - 1
    half = 1 << (bits - 1)
    if int(values.min(initial=0)) < -half or int(values.max(initial=0)) >= half:
        half = 1 << 15
    picture.offset = -float(half)
    return (values.astype(np.int32) + half).astype(np.uint16), 2 * half - 1


def _squeeze(values: np.ndarray, picture: Picture) -> np.ndarray:
    """Values of more than 16 bits, or floating ones, spread over 16 bits."""
    finite = np.where(np.isfinite(values), values, 0.0).astype(np.float64)
    low, high = float(finite.min(initial=0.0)), float(finite.max(initial=0.0))
    step = (high - low) / 65535 or 1.0
    picture.intercept += picture.slope * low
    picture.slope *= step
    return np.rint((finite - low) / step).astype(np.uint16)


def _turn_over(picture: Picture, brightest: int) -> None:
    """Make bright dark and dark bright."""
    picture.pixels = np.subtract(np.uint16(brightest), picture.pixels, dtype=np.uint16)
    picture.sign, picture.offset = -1, picture.offset + brightest


def _choose_window(picture: Picture, dataset: Dataset, padding: np.ndarray | None) -> None:
    """The file's first window in grey values where it shows anything, else the middle 99% of the picture."""
    sample = _sample(picture.pixels, padding)
    low, high = np.percentile(sample, (0.5, 99.5)) if sample.size else (0.0, 1.0)
    stated = [
        functional(dataset, "FrameVOILUTSequence", keyword) for keyword in ("WindowCenter", "WindowWidth")
    ]
    centre, width = (number(_first(value)) for value in stated)
    if np.isfinite(centre) and np.isfinite(width) and width >= 1:
        edges = [
            ((value - picture.intercept) / picture.slope - picture.offset) * picture.sign
            for value in (centre - width / 2, centre + width / 2)
        ]
        if min(edges) < high and max(edges) > low and _shows(sample, min(edges), max(edges)):
            picture.window, picture.window_source = (min(edges), max(edges)), "file"
            return
        picture.warnings.append("the file's window shows nothing of the picture and was left out")
    elif any(value not in (None, "") for value in stated):
        picture.warnings.append("the file's window cannot be used and was left out")
    picture.window = (float(low), float(max(high, low + 1)))


def _sample(pixels: np.ndarray, padding: np.ndarray | None) -> np.ndarray:
    """Some grey values of the picture, without padding."""
    step = 17 if pixels.size > 1 << 20 else 3
    sample = pixels[..., ::step, ::step]
    if padding is None:
        return sample
    return sample[~padding[..., ::step, ::step]]


def _shows(sample: np.ndarray, darkest: float, brightest: float) -> bool:
    """Whether a window leaves more than single pixels between its black and its white."""
    return float(((sample > darkest) & (sample < brightest)).mean()) >= MIN_SHOWN


def brightness_of(colour: np.ndarray) -> np.ndarray:
    """Luminance of 8-bit RGB (Rec. 601), spread over 16 bits, of one frame after the other."""
    brightness = np.empty(colour.shape[:-1], np.uint16)
    for place in np.ndindex(colour.shape[:-3]):
        brightness[place] = np.rint(colour[place] @ np.array([0.299, 0.587, 0.114]) * 257)
    return brightness


def functional(dataset: Dataset, group: str, keyword: str) -> Any:
    """A value of the data set, or of the functional groups of an enhanced file (there of its first frame)."""
    value = header_value(dataset, keyword)
    if value not in (None, ""):
        return value
    for name in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        shared = first_item(dataset, name)
        item = first_item(shared, group) if shared is not None else None
        if item is not None and keyword in item:
            return header_value(item, keyword)
    return None


def header_value(dataset: Dataset, keyword: str) -> Any:
    """A value of the header; ``UNREADABLE`` where it is there and is not what its kind allows."""
    try:
        return dataset.get(keyword)
    except Exception:  # a number that is none, a length that does not fit: it fails on access, in many ways
        return UNREADABLE


def functional_of_frames(dataset: Dataset, group: str, keyword: str) -> list[Any]:
    """The values that single frames of an enhanced file have of their own, in their order."""
    try:
        frames = list(dataset.get("PerFrameFunctionalGroupsSequence") or [])
    except Exception:  # a damaged sequence fails on access, in many ways
        return []
    items = [first_item(frame, group) for frame in frames]
    values = [None if item is None else header_value(item, keyword) for item in items]
    return [value for value in values if value not in (None, "")]


def first_item(dataset: Dataset, keyword: str) -> Dataset | None:
    try:
        sequence = dataset.get(keyword)
        return sequence[0] if sequence else None
    except Exception:  # a damaged sequence fails on access, in many ways
        return None


def _first(value: Any) -> Any:
    """The first of several values (pydicom gives a single value bare)."""
    several = isinstance(value, list | tuple) or type(value).__name__ == "MultiValue"
    return (value[0] if len(value) else None) if several else value


def number(value: Any, missing: float = float("nan")) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return missing
