"""The shipped site finder on fresh phantom films: right, or abstained with the reason."""

import numpy as np
import pytest

from core.domain import Abstained, Image
from data.phantom.hands.films import hand_conditions, make_hand_film
from data.phantom.hands.labels import letters_of
from data.phantom.hands.state import units_of
from models import cards
from models.mtss.finder.evaluate import group_of, right, share
from models.mtss.finder.locate import build_finder
from tests.helpers.paths import REAL

SPACING = 0.3


@pytest.fixture(scope="module")
def finder():
    return build_finder()


def film_of(kind="good", view="hands", subject="FRESH", **options):
    drawn = make_hand_film(78, subject, "BL", view, {}, kind=kind, spacing=SPACING, **options)
    return drawn, Image(kind, drawn.pixels, drawn.spacing_mm)


def off_mm(drawn, places):
    """Unit -> mm from its place to where it is, of the units that have one."""
    at = drawn.joints.set_index("unit")
    return {
        unit: float(np.hypot(place.x - at.loc[unit, "x"], place.y - at.loc[unit, "y"])) * SPACING
        for unit, place in places.units.items()
    }


@pytest.mark.parametrize("view", ["hands", "feet"])
def test_every_site_of_a_good_film_has_its_place(finder, view):
    drawn, film = film_of(view=view)
    found = finder.find(film)
    assert found.view == view and found.mm_per_pixel == pytest.approx(SPACING)
    assert set(found.units) | set(found.missing) == set(units_of(view))
    off = off_mm(drawn, found)
    assert len(off) >= 0.95 * len(units_of(view))
    assert np.mean([value <= 3.0 for value in off.values()]) >= 0.95


def test_a_film_without_pixel_size_gets_one_from_its_limbs(finder):
    drawn, film = film_of(subject="NOSIZE")
    found = finder.find(Image("bare", film.pixels))
    assert found.mm_per_pixel == pytest.approx(SPACING, rel=0.2)
    assert np.mean([value <= 3.0 for value in off_mm(drawn, found).values()]) >= 0.9


def test_feet_sent_as_hands_are_feet_whatever_the_file_says(finder):
    _, film = film_of("foot_as_hand")
    found = finder.find(Image("tagged", film.pixels, film.spacing_mm, "CR", "hand", "pa"))
    assert found.view == "feet"
    assert all(unit[1] == "F" for unit in found.units)


def test_one_hand_is_refused_and_called_one_hand(finder):
    _, film = film_of("one_hand")
    found = finder.find(film)
    assert isinstance(found, Abstained) and "one hand only" in found.reason


def test_sides_of_a_film_that_was_turned_over_follow_the_letters(finder):
    seen = 0
    for subject in ("TURN1", "TURN2", "TURN3"):
        drawn, film = film_of("mirrored", subject=subject)
        found = finder.find(film)
        if letters_of(drawn) and not isinstance(found, Abstained):
            seen += 1
            assert np.median(list(off_mm(drawn, found).values())) < 3.0
    assert seen >= 2


def test_a_lost_finger_has_no_place_and_the_others_do(finder):
    drawn, film = film_of("missing_finger", subject="LOST")
    found = finder.find(film)
    there = set(drawn.joints["unit"])
    lost = [unit for unit in units_of("hands") if unit not in there]
    assert lost and all(unit in found.missing for unit in lost)
    assert len(found.units) >= 0.9 * (44 - len(lost))


@pytest.mark.parametrize("kind", ["chest", "blank"])
def test_a_film_of_something_else_is_refused(finder, kind):
    assert isinstance(finder.find(film_of(kind)[1]), Abstained)


def test_one_grey_and_tiny_pictures_are_refused(finder):
    for pixels in (np.full((400, 500), 7, np.uint16), np.eye(20, dtype=np.float32)):
        assert isinstance(finder.find(Image("none", pixels)), Abstained)


def test_an_inverted_file_is_read_as_the_same_film(finder, tmp_path):
    import pydicom

    from data.dicom.images import load_image
    from data.ingest.run import ingest
    from data.phantom.dicom_out import write_dicom
    from data.store.cohort import CohortStore

    subject = next(
        name
        for name in (f"INV{i}" for i in range(99))
        if hand_conditions(78, name, "BL", "hands", kind="good")[1].photometric == "MONOCHROME1"
    )
    drawn, _ = film_of(subject=subject)
    path = write_dicom(drawn, tmp_path / "films" / "one.dcm", subject="INV", visit="BL")
    assert pydicom.dcmread(path).PhotometricInterpretation == "MONOCHROME1"
    store = CohortStore.open(tmp_path / "cohort.duckdb")
    ingest(store, [tmp_path / "films"], workers=0)
    found = finder.find(load_image(store, store.query("SELECT image FROM image")["image"][0]))
    assert np.mean([value <= 3.0 for value in off_mm(drawn, found).values()]) >= 0.9


@pytest.mark.skipif(not (REAL / "hand-radiograph").is_dir(), reason="real images are not on this machine")
def test_the_real_film_of_one_hand_is_refused_with_and_without_its_facts(finder):
    from models.ood.real_images import _taken, bare

    group = _taken("hand", REAL / "hand-radiograph")
    for film in group.films:
        assert isinstance(finder.find(film), Abstained) and isinstance(finder.find(bare(film)), Abstained)


def test_the_card_holds_the_finder_with_its_figures():
    about = cards.read_card("mtss", "demo")["networks"]["finder"]
    assert about["bytes"] < 2_000_000
    assert cards.sha256(cards.FOLDER / about["file"]) == about["sha256"]
    for figures in about["evaluation"].values():
        for one in figures["sites"].values():
            assert one["found_within_3_mm"][1] <= one["found_within_3_mm"][0] <= one["found_within_3_mm"][2]


def test_shares_have_intervals_by_patient_and_feet_called_feet_are_right():
    import pandas as pd

    rows = pd.Series([True] * 8 + [False] * 2), pd.Series(list("aabbccddee"))
    value, low, high = share(*rows)
    assert value == 0.8 and low < 0.8 < high
    assert share(rows[0] | True, rows[1])[1] < 1
    films = pd.DataFrame(
        {"reason": ["", "", "one"], "said": ["feet", "hands", ""], "kind": ["foot_as_hand"] * 2 + ["chest"]}
    )
    assert right(films).tolist() == [True, False, True]
    assert [group_of(unit) for unit in ("LH.PIP2", "RH.NAV", "LF.IP1")] == ["fingers", "wrist", "feet"]
