"""Which joint an ultrasound picture shows, in which mode and view: each with its source and how sure we are.

Tags and descriptions vote (``data.dicom.votes``), and so do the pixels for the mode: coloured flow. Machines
have no tag for a finger joint, so that it is mostly a word somebody typed; a picture that no word names has
no joint until a person states it (a map file with the columns joint, side, mode, view).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from core.domain import Image
from core.imaging.ultrasound import mode_by_colour
from core.imaging.ultrasound.terms import JOINTS
from data.dicom.pixel_values import brightness_of, first_item, header_value
from data.dicom.read import whole_number
from data.dicom.ultrasound.areas import areas_of, as_json
from data.dicom.ultrasound.words import MODE_WORDS, PLANE_WORDS, SURFACE_WORDS, joints_in
from data.dicom.votes import Hint, hints_from_text, plain, settle

SURE_ENOUGH = 0.5
_STUDY = 0.45  # of words about the whole examination: not enough alone
TEXTS = (
    ("SeriesDescription", 0.8),
    ("ProtocolName", 0.75),
    ("ImageComments", 0.7),
    ("PerformedProcedureStepDescription", _STUDY),
    ("RequestedProcedureDescription", _STUDY),
    ("StudyDescription", _STUDY),
)
_PRESET = 0.45  # of a body part, which is that of the preset: not enough alone
_POWER, _COLOUR, _PLAIN = 0x0100, 0x0010, 0x0001  # of the fourth value of ImageType (PS3.3, C.8.5.6.1.1)


@dataclass(frozen=True)
class Shown:
    """Columns of the table ``image``, and the record of how each value was found, as JSON types."""

    columns: dict[str, Any] = field(default_factory=dict)
    record: dict[str, dict[str, Any]] = field(default_factory=dict)


NOTHING = Shown({"joint": None, "mode": None, "areas": None})


def shown_in(dataset: Dataset, modality: str, pixels: np.ndarray) -> Shown:
    """What a file of ultrasound shows; ``NOTHING`` of others.

    pixels: some of its frames as a viewer shows them, (frames, rows, columns) or with three colours behind.
    """
    if modality != "US":
        return NOTHING
    joint, view = settle(joint_hints(dataset)), view_of(dataset)
    mode = settle([*_mode_hints(dataset), *_mode_of_pixels(dataset, pixels)])
    columns = {
        "joint": _sure(joint),
        "mode": _sure(mode),
        "view": _sure(view),
        "areas": as_json(areas_of(dataset)),
    }
    found = {"joint": joint, "mode": mode, "view": view}
    return Shown(columns, {name: one for name, one in found.items() if one["value"]})


def _sure(settled: Mapping[str, Any]) -> str | None:
    return str(settled["value"]) or None if settled["confidence"] >= SURE_ENOUGH else None


def joint_hints(dataset: Dataset) -> Iterator[Hint]:
    """Joints that the header names; a text that names several says little of each."""
    region = first_item(dataset, "AnatomicRegionSequence")
    if region is not None:
        yield from _named(region.get("CodeMeaning"), "AnatomicRegionSequence", 0.9)
    for keyword, weight in TEXTS:
        yield from _named(header_value(dataset, keyword), keyword, weight)
    yield from _named(header_value(dataset, "BodyPartExamined"), "BodyPartExamined", _PRESET)


def _named(text: object, source: str, weight: float) -> Iterator[Hint]:
    found = joints_in(plain(text))
    for joint in found[:4]:
        several = len(found) > 1
        yield Hint(joint, source, weight / (2 * len(found) - 1) if several else weight, several)


def body_part_hints(dataset: Dataset) -> Iterator[Hint]:
    """The part of the body that the named joints belong to."""
    for hint in joint_hints(dataset):
        yield Hint(JOINTS[hint.value], f"{hint.source} (joint)", hint.weight, hint.is_one_of_several)


def view_of(dataset: Dataset) -> dict[str, Any]:
    """Surface and plane, as far as each is named: ``dorsal longitudinal``, ``volar``, ``transverse``."""
    parts = [
        settle(hint for source, text, weight in _texts(dataset)
               for hint in hints_from_text(text, words, source, weight))
        for words in (SURFACE_WORDS, PLANE_WORDS)
    ]  # fmt: skip
    sure = [part for part in parts if part["confidence"] >= SURE_ENOUGH]
    if not sure:
        return {"value": "", "source": "", "confidence": 0.0}
    return {
        "value": " ".join(str(part["value"]) for part in sure),
        "source": " + ".join(dict.fromkeys(str(part["source"]) for part in sure)),
        "confidence": min(float(part["confidence"]) for part in sure),
    }


def _texts(dataset: Dataset) -> Iterator[tuple[str, object, float]]:
    code = first_item(dataset, "ViewCodeSequence")
    if code is not None:
        yield "ViewCodeSequence", code.get("CodeMeaning"), 0.9
    for keyword, weight in (*TEXTS, ("ViewPosition", 0.7)):
        yield keyword, header_value(dataset, keyword), weight


def _mode_hints(dataset: Dataset) -> Iterator[Hint]:
    for keyword, weight in TEXTS:
        hints = list(hints_from_text(header_value(dataset, keyword), MODE_WORDS, keyword, weight))
        yield from (hint for hint in hints if hint.value == "PD" or len(hints) == 1)
    yield from _of_image_type(dataset)
    colour = whole_number(header_value(dataset, "UltrasoundColorDataPresent"))
    if colour is not None:
        yield Hint("PD" if colour else "B", "UltrasoundColorDataPresent", 0.5)
    if any(area.kind == "doppler" for area in areas_of(dataset)):
        yield Hint("PD", "SequenceOfUltrasoundRegions", 0.7)


def _of_image_type(dataset: Dataset) -> Iterator[Hint]:
    kinds = header_value(dataset, "ImageType")
    fourth = (
        str(kinds[3]).strip() if kinds is not None and not isinstance(kinds, str) and len(kinds) > 3 else ""
    )
    try:
        bits = int(fourth, 16) if len(fourth) == 4 else 0
    except ValueError:
        return
    if bits & (_POWER | _COLOUR):
        yield Hint("PD", "ImageType", 0.8 if bits & _POWER else 0.7)
    elif bits & _PLAIN:
        yield Hint("B", "ImageType", 0.7)


def _mode_of_pixels(dataset: Dataset, pixels: np.ndarray) -> Iterator[Hint]:
    """Flow that is seen says Doppler. Without colour it is grey scale, or Doppler without any signal."""
    is_colour = pixels.dtype == np.uint8
    if not is_colour:
        yield Hint("B", "pixels", 0.45)
        return
    image = Image("", brightness_of(pixels), colour=pixels, areas=areas_of(dataset))
    if mode_by_colour(image):
        yield Hint("PD", "pixels", 0.8)
    else:
        yield Hint("B", "pixels", 0.3)
