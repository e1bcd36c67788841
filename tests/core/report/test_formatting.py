"""Numbers as the report and the pages print them."""

import pytest

from core.report import formatting


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.234, "+1.23"), (-1.234, "−1.23"), (-0.001, "0.00"), (None, "–"), (12345, "+12,345.00")],
)
def test_signed_number_has_a_true_minus_and_no_sign_at_zero(value, text):
    assert formatting.signed(value) == text


def test_definition_of_progression_has_one_sign():
    assert [formatting.definition(name) for name in (">=2", "<=-5", ">SDC")] == ["≥2", "≤−5", ">SDC"]


def test_interval_without_limits_says_so():
    assert formatting.with_interval([0.5, None, None]) == "0.50 (no interval)"
    assert formatting.interval(-1, 2, signed=True) == "(−1.00 to +2.00)"
    assert formatting.percent({"estimate": 0.125, "ci": [0.0, 0.25]}) == "12% (0% to 25%)"
