"""The networks of one fold become the model: with its calibration, and without those whom they never saw."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from core.errors import ModelError
from core.learned_from import KEY
from models import cards
from models.synovitis.predictions import (
    ABOUT,
    SCHEMES,
    as_rows,
    read_predictions,
    table_path,
    write_predictions,
)
from models.synovitis.ship import main, ship
from models.synovitis.tasks import DIAGNOSES, GRADE, TASKS

PATIENTS = [f"P{number}" for number in range(10)]


def entry_of(folder, task, fold):
    """A file that stands for weights, and its entry in the card."""
    file = folder / f"synovitis-demo-{task}.safetensors"
    file.write_bytes(f"{task} of fold {fold}".encode())
    return {"file": file.name, "sha256": cards.sha256(file), "patients": 8}


@pytest.fixture
def out(tmp_path):
    """What a training of two folds leaves: card and table of all, and in each fold a card and its weights."""
    folder = tmp_path / "out"
    for fold in (0, 1):
        own = folder / f"fold{fold}"
        own.mkdir(parents=True)
        card = {
            "networks": {task: entry_of(own, task, fold) for task in TASKS},
            "grading": {task: {"temperature": 1.0 + fold} for task in TASKS},
            "training": {"fold": str(fold), "seed": 3},
        }
        cards.write_card(card, "synovitis", "demo", own)
    whole = {
        "networks": {task: entry_of(folder, task, "none") for task in TASKS},
        "grading": {task: {"temperature": 9.0} for task in TASKS},
        "training": {"patients": PATIENTS, "seed": 3, KEY: [{"kind": "phantom", "patients": len(PATIENTS)}]},
        "evaluation": {"five folds": {"grade": 0.5}},
    }
    cards.write_card(whole, "synovitis", "demo", folder)
    write_predictions(
        pd.concat([rows_of(scheme, fold) for scheme in SCHEMES for fold in (0, 1)]), "demo", folder
    )
    return folder


def rows_of(scheme, fold):
    """The patients whom a fold left out are every other one; a device leaves others out."""
    first = fold if scheme == "folds" else 5 * fold
    left_out = PATIENTS[first::2] if scheme == "folds" else PATIENTS[first : first + 5]
    about = pd.DataFrame(
        [(f"I{one}", one, "BL", "RA+", "A", "R", "MCP2", "B", 1) for one in left_out], columns=list(ABOUT)
    )
    even = {task: (np.full((len(about), 2), 0.5), np.zeros(len(about), int)) for task in DIAGNOSES}
    return as_rows(
        about, scheme, str(fold), even | {GRADE: (np.full((len(about), 4), 0.25), np.ones(len(about)))}
    )


@pytest.mark.parametrize("fold", [0, 1])
def test_the_model_is_that_of_the_fold_and_its_patients(out, tmp_path, fold):
    to = tmp_path / "weights"
    ship(out, fold, to)
    card = cards.read_card("synovitis", "demo", to)
    learned = PATIENTS[1 - fold :: 2]
    assert card["training"]["patients"] == learned and card["training"]["fold"] == fold
    assert card["training"][KEY] == [{"kind": "phantom", "patients": len(learned)}]
    assert card["training"]["seed"] == 3 and card["evaluation"] == {"five folds": {"grade": 0.5}}
    for task in TASKS:
        assert card["grading"][task] == {"temperature": 1.0 + fold}
        entry = card["networks"][task]
        assert entry["fold"] == fold and entry["patients"] == 8
        assert (to / entry["file"]).read_bytes() == f"{task} of fold {fold}".encode()
        assert cards.sha256(to / entry["file"]) == entry["sha256"]
    assert read_predictions(folder=to).equals(read_predictions(folder=out))


def test_the_training_is_left_as_it_was(out, tmp_path):
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    done = CliRunner().invoke(main, [str(out), "--fold", "1", "--to", str(tmp_path / "weights")])
    assert done.exit_code == 0 and done.output.strip().endswith("synovitis-demo.json")
    assert json.loads((tmp_path / "weights" / "synovitis-demo.json").read_text())["training"]["fold"] == 1
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_what_is_lacking_is_named_and_nothing_is_filed(out, tmp_path):
    to = tmp_path / "weights"
    with pytest.raises(ModelError, match="fold4"):
        ship(out, 4, to)
    table_path(folder=out).unlink()
    with pytest.raises(ModelError, match="no predictions of folds"):
        ship(out, 0, to)
    (out / "synovitis-demo.json").unlink()
    with pytest.raises(ModelError, match="no weights of synovitis"):
        ship(out, 0, to)
    assert not to.exists()
