"""One rule says for every scorer what may be a radiograph."""

import numpy as np
import pytest

from core.domain import Abstained, Image
from models.common.modality import is_radiograph
from models.msasss.scorer import refusal
from models.mtss.scorer import MtssScorer


@pytest.mark.parametrize(
    ("modality", "expected"), [("dx", True), ("CR", True), ("", True), ("MR", False), ("mr", False)]
)
def test_capital_and_small_letters_count_alike(modality, expected):
    assert is_radiograph(modality) is expected


class Reached:
    """A site finder that says that it was asked."""

    def find(self, film):
        return Abstained("the finder was asked")


@pytest.mark.parametrize(("modality", "asked"), [("dx", True), ("CR", True), ("", True), ("MR", False)])
def test_both_scorers_look_at_the_same_modalities(modality, asked):
    film = Image("a", np.arange(250_000, dtype=np.uint16).reshape(500, 500), modality=modality)
    hands = MtssScorer(Reached(), None, None, size="demo", weights_hash="0").score_one(film)
    assert (hands.reason == "the finder was asked") is asked
    assert (refusal(film) == "") is asked
