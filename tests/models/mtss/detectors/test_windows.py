"""Windows cover the film, padding is zero, boxes come back where they were, empty windows hold no joint."""

import numpy as np
import pytest

from data.phantom.hands.films import make_hand_film
from models.mtss import film_scale
from models.mtss.detectors import windows


@pytest.mark.parametrize(("rows", "columns"), [(835, 1005), (300, 300), (301, 300), (120, 80), (900, 1050)])
def test_windows_cover_every_pixel_at_the_stride(rows, columns):
    seen = np.zeros((rows, columns), int)
    places = windows.origins(rows, columns)
    for x, y in places:
        seen[y : y + windows.SIDE, x : x + windows.SIDE] += 1
    assert seen.min() >= 1
    assert set(np.diff(np.unique(places[:, 0]))) <= {150}
    assert (places[0] == 0).all()
    assert len({tuple(p) for p in places.tolist()}) == len(places)


def test_a_film_of_the_paper_has_thirty_windows():
    assert len(windows.origins(1670 // 2, 2010 // 2)) == 5 * 6


def test_what_lies_beyond_the_film_is_zero():
    film = np.ones((350, 310), np.float32)
    window = windows.cut(film, np.array([150, 150]))
    assert window.shape == (300, 300)
    assert window[:200, :160].min() == 1
    assert window[200:].max() == 0
    assert window[:, 160:].max() == 0
    assert windows.cut(film, np.array([-50, -20]))[:20].max() == 0


def test_half_size_of_the_papers_film_is_half():
    pixels = np.random.default_rng(0).integers(0, 1023, (1670, 2010), dtype=np.uint16)
    for spacing in (None, (0.15, 0.15)):
        small, factors = film_scale.half_size(pixels, spacing)
        assert small.shape == (835, 1005)
        assert factors == (0.5, 0.5)
        assert (small.min(), small.max()) == (0, 1)


def test_a_film_of_finer_pixels_comes_to_the_same_millimetres():
    small, factors = film_scale.half_size(np.zeros((2500, 2048), np.uint16), (0.115, 0.115))
    assert small.shape == (958, 785)
    assert small.max() == 0
    assert factors == pytest.approx((785 / 2048, 958 / 2500))


def test_boxes_come_back_to_the_film():
    box = np.array([[100.0, 220.0, 161.0, 290.0]])
    factors = (0.5, 0.5)
    origin = np.array([150, 300])
    in_window = np.array([[10.0, 20.0, 40.0, 60.0]])
    on_scan = windows.to_scan(in_window, origin)
    assert on_scan.tolist() == [[160, 320, 190, 360]]
    assert film_scale.to_film(on_scan, factors).tolist() == [[320, 640, 380, 720]]
    assert film_scale.to_film(film_scale.to_half_size(box, factors), factors) == pytest.approx(box)


def test_windows_of_bare_air_are_empty_and_padding_does_not_count():
    rng = np.random.default_rng(1)
    film = 0.1 + 0.02 * rng.standard_normal((600, 700)).astype(np.float32)
    film[200:400, 350:420] = 0.9
    content = windows.has_content(film, np.array([[0, 0], [150, 150], [600, 450], [-200, -200]]))
    assert content.tolist() == [False, True, False, False]
    assert not windows.has_content(np.full((400, 400), 0.3, np.float32), np.array([[0, 0]])).any()


@pytest.mark.parametrize("kind", ["one_hand", "underexposed"])
def test_leaving_out_empty_windows_loses_no_joint(kind):
    """Every window that shows a joint whole is kept, on a film with much air and on a dark one."""
    drawn = make_hand_film(5, "S1", "BL", "hands", {}, kind=kind, spacing=film_scale.HALF_SIZE_MM)
    film, factors = film_scale.half_size(drawn.pixels, drawn.spacing_mm)
    places = windows.origins(*film.shape)
    kept = windows.has_content(film, places)
    boxes = film_scale.to_half_size(drawn.joints[["x0", "y0", "x1", "y1"]].to_numpy(float), factors)
    whole = (boxes[:, None, :2] >= places[None]) & (boxes[:, None, 2:] <= places[None] + windows.SIDE)
    shows = whole.all(axis=2)
    assert len(boxes) > 20
    assert not shows[:, ~kept].any()
    assert kept.all() or kind == "one_hand"
    assert kept.sum() <= 24 or kind != "one_hand"
