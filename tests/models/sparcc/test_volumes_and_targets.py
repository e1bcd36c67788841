"""Labelled volumes as they are read, and what of them a network is trained on."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from core.errors import InputError
from models.sparcc.anatomy.network import build, loss
from models.sparcc.anatomy.samples import SIDE, batches, sample_of
from models.sparcc.anatomy.targets import CHANNELS, FULL, HALF, targets_of
from models.sparcc.anatomy.training import TRAINING, Material, folds_of
from models.sparcc.anatomy.volumes import LabelledStack, read_folder, without_copies
from models.training.loop import Recipe
from tests.helpers.drawn_spine import DrawnSpine

nibabel = pytest.importorskip("nibabel")
BODY, DISC, LOWEST, FIRST = range(4)


def stack_of(bottom="L5", patient="P1", source="VB2", top="L2"):
    """A labelled stack of drawn bodies, with an unlabelled one at each end."""
    spine = DrawnSpine(top="L1", bottom="S1", slices=3)
    names = [name for name in reversed(spine.levels) if top <= name <= bottom or name == bottom]
    labels = np.zeros_like(spine.labels)
    for number, name in enumerate(names, 1):
        labels[spine.labels == spine.label_of[name]] = number
    return spine, LabelledStack("one", source, patient, spine.frames, labels, tuple(names), (4.0, 1.0, 1.0))


def disc_stack(patient="P9"):
    spine, whole = stack_of()
    labels = np.zeros_like(whole.labels)
    names = []
    for lower, upper in (("S1", "L5"), ("L5", "L4"), ("L4", "L3")):
        _, below = spine.own(upper)
        forward, above = spine.own(lower)
        names.append(f"{upper}-{lower}")
        labels[:, (below < -13) & (above > 13) & (np.abs(forward) < 17)] = len(names)
    return spine, LabelledStack("two", "IVD", patient, spine.frames, labels, tuple(names), (4.0, 1.0, 1.0))


def at(spine, name, forward=0.0, up=0.0):
    """(row, column) of a point in a body's own mm."""
    column, row = spine.centres[name] + np.array([-forward, -up])
    return round(row), round(column)


def test_bodies_are_wanted_where_they_are_labelled_and_unknown_beyond():
    spine, stack = stack_of()
    targets = targets_of(stack)
    assert np.array_equal(targets.wanted[BODY], stack.labels > 0)
    for name in ("L1", "S1"):
        row, column = at(spine, name)
        assert (targets.weight[[BODY, DISC], 1, row, column] == 0).all()
    row, column = at(spine, "L3")
    assert targets.weight[BODY, 1, row, column] == FULL
    row, column = at(spine, "L3", forward=-60)
    assert (targets.weight[:, 1, row, column] == FULL).all()


def test_below_s1_nothing_is_to_be_found():
    spine, stack = stack_of(bottom="S1")
    targets = targets_of(stack)
    row, column = at(spine, "S1", up=-20)
    assert targets.weight[BODY, 1, row, column] == FULL
    assert targets.wanted[BODY, 1, row, column] == 0


def test_l5_alone_is_the_body_that_is_told_apart():
    spine, stack = stack_of()
    targets = targets_of(stack)
    assert np.array_equal(targets.wanted[LOWEST], spine.labels == spine.label_of["L5"])
    assert (targets.weight[LOWEST] == FULL).all()


def test_discs_between_labelled_bodies_are_drawn_and_count_half():
    spine, stack = stack_of()
    targets = targets_of(stack)
    row, column = at(spine, "L3", up=-17)
    assert (targets.wanted[DISC, 1, row, column], targets.weight[DISC, 1, row, column]) == (1, HALF)
    row, column = at(spine, "L3")
    assert (targets.wanted[DISC, 1, row, column], targets.weight[DISC, 1, row, column]) == (0, FULL)
    assert not targets.wanted[DISC][stack.labels > 0].any()


def test_of_labelled_discs_bodies_are_unknown():
    spine, stack = disc_stack()
    targets = targets_of(stack)
    assert np.array_equal(targets.wanted[DISC], stack.labels > 0)
    row, column = at(spine, "L4")
    assert targets.weight[BODY, 1, row, column] == 0
    assert targets.weight[DISC, 1, row, column] == FULL
    assert (targets.weight[BODY][stack.labels > 0] == FULL).all()
    row, column = at(spine, "L2", up=-17)
    assert targets.weight[DISC, 1, row, column] == 0
    row, column = at(spine, "S1", up=-17)
    assert targets.weight[DISC, 1, row, column] == FULL


def test_what_weighs_nothing_does_not_change_the_loss():
    torch.manual_seed(0)
    scores = torch.randn(2, 3, 8, 8)
    wanted = (torch.rand(2, 3, 8, 8) > 0.5).float()
    weight = (torch.rand(2, 3, 8, 8) > 0.4).float()
    other = torch.where(weight > 0, wanted, 1 - wanted)
    wild = torch.where(weight > 0, scores, -scores * 5)
    assert loss(scores, (wanted, weight)) == pytest.approx(float(loss(wild, (other, weight))), rel=1e-5)
    right, wrong = (wanted * 2 - 1) * 9, (1 - wanted * 2) * 9
    assert loss(right, (wanted, weight)) < 0.1 < 3 < loss(wrong, (wanted, weight))


def test_the_demo_network_is_small_and_gives_three_maps_of_its_input():
    network = build("demo")
    assert sum(value.numel() for value in network.state_dict().values()) * 4 < 12e6
    pixels = torch.rand(1, 3, 48, 32, requires_grad=True)
    scores = network(pixels)
    assert scores.shape == (1, len(CHANNELS), 48, 32)
    scores.sum().backward()
    assert all(value.grad is not None for value in network.parameters())


def test_an_epoch_is_the_same_each_time_and_two_are_not():
    samples = [sample_of(stack_of()[1]), sample_of(disc_stack()[1])]
    recipe = Recipe(epochs=2, batch=4, images=4, seed=3)
    first, again = (next(iter(batches(samples, recipe, None)(0))) for _ in range(2))
    assert first.pixels.shape == (4, 3, SIDE, SIDE)
    assert torch.equal(first.pixels, again.pixels)
    assert torch.equal(first.targets[1], again.targets[1])
    assert not torch.equal(first.pixels, next(iter(batches(samples, recipe, None)(1))).pixels)
    assert 0 <= float(first.pixels.min()) <= float(first.pixels.max()) <= 1


def test_a_step_of_training_moves_the_weights():
    samples = TRAINING.samples(Material([stack_of()[1]]), 0)
    recipe = Recipe(epochs=1, batch=1, images=1, half_precision=False, average=0.0)
    before = [value.clone() for value in _start()]
    fitted = TRAINING.train(samples, recipe)
    assert fitted.images == 1
    assert any(
        not torch.equal(old, new) for old, new in zip(before, fitted.network.parameters(), strict=True)
    )


def _start():
    torch.manual_seed(0)
    return list(build("demo").parameters())


def test_a_patient_is_in_one_fold_and_sources_are_dealt_out_evenly():
    stacks = [
        stack_of(patient=f"{source}-{number // volumes}", source=source)[1]
        for source, count, volumes in (("VB1", 6, 2), ("VB2", 7, 1))
        for number in range(count)
    ]
    folds = folds_of(stacks)
    assert len(folds) == 3 + 7
    assert sorted(folds[name] for name in folds if name.startswith("VB1")) == [0, 1, 2]
    counts = [list(folds.values()).count(fold) for fold in range(3)]
    assert sum(counts) == 10
    assert max(counts) - min(counts) <= 1
    assert folds_of(stacks[::-1]) == folds


def test_a_volume_with_the_pixels_of_another_is_left_out_whoever_it_is_filed_under():
    one, two = stack_of(patient="P1")[1], stack_of(patient="P2")[1]
    other = replace(two, frames=two.frames + 1, patient="P3")
    assert without_copies([one, two, other]) == [one, other]


def test_a_volume_is_read_along_its_axes_however_it_is_stored(tmp_path):
    values = np.random.default_rng(0).integers(0, 200, (3, 6, 5)).astype(np.uint8)
    affine = np.diag([4.0, 1.5, 0.5, 1.0])
    affine[:3, :3] = np.array([[-4.0, 0, 0], [0, 0, -0.5], [0, -1.5, 0]])
    straight = nibabel.Nifti1Image(values, affine)
    assert nibabel.aff2axcodes(affine) == ("L", "I", "P")
    for name, codes in (("one", ("L", "I", "P")), ("two", ("R", "A", "S")), ("three", ("P", "S", "R"))):
        turn = nibabel.orientations.ornt_transform(
            nibabel.io_orientation(affine), nibabel.orientations.axcodes2ornt(codes)
        )
        turned = straight.as_reoriented(turn)
        nibabel.save(turned, tmp_path / f"{name}_image.nii.gz")
        nibabel.save(turned, tmp_path / f"{name}_labels.nii.gz")
    index = pd.DataFrame({"file": ["one", "two", "three"]}).assign(
        structures="vertebral bodies", source_set="VB2", patient="P1", labels_1_to_n_bottom_to_top="S1? L5 L4"
    )
    index.to_csv(tmp_path / "index.csv", index=False)
    for stack in read_folder(tmp_path):
        assert np.array_equal(stack.frames, values)
        assert stack.spacing_mm == (4.0, 1.5, 0.5)
        assert stack.names == ("S1", "L5", "L4")
        assert stack.has_bodies


def test_a_folder_without_its_table_or_with_half_of_it_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"without index\.csv"):
        read_folder(tmp_path)
    pd.DataFrame({"file": ["a"], "patient": ["P"]}).to_csv(tmp_path / "index.csv")
    with pytest.raises(InputError, match="without column structures"):
        read_folder(tmp_path)


def test_a_file_that_is_no_volume_and_labels_of_another_size_are_refused(tmp_path):
    index = pd.DataFrame({"file": ["a"]}).assign(
        structures="", source_set="", patient="P", labels_1_to_n_bottom_to_top="L5 L4"
    )
    index.to_csv(tmp_path / "index.csv")
    for kind in ("image", "labels"):
        (tmp_path / f"a_{kind}.nii.gz").write_bytes(b"no volume")
    with pytest.raises(InputError, match=r"a_image\.nii\.gz; a NIfTI file is needed"):
        read_folder(tmp_path)
    for kind, size in (("image", 4), ("labels", 5)):
        image = nibabel.Nifti1Image(np.zeros((3, 4, size), np.uint8), np.eye(4))
        nibabel.save(image, tmp_path / f"a_{kind}.nii.gz")
    with pytest.raises(InputError, match="image and labels must be of one size"):
        read_folder(tmp_path)
