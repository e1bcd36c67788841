"""Series that go in as files: listed, and loaded as one image."""

import random
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.domain import CohortFilter, Role, Viewer
from core.errors import InputError
from data.dicom.images import load_image, load_preview
from data.dicom.previews import preview_path, write_preview
from data.ingest.run import ingest
from data.queries.series import load_series, series
from data.store.cohort import CohortStore
from data.verify import verify
from tests.helpers.small_films import film, picture, save
from tests.helpers.small_frames import TRIAL, cine, enhanced, slices

ANALYST = Viewer()
READER = Viewer(Role.READER, "R1")


@pytest.fixture
def store(tmp_path):
    made = CohortStore.open(tmp_path / "trial.duckdb")
    with made.write("test", "subjects") as transaction:
        transaction.insert("subject", pd.DataFrame({"subject": ["S1"]}))
        transaction.insert("visit", pd.DataFrame({"subject": ["S1"], "visit": ["BL"], "visit_order": [0]}))
    return made


def take(store, tmp_path, datasets, seed=0):
    """The files under names whose order says nothing."""
    folder = tmp_path / f"delivery{seed}"
    folder.mkdir()
    names = random.Random(seed).sample(range(100), len(datasets))
    for name, dataset in zip(names, datasets, strict=True):
        save(dataset, folder / f"{name:02}.dcm")
    result = ingest(store, [folder], workers=0)
    assert result.ingested == len(datasets), result.refused


def listed(store, viewer=ANALYST):
    return series(store, viewer, CohortFilter())


def test_three_slices_in_three_files_are_one_stack(store, tmp_path):
    files = slices((-4.0, 4.0, 0.0))
    take(store, tmp_path, files)
    found = listed(store)
    assert len(found) == 1
    row = found.iloc[0]
    assert (row.subject, row.visit, row.modality, row.body_part) == ("S1", "BL", "MR", "lumbar spine")
    assert (row.images, row.frames, row.kind) == (3, 3, "stack")
    stack = load_series(store, row.series)
    assert [place[0] for place in stack.positions_mm] == [4, 0, -4]  # the normal points to the right
    for frame, given in zip(stack.frames, (files[1], files[2], files[0]), strict=True):
        assert np.array_equal(frame, given.pixel_array)
    assert (stack.spacing_mm, stack.slice_spacing_mm) == ((0.7, 0.6), 4)
    assert verify(store, films=True).broken == []


def test_uids_of_a_series_are_not_those_of_the_files(store, tmp_path):
    files = slices()
    take(store, tmp_path, files)
    assert listed(store)["series"][0].startswith("2.25.")
    assert listed(store)["series"][0] != files[0].SeriesInstanceUID


def test_slices_scaled_differently_are_brought_to_one_scale(store, tmp_path):
    files = slices((4.0, 0.0, -4.0))
    for number, dataset in enumerate(files, start=1):
        dataset.RescaleSlope, dataset.RescaleIntercept = number, 0
    take(store, tmp_path, files)
    stack = load_series(store, listed(store)["series"][0])
    means = [number * dataset.pixel_array.mean() for number, dataset in enumerate(files, start=1)]
    low, high = (number * pick(files[number - 1].pixel_array) for number, pick in ((1, np.min), (3, np.max)))
    expected = [(mean - low) / (high - low) * 65535 for mean in means]
    assert stack.frames.mean(axis=(1, 2)) == pytest.approx(expected, rel=1e-3)


def test_files_without_positions_are_listed_and_refused_as_a_stack(store, tmp_path):
    take(store, tmp_path, slices(ImageOrientationPatient=None))
    row = listed(store).iloc[0]
    assert (row.images, row.frames, row.kind) == (3, 3, "images")
    with pytest.raises(InputError, match="the files do not say where its slices lie"):
        load_series(store, row.series)


def test_two_slices_at_one_place_are_no_stack(store, tmp_path):
    take(store, tmp_path, slices((0.0, 4.0, 4.0)))
    row = listed(store).iloc[0]
    assert row.kind == "images"
    with pytest.raises(InputError, match="two slices lie at one place"):
        load_series(store, row.series)


def test_an_enhanced_file_is_a_stack_of_its_own(store, tmp_path):
    given = enhanced()
    take(store, tmp_path, [given])
    row = listed(store).iloc[0]
    assert (row.images, row.frames, row.kind, row.slice_spacing_mm) == (1, 3, "stack", 4)
    stack = load_series(store, row.series)
    assert np.array_equal(stack.frames, given.pixel_array)
    assert stack.spacing_mm == (0.5, 0.5)
    assert stack.orientation == ((0, 1, 0), (0, 0, -1))
    assert [place[0] for place in stack.positions_mm] == [4, 0, -4]


def test_a_cine_in_colour_keeps_frames_and_times(store, tmp_path):
    given = cine()
    take(store, tmp_path, [given])
    row = listed(store).iloc[0]
    assert (row.images, row.frames, row.kind) == (1, 3, "cine")
    image = store.query("SELECT image FROM image")["image"][0]
    colour, about = load_preview(store, image)
    assert np.array_equal(colour, given.pixel_array)
    assert (about["frame"], about["frames"]) == (1, 3)
    shown = load_series(store, row.series)
    assert shown.times_ms == (0, 40, 80)
    assert shown.frames.dtype == np.uint16
    grey = given.pixel_array[2, 5, 7] @ np.array([0.299, 0.587, 0.114]) * 257
    assert shown.frames[2, 5, 7] == pytest.approx(grey, abs=1)


def test_a_film_is_a_series_of_one_picture(store, tmp_path):
    pixels = picture(3)
    take(store, tmp_path, [film(pixels, **TRIAL)])
    row = listed(store).iloc[0]
    assert (row.images, row.frames, row.kind) == (1, 1, "film")
    assert np.array_equal(load_series(store, row.series).pixels, pixels)


@pytest.mark.parametrize("make", [enhanced, cine])
def test_a_preview_of_an_older_version_holds_the_middle_frame_and_all_are_read_from_the_file(
    store, tmp_path, make
):
    take(store, tmp_path, [make()])
    image = store.query("SELECT image FROM image")["image"][0]
    now = load_image(store, image)
    pixels, about = load_preview(store, image)
    colour = None if now.colour is None else np.array(now.colour)
    now = replace(now, frames=np.array(now.frames), colour=colour)  # their file is written anew
    older = {
        k: v for k, v in about.items() if k not in {"positions_mm", "orientation", "times_ms", "in_film"}
    }
    middle = np.array(pixels[1])
    write_preview(preview_path(store.folder, image), middle, older)
    then = load_image(store, image)
    assert np.array_equal(then.frames, now.frames)
    assert (then.colour is None) == (colour is None) and (
        colour is None or np.array_equal(then.colour, colour)
    )
    assert replace(then, frames=now.frames, colour=colour) == now


def test_a_reader_sees_series_under_another_name_and_can_open_them(store, tmp_path):
    take(store, tmp_path, slices())
    name = listed(store, READER)["series"][0]
    assert name != listed(store)["series"][0]
    assert load_series(store, name, READER).frames.shape == (3, 48, 40)
    assert listed(store, READER)["visit"][0] != "BL"


def test_an_unknown_series_is_refused(store):
    with pytest.raises(InputError, match="series nothing; no image of it is in the cohort"):
        load_series(store, "nothing")
