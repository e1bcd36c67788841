"""Labelled toy films of hands or feet: places in a plausible layout, grades as asked, noise for pixels."""

import json

import cv2
import numpy as np

from data.phantom.hands.state import GRADED, VIEWS

HAND = {  # mm, right hand of a PA film: thumb on the left, fingers up
    "IP1": (-45, 15), "PIP2": (-22, -45), "PIP3": (0, -50), "PIP4": (20, -42), "PIP5": (38, -22),
    "MCP1": (-36, 42), "MCP2": (-18, 0), "MCP3": (0, 0), "MCP4": (16, 5), "MCP5": (30, 14),
    "MC1": (-22, 75), "MUL": (-14, 78), "NAV": (-10, 92), "LUN": (2, 96), "RAD": (-4, 108), "ULN": (20, 108),
    "CMC3": (0, 70), "CMC4": (9, 71), "CMC5": (17, 74), "MNA": (-12, 86), "CNL": (-2, 90), "RC": (-2, 102),
}  # fmt: skip
FOOT = {
    "MTP1": (-24, 0), "MTP2": (-3, -12), "MTP3": (13, -6), "MTP4": (28, 1), "MTP5": (42, 8),
    "IP1": (-26, -32),
}  # fmt: skip
SPACING = 0.5


def layout(view):
    """Unit -> (x, y) mm on the film, left limb on the left."""
    joints = HAND if view == "hands" else FOOT
    found = {}
    for side, middle, turn in (("L", 75.0, -1), ("R", 225.0, 1)):
        for joint, (x, y) in joints.items():
            found[f"{side}{VIEWS[view]}.{joint}"] = (middle + turn * x, 70.0 + y)
    return found


def write_folder(folder, patients, *, visits=("BL", "W104"), grade=lambda patient, visit, unit, feature: 0):
    """A COCO folder with a film of hands and one of feet for each patient and visit."""
    (folder / "images").mkdir(parents=True)
    images, annotations = [], []
    rng = np.random.default_rng(0)
    for patient in patients:
        for visit in visits:
            for view in ("hands", "feet"):
                name = f"{patient}_{visit}_{view}.png"
                pixels = rng.integers(0, 1000, (400, 600)).astype(np.uint16)
                cv2.imwrite(str(folder / "images" / name), pixels)
                number = len(images) + 1
                images.append(
                    {
                        "id": number, "file_name": name, "patient": patient, "visit": visit, "view": view,
                        "spacing_mm": [SPACING, SPACING],
                    }
                )  # fmt: skip
                for unit, (x, y) in layout(view).items():
                    about = {
                        feature: grade(patient, visit, unit, feature) if feature in GRADED[unit] else None
                        for feature in ("erosion", "jsn")
                    }
                    side = 20 / SPACING
                    annotations.append(
                        {
                            "image_id": number, "category_id": 1,
                            "bbox": [x / SPACING - side / 2, y / SPACING - side / 2, side, side],
                            "attributes": {"unit": unit, "gap_mm": 1.0, "visibility": 1.0, **about},
                        }
                    )  # fmt: skip
    content = {
        "images": images, "annotations": annotations, "categories": [{"id": 1, "name": "none"}],
    }  # fmt: skip
    (folder / "annotations.json").write_text(json.dumps(content))
    return folder
