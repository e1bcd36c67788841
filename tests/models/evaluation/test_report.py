"""An evaluation as page, as text and in short: what each shows of figures that are known."""

import json

import pandas as pd
import pytest
from click.testing import CliRunner

from core.domain import Abstained
from core.errors import InputError
from core.scores.msasss import MSASSS
from core.scores.mtss import MTSS
from models import cards
from models.evaluation import report
from models.evaluation.markdown import Table, counted, into_page, shown
from models.evaluation.run import Outcome, set_figures
from models.evaluation.test_set import TestSet
from models.msasss.evaluate import corners_found
from tests.helpers.paths import ROOT
from tests.models.evaluation.test_run import image, scored, truth

VISITS = ("BL", "W104")


@pytest.fixture(scope="module")
def result():
    images = [image(subject, visit) for subject in "ABC" for visit in VISITS] + [image("A", is_wrong=True)]
    outcomes = [Outcome(scored(2)) for _ in images[1:-1]]
    outcomes = [Outcome(Abstained("blurred")), *outcomes, Outcome(Abstained("another view"))]
    one = TestSet("first domain", images, truth("ABC", 1, VISITS), pd.DataFrame(), "first", real=False)

    found = set_figures(MSASSS, one, outcomes, draws=20)
    rows = pd.DataFrame({"subject": list("ABC"), "scored": True, "distance_mm": [1.0, 1.0, 9.0]})
    found["sections"] = {"corners": corners_found(rows, draws=20)}
    return {"system": "msasss", "size": "demo", "weights": "0" * 64, "sets": [found]}


def test_page_shows_the_figures_and_their_intervals(result):
    page = report.as_page(result)
    assert "### First domain: 3 patients, 7 images (phantom images, research only)" in page
    assert "Abstained on 1 of 6 images to be scored, 16.7% " in page
    assert "Abstained on 1 of 1 image to be refused, 100.0% (20.7 to 100.0): 1 x another view." in page
    assert "| corner grade | model, single | 120 |" in page
    assert "| 0.0% (0.0 to 56.1) | 100.0% (43.9 to 100.0) |" in page
    assert "| 1 erosion, sclerosis or squaring | model, single | 120 | 0.0% (0.0 to 56.1) |" in page
    assert "| cervical spine | model, single |" in page
    assert "n (truly unchanged)" in page and "change in the same direction" not in page  # nothing changed
    assert "| 3 visible corners | found within 3 mm, correctly named |" in page


def test_text_for_a_terminal_has_the_same_figures_in_columns(result):
    text = report.as_text(result)
    assert text.startswith("mSASSS model, size demo, weights 000000000000.")
    assert "First domain: 3 patients" in text and "#" not in text and "|" not in text
    assert any(line.split()[:3] == ["total", "model,", "single"] for line in text.splitlines())


def test_card_gets_totals_and_counts_without_lists_of_images(result):
    short = report.summary(result)["first domain"]
    assert list(short) == ["domain", "patients", "images", "abstention", "status", "change"]
    assert short["abstention"]["wrong_abstained"] == [1.0, 0.2065, 1.0]
    assert "images" not in short["abstention"]
    assert short["status"]["model"]["mean_absolute_error"][0] == 24
    assert short["change"]["model"]["unchanged"] == 2


def test_evaluation_is_written_into_page_and_card(result, tmp_path, monkeypatch):
    monkeypatch.setattr(cards, "FOLDER", tmp_path)
    cards.write_card({"networks": {}}, "msasss", "demo", tmp_path)
    monkeypatch.setattr(cards, "read_card", lambda *which: {"networks": {}})
    (tmp_path / "evaluation.json").write_text(json.dumps(result))
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- evaluation -->\nold\n<!-- /evaluation -->\nafter\n")
    done = CliRunner().invoke(report.main, [str(tmp_path / "evaluation.json"), "--page", str(page)])
    assert done.exit_code == 0, done.output
    lines = page.read_text().splitlines()
    assert (lines[0], lines[-1], "old" in lines) == ("before", "after", False)
    card = json.loads((tmp_path / "msasss-demo.json").read_text())
    assert card["evaluation"] == report.summary(result)


def test_results_with_and_without_a_folder_are_one_page(result):
    other = result | {"sets": [result["sets"][0] | {"set": "folder"}]}
    joined = report.joined_results([result, other])
    assert [one["set"] for one in joined["sets"]] == ["first domain", "folder"]
    with pytest.raises(InputError, match="evaluate again with the same weights"):
        report.joined_results([result, other | {"weights": "1" * 64}])


def test_page_keeps_what_stands_around_the_tables():
    page = "before\n<!-- evaluation -->\nold\n<!-- /evaluation -->\nafter\n"
    assert into_page(page, "evaluation", "new") == page.replace("old", "new")
    with pytest.raises(InputError, match="<!-- tests -->"):
        into_page(page, "tests", "new")


def test_estimates_and_counts_in_words():
    assert shown(None) == "-"
    assert shown({"estimate": None, "ci": [None, None]}) == "-"
    assert shown({"estimate": 0.5, "ci": [None, None]}, 2) == "0.50"
    assert shown({"estimate": 0.5, "ci": [0.25, 0.75]}) == "0.500 (0.250 to 0.750)"
    assert shown({"estimate": 0.5, "ci": [0.25, 0.75]}, percent=True) == "50.0% (25.0 to 75.0)"
    assert (counted(1, "image"), counted(2, "image")) == ("1 image", "2 images")
    assert report.part_name("hand jsn", MTSS) == "hand joint space narrowing"
    assert report.part_name("jsn", MTSS) == "joint space narrowing"


def test_columns_without_a_value_are_left_out_and_long_tables_are_folded():
    made = Table("Title", ("a", "b", "c"), [("1", "-", "x"), ("2", "-; -", "-")])
    assert made.markdown() == "Title\n\n| a | c |\n|---|---|\n| 1 | x |\n| 2 | - |"
    assert made.text() == "Title\n  a  c\n  1  x\n  2  -"
    assert Table("T", ("a",), [("1",)], is_long=True).markdown().startswith("<details><summary>T</summary>")


@pytest.mark.parametrize("system", ["msasss", "mtss"])
def test_shipped_card_and_page_tell_the_same(system):
    """The totals that the card keeps of the evaluation stand in the page's table."""
    page = (ROOT / "docs" / f"{system}-model.md").read_text(encoding="utf-8")
    for one in cards.read_card(system, "demo")["evaluation"].values():
        for reader, row in one["status"].items():
            start = f"| total | {report.reader_name(reader)} | {row['n']} | "
            shown_ = [float(part.split(" ")[0]) for part in page.split(start)[1:]]
            assert any(value == pytest.approx(row["icc_a1"][0], abs=6e-4) for value in shown_), start
