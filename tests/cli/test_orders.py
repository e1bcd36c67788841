"""Order of visits, reference arm, scale and shortest interval, as the commands take them."""

import json

import pandas as pd
import pytest

from core import scores
from core.cli import main
from tests.helpers.paths import SHARED

CASES = SHARED / "cases"


@pytest.fixture
def run(capsys):
    """Run a command; gives exit status, the JSON (or None) and standard error."""

    def _run(*arguments):
        with pytest.raises(SystemExit) as end:
            main([*map(str, arguments), "--json"])
        out, err = capsys.readouterr()
        return end.value.code, json.loads(out) if out else None, err

    return _run


def carried(order, grades=(0, None, 3)):
    """Site scores whose one joint has these grades at BL, W52 and W104, visits in this order of rows."""
    known = dict(zip(("BL", "W52", "W104"), grades, strict=True))
    codes = scores.get("mtss").codes
    rows = [
        ("P1", visit, "R1", code, known[visit] if code == "RH.E.MCP2" else 0)
        for visit in order
        for code in codes
    ]
    return pd.DataFrame(rows, columns=["subject", "visit", "reader", "site", "grade"])


@pytest.mark.parametrize("order", [("BL", "W104", "W52"), ("W52", "BL", "W104"), ("BL", "W52", "W104")])
def test_rows_in_any_order_carry_from_the_nearest_earlier_visit(run, tmp_path, order):
    carried(order).to_csv(tmp_path / "sites.csv", index=False)
    status, found, _ = run("totals", tmp_path / "sites.csv", "--system", "mtss", "--rule", "carry")
    assert status == 0
    assert {row["visit"]: row["total"] for row in found["totals"]} == {"BL": 0, "W52": 0, "W104": 3}
    assert [row["visit"] for row in found["totals"]] == list(order)
    assert found["visit_order"] == {"visits": ["BL", "W52", "W104"], "source": "names", "notes": []}


def test_an_order_that_was_given_counts(run, tmp_path):
    carried(("BL", "W52", "W104")).to_csv(tmp_path / "sites.csv", index=False)
    arguments = ("totals", tmp_path / "sites.csv", "--system", "mtss", "--rule", "carry", "--visit-order")
    _, found, _ = run(*arguments, "BL,W104,W52")
    assert {row["visit"]: row["total"] for row in found["totals"]}["W52"] == 3
    status, _, err = run(*arguments, "BL,W52")
    assert status == 2 and "W104 is in the table too" in err


def test_an_order_that_names_do_not_decide_is_refused_or_said(run, tmp_path):
    frame = carried(("BL", "W52", "W104")).replace({"visit": {"W104": "M12"}})
    frame.to_csv(tmp_path / "sites.csv", index=False)
    arguments = ("totals", tmp_path / "sites.csv", "--system", "mtss")
    status, _, err = run(*arguments, "--rule", "carry")
    assert status == 2 and "M12" in err and "--visit-order" in err and err.count("\n") == 1
    status, found, err = run(*arguments)
    assert status == 0 and "M12" in err and found["visit_order"]["notes"]
    assert run(*arguments, "--rule", "carry", "--visit-order", "BL,W52,M12")[0] == 0


def two_arms():
    rows = [
        (f"P{s}", "BA"[s % 2], reader, day, 5 + s % 3 + (day > 0) * (s % 4))
        for s in range(12)
        for reader in ("R1", "R2")
        for day in (0, 364)
    ]
    return pd.DataFrame(rows, columns=["subject", "arm", "reader", "days", "total"])


def test_the_reference_arm_can_be_named(run, tmp_path):
    two_arms().to_csv(tmp_path / "totals.csv", index=False)
    _, plain, _ = run("progression", tmp_path / "totals.csv")
    _, other, _ = run("progression", tmp_path / "totals.csv", "--reference", "B")
    assert [(row["a"], row["b"]) for row in plain["arm_differences"]] == [("B", "A")]
    assert [(row["a"], row["b"]) for row in other["arm_differences"]] == [("A", "B")]
    assert plain["arm_differences"][0]["estimate"] == -other["arm_differences"][0]["estimate"]
    status, _, err = run("progression", tmp_path / "totals.csv", "--reference", "C")
    assert status == 2 and "the arms are A, B" in err


def test_the_reference_arm_of_a_study_is_a_setting(run, tmp_path):
    cohort = ("--cohort", tmp_path / "c.duckdb", "study")
    assert run(*cohort)[1]["reference_arm"] is None
    assert run(*cohort, "--reference", "Placebo")[1]["reference_arm"] == "Placebo"
    assert run(*cohort)[1]["reference_arm"] == "Placebo"
    assert run(*cohort, "--reference", "")[1]["reference_arm"] is None


def test_the_scale_of_grades_can_be_named(run, tmp_path):
    rows = [(f"s{s}", rater, int(s == 0)) for s in range(14) for rater in ("A", "B")]
    frame = pd.DataFrame(rows, columns=["subject", "rater", "rating"])
    frame.loc[frame.index[2], "rating"] = 1
    frame.to_csv(tmp_path / "r.csv", index=False)
    columns = ("--subject", "subject", "--rater", "rater", "--rating", "rating")
    plain, scaled, listed = (
        run("agreement", tmp_path / "r.csv", *columns, *more)[1]["gwet"]["ac1"]["estimate"]
        for more in ((), ("--scale", "0-3"), ("--scale", "0,1,2,3"))
    )
    assert plain < scaled == listed
    for wrong in ("3", "a-b", "0-99", ""):
        status, _, err = run("agreement", tmp_path / "r.csv", *columns, "--scale", wrong)
        assert status == 2 and "--scale" in err


def test_the_shortest_interval_of_extrapolation_can_be_set(run, tmp_path):
    frame = two_arms()
    soon = pd.DataFrame([("early", "A", "R1", 0, 5), ("early", "A", "R1", 14, 6)], columns=frame.columns)
    pd.concat([frame, soon]).to_csv(tmp_path / "totals.csv", index=False)
    arguments = ("progression", tmp_path / "totals.csv", "--impute", "linear")
    row = run(*arguments)[1]["imputed"][0]
    assert (row["group"], row["n"]) == ("all", 12) and "early (day 14 after baseline)" in row["note"]
    assert run(*arguments, "--min-interval", "14")[1]["imputed"][0]["n"] == 13


needs_cases = pytest.mark.skipif(not CASES.exists(), reason="the shared cases are not on this machine")


@needs_cases
def test_the_case_of_visits_sorted_by_name(run):
    _, found, _ = run("totals", CASES / "14_visit_order.csv", "--system", "mtss", "--rule", "carry")
    assert {row["visit"]: row["total"] for row in found["totals"]}["W52"] == 0


@needs_cases
def test_the_cases_of_three_raters_and_of_a_scale(run):
    columns = ("--subject", "subject", "--rater", "rater", "--rating", "rating")
    _, three, _ = run("agreement", CASES / "23_three_raters.csv", *columns)
    assert three["fleiss"]["unweighted"]["estimate"] == pytest.approx(0.0878, abs=5e-5)
    assert three["fleiss"]["linear"]["estimate"] == pytest.approx(0.0426, abs=5e-5)
    assert three["gwet"]["ac2_linear"]["estimate"] == pytest.approx(0.1148, abs=5e-5)
    _, two, _ = run("agreement", CASES / "24_gwet.csv", *columns)
    assert two["gwet"]["ac1"]["estimate"] == pytest.approx(0.9284, abs=5e-5)
    _, scaled, _ = run("agreement", CASES / "24_gwet.csv", *columns, "--scale", "0-3")
    assert scaled["gwet"]["ac1"]["estimate"] == pytest.approx(0.9387, abs=5e-5)


@needs_cases
def test_the_cases_of_arms_early_films_and_ties(run):
    where = CASES / "statistics"
    _, arms, _ = run("progression", where / "arms_B_first.csv", "--sensitivity")
    said = [
        arms["arm_differences"],
        arms["net_progression_differences"],
        *arms["progressor_differences"].values(),
    ]
    assert {(row["a"], row["b"]) for rows in said for row in rows} == {("B", "A")}
    assert {row["group"] for row in arms["sensitivity"] if row["kind"] == "difference"} == {"B minus A"}
    _, early, _ = run("progression", where / "early_film.csv", "--impute", "linear")
    assert "a (day 14 after baseline)" in early["imputed"][0]["note"]
    _, ties, _ = run("progression", where / "cumprob_ties_p6.csv")
    place = {row["subject"]: number for number, row in enumerate(ties["change"])}
    for one, other in zip(ties["cumulative_probability"], ties["cumulative_probability"][1:], strict=False):
        if one["arm"] == other["arm"] and abs(one["y"] - other["y"]) < 1e-9:
            assert place[one["subject"]] < place[other["subject"]]
