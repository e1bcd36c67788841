"""Parts of the site finder, each by itself: peaks, mean limbs, side markers, labels and their variation."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from core.domain import Abstained
from data.phantom.hands.labels import write_coco
from data.phantom.seeds import StudyRole
from models import cards
from models.mtss.finder.limb_shape import lay, mean_shape
from models.mtss.finder.network import (
    CHANNELS,
    LETTERS,
    OF_LIMB,
    STRIDE,
    UNITS,
    FinderNet,
    peaks,
    turned_over,
)
from models.mtss.finder.phantom import plan
from models.mtss.finder.samples import (
    ABSENT,
    SEEN,
    UNKNOWN,
    FinderFilm,
    at_edge,
    read_films,
    resampled,
    to_film,
    to_small,
    varied,
)
from models.mtss.finder.side_markers import Letter
from models.mtss.finder.side_markers import turned_over as film_turned_over
from models.mtss.finder.train import FINDER, map_loss
from models.mtss.phantom import Patients, limb_films
from models.mtss.train import Folders
from models.training.pipeline import train_into

HAND = np.array([[x, 20 * y + 0.15 * x * x / 10] for y in range(4) for x in (-30.0, -8.0, 12.0, 33.0)])
ALL = np.ones(len(HAND))


def turned(points, degrees, size, shift):
    a = np.radians(degrees)
    return size * points @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]) + shift


def test_a_mean_limb_finds_its_turn_and_size():
    laid = lay(turned(HAND, 20, 1.3, [200, 90]), HAND, ALL)
    assert laid.size == pytest.approx(1.3)
    assert laid.tilt == pytest.approx(20)
    assert laid.away.max() < 1e-6


def test_one_site_that_lies_off_does_not_pull_the_others():
    points = turned(HAND, -10, 1.0, [50, 50])
    points[5] += [30, 12]
    laid = lay(points, HAND, ALL)
    assert laid.away[5] > 25
    assert np.delete(laid.away, 5).max() < 1.0


def test_a_mirrored_limb_does_not_fit_and_three_places_are_too_few():
    laid = lay(HAND * [-1, 1] + 100, HAND + [HAND[:, 1:].sum() * 0, 0] * HAND, ALL)
    assert laid is None or np.median(laid.away) > 5 or laid.agreeing < len(HAND)
    assert lay(HAND[:3], HAND[:3], np.ones(3)) is None


def test_the_mean_of_turned_limbs_is_the_limb_and_leaves_out_unseen_sites():
    limbs = [turned(HAND, angle, 1.0, [5 * angle, 3]) for angle in (0, 7, -12)]
    limbs[1] = np.where(np.arange(len(HAND))[:, None] == 2, np.nan, limbs[1])
    mean = mean_shape(limbs)
    assert lay(HAND, mean, ALL).away.max() < 1e-6
    with pytest.raises(ValueError, match="no limb shows all"):
        mean_shape([limbs[1]])


def test_letters_tell_a_film_that_was_turned_over():
    said = {
        (letter, mirrored, on_left): film_turned_over(
            [Letter(letter, mirrored, 10 if on_left else 90, 1)], 50
        )
        for letter, mirrored, on_left in product("LR", (False, True), (False, True))
    }
    assert said[("L", False, True)] is False and said[("R", False, False)] is False
    assert said[("L", True, False)] is True and said[("R", True, True)] is True
    assert sum(isinstance(one, Abstained) for one in said.values()) == 4


def test_no_letter_is_the_convention_and_two_that_disagree_are_refused():
    assert film_turned_over([], 50) is False
    both = [Letter("L", False, 10, 1), Letter("L", True, 90, 1)]
    assert isinstance(film_turned_over(both, 50), Abstained)


def test_channels_turn_over_in_pairs():
    other = turned_over()
    assert sorted(other) == list(range(CHANNELS)) and np.array_equal(other[other], np.arange(CHANNELS))
    assert UNITS[other[UNITS.index("LH.MCP2")]] == "RH.MCP2"
    assert LETTERS[other[len(UNITS)] - len(UNITS)] == ("L", True)


def test_a_peak_lies_between_cells_and_an_absent_site_is_not_sure():
    y, x = np.mgrid[:12, :20]
    blob = np.exp(-((x - 7.3) ** 2 + (y - 4.6) ** 2) / 2)
    there = np.append(0.9 * blob.ravel() / blob.sum(), 0.1)
    nowhere = np.append(np.full(240, 1e-5), 1 - 240e-5)
    at, sure = peaks(np.stack([there, nowhere]), 12, 20)
    assert (at[0] + 0.5) / STRIDE - 0.5 == pytest.approx([7.3, 4.6], abs=0.1)
    assert sure[0] == pytest.approx(0.9, abs=0.05) and sure[1] < 0.01


def test_the_network_gives_a_map_for_each_channel_whose_chances_sum_to_one():
    network = FinderNet().eval()
    scores = network(torch.rand(1, 1, 64, 96))
    assert scores.shape == (1, CHANNELS, 16, 24)
    assert network.chances(scores).exp().sum(dim=2).detach().numpy() == pytest.approx(1.0, abs=1e-4)


def test_the_loss_falls_where_the_scores_are_right_and_ignores_unknown_sites():
    network, points = FinderNet().requires_grad_(False), torch.full((1, CHANNELS, 2), 30.0)
    state = torch.full((1, CHANNELS), UNKNOWN)
    state[0, :2] = torch.tensor([SEEN, ABSENT])
    flat = torch.zeros(1, CHANNELS, 16, 24)
    right, elsewhere = flat.clone(), flat.clone()
    right[0, 0, 7, 7], right[0, 1] = 6.0, -6.0
    elsewhere[0, 5:] = 9.0
    low, base = map_loss(network, right, points, state), map_loss(network, flat, points, state)
    assert low < base
    assert float(map_loss(network, elsewhere, points, state)) == pytest.approx(float(base))


def test_pixels_of_the_film_and_of_the_small_film_lead_to_each_other():
    pixels = np.zeros((400, 600), np.uint16)
    pixels[198:202, 298:302] = 900
    small, factors = resampled(pixels, (0.15, 0.15))
    assert small.shape == (100, 150)
    y, x = np.unravel_index(small.argmax(), small.shape)
    at = to_small(np.array([[299.5, 199.5]]), factors)
    assert np.abs(at[0] - [x, y]).max() <= 0.5
    assert to_film(at, factors)[0] == pytest.approx([299.5, 199.5])


def spot_film():
    grey = np.zeros((418, 502), np.uint8)
    points, state = np.zeros((CHANNELS, 2)), np.full(CHANNELS, ABSENT)
    for channel, at in ((3, (150, 200)), (26, (350, 180))):
        points[channel], state[channel] = at, SEEN
        grey[at[1] - 3 : at[1] + 4, at[0] - 3 : at[0] + 4] = 250
    return FinderFilm("spot", "p", "hands", "good", grey, points, state)


def test_variation_moves_the_labels_with_the_picture():
    rng, turned_round = np.random.default_rng(4), 0
    for _ in range(12):
        grey, points, state = varied(spot_film(), rng)
        seen = np.flatnonzero(state == SEEN)
        turned_round += set(seen) != {3, 26}
        for channel in seen:
            x, y = np.round(points[channel]).astype(int)
            part = grey[y - 2 : y + 3, x - 2 : x + 3]
            assert part.mean() > np.median(grey) + 0.2
    assert 0 < turned_round < 12


def test_a_site_beyond_the_picture_is_absent_and_one_at_its_edge_unknown():
    points = np.array([[100.0, 100.0], [2.0, 100.0], [-3.0, 100.0]])
    assert at_edge(points, np.full(3, SEEN)).tolist() == [SEEN, UNKNOWN, ABSENT]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("finder")
    who = Patients(9_101, 1, (0,), role=StudyRole.TRAIN, spacing=0.6, views=("hands", "feet"), poor=0.0)
    films = [*limb_films(who), *limb_films(replace(who, first=9_102, kind="mirrored", views=("hands",)))]
    films += list(limb_films(replace(who, first=9_103, kind="chest", views=("hands",))))
    write_coco(films, out)
    return out


def test_labels_go_by_how_a_limb_looks(folder):
    hands, feet, mirrored, chest = read_films([folder])
    for film in (hands, mirrored):
        left, right = (film.points[OF_LIMB[limb], 0].mean() for limb in ("LH", "RH"))
        assert left < film.grey.shape[1] / 2 < right
        assert (film.state[OF_LIMB["LH"]] == SEEN).all() and (film.state[OF_LIMB["LF"]] == ABSENT).all()
    assert (feet.state[OF_LIMB["RF"]] == SEEN).all()
    assert (chest.state == ABSENT).all()
    read = mirrored.state[len(UNITS) :]
    assert (read[:2] == ABSENT).all() and (read[2:] == SEEN).any()


def test_training_twice_gives_the_same_weights_and_an_entry_for_the_card(folder, tmp_path):
    recipe = replace(FINDER.recipe, images=4, batch=2, seed=3)
    folders = Folders(folder)
    one, again = (
        train_into(tmp_path / name, "mtss", FINDER, folders, recipe, "demo") for name in ("one", "two")
    )
    assert again["sha256"] == one["sha256"]
    assert one["pictures"] == 4 and one["films"] == 4
    assert one["training_patients"] == ["TR09101", "TR09102", "TR09103"]
    network = FinderNet()
    cards.load_into(network, {"networks": {"finder": one}}, "finder", tmp_path / "one")
    hand = network.shape[OF_LIMB["RH"]].numpy()
    assert 100 < np.ptp(hand[:, 1]) < 200 and np.allclose(
        network.shape[OF_LIMB["LH"]].numpy(), hand * [-1, 1]
    )


def test_small_films_for_training_are_of_many_kinds_and_no_patient_comes_twice():
    groups = list(plan(5001))
    numbers = [number for who in groups for number in range(who.first, who.first + who.count)]
    assert len(numbers) == len(set(numbers)) and max(numbers) < 6001
    assert {"one_hand", "missing_finger", "chest", "overlap"} <= {who.kind for who in groups}
    assert "foot_as_hand" not in {who.kind for who in groups}
