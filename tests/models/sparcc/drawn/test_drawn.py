"""Oedema drawn into a made-up volume: where it is, what stays as it was, and what is not drawn into."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from data.phantom.mri.lesions import Lesion
from models.sparcc.anatomy.volumes import LabelledStack
from models.sparcc.drawn import test_set as drawn_test_set
from models.sparcc.drawn.contrast import Contrast, near_stir
from models.sparcc.drawn.lesions import draw_lesions, drawn
from models.sparcc.drawn.measured import measure
from models.sparcc.drawn.test_set import AS_IS, DRAWN, UNTOUCHED, drawn_set
from models.sparcc.evaluation.stir import EVALUATION, sections
from tests.models.sparcc.evaluation.test_stir import Finder, look

MARROW_T2, CSF_T2, FAT_T2, MUSCLE_T2, DISC_T2 = 90.0, 200.0, 210.0, 35.0, 120.0
SLICES, ROWS, COLUMNS = 9, 150, 110
BODY = [(10, 38), (46, 74), (82, 110)]  # rows of three bodies


def volume(seed=0):
    """Three bodies with a canal behind them, fat behind that, noise all over."""
    labels = np.zeros((SLICES, ROWS, COLUMNS), np.uint8)
    frames = np.full(labels.shape, MUSCLE_T2)
    frames[:, :, 95:105] = FAT_T2
    for number, (top, bottom) in enumerate(reversed(BODY), 1):
        labels[1:8, top:bottom, 30:64] = number
        frames[:, bottom : bottom + 8, 30:64] = DISC_T2
    frames[labels > 0] = MARROW_T2
    frames[2:7, :, 67:80] = CSF_T2
    frames += np.random.default_rng(seed).normal(0, 4, frames.shape)
    return LabelledStack(
        "V1", "SET", "P1", frames.astype(np.float32), labels, ("L5", "L4", "L3"), (4.0, 1.0, 1.0)
    )


@pytest.fixture(scope="module")
def found():
    return measure(volume())


def test_a_volume_is_measured_in_mm(found):
    assert found.levels == ["L3", "L4", "L5"]
    assert found.height("L4") == pytest.approx(28, abs=1.5)
    assert found.half_depth("L4") == pytest.approx(17, abs=1)
    assert found.half_width("L4") == pytest.approx(14)
    air = np.quantile(volume().frames, 0.02)
    assert found.csf["L4"] == pytest.approx(CSF_T2 - air, rel=0.03)
    assert found.lateral("L4", 4) == pytest.approx(0, abs=0.1)


def test_marrow_and_fat_become_dark_and_csf_and_noise_stay(found):
    changed, before = near_stir(found), found.volume.frames
    csf = np.median(changed[3:6, 50:70, 71:76])
    assert csf == pytest.approx(np.median(before[3:6, 50:70, 71:76]), rel=0.02)
    assert np.median(changed[4, 52:68, 36:58]) == pytest.approx(Contrast().marrow * csf, rel=0.1)
    assert np.median(changed[4, 60:100, 98:102]) < 0.35 * csf
    assert np.median(changed[4, 40:44, 40:55]) == pytest.approx(np.median(before[4, 40:44, 40:55]), rel=0.15)
    assert changed[4, 52:68, 36:58].std() == pytest.approx(before[4, 52:68, 36:58].std(), rel=0.25)


def test_lesions_lie_in_bodies_and_nothing_else_changes(found):
    frames = near_stir(found)
    made = drawn(found, frames, np.random.default_rng(3))
    assert made.oedema.any() and not made.oedema[found.volume.labels == 0].any()
    away = np.ones(frames.shape, bool)
    for one in made.lesions:
        away &= found.volume.labels != found.stack.label_of[one.level]
    inner = away[:, :, :] & (np.abs(made.frames - frames) > 1)
    assert not inner[found.volume.labels > 0].any()  # no other body
    inside = made.oedema > 0
    assert (made.frames - frames)[inside].mean() > 20
    assert made.frames[inside].mean() < 1.3 * CSF_T2


def test_a_lesion_fades_across_slices_and_slices_that_it_hardly_fills_are_no_reference(found):
    frames = near_stir(found)
    one = Lesion("L4", "corner", "upper", -1.0, 0.0, 12.0, 12.0, 7.0, 0.9)
    made = drawn(found, frames, np.random.default_rng(5), (one,))
    rise = (made.frames - frames)[:, BODY[1][0] : BODY[1][1], 30:64].sum(axis=(1, 2))
    pixels = made.oedema.sum(axis=(1, 2))
    assert rise[4] > 1.2 * max(rise[3], rise[5]) > 1.2 * 4 * max(rise[2], rise[6])
    assert rise[2] > 0 and pixels[[2, 6]].tolist() == [0, 0]
    assert pixels[4] > pixels[3] > 0
    rows, columns = np.nonzero(made.oedema[4])
    assert rows.mean() < 58 and columns.mean() < 45  # its upper anterior corner


def test_the_same_seed_draws_the_same_and_another_does_not(found):
    one, same, other = (draw_lesions(found, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one == same != other


def test_what_cannot_be_drawn_into_says_why(found):
    plain = volume()
    with pytest.raises(InputError, match="its discs are labelled"):
        measure(replace(plain, names=("L5-S1", "L4-L5", "L3-L4")))
    dark = replace(plain, frames=np.where(plain.labels > 0, MARROW_T2, MUSCLE_T2).astype(np.float32))
    with pytest.raises(InputError, match="CSF is not brighter than marrow"):
        measure(dark)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An index of five volumes, one of them a copy, whose pixels are made here."""
    rows = [
        ("V1", "P1", "T2 TSE"), ("V2", "P2", "T2 TSE"), ("V3", "P3", "TIRM (fat-suppressed)"),
        ("V4", "P4", "T1 TSE"), ("V5", "P5", "T2 TSE"),
    ]  # fmt: skip
    index = pd.DataFrame(rows, columns=["file", "patient", "sequence"])
    index = index.assign(structures="", source_set="SET", labels_1_to_n_bottom_to_top="L5 L4 L3")
    index.to_csv(tmp_path / "index.csv", index=False)
    seeds = {"V1": 1, "V2": 2, "V3": 3, "V4": 4, "V5": 1}

    def read(folder, row):
        return replace(volume(seeds[row["file"]]), file=row["file"], patient=row["patient"])

    monkeypatch.setattr(drawn_test_set, "read_stack", read)
    return tmp_path


def test_the_set_has_each_volume_drawn_and_untouched_and_copies_once(folder):
    one = drawn_set(folder)
    assert [(image.label.file, image.kind) for image in one.images] == [
        ("V1", DRAWN), ("V1", UNTOUCHED), ("V1", AS_IS), ("V2", DRAWN), ("V2", UNTOUCHED), ("V2", AS_IS),
        ("V3", DRAWN), ("V3", AS_IS), ("V4", AS_IS),
    ]  # fmt: skip
    assert one.name == "real anatomy, drawn lesions" and one.real is False and "no real finding" in one.origin
    label = one.images[0].label
    assert np.array_equal(label.image().frames, label.image().frames)
    assert label.mask("oedema").any() and not one.images[1].label.mask("oedema").any()


def test_false_alarms_are_counted_on_volumes_without_a_lesion(folder):
    class Alarmed(Finder):
        """Marks two patches on every third slice, whatever is there."""

        def chances(self, image):
            found = np.zeros(image.frames.shape, np.float32)
            found[::3, 2:5, 2:5] = found[::3, 20:25, 2:5] = 0.9
            found[3, 55:57, 40:42] = 0.9  # in a body, so a third patch
            return found

    one = drawn_set(folder)
    result = sections(one.images, [look(Alarmed(), image.label) for image in one.images], pd.DataFrame())
    groups = result["false_alarms"]["groups"]
    assert list(groups) == ["T2 TSE, nothing drawn", "T2 TSE, as it is", "TIRM, as it is", "T1 TSE, as it is"]
    group = groups["T2 TSE, nothing drawn"]
    assert (group["stacks"], group["patients"], group["slices"]) == (2, 2, 18)
    assert group["slices_alarmed"]["estimate"] == pytest.approx(1 / 3)
    assert group["slices_alarmed_in_bodies"]["estimate"] == pytest.approx(1 / 9)
    assert group["marks_a_stack"]["estimate"] == 7
    (reason,) = result["false_alarms"]["not_drawn"]
    assert "no fat-suppressed contrast" in reason
    assert result["stir"]["images"]["overlap"]["counts"]["tp"] == 0
    titles = [block if isinstance(block, str) else block.title for block in EVALUATION.blocks(result)]
    assert any("False alarms on real volumes" in title for title in titles)
    assert any("1 x T1" in title for title in titles)
