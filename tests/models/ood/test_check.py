"""The check of films that a model does not know: distances computed by hand, the share that is refused."""

import json

import numpy as np
import pytest

from models import cards
from models.ood import check as ood
from models.ood.check import Check, Part

IDENTITY = Part(np.array([[0.0, 0.0], [10.0, 0.0]]), np.eye(2), 2.0)


def test_distance_is_from_the_nearest_kind_in_units_of_a_usual_film():
    assert IDENTITY.distance(np.array([3.0, 4.0])) == pytest.approx(2.5)
    assert IDENTITY.distance(np.array([10.0, 1.0])) == pytest.approx(0.5)
    assert IDENTITY.distance(np.array([np.nan, 0.0])) == float("inf")


def test_reason_names_what_is_unlike_and_by_how_much():
    check = Check({"exposure": IDENTITY, "anatomy": IDENTITY}, limit=1.0)
    assert check.reason({"exposure": np.zeros(2), "anatomy": np.ones(2)}) == ""
    told = check.reason({"exposure": np.array([0.0, 6.0]), "anatomy": np.zeros(2)})
    assert told.startswith("unlike the films that the model knows: exposure 3.0 times the usual distance")
    assert "anatomy" not in told


def test_a_part_that_a_film_lacks_does_not_count():
    check = Check({"exposure": IDENTITY, "anatomy": IDENTITY}, limit=1.0)
    assert check.distances({"exposure": np.zeros(2)}) == {"exposure": 0.0}
    assert check.reason({}) == ""


def films(count, seed, shift=0.0):
    rng = np.random.default_rng(seed)
    mixing = np.array([[1.0, 0.9], [0.0, 0.3]])
    made = []
    for number in range(count):
        kind = "cervical" if number % 2 else "lumbar"
        centre = 5.0 if kind == "lumbar" else -5.0
        made.append(
            (kind, {"sees": rng.normal(size=2) @ mixing + centre + shift, "exposure": rng.normal(size=3)})
        )
    return made


def test_of_films_like_the_tuning_films_about_the_stated_share_is_refused():
    check = ood.fit(films(300, 1), [f for _, f in films(400, 2)], alarm=0.05)
    refused = np.mean([bool(check.reason(f)) for _, f in films(2000, 3)])
    assert 0.02 < refused < 0.08
    assert np.mean([bool(check.reason(f)) for _, f in films(200, 4, shift=4.0)]) > 0.95


def test_correlated_numbers_are_whitened():
    """Along the long axis of the cloud a step is nothing, across it the same step is far."""
    check = ood.fit(films(400, 1), [f for _, f in films(400, 2)], alarm=0.05)
    part = check.parts["sees"]
    centre = part.means[0]
    along, across = np.array([1.0, 0.9]), np.array([0.9, -1.0])
    assert part.distance(centre + across) > 3 * part.distance(centre + along)


def test_too_few_tuning_films_for_the_share_are_named():
    with pytest.raises(ValueError, match="50 tuning films are too few"):
        ood.fit(films(100, 1), [f for _, f in films(50, 2)], alarm=0.01)


def test_exposure_tells_a_dark_and_a_clipped_film():
    rng = np.random.default_rng(0)
    plain = np.clip(rng.normal(0.5, 0.15, (60, 50)), 0, 1)
    clipped = np.clip(3 * (plain - 0.5) + 0.9, 0, 1)
    black, white = ood.exposure(plain)[:2]
    assert black < 0.01 and white < 0.01
    assert ood.exposure(clipped)[1] > 0.3
    assert ood.exposure(plain)[4] > ood.exposure(clipped)[4]  # the histogram is less even
    assert np.isfinite(ood.exposure(np.zeros((8, 8)))).all()


def test_check_is_stored_and_holds_for_its_weights_only(tmp_path):
    card = {"networks": {"finder": {"sha256": "aa"}}}
    cards.write_card(card, "msasss", "demo", tmp_path)
    assert ood.read_check("msasss", "demo", tmp_path) is None
    check = ood.fit(films(60, 1), [f for _, f in films(120, 2)], alarm=0.05)
    path = ood.check_path("msasss", "demo", tmp_path)
    ood.write_check(check, {"weights_hash": cards.weights_hash(card)}, path)
    found = ood.read_check("msasss", "demo", tmp_path)
    for _, film in films(20, 5):
        assert found.distance(film) == pytest.approx(check.distance(film), rel=1e-4)
    assert json.loads(path.read_text())["alarm"] == 0.05
    cards.write_card({"networks": {"finder": {"sha256": "bb"}}}, "msasss", "demo", tmp_path)
    assert ood.read_check("msasss", "demo", tmp_path) is None
