"""NIfTI volumes: every voxel keeps its place and value, no text comes along, masks are no images."""

import gzip
import io
import json
from itertools import permutations, product

import nibabel
import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.dicom.images import load_image
from data.dicom.read import Refusal
from data.ingest.nifti import NO_PICTURE, volume_as_dicom
from data.ingest.preview import preview_row
from data.ingest.run import ingest
from data.ingest.sidecar import sidecar_of
from data.ingest.sources import Source
from data.store.cohort import CohortStore
from tests.helpers.identity_places import SECRETS

SHAPE = (5, 4, 6)
TURNS = [
    np.diag([*signs, 1.0])[:, [*order, 3]]
    for order in permutations(range(3))
    for signs in product((1.0, -1.0), repeat=3)
]


def values(kind="int16", seed=0):
    return np.random.default_rng(seed).integers(-900, 900, SHAPE).astype(kind)


def affine(turn=None, spacing=(1.5, 1.25, 4.0), offset=(11.0, -23.0, 37.0)):
    made = (np.eye(4) if turn is None else turn) @ np.diag([*spacing, 1.0])
    made[:3, 3] = offset
    return made


def volume(array=None, where=None, make=nibabel.Nifti1Image):
    made = make(values() if array is None else array, affine() if where is None else where)
    made.set_sform(made.affine, 1)
    made.header.set_xyzt_units("mm")
    return made


def opened(made):
    stream, notes = volume_as_dicom(io.BytesIO(made.to_bytes()))
    return pydicom.dcmread(stream), notes


def place_of(dataset, frame, row, column):
    """Millimetres towards the left, back and head of a pixel, from its DICOM header alone."""
    shared = dataset.SharedFunctionalGroupsSequence[0]
    right, down = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, float).reshape(2, 3)
    rows, columns = map(float, shared.PixelMeasuresSequence[0].PixelSpacing)
    group = dataset.PerFrameFunctionalGroupsSequence[frame]
    first = np.array(group.PlanePositionSequence[0].ImagePositionPatient, float)
    return first + right * columns * column + down * rows * row


@settings(max_examples=48, deadline=None, derandomize=True)
@given(st.sampled_from(TURNS), st.permutations((1.5, 1.25, 4.0)))
def test_every_voxel_lies_where_the_affine_says(turn, spacing):
    array, where = values(), affine(turn, spacing)
    dataset, _ = opened(volume(array, where))
    inverse = np.linalg.inv(where)
    found = dataset.pixel_array
    assert found.shape[0] == SHAPE[int(np.argmax(spacing))]  # slices are across the widest spacing
    for frame, row, column in ((0, 0, 0), tuple(size - 1 for size in found.shape), (1, 2, 3)):
        left, back, head = place_of(dataset, frame, row, column)
        voxel = np.rint(inverse @ [-left, -back, head, 1.0]).astype(int)[:3]
        assert found[frame, row, column] == array[tuple(voxel)]


@pytest.mark.parametrize("turn", TURNS)
def test_a_plane_is_seen_as_usual(turn):
    dataset, _ = opened(volume(where=affine(turn)))
    shared = dataset.SharedFunctionalGroupsSequence[0]
    row, column = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, float).reshape(2, 3)
    assert (row + column).round(6).tolist() in ([0, 1, -1], [1, 0, -1], [1, 1, 0])


@pytest.mark.parametrize(
    ("unit", "factor"), [("meter", 1000.0), ("mm", 1.0), ("micron", 0.001), ("unknown", 1.0)]
)
def test_lengths_are_millimetres(unit, factor):
    made = volume()
    made.header.set_xyzt_units(unit)
    if factor == 0.001:
        made = volume(where=affine(spacing=(1500.0, 1250.0, 4000.0)))
        made.header.set_xyzt_units(unit)
    dataset, _ = opened(made)
    measures = dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    scale = 1.0 if factor == 0.001 else factor
    assert float(measures.SpacingBetweenSlices) == pytest.approx(4.0 * scale)


@pytest.mark.parametrize("kind", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
@pytest.mark.parametrize("make", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_values_are_those_of_the_volume(kind, make):
    array = values("int16").astype(np.int64) % 200 if kind.startswith("u") else values("int16")
    dataset, _ = opened(volume(array.astype(kind), make=make))
    there = dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
    assert sorted(there.ravel().tolist()) == sorted(array.ravel().tolist())


def test_values_between_whole_numbers_keep_their_scale():
    array = np.random.default_rng(1).normal(3, 0.2, SHAPE)
    made = volume(array.astype("float32"))
    dataset, _ = opened(made)
    there = dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
    assert np.sort(there.ravel()) == pytest.approx(np.sort(array.ravel()), abs=np.ptp(array) / 60000)


def test_the_slope_of_the_header_counts():
    made = volume(values("float32") * 0.5)
    made.header.set_data_dtype("int16")
    dataset, _ = opened(nibabel.Nifti1Image.from_bytes(made.to_bytes()))
    there = dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
    assert np.sort(there.ravel()) == pytest.approx(np.sort(values().ravel() * 0.5), abs=0.02)


def test_a_volume_without_affine_has_no_positions():
    made = nibabel.Nifti1Image(values(), None)
    made.header["sform_code"] = made.header["qform_code"] = 0
    dataset, notes = opened(made)
    assert "PerFrameFunctionalGroupsSequence" not in dataset
    assert any("does not say where it lies" in note for note in notes)


def test_hounsfield_units_are_a_ct():
    dataset, notes = opened(volume(np.where(values() > 0, 400, -1000).astype("int16")))
    assert dataset.Modality == "CT" and "taken as CT" in notes[0]
    assert opened(volume())[0].Modality == "MR"


def test_packed_big_endian_and_plain_are_the_same_volume():
    plain = volume().to_bytes()
    turned = volume().as_reoriented(np.array([[0, 1], [1, 1], [2, 1]]))
    big = nibabel.Nifti1Image(values().astype(">i2"), affine(), turned.header.as_byteswapped(">"))
    streams = [plain, gzip.compress(plain), big.to_bytes()]
    found = [volume_as_dicom(io.BytesIO(content))[0].read() for content in streams]
    assert found[0] == found[1]
    assert np.array_equal(*(pydicom.dcmread(io.BytesIO(one)).pixel_array for one in (found[0], found[2])))


@pytest.mark.parametrize(
    ("made", "name", "reason"),
    [
        (volume(np.eye(4, 5, dtype="uint8")[..., None].repeat(6, 2)), "a.nii", "holds labels drawn on"),
        (volume((values() % 90 * (values() > 500)).astype("int16")), "a_labels.nii.gz", "holds labels"),
        (volume(np.zeros((3, 3, 3, 2), "int16")), "a.nii", "of 2 volumes"),
        (volume(np.zeros(SHAPE, np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]))), "a.nii", "in colour"),
        (volume(np.full(SHAPE, np.nan, "float32")), "a.nii", "values that are no numbers"),
    ],
)  # fmt: skip
def test_what_is_no_image_is_refused_by_name(made, name, reason):
    with pytest.raises(Refusal, match=reason):
        volume_as_dicom(io.BytesIO(made.to_bytes()), name)


def test_a_picture_with_air_around_it_is_no_mask():
    made = volume((np.arange(120).reshape(SHAPE) * (np.arange(120).reshape(SHAPE) > 50)).astype("int16"))
    assert opened(made)[0].NumberOfFrames == 6


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 352 + 239))
def test_a_volume_cut_short_is_refused_or_left_to_others(kept):
    content = volume().to_bytes()[:kept]
    stream = io.BytesIO(content)
    try:
        given_back, _ = volume_as_dicom(stream)
    except Refusal:
        return
    assert given_back is stream  # too short to be known as one


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 351), st.integers(0, 255)), min_size=1, max_size=6), st.booleans())
def test_a_damaged_header_is_refused_or_read_and_never_fails_otherwise(changes, is_packed):
    content = bytearray(volume().to_bytes())
    for place, value in changes:
        content[place] = value
    try:
        volume_as_dicom(io.BytesIO(gzip.compress(bytes(content)) if is_packed else bytes(content)), "a.nii")
    except Refusal as reason:
        assert str(reason)


def test_a_header_that_promises_more_than_there_is_takes_no_memory():
    made = volume()
    made.header["dim"][1:4] = (800, 800, 300)
    content = made.header.binaryblock + volume().to_bytes()[348:]
    with pytest.raises(Refusal, match="cut short or damaged"):
        volume_as_dicom(io.BytesIO(content))


def test_half_of_a_pair_is_refused():
    head = bytearray(volume().to_bytes()[:352])
    head[344:348] = b"ni1\0"
    with pytest.raises(Refusal, match=NO_PICTURE[:20]):
        volume_as_dicom(io.BytesIO(bytes(head)))


@pytest.fixture
def store(tmp_path):
    return CohortStore.open(tmp_path / "c" / "trial.duckdb") if (tmp_path / "c").mkdir() is None else None


def test_no_text_of_a_volume_comes_along(store, tmp_path):
    made = volume()
    secret = SECRETS[0]
    made.header["descrip"] = made.header["aux_file"] = made.header["db_name"] = secret.encode()[:17]
    made.header["intent_name"] = secret.encode()[:15]
    for code in (0, 2, 6, 44):  # unknown, DICOM, comment, MIND
        made.header.extensions.append(nibabel.nifti1.Nifti1Extension(code, f"{secret} 1954-03-17".encode()))
    delivery = tmp_path / "delivery"
    delivery.mkdir()
    (delivery / f"{secret}_t2.nii.gz").write_bytes(gzip.compress(made.to_bytes()))
    result = ingest(store, [delivery], workers=0)
    assert (result.ingested, result.refused) == (1, [])
    stored = [path for path in (tmp_path / "c").rglob("*") if path.is_file()]
    assert len(stored) > 3
    for path in stored:
        content = path.read_bytes()
        for word in (secret, secret.upper(), "1954-03-17", "19540317"):
            assert word.encode() not in content and word.encode("utf-16-le") not in content, path.name


def test_a_volume_is_one_image_of_many_frames_and_known_again(store, tmp_path):
    path = tmp_path / "one.nii.gz"
    path.write_bytes(gzip.compress(volume().to_bytes()))
    assert ingest(store, [path], workers=0).ingested == 1
    again = ingest(store, [path], workers=0)
    assert (again.ingested, again.already_there, again.duplicates) == (0, 1, [])
    row = store.query("SELECT image, frame_count, modality, view FROM image").iloc[0]
    assert (row["frame_count"], row["modality"], row["view"]) == (6, "MR", "axial")
    image = load_image(store, row["image"])
    assert image.slice_spacing_mm == 4 and image.positions_mm is not None
    assert [place[2] for place in image.positions_mm] == [37 + 4 * step for step in range(6)]


def with_sidecar(folder, said):
    folder.mkdir()
    (folder / "sub_bold.nii.gz").write_bytes(gzip.compress(volume().to_bytes()))
    (folder / "sub_bold.json").write_text(said if isinstance(said, str) else json.dumps(said))
    return folder


def test_the_file_beside_a_volume_says_how_it_was_taken_and_no_word_of_it_is_kept(store, tmp_path):
    secret = SECRETS[0]
    said = {
        "Modality": "MR", "EchoTime": 0.06, "RepetitionTime": 4, "InversionTime": 0.16, "SliceThickness": 3.5,
        "ScanningSequence": "SE_IR", "SeriesDescription": f"stir lws {secret}", "PatientName": secret,
        "PatientID": secret, "BodyPartExamined": "LSPINE", "ImageType": ["ORIGINAL", "PRIMARY", secret],
    }  # fmt: skip
    result = ingest(store, [with_sidecar(tmp_path / "in", said)], workers=0)
    (row,) = result.series
    assert (row["sequence"], row["thickness_mm"], row["gap_mm"]) == ("STIR", 3.5, 0.5)
    assert [film["warnings"] for film in result.flagged] == []
    assert [film["file"] for film in result.refused] == ["sub_bold.json"]
    for path in (tmp_path / "c").rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert secret.encode() not in content and secret.upper().encode() not in content, path.name


@pytest.mark.parametrize(
    "said", ["", "[]", "{", "7", '{"EchoTime": "soon", "ScanOptions": 5}', "[" * 100_000]
)
def test_a_file_beside_a_volume_that_says_nothing_stands_in_no_way(tmp_path, said):
    folder = with_sidecar(tmp_path / "in", said)
    assert sidecar_of(Source("a", folder / "sub_bold.nii.gz")) == {}


def test_a_preview_says_what_would_become_of_it(tmp_path):
    (tmp_path / "one.nii").write_bytes(volume().to_bytes())
    row = preview_row(Source("one.nii", tmp_path / "one.nii"), None)
    assert (row["would be"], row["modality"]) == ("taken", "MR")
