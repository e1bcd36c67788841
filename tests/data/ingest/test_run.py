"""Films into the cohort: rows, files, duplicates, assignment, and what survives a kill."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import pytest

from core.errors import InputError, StoreError
from data.dicom.images import load_image, load_preview, stored_film
from data.dicom.previews import film_path, preview_path
from data.dicom.pseudonyms import open_key
from data.dicom.read import quiet, read_dicom
from data.dicom.stored_file import image_of
from data.ingest.assign_images import assign_images
from data.ingest.run import ingest
from data.ingest.worker import CRASHED
from data.store.cohort import CohortStore
from data.verify import verify
from tests.helpers import tasks
from tests.helpers.deliveries import files_of, image_rows, take
from tests.helpers.paths import ROOT
from tests.helpers.small_films import as_bytes, film, picture, save, trial_film


@pytest.fixture
def delivery(tmp_path):
    folder = tmp_path / "delivery"
    folder.mkdir()
    return folder


def add_subjects(store, *subjects, visits=(("BL", 0), ("W52", 364), ("W104", 728)), window=30):
    frame = pd.DataFrame({"subject": list(subjects)})
    rows = [
        {
            "subject": s,
            "visit": v,
            "visit_order": n,
            "planned_day": d,
            "window_before": window,
            "window_after": window,
        }
        for s in subjects
        for n, (v, d) in enumerate(visits)
    ]
    with store.write("test", "subjects") as transaction:
        transaction.insert("subject", frame)
        transaction.insert("visit", pd.DataFrame(rows))


# -- one film ------------------------------------------------------------------------------


def test_a_film_comes_in_with_its_row_copy_and_preview(store, delivery):
    pixels = picture(1)
    window = {"WindowCenter": 2000, "WindowWidth": 4000}
    save(film(pixels, bits=12, BodyPartExamined="LSPINE", ViewPosition="LL", **window), delivery / "a.dcm")
    result = take(store, delivery)
    assert (result.found, result.ingested, result.already_there, result.refused) == (1, 1, 0, [])
    row = image_rows(store).iloc[0]
    assert (row.modality, row.body_part, row.view) == ("DX", "lumbar spine", "lateral")
    assert (row.row_count, row.column_count, row.frame_count, row.bits_stored) == (48, 40, 1, 12)
    assert (row.spacing_row_mm, row.spacing_column_mm) == (0.2, 0.2)
    assert (row.window_centre, row.window_width) == (2000, 4000)
    assert json.loads(row.classification)["view"]["source"] == "ViewPosition"
    assert json.loads(row.warnings) == []
    assert np.array_equal(pydicom.dcmread(stored_film(store, row.image)).pixel_array, pixels)


def test_the_stored_film_bears_the_name_of_its_content(store, delivery):
    save(film(picture(1), bits=12), delivery / "a.dcm")
    with open(pydicom.data.get_testdata_file("JPEG2000.dcm"), "rb") as stream:
        (delivery / "b.dcm").write_bytes(stream.read())
    take(store, delivery)
    for image in image_rows(store)["image"]:
        path = stored_film(store, image)
        assert image_of(path) == image
        path.write_bytes(path.read_bytes()[:-40] + b"0" * 40)
        assert image_of(path) != image


def test_verify_reads_every_stored_film(store, delivery):
    for number in range(3):
        save(film(picture(number), seed=f"film{number}"), delivery / f"f{number}.dcm")
    take(store, delivery)
    paths = [film_path(store.folder, image) for image in image_rows(store)["image"]]
    whole = verify(store, films=True)
    assert (whole.broken, whole.films, verify(store).films) == ([], 3, None)
    paths[0].unlink()
    content = bytearray(paths[1].read_bytes())
    content[-3] ^= 1
    paths[1].write_bytes(content)
    found = verify(store, films=True).broken
    assert [item["event"] for item in found] == [image_rows(store)["event"][0]] * 2
    assert "is missing" in found[0]["reason"] and paths[0].stem[:12] in found[0]["reason"]
    assert "was changed" in found[1]["reason"] and paths[1].stem[:12] in found[1]["reason"]
    assert verify(store).broken == []  # rows alone are whole


def test_a_film_is_loaded_for_scorer_and_viewer(store, delivery):
    pixels = picture(1)
    inverted = {
        "PhotometricInterpretation": "MONOCHROME1",
        "BodyPartExamined": "CSPINE",
        "ViewPosition": "LL",
    }
    save(film(pixels, bits=12, **inverted), delivery / "a.dcm")
    take(store, delivery)
    image = image_rows(store)["image"][0]
    loaded = load_image(store, image)
    assert np.array_equal(loaded.pixels, 4095 - pixels)
    assert loaded.pixels.dtype == np.uint16
    assert (loaded.image, loaded.spacing_mm, loaded.body_part, loaded.view) == (
        image, (0.2, 0.2), "cervical spine", "lateral",
    )  # fmt: skip
    shown, about = load_preview(store, image)
    assert np.array_equal(shown, loaded.pixels)
    assert about["colour"] is False
    assert about["photometric"] == "MONOCHROME1"


@pytest.mark.parametrize("photometric", ["MONOCHROME2", "MONOCHROME1"])
def test_a_plain_film_is_not_stored_twice(store, delivery, photometric):
    pixels = picture(1, rows=300, columns=200)
    save(film(pixels, bits=12, PhotometricInterpretation=photometric), delivery / "plain.dcm")
    take(store, delivery)
    image = image_rows(store)["image"][0]
    shown, about = load_preview(store, image)
    assert np.array_equal(shown, pixels if photometric == "MONOCHROME2" else 4095 - pixels)
    assert not shown.flags.writeable
    assert "in_film" in about
    assert preview_path(store.folder, image).stat().st_size < 2000


@pytest.mark.parametrize(
    "change",
    ["inverted and signed", "with a table", "signed", "big endian", "padded bits", "8 bits", "deflated"],
)
def test_any_other_film_has_a_picture_of_its_own(store, delivery, change):
    bits = 8 if change == "8 bits" else 12
    pixels = picture(1, bits=bits)
    dataset = film(pixels.astype(np.int16) - 2048 if "signed" in change else pixels, bits=bits)
    if "inverted" in change:
        dataset.PhotometricInterpretation = "MONOCHROME1"
    if change == "with a table":
        table = pydicom.Dataset()
        table.LUTDescriptor, table.LUTData = [4096, 0, 16], list(range(0, 8192, 2))
        table["LUTDescriptor"].VR = table["LUTData"].VR = "US"
        dataset.VOILUTSequence = pydicom.Sequence([table])
    if change == "padded bits":
        dataset.PixelData = (pixels | 0xF000).tobytes()
    if change == "big endian":
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRBigEndian
        dataset.PixelData = pixels.astype(">u2").tobytes()
    if change == "deflated":
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    save(dataset, delivery / "a.dcm")
    take(store, delivery)
    shown, about = load_preview(store, image_rows(store)["image"][0])
    expected = {"inverted and signed": lambda: 4095 - pixels, "with a table": lambda: 2 * pixels}
    assert np.array_equal(shown, expected.get(change, lambda: pixels)())
    assert ("in_film" in about) is (change == "deflated")


def test_colour_stays_colour_for_the_viewer_and_is_brightness_for_the_scorer(store, delivery):
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[:20] = (255, 255, 255)
    pixels[20:30] = (255, 0, 0)
    save(film(pixels, Modality="US", SOPClassUID="1.2.840.10008.5.1.4.1.1.6.1"), delivery / "a.dcm")
    take(store, delivery)
    image = image_rows(store)["image"][0]
    shown, about = load_preview(store, image)
    assert np.array_equal(shown, pixels)
    assert about["colour"] is True
    grey = load_image(store, image).pixels
    assert (grey[0, 0], grey[35, 0]) == (65535, 0)
    assert grey[25, 0] == pytest.approx(0.299 * 65535, abs=1)


def test_a_cine_keeps_all_frames_and_shows_the_middle_one_first(store, delivery):
    frames = np.stack([picture(n, bits=8) for n in range(5)])
    save(film(frames, Modality="US"), delivery / "cine.dcm")
    take(store, delivery)
    row = image_rows(store).iloc[0]
    shown, about = load_preview(store, row.image)
    assert row.frame_count == 5
    assert (about["frame"], about["frames"]) == (2, 5)
    assert np.array_equal(shown, frames)
    assert np.array_equal(load_image(store, row.image).frames, frames)
    assert np.array_equal(pydicom.dcmread(stored_film(store, row.image)).pixel_array, frames)


def test_missing_files_are_made_anew_and_no_row_is_doubled(store, delivery):
    save(film(picture(1), bits=12), delivery / "a.dcm")
    take(store, delivery)
    image = image_rows(store)["image"][0]
    before = preview_path(store.folder, image).read_bytes()
    preview_path(store.folder, image).unlink()
    with pytest.raises(StoreError, match="ingest"):
        load_preview(store, image)
    result = take(store, delivery)
    assert (result.ingested, result.already_there) == (0, 1)
    assert preview_path(store.folder, image).read_bytes() == before
    assert len(image_rows(store)) == 1


def test_a_missing_film_file_is_named(store):
    with pytest.raises(StoreError, match=r"film 0123456789ab is missing"):
        stored_film(store, "0123456789abcdef")


# -- many files ------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [0, 2])
def test_bad_files_are_refused_one_by_one_and_the_rest_comes_in(store, delivery, workers):
    for number in range(3):
        save(film(picture(number), bits=12), delivery / f"film{number}.dcm")
    content = as_bytes(film(picture(7), bits=12))
    (delivery / "cut.dcm").write_bytes(content[:-900])
    (delivery / "empty.dcm").write_bytes(b"")
    (delivery / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0" + b"\0" * 100)
    result = ingest(store, [delivery], workers=workers)
    assert (result.found, result.ingested) == (6, 3)
    reasons = {row["file"]: row["reason"] for row in result.refused}
    assert list(reasons) == ["cut.dcm", "empty.dcm", "photo.jpg"]
    assert "cut short" in reasons["cut.dcm"]
    kept = store.query("SELECT source, reason, content FROM refused ORDER BY reason")
    assert sorted(kept["reason"]) == sorted(reasons.values())
    assert not any("photo" in text or "cut.dcm" in text for text in kept["content"])


def test_a_table_among_films_is_sent_to_the_right_command(store, delivery):
    (delivery / "reads.csv").write_text("subject,visit,grade\nS1,BL,0\n")
    assert "'sharpline reads'" in take(store, delivery).refused[0]["reason"]


def test_a_second_run_finds_everything_there_and_writes_nothing(store, delivery):
    for number in range(4):
        save(film(picture(number), bits=12), delivery / f"{number}.dcm")
    (delivery / "note.txt").write_text("hello")
    take(store, delivery)
    version, before = store.version(), image_rows(store)
    result = take(store, delivery)
    assert (result.ingested, result.already_there, len(result.refused)) == (0, 4, 1)
    assert store.version() == version
    pd.testing.assert_frame_equal(image_rows(store), before)


def test_nothing_points_at_the_source_folder(store, delivery):
    save(film(picture(1), bits=12), delivery / "Mueller_Hans" / "film.dcm")
    take(store, delivery)
    for path in [store.path, *store.folder.rglob("*")]:
        if path.is_file():
            content = path.read_bytes()
            assert b"Mueller_Hans" not in content
            assert str(delivery).encode() not in content


def test_progress_counts_every_file(store, delivery):
    for number in range(3):
        save(film(picture(number), bits=12), delivery / f"{number}.dcm")
    seen = []
    take(store, delivery, progress=lambda done, total, name: seen.append((done, total, name)))
    assert seen == [(1, 3, "0.dcm"), (2, 3, "1.dcm"), (3, 3, "2.dcm")]


def test_a_zip_and_a_folder_of_the_same_films_are_the_same(store, delivery, tmp_path):
    for number in range(3):
        save(film(picture(number), bits=12), delivery / f"{number}.dcm")
    with zipfile.ZipFile(tmp_path / "site.zip", "w") as archive:
        for path in sorted(delivery.iterdir()):
            archive.write(path, path.name)
    assert take(store, tmp_path / "site.zip").ingested == 3
    assert take(store, delivery).already_there == 3


def test_the_same_rows_come_out_of_any_number_of_workers(tmp_path, delivery):
    for number in range(9):
        save(trial_film(number, f"S{number % 3}", "BL"), delivery / f"{number}.dcm")
    tables = []
    for workers in (0, 2):
        store = CohortStore.open(tmp_path / f"cohort{workers}.duckdb")
        (tmp_path / "cohort0.duckdb.key").exists() and (tmp_path / f"cohort{workers}.duckdb.key").write_bytes(
            (tmp_path / "cohort0.duckdb.key").read_bytes()
        )
        ingest(store, [delivery], workers=workers)
        tables.append(image_rows(store).drop(columns=["event"]))
    pd.testing.assert_frame_equal(*tables)


# -- duplicates -----------------------------------------------------------------------------------


def test_the_same_film_in_another_encoding_is_a_double(store, delivery):
    dataset = film(picture(1), bits=12)
    save(dataset, delivery / "a.dcm")
    packed = pydicom.dcmread(delivery / "a.dcm")
    packed.compress(pydicom.uid.RLELossless, generate_instance_uid=False)
    save(packed, delivery / "b.dcm")
    result = take(store, delivery)
    assert (result.ingested, result.already_there) == (1, 1)
    assert result.duplicates == [
        {"file": "b.dcm", "same_as": "a.dcm", "how": "same SOP instance UID and pixels"}
    ]


def test_the_same_pixels_under_another_uid_are_a_double(store, delivery):
    save(film(picture(1), bits=12), delivery / "a.dcm")
    take(store, delivery)
    result = take(store, save(film(picture(1), bits=12, SOPInstanceUID="1.2.3.4"), delivery / "b.dcm"))
    (double,) = result.duplicates
    assert double["how"] == "same pixels under another SOP instance UID"
    assert double["same_as"].startswith("image ")
    assert len(image_rows(store)) == 1
    assert len(list(store.folder.rglob("*.dcm"))) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ClinicalTrialSubjectID": "S2"}, "for subject S2 instead of S1"),
        ({"ClinicalTrialTimePointID": "W52"}, "for visit W52 instead of BL"),
    ],
)
def test_one_picture_for_two_patients_or_visits_is_refused(store, delivery, change, words):
    save(trial_film(1, "S1", "BL"), delivery / "a.dcm")
    again = trial_film(1, "S1", "BL", SOPInstanceUID="1.2.3.4", **change)
    save(again, delivery / "b.dcm")
    result = take(store, delivery)
    (refused,) = result.refused
    assert refused["file"] == "b.dcm"
    assert refused["reason"].startswith(f"the same picture as a.dcm, but {words}")
    assert len(image_rows(store)) == 1


def test_one_picture_under_two_patient_numbers_is_refused(store, delivery):
    save(film(picture(1), bits=12), delivery / "a.dcm")
    save(film(picture(1), bits=12, PatientID="OTHER", SOPInstanceUID="1.2.3.4"), delivery / "b.dcm")
    assert "another patient number" in take(store, delivery).refused[0]["reason"]


def test_other_pixels_under_the_same_uid_come_in_with_a_warning(store, delivery):
    save(film(picture(1), bits=12, SOPInstanceUID="1.2.3.4"), delivery / "a.dcm")
    save(film(picture(2), bits=12, SOPInstanceUID="1.2.3.4"), delivery / "b.dcm")
    result = take(store, delivery)
    assert result.ingested == 2
    assert result.flagged == [
        {
            "file": "b.dcm",
            "warnings": [
                "another picture has the same SOP instance UID: one of the two was changed after it was made"
            ],
        }
    ]


def test_blank_films_are_not_taken_for_doubles_of_each_other(store, delivery):
    blank = np.zeros((20, 20), np.uint16)
    for uid in ("1.2.3.1", "1.2.3.2"):
        save(film(blank, SOPInstanceUID=uid), delivery / f"{uid}.dcm")
    result = take(store, delivery)
    assert result.ingested == 2
    assert all("blank" in row["warnings"][0] for row in result.flagged)


# -- whose film, which visit ---------------------------------------------------------------------


def assigned(store) -> list[tuple]:
    frame = store.query(
        "SELECT d.trial_subject, i.subject, i.visit, i.assigned_by FROM image i JOIN delivery d USING (image)"
        " WHERE i.superseded_by IS NULL AND d.superseded_by IS NULL ORDER BY i.film_date, i.image"
    )
    return [tuple(None if pd.isna(v) else v for v in row) for row in frame.itertuples(index=False)]


def test_trial_tags_decide_while_the_study_has_no_list_of_subjects(store, delivery):
    save(trial_film(1, "S1", "BL"), delivery / "a.dcm")
    take(store, delivery)
    assert assigned(store) == [("S1", "S1", "BL", "clinical_trial_tags")]


def test_trial_tags_follow_the_studys_own_spelling(store, delivery):
    add_subjects(store, "S-001")
    save(trial_film(1, "s 001", "Week 52"), delivery / "a.dcm")
    save(trial_film(2, "S001", "baseline"), delivery / "b.dcm")
    take(store, delivery)
    assert [row[1:3] for row in assigned(store)] in (
        [("S-001", "W52"), ("S-001", "BL")],
        [("S-001", "BL"), ("S-001", "W52")],
    )


def test_a_subject_that_the_study_does_not_know_stays_open_until_it_does(store, delivery):
    add_subjects(store, "S1")
    save(trial_film(1, "S2", "BL"), delivery / "a.dcm")
    result = take(store, delivery)
    assert assigned(store) == [("S2", None, None, None)]
    assert "subject S2 (Clinical Trial tags) is not among the subjects" in result.unassigned[0]["reason"]
    add_subjects(store, "S2")
    again = assign_images(store)
    assert (again.changed, again.unassigned) == (1, [])
    assert assigned(store) == [("S2", "S2", "BL", "clinical_trial_tags")]


def test_the_order_of_films_and_subjects_does_not_matter(tmp_path, delivery):
    films = [
        ("S1", "BL", "20200101"),
        ("S1", None, "20201230"),
        ("S9", "BL", "20200101"),
        ("S1", "W52", "20210105"),
    ]
    for number, (subject, visit, day) in enumerate(films):
        dataset = trial_film(number, subject, visit or "", day)
        if visit is None:
            del dataset.ClinicalTrialTimePointID
        save(dataset, delivery / f"{number}.dcm")
    outcomes = []
    for first in ("films", "subjects"):
        store = CohortStore.open(tmp_path / f"{first}.duckdb")
        if first == "subjects":
            add_subjects(store, "S1")
        take(store, delivery)
        if first == "films":
            add_subjects(store, "S1")
            assign_images(store)
        outcomes.append(sorted(assigned(store), key=str))
    assert outcomes[0] == outcomes[1]
    assert ("S9", None, None, None) in outcomes[0]
    assert ("S1", "S1", "W52", "clinical_trial_tags+dates") in outcomes[0]


def test_a_map_file_speaks_where_tags_are_silent(store, delivery, tmp_path):
    save(film(picture(1), bits=12, PatientID="H1"), delivery / "site3" / "h1_bl.dcm")
    save(film(picture(2), bits=12, PatientID="H1"), delivery / "site3" / "h1_w52.dcm")
    save(trial_film(3, "S7", "BL"), delivery / "site3" / "x.dcm")
    table = tmp_path / "map.csv"
    table.write_text(
        "File;Subject;Visit\nsite3/*_w52.dcm;S1;W52\nh1_bl.dcm;S1;BL\nx.dcm;S8;BL\n", encoding="utf-8"
    )
    result = take(store, delivery, map_file=table)
    assert sorted(assigned(store), key=str) == sorted(
        [
            ("S7", "S7", "BL", "clinical_trial_tags"),
            (None, "S1", "BL", "map"),
            (None, "S1", "W52", "map"),
        ],
        key=str,
    )
    assert result.unassigned == []
    assert "the file says subject S7, the map file says S8" in assign_images(store).notes[0]["reason"]


def test_a_map_that_comes_later_assigns_films_that_are_there(store, delivery, tmp_path):
    save(film(picture(1), bits=12, PatientID="H1"), delivery / "a.dcm")
    take(store, delivery)
    assert assigned(store) == [(None, None, None, None)]
    table = tmp_path / "map.csv"
    table.write_text("patient,subject,visit\nH1,S1,BL\n", encoding="utf-8")
    result = take(store, delivery, map_file=table)
    assert (result.ingested, result.already_there) == (0, 1)
    assert assigned(store) == [(None, "S1", "BL", "map")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "subject, and one of file, patient, study or image are needed"),
        ("file,subject\n", "no row of it names both"),
        (None, "no such file"),
    ],
)
def test_a_map_that_cannot_be_used_is_an_error(store, delivery, tmp_path, text, message):
    save(film(), delivery / "a.dcm")
    table = tmp_path / "map.csv"
    if text is not None:
        table.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        take(store, delivery, map_file=table)


def test_a_patient_number_that_is_a_subject_number_is_recognised_even_later(store, delivery):
    save(film(picture(1), bits=12, PatientID="01-701"), delivery / "a.dcm")
    take(store, delivery)
    assert assigned(store) == [(None, None, None, None)]
    add_subjects(store, "01-701")
    assign_images(store)
    assert assigned(store)[0][1:] == ("01-701", None, "patient_number")


def dated(delivery, subject, days, first=date(2020, 1, 15), **tags):
    for number, day in enumerate(days):
        taken = f"{first + timedelta(days=day):%Y%m%d}"
        dataset = film(picture(100 + number), bits=12, PatientID=subject, StudyDate=taken, **tags)
        save(dataset, delivery / f"{subject}_{number}.dcm")


def test_dates_decide_by_visit_windows(store, delivery):
    add_subjects(store, "S1")
    dated(delivery, "S1", [0, 380, 700])
    take(store, delivery)
    assert [row[2:] for row in assigned(store)] == [
        ("BL", "patient_number+dates"),
        ("W52", "patient_number+dates"),
        ("W104", "patient_number+dates"),
    ]


def test_a_date_outside_every_window_stays_open_and_no_other_film_is_guessed(store, delivery):
    add_subjects(store, "S1")
    dated(delivery, "S1", [0, 200])
    result = take(store, delivery)
    assert [row[2] for row in assigned(store)] == [None, None]
    assert len(result.unassigned) == 2


def test_a_single_date_is_no_evidence_of_a_visit(store, delivery):
    add_subjects(store, "S1")
    dated(delivery, "S1", [0])
    take(store, delivery)
    assert assigned(store)[0][1:] == ("S1", None, "patient_number")


def test_one_known_visit_places_the_others(store, delivery):
    add_subjects(store, "S1")
    save(film(picture(1), bits=12, PatientID="S1", StudyDate="20210113", ClinicalTrialTimePointID="W52"),
         delivery / "known.dcm")  # fmt: skip
    dated(delivery, "S1", [740])
    take(store, delivery)
    assert [row[2] for row in assigned(store)] == ["W52", "W104"]


def test_a_date_of_baseline_places_even_a_single_film(store, delivery):
    key = open_key(store.path, may_create=True)
    save(trial_film(1, "s 1", "", "20210113", ClinicalTrialTimePointID=None), delivery / "a.dcm")
    add_subjects(store, "S1")
    shifted = date(2020, 1, 15) - timedelta(days=key.days_back("S1"))
    row = store.query("SELECT * EXCLUDE (event, superseded_by) FROM subject").assign(baseline_date=shifted)
    with store.write("test", "subjects") as transaction:
        transaction.supersede("subject", row[["subject"]])
        transaction.insert("subject", row)
    take(store, delivery)
    assert assigned(store) == [("s 1", "S1", "W52", "clinical_trial_tags+dates")]


def test_what_a_person_assigned_stays(store, delivery):
    save(trial_film(1, "S1", "BL"), delivery / "a.dcm")
    take(store, delivery)
    row = store.query("SELECT * EXCLUDE (event, superseded_by) FROM image WHERE superseded_by IS NULL")
    with store.write("somebody", "assign") as transaction:
        transaction.supersede("image", row[["image"]])
        transaction.insert("image", row.assign(subject="S2", visit="W52", assigned_by="person"))
    assert assign_images(store).changed == 0
    assert assigned(store) == [("S1", "S2", "W52", "person")]


def test_the_old_assignment_stays_in_the_trail(store, delivery):
    save(trial_film(1, "S1", "BL"), delivery / "a.dcm")
    take(store, delivery)
    add_subjects(store, "s1")
    assign_images(store)
    rows = store.query("SELECT subject, superseded_by IS NULL AS is_current FROM image ORDER BY event")
    assert list(rows.itertuples(index=False, name=None)) == [("S1", False), ("s1", True)]


# -- kills ---------------------------------------------------------------------------------------


def run_ingest(cohort: Path, folder: Path, workers: int = 1) -> subprocess.Popen:
    code = (
        "import sys; from data.store.cohort import CohortStore; from data.ingest.run import ingest\n"
        "if __name__ == '__main__':\n"
        "    ingest(CohortStore.open(sys.argv[1]), [sys.argv[2]], workers=int(sys.argv[3]))\n"
    )
    script = cohort.parent / "run_ingest.py"
    script.write_text(code, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, str(script), str(cohort), str(folder), str(workers)], env=environment
    )


def rows_of(store) -> dict[str, pd.DataFrame]:
    """Everything that ingest writes, without the numbers of events."""
    tables = {}
    for table in ("image", "delivery", "refused"):
        frame = store.query(f"SELECT * FROM {table}")
        if "superseded_by" in frame:
            frame = frame[frame["superseded_by"].isna()]
        frame = frame.drop(columns=[c for c in ("event", "superseded_by") if c in frame])
        tables[table] = frame.sort_values(list(frame.columns[:4])).reset_index(drop=True)
    return tables


@pytest.mark.slow
def test_killed_at_random_moments_and_started_again_it_ends_in_the_same_rows(tmp_path, delivery):
    for number in range(64):
        save(trial_film(number, f"S{number % 5}", ("BL", "W52")[number % 2]), delivery / f"{number:02}.dcm")
    save(trial_film(3, "S3", "W52", SOPInstanceUID="1.2.9"), delivery / "double.dcm")
    save(trial_film(3, "S4", "W52", SOPInstanceUID="1.2.8"), delivery / "other_patient.dcm")
    (delivery / "note.txt").write_text("hello")
    undisturbed = CohortStore.open(tmp_path / "undisturbed.duckdb")
    whole = ingest(undisturbed, [delivery], workers=0)
    assert (whole.ingested, whole.already_there, len(whole.refused)) == (64, 1, 2)

    store = CohortStore.open(tmp_path / "killed.duckdb")
    (tmp_path / "killed.duckdb.key").write_bytes((tmp_path / "undisturbed.duckdb.key").read_bytes())
    dice = random.Random(20)
    kills = 0
    for workers in (0, 1, 0):
        process = run_ingest(store.path, delivery, workers)
        before = len(image_rows(store))
        while len(image_rows(store)) == before and process.poll() is None:
            time.sleep(0.01)
        time.sleep(dice.uniform(0, 0.05))
        kills += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert kills >= 1
    ingest(store, [delivery], workers=0)
    for table, expected in rows_of(undisturbed).items():
        pd.testing.assert_frame_equal(rows_of(store)[table], expected)
    assert files_of(store) == files_of(undisturbed)


def test_what_a_dead_process_left_is_cleared_away(store, delivery):
    save(film(picture(1), bits=12), delivery / "a.dcm")
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    left = store.folder / ".staging" / f"{process.pid}-abc"
    left.mkdir(parents=True)
    (left / "x.dcm").write_bytes(b"half")
    living = store.folder / ".staging" / f"{os.getpid()}-abc"
    living.mkdir()
    take(store, delivery)
    assert not left.exists()
    assert living.exists()


@pytest.mark.parametrize("count", [1, 5])
def test_a_film_that_crashes_the_reader_is_refused_and_the_rest_comes_in(store, delivery, monkeypatch, count):
    for number in range(count):
        save(film(picture(number), bits=12), delivery / f"{number}.dcm")
    monkeypatch.setattr("data.ingest.outcomes.read_apart", tasks.read_or_crash)
    result = ingest(store, [delivery], workers=2)
    assert result.ingested == count - 1
    assert result.refused == [{"file": "0.dcm", "reason": CRASHED}]


def test_two_ingests_at_once_make_no_double_rows(store, delivery):
    for number in range(20):
        save(film(picture(number), bits=12), delivery / f"{number}.dcm")
    processes = [run_ingest(store.path, delivery, workers=0) for _ in range(2)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    stored = image_rows(store)
    assert len(stored) == stored["image"].nunique() == 20
    assert all(preview_path(store.folder, image).exists() for image in stored["image"])


# -- the real files --------------------------------------------------------------------------------


@pytest.mark.real
def test_every_real_dicom_image_comes_in_and_every_other_file_is_refused(store, shared):
    folder = shared / "real" / "dicom-conformance"
    result = take(store, folder, shared / "real" / "hand-radiograph")
    refused = {row["file"]: row["reason"] for row in result.refused}
    with quiet():
        for path in sorted(folder.glob("*.dcm")):
            kind = pydicom.dcmread(path, stop_before_pixels=True, force=True)
            is_image = "SEG" not in str(kind.get("Modality", "")) and not path.name.startswith("parametric")
            readable = path.stem != "emri_small_jpeg_2k_lossless_too_short"
            assert (path.name not in refused) is (is_image and readable), path.name
    assert result.found == result.ingested + result.already_there + len(refused)
    assert all("Traceback" not in reason and "Error" not in reason for reason in refused.values())
    hand = store.query("SELECT body_part, laterality FROM image WHERE device = 'CR500'")
    assert hand.iloc[0].tolist() == ["hand", "R"]


@pytest.mark.real
@pytest.mark.parametrize(
    "name", ["emri_small", "US1_UNCR", "SC_rgb_16bit", "gdcm-US-ALOKA-16_big", "JPEG-LL"]
)
def test_stored_real_films_decode_to_the_delivered_pixels(store, shared, name):
    path = shared / "real" / "dicom-conformance" / f"{name}.dcm"
    take(store, path)
    (image,) = image_rows(store)["image"]
    with quiet():
        before, after = pydicom.dcmread(path), pydicom.dcmread(film_path(store.folder, image))
        assert np.array_equal(before.pixel_array, after.pixel_array)
        assert before.file_meta.TransferSyntaxUID == after.file_meta.TransferSyntaxUID
        with film_path(store.folder, image).open("rb") as stream:
            assert read_dicom(stream).warnings == []
