"""Millimetres of the patient a pixel: one rule, a stated source, and what cannot be right said."""

import io
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from data.dicom.picture.spacing import spacing_of
from data.dicom.read import quiet, read_dicom
from tests.helpers.small_films import as_bytes, film

FACTOR = "EstimatedRadiographicMagnificationFactor"
DETECTOR, PATIENT = "DistanceSourceToDetector", "DistanceSourceToPatient"


def found(modality: str = "DX", **tags):
    with quiet():
        return spacing_of(film(**({"PixelSpacing": None} | tags)), modality)


def mm(value: float) -> object:
    return pytest.approx((value, value), rel=1e-6)


def test_the_spacing_at_the_detector_is_divided_by_the_factor():
    spacing = found(ImagerPixelSpacing=[0.2, 0.2], **{FACTOR: 1.15})
    assert spacing.mm == mm(0.2 / 1.15)
    assert (spacing.source, spacing.warnings) == (f"ImagerPixelSpacing / {FACTOR} 1.15", ())


def test_without_a_factor_the_distances_give_it():
    spacing = found(ImagerPixelSpacing=[0.23, 0.23], **{DETECTOR: 1150, PATIENT: 1000})
    assert spacing.mm == mm(0.2)
    assert spacing.source == f"ImagerPixelSpacing / ({DETECTOR} / {PATIENT} = 1.15)"
    assert spacing.warnings == ()


def test_a_pixel_spacing_equal_to_that_of_the_detector_is_not_calibrated():
    spacing = found(PixelSpacing=[0.2, 0.2], ImagerPixelSpacing=["0.20", "0.20"], **{FACTOR: 1.15})
    assert spacing.mm == mm(0.2 / 1.15)


@pytest.mark.parametrize("kind", ["GEOMETRY", "FIDUCIAL"])
def test_a_pixel_spacing_that_says_how_it_was_calibrated_is_taken(kind):
    spacing = found(
        PixelSpacing=[0.2, 0.2],
        ImagerPixelSpacing=[0.2, 0.2],
        PixelSpacingCalibrationType=kind,
        **{FACTOR: 1.15},
    )
    assert (spacing.mm, spacing.source, spacing.warnings) == (
        (0.2, 0.2),
        f"PixelSpacing (calibrated: {kind})",
        (),
    )


def test_a_pixel_spacing_other_than_that_of_the_detector_is_calibrated():
    spacing = found(PixelSpacing=[0.174, 0.174], ImagerPixelSpacing=[0.2, 0.2], **{FACTOR: 1.15})
    assert (spacing.mm, spacing.source, spacing.warnings) == ((0.174, 0.174), "PixelSpacing", ())


def test_a_scanned_film_is_magnified_like_any_other():
    spacing = found(NominalScannedPixelSpacing=[0.1, 0.1], **{DETECTOR: 1200, PATIENT: 1000})
    assert spacing.mm == mm(0.1 / 1.2)


def test_a_pixel_spacing_alone_is_taken_and_an_unused_factor_is_said():
    assert found(PixelSpacing=[0.2, 0.2]).warnings == ()
    spacing = found(PixelSpacing=[0.2, 0.2], **{FACTOR: 1.15})
    assert spacing.mm == (0.2, 0.2)
    assert spacing.warnings[0].endswith(f"it was taken as such, and {FACTOR} 1.15 not applied")


def test_distances_of_a_scanner_are_no_magnification():
    spacing = found("CT", PixelSpacing=[0.5, 0.5], **{DETECTOR: 1085.6, PATIENT: 595})
    assert (spacing.mm, spacing.warnings) == ((0.5, 0.5), ())


POSITIVE = st.floats(0.05, 0.5)
TAGS = {
    "PixelSpacing": st.none() | POSITIVE,
    "ImagerPixelSpacing": st.none() | POSITIVE,
    "NominalScannedPixelSpacing": st.none() | POSITIVE,
    "PixelSpacingCalibrationType": st.sampled_from([None, "GEOMETRY", "FIDUCIAL", "NONE"]),
    FACTOR: st.none() | st.floats(-1, 3),
    DETECTOR: st.none() | st.floats(-100, 2000),
    PATIENT: st.none() | st.floats(-100, 2000),
}


@settings(max_examples=200, deadline=None)
@given(st.fixed_dictionaries(TAGS), st.booleans())
def test_any_header_follows_the_rule(tags, equal):
    if equal:
        tags["ImagerPixelSpacing"] = tags["PixelSpacing"]
    dataset = film(PixelSpacing=None)
    for keyword, value in tags.items():
        if value is not None:
            setattr(
                dataset, keyword, [value, value] if "Spacing" in keyword and "Type" not in keyword else value
            )
    spacing = spacing_of(dataset, "DX")
    own, flat = tags["PixelSpacing"], tags["ImagerPixelSpacing"] or tags["NominalScannedPixelSpacing"]
    is_calibrated = tags["PixelSpacingCalibrationType"] in ("GEOMETRY", "FIDUCIAL")
    if own and (is_calibrated or not flat or not math.isclose(own, flat, rel_tol=5e-3)):
        assert spacing.mm == (own, own)
    elif not flat:
        assert spacing.mm is None
        assert "the file does not say how many millimetres a pixel is" in spacing.warnings
    else:
        factor, distances = tags[FACTOR], (tags[DETECTOR], tags[PATIENT])
        if None not in distances and distances[1] > 0 and 1 <= distances[0] / distances[1] <= 2:
            expected = distances[0] / distances[1]
        elif factor is not None and 1 <= factor <= 2:
            expected = factor
        else:
            expected = 1
        assert spacing.mm == mm(flat / expected)
        assert (factor is None or 1 <= factor <= 2) or any("factor" in said for said in spacing.warnings)


@pytest.mark.parametrize(
    "tags",
    [
        {"ImagerPixelSpacing": [0, 0]},
        {"ImagerPixelSpacing": [-0.2, -0.2]},
        {"ImagerPixelSpacing": [0.2, 0]},
        {"ImagerPixelSpacing": [200, 200]},
        {"PixelSpacing": [1, 1]},
        {"PixelSpacing": 0.2},
        {"PixelSpacing": [0.2, 0.2, 0.2]},
    ],
)
def test_what_cannot_be_right_is_left_out_and_said(tags):
    spacing = found(**tags)
    (keyword,) = tags
    assert spacing.mm is None
    assert spacing.warnings[0].startswith(keyword)
    assert spacing.warnings[0].endswith("was left out")


def test_a_spacing_that_is_no_number_is_left_out_and_not_repeated():
    content = as_bytes(film(PixelSpacing=["0.2222", "0.3333"])).replace(b"0.2222\\0.3333", b"0.2222\\Muller")
    with quiet():
        spacing = spacing_of(read_dicom(io.BytesIO(content)).dataset, "DX")
    assert spacing.mm is None
    assert spacing.warnings[0] == "PixelSpacing is not two numbers and was left out"


def test_a_placeholder_gives_way_to_the_detector():
    spacing = found(PixelSpacing=[1, 1], ImagerPixelSpacing=[0.15, 0.15])
    assert spacing.mm == (0.15, 0.15)
    assert spacing.warnings == ("PixelSpacing 1 x 1 mm cannot be right and was left out",)


def test_a_millimetre_is_no_placeholder_in_a_volume():
    assert found("MR", PixelSpacing=[1, 1]).mm == (1, 1)


@pytest.mark.parametrize("factor", [0, -1, 0.5, 2.5, 115])
def test_a_factor_that_cannot_be_right_is_left_out_and_said(factor):
    spacing = found(ImagerPixelSpacing=[0.2, 0.2], **{FACTOR: factor})
    assert spacing.mm == (0.2, 0.2)
    assert spacing.warnings == (f"the magnification factor {factor:g} cannot be right and was left out",)


@pytest.mark.parametrize("distances", [(1000, 1150), (1150, 0), (1150, -1000), (1150, 400)])
def test_distances_that_cannot_be_right_are_left_out_and_said(distances):
    spacing = found(ImagerPixelSpacing=[0.2, 0.2], **dict(zip((DETECTOR, PATIENT), distances, strict=True)))
    assert spacing.mm == (0.2, 0.2)
    assert "give no magnification that can be right" in spacing.warnings[0]


def test_a_factor_that_the_distances_contradict_is_said():
    spacing = found(ImagerPixelSpacing=[0.2, 0.2], **{FACTOR: 1.1, DETECTOR: 1300, PATIENT: 1000})
    assert spacing.mm == mm(0.2 / 1.3)
    assert "1.1 and that of the distances, 1.3, contradict each other" in spacing.warnings[0]


def test_a_pixel_spacing_wider_than_the_detectors_is_said():
    spacing = found(PixelSpacing=[0.4, 0.4], ImagerPixelSpacing=[0.2, 0.2])
    assert spacing.mm == (0.4, 0.4)
    assert "contradict each other (a magnification of 0.5)" in spacing.warnings[0]


def test_pixels_that_are_not_square_are_said():
    spacing = found(ImagerPixelSpacing=[0.2, 0.1])
    assert spacing.mm == (0.2, 0.1)
    assert spacing.warnings == ("the pixels are not square (0.2 x 0.1 mm)",)
    assert "not square (PixelAspectRatio 4:3)" in found(PixelAspectRatio=[4, 3]).warnings[0]
    assert "contradicts the spacing" in found(PixelAspectRatio=[4, 3], PixelSpacing=[0.2, 0.2]).warnings[0]
    assert found(PixelAspectRatio=[1, 1], PixelSpacing=[0.2, 0.2]).warnings == ()


def test_frames_of_different_spacing_have_none():
    frames = []
    for width in (0.2, 0.3):
        measures, frame = Dataset(), Dataset()
        measures.PixelSpacing = [width, width]
        frame.PixelMeasuresSequence = Sequence([measures])
        frames.append(frame)
    spacing = found("MR", PerFrameFunctionalGroupsSequence=Sequence(frames))
    assert spacing.mm is None
    assert spacing.warnings == ("PixelSpacing is not the same for all frames and was left out",)
