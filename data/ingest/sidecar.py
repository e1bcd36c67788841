"""The JSON file that converters write beside a NIfTI volume (BIDS): how it was acquired, in words of DICOM.

Only what says how a slice was taken is read; it goes into the header that the volume gets, whose words are
taken out like those of any other file.
"""

from __future__ import annotations

import json
import re
from typing import Any

from data.dicom.read import Refusal
from data.ingest.archives import open_plain
from data.ingest.sources import Source

MAX_BYTES = 1 << 20
VOLUME = re.compile(r"\.nii(\.gz)?$", re.IGNORECASE)
SECONDS = ("EchoTime", "RepetitionTime", "InversionTime")  # there; a header has milliseconds
NUMBERS = ("FlipAngle", "SliceThickness", "EchoTrainLength")
WORDS = ("SeriesDescription", "ProtocolName", "SequenceName", "PulseSequenceName", "BodyPartExamined")
CODES = ("ScanningSequence", "SequenceVariant", "ScanOptions", "ImageType", "MRAcquisitionType")
MODALITIES = ("MR", "CT")


def sidecar_of(source: Source) -> dict[str, Any]:
    """What the file beside a volume says, as tags; nothing where there is none, or none that can be read."""
    if source.way or source.problem or not VOLUME.search(source.path.name):
        return {}
    try:
        with open_plain(source.path.with_name(VOLUME.sub("", source.path.name) + ".json")) as stream:
            said = json.loads(stream.read(MAX_BYTES))
    except (OSError, ValueError, Refusal, RecursionError):
        return {}
    return _tags(said) if isinstance(said, dict) else {}


def _tags(said: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in (*SECONDS, *NUMBERS):
        value = said.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1000:
            found[name] = f"{value * (1000 if name in SECONDS else 1):.6g}"
    for name in WORDS:
        if isinstance(said.get(name), str):
            found[name] = said[name][:64]
    for name in CODES:
        found |= {name: codes} if (codes := _codes(said.get(name))) else {}
    if str(said.get("Modality", "")).upper() in MODALITIES:
        found["Modality"] = str(said["Modality"]).upper()
    return found


def _codes(value: Any) -> list[str]:
    """Code strings: a list of them, or parted by _ or a backslash."""
    texts = re.split(r"[\\_]", value) if isinstance(value, str) else value if isinstance(value, list) else []
    return [text.strip().upper()[:16] for text in texts if isinstance(text, str) and text.strip()]
