"""Reading one DICOM file: pixels, refusals, values for viewer and scorer."""

import csv
import hashlib
import io
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from data.dicom.pixel_values import to_picture
from data.dicom.read import DicomFile, Refusal, decode_frames, quiet, read_dicom
from tests.helpers.paths import REAL
from tests.helpers.small_films import SEG, as_bytes, film, picture


def expected() -> list[dict[str, str]]:
    table = REAL / "dicom-conformance" / "expected_pixels.csv"
    return list(csv.DictReader(table.open(encoding="utf-8"))) if table.is_file() else []


def read(dataset) -> DicomFile:
    return read_dicom(io.BytesIO(as_bytes(dataset)))


def shown(dataset):
    """The picture as a viewer sees it."""
    file = read(dataset)
    return to_picture(next(decode_frames(file)), file.dataset)


# -- the conformance files ---------------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.parametrize(
    "row", [r for r in expected() if r["decodes"] == "yes"], ids=lambda r: Path(r["file"]).stem
)
def test_decoded_pixels_agree_with_the_published_statistics(row, shared):
    with quiet():
        dataset = pydicom.dcmread(shared / "real" / row["file"], force=True)
        frames = list(decode_frames(DicomFile(dataset, dataset.file_meta.TransferSyntaxUID, 0)))
    assert len(frames) == int(row["frames"])
    pixels = np.stack(frames)
    assert pixels.min() == pytest.approx(float(row["stored_min"]))
    assert pixels.max() == pytest.approx(float(row["stored_max"]))
    assert pixels.mean() == pytest.approx(float(row["stored_mean"]), abs=6e-4, rel=1e-9)
    if row["sha256_of_array"]:
        assert (
            hashlib.sha256(b"".join(frame.tobytes() for frame in frames)).hexdigest()
            == row["sha256_of_array"]
        )


REASONS = {
    "emri_small_jpeg_2k_lossless_too_short": "cut short",
    "liver_deflate": "is a segmentation, not an image",
    "liver_rle": "is a segmentation, not an image",
    "liver_nonbyte_aligned_rle": "is a segmentation, not an image",
    "liver_nonbyte_aligned_deflate": "is a segmentation, not an image",
}


@pytest.mark.real
@pytest.mark.parametrize("name", REASONS)
def test_undecodable_conformance_files_are_refused_with_a_plain_reason(name, shared):
    path = shared / "real" / "dicom-conformance" / f"{name}.dcm"
    with path.open("rb") as stream, quiet(), pytest.raises(Refusal, match=REASONS[name]):
        read_dicom(stream)


@pytest.mark.real
def test_every_undecodable_conformance_file_is_accounted_for(shared):
    cannot = {Path(row["file"]).stem for row in expected() if row["decodes"] != "yes"}
    assert cannot == {*REASONS, "OT-PAL-8-face"}


@pytest.mark.real
def test_a_film_without_meta_header_is_read_when_its_length_proves_how(shared):
    """OT-PAL-8-face: pydicom alone does not decode it, but its 307 200 bytes are 480 x 640 pixels."""
    with open(shared / "real" / "dicom-conformance" / "OT-PAL-8-face.dcm", "rb") as stream, quiet():
        file = read_dicom(stream)
        frame = next(decode_frames(file))
    assert frame.shape == (480, 640)
    assert (frame.min(), frame.max()) == (56, 149)
    assert "no meta header" in file.warnings[0]


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("SC_rgb_jpeg_dcmtk.dcm", (100, 100, 3)),  # JPEG baseline
        ("JPGExtended.dcm", (1024, 256)),  # JPEG extended, 12 bits
        ("MR_small_padded.dcm", (64, 64)),
        ("image_dfl.dcm", (512, 512)),  # deflated
        ("SC_ybr_full_422_uncompressed.dcm", (100, 100, 3)),
    ],
)
def test_more_encodings_are_read(name, shape):
    with open(get_testdata_file(name), "rb") as stream, quiet():
        assert next(decode_frames(read_dicom(stream))).shape == shape


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("MR_truncated.dcm", "cut short: 8130 of 8192 bytes"),
        ("rtplan.dcm", "radiotherapy plan, not an image"),
        ("rtdose.dcm", "dose map, not an image"),
        ("reportsi.dcm", "structured report, not an image"),
        ("waveform_ecg.dcm", "waveform"),
        ("no_meta_group_length.dcm", "holds no picture"),
        ("JPEG-lossy.dcm", "cannot be decoded"),
    ],
)
def test_what_is_no_picture_is_refused(name, reason):
    with open(get_testdata_file(name), "rb") as stream, quiet(), pytest.raises(Refusal, match=reason):
        list(decode_frames(read_dicom(stream)))


# -- what is not DICOM ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 300, "JPEG picture, not DICOM"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 300, "PNG picture"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"subject,visit,grade\nS1,BL,0\n", "text file"),
        (b"# Readme\nGr\xc3\xbc\xc3\x9fe\n", "text file"),
        (bytes(range(256)) * 2, "does not begin like one"),
        (b"\x1f\x8b\x08\x00broken", "gzip"),
    ],
)
def test_other_files_are_named_for_what_they_are(content, reason):
    with pytest.raises(Refusal, match=reason):
        read_dicom(io.BytesIO(content))


@pytest.mark.real
def test_a_nifti_volume_is_called_that(shared):
    volume = next((shared / "real" / "spine-mri").glob("*.nii.gz"))
    with volume.open("rb") as stream, pytest.raises(Refusal, match="NIfTI volume"):
        read_dicom(stream)


def test_text_cut_inside_a_letter_is_still_text():
    with pytest.raises(Refusal, match="text file"):
        read_dicom(io.BytesIO(b"a" * 511 + "é".encode()))


# -- headers --------------------------------------------------------------------------------------------


def test_a_segmentation_is_no_image_even_if_it_decodes():
    with pytest.raises(Refusal, match="is a segmentation, not an image"):
        read(film(sop_class=SEG))


@pytest.mark.parametrize("keyword", ["Rows", "Columns"])
def test_a_missing_size_is_named(keyword):
    with pytest.raises(Refusal, match=rf"size of the picture is missing.*{keyword}"):
        read(film(**{keyword: None}))


def test_an_impossible_size_is_refused_before_it_is_decoded():
    with pytest.raises(Refusal, match="claims a picture of"):
        read(film(Rows=65535, Columns=65535))


@pytest.mark.parametrize("cut", [1, 100, 3000])
def test_a_cut_file_is_called_cut_short(cut):
    content = as_bytes(film())
    with quiet(), pytest.raises(Refusal, match=r"cut short|no picture|missing"):
        list(decode_frames(read_dicom(io.BytesIO(content[:-cut]))))


def test_a_video_is_named():
    file = read(film())
    file.transfer_syntax = pydicom.uid.UID("1.2.840.10008.1.2.4.102")
    with pytest.raises(Refusal, match="is a video"):
        list(decode_frames(file))


def test_an_unknown_encoding_is_named():
    file = read(film())
    file.transfer_syntax = pydicom.uid.UID("1.2.3.4")
    with pytest.raises(Refusal, match="not one that can be read here"):
        list(decode_frames(file))


def test_meta_header_missing_is_read_when_the_length_fits():
    content = as_bytes(film(picture(3), bits=12))
    start = content.index(b"\x08\x00\x16\x00UI")
    file = read_dicom(io.BytesIO(content[start:]))
    assert np.array_equal(next(decode_frames(file)), picture(3))
    assert file.warnings


def test_meta_header_missing_is_refused_when_the_length_does_not_fit():
    content = as_bytes(film(picture(3), bits=12, Rows=20))
    start = content.index(b"\x08\x00\x16\x00UI")
    with pytest.raises(Refusal, match="how the picture is compressed is not known"):
        read_dicom(io.BytesIO(content[start:]))


# -- values for viewer and scorer ------------------------------------------------------------------------


def test_plain_grey_stays_as_stored():
    pixels = picture(1)
    seen = shown(film(pixels, bits=12))
    assert np.array_equal(seen.pixels, pixels)
    assert seen.pixels.dtype == np.uint16


def test_monochrome1_is_turned_over_within_its_bits():
    pixels = picture(1)
    seen = shown(film(pixels, bits=12, PhotometricInterpretation="MONOCHROME1"))
    assert np.array_equal(seen.pixels, 4095 - pixels)


def test_a_negative_slope_turns_the_picture_over_once_more():
    pixels = picture(1)
    rescaled = {"RescaleSlope": -1, "RescaleIntercept": 4095}
    assert np.array_equal(shown(film(pixels, bits=12, **rescaled)).pixels, 4095 - pixels)
    both = shown(film(pixels, bits=12, PhotometricInterpretation="MONOCHROME1", **rescaled))
    assert np.array_equal(both.pixels, pixels)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("signed", [False, True])
def test_the_way_back_to_the_files_units_is_exact(photometric, signed):
    stored = picture(2).astype(np.int16) - (2048 if signed else 0)
    stored = stored if signed else stored.astype(np.uint16)
    rescale = {"RescaleSlope": "0.5", "RescaleIntercept": "-100"}
    seen = shown(film(stored, bits=12, PhotometricInterpretation=photometric, **rescale))
    back = seen.slope * (seen.sign * seen.pixels.astype(float) + seen.offset) + seen.intercept
    assert np.array_equal(back, 0.5 * stored - 100)


def test_signed_pixels_keep_their_order():
    stored = np.array([[-2048, -1], [0, 2047]], np.int16)
    assert shown(film(stored, bits=12)).pixels.tolist() == [[0, 2047], [2048, 4095]]


def test_more_than_16_bits_are_spread_over_16():
    stored = np.array([[0, 2**31], [2**32 - 1, 2**30]], np.uint32)
    seen = shown(film(stored))
    assert seen.pixels.tolist() == [[0, 32768], [65535, 16384]]
    assert seen.slope * 65535 + seen.intercept == pytest.approx(2**32 - 1)


def lookup_table(values, *, first=0, **more) -> Sequence:
    item = Dataset()
    item.LUTDescriptor = [len(values), first, 16]
    item.LUTData = list(values)
    for keyword, value in more.items():
        setattr(item, keyword, value)
    item["LUTDescriptor"].VR = item["LUTData"].VR = "US"
    return Sequence([item])


def test_a_modality_table_is_applied():
    stored = np.array([[0, 1], [2, 3]], np.uint16)
    seen = shown(film(stored, bits=12, ModalityLUTSequence=lookup_table([10, 20, 300, 4000])))
    assert seen.pixels.tolist() == [[10, 20], [300, 4000]]


def test_a_voi_table_is_applied_and_values_outside_it_take_its_ends():
    stored = np.array([[0, 5], [6, 99]], np.uint16)
    seen = shown(film(stored, bits=12, VOILUTSequence=lookup_table([7, 70, 700], first=5)))
    assert seen.pixels.tolist() == [[7, 7], [70, 700]]
    assert seen.window_source == "look-up table"


def test_a_damaged_table_is_left_out_with_a_warning():
    broken = lookup_table([1, 2, 3])
    broken[0].LUTDescriptor = [9, 0, 16]
    seen = shown(film(picture(1), bits=12, VOILUTSequence=broken))
    assert np.array_equal(seen.pixels, picture(1))
    assert "VOI look-up table is damaged" in seen.warnings[0]


def test_the_files_window_is_given_in_grey_values():
    seen = shown(film(picture(1), bits=12, WindowCenter=[1000, 5], WindowWidth=[400, 5]))
    assert (seen.window, seen.window_source) == ((800.0, 1200.0), "file")
    turned = shown(
        film(picture(1), bits=12, WindowCenter=1000, WindowWidth=400, PhotometricInterpretation="MONOCHROME1")
    )
    assert turned.window == (4095 - 1200, 4095 - 800)


def test_a_window_that_shows_nothing_is_left_out():
    seen = shown(film(picture(1), bits=12, WindowCenter=90000, WindowWidth=10))
    assert seen.window_source == "picture"
    assert any("window shows nothing" in warning for warning in seen.warnings)


def test_colour_stays_colour_in_8_bits():
    pixels = np.random.default_rng(0).integers(0, 65536, (6, 5, 3)).astype(np.uint16)
    assert np.array_equal(shown(film(pixels)).pixels, (pixels >> 8).astype(np.uint8))


@pytest.mark.real
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("OBXXXX1A", "OBXXXX1A_expb"),
        ("OBXXXX1A", "OBXXXX1A_rle"),
        ("gdcm-US-ALOKA-16", "gdcm-US-ALOKA-16_big"),
    ],
)
def test_palette_colours_do_not_depend_on_the_byte_order(one, other, shared):
    seen = []
    for name in (one, other):
        with open(shared / "real" / "dicom-conformance" / f"{name}.dcm", "rb") as stream, quiet():
            file = read_dicom(stream)
            before = [bytes(e.value) for e in file.dataset if "PaletteColorLookupTableData" in e.keyword]
            seen.append(to_picture(next(decode_frames(file)), file.dataset).pixels)
            after = [bytes(e.value) for e in file.dataset if "PaletteColorLookupTableData" in e.keyword]
            assert before == after
    assert seen[0].max() > 100
    assert np.array_equal(seen[0], seen[1])


@pytest.mark.real
def test_a_real_inverted_film_shows_bone_bright(shared):
    """RG3 is MONOCHROME1: the shaft of the tibia must come out brighter than the soft tissue beside it."""
    with open(shared / "real" / "dicom-conformance" / "RG3_J2KR.dcm", "rb") as stream, quiet():
        file = read_dicom(stream)
        pixels = to_picture(next(decode_frames(file)), file.dataset).pixels
    row = pixels[700].astype(int)
    assert row[600:1100].max() > 1.15 * np.median(row[540:580])


# -- padding, rescale, window, colour ------------------------------------------------------------------------


@settings(max_examples=120, deadline=None)
@given(
    st.integers(0, 1000),
    st.sampled_from(["MONOCHROME1", "MONOCHROME2"]),
    st.booleans(),
    st.sampled_from(["value", "range", "range backwards"]),
    st.sampled_from([-1, 1]),
)
def test_padding_is_background_and_stretches_nothing(seed, photometric, signed, kind, slope):
    """The picture is that of the same array in which padding is as dark as the darkest of the rest."""
    dice = np.random.default_rng(seed)
    stored = dice.integers(300, 900, (40, 30)).astype(np.int16 if signed else np.uint16)
    outside = dice.random((40, 30)) < 0.4
    value, other = int(dice.choice([0, 2000, 4000] if not signed else [-2000, 0, 1900])), None
    tags = {"PixelPaddingValue": value}
    if kind != "value":
        other = value + 20
        tags = {"PixelPaddingValue": value, "PixelPaddingRangeLimit": other}
        if kind == "range backwards":
            tags = dict(zip(tags, (other, value), strict=True))
    padded = np.where(outside, dice.integers(value, (other or value) + 1, outside.shape), stored)
    is_inverted = (photometric == "MONOCHROME1") != (slope < 0)
    darkest = stored[~outside].max() if is_inverted else stored[~outside].min()
    more = {"PhotometricInterpretation": photometric, "RescaleSlope": slope, "RescaleIntercept": 0}
    plain = shown(film(np.where(outside, darkest, stored).astype(stored.dtype), bits=12, **more))
    seen = shown(film(padded.astype(stored.dtype), bits=12, **more, **tags))
    assert np.array_equal(seen.pixels, plain.pixels)
    inside = plain.pixels[~outside]
    assert inside.min() <= seen.window[0] < seen.window[1] <= inside.max()


def test_padding_a_little_darker_than_the_picture_stays_as_stored():
    stored = picture(1)
    stored[stored == 0] = 1
    stored[:10] = 0
    seen = shown(film(stored, bits=12, PixelPaddingValue=0))
    assert np.array_equal(seen.pixels, stored)
    assert seen.window[0] > 0


def test_a_picture_that_is_padding_alone_stays_as_it_is():
    blank = np.full((8, 8), 7, np.uint16)
    assert np.array_equal(shown(film(blank, bits=12, PixelPaddingValue=7)).pixels, blank)


def test_signed_padding_written_as_unsigned_is_known():
    stored = np.where(picture(1) % 5 == 0, -2000, picture(2) // 4).astype(np.int16)
    seen = to_picture(stored, film(stored, bits=16, PixelPaddingValue=65536 - 2000))
    assert seen.pixels.min() == 32768 + int(stored[stored > -2000].min())


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"RescaleSlope": 0}, "the rescale slope is 0"),
        ({"RescaleSlope": "1e30"}, "the rescale slope cannot be right"),
        ({"RescaleIntercept": "-9e20"}, "the rescale intercept cannot be right"),
        ({"WindowCenter": 2000, "WindowWidth": 0}, "the file's window cannot be used"),
        ({"WindowCenter": 2000, "WindowWidth": -5}, "the file's window cannot be used"),
        ({"WindowCenter": 2000}, "the file's window cannot be used"),
        (
            {"WindowCenter": 2, "WindowWidth": 2},
            "the file's window shows nothing of the picture",
        ),
    ],
)
def test_values_that_cannot_be_used_are_left_out_and_said(tags, words):
    seen = shown(film(picture(1), bits=12, **tags))
    plain = shown(film(picture(1), bits=12))
    assert seen.warnings == [f"{words} and was left out"]
    assert np.array_equal(seen.pixels, plain.pixels)
    assert (seen.window, seen.slope, seen.intercept) == (plain.window, 1.0, 0.0)


def test_a_scale_of_its_own_for_every_frame_is_said():
    frames = []
    for slope in (1, 2):
        values, frame = Dataset(), Dataset()
        values.RescaleSlope, values.RescaleIntercept = slope, 0
        frame.PixelValueTransformationSequence = Sequence([values])
        frames.append(frame)
    seen = shown(film(picture(1), bits=12, PerFrameFunctionalGroupsSequence=Sequence(frames)))
    assert len(seen.warnings) == 1
    assert seen.warnings[0].startswith("the rescale slope is not the same for all frames")


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([8, 10, 12, 16]), st.booleans(), st.integers(1, 3))
def test_a_grey_film_saved_as_colour_is_grey(bits, by_plane, frames):
    grey = np.stack([picture(n, bits=bits) for n in range(frames)])
    colour = np.repeat(grey[..., None], 3, axis=-1)
    dataset = film(colour if frames > 1 else colour[0], bits=bits)
    if by_plane:
        dataset.PlanarConfiguration = 1
        dataset.PixelData = np.moveaxis(colour, -1, 1).tobytes()
    file = read(dataset)
    decoded = np.stack(list(decode_frames(file)))
    seen = to_picture(decoded if frames > 1 else decoded[0], file.dataset, several=frames > 1)
    assert not seen.is_colour
    assert np.array_equal(seen.pixels, grey if frames > 1 else grey[0])


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_colour_shows_the_upper_bits_of_those_stored(bits):
    pixels = np.stack([picture(n, bits=bits) for n in range(3)], axis=-1)
    assert np.array_equal(shown(film(pixels, bits=bits)).pixels, pixels >> (bits - 8))
