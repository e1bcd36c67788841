"""Real ultrasound (a lymph node, vessels, test pictures) is no joint, and none is scored as one."""

import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest

from core.domain import Abstained, Box, Image, ScanArea, Viewer
from data.dicom.images import load_image
from data.ingest.run import ingest
from data.scoring.together import count_offered
from data.store.cohort import CohortStore
from models.ood.check import UNLIKE
from models.registry import model_of
from models.scoring.run import score_cohort
from models.synovitis.scorer import build
from tests.helpers.paths import REAL

FOLDER = REAL / "dicom-conformance"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"{FOLDER.name} is not there")
NAMES = ("US1_*", "OBXXXX1A*", "gdcm-US-ALOKA*", "JPGLosslessP14SV1*")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    store = CohortStore.open(folder / "real.duckdb")
    files = folder / "files"
    files.mkdir()
    for path in sorted(path for name in NAMES for path in FOLDER.glob(f"{name}.dcm")):
        shutil.copyfile(path, files / path.name)
    ingest(store, [files], workers=0)
    return store


def images_of(cohort):
    sql = "SELECT image FROM main.image WHERE modality = 'US' AND superseded_by IS NULL ORDER BY image"
    return [load_image(cohort, name) for name in cohort.query(sql)["image"]]


def test_none_is_scored_and_each_says_why(cohort):
    model = model_of("synovitis")
    count = len(cohort.query("SELECT image FROM main.image WHERE modality = 'US' AND superseded_by IS NULL"))
    assert count >= 6
    report = score_cohort(cohort, "synovitis", processes=1)
    assert report.images == len(report.abstained) == count and report.scored == 0
    assert all(row["reason"] for row in report.abstained)
    assert cohort.query("SELECT * FROM main.site_score").empty
    assert cohort.query("SELECT * FROM main.diagnosis_chance").empty
    assert count_offered(cohort, Viewer(), "synovitis", model.offers).iloc[0].tolist() == [count] * 3


def test_handed_over_as_they_are_none_is_looked_at(cohort):
    """Also one that a person has released; it names no joint."""
    scorer = build(threads=1)
    results = scorer.score(images_of(cohort))
    assert [one.reason for one in results] == [
        "which joint it shows is not known; state it in a map file"
    ] * 6


def test_said_to_be_a_joint_each_is_unlike_joints(cohort):
    """Joint, side and mode are lent to them, so that only what they look like can tell."""
    scorer = build(threads=1)
    lent = [replace(one, joint="MCP2", laterality="R", mode="B") for one in images_of(cohort)]
    refused = [one for one in scorer.score(lent) if isinstance(one, Abstained)]
    assert len(refused) == len(lent) == 6 and all(one.reason.startswith(UNLIKE) for one in refused)


def test_other_real_pictures_said_to_be_a_joint_are_unlike_joints():
    """A wrist film is no scan, whatever a map file says."""
    paths = sorted((REAL / "wrist-radiographs" / "images").glob("*.png"))[::3]
    if not paths:
        pytest.skip("real wrist films are not there")
    scorer = build(threads=1)
    greys = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in paths]
    images = [as_scan(grey, name=path.stem) for path, grey in zip(paths, greys, strict=True)]
    assert all(isinstance(one, Abstained) and one.reason.startswith(UNLIKE) for one in scorer.score(images))


def as_scan(grey: np.ndarray, name: str) -> Image:
    """A grey picture as an ultrasound scan of a joint that fills the image."""
    rows, columns = grey.shape
    return Image(
        name, grey[None].astype(np.uint16), colour=np.repeat(grey[None, ..., None], 3, axis=3), modality="US",
        areas=(ScanArea(Box(0, 0, columns, rows), (0.15, 0.15)),), laterality="R", joint="MCP2", mode="B",
    )  # fmt: skip
