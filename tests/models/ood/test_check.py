"""The check of films that a model does not know: distances computed by hand, the share that is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest

from models import cards
from models.ood import check as ood
from models.ood.check import Check, Part, Sites

IDENTITY = Part(np.array([[0.0, 0.0], [10.0, 0.0]]), np.eye(2), 2.0, limit=1.0)


def test_distance_is_from_the_nearest_kind_in_units_of_a_usual_film():
    assert IDENTITY.distance(np.array([3.0, 4.0])) == pytest.approx(2.5)
    assert IDENTITY.distance(np.array([10.0, 1.0])) == pytest.approx(0.5)
    assert IDENTITY.distance(np.array([np.nan, 0.0])) == float("inf")


def test_reason_names_what_is_unlike_and_by_how_much():
    check = Check({"exposure": IDENTITY, "anatomy": IDENTITY})
    assert check.reason({"exposure": np.zeros(2), "anatomy": np.ones(2)}) == ""
    told = check.reason({"exposure": np.array([0.0, 6.0]), "anatomy": np.zeros(2)})
    assert told.startswith("unlike the films that the model knows: exposure 3.0 times the usual distance")
    assert "anatomy" not in told


def test_a_part_that_a_film_lacks_does_not_count():
    check = Check({"exposure": IDENTITY, "anatomy": IDENTITY})
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
    assert 0.02 < refused < 0.08  # both parts lie beyond on few films, so that it is near the share
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


def test_each_part_has_a_limit_of_its_own():
    """What varies little from film to film is told by a distance that would be usual for another part."""
    check = ood.fit(films(300, 1), [f for _, f in films(400, 2)], alarm=0.05)
    steady, varying = check.parts["exposure"], check.parts["sees"]
    assert steady.limit != varying.limit
    check = Check({"a": replace(IDENTITY, limit=2.0), "b": replace(IDENTITY, limit=9.0)})
    assert set(check.beyond({"a": np.array([0.0, 6.0]), "b": np.array([0.0, 6.0])})) == {"a"}
    assert check.distance({"a": np.array([0.0, 6.0]), "b": np.array([0.0, 6.0])}) == pytest.approx(1.5)


def at_places(*lengths):
    return Sites(("x",) * len(lengths), np.array([[length, 0.0] for length in lengths]).reshape(-1, 2))


def test_of_places_the_upper_quartile_counts():
    part = Part(np.zeros((1, 2)), np.eye(2), 1.0, limit=3.0)
    assert part.distance(at_places(1, 1, 1, 1, 9)) == 1.0
    assert part.distance(at_places(1, 1, 1, 9, 9)) == 9.0
    assert part.distance(at_places()) == 0.0
    assert Check({"joints": part}).reason({"joints": at_places(1, 1, 1, 9, 9)}) != ""


def placed(count, seed, shift=0.0):
    """Films of three kinds of place each, whose numbers differ from kind to kind."""
    rng = np.random.default_rng(seed)
    centres = {"thumb": 0.0, "wrist": 20.0, "toe": -20.0}
    made = []
    for _ in range(count):
        values = rng.normal(size=(3, 2)) + np.array(list(centres.values()))[:, None] + shift
        made.append(("film", {"joints": Sites(tuple(centres), values)}))
    return made


def test_places_are_compared_with_places_of_their_kind():
    check = ood.fit(placed(100, 1), [f for _, f in placed(100, 2)], alarm=0.05)
    assert len(check.parts["joints"].means) == 3
    assert np.mean([bool(check.reason(f)) for _, f in placed(300, 3)]) < 0.1
    assert all(check.reason(f) for _, f in placed(50, 4, shift=5.0))


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
        assert found.distance(film) == pytest.approx(check.distance(film), rel=1e-3)
    assert json.loads(path.read_text())["alarm"] == 0.05
    cards.write_card({"networks": {"finder": {"sha256": "bb"}}}, "msasss", "demo", tmp_path)
    assert ood.read_check("msasss", "demo", tmp_path) is None
