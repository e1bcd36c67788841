"""Definitions of progression and of response, and who meets them."""

import numpy as np
import pytest

from core.progression.progressors import cutoff, progressed
from core.scores import get

CHANGE = np.array([5.0, 4.0, 0.0, -4.0, -5.0, np.nan])


@pytest.mark.parametrize(
    ("name", "who"),
    [
        (">SDC", [True, False, False, False, False, False]),
        ("<-SDC", [False, False, False, False, True, False]),
        ("<=-5", [False, False, False, False, True, False]),
        ("<0", [False, False, False, True, True, False]),
    ],
)
def test_who_lies_beyond_a_definition(name, who):
    flags, known = progressed(cutoff(name), CHANGE, CHANGE, 4.0)
    assert flags.tolist() == who and known.tolist() == [True] * 5 + [False]


def test_a_fall_beyond_the_sdc_is_judged_by_each_subjects_own():
    flags, _ = progressed(cutoff("<-SDC"), CHANGE, CHANGE, np.array([1, 1, 1, 3.0, 6.0, 1]))
    assert flags.tolist() == [False, False, False, True, False, False]
    assert progressed(cutoff("<-SDC"), CHANGE, CHANGE, None) is None
    assert cutoff("<-SDC/y").is_per_year and cutoff("<-SDC/y").limit(2.0) == -2.0
    assert cutoff(">=2").limit(None) == 2.0


@pytest.mark.parametrize("name", ["<SDC", ">-SDC", "SDC", ">x"])
def test_what_is_no_definition_is_refused(name):
    with pytest.raises(ValueError, match=r"SDC|begins with|could not convert"):
        cutoff(name)


@pytest.mark.parametrize("system", ["sparcc", "synovitis"])
def test_scores_that_may_fall_say_who_responded_beyond_error(system):
    assert {">SDC", "<-SDC"} <= set(get(system).cutoffs)
