"""What a film shows: modality, body part, view and laterality, each with its source and how sure we are.

Consoles preset the body part, so that tags are often wrong (15% of body parts in Güld et al. 2002, Proc SPIE
4685:280) or missing. So every hint votes with its own weight (``votes``).
Below ``SURE_ENOUGH`` the value stays a guess in the record and the column of the store stays empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from data.dicom.pixel_values import first_item, functional, functional_of_frames
from data.dicom.read import sop_class_name
from data.dicom.ultrasound.shown import body_part_hints, view_of
from data.dicom.votes import Hint, hints_from_text, settle

SURE_ENOUGH = 0.5
UNSURE = 0.45  # at most, of a value that the header contradicts
PARTS = ("modality", "body_part", "view", "laterality")
PROJECTION = ("CR", "DX", "DR", "RG", "XR", "MG", "XA", "RF")

# word patterns in text without accents, lower case; the first of a list that matches counts
_BODY_WORDS = (
    ("sacroiliac joints", r"sacro ?iliac\w*|si ?joints?|sij|isg|iliosakral\w*|sacro ?iliaques?"),
    ("cervical spine", r"c ?spine|cervical\w*|hws|halswirbel\w*|cerv"),
    ("lumbar spine", r"l ?s? ?spine|lumb\w*|lws|lendenwirbel\w*|lombaires?|lombo ?sacre\w*"),
    ("thoracic spine", r"t ?spine|thoracic spine|dorsal spine|bws|brustwirbel\w*|rachis dorsal|dorsales?"),
    ("spine", r"spine|spinal|wirbelsaule|rachis|columna|colonna|whole ?spine"),
    ("hand", r"hands?|hande?|finger\w*|thumbs?|mains?|manos?|mano|mcp|pip"),
    ("wrist", r"wrists?|handgelenk\w*|poignets?|carpus|carpal|muneca"),
    ("foot", r"foot|feet|forefoot|vorfuss|fuss\w*|pieds?|pies?|toes?|mtp"),
    ("ankle", r"ankles?|sprunggelenk\w*|chevilles?|osg"),
    ("knee", r"knees?|knie\w*|genoux?|rodillas?"),
    ("hip", r"hips?|hufte?n?|hanches?"),
    ("pelvis", r"pelvis|pelvic|becken\w*|bassin"),
    ("shoulder", r"shoulders?|schulter\w*|epaules?|hombros?"),
    ("elbow", r"elbows?|ellenbogen|coudes?|codos?"),
    ("chest", r"chest|thorax|lungs?|breast"),
    ("abdomen", r"abdomen|abdominal|liver|pancreas|leber"),
    ("neck", r"neck"),
    ("head", r"head|skull|brain|schadel|crane|cranial"),
    ("heart", r"heart|cardiac|echocardiogram|transesophageal"),
    ("lower leg", r"tibia\w*|fibula\w*|lower leg|unterschenkel"),
    ("whole body", r"whole ?body"),
)
_VIEW_WORDS = (
    ("oblique", r"obl\w*|schrag\w*|norgaard"),
    ("lateral", r"lat|lateral\w*|seitl\w*|profil|cross ?table|flexion|extension"),
    ("ap", r"a ?p|antero ?posterior|anteroposterior|frontal|face"),
    ("pa", r"p ?a|postero ?anterior|posteroanterior|dorso ?palmar|dorso ?volar|dp"),
    ("sagittal", r"sag\w*"),
    ("coronal", r"cor|coronal\w*"),
    ("axial", r"ax|axial\w*|transvers\w*|tra"),
)
_SIDE_WORDS = (
    ("B", r"both|bilat\w*|beide\w*|bds|bilateral\w*"),
    ("R", r"right|rechts?|re(?! ?(?:take|do|peat|exam|shoot|check))|rt|droite?s?|derech\w+|dcha?|r"),
    ("L", r"left|links?|li|lt|gauches?|izquierd\w+|izq|izda?|l"),
)
_BODY_CODES = {
    "CSPINE": "cervical spine", "CTSPINE": "cervical spine", "TSPINE": "thoracic spine",
    "TLSPINE": "lumbar spine", "LSPINE": "lumbar spine", "LSSPINE": "lumbar spine",
    "LUMBARSPINE": "lumbar spine",
    "CERVICALSPINE": "cervical spine", "SSPINE": "spine", "SPINE": "spine", "WHOLESPINE": "spine",
    "SIJOINT": "sacroiliac joints", "SACROILIAC": "sacroiliac joints", "PELVIS": "pelvis", "HIP": "hip",
    "HAND": "hand", "HANDS": "hand", "FINGER": "hand", "THUMB": "hand", "WRIST": "wrist", "FOOT": "foot",
    "FEET": "foot", "TOE": "foot", "ANKLE": "ankle", "KNEE": "knee", "SHOULDER": "shoulder", "ELBOW": "elbow",
    "CHEST": "chest", "ABDOMEN": "abdomen", "PANCREAS": "abdomen", "LIVER": "abdomen", "NECK": "neck",
    "HEAD": "head", "SKULL": "head", "BRAIN": "head", "HEART": "heart", "BREAST": "chest",
    "WHOLEBODY": "whole body", "EXTREMITY": "extremity", "LEG": "lower leg", "ARM": "arm", "HEADNECK": "neck",
}  # fmt: skip
_VIEW_CODES = {
    "AP": "ap", "PA": "pa", "LL": "lateral", "RL": "lateral", "LAT": "lateral", "LATERAL": "lateral",
    "LLD": "ap", "RLD": "ap", "LLO": "oblique", "RLO": "oblique", "LAO": "oblique", "RAO": "oblique",
    "LPO": "oblique", "RPO": "oblique", "OBLIQUE": "oblique",
}  # fmt: skip
_TEXT_WEIGHTS = (
    ("ProtocolName", 0.75),
    ("SeriesDescription", 0.75),
    ("AcquisitionDeviceProcessingDescription", 0.6),
    ("PerformedProcedureStepDescription", 0.6),
    ("RequestedProcedureDescription", 0.55),
    ("StudyDescription", 0.6),
    ("ImageComments", 0.4),
)
_MODALITIES = frozenset(
    {
        *PROJECTION,
        "US",
        "MR",
        "CT",
        "NM",
        "PT",
        "BMD",
        "OP",
        "OPT",
        "ES",
        "XC",
        "GM",
        "SM",
        "IO",
        "PX",
        "RTIMAGE",
    }
)
_SIDE_TAGS = {"ImageLaterality": 0.9, "Laterality": 0.85, "FrameLaterality": 0.85}
_SPINE_LEVELS = ("cervical spine", "thoracic spine", "lumbar spine")


@dataclass(frozen=True)
class Classified:
    """The four values (``""`` where not sure enough) and the record of how each was found, as JSON types.

    warnings: what contradicts itself in the header, in plain words.
    """

    modality: str
    body_part: str
    view: str
    laterality: str
    record: dict[str, dict[str, Any]]
    warnings: tuple[str, ...] = ()


def classify(dataset: Dataset, frame: np.ndarray | None = None) -> Classified:
    """Modality (a DICOM code such as DX), body part and view (plain words), laterality (L, R or B).

    frame: one decoded frame, used only where tags leave the modality open.
    """
    modality = _settle(_modality_hints(dataset, frame))
    is_ultrasound = modality["value"] == "US"
    body = _settle(_body_of_scan(dataset) if is_ultrasound else _body_hints(dataset))
    view = view_of(dataset) if is_ultrasound else _settle(_view_hints(dataset, str(modality["value"])))
    side, warnings = _settle_side(list(_side_hints(dataset, str(body["value"]))))
    record = dict(zip(PARTS, (modality, body, view, side), strict=True))
    sure = {part: _if_sure(record[part]) for part in PARTS}
    return Classified(**sure, record=record, warnings=warnings)


def _if_sure(settled: dict[str, Any]) -> str:
    return str(settled["value"]) if settled["confidence"] >= SURE_ENOUGH else ""


def _settle(hints: Iterable[Hint]) -> dict[str, Any]:
    """The best supported value, after general words have taken the meaning of specific ones."""
    return settle(_specific(list(hints)))


def _specific(hints: list[Hint]) -> list[Hint]:
    """'Spine' counts half for its level where one level is named, 'extremity' for the one limb named."""
    levels = {hint.value for hint in hints if hint.value in _SPINE_LEVELS}
    limbs = {
        hint.value for hint in hints if hint.value in {"hand", "wrist", "foot", "ankle", "knee", "lower leg"}
    }
    renamed = {}
    if len(levels) == 1:
        renamed["spine"] = levels.pop()
    if len(limbs) == 1:
        renamed["extremity"] = limbs.pop()
    return [
        replace(hint, value=renamed[hint.value], weight=hint.weight / 2) if hint.value in renamed else hint
        for hint in hints
    ]


def _modality_hints(dataset: Dataset, frame: np.ndarray | None) -> Iterator[Hint]:
    tag = _code(dataset.get("Modality"))
    name = sop_class_name(dataset)
    if tag in _MODALITIES:
        yield Hint(tag, "Modality", 0.9)
    for word, modality in _SOP_MODALITIES:
        if word in name:
            same_kind = tag in PROJECTION and modality in PROJECTION  # CR, DX and the like are used at will
            yield Hint(tag if same_kind else modality, "SOPClassUID", 0.85)
            break
    if tag not in _MODALITIES:
        yield from _modality_from_acquisition(dataset, frame)


_SOP_MODALITIES = (
    ("Ultrasound", "US"),
    ("MR Image", "MR"),
    ("MR Color", "MR"),
    ("CT Image", "CT"),
    ("Computed Radiography", "CR"),
    ("Digital X-Ray", "DX"),
    ("X-Ray", "XA"),
    ("Positron", "PT"),
    ("Nuclear", "NM"),
)


def _modality_from_acquisition(dataset: Dataset, frame: np.ndarray | None) -> Iterator[Hint]:
    if "SequenceOfUltrasoundRegions" in dataset or "TransducerData" in dataset:
        yield Hint("US", "acquisition tags", 0.8)
    if "EchoTime" in dataset or "RepetitionTime" in dataset:
        yield Hint("MR", "acquisition tags", 0.8)
    if "KVP" in dataset and "SliceThickness" in dataset:
        yield Hint("CT", "acquisition tags", 0.7)
    elif "KVP" in dataset or "ImagerPixelSpacing" in dataset or "PlateType" in dataset:
        yield Hint("DX", "acquisition tags", 0.7)
    if frame is not None and _looks_like_ultrasound(frame):
        yield Hint("US", "pixels", 0.35)


def _looks_like_ultrasound(frame: np.ndarray) -> bool:
    """True for 8-bit RGB, mostly black and grey with a little colour, as a Doppler box on B-mode is."""
    if frame.ndim != 3 or frame.dtype != np.uint8:
        return False
    sample = frame[::4, ::4].astype(np.int16)
    spread = sample.max(axis=2) - sample.min(axis=2)
    dark, coloured = float((sample.max(axis=2) < 24).mean()), float((spread > 40).mean())
    return dark > 0.35 and coloured < 0.3


def _body_hints(dataset: Dataset) -> Iterator[Hint]:
    region = first_item(dataset, "AnatomicRegionSequence")
    if region is not None:
        yield from hints_from_text(region.get("CodeMeaning"), _BODY_WORDS, "AnatomicRegionSequence", 0.9)
    tag = _code(dataset.get("BodyPartExamined"))
    if tag:
        known = _BODY_CODES.get(re.sub(r"[^A-Z]", "", tag))
        in_words = list(hints_from_text(tag, _BODY_WORDS, "BodyPartExamined", 0.7))
        if known:
            yield Hint(known, "BodyPartExamined", 0.8)
        elif in_words:
            yield from in_words
    for keyword, weight in _TEXT_WEIGHTS:
        yield from hints_from_text(dataset.get(keyword), _BODY_WORDS, keyword, weight)


def _body_of_scan(dataset: Dataset) -> Iterator[Hint]:
    """Of ultrasound, where "dorsal" is a side of a joint, and joints are named rather than body parts."""
    yield from (hint for hint in _body_hints(dataset) if hint.value != "thoracic spine")
    yield from body_part_hints(dataset)


def _view_hints(dataset: Dataset, modality: str) -> Iterator[Hint]:
    plane = _plane(dataset)
    if plane:
        yield Hint(plane, "ImageOrientationPatient", 0.95)
    code = first_item(dataset, "ViewCodeSequence")
    if code is not None:
        yield from hints_from_text(code.get("CodeMeaning"), _VIEW_WORDS, "ViewCodeSequence", 0.9)
    tag = _code(dataset.get("ViewPosition"))
    if tag:
        known = _VIEW_CODES.get(tag)
        if known:
            yield Hint(known, "ViewPosition", 0.85)
        else:
            yield from hints_from_text(tag, _VIEW_WORDS, "ViewPosition", 0.7)
    if modality in PROJECTION or not modality:
        yield from _projection_geometry(dataset)
    for keyword, weight in _TEXT_WEIGHTS:
        yield from hints_from_text(dataset.get(keyword), _VIEW_WORDS, keyword, weight)


def _projection_geometry(dataset: Dataset) -> Iterator[Hint]:
    """Patient orientation and tube angle: rows that run to anterior or posterior belong to a lateral film."""
    orientation = dataset.get("PatientOrientation")
    first = _code(orientation[0]) if orientation and not isinstance(orientation, str) else ""
    if first[:1] in {"A", "P"}:
        yield Hint("lateral", "PatientOrientation", 0.6)
    try:
        angle = abs(float(str(dataset.get("PositionerPrimaryAngle"))))
    except (TypeError, ValueError):
        return
    if 75 <= angle <= 105:
        yield Hint("lateral", "PositionerPrimaryAngle", 0.6)


def _plane(dataset: Dataset) -> str:
    """Sagittal, coronal or axial by the direction cosines; ``""`` without them or 35 degrees off."""
    cosines = functional(dataset, "PlaneOrientationSequence", "ImageOrientationPatient")
    try:
        values = np.array([float(value) for value in cosines], dtype=float)
        normal = np.cross(values[:3], values[3:6])
    except (TypeError, ValueError):
        return ""
    length = float(np.linalg.norm(normal))
    if length < 0.5:
        return ""
    axis = int(np.argmax(np.abs(normal)))
    return ("sagittal", "coronal", "axial")[axis] if abs(normal[axis]) / length > 0.82 else ""


def _settle_side(hints: list[Hint]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The side, and a warning where the header names another one as well: then no side is sure.

    Words for both sides contradict no tag and no words for one: a study of both hands has films of each.
    """
    tagged = {hint.value for hint in hints if hint.source in _SIDE_TAGS}
    named = {hint.value for hint in hints if hint.source not in _SIDE_TAGS and not hint.is_one_of_several}
    if (tagged | named) - {"B"}:
        named -= {"B"}
        hints = [hint for hint in hints if hint.value != "B" or hint.source in _SIDE_TAGS]
    settled = _settle(hints)
    if len(tagged | named) < 2:
        return settled, ()
    says = dict.fromkeys(f"{hint.source} {hint.value}" for hint in hints if not hint.is_one_of_several)
    settled["confidence"] = min(float(settled["confidence"]), UNSURE)
    warning = f"the header contradicts itself about the side ({', '.join(says)}); no side was taken"
    return settled, (warning,)


def _side_hints(dataset: Dataset, body_part: str) -> Iterator[Hint]:
    for keyword, weight in _SIDE_TAGS.items():
        own = [functional(dataset, "FrameAnatomySequence", keyword)]
        for value in dict.fromkeys(
            _code(side) for side in own + functional_of_frames(dataset, "FrameAnatomySequence", keyword)
        ):
            if value in {"L", "R", "B"}:
                yield Hint(value, keyword, weight)
    if body_part in (*_SPINE_LEVELS, "spine"):
        return  # "right" in the description of a spine film names the marker or the side of the tube
    region = first_item(dataset, "AnatomicRegionSequence")
    if region is not None:
        yield from hints_from_text(region.get("CodeMeaning"), _SIDE_WORDS, "AnatomicRegionSequence", 0.7)
        modifier = first_item(region, "AnatomicRegionModifierSequence")
        if modifier is not None:
            meaning = modifier.get("CodeMeaning")
            yield from hints_from_text(meaning, _SIDE_WORDS, "AnatomicRegionModifierSequence", 0.8)
    yield from hints_from_text(dataset.get("BodyPartExamined"), _SIDE_WORDS, "BodyPartExamined", 0.7)
    if _code(dataset.get("ViewPosition")) not in _VIEW_CODES:
        yield from hints_from_text(dataset.get("ViewPosition"), _SIDE_WORDS, "ViewPosition", 0.6)
    for keyword, weight in _TEXT_WEIGHTS:
        yield from hints_from_text(dataset.get(keyword), _SIDE_WORDS, keyword, weight)


def _code(value: object) -> str:
    return str(value or "").strip().upper()
