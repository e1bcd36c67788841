"""Proportions of phantom spines against real ones, and where the labels lie."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from data.phantom.spine.body import SITES, make_body
from data.phantom.spine.conditions import POOR_KINDS, draw_conditions
from data.phantom.spine.placement import outline, place, rim, visibility
from data.phantom.spine.render import box_of

BODIES = 60
MEASURED = {"cervical": ("C3", "C4", "C5", "C6", "C7"), "lumbar": ("L1", "L2", "L3", "L4", "L5")}


def measures(view: str) -> pd.DataFrame:
    """The measures of ``geometry_quantiles.csv`` on placed spines, with its definitions: long frame
    measure, level, value."""
    rows = []
    for seed in range(BODIES):
        c = draw_conditions(np.random.default_rng(seed), view)
        p = place(make_body(seed), c)
        quads = {level: outline(p.frames[level]) for level in p.frames}
        height = {level: float(np.hypot(*(q[3] - q[0]))) for level, q in quads.items()}
        median = float(np.median([height[level] for level in MEASURED[view]]))
        centre = {level: q.mean(axis=0) for level, q in quads.items()}
        for level in MEASURED[view]:
            edge = quads[level][3] - quads[level][0]
            reach = np.hypot(*(centre[level] - (quads[level][0] + quads[level][3]) / 2))
            rows.append(
                ("anterior_edge_tilt_deg_from_vertical", level, np.degrees(np.arctan2(edge[0], edge[1])))
            )
            rows.append(("anterior_edge_to_centroid/own_height", level, reach / height[level]))
            rows.append(("body_anterior_height/median_height", level, height[level] / median))
        for upper, lower in zip(SITES[view][0::2], SITES[view][1::2], strict=True):
            a, b = upper[:-1], lower[:-1]
            gap = np.hypot(*(p.corners[lower] - p.corners[upper]))
            step = centre[b] - centre[a]
            rows.append(("anterior_disc_gap/adjacent_height", f"{a}-{b}", 2 * gap / (height[a] + height[b])))
            rows.append(("centroid_step/median_height", f"{a}-{b}", np.hypot(*step) / median))
            rows.append(("centroid_step_deg_from_vertical", f"{a}-{b}", np.degrees(np.arctan2(*step))))
        rows.append(("median_height/image_height", "all", median / c.field[0]))
        rows.append(
            ("spine_x_centre/image_width", "all", np.mean([v[0] for v in centre.values()][1:-3]) / c.field[1])
        )
    return pd.DataFrame(rows, columns=["measure", "level", "value"])


@pytest.mark.real
@pytest.mark.parametrize("view", ["cervical", "lumbar"])
def test_proportions_are_those_of_real_films(shared, view):
    table = pd.read_csv(shared / "real" / "spine-radiograph-geometry" / "geometry_quantiles.csv")
    table = table[table["cls"] == view]
    checked = 0
    for (measure, level), values in measures(view).groupby(["measure", "level"])["value"]:
        real = table[(table["measure"] == measure) & (table["level"] == level)]
        if real.empty or (level == "C2-C3" and measure.startswith("centroid_step")):
            continue  # how much of C2 was outlined differs between the sources
        low, high = real["5%"].min(), real["95%"].max()
        within = float(((values >= low) & (values <= high)).mean())
        assert within >= 0.85, (measure, level, round(within, 2), low, high, values.describe().to_dict())
        assert real["25%"].min() <= values.median() <= real["75%"].max(), (measure, level, values.median())
        checked += 1
    assert checked >= 25


@pytest.mark.parametrize("view", ["cervical", "lumbar"])
def test_corner_is_the_front_of_the_projected_rim(view):
    for seed in range(6):
        p = place(make_body(seed), draw_conditions(np.random.default_rng(seed), view))
        for site, at in p.corners.items():
            frame = p.frames[site[:-1]]
            points = frame.project(
                *rim(frame.vertebra, np.radians(np.linspace(-70, 70, 281)), site.endswith("I"))
            )
            assert np.hypot(*(points - at).T).min() < 0.1 * frame.magnification
            assert at @ frame.axes[0, :2] <= (points @ frame.axes[0, :2]).min() + 0.5 * frame.magnification


def test_corners_run_from_head_to_foot_and_boxes_hold_them():
    for view in ("cervical", "lumbar"):
        p = place(make_body(5), draw_conditions(np.random.default_rng(5), view))
        heights = [p.corners[site][1] for site in SITES[view]]
        assert heights == sorted(heights)
        for site in SITES[view]:
            box = box_of(p, site)
            assert np.all(box[:2] < p.corners[site]) and np.all(p.corners[site] < box[2:])
            assert 10 < (box[2] - box[0]) < 18


def test_body_stays_the_same_and_posture_varies_between_visits():
    body = make_body(3)
    assert body == make_body(3)
    first, second = (place(body, draw_conditions(np.random.default_rng(k), "lumbar")) for k in (0, 1))
    assert first.frames["L3"].vertebra == second.frames["L3"].vertebra
    assert not np.allclose(first.frames["L3"].axes, second.frames["L3"].axes)


def test_visibility_follows_shoulders_edges_and_exposure():
    body = make_body(8)

    def seen(view, kind, seed=0):
        return visibility(draw_conditions(np.random.default_rng(seed), view, kind=kind), body)

    good, hidden = seen("cervical", "good"), seen("cervical", "shoulders")
    assert set(good) == set(SITES["cervical"])
    assert hidden["T1S"] < 0.6 * good["C4S"] and hidden["T1S"] < good["T1S"]
    assert hidden["C3S"] == pytest.approx(good["C3S"])
    assert np.mean(list(seen("lumbar", "underexposed").values())) < 0.8 * np.mean(
        list(seen("lumbar", "good").values())
    )
    assert any(min(seen("lumbar", "cut_edge", seed).values()) == 0.0 for seed in range(4))
    assert set(seen("lumbar", "blank").values()) == {0.0}
    for kind in ("good", *POOR_KINDS):
        assert all(0.0 <= value <= 1.0 for value in seen("lumbar", kind, 2).values())


def test_second_domain_has_transitional_vertebrae_and_the_first_has_none():
    assert not any(make_body(seed).transitional for seed in range(60))
    kinds = {make_body(seed, domain="second").transitional for seed in range(60)}
    assert kinds == {"", "lumbarised", "sacralised"}
