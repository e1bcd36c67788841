"""Days beside weeks or months are said."""

import pandas as pd
import pytest

from core.progression.analysis import progression
from core.progression.day_units import unit_doubts, visit_doubts
from core.progression.totals_table import collect


def table(*units):
    """Two readers, ten subjects; units: (reader, days of the second and third film)."""
    rows = [
        (f"P{s}", reader, day, float(5 + s + place))
        for s in range(10)
        for reader, days in units
        for place, day in enumerate((0, *days))
    ]
    return pd.DataFrame(rows, columns=["subject", "reader", "days", "total"])


@pytest.mark.parametrize(("days", "unit"), [((52, 104), "weeks"), ((12, 24), "months")])
def test_a_reader_whose_table_counts_another_unit_is_named(days, unit):
    warnings = progression(collect(table(("R1", (364, 728)), ("R2", days))))["warnings"]
    assert any(f"look like {unit}" in text and "by R2" in text for text in warnings)


@pytest.mark.parametrize("days", [(364, 728), (350, 740), (112, 364), (182, 728)])
def test_days_that_vary_are_days(days):
    warnings = progression(collect(table(("R1", (364, 728)), ("R2", days))))["warnings"]
    assert not any("look like" in text for text in warnings)


def test_days_are_compared_with_the_names_of_visits():
    frame = pd.DataFrame({"visit": ["BL", "W52", "M12", "W104"], "days": [0, 52, 12, 728]})
    weeks, months = visit_doubts(frame)
    assert "row 1: visit W52, days 52" in weeks and "look like weeks" in weeks
    assert "visit M12, days 12" in months
    assert visit_doubts(frame.assign(days=[0, 364, 366, 728])) == []
    assert visit_doubts(frame.drop(columns="visit")) == []


@pytest.mark.parametrize(
    ("days", "unit"),
    [
        ((0, 52), "weeks"),
        ((0, 24, 52, 104), "weeks"),
        ((0, 18, 30), "months"),
        ((0, 12, 24), "weeks or months"),
    ],
)
def test_a_table_in_weeks_or_months_throughout_is_said(days, unit):
    rows = pd.DataFrame({"days": days, "total": 1.0}).assign(subject="S1", reader="R1")
    assert f"look like {unit};" in unit_doubts(rows)[0]


@pytest.mark.parametrize("days", [(0, 364), (0, 84, 168), (0, 51), (0, 28, 56), (12, 24)])
def test_of_true_days_nothing_is_said(days):
    rows = pd.DataFrame({"days": days, "total": 1.0}).assign(subject="S1", reader="R1")
    assert unit_doubts(rows) == []
