"""Every decision of docs/commands.md, ``progression``."""

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from core.progression.analysis import Options, progression
from core.progression.progressors import beyond, cutoff, progressed
from core.progression.totals_table import collect


def table(*rows, columns=("subject", "reader", "days", "total")):
    frame = pd.DataFrame(rows, columns=list(columns), dtype=object)
    frame.index += 1
    return frame


def films(subject, **totals):
    """Rows of one subject: ``R1={day: total}``."""
    return [
        (subject, reader, day, total) for reader, course in totals.items() for day, total in course.items()
    ]


def run(*rows, readers=None, **options):
    return progression(collect(table(*rows), readers=readers), Options(**options))


def entry(result, subject):
    return next(row for row in result["change"] if row["subject"] == subject)


def left_out(result):
    return {row["subject"]: row["reason"] for row in result["left_out"]}


# Which days


def test_first_is_day_0_and_last_the_largest_day_in_the_file():
    result = run(*films("P1", R1={5: 1, 400: 2}), *films("P2", R1={-10: 1, 720: 4}))
    assert (result["from_days"], result["to_days"]) == (0, 720)
    assert [row["subject"] for row in result["change"]] == ["P2"]
    assert left_out(result) == {"P1": "no film within 90 days of day 720"}


def test_without_a_film_near_0_the_smallest_day_is_first():
    result = run(*films("P1", R1={100: 1, 400: 2}), *films("P2", R1={120: 1, 390: 4}))
    assert (result["from_days"], result["to_days"]) == (100, 400)
    assert result["subjects"] == 2


def test_the_window_counts_its_edge():
    result = run(
        *films("P1", R1={0: 1, 365: 2}), *films("P2", R1={0: 1, 275: 2}), *films("P3", R1={0: 1, 274: 2})
    )
    assert [row["subject"] for row in result["change"]] == ["P1", "P2"]
    assert run(*films("P1", R1={0: 1, 365: 2}), *films("P3", R1={0: 1, 274: 2}), window=91)["subjects"] == 2


def test_the_nearest_film_is_chosen_and_a_tie_goes_to_the_earlier():
    rows = films("P1", R1={-20: 1, 20: 5, 340: 7, 380: 9, 500: 11})
    result = run(*rows, from_days=0, to_days=360)
    assert (entry(result, "P1")["from_day"], entry(result, "P1")["to_day"]) == (-20, 340)
    assert entry(result, "P1")["mean_change"] == 6


def test_the_film_is_chosen_once_per_subject_whoever_read_it():
    rows = films("P1", R1={0: 1, 360: 5}, R2={0: 1, 350: 9})
    result = run(*rows, *films("P2", R1={0: 0, 365: 0}, R2={0: 0, 365: 0}))
    assert entry(result, "P1")["per_reader"] == {"R1": 4, "R2": None}
    assert result["partial_readers"] == 1


def test_a_film_without_any_total_is_no_film():
    result = run(*films("P1", R1={0: None, 30: 1, 365: 2}, R2={0: None, 30: 2, 365: 2}))
    assert entry(result, "P1")["from_day"] == 30


def test_one_film_cannot_serve_as_both():
    result = run(*films("P1", R1={0: 1, 100: 2}), *films("P2", R1={50: 3}), from_days=0, to_days=100)
    assert left_out(result) == {"P2": "one film (day 50) for both day 0 and day 100"}
    result = run(*films("P1", R1={50: 1, 130: 2}), from_days=0, to_days=80)
    assert (entry(result, "P1")["from_day"], entry(result, "P1")["to_day"]) == (50, 130)


def test_the_second_film_is_a_later_one():
    result = run(*films("P1", R1={-30: 1, 10: 2}), *films("P2", R1={0: 1, 20: 1}), from_days=0, to_days=20)
    assert left_out(result) == {"P1": "one film (day 10) for both day 0 and day 20"}


def test_subjects_without_both_films_are_listed():
    result = run(
        *films("P1", R1={0: 1, 365: 2}), *films("P2", R1={0: 1}), *films("P3", R1={365: 1}),
        *films("P4", R1={0: 1, 365: None}, R2={0: None, 365: 3}),
    )  # fmt: skip
    assert left_out(result) == {
        "P2": "no film within 90 days of day 365",
        "P3": "no film within 90 days of day 0",
        "P4": "no reader has a total on both films",
    }
    assert result["subjects"] == 1


def test_a_film_that_was_read_without_a_total_is_not_said_to_lack():
    result = run(
        *films("P1", R1={0: 1, 365: 2}), *films("P2", R1={0: None, 365: 1}),
        *films("P3", R1={0: 1, 365: None}), *films("P4", R1={0: 1, 200: None}),
    )  # fmt: skip
    assert left_out(result) == {
        "P2": "read within 90 days of day 0, but without a total",
        "P3": "read within 90 days of day 365, but without a total",
        "P4": "no film within 90 days of day 365",
    }


def test_days_that_do_not_follow_are_said():
    with pytest.raises(InputError, match="from day 10 to day 10; a later day is needed"):
        run(*films("P1", R1={0: 1, 10: 2}), from_days=10)


def test_a_table_without_totals_is_said():
    with pytest.raises(InputError, match="rows with a day and a total are needed"):
        run(*films("P1", R1={0: None}))


# Rows


def test_two_rows_for_one_subject_reader_and_day_are_both_refused():
    result = run(*films("P1", R1={0: 1, 365: 2}, R2={0: 1, 365: 3}), ("P1", "R2", 365, 3))
    assert result["refused"] == [
        {"row": 4, "reason": "two rows for one subject, reader and day"},
        {"row": 5, "reason": "two rows for one subject, reader and day"},
    ]
    assert entry(result, "P1")["per_reader"] == {"R1": 1, "R2": None}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("P1", "R1", 200, "two"), "total 'two' is not a number"),
        (("P1", "R1", "W52", 2), "days 'W52' is not a number"),
        (("P1", "R1", None, 2), "days is empty"),
        (("P1", None, 200, 2), "reader is empty"),
        ((None, "R1", 200, 2), "subject is empty"),
    ],
)
def test_rows_that_cannot_be_used_are_refused(row, reason):
    result = run(*films("P1", R1={0: 1, 365: 2}), row)
    assert result["refused"] == [{"row": 3, "reason": reason}]
    assert result["subjects"] == 1


def test_a_subject_in_two_arms_is_refused():
    rows = [
        ("P1", "A", "R1", 0, 1),
        ("P1", "B", "R1", 365, 1),
        ("P2", "A", "R1", 0, 1),
        ("P2", None, "R1", 365, 1),
    ]
    frame = table(*rows, columns=("subject", "arm", "reader", "days", "total"))
    result = progression(collect(frame))
    assert [row["row"] for row in result["refused"]] == [1, 2]
    assert [(row["subject"], row["arm"]) for row in result["change"]] == [("P2", "A")]


# Readers


def test_readers_stand_in_the_order_of_the_file_even_where_their_rows_are_refused():
    result = run(("P1", "R9", "x", 1), *films("P1", R2={0: 1, 365: 2}, R1={0: 1, 365: 3}))
    assert result["readers"] == ["R9", "R2", "R1"]


def test_change_is_formed_within_a_reader_and_averaged_over_those_with_both_films():
    result = run(
        *films("P1", R1={0: 0, 365: 4}, R2={0: 10, 365: None}),
        *films("P2", R1={0: 0, 365: 1}, R2={0: 0, 365: 2}),
    )
    assert entry(result, "P1")["mean_change"] == 4
    assert entry(result, "P1")["from_mean"] == 0
    assert entry(result, "P2")["mean_change"] == 1.5
    assert result["partial_readers"] == 1
    assert result["sdc_subjects"] == 1
    assert result["sdc95"] is None
    assert result["notes"]["sdc95"] == "1 subjects have a change from every reader, 2 are needed"


def test_chosen_readers_only():
    rows = [*films("P1", R1={0: 0, 365: 4}, R2={0: 0, 365: 2}, R3={0: 0, 365: 9}),
            *films("P2", R1={0: 0, 365: 1}, R2={0: 0, 365: 2})]  # fmt: skip
    result = run(*rows, readers=["R2", "R1"])
    assert result["readers"] == ["R1", "R2"]
    assert entry(result, "P1")["mean_change"] == 3
    assert result["warnings"] == []
    with pytest.raises(InputError, match="reader R7; the readers are R1, R2, R3"):
        run(*rows, readers=["R7"])


def test_a_reader_who_covers_less_than_half_is_warned_about():
    rows = [row for n in range(5) for row in films(f"P{n}", R1={0: 0, 365: n}, R2={0: 0, 365: 2})]
    rows += films("P0", A={0: 0, 365: 1}) + films("P1", A={0: 0, 365: 1})
    result = run(*rows)
    assert result["warnings"] == [
        "reader A covers 2 of 5 subjects; the SDC uses 2 subjects that all readers cover: "
        "choose with --readers"
    ]


def test_sdc_of_three_readers_comes_from_the_residual_mean_square():
    rng = np.random.default_rng(3)
    change = rng.normal(1, 2, (12, 1)) + rng.normal(0, 1, (12, 3)) + [0, 0.5, 1]
    rows = [
        row
        for number, values in enumerate(change)
        for row in films(f"P{number}", **{f"R{k + 1}": {0: 0, 365: value} for k, value in enumerate(values)})
    ]
    result = run(*rows)
    pairs = [(0, 1), (0, 2), (1, 2)]
    ems = np.mean([np.var(change[:, a] - change[:, b], ddof=1) / 2 for a, b in pairs])
    assert result["sdc95"]["one_reader"] == pytest.approx(1.96 * np.sqrt(ems))
    assert result["sdc95"]["mean_of_readers"] == pytest.approx(1.96 * np.sqrt(ems / 3))
    assert result["bias"]["estimate"] == pytest.approx((change[:, 0] - change[:, 1]).mean())


def test_one_reader_has_no_sdc():
    result = run(*films("P1", R1={0: 1, 365: 2}), *films("P2", R1={0: 1, 365: 2}))
    assert result["sdc95"] is result["change_icc"] is result["progressors"][">SDC"] is result["bias"] is None
    assert set(result["notes"]) == {"sdc95", "change_icc", ">SDC"}
    assert result["progressors"][">0"] == 2


def test_readers_who_agree_fully_have_an_sdc_of_0():
    result = run(
        *films("P1", R1={0: 1, 365: 2}, R2={0: 1, 365: 2}), *films("P2", R1={0: 1, 365: 1}, R2={0: 1, 365: 1})
    )
    assert result["sdc95"] == {"one_reader": 0, "mean_of_readers": 0}
    assert result["progressors"][">SDC"] == 1


# Definitions


def test_a_change_within_1e_9_of_a_cutoff_counts_as_equal_to_it():
    value = np.array([0.1 + 0.2 - 0.3, 1e-8, 2 - 1e-12, 2 - 1e-8])
    assert beyond(value, ">", 0).tolist() == [False, True, True, True]
    assert beyond(value, ">=", 2).tolist() == [False, False, True, False]
    assert beyond(-value, "<", 0).tolist() == [False, True, True, True]
    assert beyond(-value, "<=", -2).tolist() == [False, False, True, False]


def test_a_rate_is_not_judged_on_a_short_interval():
    flags, known = progressed(cutoff(">=5/y"), np.array([6.0, 6.0]), np.array([np.nan, 6.0]), None)
    assert flags.tolist() == [False, True]
    assert known.tolist() == [False, True]


def test_what_is_no_cutoff_is_said():
    with pytest.raises(ValueError, match="a cut-off begins with"):
        cutoff("5")


def test_annualised_uses_the_subjects_own_days_and_is_null_under_182():
    rows = [
        *films("P1", R1={0: 0, 182: 2}),
        *films("P2", R1={0: 0, 181: 2}),
        *films("P3", R1={-10: 0, 190: 2}),
    ]
    result = run(*rows, from_days=0, to_days=182)
    assert entry(result, "P1")["annualised"] == pytest.approx(2 * 365.25 / 182)
    assert entry(result, "P2")["annualised"] is None
    assert entry(result, "P3")["annualised"] == pytest.approx(2 * 365.25 / 200)


def test_arms_are_summarised_and_ranked_apart():
    rows = [
        (subject, arm, "R1", day, total)
        for subject, arm, total_ in (
            ("P1", "B", 3),
            ("P2", "A", 1),
            ("P3", "B", 3),
            ("P4", "B", -1),
            ("P5", "A", 0),
        )
        for day, total in ((0, 0), (365, total_))
    ]
    result = progression(collect(table(*rows, columns=("subject", "arm", "reader", "days", "total"))))
    assert {name: row["n"] for name, row in result["summary"].items()} == {"all": 5, "B": 3, "A": 2}
    assert [(p["subject"], p["arm"], p["y"]) for p in result["cumulative_probability"]] == [
        ("P5", "A", 0), ("P2", "A", 1), ("P4", "B", -1), ("P1", "B", 3), ("P3", "B", 3)
    ]  # fmt: skip
    assert [p["x"] for p in result["cumulative_probability"]] == pytest.approx(
        [0.25, 0.75, 1 / 6, 0.5, 5 / 6]
    )
    assert result["progressors"][">0"] == 3
    assert result["net_progression"] == 2
    (gap,) = result["arm_differences"]
    assert (gap["a"], gap["b"]) == ("B", "A")  # against the first arm in natural order, wherever it stands
    assert gap["estimate"] == pytest.approx(5 / 3 - 0.5)


def test_an_arm_with_one_patient_has_no_spread():
    rows = [
        ("P1", "A", "R1", 0, 0),
        ("P1", "A", "R1", 365, 2),
        ("P2", "B", "R1", 0, 0),
        ("P2", "B", "R1", 365, 1),
    ]
    result = progression(collect(table(*rows, columns=("subject", "arm", "reader", "days", "total"))))
    row = result["summary"]["A"]
    assert (row["n"], row["mean"], row["sd"], row["ci"]) == (1, 2, None, [None, None])
    assert result["arm_differences"][0] == {"a": "B", "b": "A", "estimate": -1, "ci": [None, None]}


def test_without_arms_all_are_ranked_together():
    result = run(*films("P1", R1={0: 0, 365: 2}), *films("P2", R1={0: 0, 365: 1}))
    assert list(result["summary"]) == ["all"]
    assert [(p["arm"], p["x"], p["y"]) for p in result["cumulative_probability"]] == [
        (None, 0.25, 1),
        (None, 0.75, 2),
    ]
