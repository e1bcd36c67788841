"""What a device says in the DICOM tags of a film of both hands or both feet."""

from __future__ import annotations

_PART = {"hands": ("HAND", "PA"), "feet": ("FOOT", "AP")}
_DESCRIPTION = {
    "hands": ("HANDS PA", "Both hands PA", "Beide Haende dp", "HAND BILAT PA"),
    "feet": ("FEET AP", "Both feet AP", "Beide Vorfuesse dp", "FOOT BILAT AP"),
}
_WRONG = {"chest": ("CHEST", "PA", "Chest PA", "L\\F")}


def limb_tags(ds, film, rng) -> None:
    """Body part, view, sides and free text. Part and view are now and then missing, as on real films; half of
    the chest films keep the tags of a hand, and a foot sent as a hand always does."""
    view, kind = film.view, film.kind
    (part, projection), orientation = _PART[view], "R\\F"
    text = str(rng.choice(_DESCRIPTION[view]))
    if kind in _WRONG and rng.random() < 0.5:
        part, projection, text, orientation = _WRONG[kind]
    if rng.random() > 0.07:
        ds.BodyPartExamined = part
    if rng.random() > 0.1:
        ds.ViewPosition = projection
    ds.StudyDescription = "Hand radiographs" if view == "hands" else "Foot radiographs"
    ds.SeriesDescription = text
    if rng.random() > 0.15:
        ds.ProtocolName = text
    if rng.random() > 0.1:
        ds.PatientOrientation = orientation.split("\\")
    ds.ImageLaterality = "U" if part == "CHEST" else "B"
    ds.AcquisitionDeviceProcessingDescription = f"{part} {projection}"
