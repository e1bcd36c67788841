"""The table of what networks said of patients whom they had not learned from."""

import numpy as np
import pandas as pd
import pytest

from core.errors import ModelError
from models.synovitis.predictions import ABOUT, as_rows, of_task, read_predictions, write_predictions
from models.synovitis.tasks import TASKS, classes_of


def pictures(diseases):
    """One picture a patient."""
    rows = [
        (f"I{n}", f"P{n}", "BL", disease, "A", "R", "MCP2", "B", n % 4) for n, disease in enumerate(diseases)
    ]
    return pd.DataFrame(rows, columns=list(ABOUT))


def test_table_comes_back_as_it_was_written(tmp_path):
    rng = np.random.default_rng(0)
    about = pictures(["RA+", "RA-", "PsA", "SpA", "RA+"])
    said = {task: rng.dirichlet(np.ones(len(classes_of(task))), 5) for task in TASKS}
    found = {task: (chances, chances.argmax(axis=1)) for task, chances in said.items()}
    table = pd.concat([as_rows(about, "folds", "0", found), as_rows(about, "device", "A", found)])
    write_predictions(table, "demo", tmp_path)
    read = read_predictions(folder=tmp_path)
    for scheme, part in (("folds", "0"), ("device", "A")):
        grade = of_task(read, "grade", scheme)
        assert grade.truth.tolist() == [0, 1, 2, 3, 0] and set(grade.rows["part"]) == {part}
        assert np.allclose(grade.probabilities, said["grade"], atol=1e-4)
        assert grade.answer.tolist() == said["grade"].argmax(axis=1).tolist()
        asked = of_task(read, "rapos_v_raneg", scheme)
        assert asked.rows["patient"].tolist() == ["P0", "P1", "P4"] and asked.truth.tolist() == [1, 0, 1]
        assert np.allclose(asked.probabilities, said["rapos_v_raneg"][[0, 1, 4]], atol=1e-4)
        assert asked.answer.tolist() == said["rapos_v_raneg"].argmax(axis=1)[[0, 1, 4]].tolist()


def test_absent_table_says_how_to_make_it(tmp_path):
    with pytest.raises(ModelError, match="sharpline train synovitis"):
        read_predictions(folder=tmp_path)
