"""Rendered films of both feet, and films that a scorer of hands has to refuse."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest

from data.dicom.classify import classify
from data.ingest.run import ingest
from data.phantom.dicom_out import write_dicom
from data.phantom.hands.conditions import POOR_KINDS, WRONG_KINDS, draw_limb_conditions
from data.phantom.hands.films import make_hand_film
from data.phantom.hands.state import ANKYLOSIS, SUBLUXATION, JointState, units_of
from data.store.cohort import CohortStore

SPACING = 0.3


def film(states=None, view="feet", **options):
    return make_hand_film(
        5, "F1", "BL", view, states or {}, **({"kind": "good", "spacing": SPACING} | options)
    )


@pytest.fixture(scope="module")
def healthy():
    return film()


def change_in(made, healthy, unit):
    row = healthy.joints.set_index("unit").loc[unit]
    window = np.s_[int(row["y0"]) : int(row["y1"]), int(row["x0"]) : int(row["x1"])]
    return made.pixels[window].astype(int) - healthy.pixels[window].astype(int)


def test_feet_show_their_twelve_units_inside_the_picture(healthy):
    scored = healthy.joints[healthy.joints["scored"]]
    assert sorted(scored["unit"]) == sorted(units_of("feet")) and scored["visible"].all()
    rows, columns = healthy.pixels.shape
    assert scored["x"].between(0, columns).all() and scored["y"].between(0, rows).all()
    left, right = (scored[scored["side"] == side].set_index("site")["x"] for side in "LR")
    assert left["MTP1"] > left["MTP5"] and right["MTP1"] < right["MTP5"]  # big toes inside


def test_each_side_of_a_foot_joint_erodes_for_itself(healthy):
    metatarsal = film({"RF.MTP3": JointState(erosion=4.5)})
    phalanx = film({"RF.MTP3": JointState(distal_erosion=4.5)})
    both = film({"RF.MTP3": JointState(erosion=4.5, distal_erosion=4.5)})
    lost = [int((change_in(f, healthy, "RF.MTP3") < -60).sum()) for f in (metatarsal, phalanx, both)]
    assert min(lost[:2]) * SPACING**2 > 3 and lost[2] > max(lost[:2])
    middle = change_in(metatarsal, healthy, "RF.MTP3").shape[0] // 2
    below = (change_in(metatarsal, healthy, "RF.MTP3") < -60)[middle:].sum()
    above = (change_in(phalanx, healthy, "RF.MTP3") < -60)[:middle].sum()
    assert below > 0.5 * lost[0] and above > 0.5 * lost[1]
    assert both.joints.set_index("unit").loc["RF.MTP3", "erosion"] == 8


def test_findings_of_feet_are_in_the_truth():
    made = film({"LF.IP1": JointState(finding=ANKYLOSIS), "LF.MTP2": JointState(finding=SUBLUXATION)})
    rows = made.joints.set_index("unit")
    assert rows.loc["LF.IP1", "gap_mm"] == 0 and rows.loc["LF.IP1", "jsn"] == 4
    assert rows.loc["LF.MTP2", "jsn"] == 3 and rows.loc["LF.MTP2", "finding"] == SUBLUXATION


def test_films_are_taken_in_with_part_view_and_sides(healthy, tmp_path):
    store = CohortStore.open(tmp_path / "trial.duckdb")
    hands = film(view="hands", spacing=0.6)
    for made in (hands, healthy):
        write_dicom(made, tmp_path / "in" / f"{made.view}.dcm", subject="F1", visit="BL")
    result = ingest(store, [tmp_path / "in"], workers=0)
    assert result.ingested == 2 and not result.refused
    rows = store.query("SELECT body_part, view, laterality FROM image ORDER BY body_part")
    assert rows.to_numpy().tolist() == [["foot", "ap", "B"], ["hand", "pa", "B"]]


def test_files_of_feet_are_known_as_such(healthy, tmp_path):
    found = classify(pydicom.dcmread(write_dicom(healthy, tmp_path / "f.dcm", subject="F1", visit="BL")))
    assert (found.body_part, found.view, found.laterality) == ("foot", "ap", "B")


@pytest.mark.parametrize("kind", POOR_KINDS + WRONG_KINDS)
def test_every_kind_of_film_is_rendered_with_its_own_truth(kind):
    made = film(view="hands", kind=kind, spacing=0.9)
    assert made.kind == kind and made.pixels.max() <= 1023
    shows_no_hand = kind in ("foot_as_hand", "chest", "blank")
    assert (len(made.joints) == 0) == shows_no_hand
    if kind == "cut_edge":
        assert made.joints["visibility"].min() < 0.3
    if kind == "overlap":
        assert made.joints["visibility"].min() <= 0.5 < made.joints["visibility"].max()
    if kind == "underexposed":
        assert not made.joints["visible"].all() or made.joints["visibility"].max() < 0.6


def test_unknown_views_and_kinds_are_named():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="knees"):
        draw_limb_conditions(rng, "knees")
    with pytest.raises(ValueError, match="odd"):
        draw_limb_conditions(rng, "hands", kind="odd")
