"""DICOM series of phantom stacks: read back as one stack, the same bytes again, tags of the sequence."""

import numpy as np
import pandas as pd
import pytest
from pydicom import dcmread

from core.domain import Image
from core.imaging.stacks import stack_of
from data.dicom.frame_geometry import geometry_of
from data.phantom.mri.__main__ import main
from data.phantom.mri.anatomy import BODY_LABEL
from data.phantom.mri.files import reader_tables, subject_table
from data.phantom.mri.patients import make_patient
from data.phantom.seeds import StudyRole, StudySeed


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("mri")
    main([str(out), "--patients", "1", "--first", "3", "--seed", "4", "--weeks", "0", "--views", "lumbar"])
    return out


def _images(folder, name):
    found = []
    for path in sorted(folder.glob(f"mri/P003/BL/{name}/*.dcm")):
        ds = dcmread(path)
        geometry = geometry_of(ds, 1)
        found.append(
            Image(path.name, ds.pixel_array, tuple(map(float, ds.PixelSpacing)), "MR", **geometry.fields())
        )
    return found


def test_a_series_is_a_stack_in_the_order_of_the_masks(folder):
    masks = np.load(folder / "masks/P003/BL_lumbar.npz")
    images = _images(folder, "lumbar_STIR")
    stack = stack_of("series", list(reversed(images)))
    assert stack.frames.shape == masks["oedema"].shape == masks["structures"].shape
    assert stack.slice_spacing_mm == pytest.approx(3.5, abs=1e-3)
    bodies = np.isin(masks["structures"], list(BODY_LABEL.values()))
    outside = masks["structures"] == 0
    t1 = stack_of("series", _images(folder, "lumbar_T1")).frames
    assert t1[bodies].mean() > 1.5 * t1[outside].mean()  # marrow holds fat: bright in T1, as masked


def test_tags_say_what_the_sequences_are(folder):
    stir, t1 = (dcmread(next(folder.glob(f"mri/P003/BL/lumbar_{name}/*.dcm"))) for name in ("STIR", "T1"))
    assert (stir.Modality, list(stir.ScanningSequence), float(stir.RepetitionTime), float(stir.EchoTime)) == (
        "MR", ["SE", "IR"], 5000, 80,
    )  # fmt: skip
    assert float(stir.InversionTime) > 100
    assert "InversionTime" not in t1
    assert stir.StudyInstanceUID == t1.StudyInstanceUID
    assert stir.SeriesInstanceUID != t1.SeriesInstanceUID
    assert stir.FrameOfReferenceUID == t1.FrameOfReferenceUID
    assert stir.ImagePositionPatient == t1.ImagePositionPatient
    assert (stir.ClinicalTrialSubjectID, stir.ClinicalTrialTimePointID) == ("P003", "BL")


def test_tables_name_every_series_slice_and_item(folder):
    series, slices, truth = (
        pd.read_csv(folder / f"{name}.csv") for name in ("series", "slices", "truth_sparcc")
    )
    assert sorted(series["sequence"]) == ["STIR", "T1"]
    masks = np.load(folder / "masks/P003/BL_lumbar.npz")
    assert list(slices["oedema_pixels"]) == list(masks["oedema"].sum(axis=(1, 2)))
    assert slices["radiologist"].isin([0, 1]).all()
    assert len(truth) == 6 * 18


def test_readers_score_every_item_of_every_visit():
    people = [make_patient(StudySeed(StudyRole.TEST, 5), number, domain="second") for number in (1, 2)]
    tables = reader_tables(people, (0, 24))
    assert list(tables) == ["R1", "R2", "R3"]
    for table in tables.values():
        assert len(table) == 2 * 2 * 414
        assert set(table["visit"]) == {"BL", "W24"}
        assert not table.duplicated(["subject", "visit", "site"]).any()
        assert table["grade"].isin([0, 1]).all()
    assert list(subject_table(people)["domain"]) == ["second", "second"]


def test_the_same_settings_give_the_same_bytes(folder, tmp_path):
    main(
        [str(tmp_path), "--patients", "1", "--first", "3", "--seed", "4", "--weeks", "0", "--views", "lumbar"]
    )
    first, again = (
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (folder, tmp_path)
    )
    assert first == again
