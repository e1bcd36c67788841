"""G study against lme4, D study against the SDC and ICC that the commands give."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from core.agreement.generalisability.components import NAMES, Design, draw, fit
from core.agreement.generalisability.study import d_study, g_study, readers_for
from core.agreement.icc import icc
from core.cli.progression import command
from core.progression.sdc import study_sdc
from tests.helpers.paths import REFERENCE

TABLES = pd.read_csv(REFERENCE / "generalisability_tables.csv", comment="#")
LME4 = pd.read_csv(REFERENCE / "generalisability_lme4.csv", comment="#").to_dict("records")


def cube(rows):
    levels = [sorted(rows[name].unique()) for name in ("patient", "reader", "visit")]
    found = np.full([len(one) for one in levels], np.nan)
    for row in rows.itertuples():
        place = [
            one.index(getattr(row, name))
            for one, name in zip(levels, ("patient", "reader", "visit"), strict=True)
        ]
        found[tuple(place)] = row.score
    return found


def changes(seed, n=40, readers=5, each=2, sd=(2.0, 0.3, 1.0)):
    rng = np.random.default_rng(seed)
    table = rng.normal(0, sd[0], (n, 1)) + rng.normal(0, sd[1], readers) + rng.normal(0, sd[2], (n, readers))
    for row in table:
        row[rng.permutation(readers)[each:]] = np.nan
    return table


@pytest.mark.parametrize("row", LME4, ids=lambda row: row["set"])
def test_variances_are_those_of_lme4(row):
    found = fit(cube(TABLES[TABLES["set"] == row["set"]]))
    assert found == pytest.approx([row[name] for name in (*NAMES, "error")], rel=2e-4, abs=1e-5)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10**6), st.floats(-50, 50), st.floats(0.1, 20))
def test_shifting_a_visit_and_scaling_all_leaves_the_shares(seed, shift, scale):
    scores = cube(TABLES[TABLES["set"] == "complete"])
    rng = np.random.default_rng(seed)
    moved = scores[rng.permutation(len(scores))] * scale + np.array([0, shift])
    assert fit(moved) / scale**2 == pytest.approx(fit(scores), rel=1e-3, abs=1e-3)


def test_the_bootstrap_is_about_the_variances_that_it_is_drawn_from():
    truth = np.array([9.0, 1.0, 1.0, 2.0, 1.0])
    drawn = draw(Design.of(np.ones((60, 6, 2), bool)), truth, 150, 1)
    assert drawn.mean(axis=0) == pytest.approx(truth, rel=0.2)
    again = draw(Design.of(np.ones((60, 6, 2), bool)), truth, 150, 1)
    assert (drawn == again).all()


def test_status_has_its_five_components_with_limits():
    found = g_study(cube(TABLES[TABLES["set"] == "two_of_five"]), draws=60)
    assert [row["name"] for row in found["components"]] == [*NAMES, "error"]
    assert sum(row["share"] for row in found["components"]) == pytest.approx(1)
    assert all(row["ci"][0] <= row["variance"] <= row["ci"][1] for row in found["components"])


def test_without_readers_who_share_patients_there_is_a_reason():
    scores = np.full((10, 2, 2), np.nan)
    scores[::2, 0], scores[1::2, 1] = 3.0, 4.0
    assert "two readers" in g_study(scores)["notes"]["components"]
    found = d_study(scores[:, :, 1] - scores[:, :, 0])
    assert found["by_readers"] == [] and found["notes"]["by_readers"]


def test_on_a_complete_table_the_d_study_is_the_sdc_and_icc_of_the_study():
    change = changes(1, n=30, readers=3, each=3)
    found = d_study(change, draws=100)
    sdc, forms = study_sdc(change), icc(change)["forms"]
    one, _, three = found["by_readers"][:3]
    assert one["sdc95"]["estimate"] == pytest.approx(sdc.limit(), rel=1e-3)
    assert three["sdc95"]["estimate"] == pytest.approx(sdc.usual, rel=1e-3)
    assert one["icc"]["estimate"] == pytest.approx(forms["ICC(A,1)"]["estimate"], abs=1e-3)
    assert three["icc"]["estimate"] == pytest.approx(forms["ICC(A,k)"]["estimate"], abs=1e-3)
    assert found["notes"]["reads"]


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    truth = 1.96 * 1.0
    held = [
        low <= truth <= high
        for low, high in (
            d_study(changes(seed), readers=(1,), draws=120)["by_readers"][0]["sdc95"]["ci"]
            for seed in range(30)
        )
    ]
    assert 0.83 <= np.mean(held) <= 1


def test_more_readers_and_reads_take_error_off():
    found = d_study(changes(3), within=0.4, draws=100)
    single = [row for row in found["by_readers"] if row["reads"] == 1]
    double = [row for row in found["by_readers"] if row["reads"] == 2]
    sizes = [row["sdc95"]["estimate"] for row in single]
    assert sizes == sorted(sizes, reverse=True)
    for one, two in zip(single, double, strict=True):
        assert two["sdc95"]["estimate"] < one["sdc95"]["estimate"]
        assert two["icc"]["estimate"] > one["icc"]["estimate"]
    error = found["components"][2]["variance"]
    assert single[0]["sdc95"]["estimate"] == pytest.approx(study_sdc(changes(3)).limit())
    ratio = double[0]["sdc95"]["estimate"] / single[0]["sdc95"]["estimate"]
    assert ratio == pytest.approx(np.sqrt(1 - 0.4 / 2 / error))


def test_readers_for_an_sdc_is_the_first_number_that_reaches_it():
    found = d_study(changes(3), draws=50)
    by_count = {row["readers"]: row["sdc95"]["estimate"] for row in found["by_readers"]}
    assert readers_for(found, sdc=by_count[3]) == 3
    assert readers_for(found, sdc=by_count[3] - 0.001) == 4
    assert readers_for(found, sdc=0.01) is None
    assert readers_for(found, icc=found["by_readers"][1]["icc"]["estimate"]) == 2


def test_command_gives_both_studies(tmp_path):
    rng = np.random.default_rng(2)
    rows = []
    for s in range(30):
        change = rng.poisson(2)
        for r in rng.permutation(4)[:2]:
            first = 10 + int(rng.integers(0, 4))
            rows += [
                (f"P{s}", f"R{r}", 0, first),
                (f"P{s}", f"R{r}", 364, first + change + int(rng.integers(-1, 2))),
            ]
    path = tmp_path / "t.csv"
    pd.DataFrame(rows, columns=["subject", "reader", "days", "total"]).to_csv(path, index=False)
    plain = json.loads(CliRunner().invoke(command, [str(path), "--json"]).stdout)
    found = json.loads(CliRunner().invoke(command, [str(path), "--g-study", "--json"]).stdout)
    assert "generalisability" not in plain
    assert len(found["generalisability"]["status"]["components"]) == 5
    assert found["generalisability"]["change"]["by_readers"][0]["sdc95"]["estimate"] == pytest.approx(
        found["sdc95"]["one_reader"]
    )
    text = CliRunner().invoke(command, [str(path), "--g-study"]).stdout
    assert "patient x reader" in text and "change, mean of 2: SDC95" in text
