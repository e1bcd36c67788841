"""The batch engine against the single functions, draw by draw and cell by cell."""

import numpy as np
import pytest

from core.agreement.batch.comparisons import agree, draw_values
from core.agreement.bootstrap import cluster_weights, count_blocks, draw_counts, percentiles
from core.agreement.correlation import concordance, pearson, spearman
from core.agreement.grades.confusion import exact_agreement, within_one
from core.agreement.grades.gwet import gwet
from core.agreement.grades.kappa import WEIGHTS, kappas
from core.agreement.icc import icc
from core.agreement.limits.bland_altman import bland_altman


def singly(first, second, levels=None) -> dict:
    """Every statistic of one table from the single functions, by the batch engine's names."""
    table = np.column_stack([first, second])
    found = icc(table)
    limits = bland_altman(first, second)
    result = {form: value["estimate"] for form, value in found["forms"].items()}
    squares = found["mean_squares"]
    result |= {
        "sem.agreement": None if squares["WMS"] is None else squares["WMS"] ** 0.5,
        "sem.consistency": None if squares["EMS"] is None else squares["EMS"] ** 0.5,
        "mdc95": None if squares["EMS"] is None else 1.96 * (2 * squares["EMS"]) ** 0.5,
        "mdc95_agreement": None if squares["WMS"] is None else 1.96 * (2 * squares["WMS"]) ** 0.5,
        "pearson": pearson(first, second)["estimate"],
        "spearman": spearman(first, second)["estimate"],
        "ccc": concordance(first, second)["estimate"],
        "bland_altman.bias": limits["bias"]["estimate"],
        "bland_altman.sd": limits["sd"],
        "bland_altman.loa.lower": limits["loa"]["lower"]["estimate"],
        "bland_altman.loa.upper": limits["loa"]["upper"]["estimate"],
        "bland_altman.proportional_bias": limits["proportional_bias"]["slope"],
        "exact_agreement": exact_agreement(first, second)["estimate"],
        "within_one": within_one(first, second)["estimate"],
    }
    graded = kappas(first, second)
    if graded:
        result |= {f"kappa.{name}": graded[name]["estimate"] for name in WEIGHTS}
        result |= {f"gwet.{k}": v["estimate"] for k, v in gwet(first, second, levels=levels).items()}
    return result


def cells(kind: str, seed: int = 0) -> np.ndarray:
    """Ratings (5 cells, 24 rows, 2 raters) of a kind, with gaps."""
    rng = np.random.default_rng(seed)
    truth = rng.gamma(0.5, 2.0, (5, 24, 1))
    ratings = truth + rng.normal(size=(5, 24, 2)) * 0.7
    if kind == "grades":
        ratings = np.clip(np.round(ratings), 0, 3)
    elif kind == "totals":
        ratings = np.round(ratings * 40) / 2
    ratings[1, 3, 0] = ratings[2, 5:9, 1] = np.nan
    if kind != "measures":
        ratings[3, :, 1] = 2.0  # a constant rater
        ratings[4] = 1.0  # no variance at all
    return ratings


def same(found, expected) -> bool:
    if expected is None:
        return bool(np.isnan(found))
    return found == pytest.approx(expected, abs=1e-9, rel=1e-9)


@pytest.mark.parametrize("kind", ["grades", "totals", "measures"])
def test_estimates_equal_the_single_functions(kind):
    ratings = cells(kind)
    batch = agree(ratings, draws=0)
    for cell, table in enumerate(ratings):
        kept = table[~np.isnan(table).any(axis=1)]
        expected = singly(*kept.T)
        assert batch.n[cell] == len(kept)
        for name, value in expected.items():
            assert same(batch.estimate[name][cell], value), (name, cell)
        missing = set(batch.estimate) - set(expected)
        assert all(np.isnan(batch.estimate[name][cell]) for name in missing)


@pytest.mark.parametrize("kind", ["grades", "totals", "measures"])
def test_every_draw_equals_the_single_functions_on_its_resample(kind):
    """Twin: the rows of the drawn patients, repeated, through the single functions."""
    ratings = cells(kind, seed=1)
    patient = np.arange(24) // 3
    values = draw_values(ratings, patient, draws=12, seed=5)
    (counts,) = count_blocks(8, draws=12, seed=5)
    for draw in range(12):
        rows = np.repeat(np.arange(24), counts[draw][patient])
        for cell, table in enumerate(ratings):
            kept = table[~np.isnan(table).any(axis=1)]
            drawn = table[rows]
            drawn = drawn[~np.isnan(drawn).any(axis=1)]
            levels = np.unique(kept)
            for name, value in singly(*drawn.T, levels=levels).items():
                if name.startswith("gwet") and len(levels) > 30:
                    continue
                assert same(values[name][draw, cell], value) or _small_draw(name, drawn), (name, draw, cell)


def _small_draw(name: str, drawn: np.ndarray) -> bool:
    """A draw of totals may hold few enough levels for kappas although the whole table does not."""
    return name.startswith(("kappa", "gwet")) and not np.isnan(drawn).any() and len(np.unique(drawn)) <= 30


def test_intervals_are_percentiles_of_the_draws():
    ratings, patient = cells("grades"), np.arange(24) // 2
    batch = agree(ratings, patient, draws=300, seed=2)
    values = draw_values(ratings, patient, draws=300, seed=2)
    for name, limits in batch.interval.items():
        for cell in range(5):
            kept = values[name][:, cell][~np.isnan(values[name][:, cell])]
            assert batch.lost[name][cell] == 300 - len(kept)
            if len(kept):
                assert limits[cell] == pytest.approx(np.quantile(kept, [0.025, 0.975]), abs=1e-12)
            else:
                assert np.isnan(limits[cell]).all()


def test_three_raters_have_icc_and_error_only():
    table = np.random.default_rng(0).integers(0, 4, (1, 20, 3)).astype(float)
    batch = agree(table, draws=50)
    found = icc(table[0])
    for form, value in found["forms"].items():
        assert batch.estimate[form][0] == pytest.approx(value["estimate"], abs=1e-9)
    assert "pearson" not in batch.estimate


def test_same_seed_same_bytes_and_other_seed_other_bytes():
    first, again, other = (agree(cells("grades"), draws=100, seed=s) for s in (1, 1, 2))
    for name in first.interval:
        assert np.array_equal(first.interval[name], again.interval[name], equal_nan=True)
    assert not np.array_equal(first.interval["ICC(A,1)"], other.interval["ICC(A,1)"], equal_nan=True)


def test_blocks_of_draws_do_not_change_the_answer(monkeypatch):
    from core.agreement.batch import comparisons as module

    whole = agree(cells("totals"), draws=200)
    monkeypatch.setattr(module, "CELLS", 2000)
    parts = agree(cells("totals"), draws=200)
    for name in whole.interval:
        np.testing.assert_allclose(whole.interval[name], parts.interval[name], atol=1e-12)


def test_many_levels_in_different_cells_are_told_apart():
    rng = np.random.default_rng(0)
    low = rng.integers(0, 20, (40, 2)).astype(float)
    ratings = np.stack([low, low + 100])
    batch = agree(ratings, draws=0)
    for name in ("kappa.linear", "spearman", "gwet.ac2_quadratic"):
        assert batch.estimate[name][0] == pytest.approx(batch.estimate[name][1])


def test_spearman_has_no_interval_where_ranking_would_take_minutes(monkeypatch):
    from core.agreement.batch import comparisons as module

    monkeypatch.setattr(module, "MAX_RANKED", 20 * 100)
    batch = agree(cells("measures")[:1], draws=100)
    assert batch.estimate["spearman"][0] == pytest.approx(spearman(*cells("measures")[0].T)["estimate"])
    assert np.isnan(batch.interval["spearman"]).all() and batch.lost["spearman"][0] == 100
    assert np.isfinite(batch.interval["pearson"]).all()


def test_no_rows_at_all_gives_nothing_and_no_error():
    batch = agree(np.full((2, 4, 2), np.nan), draws=20)
    assert batch.n.tolist() == [0, 0]
    assert all(np.isnan(value).all() for value in batch.estimate.values())


def test_draws_hold_as_many_patients_as_there_are():
    counts = draw_counts(17, draws=50)
    assert counts.shape == (50, 17) and (counts.sum(axis=1) == 17).all()
    assert np.concatenate(list(count_blocks(17, draws=50))).tolist() == counts.tolist()


def test_rows_of_a_patient_share_their_weight():
    (weights,) = cluster_weights(["b", "a", "b"], draws=30)
    assert (weights[:, 0] == weights[:, 2]).all() and (weights[:, 0] + weights[:, 1] == 2).all()


def test_percentiles_leave_out_draws_without_a_value():
    values = np.array([[1.0, np.nan], [np.nan, np.nan], [3.0, np.nan], [2.0, np.nan]])
    limits, lost = percentiles(values)
    assert limits[:, 0] == pytest.approx(np.quantile([1, 2, 3], [0.025, 0.975]))
    assert np.isnan(limits[:, 1]).all() and lost.tolist() == [1, 4]
