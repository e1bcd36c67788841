"""``sharpline progression --intervals``: what is shown, what stays under its key, and what is said of it."""

import json

import numpy as np
import pandas as pd
import pytest

from core.cli import main


def totals(n: int, seed: int = 1) -> pd.DataFrame:
    """Two readers, two visits; two thirds without true change."""
    rng = np.random.default_rng(seed)
    true = np.where(rng.random(n) < 0.65, 0, rng.lognormal(0.3, 0.9, n))
    rows = [
        (f"P{i:03}", reader, day, 10 + (day > 0) * round(true[i] + rng.normal(), 1))
        for i in range(n)
        for reader in ("R1", "R2")
        for day in (0, 730)
    ]
    return pd.DataFrame(rows, columns=["subject", "reader", "days", "total"])


def said(capsys, *arguments) -> str:
    with pytest.raises(SystemExit) as end:
        main(["progression", *map(str, arguments)])
    assert end.value.code == 0
    return capsys.readouterr().out


@pytest.fixture
def path(tmp_path):
    totals(30).to_csv(tmp_path / "t.csv", index=False)
    return tmp_path / "t.csv"


def test_both_intervals_are_in_the_json(path, capsys):
    found = json.loads(said(capsys, path, "--json"))
    textbook = json.loads(said(capsys, path, "--json", "--intervals", "textbook"))
    assert textbook["intervals"] is None
    assert {name: value for name, value in found.items() if name != "intervals"} == {
        name: value for name, value in textbook.items() if name != "intervals"
    }
    better = found["intervals"]
    low, high = better["sdc95"]["one_reader"]
    assert low < found["sdc95"]["one_reader"] < high
    assert set(better["change_icc"]) == set(found["change_icc"])
    assert better["coverage"]["sdc95"]["patients"] == 24 and better["draws"] and better["seed"]


def test_text_shows_the_interval_and_how_often_such_ones_held(path, capsys):
    found = json.loads(said(capsys, path, "--json"))
    text, textbook = said(capsys, path), said(capsys, path, "--intervals", "textbook")
    low, high = found["intervals"]["change_icc"]["ICC(A,1)"]
    assert f"({low:.3g} to {high:.3g})" in text and f"({low:.3g} to {high:.3g})" not in textbook
    low, high = found["change_icc"]["ICC(A,1)"]["ci"]
    assert f"({low:.3g} to {high:.3g})" in textbook
    for name in ("sdc95", "change_icc"):
        assert found["intervals"]["coverage"][name]["note"] in text
    assert "simulated studies" not in textbook


def test_clusters_have_their_own_intervals_alone(path, capsys):
    frame = pd.read_csv(path)
    frame.assign(patient=frame["subject"].str[:3]).to_csv(path, index=False)
    assert json.loads(said(capsys, path, "--json", "--cluster", "patient"))["intervals"] is None
