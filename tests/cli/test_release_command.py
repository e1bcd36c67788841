"""``sharpline release``: lists what is held back, and releases it."""

import json

import pytest

from core.cli import main
from tests.helpers.small_films import save, trial_film


@pytest.fixture
def run(tmp_path, capsys):
    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["--cohort", str(tmp_path / "c.duckdb"), *map(str, arguments)])
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    save(trial_film(7, "S1", "BL", BurnedInAnnotation="YES"), tmp_path / "delivery" / "a.dcm")
    assert "Held back until released" in call("ingest", tmp_path / "delivery", "--workers", 0)[1]
    return call


def test_held_films_are_listed_and_released(run):
    status, out, _ = run("release", "--json")
    (row,) = json.loads(out)["held"]
    assert (status, row["subject"], row["visit"]) == (0, "S1", "BL")
    assert row["image"][:12] in run("release")[1]
    status, out, _ = run("release", row["image"][:8], "--reason", "only a room number", "--json")
    assert (status, json.loads(out)) == (0, {"released": [row["image"]], "held": []})


def test_a_release_without_a_reason_is_one_line_and_status_2(run):
    image = json.loads(run("release", "--json")[1])["held"][0]["image"]
    status, _, err = run("release", image)
    assert status == 2
    assert err.startswith("sharpline: a release without a reason")
    assert len(err.splitlines()) == 1
