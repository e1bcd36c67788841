"""Rendered films of both hands: what is drawn is what the truth says, measured on the pixels."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pandas as pd
import pydicom
import pytest

from data.dicom.classify import classify
from data.phantom.dicom_out import write_dicom
from data.phantom.hands.films import make_hand_film
from data.phantom.hands.labels import letters_of, write_coco
from data.phantom.hands.state import ANKYLOSIS, FINDINGS, LUXATION, JointState, space_share, units_of
from tests.helpers.paths import REAL

BOXES = REAL / "hand-joint-boxes/train_boxes.csv"
SPACING = 0.3


def film(states=None, subject="H1", **options):
    options = {"kind": "good", "spacing": SPACING} | options
    return make_hand_film(5, subject, "BL", "hands", states or {}, **options)


@pytest.fixture(scope="module")
def healthy():
    return film()


def joint(made, unit):
    return made.joints.set_index("unit").loc[unit]


def profile(made, unit, half_mm=7.0):
    """Grey along the joint's axis, mean of a band of 3 mm, from proximal to distal, at steps of 0.2 mm."""
    row = joint(made, unit)
    angle = np.radians(row["angle"])
    along, across = np.array([np.sin(angle), -np.cos(angle)]), np.array([np.cos(angle), np.sin(angle)])
    t = np.arange(-half_mm, half_mm + 0.01, 0.2)[:, None] / made.spacing_mm[0]
    s = np.linspace(-1.5, 1.5, 9)[None] / made.spacing_mm[0]
    x = row["x"] + t * along[0] + s * across[0]
    y = row["y"] + t * along[1] + s * across[1]
    return cv2.remap(made.pixels.astype(np.float32), np.float32(x), np.float32(y), cv2.INTER_LINEAR).mean(
        axis=1
    )


def test_a_film_is_the_same_to_the_byte_and_shows_every_site(healthy):
    assert np.array_equal(healthy.pixels, film().pixels)
    scored = healthy.joints[healthy.joints["scored"]]
    assert sorted(scored["unit"]) == sorted(units_of("hands"))
    assert healthy.pixels.dtype == np.uint16 and 700 < healthy.pixels.max() <= 1023
    assert not np.array_equal(healthy.pixels, film(subject="H2").pixels)


def test_full_size_is_that_of_the_paper():
    from data.phantom.hands.films import hand_conditions

    _, c = hand_conditions(5, "H1", "BL", "hands", kind="good")
    assert (round(c.field[0] / c.spacing), round(c.field[1] / c.spacing)) == (1670, 2010)


@pytest.mark.parametrize("unit", ["RH.MCP3", "LH.MCP2", "RH.PIP3", "LH.PIP4"])
def test_boxes_sit_on_joints_dark_in_the_middle_between_bones(healthy, unit):
    grey = profile(healthy, unit)
    middle = len(grey) // 2
    dark = grey[middle - 6 : middle + 7].min()
    assert dark < 0.93 * grey[: middle - 6].max() and dark < 0.85 * grey[middle + 3 :].max()


def test_the_joint_space_falls_with_the_grade():
    shares = [space_share(s) for s in (0.0, 0.5, 1.2, 2.2, 3.2, 3.9)]
    assert all(a > b for a, b in pairwise(shares))
    gaps, darkness = [], []
    for severity in (0.0, 2.2, 3.0, 3.9):
        made = film({"RH.MCP3": JointState(jsn=severity), "RH.PIP3": JointState(jsn=severity)})
        gaps.append(joint(made, "RH.MCP3")["gap_mm"])
        grey = profile(made, "RH.MCP3")
        middle = len(grey) // 2
        darkness.append(float(grey[middle - 6 : middle + 7].min()))
    assert all(a > b for a, b in pairwise(gaps))
    assert darkness[-1] > 1.1 * darkness[0]


def test_ankylosis_fills_the_space(healthy):
    made = film({"RH.PIP3": JointState(jsn=3.5, finding=ANKYLOSIS)})
    row, before = profile(made, "RH.PIP3"), profile(healthy, "RH.PIP3")
    middle = len(row) // 2
    assert row[middle - 5 : middle + 6].min() > 1.12 * before[middle - 5 : middle + 6].min()
    assert joint(made, "RH.PIP3")["finding"] == ANKYLOSIS and joint(made, "RH.PIP3")["gap_mm"] == 0
    assert joint(made, "RH.PIP3")["jsn"] == 4


def test_erosion_takes_bone_away_only_where_it_is(healthy):
    made = film({"RH.MCP2": JointState(erosion=3.6)})
    change = made.pixels.astype(int) - healthy.pixels.astype(int)
    row = joint(made, "RH.MCP2")
    inside = change[int(row["y0"]) : int(row["y1"]), int(row["x0"]) : int(row["x1"])]
    assert (inside < -60).sum() * SPACING**2 > 8.0  # mm2 of lost bone
    far = joint(made, "LH.MCP2")
    outside = change[int(far["y0"]) : int(far["y1"]), int(far["x0"]) : int(far["x1"])]
    assert np.abs(outside).mean() < 15
    more = film({"RH.MCP2": JointState(erosion=5.4)}).pixels.astype(int) - healthy.pixels.astype(int)
    again = more[int(row["y0"]) : int(row["y1"]), int(row["x0"]) : int(row["x1"])]
    assert (again < -60).sum() > (inside < -60).sum()


def test_luxation_moves_the_distal_bone(healthy):
    made = film({"RH.MCP3": JointState(finding=LUXATION)})
    assert joint(made, "RH.MCP3")["gap_mm"] < 0
    moved = joint(made, "RH.PIP3")[["x", "y"]].to_numpy(float) - joint(made, "RH.MCP3")[["x", "y"]].to_numpy(
        float
    )
    still = joint(healthy, "RH.PIP3")[["x", "y"]].to_numpy(float) - joint(healthy, "RH.MCP3")[
        ["x", "y"]
    ].to_numpy(float)
    assert np.hypot(*(moved - still)) * SPACING > 3


def test_the_second_domain_looks_different(healthy):
    other = film(domain="second")
    assert other.conditions.device in (3, 4) and healthy.conditions.device in (0, 1, 2)
    assert other.pixels.shape != healthy.pixels.shape


def test_a_lost_finger_has_no_joints_and_a_mirrored_film_is_turned_over(healthy):
    lost = film(kind="missing_finger")
    assert healthy.joints["scored"].sum() - lost.joints["scored"].sum() >= 1
    turned = film(kind="mirrored")
    assert joint(turned, "LH.PIP3")["x"] > joint(turned, "RH.PIP3")["x"]
    assert set(film(kind="one_hand").joints["side"]) in ({"L"}, {"R"})


def test_files_tell_part_view_and_side_and_hold_the_pixels(healthy, tmp_path):
    path = write_dicom(healthy, tmp_path / "h.dcm", subject="H1", visit="BL")
    ds = pydicom.dcmread(path)
    found = classify(ds)
    assert (found.body_part, found.view, found.laterality) == ("hand", "pa", "B")
    stored = ds.pixel_array if ds.PhotometricInterpretation == "MONOCHROME2" else 1023 - ds.pixel_array
    assert ds.BitsStored == 10 and np.array_equal(stored, healthy.pixels)


def test_coco_holds_every_box_with_its_grades(healthy, tmp_path):
    import json

    content = json.loads(write_coco([("H1", "BL", healthy)], tmp_path).read_text(encoding="utf-8"))
    assert len(content["annotations"]) == len(healthy.joints)
    assert [c["name"] for c in content["categories"]] == list(FINDINGS)
    one = next(a for a in content["annotations"] if a["attributes"]["unit"] == "RH.NAV")
    assert one["attributes"]["erosion"] == 0 and one["attributes"]["jsn"] is None
    picture = cv2.imread(str(tmp_path / "images" / content["images"][0]["file_name"]), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(picture, healthy.pixels)


def test_letters_are_where_the_labels_say_and_turn_over_with_the_film():
    turned = film(kind="mirrored")
    plain = replace(turned, conditions=replace(turned.conditions, kind="good"))
    there, before = letters_of(turned), letters_of(plain)
    assert there and all(one["mirrored"] for one in there) and not any(one["mirrored"] for one in before)
    for one, other in zip(there, before, strict=True):
        assert one["x"] + other["x"] == turned.pixels.shape[1] - 1
        half = round(4 / turned.spacing_mm[0])
        x, y = round(one["x"]), round(one["y"])
        part = turned.pixels[y - half : y + half, x - half : x + half]
        assert part.max() > 2 * np.median(turned.pixels[:20])


@pytest.mark.skipif(not BOXES.is_file(), reason="shared/real/hand-joint-boxes is not on this machine")
def test_proportions_lie_within_those_of_real_hands(healthy):
    real = pd.DataFrame([_proportions(hand) for _, hand in pd.read_csv(BOXES).groupby("image_id")]).dropna()
    assert len(real) > 150
    for made in (healthy, film(subject="H2", spacing=0.6), film(subject="H3", domain="second", spacing=0.6)):
        for side in "LR":
            mine = _proportions(_as_boxes(made, side))
            for name, value in mine.items():
                low, high = real[name].quantile([0.005, 0.995])
                assert low <= value <= high, (name, value, low, high)


def _as_boxes(made, side: str) -> pd.DataFrame:
    rows = made.joints[made.joints["side"] == side].rename(
        columns={"x0": "xmin", "x1": "xmax", "y0": "ymin", "y1": "ymax"}
    )
    rows = rows.assign(label=rows["site"].str[:3].replace({"IP1": "PIP"}))
    wrist = rows[rows["site"].isin(["NAV", "LUN", "MUL", "CMC4", "CMC5"])]
    box = {"label": "Wrist", "xmin": wrist["xmin"].min(), "xmax": wrist["xmax"].max(),
           "ymin": wrist["ymin"].min(), "ymax": wrist["ymax"].max()}  # fmt: skip
    return pd.concat([rows, pd.DataFrame([box])], ignore_index=True)


def _proportions(boxes: pd.DataFrame) -> dict[str, float]:
    """Sizes and distances of a hand's boxes over the distance from the wrist to the third MCP joint."""
    boxes = boxes.assign(x=(boxes["xmin"] + boxes["xmax"]) / 2, y=(boxes["ymin"] + boxes["ymax"]) / 2)
    fingers = {
        label: boxes[boxes["label"] == label].sort_values("y").head(4).sort_values("x")
        for label in ("MCP", "PIP", "DIP")
    }
    wrist = boxes[boxes["label"] == "Wrist"]
    if len(wrist) != 1 or any(len(rows) < 4 for rows in fingers.values()):
        return {}
    mcp = fingers["MCP"][["x", "y"]].to_numpy()
    high = mcp[np.argsort(mcp[:, 1])[:2]].mean(axis=0)
    unit = float(np.hypot(*(high - wrist[["x", "y"]].to_numpy()[0])))
    made = {"span": float(np.hypot(*(mcp[0] - mcp[3]))) / unit}
    for label, rows in fingers.items():
        made[f"{label} width"] = float((rows["xmax"] - rows["xmin"]).mean()) / unit
        made[f"{label} height"] = float((rows["ymax"] - rows["ymin"]).mean()) / unit
    for near, far in (("MCP", "PIP"), ("PIP", "DIP")):
        a, b = (fingers[label][["x", "y"]].to_numpy() for label in (near, far))
        made[f"{near} to {far}"] = float(np.hypot(*(b - a).T).mean()) / unit
    return made
