"""How the bone itself is built: plates against walls, spurs that stand on bone, early change and wear."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from data.phantom.spine.body import SITES, make_body
from data.phantom.spine.canvas import Canvas
from data.phantom.spine.conditions import Conditions, draw_conditions
from data.phantom.spine.lesions import add_new_bone, advance, share_of
from data.phantom.spine.placement import Placement, place
from data.phantom.spine.vertebra import add_vertebral_body


def square(view: str) -> Conditions:
    """A film on which endplates are seen along their plane."""
    c = draw_conditions(np.random.default_rng(4), view)
    return replace(c, spacing=0.2, rotation=0.0, side_tilt=0.0, sag=1.0, collimation=(0.0,) * 4)


def bodies(p: Placement, levels, states) -> Canvas:
    canvas = Canvas.empty(p.conditions)
    for level in levels:
        add_vertebral_body(canvas, p, level, p.frames[level], states)
    return canvas


@pytest.mark.parametrize("level", ["L2", "L3", "L4"])
def test_endplates_are_brighter_than_walls_and_the_posterior_wall_opens_at_the_pedicle(level):
    p = place(make_body(12), square("lumbar"))
    cortical = bodies(p, [level], {}).cortical
    v, frame = p.frames[level].vertebra, p.frames[level]

    def peak(a, h, along_a: bool):
        """Largest cortical path on a short line across an edge."""
        t = np.linspace(-3.5, 3.5, 71)
        points = frame.project(a + t * along_a, h + t * (not along_a), 0.0) / p.conditions.spacing - 0.5
        x, y = np.round(points).astype(int).T
        return float(cortical[y, x].max())

    plate = np.mean(
        [peak(0.4 * v.depth * k, end * v.anterior / 2, False) for k in (-1, 1) for end in (-1, 1)]
    )
    front = peak(-v.depth + v.waist_anterior, 0.0, True)
    pedicle = peak(v.depth - v.waist_posterior, -0.2 * v.posterior, True)
    below = peak(v.depth - v.waist_posterior, 0.22 * v.posterior, True)
    assert plate > 1.4 * front
    assert pedicle < below < plate


def test_a_spur_on_an_eroded_corner_stands_on_bone():
    """New bone and the vertebra that it belongs to are one piece, however far the erosion has gone."""
    checked = 0
    for seed in range(16):
        body = make_body(seed)
        for view in SITES:
            sites = [s for s in SITES[view] if body.spurs.get(s, 0) > 1.0 and body.corners[s].erosion > 0.8]
            if not sites:
                continue
            site, p = sites[0], place(body, square(view))
            for extent in (0.0, 0.5, 1.0):
                states = {site: (1, extent)}
                canvas = bodies(p, [site[:-1]], states)
                only = replace(p, body=replace(body, spurs={site: body.spurs[site]}))
                add_new_bone(canvas.cortical, canvas.trabecular, canvas.pixel, only, states)
                shown = ((canvas.cortical + canvas.trabecular) > 0.25).astype(np.uint8)
                _, _, stats, _ = cv2.connectedComponentsWithStats(shown)
                areas = np.sort(stats[1:, cv2.CC_STAT_AREA])[::-1] * p.conditions.spacing**2
                assert areas[1:].sum() < 0.3, (seed, site, extent, areas)
                checked += 1
    assert checked >= 9


def test_early_change_grows_through_the_grades_on_top_of_wear():
    steps = [(0, 0.0), (0, 0.6), (0, 1.0), (1, 0.0), (1, 0.5), (1, 1.0)]
    assert all(b > a for a, b in pairwise(advance(state) for state in steps))
    corners = [corner for seed in range(20) for corner in make_body(seed).corners.values()]
    wear = np.array([corner.wear for corner in corners])
    assert wear.min() >= 0 and wear.max() < 0.3 and np.median(wear) < 0.1
    for corner in corners[:60]:
        shares = [share_of(corner, state) for state in steps]
        assert all(b > a for a, b in pairwise(shares)) and shares[-1] <= 1
    overlap = np.mean([share_of(c, (0, 0.3)) > share_of(corners[0], (1, 0.05)) for c in corners])
    assert overlap < 0.25  # a normal corner is seldom taken for an early erosion
