"""``sharpline study``: blinding and margins, with who, when and why."""

import json

import pandas as pd
import pytest

from core.cli import main
from data.store.cohort import CohortStore
from data.study.settings import margins
from data.verify import verify


@pytest.fixture
def cohort(tmp_path):
    path = tmp_path / "c.duckdb"
    with CohortStore.open(path).write("test", "readers") as tx:
        readers = pd.DataFrame({"reader": ["R1", "M"], "kind": ["human", "model"]})
        tx.insert("reader", readers)
        tx.insert("site_score", _grades("R1"))
    return path


def _grades(reader):
    return pd.DataFrame(
        {"subject": ["P1"], "visit": ["BL"], "system": ["msasss"], "site": ["C5I"], "feature": ["corner"],
         "reader": [reader], "campaign": ["main"], "read": [1], "grade": [1]}
    )  # fmt: skip


def model_scores(path):
    with CohortStore(path).write("test", "score") as tx:
        tx.insert("site_score", _grades("M"))


def run(capsys, cohort, *arguments):
    with pytest.raises(SystemExit) as end:
        main(["--cohort", str(cohort), "study", *arguments])
    out, err = capsys.readouterr()
    return end.value.code, out, err


def test_margin_is_kept_with_who_and_when(capsys, cohort, monkeypatch):
    monkeypatch.setenv("SHARPLINE_ACTOR", "chair")
    status, out, _ = run(capsys, cohort, "--margin", "msasss=4.5", "--json")
    margin = json.loads(out)["margins"]["msasss"]
    assert (status, margin["value"], margin["unit"], margin["set_by"]) == (0, 4.5, "mSASSS²", "chair")
    assert margin["preset"] and margin["model_grades_then"] == 0
    last = CohortStore(cohort).query("SELECT happened_at, actor FROM event ORDER BY event DESC LIMIT 1")
    assert margin["set_at"] == last["happened_at"][0].to_pydatetime().isoformat()
    assert verify(CohortStore(cohort)).broken == []


def test_margin_after_a_model_scored_needs_a_reason(capsys, cohort):
    model_scores(cohort)
    status, _, err = run(capsys, cohort, "--margin", "msasss=4")
    assert status == 2 and "models have given 1 grades already" in err and "--reason" in err
    assert margins(CohortStore(cohort), "msasss") == []
    status, out, _ = run(capsys, cohort, "--margin", "msasss=4", "--reason", "protocol 3", "--json")
    margin = json.loads(out)["margins"]["msasss"]
    assert status == 0 and not margin["preset"]
    assert (margin["reason"], margin["model_grades_then"]) == ("protocol 3", 1)


def test_a_preset_margin_said_again_stays_preset(capsys, cohort):
    run(capsys, cohort, "--margin", "msasss=4")
    model_scores(cohort)
    status, out, _ = run(capsys, cohort, "--margin", "msasss=4", "--json")
    result = json.loads(out)
    assert status == 0 and result["changed"] == {} and result["margins"]["msasss"]["preset"]


def test_every_margin_stays_in_the_trail(capsys, cohort):
    run(capsys, cohort, "--margin", "msasss=4")
    run(capsys, cohort, "--margin", "msasss=none", "--reason", "wrong unit")
    run(capsys, cohort, "--margin", "msasss=9")
    assert [margin.value for margin in margins(CohortStore(cohort), "msasss")] == [4.0, None, 9.0]
    assert margins(CohortStore(cohort), "mtss") == []


@pytest.mark.parametrize("text", ["msasss", "msasss=", "msasss=-1", "msasss=0", "msasss=nan", "msasss=inf"])
def test_margin_must_be_a_number_above_0(capsys, cohort, text):
    status, _, err = run(capsys, cohort, "--margin", text)
    assert status == 2 and err.count("\n") == 1 and "above 0" in err


def test_unknown_system_is_named(capsys, cohort):
    status, _, err = run(capsys, cohort, "--margin", "pasi=1")
    assert status == 2 and "pasi" in err


def test_unblinding_needs_a_reason_and_is_kept(capsys, cohort):
    status, _, err = run(capsys, cohort, "--unblind")
    assert status == 2 and "--reason" in err and CohortStore(cohort).is_blinded
    status, out, _ = run(capsys, cohort, "--unblind", "--reason", "database locked", "--json")
    assert status == 0 and json.loads(out)["changed"] == {"blinded": {"before": "true", "after": "false"}}
    assert not CohortStore(cohort).is_blinded
    reason = CohortStore(cohort).query("SELECT reason FROM event ORDER BY event DESC LIMIT 1")["reason"][0]
    assert reason == "database locked"


def test_a_name_is_kept_and_changes_with_its_trail(capsys, cohort):
    status, out, _ = run(capsys, cohort, "--name", "  AXIS-2,\n spine films ", "--json")
    assert status == 0 and json.loads(out)["name"] == "AXIS-2, spine films"
    _, out, _ = run(capsys, cohort, "--name", "AXIS-3", "--json")
    assert json.loads(out)["changed"] == {"study": {"before": "AXIS-2, spine films", "after": "AXIS-3"}}
    assert verify(CohortStore(cohort)).broken == []


@pytest.mark.parametrize("text", ["", "   ", "x" * 101])
def test_a_name_must_be_short_and_not_empty(capsys, cohort, text):
    status, _, err = run(capsys, cohort, "--name", text)
    assert status == 2 and err.count("\n") == 1 and "1 to 100" in err


def test_without_options_nothing_is_written(capsys, cohort):
    before = CohortStore(cohort).version()
    status, out, _ = run(capsys, cohort)
    assert status == 0 and "hidden" in out and "no verdict" in out
    assert CohortStore(cohort).version() == before


def test_looks_and_frozen_sets_are_told(capsys, cohort):
    from data.study.frozen_analyses import freeze
    from data.study.unblinded_looks import record_look

    run(capsys, cohort, "--unblind", "--reason", "database locked")
    store = CohortStore(cohort)
    for session in ("s1", "s1", "s2"):
        record_look(store, actor="ada", session=session, settings={"from": "BL"})
    freeze(store, "primary", actor="ada", reason="plan 2.1", system="msasss", version=store.version(),
           settings={}, results={"n": 1})  # fmt: skip
    status, out, _ = run(capsys, cohort, "--json")
    said = json.loads(out)
    assert (status, said["looks_at_arms"], said["sessions_that_looked"]) == (0, 2, 2)
    assert [(one["name"], one["intact"], one["reason"]) for one in said["frozen"]] == [
        ("primary", True, "plan 2.1")
    ]
    _, text, _ = run(capsys, cohort)
    assert "looks at results by arm: 2, in 2 sessions" in text
    assert "frozen: primary, cohort version" in text
