"""Several subjects of one patient: every interval is a bootstrap of patients."""

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from core.progression.analysis import Options, progression
from core.progression.progressors import STANDARD
from core.progression.totals_table import collect


def rows(copies=1, patients=60, seed=4):
    """Sides of patients that are copies of each other."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(patients):
        base, change = rng.integers(0, 20), rng.gamma(0.5, 3)
        reads = {(r, d): base + change * d / 700 + rng.normal(0, 0.5) for r in ("R1", "R2") for d in (0, 700)}
        for side in range(copies):
            found += [
                (f"P{number}.{side}", "AB"[number % 2], reader, day, total)
                for (reader, day), total in reads.items()
            ]
    return pd.DataFrame(found, columns=["subject", "arm", "reader", "days", "total"])


def analysed(copies, is_clustered=True):
    frame = rows(copies)
    clusters = {name: name.split(".")[0] for name in frame["subject"]} if is_clustered else None
    return progression(collect(frame), Options(clusters=clusters))


def intervals(node, path=()):
    """Every interval in a result, by its path."""
    if isinstance(node, dict):
        for key, value in node.items():
            is_limits = key in ("ci", "one_reader", "mean_of_readers") and isinstance(value, list)
            yield from [((*path, key), value)] if is_limits else intervals(value, (*path, key))
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from intervals(value, (*path, place))


@pytest.fixture(scope="module")
def one():
    return analysed(1)


@pytest.fixture(scope="module")
def three():
    return analysed(3)


def test_every_interval_is_replaced(one):
    plain = dict(intervals(analysed(1, is_clustered=False)))
    ours = dict(intervals(one))
    assert set(plain) == set(ours)
    assert [path for path in plain if plain[path] == ours[path] and plain[path] != [None, None]] == []


def test_estimates_stay_and_lie_inside(one):
    plain = analysed(1, is_clustered=False)
    assert one["summary"]["all"]["mean"] == plain["summary"]["all"]["mean"]
    for name in ("all", "A", "B"):
        low, high = one["summary"][name]["ci"]
        assert low < one["summary"][name]["mean"] < high
    assert one["bootstrap"] == {"patients": 60, "draws": 2000, "seed": 20240229, "lost": 0}


def test_copies_of_a_subject_do_not_make_intervals_narrower(one, three):
    """The means of the draws are the same draw by draw, so are their percentiles."""
    for name in ("all", "A", "B"):
        assert three["summary"][name]["ci"] == pytest.approx(one["summary"][name]["ci"])
        for rule in (">0", ">=2"):
            shares = [found["progressor_shares"][rule][name]["share"]["ci"] for found in (one, three)]
            assert shares[0] == pytest.approx(shares[1])
    naive = analysed(3, is_clustered=False)["summary"]["all"]["ci"]
    assert np.ptp(naive) < 0.7 * np.ptp(three["summary"]["all"]["ci"])


def test_bootstrap_of_independent_subjects_is_near_the_formula(one):
    plain = analysed(1, is_clustered=False)
    for path in (("summary", "all"), ("bias",)):
        ours, theirs = one, plain
        for key in path:
            ours, theirs = ours[key], theirs[key]
        assert ours["ci"] == pytest.approx(theirs["ci"], abs=0.15 * np.ptp(theirs["ci"]))
    assert set(one["progressor_shares"]) == {rule.name for rule in STANDARD}


def test_a_subject_without_a_patient_is_an_error():
    with pytest.raises(InputError, match=r"P0\.0; every subject needs a patient"):
        progression(collect(rows()), Options(clusters={}))
