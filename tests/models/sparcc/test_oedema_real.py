"""Real volumes among what the network of marrow oedema is trained on: whose, and in what share."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from models.sparcc.anatomy.training import FOLDS
from models.sparcc.oedema import real
from models.sparcc.oedema.finder import Point
from models.sparcc.oedema.real import VERSIONS, Real, real_volumes, samples_of_volume, to_train_on, with_real
from models.sparcc.oedema.samples import Choice, batches, samples_of
from models.sparcc.oedema.training import network_training, with_oedema
from models.training.loop import Recipe
from tests.helpers.small_stacks import small_stack
from tests.models.sparcc.drawn.test_drawn import volume

SEQUENCES = {"A1": "T2 TSE", "A2": "T1 TSE", "B1": "TIRM", "B2": "T2 TSE", "C1": "T1 FFE (water/fat)"}


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Volumes A1, A2 of patient A, B1, B2 of B, and so on; those of F are a second copy of those of E."""
    names = [*SEQUENCES, *(f"{patient}1" for patient in "DEFGHIJ")]
    rows = [(name, SEQUENCES.get(name, "T2 TSE")) for name in names]
    frames = {name: volume(seed=4 if name == "F1" else number).frames for number, name in enumerate(names)}
    monkeypatch.setattr(real, "read_index", lambda folder: pd.DataFrame(rows, columns=["file", "sequence"]))
    stacks = [replace(volume(), file=name, patient=name[0], frames=frames[name]) for name in names]
    monkeypatch.setattr(real, "read_folder", lambda folder: stacks)
    return tmp_path


def test_no_patient_of_the_other_side_and_none_with_a_fat_suppressed_exam_is_trained_on(folder):
    held_out = {patient for patient, fold in real.folds_of(real.read_folder(folder)).items() if fold == 1}
    kept = to_train_on(folder, 1)
    assert held_out and not held_out & {one.patient for one in kept}
    files = {one.file for number in range(FOLDS) for one in to_train_on(folder, number)}
    assert not {"A2", "B1", "B2"} & files  # bright fat; TIRM; the patient of the TIRM
    assert {"A1", "C1", "E1"} <= files and "F1" not in files
    assert real_volumes(folder, 0).dark_fat == {"C1"}


def test_an_index_without_sequences_says_what_is_missing(folder, monkeypatch):
    monkeypatch.setattr(real, "read_index", lambda folder: pd.DataFrame({"file": ["A1"]}))
    with pytest.raises(InputError, match="without column sequence"):
        to_train_on(folder, 0)


def test_one_version_of_a_volume_has_nothing_drawn_in_and_all_are_the_same_each_time():
    versions = list(samples_of_volume(volume(), is_dark=False))
    assert [bool(one.oedema.any()) for one in versions] == [False, *[True] * (VERSIONS - 1)]
    assert all(one.is_real and one.stir.shape == one.oedema.shape for one in versions)
    marrow = [np.median(one.stir[4, 52:68, 36:58]) for one in versions]
    assert len(set(marrow)) > 1
    again = list(samples_of_volume(volume(), is_dark=False))
    assert all(np.array_equal(a.stir, b.stir) for a, b in zip(versions, again, strict=True))


def test_a_volume_that_cannot_be_measured_is_left_out():
    dark = replace(volume(), names=("L5-S1", "L4-L5", "L3-L4"))
    assert not list(samples_of_volume(dark, is_dark=False))


def test_real_views_are_drawn_in_their_share_with_both_kinds_among_them(monkeypatch):
    samples = with_real(
        samples_of([small_stack("P1"), small_stack("P2", patch=())], Choice(real=0.5, real_positive=0.4)),
        Real([volume()], frozenset()),
    )
    seen = []
    monkeypatch.setattr(
        "models.sparcc.oedema.samples.view",
        lambda sample, frame, rng: (
            seen.append((sample.is_real, bool(sample.oedema[frame].any())))
            or (np.zeros((3, 4, 4), np.float32), np.zeros((1, 4, 4), np.float32))
        ),
    )
    next(iter(batches(samples, Recipe(epochs=1, batch=400, images=400), None)(0)))
    kinds = pd.DataFrame(seen, columns=["real", "positive"])
    assert kinds["real"].mean() == pytest.approx(0.5, abs=0.08)
    shares = kinds.groupby("real")["positive"].mean()
    assert shares[True] == pytest.approx(0.4, abs=0.1) and shares[False] == pytest.approx(0.5, abs=0.1)


def test_the_card_says_how_much_is_real_and_whose_it_is():
    training = network_training(real=Real([volume()], frozenset()))
    samples = training.samples([small_stack("P1"), small_stack("P2", patch=())], 0)
    recipe = Recipe(epochs=1, batch=2, images=2, half_precision=False, average=0.0)
    about = training.about(samples, training.train(samples, recipe), recipe)
    assert (about["real_stacks"], about["real_share"]) == (VERSIONS, samples.choice.real)
    card = with_oedema({}, {"sha256": "b"}, Point(0.5, 0.2), {}, {"TR1"}, ["P1"])
    assert card["training"]["oedema_real_patients"] == ["P1"]
