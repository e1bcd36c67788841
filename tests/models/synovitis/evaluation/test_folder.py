"""A labelled folder as a test set, and the guesses at its pictures."""

import json

import cv2
import numpy as np
import pytest

from core.errors import InputError
from models.synovitis.evaluation import diagnosis
from models.synovitis.evaluation.folder import read_folder

TABLE = """file,patient,visit,disease,device,side,joint,mode,grade
a.png,P1,BL,RA+,Echo,R,MCP2,PD,1
b.png,P1,BL,RA+,Echo,R,MCP2,PD,3
c.png,P2,BL,PsA,Echo,L,WR,B,0
"""


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for name in "abc":
        cv2.imwrite(str(tmp_path / f"{name}.png"), rng.integers(20, 200, (60, 80, 3)).astype(np.uint8))
    (tmp_path / "cases.csv").write_text(TABLE)
    return tmp_path


def test_pictures_of_one_joint_are_one_site_with_the_highest_grade(folder):
    found = read_folder(folder)
    assert [image.label.site for image in found.images] == ["R.MCP2.PD", "R.MCP2.PD", "L.WR.GS"]
    assert found.truth.set_index(["subject", "site"])["grade"].to_dict() == {
        ("P1", "R.MCP2.PD"): 3,
        ("P2", "L.WR.GS"): 0,
    }
    image = found.images[0].label.as_film()
    assert (image.joint, image.laterality, image.mode, image.device) == ("MCP2", "R", "PD", "Echo")
    assert image.colour.shape == (1, 60, 80, 3)
    assert found.real is None
    (folder / "info.json").write_text(json.dumps({"info": {"phantom": True}}))
    assert read_folder(folder).real is False


def test_row_that_cannot_be_used_stops_the_evaluation(folder):
    (folder / "cases.csv").write_text(TABLE.replace("MCP2", "MCP9"))
    with pytest.raises(InputError, match="joint is 'MCP9'"):
        read_folder(folder)


class Network:
    """Says the same of every picture."""

    def predict(self, pictures):
        assert pictures.shape == (1, 160, 160, 3)
        return np.array([[0.4, 0.6]])

    def answers(self, chances):
        return np.argmax(chances, axis=1)


def test_guesses_are_of_the_group_named_first(folder):
    test_set = read_folder(folder)
    reader = diagnosis.Guesser(dict.fromkeys(diagnosis.DIAGNOSES, Network()), 160)
    outcomes = [diagnosis.look(reader, image.label) for image in test_set.images]
    table = diagnosis.as_table(test_set.images, outcomes)
    assert table["ra_v_spa"].tolist() == [0.6] * 3 and table["ra_v_spa_answer"].tolist() == [1] * 3
    assert table["rapos_v_raneg"].isna().tolist() == [False, False, True]
    assert table["raneg_v_spa"].isna().tolist() == [True, True, False]
