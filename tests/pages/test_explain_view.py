"""Why this grade: the map of a finding on a button, with the verdict on such maps, made once."""

import base64
from types import SimpleNamespace

import pytest

from pages.common.patient import heat_map
from pages.common.patient.heat_map import Asked, Maps, verdicts

PAGE = "pages/2_Patient.py"
FAILED = "the maps of this network FAILED their tests: a network with random weights gives a similar map"
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class FakeBoard:
    """Keeps what it was asked to run; every command has ended at once."""

    def __init__(self, status=0):
        self.asked, self.status = [], status

    def start(self, title, cohort, arguments):
        self.asked.append(arguments)
        out = arguments[arguments.index("--out") + 1]
        with open(out, "wb") as file:
            file.write(DOT)
        result = {"path": out, "headline": "C5 inferior: grade 3", "passed": False, "verdicts": [FAILED]}
        result["notes"] = ["with the patient's films compared side by side: grade 2"]
        return SimpleNamespace(
            is_running=False,
            status=self.status,
            result=result,
            complaint="the weights are damaged",
            began=0.0,
        )


@pytest.fixture
def made(monkeypatch):
    found = Maps(board=FakeBoard())
    monkeypatch.setattr(heat_map, "maps", lambda: found)
    return found


def why_buttons(at):
    return [button for button in at.button if str(button.key).startswith("why_grade_")]


def test_the_map_of_the_site_in_view_is_shown_with_its_verdict_and_made_once(open_app, made):
    at = open_app(PAGE, section="From total to pixels", patient="P4", site="C5I")
    (button,) = why_buttons(at)
    assert button.label == "Why this grade? (film alone)"
    button.click().run()
    assert not at.exception
    (asked,) = made.board.asked
    assert asked[:7] == ["explain", "--image", asked[2], "--site", "C5I", "--system", "msasss"]
    assert asked[2].startswith("00p4w1")  # the film of the total in view, W104
    assert list(made.pictures.values()) == [DOT]  # read to be shown
    said = next(one.value for one in at.markdown if "those of this film alone" in one.value)
    assert said.endswith("With the patient's films compared side by side: grade 2.")
    assert any(one.value.startswith(":red[The maps of this network FAILED") for one in at.markdown)
    why_buttons(at)[0].click().run()
    assert len(made.board.asked) == 1


def test_a_command_that_fails_says_why_and_is_tried_again(open_app, made):
    made.board.status = 3
    at = open_app(PAGE, section="From total to pixels", patient="P4", site="C5I")
    why_buttons(at)[0].click().run()
    assert any("the weights are damaged" in one.value for one in at.error)
    why_buttons(at)[0].click().run()
    assert len(made.board.asked) == 2


def test_a_blinded_reader_has_no_button(open_app, made):
    at = open_app(PAGE, viewer="reader:R1", patient="P4", site="C5I")
    assert not why_buttons(at)


def test_other_weights_are_another_map(made):
    for weights_hash in ("a", "b", "a"):
        made.job(Asked("c.duckdb", "film", "mtss", "LH.J.MCP2", "ankylosis", weights_hash))
    assert len(made.board.asked) == 2
    assert made.board.asked[0][-4:-2] == ["--feature", "ankylosis"]


def test_only_a_map_that_passed_is_told_as_good():
    assert verdicts({"passed": True, "verdicts": ["fine"]}) == [("fine", True)]
    assert verdicts({"passed": False, "verdicts": ["fine", "not"]}) == [("fine", False), ("not", False)]
    assert not verdicts({})
