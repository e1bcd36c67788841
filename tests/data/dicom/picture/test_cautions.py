"""What the header says about a picture that its reader must know."""

import pytest
from pydicom.uid import HTJ2K, ExplicitVRLittleEndian, JPEGBaseline8Bit, JPEGLSLossless

from data.dicom.picture.cautions import cautions
from data.dicom.read import quiet
from tests.helpers.small_films import film

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def said(modality: str = "DX", *, frames: int = 1, syntax=ExplicitVRLittleEndian, **tags) -> list[str]:
    with quiet():
        return cautions(film(**tags), syntax, frames=frames, modality=modality)


def test_a_plain_film_needs_no_word():
    assert said(PresentationIntentType="FOR PRESENTATION", PresentationLUTShape="IDENTITY") == []
    assert said(PhotometricInterpretation="MONOCHROME1", PresentationLUTShape="INVERSE") == []
    assert said(LossyImageCompression="00", syntax=JPEGLSLossless) == []


@pytest.mark.parametrize(
    "tags",
    [
        {"PresentationIntentType": "FOR PROCESSING"},
        {"sop_class": "1.2.840.10008.5.1.4.1.1.1.1.1"},
        {"sop_class": "1.2.840.10008.5.1.4.1.1.1.2.1"},
    ],
)
def test_raw_data_are_said(tags):
    (warning,) = said(**tags)
    assert "FOR PROCESSING" in warning
    assert "bone may be dark" in warning


@pytest.mark.parametrize("pair", [("MONOCHROME2", "INVERSE"), ("MONOCHROME1", "IDENTITY")])
def test_two_words_for_the_polarity_that_contradict_each_other_are_said(pair):
    (warning,) = said(PhotometricInterpretation=pair[0], PresentationLUTShape=pair[1])
    assert "contradict each other" in warning


def test_loss_is_said():
    assert said(LossyImageCompression="01") == ["the picture was compressed with loss"]
    again = said(LossyImageCompression="01", LossyImageCompressionRatio=["4", "12.5"])
    assert again == ["the picture was compressed with loss (12.5:1)"]
    assert said(syntax=JPEGBaseline8Bit, LossyImageCompression="00") == [
        "the picture was compressed with loss"
    ]
    assert "may have been compressed with loss" in said(syntax=HTJ2K)[0]
    assert said(syntax=HTJ2K, LossyImageCompression="00") == []


@pytest.mark.parametrize("modality", ["CR", "DX", ""])
def test_several_films_in_one_file_are_said(modality):
    (warning,) = said(modality, frames=2, sop_class=SECONDARY_CAPTURE)
    assert warning.startswith("holds 2 pictures in one file")


@pytest.mark.parametrize(
    ("modality", "tags"),
    [("US", {}), ("MR", {}), ("XA", {}), ("DX", {"FrameTime": 33.3}), ("", {"FrameTime": 40})],
)
def test_cines_and_stacks_are_meant_to_have_frames(modality, tags):
    assert said(modality, frames=20, **tags) == []


def test_one_bit_a_pixel_is_said():
    assert "black and white" in said(BitsStored=1)[0]
