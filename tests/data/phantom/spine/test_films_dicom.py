"""The DICOM files that rendered films are written to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pydicom
import pytest

from data.phantom.dicom_out import write_dicom
from data.phantom.spine.body import make_body
from data.phantom.spine.conditions import draw_conditions
from data.phantom.spine.render import RenderedFilm, render_film


@pytest.fixture(scope="module")
def film() -> RenderedFilm:
    c = draw_conditions(np.random.default_rng(0), "cervical")
    return render_film(make_body(1), {"C4I": (2, 0.7)}, replace(c, spacing=0.5, photometric="MONOCHROME2"), 3)


def test_pixels_and_tags_come_back(film, tmp_path):
    ds = pydicom.dcmread(
        write_dicom(film, tmp_path / "a.dcm", subject="S-01", visit="BL", study_date="20240229")
    )
    assert np.array_equal(ds.pixel_array, film.pixels)
    assert (ds.ClinicalTrialSubjectID, ds.ClinicalTrialTimePointID, ds.StudyDate) == (
        "S-01",
        "BL",
        "20240229",
    )
    assert ds.Modality in ("DX", "CR") and ds.BitsStored == 12
    assert ds.PatientID and ds.PatientID != "S-01" and "^" in str(ds.PatientName)
    assert float(ds.ImagerPixelSpacing[0]) == pytest.approx(0.5)


def test_monochrome1_is_stored_inverted(film, tmp_path):
    inverted = replace(film, photometric="MONOCHROME1")
    ds = pydicom.dcmread(write_dicom(inverted, tmp_path / "b.dcm", subject="S-01", visit="BL"))
    assert ds.PhotometricInterpretation == "MONOCHROME1"
    assert np.array_equal(4095 - ds.pixel_array, film.pixels)


def test_the_file_is_the_same_to_the_byte_and_uids_tell_visits_apart(film, tmp_path):
    paths = [
        write_dicom(film, tmp_path / f"{k}.dcm", subject="S-01", visit=v)
        for k, v in enumerate(("BL", "BL", "W52"))
    ]
    data = [path.read_bytes() for path in paths]
    assert data[0] == data[1] != data[2]
    uids = [str(pydicom.dcmread(path).SOPInstanceUID) for path in paths]
    assert uids[0] == uids[1] != uids[2] and all(len(uid) <= 64 for uid in uids)
    names = {(str(ds.PatientName), ds.PatientBirthDate) for ds in map(pydicom.dcmread, paths)}
    assert len(names) == 1


def test_spacing_can_be_missing_and_syntaxes_vary(film, tmp_path):
    hidden = replace(film, shown_spacing_mm=None)
    ds = pydicom.dcmread(write_dicom(hidden, tmp_path / "c.dcm", subject="S-02", visit="BL"))
    assert "PixelSpacing" not in ds and "ImagerPixelSpacing" not in ds
    syntaxes = set()
    for k in range(40):
        path = write_dicom(film, tmp_path / f"s{k}.dcm", subject=f"S-{k}", visit="BL", uid_seed=9)
        ds = pydicom.dcmread(path)
        syntaxes.add(ds.file_meta.TransferSyntaxUID.name)
        assert np.array_equal(ds.pixel_array, film.pixels)
    assert {"JPEG-LS Lossless Image Compression", "RLE Lossless"} <= syntaxes


def test_wrong_films_carry_right_and_wrong_tags(film, tmp_path):
    chest = replace(film, kind="chest")
    parts = set()
    for k in range(24):
        path = write_dicom(chest, tmp_path / f"w{k}.dcm", subject=f"S-{k}", visit="BL")
        parts.add(pydicom.dcmread(path).get("BodyPartExamined", ""))
    assert {"CHEST", "CSPINE"} <= parts
