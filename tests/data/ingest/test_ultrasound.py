"""Ultrasound into the cohort: what is kept of it, what it shows, whose text holds it back."""

import json

import numpy as np
import pandas as pd
import pytest
from pydicom.sequence import Sequence

from core.domain import Box
from data.dicom.images import load_image, load_preview, stored_film
from data.dicom.read import quiet, read_dicom
from tests.helpers.deliveries import image_rows, take
from tests.helpers.drawn_ultrasound import Screen, draw
from tests.helpers.small_films import save
from tests.helpers.ultrasound_files import region, scan_file

CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
SMALL = Screen(size=(120, 160), scan=(20, 24, 140, 110), mark="", text="", flow=16)


@pytest.fixture
def delivery(tmp_path):
    folder = tmp_path / "delivery"
    folder.mkdir()
    return folder


def only_row(store):
    rows = image_rows(store)
    assert len(rows) == 1
    return rows.iloc[0]


def test_joint_side_view_mode_and_areas_are_kept_with_how_they_were_found(store, delivery):
    save(scan_file(SMALL), delivery / "one.dcm")
    assert take(store, delivery).ingested == 1
    row = only_row(store)
    assert (row["joint"], row["laterality"], row["view"], row["mode"]) == (
        "MCP2",
        "R",
        "dorsal longitudinal",
        "PD",
    )
    record = json.loads(row["classification"])
    assert record["joint"]["source"] == "SeriesDescription" and record["joint"]["confidence"] == 0.8
    assert record["mode"]["source"] == "pixels"
    assert (row["spacing_row_mm"], row["spacing_column_mm"]) == (0.1, 0.1)
    image = load_image(store, row["image"])
    assert (image.joint, image.mode, image.laterality, image.device) == ("MCP2", "PD", "R", "Acme Echo 9")
    assert image.areas[0].box == Box(*SMALL.scan)
    assert (image.colour[0] == draw(SMALL)).all()
    assert image.frames.shape == (1, 120, 160)


def test_regions_survive_deidentification_and_the_description_does_not(store, delivery):
    regions = Sequence(
        [region(SMALL.box), region(Box(20, 24, 80, 60), kind=2), region(Box(0, 0, 10, 40), kind=13)]
    )
    save(
        scan_file(SMALL, SequenceOfUltrasoundRegions=regions, SeriesDescription="MCP2 Meier"),
        delivery / "one.dcm",
    )
    take(store, delivery)
    row = only_row(store)
    with open(stored_film(store, row["image"]), "rb") as stream, quiet():
        stored = read_dicom(stream).dataset
    assert [item.RegionDataType for item in stored.SequenceOfUltrasoundRegions] == [1, 2, 13]
    assert float(stored.SequenceOfUltrasoundRegions[0].PhysicalDeltaX) == pytest.approx(0.01)
    assert "SeriesDescription" not in stored and "Meier" not in str(stored)
    assert [area.kind for area in load_image(store, row["image"]).areas] == ["tissue", "doppler", "other"]


def test_without_calibration_there_is_no_spacing_and_it_is_said(store, delivery):
    save(
        scan_file(SMALL, SequenceOfUltrasoundRegions=Sequence([region(SMALL.box, mm=None)])),
        delivery / "one.dcm",
    )
    result = take(store, delivery)
    row = only_row(store)
    assert np.isnan(row["spacing_row_mm"])
    assert "does not say how many millimetres" in result.flagged[0]["warnings"][0]
    assert load_image(store, row["image"]).areas[0].mm_per_pixel is None


def test_scans_of_different_scales_on_one_screen_give_no_common_spacing(store, delivery):
    regions = Sequence([region(Box(20, 24, 80, 110)), region(Box(80, 24, 140, 110), mm=(0.2, 0.2))])
    save(scan_file(SMALL, SequenceOfUltrasoundRegions=regions), delivery / "one.dcm")
    result = take(store, delivery)
    assert np.isnan(only_row(store)["spacing_row_mm"])
    assert "different scales" in " ".join(result.flagged[0]["warnings"])


@pytest.mark.parametrize("photometric", ["YBR_FULL", "YBR_FULL_422"])
def test_colour_stored_as_ybr_is_shown_as_red_green_and_blue(store, delivery, photometric):
    from pydicom.pixels.processing import convert_color_space

    colour = draw(SMALL)
    ybr = convert_color_space(colour, "RGB", "YBR_FULL")
    file = scan_file(SMALL, colour=ybr, PhotometricInterpretation=photometric)
    if photometric == "YBR_FULL_422":  # two pixels share their colour: Y Y B R
        pairs = ybr.reshape(120, 80, 2, 3).astype(np.uint16)
        shared = np.concatenate([pairs[..., 0], pairs[..., 1:].mean(axis=2)], axis=2)
        file.PixelData = np.rint(shared).astype(np.uint8).tobytes()
    save(file, delivery / "one.dcm")
    assert take(store, delivery).ingested == 1
    row = only_row(store)
    away = np.abs(load_image(store, row["image"]).colour[0].astype(int) - colour)
    assert np.median(away) <= 2 and np.percentile(away, 90) < 30
    assert row["mode"] == "PD"


def test_a_cine_keeps_every_frame_with_its_time(store, delivery):
    frames = np.stack([draw(SMALL), draw(Screen(size=(120, 160), scan=SMALL.scan, mark="", text=""))] * 3)
    save(scan_file(SMALL, colour=frames), delivery / "cine.dcm")
    take(store, delivery)
    row = only_row(store)
    image = load_image(store, row["image"])
    assert (image.colour == frames).all()
    assert image.times_ms == (0, 40, 80, 120, 160, 200)
    assert row["frame_count"] == 6 and row["mode"] == "PD"


def test_a_long_cine_is_kept_whole_with_some_frames_in_memory(store, delivery, monkeypatch):
    from data.ingest import read_file

    monkeypatch.setattr(read_file, "AT_ONCE", 1 << 20)
    first = draw(SMALL)
    frames = np.stack([np.roll(first, shift, axis=1) for shift in range(200)])
    save(scan_file(SMALL, colour=frames), delivery / "cine.dcm")
    take(store, delivery)
    row = only_row(store)
    assert row["frame_count"] == 200
    assert (load_preview(store, row["image"])[0] == frames).all()
    assert list(delivery.parent.rglob("tmp*")) == []


def test_text_that_may_be_a_name_holds_an_image_back_and_settings_do_not(store, delivery):
    for name, text in (("settings", "MI 0.7 TIs 0.2"), ("patient", "MEIER HANS")):
        screen = Screen(text=text, seed=len(text))
        save(scan_file(screen, SOPInstanceUID=f"1.2.{len(text)}"), delivery / f"{name}.dcm")
    result = take(store, delivery)
    assert result.ingested == 2
    assert [held["file"] for held in result.held] == ["patient.dcm"]


def test_the_name_of_the_file_on_its_screen_holds_it_back_though_it_is_a_setting(store, delivery):
    screen = Screen(text="Small Joints")
    save(scan_file(screen, PatientName="Small^Anna"), delivery / "one.dcm")
    assert len(take(store, delivery).held) == 1


def test_a_person_states_what_the_file_does_not_say(store, delivery, tmp_path):
    save(scan_file(SMALL, SeriesDescription="scan"), delivery / "one.dcm")
    take(store, delivery)
    assert pd.isna(only_row(store)["joint"])
    table = tmp_path / "map.csv"
    table.write_text("file,subject,joint,side,mode,view\none.dcm,,pip3,L,B,volar transverse\n")
    take(store, delivery, map_file=table)
    row = only_row(store)
    assert (row["joint"], row["laterality"], row["mode"], row["view"]) == (
        "PIP3",
        "L",
        "B",
        "volar transverse",
    )
    assert json.loads(row["classification"])["joint"]["how"] == "as stated"
    image = load_image(store, row["image"])
    assert (image.joint, image.laterality, image.mode) == ("PIP3", "L", "B")


def test_a_joint_that_does_not_exist_is_refused_in_a_map(store, delivery, tmp_path):
    from core.errors import InputError

    table = tmp_path / "map.csv"
    table.write_text("file,subject,joint\none.dcm,S1,MCP9\n")
    save(scan_file(SMALL), delivery / "one.dcm")
    with pytest.raises(InputError, match="joint MCP9"):
        take(store, delivery, map_file=table)


def test_a_film_keeps_no_joint_that_a_map_states(store, delivery, tmp_path):
    from tests.helpers.small_films import film

    save(film(), delivery / "film.dcm")
    table = tmp_path / "map.csv"
    table.write_text("file,subject,visit,joint,view\nfilm.dcm,S1,,MCP2,dorsal\n")
    take(store, delivery, map_file=table)
    assert pd.isna(only_row(store)["joint"])
    assert load_preview(store, only_row(store)["image"])[1]["view"] == ""


def test_a_picture_in_colour_that_is_no_ultrasound_is_its_brightness_alone(store, delivery):
    save(
        scan_file(SMALL, Modality="OT", SequenceOfUltrasoundRegions=None, SOPClassUID=CAPTURE),
        delivery / "a.dcm",
    )
    take(store, delivery)
    row = only_row(store)
    assert row["modality"] != "US"
    assert load_image(store, row["image"]).colour is None
    assert load_preview(store, row["image"])[0].shape == (120, 160, 3)
