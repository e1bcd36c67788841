"""Van Dyke's study: the published analysis, and covariances by R."""

import json

import numpy as np
import pandas as pd
import pytest

from core.agreement.mrmc.analysis import analyse
from core.agreement.mrmc.obuchowski_rockette import BOTH, CASES_FIXED, READERS_FIXED
from core.agreement.mrmc.study import collect
from core.cli import main
from tests.helpers.paths import REFERENCE


def reads():
    table = pd.read_csv(REFERENCE / "van_dyke.csv", comment="#")
    long = table.melt(["reader", "case", "truth"], ["modality_1", "modality_2"], "modality", "rating")
    return long.rename(columns={"case": "subject"})


@pytest.fixture(scope="module")
def study():
    return collect(reads())


def of(result, name):
    return next(one for one in result["analyses"] if one["analysis"] == name)


def test_random_readers_and_cases_are_the_published_analysis(study):
    # R package MRMCaov, README: mrmc(empirical_auc(truth, rating), treatment, reader, case), jackknife
    result = analyse(study, "auc", covariance="jackknife")
    part = result["components"]
    assert part["ms_t"] == pytest.approx(0.004796171, abs=5e-10)
    assert part["ms_tr"] == pytest.approx(0.0005510306, abs=5e-11)
    assert part["var"] == pytest.approx(0.0008022883, abs=5e-11)
    assert part["cov1"] == pytest.approx(0.0003466137, abs=5e-11)
    assert part["cov2"] == pytest.approx(0.0003440748, abs=5e-11)
    assert part["cov3"] == pytest.approx(0.0002390284, abs=5e-11)
    found = of(result, BOTH)
    assert found["test"]["value"] == pytest.approx(4.456319, abs=5e-7)
    assert found["test"]["df2"] == pytest.approx(15.25967, abs=5e-6)
    assert found["test"]["p"] == pytest.approx(0.05166569, abs=5e-9)
    row = found["differences"][0]
    assert (row["a"], row["b"]) == ("modality_2", "modality_1")
    assert row["estimate"] == pytest.approx(0.04380032, abs=5e-9)
    assert row["se"] == pytest.approx(0.02074862, abs=5e-9)
    assert row["ci"] == pytest.approx([-0.0003588544, 0.0879594986], abs=5e-10)
    means = result["means"]
    assert [one["estimate"] for one in means] == pytest.approx([0.8970370, 0.9408374], abs=5e-8)
    assert [one["se"] for one in means] == pytest.approx([0.03317360, 0.02156637], abs=5e-9)
    assert [one["df"] for one in means] == pytest.approx([12.74465, 12.71019], abs=5e-6)
    assert means[0]["ci"] == pytest.approx([0.8252236, 0.9688505], abs=5e-8)


# R: means over cells of the covariance matrix (same cell, other modality, other reader, both other). DeLong:
# p <- rows of outer(pos, neg, psi) less their mean, n <- columns;
# crossprod(p) / (45 * 44) + crossprod(n) / (69 * 68)
DELONG = (0.000792132453, 0.000342008958, 0.000339526531, 0.000235849653)
UNBIASED = (0.000788392512, 0.000341670557, 0.000339064980, 0.000235614846)  # unbiased_balanced of MRMCaov


@pytest.mark.parametrize(("method", "expected"), [("delong", DELONG), ("u-statistics", UNBIASED)])
def test_covariances_are_those_of_r(study, method, expected):
    part = analyse(study, "auc", covariance=method)["components"]
    found = [part[name] for name in ("var", "cov1", "cov2", "cov3")]
    assert found == pytest.approx(expected, abs=1e-12)


def test_fixed_readers_and_fixed_cases_follow_the_same_components(study):
    result = analyse(study, "auc", covariance="jackknife")
    part = result["components"]
    error = part["var"] - part["cov1"] + 4 * (part["cov2"] - part["cov3"])
    fixed = of(result, READERS_FIXED)
    assert fixed["test"]["value"] == pytest.approx(part["ms_t"] / error)
    assert fixed["test"]["df2"] is None
    assert fixed["differences"][0]["se"] == pytest.approx(np.sqrt(2 / 5 * error))
    cases = of(result, CASES_FIXED)["test"]
    assert cases["value"] == pytest.approx(part["ms_t"] / part["ms_tr"])
    assert cases["df2"] == 4


def test_order_of_rows_and_the_reference_change_signs_only(study):
    first = analyse(study, "auc")
    mixed = reads().sample(frac=1, random_state=3)
    turned = analyse(collect(mixed, reference="modality_2"), "auc")
    one, other = (of(result, BOTH)["differences"][0] for result in (first, turned))
    assert other["estimate"] == pytest.approx(-one["estimate"])
    assert other["p"] == pytest.approx(one["p"])


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main(["mrmc", *map(str, arguments)])
    out, err = capsys.readouterr()
    return end.value.code, out, err


def test_command(tmp_path, capsys):
    path = tmp_path / "reads.csv"
    table = reads().rename(columns={"subject": "case"})
    table.to_csv(path, index=False)
    status, out, _ = run(capsys, path, "--covariance", "jackknife", "--json")
    found = json.loads(out)
    assert status == 0
    assert found["analyses"][0]["test"]["p"] == pytest.approx(0.05166569, abs=5e-9)
    assert "modality_2 minus modality_1: 0.044" in run(capsys, path)[1]
    table.drop(index=[7]).to_csv(path, index=False)
    status, _, err = run(capsys, path, "--missing-reads", "refuse")
    assert status == 2
    assert "1 reads are missing: 8 by 1, modality_1" in err
    assert json.loads(run(capsys, path, "--json")[1])["missing_reads"] == 1
    table.astype({"rating": object}).assign(rating=["x", *table["rating"][1:]]).to_csv(path, index=False)
    status, out, _ = run(capsys, path, "--json")
    assert status == 1
    assert json.loads(out)["refused"][0]["row"] == 1
