"""Missing films: each method's value, Rubin's rules, and the sensitivity panel."""

import numpy as np
import pandas as pd
import pytest

from core.agreement.proportion import wilson
from core.errors import InputError
from core.progression.analysis import progression
from core.progression.courses import courses
from core.progression.missing.extrapolation import extrapolate_linearly
from core.progression.missing.methods import METHODS, fill_change, observed_change
from core.progression.missing.multiple_imputation import fill_multiply, pooled_share, rubin, visit_grid
from core.progression.missing.sensitivity import SensitivityOptions, sensitivity
from core.progression.pairing import Interval
from core.progression.totals_table import collect


def films(subject, arm="A", **totals):
    """Rows of one subject, ``R1={day: total}``."""
    return [
        (subject, arm, reader, day, total)
        for reader, course in totals.items()
        for day, total in course.items()
    ]


def table(*rows):
    return pd.DataFrame(rows, columns=["subject", "arm", "reader", "days", "total"])


def change_of(name, *rows, to=730):
    course = courses(collect(table(*rows)), Interval(0, to, 60))
    filled = fill_change(course, name)
    return dict(zip(course.patients["subject"], filled.change[0], strict=True)), filled


FULL = films("full", R1={0: 5, 365: 6, 730: 8}, R2={0: 7, 365: 7, 730: 9})
EARLY = films("early", R1={0: 1, 200: 2, 365: 3}, R2={0: 1, 200: 3, 365: 4})
BASE = films("base", R1={0: 4}, R2={0: 4})
BOTH = films("both", R1={0: 0, 365: 2, 1095: 8}, R2={0: 0, 365: 4, 1095: 10})


def test_course_is_change_within_readers():
    course = courses(
        collect(table(*FULL, *films("half", R1={0: 3, 365: 5}, R2={365: 9}))), Interval(0, 730, 60)
    )
    full = course.films[course.films["subject"] == "full"]
    assert full["change"].tolist() == [0.5, 2.5]
    half = course.films[course.films["subject"] == "half"]
    assert half["change"].tolist() == [2.0]  # R2 has no baseline
    assert half["readers"].tolist() == [1]


def test_observed_is_the_change_of_the_analysis():
    rows = table(*FULL, *EARLY, *BASE, *BOTH)
    readings = collect(rows)
    course = courses(readings, Interval(0, 730, 60))
    found = progression(readings)  # to the last day, 1095
    seen = dict(zip(course.patients["subject"], observed_change(course), strict=True))
    assert seen["full"] == 2.5
    assert all(np.isnan(seen[name]) for name in ("early", "base", "both"))
    assert [row["subject"] for row in found["change"]] == ["both"]


def test_linear_extrapolation_goes_on_from_the_last_film():
    change, filled = change_of("linear", *FULL, *EARLY, *BASE)
    assert change["early"] == pytest.approx(2.5 * 730 / 365)
    assert change["full"] == 2.5
    assert np.isnan(change["base"])
    assert filled.is_imputed.tolist() == [False, True, False]
    # domain.md F8
    assert extrapolate_linearly(1.2, 16, 52) == pytest.approx(3.9)
    assert extrapolate_linearly(-0.5, 12, 24) == pytest.approx(-1.0)


def test_last_observation_is_carried_forward():
    change, _ = change_of("locf", *FULL, *EARLY, *BASE)
    assert change["early"] == 2.5
    assert np.isnan(change["base"])


def test_interpolation_needs_a_film_on_both_sides():
    change, _ = change_of("interpolation", *FULL, *EARLY, *BASE, *BOTH)
    assert change["both"] == pytest.approx(3 + (9 - 3) / 2)
    assert np.isnan(change["early"])
    gap, _ = change_of("interpolation", *films("P", R1={0: 2, 1460: 10}))
    assert gap["P"] == pytest.approx(4.0)  # baseline is a side too


def test_a_film_before_baseline_is_no_part_of_the_course():
    change, _ = change_of("locf", *films("P", R1={-200: 9, 0: 1, 365: 2}))
    assert change["P"] == 1.0


def test_rubins_rules_by_hand():
    """q = 1, 2, 3, u = 0.5: U = 0.5, B = 1, T = 0.5 + 4/3, old df = 2 / (8/11)^2."""
    found = rubin(np.array([1.0, 2.0, 3.0]), np.full(3, 0.5))
    assert found.estimate == 2
    assert found.se == pytest.approx(np.sqrt(0.5 + 4 / 3))
    assert found.df == pytest.approx(2 * (11 / 8) ** 2)
    assert found.missing_share == pytest.approx(8 / 11)


def test_barnard_rubin_df_never_pass_those_of_complete_data():
    found = rubin(np.array([1.0, 1.1, 0.9]), np.full(3, 4.0), complete_df=20)
    assert found.df < 20
    same = rubin(np.array([1.0, 1.0]), np.full(2, 4.0), complete_df=20)
    assert same.df == pytest.approx(21 / 23 * 20)


def test_pooled_share_without_spread_is_wilson():
    assert pooled_share(np.array([3, 3, 3]), 10) == pytest.approx((0.3, *wilson(3, 10)))
    wider = pooled_share(np.array([1, 3, 5]), 10)
    assert wider[1] < wilson(3, 10)[0] < wilson(3, 10)[1] < wider[2]
    assert pooled_share(np.zeros(4), 10)[:2] == (0, 0)


def test_visits_are_guessed_from_clusters_of_days():
    days = np.array([0, 1, 180, 185, 190, 365, 730])
    assert visit_grid(days, 90) == [0.5, 185, 365, 730]
    assert visit_grid(np.array([]), 90) == []


def study(n=120, seed=3, readers=("R1", "R2")):
    """Half-yearly films; dropout after large changes."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(n):
        arm, base, slope = "AB"[number % 2], rng.integers(0, 30), rng.gamma(0.5, 1.5)
        for visit, day in enumerate((0, 180, 365, 550, 730)):
            if visit and rng.random() < 0.04 + 0.06 * slope:
                break
            for reader in readers:
                rows.append(
                    (f"P{number}", arm, reader, day, round(base + slope * day / 365 + rng.normal(0, 0.6)))
                )
    return table(*rows)


def test_multiple_imputation_keeps_films_and_repeats_with_its_seed():
    course = courses(collect(study()), Interval(0, 730, 90))
    seen = observed_change(course)
    first, again, other = (fill_multiply(course, imputations=4, seed=seed) for seed in (1, 1, 2))
    there = ~np.isnan(seen)
    assert (first.change[:, there] == seen[there]).all()
    np.testing.assert_array_equal(first.change, again.change)
    assert (first.change != other.change).any()
    assert first.is_known.all()
    assert set(np.unique(first.change)) <= set(np.unique(seen[there]))  # matched to changes that were seen


def test_multiple_imputation_mends_dropout_that_follows_change():
    """Those who changed much drop out: observed films alone show too little, imputation comes nearer."""
    rng = np.random.default_rng(8)
    base = rng.normal(20, 5, 800)
    half, full = rng.normal(1, 1, 800), np.zeros(800)
    full = 2 * half + rng.normal(0, 0.3, 800)
    gone = rng.random(800) < 1 / (1 + np.exp(1.5 - 1.5 * half))
    rows = []
    for i in range(800):
        rows += films(
            f"P{i}", R1={0: base[i], 365: base[i] + half[i]} | ({} if gone[i] else {730: base[i] + full[i]})
        )
    course = courses(collect(table(*rows)), Interval(0, 730, 90))
    seen = np.nanmean(observed_change(course))
    imputed = fill_multiply(course, imputations=5).change.mean()
    assert full.mean() - seen > 0.3
    assert imputed == pytest.approx(full.mean(), abs=0.12)


def test_too_few_films_are_not_imputed():
    course = courses(collect(table(*FULL, *EARLY, *BASE)), Interval(0, 730, 60))
    filled = fill_multiply(course, imputations=2)
    assert filled.is_known.tolist() == [True, False, False]


def test_nobody_changed():
    rows = [row for n in range(12) for row in films(f"P{n}", R1={0: n, 365: n} | ({730: n} if n > 3 else {}))]
    filled = fill_multiply(courses(collect(table(*rows)), Interval(0, 730, 60)), imputations=3)
    assert (filled.change == 0).all()


@pytest.fixture(scope="module")
def panel():
    frame = study().assign(imputed_sites=1)
    return sensitivity({"seg_mean": frame, "complete_only": frame}, SensitivityOptions(imputations=4))


def cell(panel, **keys):
    found = panel
    for name, value in keys.items():
        found = found[found[name] == value]
    assert len(found) == 1
    return found.iloc[0]


def test_panel_has_every_rule_method_group_and_measure(panel):
    assert len(panel) == 2 * len(METHODS) * (3 + 1) * 4
    assert panel["note"].eq("").all()
    assert (panel["low"] <= panel["estimate"]).all()
    assert (panel["estimate"] <= panel["high"]).all()


def test_panel_row_of_observed_films_is_the_analysis(panel):
    expected = progression(collect(study()))
    row = cell(panel, rule="seg_mean", method="observed", group="A", measure="mean change")
    assert [row["estimate"], row["low"], row["high"]] == pytest.approx(
        [expected["summary"]["A"]["mean"], *expected["summary"]["A"]["ci"]]
    )
    assert row["n"] == expected["summary"]["A"]["n"]
    gap = cell(panel, rule="seg_mean", method="observed", group="B minus A", measure="mean change")
    assert gap["estimate"] == pytest.approx(expected["arm_differences"][0]["estimate"])
    share = cell(panel, rule="seg_mean", method="observed", group="all", measure=">SDC")
    assert share["estimate"] == pytest.approx(expected["progressors"][">SDC"] / expected["subjects"])
    net = cell(panel, rule="seg_mean", method="observed", group="B minus A", measure=">0")
    assert [net["low"], net["high"]] == pytest.approx(expected["progressor_differences"][">0"][0]["ci"])


def test_panel_counts_what_was_put_in(panel):
    rows = panel[(panel["rule"] == "seg_mean") & (panel["group"] == "all") & (panel["measure"] == ">0")]
    rows = rows.set_index("method")
    assert rows.loc["observed", "imputed_films"] == 0
    assert (rows["n"] + rows["without_change"]).nunique() == 1
    assert rows.loc["multiple", "imputed_films"] == rows.loc["observed", "without_change"]
    assert (
        rows.loc["observed", "imputed_sites"] == 2 * 2 * rows.loc["observed", "n"]
    )  # two films, two readers
    assert rows["estimand"].str.len().min() > 40


def test_panel_without_arm_and_with_one_reader():
    frame = study(40, readers=("R1",)).drop(columns="arm")
    found = sensitivity({"": frame}, SensitivityOptions(methods=METHODS[:3]))
    assert set(found["group"]) == {"all"}
    assert found["imputed_sites"].isna().all()
    sdc = found[found["measure"] == ">SDC"]
    assert sdc["estimate"].isna().all()
    assert sdc["note"].str.startswith("no SDC").all()


def test_panel_with_an_arm_of_one_patient():
    frame = table(*FULL, *EARLY, *films("alone", "B", R1={0: 1, 730: 4}, R2={0: 1, 730: 4}))
    found = sensitivity({"": frame}, SensitivityOptions(to_days=730))
    row = cell(found, method="observed", group="B", measure="mean change")
    assert (row["estimate"], row["n"]) == (3.0, 1)
    assert np.isnan(row["low"])
    assert row["note"] == "too few patients for an interval"


ODD = {
    "one visit": films("a", R1={0: 1}) + films("b", "B", R1={0: 2}) + films("c", R1={730: 1}),
    "two films on one day": [*FULL, *EARLY, ("full", "A", "R1", 730, 9), *films("b", "B", R1={0: 1, 730: 1})],
    "improvement": [
        row for i in range(8) for row in films(f"p{i}", "AB"[i % 2], R1={0: 9, 365: 8, 730: 8 - i})
    ],
    "all zeros": [row for i in range(8) for row in films(f"p{i}", "AB"[i % 2], R1={0: 0, 365: 0, 730: 0})],
}


@pytest.mark.parametrize("kind", ODD)
def test_panel_of_an_odd_study_has_numbers_or_a_note(kind):
    found = sensitivity({"": table(*ODD[kind])}, SensitivityOptions(to_days=730, imputations=2))
    lacking = found["estimate"].isna() | found["low"].isna()
    assert (found.loc[lacking, "note"] != "").all()
    assert (found.loc[~lacking, "note"] == "").all()


def test_no_table():
    with pytest.raises(InputError, match="no table"):
        sensitivity({})


def test_a_film_too_soon_after_baseline_has_no_rate_that_goes_on():
    soon = films("soon", R1={0: 5, 14: 6}, R2={0: 5, 14: 6})
    change, filled = change_of("linear", *FULL, *EARLY, *soon)
    assert np.isnan(change["soon"])
    assert filled.too_early == (("soon", 14.0),)
    panel = sensitivity({"rule": table(*FULL, *EARLY, *soon)}, SensitivityOptions(imputations=2))
    rows = panel[(panel["method"] == "linear") & (panel["measure"] == "mean change")].set_index("group")
    assert "soon (day 14 after baseline)" in rows.loc["all", "note"]
    assert rows.loc["all", "without_change"] == 1


@pytest.mark.parametrize(("day", "is_used"), [(83, False), (84, True), (112, True)])
def test_the_shortest_interval_of_extrapolation_is_twelve_weeks_unless_set(day, is_used):
    rows = [*FULL, *films("one", R1={0: 5, day: 6})]
    course = courses(collect(table(*rows)), Interval(0, 730, 60))
    known = dict(
        zip(course.patients["subject"], ~np.isnan(fill_change(course, "linear").change[0]), strict=True)
    )
    assert known["one"] == is_used
    assert not np.isnan(fill_change(course, "linear", min_interval=7).change[0]).any()
