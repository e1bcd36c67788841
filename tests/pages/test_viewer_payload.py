"""What the film viewer sends to the browser; that it never needs the models."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from core.domain import Viewer
from core.figures.style import DARK, LIGHT, MODEL_COLOUR
from data.store.cohort import CohortStore
from pages.common import viewer
from pages.common.page import Page
from pages.common.viewer import ViewedBox, ViewedFilm, ViewedLayer, ViewedMask, ViewedPolygon, stored_films
from tests.helpers import small_cohort
from tests.helpers.paths import ROOT


def film(shift=0.0, spacing=(0.5, 0.5), sites=6, image="a"):
    boxes = tuple(
        ViewedBox(f"S{i}", 10 + shift, 40 * i, 30 + shift, 40 * i + 20, "#8A99A8") for i in range(sites)
    )
    return ViewedFilm(image, "BL", pixels=np.zeros((300, 200), np.uint16), spacing_mm=spacing, boxes=boxes)


def unrolled(mask):
    flat, value = [], False
    for long in mask.runs:
        flat += [value] * long
        value = not value
    return np.array(flat).reshape(mask.rows, mask.columns)


def test_mask_becomes_runs_and_back():
    rng = np.random.default_rng(4)
    whole = np.zeros((40, 60), bool)
    whole[7:21, 30:55] = rng.random((14, 25)) < 0.4
    whole[7, 30] = whole[20, 54] = True
    kept = ViewedMask.of("R1", whole, site="S1")
    assert (kept.x0, kept.y0, kept.rows, kept.columns) == (30, 7, 14, 25)
    assert (unrolled(kept) == whole[7:21, 30:55]).all()


def test_empty_mask_has_no_rows():
    assert ViewedMask.of("R1", np.zeros((5, 5), bool)).runs == ()


def test_full_mask_begins_with_an_empty_run():
    assert ViewedMask.of("R1", np.ones((2, 3), bool)).runs == (0, 6)


def test_shapes_say_their_kind():
    shapes = (ViewedPolygon("R1", ((0, 0), (5, 0), (0, 5))), ViewedMask.of("R2", np.ones((2, 3), bool)))
    sent = viewer._payload(ViewedFilm("a", "BL", shapes=shapes), "place")["shapes"]
    assert [(shape["kind"], shape["layer"]) for shape in sent] == [("polygon", "R1"), ("mask", "R2")]


def test_a_stack_says_how_many_frames_it_has():
    stack = ViewedFilm(
        "a", "BL", pixels=np.zeros((3, 20, 10), np.uint16), frame_notes=("0 mm", "4 mm", "8 mm")
    )
    sent = viewer._payload(stack, "place")
    assert (sent["frames"], sent["rows"], sent["columns"]) == (3, 20, 10)
    assert sent["notes"] == ["0 mm", "4 mm", "8 mm"]
    assert viewer._payload(film(), "place")["frames"] == 1


def test_pair_carries_its_registration():
    found = viewer._registration([film(), film(shift=7.5, image="b")])
    assert found["whole"]["matrix"] == pytest.approx([1, 0, 0, 1, 7.5, 0], abs=1e-9)
    assert (found["whole"]["unit"], found["whole"]["used"], found["reason"]) == ("mm", 6, "")


@pytest.mark.parametrize(
    "films", [[film()], [film(), film()], [film(), ViewedFilm("b", "W52", message="No film.")]]
)
def test_one_film_has_no_registration(films):
    assert viewer._registration(films) is None


def test_pair_that_shares_no_site_says_why():
    found = viewer._registration([film(), film(sites=0, image="b")])
    assert found["whole"] is None
    assert "no site is marked on both films" in found["reason"]


def test_bare_head_is_a_layer():
    assert viewer._layer("R1") == viewer._layer(ViewedLayer("R1", "R1")) | {"title": "R1"}


def test_layers_follow_the_colour_rules():
    kinds = {"R1": "human", "R2": "human", "model:m": "model", "truth": "consensus"}
    layers = {layer.code: layer for layer in stored_films.heads(kinds)}
    assert [layer.short for layer in layers.values()] == ["R1", "R2", "M", "T"]
    assert layers["model:m"].colour == MODEL_COLOUR
    assert {layers["R1"].colour, layers["R2"].colour} <= set(DARK.people)
    assert (layers["truth"].colour, layers["truth"].dash) == (DARK.text, "dash")
    assert layers["R1"].dash == layers["model:m"].dash == "solid"


def test_sites_without_a_box_keep_their_grades():
    system = small_cohort.SYSTEM
    box = ViewedBox("C3S", 0, 0, 9, 9, "#8A99A8")
    grades = pd.DataFrame({"site": ["C3S", "C4S", "L2S"], "label": "R1", "grade": [0, 2, 1]})
    ((site, cells),) = stored_films.unplaced_of((box,), grades, {"R1": "human"}, system, "cervical")
    assert (site, cells[0][0]) == ("C4S", "2")


def test_caption_names_study_version_weights_and_phantom(cohort_file, monkeypatch):
    state = {"version": 2, "blinded": False, "phantom": True, "study": "Trial 1", "last_writes": {}}
    page = Page(str(cohort_file), state, Viewer(), LIGHT)
    said = stored_films.caption_of(page, "P4", small_cohort.SYSTEM)
    assert (said.study, said.patient, said.system, said.version) == ("Trial 1", "P4", "mSASSS", 2)
    assert (said.weights, said.phantom) == (small_cohort.WEIGHTS[:12], True)
    assert CohortStore(page.path).exists()


def test_viewer_never_imports_the_models():
    code = (
        "import sys, pages.common.viewer, pages.common.viewer.stored_films; "
        "heavy = {'torch', 'torchvision', 'ultralytics', 'models'}; "
        "print(sorted({m.split('.')[0] for m in sys.modules} & heavy))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.strip() == "[]"


def stacked(places, image, **more):
    pixels = np.zeros((len(places), 20, 20), np.uint16)
    return ViewedFilm(
        image, image, pixels=pixels, spacing_mm=(1, 1), places_mm=places, within_mm=1.75, **more
    )


def test_slices_of_two_stacks_are_partners_by_place_and_not_by_number():
    one, two = stacked((-3.5, 0.0, 3.5), "a"), stacked((0.4, 3.9, 30.0), "b")
    assert viewer._partners([one, two]) == [[None, 0, 1], [1, 2, None]]
    assert viewer._partners([one]) is None and viewer._partners([one, film()]) is None


def test_stacks_are_registered_by_their_landmarks_and_never_by_marks_of_lesions():
    marks = tuple((f"L{i}", (10.0 + i % 2, 4.0 * i)) for i in range(5))
    moved = tuple((name, (x + 3, y - 2)) for name, (x, y) in marks)
    pair = [stacked((0.0,), "a", landmarks=marks), stacked((0.0,), "b", landmarks=moved)]
    found = viewer._registration(pair)
    assert found["whole"]["matrix"][4:] == pytest.approx([3, -2])
    bare = [stacked((0.0,), "a", boxes=film().boxes), stacked((0.0,), "b", boxes=film().boxes)]
    assert viewer._registration(bare)["whole"] is None


def test_colour_goes_out_as_red_green_and_blue_and_a_cine_with_its_times():
    pixels = np.zeros((4, 30, 20, 3), np.uint8)
    cine = ViewedFilm("a", "BL", pixels=pixels, times_ms=(0, 40, 80, 120), graded=(2,))
    sent = viewer._payload(cine, "k")
    assert (sent["frames"], sent["rows"], sent["columns"], sent["colour"]) == (4, 30, 20, True)
    assert (sent["times"], sent["graded"]) == ([0, 40, 80, 120], [2])
    single = viewer._payload(ViewedFilm("a", "BL", pixels=pixels[0]), "k")
    assert (single["frames"], single["rows"], single["colour"], single["graded"]) == (1, 30, True, [])
    grey = viewer._payload(film(), "k")
    assert (grey["frames"], grey["rows"], grey["colour"]) == (1, 300, False)
