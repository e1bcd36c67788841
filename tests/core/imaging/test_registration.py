"""The movement between two films, from sites found on both."""

import numpy as np
import pytest

from core.imaging.registration import NotRegistered, Registration, inverse, register, register_pair

SPACING = (0.8, 0.8)


def spine(count=12, seed=1):
    """Places of corners along a bent column, in pixels."""
    rng = np.random.default_rng(seed)
    y = np.linspace(100, 900, count)
    x = 400 + 60 * np.sin(y / 300) + rng.normal(0, 8, count)
    return {f"S{i}": (float(a), float(b)) for i, (a, b) in enumerate(zip(x, y, strict=True))}


def moved(points, turn=0.1, scale=1.02, shift=(25.0, -40.0), noise=0.0, seed=2):
    rng = np.random.default_rng(seed)
    a = scale * np.exp(1j * turn)
    out = {}
    for site, (x, y) in points.items():
        z = a * complex(x, y) + complex(*shift) + complex(*rng.normal(0, noise, 2))
        out[site] = (z.real, z.imag)
    return out


def through(matrix, point):
    return np.array(matrix) @ [*point, 1.0]


def test_similarity_is_recovered():
    first = spine()
    second = moved(first)
    found = register(first, second, SPACING, SPACING)
    assert isinstance(found, Registration)
    assert (found.kind, found.unit, found.left_out) == ("similarity", "mm", ())
    assert found.residual == pytest.approx(0, abs=1e-6)
    for site in first:
        assert through(found.matrix, first[site]) == pytest.approx(second[site], abs=1e-6)


def test_residual_is_what_leaving_each_site_out_gives():
    first = spine()
    second = moved(first, noise=1.0)
    found = register(first, second, SPACING, SPACING)
    assert len(found.used) == len(first)
    misses = []
    for left in first:
        others = {site: place for site, place in first.items() if site != left}
        z = np.array([complex(*first[site]) for site in others])
        w = np.array([complex(*second[site]) for site in others])
        a, b = np.linalg.lstsq(np.column_stack([z, np.ones_like(z)]), w, rcond=None)[0]
        misses.append(abs(a * complex(*first[left]) + b - complex(*second[left])) * SPACING[0])
    assert found.residual == pytest.approx(np.sqrt(np.mean(np.square(misses))), rel=1e-9)


def test_site_at_a_wrong_place_is_left_out():
    first = spine()
    second = moved(first, noise=0.5) | {"S4": (900.0, 100.0), "S9": (20.0, 20.0)}
    found = register(first, second, SPACING, SPACING)
    assert found.left_out == ("S4", "S9")
    clean = {site: place for site, place in second.items() if site in found.used}
    alone = register(first, clean, SPACING, SPACING)
    assert np.array(found.matrix) == pytest.approx(np.array(alone.matrix), abs=1e-9)


def test_pixels_that_are_not_square_and_two_spacings():
    first = spine()
    mm = {site: (x * 0.5, y * 0.25) for site, (x, y) in first.items()}
    second = {site: (x / 0.4, y / 0.8) for site, (x, y) in moved(mm).items()}
    found = register(first, second, (0.25, 0.5), (0.8, 0.4))
    assert found.kind == "similarity"
    for site in first:
        assert through(found.matrix, first[site]) == pytest.approx(second[site], abs=1e-6)


def test_without_spacing_the_residual_is_in_pixels():
    first = spine()
    found = register(first, moved(first, noise=2.0), SPACING, None)
    assert found.unit == "pixels"
    assert 1 < found.residual < 5


def test_shear_needs_an_affine():
    grid = {f"S{i}": (float(100 + 80 * (i % 4)), float(100 + 90 * (i // 4))) for i in range(16)}
    second = {site: (x + 0.12 * y, 0.97 * y) for site, (x, y) in grid.items()}
    found = register(grid, second, SPACING, SPACING)
    assert found.kind == "affine"
    assert found.residual == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ({}, {}, "no site is marked on both"),
        ({"A": (0, 0)}, {"A": (1, 1)}, "only 1 site is"),
        (
            {"A": (0, 0), "B": (9, 9)},
            {"A": (1, 1), "B": (9, 9)},
            "only 2 sites are marked on both films, and 3",
        ),
    ],
)
def test_too_few_sites_say_so(first, second, said):
    assert said in register(first, second, SPACING, SPACING).reason


def test_mirrored_film_is_not_registered():
    grid = {f"S{i}": (float(100 + 160 * (i % 4)), float(100 + 90 * (i // 4))) for i in range(16)}
    mirrored = {site: (900 - x, y) for site, (x, y) in grid.items()}
    found = register(grid, mirrored, SPACING, SPACING)
    assert isinstance(found, NotRegistered)
    assert "agree" in found.reason or "from where the others" in found.reason


def test_film_of_another_scale_is_not_registered():
    first = spine()
    found = register(first, moved(first, scale=1.8), SPACING, SPACING)
    assert "1.80 times as large" in found.reason


def test_random_places_are_not_registered():
    rng = np.random.default_rng(5)
    first = {f"S{i}": tuple(rng.uniform(0, 1000, 2)) for i in range(20)}
    second = {f"S{i}": tuple(rng.uniform(0, 1000, 2)) for i in range(20)}
    assert isinstance(register(first, second, SPACING, SPACING), NotRegistered)


def test_all_sites_at_one_place_are_not_registered():
    here = {f"S{i}": (5.0, 5.0) for i in range(5)}
    assert isinstance(register(here, here, SPACING, SPACING), NotRegistered)


def test_fingers_that_moved_have_a_movement_of_their_own():
    """Two hands of twenty joints that lie otherwise on the second film: one movement each, none for both."""
    rng = np.random.default_rng(3)
    hands = {}
    for side, left in (("R", 200.0), ("L", 1100.0)):
        for i in range(20):
            hands[f"{side}{i}"] = (
                left + 110 * (i % 5) + rng.normal(0, 9),
                300 + 140 * (i // 5) + rng.normal(0, 9),
            )
    right = {site: place for site, place in hands.items() if site[0] == "R"}
    left = {site: place for site, place in hands.items() if site[0] == "L"}
    second = moved(right, turn=0.12, scale=1) | moved(left, turn=-0.12, scale=1, shift=(10, 220))
    found = register_pair(hands, second, (0.16, 0.16), (0.16, 0.16))
    for site in ("R7", "L12"):
        near = found.near[site]
        assert near.residual < 0.1
        assert through(near.matrix, hands[site]) == pytest.approx(second[site], abs=0.1)


def test_site_comes_to_its_own_place_near_it():
    first = spine(20)
    bent = {s: (x + 0.0004 * (y - 400) ** 2, y) for s, (x, y) in moved(first, noise=1.0).items()}
    found = register_pair(first, bent, SPACING, SPACING)
    assert found.near
    for site, near in found.near.items():
        assert through(near.matrix, first[site]) == pytest.approx(bent[site])


def test_two_features_of_one_joint_count_as_one_place():
    first = spine(4)
    twice = first | {f"{site}.E": place for site, place in first.items()}
    found = register_pair(twice, moved(twice, noise=0), SPACING, SPACING)
    assert found.whole.used == tuple(first)
    two = {site: place for site, place in twice.items() if site.startswith(("S0", "S1"))}
    assert "only 2 sites are" in register(two, moved(two), SPACING, SPACING).reason


def test_rigid_film_needs_no_movement_near_a_site():
    first = spine()
    found = register_pair(first, moved(first), SPACING, SPACING)
    assert isinstance(found.whole, Registration)
    for near in found.near.values():
        assert near.residual < 1e-6


def test_inverse_leads_back():
    first = spine()
    found = register(first, moved(first, noise=1.0), SPACING, SPACING)
    there = through(found.matrix, (321.0, 654.0))
    assert through(inverse(found.matrix), there) == pytest.approx((321.0, 654.0))
