"""The evaluation of oedema on STIR, with stand-ins for the network whose sensitivity is known."""

import json
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from core.domain import Abstained, Image
from core.errors import InputError
from models.evaluation.markdown import as_markdown
from models.evaluation.test_set import TestImage
from models.sparcc.evaluation.stir import EVALUATION, look, sections

SIZE = (6, 16, 16)


@dataclass(frozen=True)
class Label:
    """A stack whose pixels are its reference."""

    reference: np.ndarray
    called: tuple[bool, ...] = ()
    view: str = "thoracic"
    spacing: tuple[float, float] | None = (1.0, 1.0)

    def image(self):
        return Image("stack", self.reference.astype(np.float32), self.spacing, "MR")

    def mask(self, name):
        assert name == "oedema"
        return self.reference

    def bodies(self):
        return None


@dataclass
class Finder:
    """Sees the reference moved by so many columns, and only on some slices."""

    shift: int = 0
    seen: tuple[int, ...] = tuple(range(SIZE[0]))
    point: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(extent=0.3, threshold=0.5))

    def chances(self, image):
        if image.spacing_mm is None:
            raise InputError("stack", "the files must say how large its pixels are", "leave it out")
        moved = np.roll(image.frames, self.shift, axis=2) * 0.8
        return np.where(np.isin(np.arange(len(moved)), self.seen)[:, None, None], moved, 0.0)

    def masks_of(self, chances, spacing_mm):
        return chances > self.point.threshold


def reference(*slices):
    found = np.zeros(SIZE, np.uint8)
    found[list(slices), 4:8, 4:8] = 1
    return found


def figures(finder, labels):
    images = [TestImage(label, f"s{n}", f"P{n}", "BL") for n, label in enumerate(labels)]
    outcomes = [look(finder, label) for label in labels]
    return images, outcomes, sections(images, outcomes, pd.DataFrame())


def test_a_finder_that_sees_the_truth_is_right_everywhere():
    _, _, found = figures(Finder(), [Label(reference(1, 2)), Label(reference())])
    own = found["stir"]
    assert own["images"]["overlap"]["counts"] == {"tp": 2, "fn": 0, "fp": 0, "tn": 10}
    assert own["segments"]["overlap"]["counts"] == {"tp": 1, "fn": 0, "fp": 0, "tn": 1}
    assert own["auc"]["images"]["estimate"] == 1
    assert own["dice"]["estimate"] == 1
    assert own["free_response"]["operating_point"]["sensitivity"]["estimate"] == 1


def test_a_mask_beside_the_lesion_finds_it_by_any_pixel_but_not_by_overlap():
    _, _, found = figures(Finder(shift=6), [Label(reference(1, 2))])
    own = found["stir"]
    assert own["images"]["any_pixel"]["counts"] == {"tp": 2, "fn": 0, "fp": 0, "tn": 4}
    assert own["images"]["overlap"]["counts"] == {"tp": 0, "fn": 2, "fp": 0, "tn": 4}
    assert own["free_response"]["operating_point"]["false_marks_a_stack"]["estimate"] == 1
    assert own["dice"]["n"] == 0


def test_a_mask_moved_by_half_has_dice_one_half():
    _, _, found = figures(Finder(shift=2), [Label(reference(1, 2))])
    assert found["stir"]["dice"]["estimate"] == pytest.approx(0.5)


def test_a_finder_that_sees_three_slices_of_four_has_that_sensitivity():
    labels = [Label(reference(0, 1, 2, 3)), Label(reference(0, 1, 2, 3))]
    _, _, found = figures(Finder(seen=(0, 2, 3)), labels)
    assert found["stir"]["images"]["overlap"]["sensitivity"]["estimate"] == 0.75
    assert found["stir"]["images"]["overlap"]["npv"]["estimate"] == pytest.approx(4 / 6)


def test_stacks_abstained_on_are_counted_and_in_no_figure():
    labels = [Label(reference(1, 2)), Label(reference(1, 2), spacing=None)]
    _, outcomes, found = figures(Finder(), labels)
    assert isinstance(outcomes[1].result, Abstained)
    assert "how large its pixels are" in outcomes[1].result.reason
    assert found["stir"]["left_out"] == {"stacks": 1}
    assert found["stir"]["images"]["overlap"]["n"] == 6
    text = as_markdown(EVALUATION.blocks(found))
    assert "1 stack that the model abstains on" in text
    nothing = figures(Finder(), labels[1:])[2]
    assert EVALUATION.blocks(nothing) == ["No stack was read."]


def test_the_radiologist_stands_beside_the_model_and_the_paper_beside_both():
    called = (True, True, False, False, False, True)
    _, _, found = figures(Finder(), [Label(reference(1, 2), called), Label(reference(), (False,) * 6)])
    assert found["stir"]["images"]["radiologist"]["counts"] == {"tp": 1, "fn": 1, "fp": 2, "tn": 8}
    text = as_markdown(EVALUATION.blocks(found))
    for said in ("181, 45, 294, 2489", "simulated radiologist", "0.91 | 0.62", "AUC of slices 1.000"):
        assert said in text, said
    json.dumps(found)
    card = EVALUATION.summary(found)
    assert card["images_sensitivity"]["estimate"] == 1
