"""``sharpline progression`` with estimands, as a script calls it."""

import json

import numpy as np
import pandas as pd
import pytest

from tests.helpers.commands import run_command


@pytest.fixture
def file(tmp_path):
    rng = np.random.default_rng(8)
    rows = []
    for number in range(40):
        arm, rate = ("Active", 0.4) if number % 2 else ("Placebo", 1.5)
        event = {3: 200, 4: "W52", 5: "no"}.get(number)
        visits = [("BL", 0), ("W52", 364), ("W104", 728)][: 2 if number % 9 == 8 else 3]
        for visit, day in visits:
            total = 10 + rate * day / 364 + (rng.normal(0, 0.8) if day else 0)
            rows += [
                (f"P{number}", arm, reader, visit, day, round(total, 1), event) for reader in ("R1", "R2")
            ]
    path = tmp_path / "totals.csv"
    names = ["subject", "arm", "reader", "visit", "days", "total", "rescue"]
    pd.DataFrame(rows, columns=names).to_csv(path, index=False)
    return path


def run(capsys, *arguments):
    return run_command(capsys, "progression", *arguments)


def test_json_names_strategy_event_and_who_is_affected(file, capsys):
    status, out, _ = run(
        capsys, file, "--json", "--estimand", "hypothetical", "--estimand", "composite", "--event", "rescue",
        "--reference-based", "j2r", "--tipping",
    )  # fmt: skip
    found = json.loads(out)["estimands"]
    assert status == 0
    assert found["event"] == "rescue"
    assert [row["strategy"] for row in found["results"]] == ["hypothetical", "composite"]
    subjects = {row["arm"]: [one["subject"] for one in row["subjects"]] for row in found["affected"]}
    assert subjects == {"Placebo": ["P4"], "Active": ["P3"]}
    change = found["results"][0]
    assert [row["assumption"] for row in change["assumptions"]] == ["mar", "weighted", "j2r"]
    assert change["assumptions"][1]["differences"][0]["rubin"] is None
    assert change["missing"] == {"Placebo": 3, "Active": 3}
    point = change["tipping"][0]
    assert point["is_different"] and point["delta"] > 0
    assert np.shape(point["grid"]["estimate"]) == (13, 13)


def test_the_same_seed_gives_the_same_output(file, capsys):
    arguments = (file, "--json", "--reference-based", "cir", "--reference-based", "cr", "--seed", 5)
    assert run(capsys, *arguments)[1] == run(capsys, *arguments)[1]


def test_text_says_estimand_who_and_variance(file, capsys):
    _, out, _ = run(
        capsys, file, "--estimand", "while-on-treatment", "--estimand", "treatment-policy",
        "--event", "rescue", "--tipping",
    )  # fmt: skip
    for part in (
        "rescue before the visit, Placebo: 1 of 20, 1 films after it: P4 (day 364)",
        "while on treatment: Change up to the event",
        "treatment policy: Change at the visit whether or not",
        "tipping point (mar), Active minus Placebo: differs; turns when 2 missing changes of Active",
        "Rubin's rules",
        "variance: conditional mean imputation, interval from the jackknife",
    ):
        assert part in out


def test_an_event_that_cannot_be_placed_is_named_and_gives_status_1(file, capsys):
    table = pd.read_csv(file)
    table.loc[table["subject"] == "P7", "rescue"] = "yes"
    table.to_csv(file, index=False)
    status, out, err = run(capsys, file, "--json", "--estimand", "composite", "--event", "rescue")
    assert status == 1
    assert "subject P7 is in no estimand: rescue is yes: the day or the visit" in err
    assert [row["subject"] for row in json.loads(out)["estimands"]["excluded"]] == ["P7"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--estimand", "composite"), "name the column of the event with --event"),
        (("--event", "rescue"), "name a strategy with --estimand"),
        (("--estimand", "composite", "--event", "stop"), "the table has the columns"),
        (("--reference-based", "j2r", "--cluster", "subject"), "--cluster with --reference-based"),
    ],
)
def test_options_that_do_not_go_together_are_refused(file, capsys, arguments, message):
    status, _, err = run(capsys, file, *arguments)
    assert status == 2
    assert message in err


def test_without_the_options_the_result_has_no_estimands(file, capsys):
    assert "estimands" not in json.loads(run(capsys, file, "--json")[1])
