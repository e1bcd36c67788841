"""A plan as a whole: numbers from a study, every test, what is assumed."""

import json

import numpy as np
import pandas as pd
import pytest

from core.cli import main
from core.errors import InputError
from core.progression.pairing import interval_of
from core.progression.planning.means import exchangeable, steady_loss
from core.progression.planning.plan import TESTS, Design, plan
from core.progression.planning.start import start
from core.progression.totals_table import collect


def study(patients=120, seed=4):
    """Two arms, two readers with error SD 1, four visits; 30 patients leave after the second."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(patients):
        arm = "Placebo" if number % 2 else "Drug"
        base = rng.normal(20, 5)
        step = rng.normal(1.0 if arm == "Placebo" else 0.5, 0.8)
        for visit, day in enumerate((0, 180, 365, 545, 730)):
            if visit > 2 and number < 30:
                continue
            for reader in ("R1", "R2"):
                total = base + step * visit + rng.normal(0, 1)
                rows.append((f"P{number:03}", arm, reader, day + number % 5, round(total, 6)))
    return pd.DataFrame(rows, columns=["subject", "arm", "reader", "days", "total"])


@pytest.fixture(scope="module")
def begun():
    readings = collect(study())
    return start(readings, interval_of(readings.rows, None, 730))


def test_a_study_gives_the_numbers_that_a_plan_begins_with(begun):
    assert (begun.patients, begun.controls, begun.readers) == (90, "Placebo", 2)
    assert begun.lost == pytest.approx(30 / 120)
    assert begun.sdc == pytest.approx(1.96 * np.sqrt(2), rel=0.15)  # error of change: two films
    assert begun.sd == pytest.approx(np.sqrt(16 * 0.64 + 1), rel=0.15)
    assert begun.mean == pytest.approx(4.0, abs=1.2)
    assert begun.visits == pytest.approx([182, 367, 547, 732], abs=3)
    assert begun.retention == pytest.approx([1, 1, 0.75, 0.75])
    assert np.all(np.diag(begun.between_visits) == 1)
    assert begun.between_visits[2, 3] > begun.between_visits[0, 3] > 0.3


def test_pooled_numbers_do_not_know_the_arms():
    blinded = study().drop(columns="arm")
    readings = collect(blinded)
    found = start(readings, interval_of(readings.rows, None, 730))
    assert found.controls is None
    assert len(found.changes) == found.patients == 90


def design(**given):
    known = {
        "sd": 3.0, "sd_readers": 2, "sdc": 2.0, "readers": 2, "mean": 2.0, "reduction": 0.5, "zeros": 0.5,
        "cutoff": 1.0, "correlation": 0.3, "between_visits": exchangeable(4, 0.6),
        "retention": steady_loss(4, 0.2), "dropout": 0.2,
    }  # fmt: skip
    return Design(**(known | given))


def test_every_test_is_planned_and_every_assumption_said():
    found = plan(design())
    assert [row["test"] for row in found["tests"]] == list(TESTS)
    sizes = {row["test"]: row["enrol"]["total"] for row in found["tests"]}
    assert sizes["ancova"] < sizes["t"]
    assert sizes["mmrm"] < sizes["ancova"]
    assert found["difference"] == 1.0
    said = " ".join(found["assumptions"])
    for word in ("alpha 0.05", "20% without a result", "Reading error", "MMRM", "Rank test", "Progressors"):
        assert word in said
    for row in found["tests"]:
        assert row["power"] >= 0.9
        lost = row["with_result"]["total"] / row["enrol"]["total"]
        assert lost == pytest.approx(0.8, abs=0.02)


def test_more_readers_need_fewer_patients():
    rows = plan(design())["by_readers"]
    assert [row["readers"] for row in rows] == [1, 2, 3, 4]
    totals = [row["enrol"]["ancova"] for row in rows]
    assert totals == sorted(totals, reverse=True)
    assert totals[0] > totals[-1]
    assert rows[1]["sd"] == pytest.approx(3.0)


def test_what_is_not_known_is_said():
    found = plan(Design(sd=2.5, difference=1.0))
    assert [row["test"] for row in found["tests"]] == ["t", "rank"]
    assert set(found["notes"]) == {"ancova", "mmrm", "responders"}
    assert found["by_readers"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"alpha": 0.0}, {"power": 1.0}, {"dropout": 1.0}, {"allocation": 0.0}, {"correlation": 1.0},
        {"mean": -1.0}, {"reduction": 1.5}, {"sd": 0.0},
    ],
    ids=str,
)  # fmt: skip
def test_impossible_numbers_are_refused(wrong):
    with pytest.raises(InputError):
        plan(design(**wrong))


def test_a_plan_without_a_difference_is_refused():
    with pytest.raises(InputError, match="no test can be planned"):
        plan(Design(sd=2.0))


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main(["plan", *map(str, arguments)])
    out, err = capsys.readouterr()
    return end.value.code, out, err


def test_command_begins_with_a_table(tmp_path, capsys):
    path = tmp_path / "totals.csv"
    study().to_csv(path, index=False)
    arguments = ("--from", path, "--to-days", 730, "--reduction", 0.5, "--cutoff", 1)
    status, out, _ = run(capsys, *arguments, "--json")
    found = json.loads(out)
    assert status == 0
    assert [row["test"] for row in found["tests"]] == list(TESTS)
    assert found["start"]["controls"] == "Placebo"
    assert found["design"]["sources"]["sd"] == "table"
    assert found["design"]["dropout"] == pytest.approx(0.25)
    given = json.loads(run(capsys, *arguments, "--sd", 9, "--json")[1])
    assert given["design"]["sources"]["sd"] == "given"
    assert given["tests"][0]["enrol"]["total"] > found["tests"][0]["enrol"]["total"]
    text = run(capsys, *arguments)[1]
    assert "assumed:" in text
    assert "from the table: 90 patients, mean change of arm Placebo" in text


def test_command_without_a_table(capsys):
    found = json.loads(run(capsys, "--sd", 2.5, "--difference", 1, "--json")[1])
    assert found["tests"][0]["enrol"] == {
        "control": 133,
        "treated": 133,
        "total": 266,
    }  # power.t.test: 132.31
    shares = json.loads(run(capsys, "--progressors", 0.3, "--progressors-treated", 0.15, "--json")[1])
    assert [row["test"] for row in shares["tests"]] == ["responders"]


def test_command_says_what_lacks(capsys):
    status, _, err = run(capsys, "--sd", 2)
    assert status == 2
    assert "give --difference" in err
    status, _, err = run(capsys, "--sd", 2, "--difference", 1, "--visits", 3)
    assert status == 2
    assert "--visit-correlation" in err
