"""Modality, body part, view and laterality, with source and confidence."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from data.dicom.classify import SURE_ENOUGH, classify
from data.dicom.read import quiet
from tests.helpers.small_films import CR, film


def seen(**tags):
    with quiet():
        return classify(film(**tags))


def coded(meaning: str) -> Sequence:
    item = Dataset()
    item.CodeMeaning = meaning
    return Sequence([item])


@pytest.mark.parametrize(
    ("tag", "part"),
    [
        ("CSPINE", "cervical spine"),
        ("LSPINE", "lumbar spine"),
        ("L-SPINE", "lumbar spine"),
        ("L SPINE", "lumbar spine"),
        ("HAND", "hand"),
        ("FOOT", "foot"),
        ("SIJOINT", "sacroiliac joints"),
        ("LWS", "lumbar spine"),
    ],
)
def test_body_part_comes_from_its_tag(tag, part):
    result = seen(BodyPartExamined=tag)
    assert result.body_part == part
    assert result.record["body_part"]["source"] == "BodyPartExamined"


@pytest.mark.parametrize(
    ("text", "part", "view"),
    [
        ("LWS seitlich", "lumbar spine", "lateral"),
        ("HWS seitl.", "cervical spine", "lateral"),
        ("C-Spine LAT", "cervical spine", "lateral"),
        ("Lumbar spine, lateral view", "lumbar spine", "lateral"),
        ("rachis lombaire profil", "lumbar spine", "lateral"),
        ("Rachis cervical face", "cervical spine", "ap"),
        ("columna lumbar lateral", "lumbar spine", "lateral"),
        ("Hände bds. dp", "hand", "pa"),
        ("Vorfuß re", "foot", ""),
        ("Main droite", "hand", ""),
    ],
)
def test_descriptions_speak_where_tags_are_missing(text, part, view):
    result = seen(SeriesDescription=text)
    assert (result.body_part, result.view) == (part, view)
    assert result.record["body_part"]["source"] == "SeriesDescription"


@pytest.mark.parametrize(
    ("tags", "side"),
    [
        ({"ImageLaterality": "L"}, "L"),
        ({"Laterality": "R"}, "R"),
        ({"BodyPartExamined": "HAND", "SeriesDescription": "Hand rechts"}, "R"),
        ({"BodyPartExamined": "HAND", "SeriesDescription": "both hands"}, "B"),
        ({"BodyPartExamined": "LSPINE", "SeriesDescription": "lateral right"}, ""),
        ({}, ""),
    ],
)
def test_laterality(tags, side):
    assert seen(**tags).laterality == side


def test_agreeing_hints_make_surer_than_one():
    one = seen(BodyPartExamined="LSPINE").record["body_part"]
    two = seen(BodyPartExamined="LSPINE", SeriesDescription="LWS").record["body_part"]
    assert two["confidence"] > one["confidence"]
    assert two["source"] == "BodyPartExamined + SeriesDescription"


def test_a_contradiction_is_recorded_and_makes_less_sure():
    alone = seen(BodyPartExamined="CHEST").record["body_part"]
    against = seen(BodyPartExamined="CHEST", SeriesDescription="LWS seitlich").record["body_part"]
    assert against["confidence"] < alone["confidence"]
    assert against["contradicted_by"] == {"SeriesDescription": "lumbar spine"}


def test_many_descriptions_outvote_a_preset_tag():
    result = seen(
        BodyPartExamined="CHEST",
        ProtocolName="LWS",
        SeriesDescription="LWS seitlich",
        StudyDescription="Lendenwirbelsaeule",
    )
    assert result.record["body_part"]["value"] == "lumbar spine"


def test_what_is_not_sure_stays_a_guess_in_the_record():
    result = seen(StudyDescription="spine cervical and lumbar and hands", BodyPartExamined="EXTREMITY")
    guess = result.record["body_part"]
    assert guess["confidence"] < SURE_ENOUGH
    assert guess["value"]
    assert result.body_part == ""


def test_nothing_known_is_empty_with_confidence_zero():
    result = seen(Modality=None, SOPClassUID="1.2.840.10008.5.1.4.1.1.7", PixelSpacing=None)
    assert (result.modality, result.body_part, result.view) == ("", "", "")
    assert result.record["view"] == {"value": "", "source": "", "confidence": 0.0}


@pytest.mark.parametrize(
    ("tags", "modality"),
    [
        ({"Modality": "CR", "SOPClassUID": CR}, "CR"),
        ({"Modality": "", "SOPClassUID": CR}, "CR"),
        (
            {
                "Modality": "OT",
                "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7",
                "EchoTime": 40,
                "RepetitionTime": 3000,
            },
            "MR",
        ),
        (
            {"Modality": "OT", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "KVP": 60, "SliceThickness": 1},
            "CT",
        ),
        ({"Modality": "OT", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "KVP": 60}, "DX"),
        ({"Modality": "Miller", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.6.1"}, "US"),
    ],
)
def test_modality(tags, modality):
    assert seen(**tags).modality == modality


def test_a_modality_that_contradicts_its_sop_class_is_less_sure():
    result = seen(Modality="MR", SOPClassUID="1.2.840.10008.5.1.4.1.1.2")
    assert result.record["modality"]["contradicted_by"] == {"SOPClassUID": "CT"}
    assert result.record["modality"]["confidence"] < 0.6


def test_pixels_are_only_a_guess_at_ultrasound():
    frame = np.zeros((200, 200, 3), np.uint8)
    frame[50:150, 50:150] = 90
    frame[80:90, 80:90] = (200, 30, 30)
    dataset = film(Modality=None, SOPClassUID="1.2.840.10008.5.1.4.1.1.7")
    record = classify(dataset, frame).record["modality"]
    assert (record["value"], record["source"]) == ("US", "pixels")
    assert record["confidence"] < SURE_ENOUGH


@pytest.mark.parametrize(
    ("cosines", "plane"),
    [
        ([0, 1, 0, 0, 0, -1], "sagittal"),
        ([1, 0, 0, 0, 1, 0], "axial"),
        ([1, 0, 0, 0, 0, -1], "coronal"),
        ([0.1, 0.99, 0, 0, 0.1, -0.99], "sagittal"),
        ([0.7, 0.7, 0, 0, 0, -1], ""),
    ],
)
def test_the_plane_of_a_slice_follows_from_its_geometry(cosines, plane):
    assert seen(Modality="MR", ImageOrientationPatient=cosines).view == plane


def test_orientation_and_tube_angle_speak_for_a_lateral_film():
    result = seen(PatientOrientation=["A", "F"], PositionerPrimaryAngle=90)
    assert result.view == "lateral"
    assert result.record["view"]["source"] == "PatientOrientation + PositionerPrimaryAngle"


def test_codes_of_region_and_view_are_read():
    result = seen(AnatomicRegionSequence=coded("Cervical spine"), ViewCodeSequence=coded("left lateral"))
    assert (result.body_part, result.view) == ("cervical spine", "lateral")


@pytest.mark.real
def test_the_real_hand_film(shared):
    import pydicom

    dataset = pydicom.dcmread(
        shared / "real" / "hand-radiograph" / "right-hand-pa.dcm", stop_before_pixels=True
    )
    result = classify(dataset)
    assert (result.modality, result.body_part, result.view, result.laterality) == ("CR", "hand", "pa", "R")


# -- two sides -----------------------------------------------------------------------------------------------


def side(**tags):
    found = seen(**({"BodyPartExamined": "HAND"} | tags))
    return found.laterality, found.warnings


@pytest.mark.parametrize(
    "tags",
    [
        {"ImageLaterality": "L", "Laterality": "R"},
        {"ImageLaterality": "B", "Laterality": "R"},
        {"ImageLaterality": "L", "FrameLaterality": "R"},
        {"ImageLaterality": "L", "SeriesDescription": "Hand rechts PA"},
        {"ImageLaterality": "L", "StudyDescription": "X-ray right hand"},
        {"Laterality": "R", "ProtocolName": "HAND LT"},
        {"ImageLaterality": "B", "SeriesDescription": "Hand right"},
        {"Laterality": "R", "ViewPosition": "PA LEFT"},
        {"Laterality": "R", "BodyPartExamined": "L HAND"},
        {"Laterality": "R", "AnatomicRegionSequence": coded("Left hand")},
        {"SeriesDescription": "Hand right", "StudyDescription": "left hand"},
        {"BodyPartExamined": "CSPINE", "ImageLaterality": "L", "Laterality": "R"},
    ],
)
def test_a_header_that_names_two_sides_has_none_and_says_so(tags):
    laterality, warnings = side(**tags)
    assert laterality == ""
    (warning,) = warnings
    assert warning.startswith("the header contradicts itself about the side (")
    for keyword in tags.keys() - {"BodyPartExamined"}:
        assert keyword in warning


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"ImageLaterality": "L", "Laterality": "L", "SeriesDescription": "Hand left"}, "L"),
        ({"ImageLaterality": "U", "Laterality": "R"}, "R"),
        ({"ImageLaterality": "R", "StudyDescription": "Both hands"}, "R"),
        ({"ImageLaterality": "R", "SeriesDescription": "Hände bds. dp"}, "R"),
        ({"ImageLaterality": "R", "StudyDescription": "Hand R + L"}, "R"),
        ({"SeriesDescription": "Hand right", "StudyDescription": "both hands"}, "R"),
        ({"ImageLaterality": "B", "SeriesDescription": "Hand R/L"}, "B"),
        ({"ImageLaterality": "L", "SeriesDescription": "Hand, re-take"}, "L"),
        ({"ImageLaterality": "L", "BodyPartExamined": "LSPINE", "SeriesDescription": "lateral, right"}, "L"),
    ],
)
def test_sides_that_agree_are_taken_without_a_word(tags, expected):
    assert side(**tags) == (expected, ())


def test_frames_of_two_sides_are_no_film_of_one():
    frames = []
    for value in ("L", "R"):
        anatomy, frame = Dataset(), Dataset()
        anatomy.FrameLaterality = value
        frame.FrameAnatomySequence = Sequence([anatomy])
        frames.append(frame)
    laterality, warnings = side(PerFrameFunctionalGroupsSequence=Sequence(frames))
    assert laterality == ""
    assert "FrameLaterality L, FrameLaterality R" in warnings[0]


@settings(max_examples=150, deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "ImageLaterality": st.sampled_from(["", "L", "R", "B", "U"]),
            "Laterality": st.sampled_from(["", "L", "R"]),
            "FrameLaterality": st.sampled_from(["", "L", "R", "B", "U"]),
            "SeriesDescription": st.sampled_from(["", "Hand left", "Hand right", "Hände bds."]),
            "StudyDescription": st.sampled_from(["", "left hand", "right hand", "both hands"]),
        }
    )
)
def test_one_of_two_sides_is_never_taken_in_silence(tags):
    laterality, warnings = side(**tags)
    words = {"left": "L", "right": "R"}
    stated = {tags[name] for name in ("ImageLaterality", "Laterality", "FrameLaterality")} - {"", "U"}
    named = {words[word] for name in tags for word in words if word in tags[name] and "Description" in name}
    assert bool(warnings) is (len(stated | named) > 1)
    if warnings:
        assert laterality == ""
    elif stated:
        assert {laterality} == stated
