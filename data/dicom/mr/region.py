"""Which part of the spine a stack of MRI shows, by its tags; ``""`` where that is not certain enough.

Words of the series count before those of the study, which is often ordered for more than one region. The
field of view alone says nothing: it only shows that a region that was named cannot be right, or that a spine
without a region is shown whole.
"""

from __future__ import annotations

import re
from typing import Any

from pydicom.dataset import Dataset

from core.imaging import sequences as names
from data.dicom.pixel_values import header_value
from data.dicom.votes import Hint, plain, settle

OF_SERIES = (("SeriesDescription", 0.75), ("ProtocolName", 0.7), ("BodyPartExamined", 0.8))
OF_STUDY = (
    ("PerformedProcedureStepDescription", 0.6),
    ("RequestedProcedureDescription", 0.55),
    ("StudyDescription", 0.6),
)
ELSEWHERE = "not the spine"
WHOLE_FROM_MM = 450.0
SPANS_MM = {  # heights of the picture that a region can have
    names.CERVICAL: (140.0, 420.0),
    names.THORACIC: (180.0, 500.0),
    names.LUMBAR: (160.0, 500.0),
    names.WHOLE: (380.0, 1200.0),
}
UNLIKELY = 0.45  # at most, of a region that other words or the field of view contradict

_WHOLE = (
    r"(?:whole|total|entire|complete|full) ?(?:body )?spine|holo ?spine|ganz\w* ?wirbel\w*|gws"
    r"|spine ?(?:whole|total)|ctl ?spine|rachis (?:entier|complet)|colonne (?:entiere|complete)"
)
_LEVELS = (
    (names.CERVICAL, r"c ?spine|cspine|cervical\w*|hws|halswirbel\w*|cerv|csp"),
    (names.THORACIC, r"t ?spine|tspine|thoracic|thorakal\w*|bws|brustwirbel\w*|dorsal|thor|thoracal\w*|tsp"),
    (names.LUMBAR, r"l ?s? ?spine|lspine|lumb\w*|lws|lendenwirbel\w*|lombaires?|lssp|lsp|lumbosacral"),
)
_SPINE = r"spine|spinal|sspine|wirbelsaule|rachis|columna|colonna|vertebra\w*|colonne"
_ELSEWHERE = (
    r"knees?|knie\w*|genoux?|brain|head|skull|schadel|kopf|hips?|hufte?n?|shoulders?|schulter\w*|elbow"
    r"|ankle|foot|feet|hands?|wrist|pelvis|becken|abdomen|liver|heart|prostate|breast|thigh|leg|mamma"
)
_SACRUM = r"si ?joints?|sij|isg|iliosakral\w*|sacro ?iliac\w*"


def region_of(dataset: Dataset, height_mm: float | None) -> dict[str, Any]:
    """As ``votes.settle`` gives it. height_mm: of the picture, where its columns run from head to feet."""
    of_study = _hints(dataset, OF_STUDY, height_mm)
    hints = _hints(dataset, OF_SERIES, height_mm)
    settled = settle([*hints, *(hint for hint in of_study if not hints or hint.value == ELSEWHERE)])
    if settled["value"] == ELSEWHERE:
        return {
            "value": "",
            "source": "",
            "confidence": 0.0,
            "contradicted_by": {settled["source"]: ELSEWHERE},
        }
    if "contradicted_by" in settled:
        settled["confidence"] = min(float(settled["confidence"]), UNLIKELY)
    span = SPANS_MM.get(str(settled["value"]))
    if span is not None and height_mm is not None and not span[0] <= height_mm <= span[1]:
        settled["confidence"] = min(float(settled["confidence"]), UNLIKELY)
        against = settled.get("contradicted_by", {})
        settled["contradicted_by"] = against | {"field of view": f"{height_mm:.0f} mm"}
    return settled


def _hints(dataset: Dataset, keywords: tuple[tuple[str, float], ...], height_mm: float | None) -> list[Hint]:
    found = []
    for keyword, weight in keywords:
        region = _named(plain(header_value(dataset, keyword)), height_mm)
        if region:
            found.append(Hint(region, keyword, weight))
    return found


def _named(text: str, height_mm: float | None) -> str:
    """The region that a text names, or ``ELSEWHERE``; ``""`` where it names none, or two."""
    if _says(_ELSEWHERE, text) or _says(_SACRUM, text):
        return ELSEWHERE
    levels = [level for level, pattern in _LEVELS if _says(pattern, text)]
    if _says(_WHOLE, text) or len(levels) == len(_LEVELS):
        return names.WHOLE
    if len(levels) == 1:
        return levels[0]
    is_long = height_mm is not None and height_mm >= WHOLE_FROM_MM
    return names.WHOLE if not levels and is_long and _says(_SPINE, text) else ""


def _says(pattern: str, text: str) -> bool:
    return re.search(rf"(?<![a-z0-9])(?:{pattern})(?![a-z0-9])", text) is not None
