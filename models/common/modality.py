"""Which DICOM modalities a scorer of radiographs looks at."""

from __future__ import annotations

RADIOGRAPHS = ("", "CR", "DX", "RG", "RF", "XA", "OT", "SC")  # "": the file does not say


def is_radiograph(modality: str) -> bool:
    """Whether a film of this modality may be a radiograph; small letters count as capital ones."""
    return modality.upper() in RADIOGRAPHS
