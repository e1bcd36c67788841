"""What a device says in the DICOM tags of a lateral film of the spine."""

from __future__ import annotations

_BODY_PART = {"cervical": "CSPINE", "lumbar": "LSPINE"}
_DESCRIPTION = {
    "cervical": ("C-SPINE LAT", "HWS seitlich", "Cervical spine lateral"),
    "lumbar": ("L-SPINE LAT", "LWS seitlich", "Lumbar spine lateral"),
}
_WRONG = {
    "hand": ("HAND", "PA", "Hand PA", "R\\F"),
    "chest": ("CHEST", "PA", "Chest PA", "L\\F"),
    "ap_lumbar": ("LSPINE", "AP", "L-SPINE AP", "L\\F"),
    "ap_cervical": ("CSPINE", "AP", "C-SPINE AP", "L\\F"),
    "lateral_thoracic": ("TSPINE", "LATERAL", "T-SPINE LAT", "A\\F"),
}


def spine_tags(ds, film, rng) -> None:
    """Body part, view, side and free text, now and then missing or vague, as on real films. Half of the films
    of something else keep the tags of a spine film, as happens when the wrong button was pressed.
    """
    part, view, text, orientation = _BODY_PART[film.view], "LATERAL", "", "P\\F"
    text = str(rng.choice(_DESCRIPTION[film.view]))
    if film.kind in _WRONG and rng.random() < 0.5:
        part, view, text, orientation = _WRONG[film.kind]
    odd = rng.random()
    if odd < 0.08:
        part = ""
    elif odd < 0.11:
        part = "SPINE"
    elif odd < 0.13:
        part = "ABDOMEN"
    if part:
        ds.BodyPartExamined = part
    if rng.random() > 0.1:
        ds.ViewPosition = {"LATERAL": "LL"}.get(view, view)
    ds.StudyDescription = "Spine radiographs"
    ds.SeriesDescription = text
    if rng.random() > 0.15:
        ds.ProtocolName = text
    if rng.random() > 0.1:
        ds.PatientOrientation = orientation.split("\\")
    ds.ImageLaterality = "U"
    if film.kind not in _WRONG:
        ds.AcquisitionDeviceProcessingDescription = f"{part} LATERAL".strip()
