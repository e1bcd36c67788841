"""The probability of true worsening: calibrated where it is given, and not given elsewhere."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.progression.analysis import Options, progression
from core.progression.probability_of_change.model import WORSENED, Seen, fit
from core.progression.probability_of_change.posterior import (
    MIN_PATIENTS,
    MIN_UNCHANGED,
    WITHIN,
    by_subject,
    in_words,
    meaning_of,
    plain,
    true_change,
)
from core.progression.totals_table import collect
from tests.bench.simulate_probability import BEYOND, Kind, distance, kinds, line, stated
from tests.helpers.paths import ROOT

PAGE = (ROOT / "docs" / "probability-of-change.md").read_text(encoding="utf-8")
ROWS = [
    row.strip("| ").split(" | ") for row in PAGE.splitlines() if re.match(r"\| (as in|[a-z ]+ \| \d)", row)
]


def study(seed=1, n=160, zeros=0.5, error="constant", *, whole=True):
    return Kind(zeros, error, whole, n).study(np.random.default_rng(seed))


@pytest.mark.parametrize("error", ["constant", "grows", "half"])
@pytest.mark.parametrize("whole", [False, True])
def test_stated_probabilities_are_true_shares(error, whole):
    said, truth = stated(Kind(0.65, error, whole, 200), 20, 7)
    assert distance(said, truth) <= 0.04  # 4,000 patients: known to about a point
    assert said.mean() == pytest.approx(truth.mean(), abs=0.03)


def test_page_holds_what_the_program_promises():
    shown = [row for row in ROWS if row[0].startswith("as in") and int(row[4]) >= MIN_PATIENTS]
    assert len(ROWS) == len(kinds())
    assert len(shown) == 3 * 3 * 2 * 3
    assert max(float(row[5]) for row in shown) <= 100 * WITHIN
    below = [row for row in ROWS if row[0].startswith("as in") and int(row[4]) < MIN_PATIENTS]
    assert max(float(row[5]) for row in below) > 100 * WITHIN


def test_page_shows_that_a_shared_error_is_not_seen():
    shared = [row for row in ROWS if row[0] == "shared error"]
    assert shared and max(float(row[5]) for row in shared) > 100 * WITHIN
    assert {row[0] for row in ROWS} >= set(BEYOND)


def test_row_of_the_page_can_be_made_again():
    found, text = line(Kind(0.4, "half", True, 40), 3, 5)
    assert text.split(" | ")[5] == f"{100 * found:.1f}"
    assert text == line(Kind(0.4, "half", True, 40), 3, 5)[1]


def test_a_flat_prior_would_be_far_off():
    """The claim that the model replaces: a change at the SDC is real in 97.5%."""
    true, seen = study(3, 4000, 0.65, whole=False)
    sdc = 1.96 / np.sqrt(2)
    near = np.abs(seen.mean(axis=1) - sdc) < 0.2
    share = (true[near] > WORSENED).mean()
    said = true_change(seen).worsened[near].mean()
    assert share < 0.75
    assert said == pytest.approx(share, abs=0.06)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["constant", "half"]))
def test_probability_rises_with_the_change(seed, error):
    _, seen = study(seed, 160, error=error)
    both = seen[seen[:, 0] == seen[:, 1]]
    values = true_change(np.vstack([seen, both])).worsened[len(seen) :]
    order = np.argsort(both[:, 0], kind="stable")
    change, rising = both[order, 0], values[order]
    assert (np.diff(rising[change >= 0]) >= -1e-9).all()
    assert (rising[change < 0] < 0.2).all()  # two who agree on -1 may both err; two who agree on 0 hardly do
    assert ((values >= 0) & (values <= 1)).all()


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10**6))
def test_order_of_patients_and_readers_does_not_matter(seed):
    _, seen = study(seed, 160)
    order = np.random.default_rng(seed).permutation(len(seen))
    one, other = true_change(seen).worsened, true_change(seen[order][:, ::-1]).worsened
    assert other == pytest.approx(one[order], abs=1e-6)


def test_one_reader_is_believed_less_than_two():
    _, seen = study(5, 200)
    seen = np.vstack([seen, [[2, 2], [2, np.nan], [-2, -2], [np.nan, -2]]])
    two, one, two_better, one_better = true_change(seen).worsened[-4:]
    assert two > one
    assert two_better <= one_better


def test_constant_difference_of_readers_changes_little():
    _, seen = study(5, 300, whole=False)
    moved = true_change(seen + np.array([0.5, -0.5])).worsened
    assert moved == pytest.approx(true_change(seen).worsened, abs=0.02)


def test_nothing_is_given_for_a_small_cohort_and_the_reason_is():
    _, seen = study(2, MIN_PATIENTS - 1)
    found = true_change(seen)
    assert found.worsened is None
    assert f"{MIN_PATIENTS - 1} patients" in found.reason and str(MIN_PATIENTS) in found.reason
    one = by_subject(found, ["P1"])["P1"]
    assert one.probability is None and meaning_of(one) == ""


def test_patients_of_one_reader_do_not_count_towards_the_cohort():
    _, seen = study(2, 200)
    seen[:60, 1] = np.nan
    assert true_change(seen).worsened is None
    assert true_change(seen).patients == 140


@pytest.mark.parametrize("change", [np.zeros((160, 2)), np.tile(np.arange(160.0)[:, None], 2)])
def test_without_change_or_disagreement_there_is_no_model(change):
    found = true_change(change)
    assert found.worsened is None and "never disagreed" in found.reason


def test_a_patient_whom_nobody_read_has_none():
    _, seen = study(2, 160)
    seen[3] = np.nan
    values = true_change(seen).worsened
    assert np.isnan(values[3]) and not np.isnan(np.delete(values, 3)).any()


def test_fit_finds_the_shares_that_were_drawn():
    _, seen = study(11, 3000, 0.65, "half")
    found = fit(Seen.of(seen))
    assert found.same == pytest.approx(0.65, abs=0.06)
    assert found.silent == pytest.approx(0.5, abs=0.06)
    assert found.better < 0.02 and found.growth < 0.1
    about = true_change(seen).about
    assert about["error_sd"] == pytest.approx(1, abs=0.1)
    assert about["median_size"] == pytest.approx(np.exp(0.3), rel=0.15)


def test_large_and_small_units_are_one():
    _, seen = study(4, 200, whole=False)
    base = fit(Seen.of(seen))
    other = fit(Seen.of(seen * 100))
    assert other.same == pytest.approx(base.same, abs=1e-6)


def test_where_everybody_changes_no_low_probability_is_given():
    _, seen = study(8, 400, 0.0, whole=False)
    found = true_change(seen)
    assert found.about["no_change"] < MIN_UNCHANGED
    assert np.isnan(found.worsened).any() and np.nanmin(found.worsened) >= 0.5
    names = [f"P{place}" for place in range(400)]
    assert "No probability below a half" in plain(found, names)["note"]
    hidden = by_subject(found, names)[names[int(np.flatnonzero(np.isnan(found.worsened))[0])]]
    assert hidden.probability is None and "cannot be told" in hidden.reason
    assert all(one.reason == "" for one in by_subject(found, names).values() if one.probability is not None)


def test_words_claim_no_more_than_was_held():
    assert [in_words(value) for value in (0.001, 0.62, 0.999)] == ["below 3%", "62%", "above 97%"]


def test_command_gives_it_by_subject():
    import pandas as pd

    _, seen = study(6, 160)
    rows = [
        (f"P{p}", f"R{r}", day, 10 + (seen[p, r] if day else 0))
        for p in range(160)
        for r in range(2)
        for day in (0, 364)
    ]
    readings = collect(pd.DataFrame(rows, columns=["subject", "reader", "days", "total"]))
    found = progression(readings, Options(has_probability=True))["probability_worsened"]
    expected = plain(true_change(seen), [f"P{p}" for p in range(160)])
    assert found["by_subject"] == pytest.approx(expected["by_subject"], abs=1e-6)
    assert "cannot be seen" in found["note"]
    assert "probability_worsened" not in progression(readings)
