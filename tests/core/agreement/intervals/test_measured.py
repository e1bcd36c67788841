"""What is said of an interval is what was counted: the page, the numbers in the program and their words."""

import re

import pytest

from core.agreement.intervals.index import SMALLEST
from core.agreement.intervals.measured import HELD, ICC, SPREAD, WANTED, coverage
from tests.bench.simulate_coverage import STATISTICS, Cell, cells
from tests.helpers.paths import ROOT

PAGE = (ROOT / "docs" / "statistics-coverage.md").read_text(encoding="utf-8")
TITLES = {ICC: "ICC of change", SPREAD: "SDC, MDC, SD"}


def counted(title: str) -> dict[int, tuple[float, float]]:
    """Patients -> (mean, worst) of the default, from the table under this heading."""
    part = PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in part.splitlines() if re.match(r"\| \d", line)]
    return {int(row[0]): tuple(float(x.strip("()")) for x in row[-1].split()) for row in rows}


@pytest.mark.parametrize("statistic", TITLES)
def test_program_says_what_the_page_says(statistic):
    assert counted(TITLES[statistic]) == HELD[statistic]


def test_default_is_never_behind_the_textbook_form():
    for title in TITLES.values():
        part = PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]
        rows = [line.strip("| ").split(" | ") for line in part.splitlines() if re.match(r"\| \d", line)]
        assert len(rows) == 4
        assert all(float(row[-1].split()[0]) > float(row[1].split()[0]) for row in rows)


def test_verdict_is_given_where_it_was_counted():
    wrong = counted("Interchangeability")
    assert min(wrong) < SMALLEST and SMALLEST in wrong
    assert all(mean <= 0.03 for n, (mean, _) in wrong.items() if n >= SMALLEST)


@pytest.mark.parametrize(
    "title", ["Equivalence of biases", "Non-inferior ICC", "Non-inferior quadratic kappa"]
)
def test_verdicts_against_a_margin_are_rarely_wrong_where_one_is_given(title):
    assert all(mean <= 0.03 for n, (mean, _) in counted(title).items() if n >= 24)


def test_note_says_the_size_and_the_shares():
    assert "not measured" in coverage(ICC, 11).note
    for statistic in HELD:
        for n in (12, 59, 60, 5000):
            found = coverage(statistic, n)
            assert found.patients == max(size for size in HELD[statistic] if size <= n)
            if found.worst < WANTED:
                assert f"{found.patients} patients" in found.note and f"{found.worst:.0%}" in found.note
            assert found.plain()["note"] == found.note


@pytest.mark.parametrize("error", ["constant", "grows", "half"])
def test_truth_of_a_cell_is_that_of_its_studies(error):
    import numpy as np

    cell = Cell("exponential", 0.4, error, 2, 200_000)
    changes, model = cell.study(np.random.default_rng(1))
    between, noise = cell.truth
    difference = changes[:, 0] - changes[:, 1]
    assert (difference**2).mean() / 2 == pytest.approx(noise, rel=0.05)
    assert np.cov(changes.T)[0, 1] == pytest.approx(between, rel=0.05)
    index = ((model[:, None] - changes) ** 2).mean() - (difference**2).mean()
    assert index == pytest.approx(0.5 * noise, rel=0.1)


def test_grid_has_every_kind():
    assert len(cells()) == 84 and len(set(cells())) == 84
    assert all(f"## {name}, every kind of study" in PAGE for name in STATISTICS)
