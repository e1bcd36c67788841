"""Sample size for a wanted ICC interval width."""

import pytest

from core.agreement.sample_size import bonett, expected_width, subjects_for_width


def test_bonett_2002_by_hand():
    # 8 x 1.959964^2 x 0.2^2 x 1.8^2 / (2 x 0.2^2) + 1 = 50.79, plus 5 x 0.8
    assert bonett(0.8, 2, 0.2) == 55
    assert bonett(0.9, 3, 0.1) == 42


@pytest.mark.parametrize("form", ["ICC(1,1)", "ICC(A,1)", "ICC(C,1)"])
@pytest.mark.parametrize(
    ("icc", "raters", "width"), [(0.8, 2, 0.2), (0.67, 2, 0.3), (0.95, 4, 0.05), (0, 3, 0.5)]
)
def test_the_answer_is_the_smallest_that_is_enough(form, icc, raters, width):
    n = subjects_for_width(icc, raters, width, form=form)
    assert expected_width(icc, raters, n, form) <= width < expected_width(icc, raters, n - 1, form)
    assert abs(n - bonett(icc, raters, width)) <= 4


def test_rater_variance_asks_for_more_or_is_never_enough():
    assert subjects_for_width(0.8, 2, 0.2, rater_share=0.02) > subjects_for_width(0.8, 2, 0.2)
    assert subjects_for_width(0.9, 2, 0.1, rater_share=0.02) is None


@pytest.mark.parametrize("bad", [(1.0, 2, 0.1), (0.5, 1, 0.1), (0.5, 2, 0), (-0.1, 2, 0.1)])
def test_impossible_plans_are_refused(bad):
    with pytest.raises(ValueError, match="are needed"):
        subjects_for_width(*bad)
