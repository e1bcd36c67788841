"""Figures of the finder slice by slice."""

import numpy as np
import pytest
import torch

from models.sparcc.oedema.evaluate import figures, rows_of
from models.sparcc.oedema.finder import OedemaFinder, Point
from tests.helpers.small_stacks import small_stack


class Bright(torch.nn.Module):
    """Calls bright pixels oedema."""

    multiple = 8

    def forward(self, pixels):
        return (pixels[:, 1:2] - 0.7) * 20


@pytest.fixture(scope="module")
def rows():
    """Two patients: one with oedema on two slices that is found, one with a bright spot that is none."""
    ill, well = small_stack("P1"), small_stack("P2", patch=())
    well.stir[4, 2:10, 2:10] = 300
    return rows_of([ill, well], OedemaFinder(Bright(), Point(0.5, 0.5)))


def test_each_slice_is_decided_by_both_rules(rows):
    assert len(rows) == 12
    assert rows["positive"].tolist() == [False, False, True, True] + [False] * 8
    assert rows["any_pixel"].tolist() == rows["overlap"].tolist()
    assert rows["any_pixel"].to_numpy().nonzero()[0].tolist() == [2, 3, 10]
    assert rows["dice"].notna().sum() == 2
    assert (rows["dice"].dropna() > 0.9).all()


def test_figures_carry_their_numbers_and_stacks_need_two_slices(rows):
    found = figures(rows)
    assert (found["patients"], found["slices"], found["positive_slices"]) == (2, 12, 2)
    assert found["overlap"]["sensitivity"][0] == 1
    assert found["overlap"]["specificity"][0] == 0.9
    assert (found["stacks"]["n"], found["stacks"]["positive"]) == (2, 1)
    assert found["stacks"]["specificity"][0] == 1
    assert found["dice"][3] == 2
    missed = rows.assign(overlap=False, any_pixel=rows["positive"], dice=np.nan)
    assert figures(missed)["overlap"]["sensitivity"][0] == 0
    assert figures(missed)["any_pixel"]["sensitivity"][0] == 1
    assert figures(missed)["dice"] == [None, None, None, 0]
