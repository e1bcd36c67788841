"""Both evaluations of phantom patients, with graders that are made up: no weights are needed."""

import numpy as np
import pandas as pd
import pytest

from core.domain import Abstained, Finding, Scored
from core.scores.synovitis import SYNOVITIS
from models.evaluation.markdown import as_terminal
from models.evaluation.run import Outcome, set_figures
from models.synovitis.evaluation import diagnosis, held_out, synovitis
from models.synovitis.evaluation.patients import Scan
from models.synovitis.tasks import DIAGNOSES
from tests.models.synovitis.evaluation.test_held_out import invented

PATIENTS = 4


@pytest.fixture(scope="module")
def drawn():
    return synovitis.render("first", PATIENTS, processes=1, tell=lambda line: None)


def graded(test_set, wrong=()):
    """What a grader makes of the scans who sees the truth, but abstains on some."""
    truth = test_set.truth.set_index(["subject", "visit", "site"])["grade"]
    found = []
    for place, image in enumerate(test_set.images):
        site = image.label.site
        grade = int(truth[(image.subject, image.visit, site)])
        chances = tuple(np.where(np.arange(4) == grade, 0.7, 0.1).tolist())
        feature = {"GS": "gs", "PD": "pd"}[site.rpartition(".")[2]]
        result = Scored((Finding(site, feature, grade, chances, 0.7),))
        found.append(Outcome(Abstained("too dark") if place in wrong else result))
    return found


def test_scans_are_those_that_truth_and_readers_tell_of(drawn):
    keys = {(image.subject, image.visit, image.label.site) for image in drawn.images}
    assert keys == set(map(tuple, drawn.truth[["subject", "visit", "site"]].to_numpy().tolist()))
    readers = drawn.reads.groupby("reader").size()
    assert set(readers) == {len(drawn.truth)} and len(readers) == 3
    label = drawn.images[0].label
    assert isinstance(label, Scan)
    image = label.as_film()
    assert (image.joint, image.laterality, image.mode) == (label.joint, label.side, label.mode)


def test_grader_who_sees_the_truth_agrees_with_it_and_sums_count_the_same_joints(drawn):
    found = set_figures(
        SYNOVITIS, drawn, graded(drawn, wrong={0}), sections=synovitis.sections, chosen=synovitis.same_joints,
        draws=50,
    )  # fmt: skip
    status = found["status"]["total"]
    assert status["model"]["mean_absolute_error"]["estimate"] == 0
    assert len({row["n"] for row in status.values()}) == 1
    joints = found["sections"]["test"]["joints"]
    assert joints["counted"] < joints["joints"] and joints["joints"] == len(drawn.truth) // 2
    model = found["sections"]["test"]["against_truth"]["all"]["model"]
    assert model["accuracy"]["estimate"] == model["auc"]["estimate"] == 1.0
    assert model["n"] == len(drawn.images) - 1
    assert found["change"]["total"]["model"]["n"] == PATIENTS
    text = as_terminal(synovitis.EVALUATION.blocks(found["sections"]))
    assert "readers in daily practice" in text and "published, standardised scans" in text


def test_of_several_pictures_of_a_joint_the_highest_grade_counts():
    rows = pd.DataFrame(
        [
            ("P1", "BL", "model", "R.WR.GS", 1),
            ("P1", "BL", "model", "R.WR.GS", 3),
            ("P1", "BL", "R1", "R.WR.GS", 2),
        ],
        columns=["subject", "visit", "reader", "site", "grade"],
    )
    found = synovitis.highest(rows)
    assert found.set_index("reader")["grade"].to_dict() == {"model": 3, "R1": 2}


def test_guesses_become_the_figures_of_a_table_of_predictions():
    test_set = diagnosis.render("first", 12, processes=1, tell=lambda line: None)
    outcomes = []
    for image in test_set.images:
        seen = {}
        for task, question in DIAGNOSES.items():
            place = question.place(image.label.disease)
            seen[task] = (0.5 if place is None else 0.3 + 0.4 * place, int(bool(place)))
        outcomes.append(Outcome(Scored(()), seen))
    found = diagnosis.sections(test_set.images, outcomes, pd.DataFrame())["diagnosis"]
    asked = {image.subject: image.label.disease for image in test_set.images}
    for task, question in DIAGNOSES.items():
        patients = [who for who, disease in asked.items() if question.place(disease) is not None]
        assert found[task]["pooled"]["patients"] == len(patients)
        assert found[task]["pooled"]["auc"]["estimate"] in (1.0, None)
    text = as_terminal(diagnosis.EVALUATION.blocks({"diagnosis": found}))
    assert "near chance by design" in text and "0.65-0.67" in text


def test_fold_that_always_answers_one_grade_is_not_passed_over_in_silence():
    table = invented()
    third = (table["scheme"] == "folds") & (table["part"] == "3")
    table.loc[third, "answer"] = 0
    found = held_out.grades(table, draws=20)
    assert found["by_fold"]["spearman"]["folds"] == 4
    assert found["by_fold"]["balanced_accuracy"]["values"][3] == 0.25
    assert "of 4 folds" in as_terminal(synovitis.EVALUATION.blocks({"held_out": found}))


def test_tables_of_the_folds_stand_beside_the_paper_and_say_what_it_leaves_open():
    table = invented()
    text = as_terminal(synovitis.EVALUATION.blocks({"held_out": held_out.grades(table, draws=20)}))
    for words in ("0.83 (0.02)", "0.54 (0.03)", "0.64 (0.02)", "sum to 2966, not to its 2478", "0.702",
                  "A, left out", "B, mixed folds", "true 3"):  # fmt: skip
        assert words in text, words
    text = as_terminal(diagnosis.EVALUATION.blocks({"diagnosis": held_out.diagnoses(table, draws=20)}))
    for words in ("0.62-0.63", "**left out**".strip("*"), "PPV at the paper's prevalence", "at 0.63"):
        assert words in text, words
