"""Series as files of any name and order become stacks, each right or with what is wrong said by name."""

import random

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from core.domain import CohortFilter, Role, Viewer
from core.errors import InputError
from core.imaging.sequences import STIR, T1, T2_WATER, TIRM
from data.ingest.image_map import read_image_map
from data.ingest.run import ingest
from data.queries import cohort
from data.queries.stacks import (
    Found,
    load,
    open_series,
    series_list,
    stack_named,
    stacks,
    stacks_of_visit,
    table,
)  # fmt: skip
from data.scoring.filing import Run, pending_films
from data.store.cohort import CohortStore
from data.study.held_films import release
from data.tables.export import export
from data.verify import verify
from tests.helpers.small_films import film, save
from tests.helpers.small_frames import TRIAL, cine, enhanced, slices

ANALYST = Viewer()
AXIAL = [1, 0, 0, 0, 1, 0]
STIR_TAGS = {
    "ScanningSequence": ["SE", "IR"], "InversionTime": "160", "EchoTime": "60", "RepetitionTime": "4000",
    "SliceThickness": "3.5", "SeriesDescription": "t2 stir sag lws", "ProtocolName": "Miller stir",
    "PixelSpacing": [6.0, 6.0],
}  # fmt: skip
T1_TAGS = {
    "ScanningSequence": "SE", "EchoTime": "10", "RepetitionTime": "600", "SliceThickness": "3.5",
    "SeriesDescription": "t1 sag lws", "PixelSpacing": [6.0, 6.0],
}  # fmt: skip
PLACES = (8.0, 0.0, 4.0, 12.0, 16.0)
SEVERAL = {"max_examples": 3, "deadline": None, "derandomize": True, "phases": [Phase.generate]}


def store_at(folder):
    folder.mkdir(parents=True)
    made = CohortStore.open(folder / "trial.duckdb")
    with made.write("test", "subjects") as transaction:
        transaction.insert("subject", pd.DataFrame({"subject": ["S1"]}))
        transaction.insert("visit", pd.DataFrame({"subject": ["S1"], "visit": ["BL"], "visit_order": [0]}))
    return made


@pytest.fixture
def store(tmp_path):
    return store_at(tmp_path / "cohort")


def take(store, folder, datasets, seed=0):
    """Files under names whose order says nothing; what the import says of series."""
    folder.mkdir()
    names = random.Random(seed).sample(range(1000), len(datasets))
    for name, dataset in zip(names, datasets, strict=True):
        save(dataset, folder / f"{name:03}.dcm")
    result = ingest(store, [folder], workers=0)
    assert result.ingested == len(datasets), result.refused
    return result


def found(store, viewer=ANALYST):
    return stacks(store, viewer, CohortFilter())


@settings(**SEVERAL, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(PLACES), st.permutations(range(1, 6)), st.integers(0, 10_000))
def test_files_in_any_order_with_any_names_and_numbers_are_one_stack(tmp_path_factory, places, numbers, seed):
    folder = tmp_path_factory.mktemp("any")
    store = store_at(folder / "cohort")
    files = slices(tuple(places), **STIR_TAGS)
    for dataset, number in zip(files, numbers, strict=True):
        dataset.InstanceNumber = number
    take(store, folder / "in", files, seed)
    (one,) = found(store)
    assert (one.sequence.value, one.region.value, one.stack.plane) == (STIR, "lumbar", "sagittal")
    assert (one.stack.spacing_mm, one.stack.gap_mm, one.problems, one.why_not()) == (4, 0.5, (), ())
    image = load(store, one)
    by_place = sorted(
        zip(places, files, strict=True), key=lambda pair: -pair[0]
    )  # the normal points to the right
    for frame, (_, dataset) in zip(image.frames, by_place, strict=True):
        assert np.array_equal(frame, dataset.pixel_array)
    assert (image.sequence, image.region, image.slice_thickness_mm) == (STIR, "lumbar", 3.5)


def test_a_missing_slice_is_said_by_import_and_query(store, tmp_path):
    result = take(store, tmp_path / "in", slices((0.0, 4.0, 12.0, 16.0), **STIR_TAGS))
    (one,) = found(store)
    assert "a slice is missing" in one.problems[0]
    assert result.series == [one.row()]
    assert (result.series[0]["readable"], result.series[0]["why_not"]) == (False, list(one.problems))
    assert load(store, one).frames.shape[0] == 4  # it can be looked at


def test_a_slice_that_is_held_back_says_that_it_is_no_missing_file(store, tmp_path):
    files = slices((0.0, 4.0, 8.0, 12.0), **STIR_TAGS)
    files[1].BurnedInAnnotation = "YES"
    result = take(store, tmp_path / "in", files)
    assert len(result.held) == 1
    (one,) = found(store)
    assert "a slice is missing" in one.problems[0]
    assert "1 slice of its series is held back for text in the pixels" in one.problems[0]
    (as_reader,) = found(store, Viewer(Role.READER, "R1"))
    assert "held back" not in as_reader.problems[0]
    release(store, [result.held[0]["image"]], actor="x", reason="looked at")
    assert found(store)[0].problems == ()


def test_a_doubled_slice_is_said_and_not_loaded(store, tmp_path):
    take(store, tmp_path / "in", slices((0.0, 4.0, 8.0, 8.0), **STIR_TAGS))
    (one,) = found(store)
    assert "two slices at one place" in one.problems[0] and one.why_not()
    with pytest.raises(InputError, match="two slices lie at one place"):
        load(store, one)


def test_two_series_in_one_folder_are_two_stacks(store, tmp_path):
    files = [*slices(series="a", **STIR_TAGS), *slices((1.0, 5.0, 9.0), series="b", **T1_TAGS)]
    for number, dataset in enumerate(files):
        dataset.PixelData = (dataset.pixel_array + np.uint16(number)).tobytes()
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number}"
    take(store, tmp_path / "in", files)
    both = found(store)
    assert {(one.sequence.value, len(one.stack.slices)) for one in both} == {(STIR, 3), (T1, 3)}
    assert all(not one.problems for one in both)
    assert [one.why_not() == () for one in sorted(both, key=lambda one: one.sequence.value)] == [True, False]


def test_two_contrasts_under_one_series_are_taken_apart_and_can_be_opened(store, tmp_path):
    files = [*slices((0.0, 4.0, 8.0), **STIR_TAGS), *slices((0.0, 4.0, 8.0), **T1_TAGS)]
    for number, dataset in enumerate(files):
        dataset.PixelData = (dataset.pixel_array + np.uint16(number)).tobytes()
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number}"
    take(store, tmp_path / "in", files)
    both = found(store)
    assert [one.name.rpartition("/")[2] for one in both] == ["1", "2"]
    for one in both:
        image = load(store, stack_named(store, one.name))
        wanted = files[:3] if one.sequence.value == STIR else files[3:]
        assert sorted(image.frames.mean(axis=(1, 2))) == sorted(own.pixel_array.mean() for own in wanted)
    with pytest.raises(InputError, match="it holds 2 stacks"):
        stack_named(store, both[0].name[:-2])


def test_every_row_of_the_list_opens_or_says_why_not(store, tmp_path):
    without = slices((0.0, 4.0), series="b", **{**T1_TAGS, "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]})
    for number, dataset in enumerate(without):
        del dataset.ImageOrientationPatient
        dataset.PixelData = (dataset.pixel_array + np.uint16(7 + number)).tobytes()
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number}"
    take(store, tmp_path / "in", [*slices((8.0, 0.0, 4.0), **STIR_TAGS), *without, cine()])
    rows = series_list(store, ANALYST, CohortFilter()).sort_values("kind", ascending=False, ignore_index=True)
    assert rows["kind"].tolist() == ["stack", "images", "cine"]
    assert rows["sequence"].fillna("").tolist() == [STIR, T1, ""] and rows["images"].tolist() == [3, 2, 1]
    assert rows["slice_spacing_mm"].tolist()[0] == 4
    whole = open_series(store, rows["series"][0])
    assert (whole.sequence, [place[0] for place in whole.positions_mm]) == (STIR, [8, 4, 0])
    with pytest.raises(InputError, match="the files do not say where its slices lie"):
        open_series(store, rows["series"][1])
    assert open_series(store, rows["series"][2]).times_ms == (0, 40, 80)


def test_an_enhanced_file_with_frames_in_any_order_is_sorted(store, tmp_path):
    take(store, tmp_path / "in", [enhanced((8.0, -4.0, 4.0, 0.0), AcquisitionContrast="T2")])
    (one,) = found(store)
    assert one.problems == () and one.stack.spacing_mm == 4
    assert [place[0] for place in load(store, one).positions_mm] == [8, 4, 0, -4]


def test_water_and_fat_in_one_enhanced_file_are_two_stacks(store, tmp_path):
    file = enhanced((0.0, 0.0, 4.0, 4.0, 8.0, 8.0), SeriesDescription="t2_tse_dixon_sag")
    for group, kind in zip(file.PerFrameFunctionalGroupsSequence, ["WATER", "FAT"] * 3, strict=True):
        item = Dataset()
        item.FrameType = ["DERIVED", "PRIMARY", "DIXON", kind]
        group.MRImageFrameTypeSequence = [item]
    take(store, tmp_path / "in", [file])
    both = found(store)
    assert [len(one.stack.slices) for one in both] == [3, 3]
    water = load(store, next(one for one in both if one.stack.slices[0].frame == 4))
    assert np.array_equal(water.frames, file.pixel_array[[4, 2, 0]])
    assert {one.sequence.value for one in both} <= {"", T2_WATER}


def test_frames_of_two_directions_in_one_enhanced_file_are_taken_apart(store, tmp_path):
    file = enhanced((0.0, 4.0, 8.0, 0.0, 4.0))
    shared = file.SharedFunctionalGroupsSequence[0]
    del shared.PlaneOrientationSequence
    for number, group in enumerate(file.PerFrameFunctionalGroupsSequence):
        item = Dataset()
        item.ImageOrientationPatient = AXIAL if number > 2 else [0, 1, 0, 0, 0, -1]
        group.PlaneOrientationSequence = [item]
        if number > 2:
            group.PlanePositionSequence[0].ImagePositionPatient = [0, 0, 5 * number]
    take(store, tmp_path / "in", [file])
    both = found(store)
    assert [(one.stack.plane, len(one.stack.slices)) for one in both] == [("sagittal", 3), ("axial", 2)]
    assert "two orientations in one series" in both[0].problems[0]
    assert np.array_equal(load(store, both[0]).frames, file.pixel_array[[2, 1, 0]])


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"ImageOrientationPatient": AXIAL, "ImagePositionPatient": None}, "say where its slices lie"),
        ({"ImageOrientationPatient": None}, "say where its slices lie"),
        ({"PixelSpacing": None}, "how many millimetres a pixel is"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "a localiser"),
        ({"SeriesDescription": "localizer stir"}, "a localiser"),
        ({"BodyPartExamined": "KNEE", "SeriesDescription": "stir sag"}, "shows the knee, not the spine"),
    ],
)
def test_what_stands_against_reading_is_said(store, tmp_path, tags, reason):
    files = slices((0.0, 4.0, 8.0), **{**STIR_TAGS, **{k: v for k, v in tags.items() if v is not None}})
    for dataset in files:
        for keyword in (name for name, value in tags.items() if value is None):
            del dataset[keyword]
    take(store, tmp_path / "in", files)
    (one,) = found(store)
    assert any(reason in words for words in one.why_not())


def test_axial_slices_are_a_stack_that_no_scorer_of_sagittal_ones_reads(store, tmp_path):
    files = slices((0.0, 4.0, 8.0), **{**STIR_TAGS, "ImageOrientationPatient": AXIAL})
    for number, dataset in enumerate(files):
        dataset.ImagePositionPatient = [0, 0, 4 * number]
    take(store, tmp_path / "in", files)
    (one,) = found(store)
    assert (one.stack.plane, one.problems, one.why_not()) == ("axial", (), ("is axial, not sagittal",))


def test_a_slice_of_another_size_is_named(store, tmp_path):
    files = slices((0.0, 4.0, 8.0, 12.0), **STIR_TAGS)
    files[3].Rows, files[3].PixelData = 24, files[3].pixel_array[:24].tobytes()
    take(store, tmp_path / "in", files)
    assert [len(one.stack.slices) for one in found(store)] == [3, 1]
    assert "sizes differ in one series: 3 of 48 x 40, 1 of 24 x 40" in found(store)[0].problems


def test_signed_values_of_16_bits_keep_their_order(store, tmp_path):
    files = slices((0.0, 4.0, 8.0), **STIR_TAGS)
    for number, dataset in enumerate(files):
        values = (np.arange(48 * 40).reshape(48, 40) * (number + 1) - 900 - 100 * number).astype("<i2")
        dataset.BitsAllocated = dataset.BitsStored = 16
        dataset.HighBit, dataset.PixelRepresentation = 15, 1
        dataset.PixelData = values.tobytes()
    take(store, tmp_path / "in", files)
    image = load(store, found(store)[0])
    shifted = image.frames.astype(int) - int(image.frames[2, 0, 0])
    for frame, dataset in zip(shifted, reversed(files), strict=True):
        assert np.array_equal(frame, dataset.pixel_array.astype(int) + 900)


def test_words_of_the_header_are_used_and_not_kept(store, tmp_path):
    take(store, tmp_path / "in", slices(**STIR_TAGS))
    for path in (tmp_path / "cohort").rglob("*.dcm"):
        content = path.read_bytes()
        assert b"Miller" not in content and b"lws" not in content
    kept = store.query("SELECT classification, acquisition FROM image")
    assert not kept.astype(str).apply(lambda column: column.str.contains("Miller|lws")).any().any()


def test_a_reader_sees_stacks_under_other_names_and_opens_them(store, tmp_path):
    take(store, tmp_path / "in", slices(**STIR_TAGS))
    reader = Viewer(Role.READER, "R1")
    (one,) = found(store, reader)
    assert one.name != found(store)[0].name
    assert load(store, stack_named(store, one.name, reader)).frames.shape == (3, 48, 40)


def test_the_stacks_of_a_visit_and_as_a_table(store, tmp_path):
    take(store, tmp_path / "in", slices(**STIR_TAGS))
    assert stacks_of_visit(store, ANALYST, "S1", "BL") == found(store)
    assert stacks_of_visit(store, ANALYST, "S1", "W12") == []
    row = table(found(store)).iloc[0]
    assert (row["sequence"], row["sequence_from"], row["slices"], row["readable"]) == (
        STIR,
        "from tags",
        3,
        True,
    )
    assert row["sequence_confidence"] > 0.8 and row["problems"] == ""


def test_stacks_are_a_table_of_the_export(store, tmp_path):
    take(store, tmp_path / "in", slices((0.0, 4.0, 12.0), **STIR_TAGS))
    export(store, "series", tmp_path / "s.csv")
    (row,) = pd.read_csv(tmp_path / "s.csv").to_dict("records")
    assert (row["subject"], row["visit"], row["region"], row["sequence"]) == ("S1", "BL", "lumbar", STIR)
    assert (row["slices"], row["spacing_mm"], row["gap_mm"], row["readable"]) == (3, 4, 0.5, False)
    assert row["problems"] == row["why_not"] and "a slice is missing" in row["problems"]


def test_a_series_counts_as_one_image_and_is_no_film_for_models_of_films(store, tmp_path):
    take(store, tmp_path / "in", [*slices((0.0, 4.0, 8.0), **STIR_TAGS), film(**TRIAL)])
    assert cohort.counts(store, ANALYST)["images"].tolist() == [2]
    assert cohort.subjects(store, ANALYST, CohortFilter())["films"].tolist() == [2]
    by_part = cohort.films_by_visit(store, ANALYST, CohortFilter())
    assert dict(zip(by_part["body_part"], by_part["films"], strict=True)) == {"lumbar spine": 1, "unknown": 1}
    assert cohort.films_for(store, ANALYST, "any", ())["films"].tolist() == [1]
    run = Run("r", "any", "model:r", "c", "single", "w", "{}")
    (waiting,) = pending_films(store, run)["image"]
    assert store.query(f"SELECT modality FROM image WHERE image = '{waiting}'")["modality"][0] == "DX"


def test_an_unknown_series_is_refused(store):
    with pytest.raises(InputError, match="no image of it is in the cohort"):
        stack_named(store, "nothing")


def test_a_map_states_sequence_and_region_where_the_files_do_not(store, tmp_path):
    files = slices(
        (0.0, 4.0, 8.0),
        **{**STIR_TAGS, "SeriesDescription": "sag", "InversionTime": None, "ProtocolName": ""},
    )
    folder = tmp_path / "in"
    take(store, folder, files)
    assert (found(store)[0].sequence.value, found(store)[0].region.value) == ("", "lumbar")
    said = tmp_path / "map.csv"
    said.write_text("file,subject,visit,sequence,region\n*.dcm,S1,BL,tirm,Thoracic\n")
    again = ingest(store, [folder], map_file=said, workers=0)
    assert (again.ingested, again.already_there) == (0, 3)
    (one,) = found(store)
    assert (one.sequence, one.region) == (Found(TIRM, "as stated", 1.0), Found("thoracic", "as stated", 1.0))
    assert one.why_not() == ()
    version = store.meta()["cohort_version"]
    ingest(store, [folder], map_file=said, workers=0)
    assert found(store) == [one] and store.meta()["cohort_version"] == version
    assert verify(store, films=True).broken == []


def test_a_map_states_it_at_the_first_import(store, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for number, dataset in enumerate(slices(**{**STIR_TAGS, "SeriesDescription": "sag"})):
        save(dataset, folder / f"{number}.dcm")
    (tmp_path / "map.csv").write_text("file,subject,sequence\n*,,T2 fat-suppressed\n")
    result = ingest(store, [folder], map_file=tmp_path / "map.csv", workers=0)
    assert {(row["sequence"], row["sequence_from"]) for row in result.series} == {
        ("T2 fat-suppressed", "as stated")
    }


@pytest.mark.parametrize(("column", "value"), [("sequence", "STIRR"), ("region", "neck")])
def test_a_map_with_an_unknown_name_is_refused_by_row(tmp_path, column, value):
    (tmp_path / "map.csv").write_text(f"file,subject,{column}\na.dcm,S1,\nb.dcm,S1,{value}\n")
    with pytest.raises(InputError, match=f"row 2: {column} {value}"):
        read_image_map(tmp_path / "map.csv")
