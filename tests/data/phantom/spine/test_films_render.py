"""What a rendered film shows: labels on the bone, lesions where they should be, kinds, domains, bytes."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from data.phantom.spine.body import LABELLED_LEVELS, SITES, make_body
from data.phantom.spine.conditions import WRONG_KINDS, Conditions, draw_conditions, draw_kind
from data.phantom.spine.films import film_conditions, make_film
from data.phantom.spine.placement import place
from data.phantom.spine.render import render_film
from data.phantom.spine.vertebra import spine_attenuation


def coarse(view: str, seed: int = 4, spacing: float = 0.4) -> Conditions:
    """Conditions of a plain film at a coarse pixel, so that tests are quick."""
    c = draw_conditions(np.random.default_rng(seed), view)
    return replace(c, spacing=spacing, rotation=0.0, side_tilt=0.0, foreign=(), collimation=(0.0,) * 4)


def bone(body, c: Conditions, states) -> np.ndarray:
    canvas = spine_attenuation(place(body, c), states)
    return canvas.cortical * 9 + canvas.trabecular


@pytest.mark.parametrize("view", ["cervical", "lumbar"])
def test_a_film_is_the_same_to_the_byte(view):
    states = {SITES[view][3]: (2, 0.5)}
    c = coarse(view)
    first, again = (render_film(make_body(7), states, c, 99) for _ in range(2))
    assert first.pixels.tobytes() == again.pixels.tobytes()
    assert first.pixels.dtype == np.uint16 and first.pixels.max() <= 4095
    other = render_film(make_body(7), states, c, 100)
    assert not np.array_equal(first.pixels, other.pixels)
    assert np.array_equal(first.corners["x"], other.corners["x"])


@pytest.mark.parametrize("view", ["cervical", "lumbar"])
def test_corner_labels_lie_on_the_edge_of_the_bone(view):
    """Just inside the corner there is bone of that vertebra, in front of it none."""
    c = replace(coarse(view, spacing=0.2), sag=1.0)
    body = make_body(12)
    p = place(body, c)
    from data.phantom.spine.canvas import Canvas
    from data.phantom.spine.vertebra import add_vertebral_body

    for site in SITES[view][1:10:4]:
        canvas = Canvas.empty(c)
        frame = p.frames[site[:-1]]
        add_vertebral_body(canvas, p, site[:-1], frame, {})
        amount = canvas.cortical + canvas.trabecular

        def at(mm_back, mm_in, frame=frame, site=site, amount=amount):
            down = frame.axes[1, :2] * (-1 if site.endswith("I") else 1)
            spot = p.corners[site] + frame.magnification * (mm_back * frame.axes[0, :2] + mm_in * down)
            x, y = spot / c.spacing - 0.5
            return float(amount[round(y), round(x)])

        assert at(1.5, 0.6) > 1.0, site
        assert at(-0.7, 0.6) == pytest.approx(0.0, abs=0.05), site
        assert at(1.5, -1.3) == pytest.approx(0.0, abs=0.3), site


@pytest.mark.parametrize(("view", "site"), [("cervical", "C5I"), ("lumbar", "L2I")])
def test_a_lesion_changes_the_bone_only_near_its_corner(view, site):
    body, c = make_body(21), coarse(view)
    plain = bone(body, c, {})
    p = place(body, c)
    facing = SITES[view][SITES[view].index(site) + 1]
    rows, cols = np.indices(plain.shape)
    for state in ((1, 0.6), (2, 0.6), (3, 0.6)):
        changed = np.abs(bone(body, c, {site: state}) - plain) > 0.5
        assert changed.any(), state
        spots = np.array([p.corners[site], p.corners[facing]]) / c.spacing - 0.5
        far = min(np.hypot(cols[changed] - x, rows[changed] - y).max() for x, y in spots)
        assert far * c.spacing < 26 * c.magnification, state


@pytest.mark.parametrize(("view", "site", "facing"), [("cervical", "C4I", "C5S"), ("lumbar", "L3I", "L4S")])
def test_new_bone_grows_with_extent_and_grade(view, site, facing):
    """Bone in the gap between the facing corners never shrinks from a low grade 2 to a wide bridge."""
    body, c = make_body(33), coarse(view)
    p = place(body, c)
    a, b = p.corners[site] / c.spacing, p.corners[facing] / c.spacing
    mask = np.zeros((round(c.field[0] / c.spacing), round(c.field[1] / c.spacing)), np.uint8)
    cv2.line(mask, tuple(np.round(a).astype(int)), tuple(np.round(b).astype(int)), 1, round(9 / c.spacing))
    amounts = []
    for grade in (2, 3):
        for extent in (0.0, 0.35, 0.7, 1.0):
            states = {site: (grade, extent), facing: (grade, extent)}
            amounts.append(float(bone(body, c, states)[mask == 1].sum()))
    plain = float(bone(body, c, {})[mask == 1].sum())
    assert amounts[0] > plain
    assert all(later > earlier for earlier, later in pairwise(amounts)), amounts


def test_erosion_takes_bone_from_the_corner_more_and_more():
    body, c = make_body(21), coarse("lumbar")
    site = next(
        s for s in SITES["lumbar"] if body.corners[s].erosion > 0.8 and body.corners[s].sclerosis < 0.4
    )
    p = place(body, c)
    x, y = np.round(p.corners[site] / c.spacing).astype(int)
    near = (slice(y - 12, y + 13), slice(x - 4, x + 14))
    lost = [float(bone(body, c, {site: (1, extent)})[near].sum()) for extent in (0.0, 0.5, 1.0)]
    assert lost[0] < float(bone(body, c, {})[near].sum())
    assert lost[0] > lost[1] > lost[2]


def test_labels_lie_inside_the_image_or_are_not_visible():
    for seed in range(3):
        view = ("cervical", "lumbar")[seed % 2]
        body, c = film_conditions(5, f"P{seed}", "BL", view, "second", kind="cut_edge")
        film = render_film(body, {}, replace(c, spacing=0.6), 1)
        rows, cols = film.pixels.shape
        t = film.corners
        inside = t["x"].between(0, cols - 1) & t["y"].between(0, rows - 1)
        assert (inside | (t["visibility"] == 0)).all()
        assert (t["visible"] == (t["visibility"] >= 0.12)).all()
        assert t[["x0", "y0"]].ge(0).all().all() and t["x1"].lt(cols).all() and t["y1"].lt(rows).all()
        assert list(t["site"]) == list(SITES[film.view])
        assert set(film.vertebrae["level"]) <= set(LABELLED_LEVELS[film.view])


def test_wrong_films_have_no_labels_and_look_different():
    body = make_body(2)
    pictures = {}
    for kind in WRONG_KINDS:
        c = draw_conditions(np.random.default_rng(1), "lumbar", kind=kind)
        film = render_film(body, {}, replace(c, spacing=1.0), 1)
        assert film.corners.empty and film.vertebrae.empty and film.kind == kind
        pictures[kind] = cv2.resize(film.pixels, (40, 60), interpolation=cv2.INTER_AREA).astype(float)
    middle = (slice(20, 40), slice(12, 28))
    for kind in ("blank", "overexposed"):
        assert pictures[kind][middle].std() < 0.25 * pictures["ap_lumbar"][middle].std()
    with pytest.raises(ValueError, match="kind"):
        draw_conditions(np.random.default_rng(1), "lumbar", kind="upside_down")
    with pytest.raises(ValueError, match="view"):
        draw_conditions(np.random.default_rng(1), "knee")


def test_second_domain_is_processed_differently():
    """Same body and geometry, only the device of the other domain: another grey scale and noise."""
    body = make_body(15)
    c = coarse("lumbar")
    other = draw_conditions(np.random.default_rng(4), "lumbar", "second")
    device = {
        k: getattr(other, k)
        for k in ("device", "contrast", "sharpening", "equalise", "blur", "noise", "shutter", "grid_lines")
    }
    assert other.device not in {draw_conditions(np.random.default_rng(s), "lumbar").device for s in range(30)}
    one, two = render_film(body, {}, c, 1).pixels, render_film(body, {}, replace(c, **device), 1).pixels
    middle = (slice(200, 800), slice(100, 500))
    assert np.abs(one[middle].astype(float) - two[middle].astype(float)).mean() > 60


def test_make_film_follows_from_its_arguments():
    body, c = film_conditions(1, "P1", "BL", "lumbar")
    again, same = film_conditions(1, "P1", "BL", "lumbar")
    later, other = film_conditions(1, "P1", "W52", "lumbar")
    assert body == again == later and c == same and c != other
    assert film_conditions(2, "P1", "BL", "lumbar")[0] != body
    film = make_film(1, "P1", "BL", "cervical", {}, kind="blank")
    assert film.conditions == film_conditions(1, "P1", "BL", "cervical", kind="blank")[1]
    assert film.body_seed == body.seed and film.kind == "blank"
    kinds = [draw_kind(np.random.default_rng(k), poor=0.3, wrong=0.2) for k in range(400)]
    assert 0.12 < np.mean([kind in WRONG_KINDS for kind in kinds]) < 0.28
    assert 0.42 < np.mean([kind == "good" for kind in kinds]) < 0.58
