"""Films whose header and pixels need care: what is stored, what is shown, and what is said."""

import json

import numpy as np
import pandas as pd
import pydicom
import pytest

from data.dicom.images import load_preview, stored_film
from data.dicom.read import quiet
from tests.helpers.deliveries import image_rows, take
from tests.helpers.small_films import film, picture, save, trial_film


def only(store):
    (row,) = image_rows(store).itertuples()
    return row, json.loads(row.warnings)


# -- bits --------------------------------------------------------------------------------------------------


def test_values_in_the_upper_bits_are_shown_and_the_delivered_words_kept(store, delivery):
    pixels = picture(1)
    words = (pixels << 4).astype("<u2")
    save(film(words, bits=12, HighBit=15), delivery / "upper.dcm")
    take(store, delivery)
    row, warnings = only(store)
    assert np.array_equal(load_preview(store, row.image)[0], pixels)
    with quiet():
        kept = pydicom.dcmread(stored_film(store, row.image))
    assert kept.PixelData == words.tobytes()
    assert (kept.BitsStored, kept.HighBit) == (12, 15)
    assert warnings == ["the values lay in the upper bits of their words (HighBit 15) and were moved down"]


def test_the_same_picture_in_upper_and_lower_bits_is_one_film(store, delivery):
    save(film(picture(1), bits=12), delivery / "a.dcm")
    upper = (picture(1) << 4).astype("<u2")
    save(film(upper, bits=12, HighBit=15, SOPInstanceUID="1.2.3"), delivery / "b.dcm")
    result = take(store, delivery)
    assert (result.ingested, len(result.duplicates)) == (1, 1)


def test_a_film_whose_picture_would_be_cut_is_refused_and_the_rest_comes_in(store, delivery):
    ramp = np.add.outer(np.arange(48), np.arange(40)).astype(np.uint16)
    save(film(ramp * 80, bits=12), delivery / "bright.dcm")
    save(film(ramp, bits=4, HighBit=15), delivery / "elsewhere.dcm")
    save(film(picture(1), bits=12), delivery / "good.dcm")
    result = take(store, delivery)
    assert result.ingested == 1
    reasons = {row["file"]: row["reason"] for row in result.refused}
    assert "need 13 bits, but the header states 12 (BitsStored)" in reasons["bright.dcm"]
    assert "the bits below are not empty" in reasons["elsewhere.dcm"]


# -- several films in one file -------------------------------------------------------------------------------


@pytest.mark.parametrize("modality", ["DX", "CR", "OT"])
def test_two_films_in_one_file_are_both_kept_and_said(store, delivery, modality):
    frames = np.stack([picture(1), picture(2)])
    sop_class = "1.2.840.10008.5.1.4.1.1.7" if modality == "OT" else "1.2.840.10008.5.1.4.1.1.1"
    save(film(frames, bits=12, Modality=modality, sop_class=sop_class), delivery / "two.dcm")
    take(store, delivery)
    row, warnings = only(store)
    assert np.array_equal(load_preview(store, row.image)[0], frames)
    assert any("holds 2 pictures in one file" in warning for warning in warnings)


def test_a_second_film_that_the_header_hides_is_refused(store, delivery):
    dataset = film(np.stack([picture(1), picture(2)]), bits=12)
    dataset.NumberOfFrames = 1
    save(dataset, delivery / "two.dcm")
    (refused,) = take(store, delivery).refused
    assert refused["reason"].startswith("holds 2 pictures, but its header says 1")


# -- what is said --------------------------------------------------------------------------------------------


def test_the_source_of_the_spacing_is_on_record(store, delivery):
    distances = {"DistanceSourceToDetector": 1150, "DistanceSourceToPatient": 1000}
    at_detector = {"PixelSpacing": None, "ImagerPixelSpacing": [0.23, 0.23]}
    save(film(picture(1), bits=12, **at_detector, **distances), delivery / "a.dcm")
    take(store, delivery)
    row, warnings = only(store)
    assert (row.spacing_row_mm, row.spacing_column_mm) == pytest.approx((0.2, 0.2))
    assert load_preview(store, row.image)[1]["spacing_mm"] == pytest.approx([0.2, 0.2])
    assert json.loads(row.classification)["spacing"] == {
        "value": [row.spacing_row_mm, row.spacing_column_mm],
        "source": "ImagerPixelSpacing / (DistanceSourceToDetector / DistanceSourceToPatient = 1.15)",
    }
    assert warnings == []


def test_what_a_reader_must_know_is_in_the_cohort(store, delivery):
    tags = {
        "PresentationIntentType": "FOR PROCESSING",
        "LossyImageCompression": "01",
        "ImageLaterality": "L",
        "SeriesDescription": "Hand right",
        "BodyPartExamined": "HAND",
    }
    save(trial_film(1, "S1", "BL", **tags), delivery / "a.dcm")
    (flagged,) = take(store, delivery).flagged
    row, warnings = only(store)
    assert flagged["warnings"] == warnings
    assert pd.isna(row.laterality)
    for words in ("FOR PROCESSING", "compressed with loss", "contradicts itself about the side"):
        assert any(words in warning for warning in warnings)
