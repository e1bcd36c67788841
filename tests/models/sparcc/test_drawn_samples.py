"""Phantom stacks beside real volumes in the training of bodies and discs, and figures on them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from core.domain import Abstained
from data.phantom.mri.anatomy import BODY_LABEL, DISC_LABEL
from models import cards
from models.sparcc.anatomy import samples as made
from models.sparcc.anatomy.evaluate_phantom import dices, figures, outcomes
from models.sparcc.anatomy.levels import Found
from models.sparcc.anatomy.network import build
from models.sparcc.anatomy.samples import PHANTOM, SIDE, batches, drawn_samples
from models.sparcc.anatomy.segment import Segmented
from models.sparcc.anatomy.targets import CHANNELS, FULL
from models.sparcc.anatomy.training import RARE, Material, samples_of, widened
from models.training.loop import Recipe
from tests.helpers.small_stacks import small_stack


def stack(spacing=(1.0, 1.0)):
    """L4, the disc below and L5 from top to bottom, and C2 in a corner."""
    small = small_stack(spacing=spacing)
    structures = np.zeros_like(small.structures)
    rows, columns = structures.shape[1:]
    third = rows // 4
    for place, label in enumerate((BODY_LABEL["L4"], DISC_LABEL["L4L5"], BODY_LABEL["L5"])):
        structures[1:5, place * third : (place + 1) * third, : columns // 2] = label
    structures[1:5, 3 * third :, columns // 2 :] = BODY_LABEL["C2"]
    return replace(small, structures=structures)


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.8, 1.25)])
def test_all_of_a_phantom_stack_is_known(spacing):
    stir, t1 = drawn_samples(stack(spacing))
    assert stir.grey.shape == t1.grey.shape == (6, 40, 30)
    assert not np.array_equal(stir.grey, t1.grey)
    assert stir.labelled.tolist() == [1, 2, 3, 4]
    wanted, weight = stir.targets(2)
    assert (weight == FULL).all()
    assert wanted.shape == (len(CHANNELS), 40, 30)
    centres = {"body": (5, 5), "disc": (15, 5), "L5": (25, 5), "C2": (35, 25)}
    said = {
        name: [CHANNELS[at] for at in np.flatnonzero(wanted[:, r, c])] for name, (r, c) in centres.items()
    }
    assert said == {"body": ["body"], "disc": ["disc"], "L5": ["body", "L5"], "C2": ["body", "C2"]}
    assert not stir.targets(0)[0].any()
    assert 0 <= stir.shown(2).min() <= stir.shown(2).max() <= 1


def test_half_of_the_views_are_of_phantom_stacks_where_there_are_real_volumes():
    phantom = drawn_samples(stack())
    real = [replace(phantom[0], source=source) for source in ("VB2", "VB3", "IVD")]
    rng = np.random.default_rng(0)
    drawn = [made._drawn([*phantom, *real], rng).source for _ in range(2000)]
    assert np.mean([source == PHANTOM for source in drawn]) == pytest.approx(0.5, abs=0.05)
    assert np.mean([source == "VB2" for source in drawn]) == pytest.approx(0.5 * 0.3 / 0.8, abs=0.04)
    assert made._drawn(phantom, rng).source == PHANTOM


def test_a_batch_of_phantom_stacks_has_a_map_for_each_class():
    samples = samples_of(Material(stacks=[stack()]), 0)
    batch = next(iter(batches(samples, Recipe(epochs=1, batch=3, images=3), None)(0)))
    wanted, weight = batch.targets
    assert batch.pixels.shape == (3, 3, SIDE, SIDE)
    assert wanted.shape == weight.shape == (3, len(CHANNELS), SIDE, SIDE)
    assert wanted[:, 0].any()


def test_weights_without_a_map_of_c2_can_be_begun_from(tmp_path):
    old = build("demo", 3).eval()
    entry = cards.save(old, tmp_path / "sparcc-demo-anatomy.safetensors") | {"classes": list(CHANNELS[:3])}
    cards.write_card({"networks": {"anatomy": entry}}, "sparcc", "demo", tmp_path)
    folder = widened(tmp_path, "demo", tmp_path / "start")
    new = build("demo").eval()
    cards.load_into(
        new,
        {"networks": {"anatomy": entry | {"sha256": cards.sha256(folder / entry["file"])}}},
        "anatomy",
        folder,
    )
    pixels = torch.rand(1, 3, 32, 32)
    with torch.inference_mode():
        before, after = old(pixels), new(pixels)
    assert torch.allclose(before, after[:, :3], atol=1e-5)
    assert torch.allclose(after[:, 3], torch.tensor(RARE))


def found_on(one, levels):
    """All structures found as they are, the bodies labelled 1 and on in the order of their numbers."""
    bodies = [value for value in np.unique(one.structures) if value in BODY_LABEL.values()]
    labels = np.zeros(one.structures.shape, np.uint16)
    for number, value in enumerate(bodies, 1):
        labels[one.structures == value] = number
    labels[one.structures == DISC_LABEL["L4L5"]] = len(bodies) + 1
    parts = tuple(Found(number, (0.0, 0.0), 10.0, 0.0) for number in range(1, len(bodies) + 1))
    return Segmented(labels, parts, Abstained("not asked"), levels, np.zeros(0))


def test_bodies_are_counted_by_what_became_of_them():
    one = stack()  # C2, L4 and L5 are bodies 1, 2 and 3
    found = found_on(one, {1: "C2", 2: "L3"})
    assert outcomes(one, found) == {"right": 1, "wrong": 1, "unnamed": 1, "missed": 0}
    assert dices(one, found) == {"body": 1.0, "disc": 1.0}
    half = replace(found, labels=np.where(found.labels == 2, 0, found.labels).astype(np.uint16))
    assert outcomes(one, half) == {"right": 1, "wrong": 0, "unnamed": 1, "missed": 1}
    assert dices(one, half)["body"] < 0.9


def test_figures_are_those_of_a_view_and_sequence():
    row = {"view": "lumbar", "body": 0.8, "disc": 0.6, "right": 5, "wrong": 0, "unnamed": 1, "missed": 0}
    joined = {f"across_{name}": row[name] for name in ("right", "wrong", "unnamed", "missed")}
    rows = pd.DataFrame(
        [
            row | joined | {"patient": "P1", "sequence": "STIR"},
            row | joined | {"patient": "P2", "sequence": "STIR", "body": 0.9},
            row | {"patient": "P1", "sequence": "T1"},
        ]
    )
    found = figures(rows)
    assert found["lumbar STIR"]["patients"] == 2
    assert found["lumbar STIR"]["body"][0] == 0.85
    assert found["lumbar STIR"]["names of the visit"] == {"right": 10, "wrong": 0, "unnamed": 2, "missed": 0}
    assert "names of the visit" not in found["lumbar T1"]
