"""The evaluation of any model: what is scored, what counts, what is refused, what a folder says of itself."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.domain import Abstained, Finding, Image, Scored, ScoredPaired
from core.errors import InputError
from core.scores.msasss import MSASSS
from core.scores.sparcc import SPARCC
from models.evaluation import report, run
from models.evaluation.agreement import MODEL, PAIRED, TRUTH, grade_tables
from models.evaluation.run import (
    Evaluation,
    Outcome,
    abstention,
    evaluate,
    grades_of,
    model_to_evaluate,
    read_patients,
    set_figures,
)
from models.evaluation.test_set import TestImage, TestSet, is_real, phantom_folder

SITES = [site.code for site in MSASSS.sites]


def image(subject, visit="BL", *, is_wrong=False, sites=None, hidden=()):
    name = f"{subject}_{visit}{'-wrong' if is_wrong else ''}"
    return TestImage(None, name, subject, visit, "good", is_wrong, sites, frozenset(hidden))


def scored(grade, sites=SITES):
    return Scored(tuple(Finding(site, "corner", grade, (1.0,), 1.0, None) for site in sites))


def truth(subjects, grade=1, visits=("BL",)):
    rows = [(one, visit, site, grade) for one in subjects for visit in visits for site in SITES]
    return pd.DataFrame(rows, columns=["subject", "visit", "site", "grade"])


def test_only_labelled_sites_of_images_to_be_scored_count():
    images = [image("A", sites=frozenset(SITES[:3]), hidden=SITES[:1]), image("A", is_wrong=True)]
    rows = grades_of(images, [scored(1), scored(2)], MODEL)
    assert rows["site"].tolist() == SITES[:3]
    assert rows["visible"].tolist() == [False, True, True]
    assert len(grades_of(images[:1], [Abstained("blurred")], MODEL)) == 0


def test_abstention_is_counted_on_good_and_on_wrong_images():
    images = [image(subject, is_wrong=subject in "DE") for subject in "ABCDE"]
    results = [Abstained("blurred"), scored(1), scored(1), Abstained("another view"), scored(1)]
    found = abstention(images, results, draws=20)
    assert (found["good"], found["wrong"]) == (3, 2)
    assert found["good_abstained"]["estimate"] == pytest.approx(1 / 3)
    assert found["wrong_abstained"]["estimate"] == pytest.approx(1 / 2)
    assert [row["reason"] for row in found["images"]] == ["blurred", "another view"]
    assert [row["is_wrong"] for row in found["images"]] == [False, True]


class Lower:
    """Reads a patient's images side by side: each grade one lower."""

    def read(self, films):
        assert len(films) == 2  # those of one patient
        return ScoredPaired(
            tuple(one if isinstance(one, Abstained) else scored(one.findings[0].grade - 1) for one in films)
        )


def test_images_of_a_patient_are_read_side_by_side_in_the_order_given():
    images = [image("A"), image("B"), image("A", "W104"), image("B", "W104")]
    results = [scored(2), scored(3), Abstained("blurred"), scored(1)]
    read = read_patients(images, results, Lower())
    assert [one.findings[0].grade if isinstance(one, Scored) else one.reason for one in read] == [
        1, 2, "blurred", 0,
    ]  # fmt: skip


def test_a_set_has_the_shape_of_the_contract_and_readers_beside_the_model():
    visits = ("BL", "W104")
    images = [image(subject, visit) for subject in "AB" for visit in visits]
    reads = truth("AB", 2, visits).assign(reader="R1")
    one = TestSet("folder", images, truth("AB", 1, visits), reads, real=True)
    found = set_figures(MSASSS, one, [Outcome(scored(2)) for _ in images], Lower(), draws=20)
    assert list(found) == [
        "set", "domain", "real", "patients", "images", "abstention", "status", "change", "grades",
        "site_change", "sdc_readers", "sections",
    ]  # fmt: skip
    assert (found["patients"], found["images"], found["real"]) == (2, 4, True)
    assert list(found["status"]) == ["total", "cervical", "lumbar"]
    total = found["status"]["total"]
    assert list(total) == [MODEL, PAIRED, "R1"]
    assert total[MODEL]["bias"]["estimate"] == 24
    assert total[PAIRED]["mean_absolute_error"]["estimate"] == 0
    assert found["grades"]["corner"]["R1"]["exact"]["estimate"] == 0
    assert found["change"]["total"]["R1"]["unchanged"] == 2
    assert found["site_change"][MODEL]["unchanged"] == 48
    json.dumps(found)


def test_a_set_of_one_visit_has_no_change():
    one = TestSet("folder", [image("A"), image("B")], truth("AB"), pd.DataFrame())
    found = set_figures(MSASSS, one, [Outcome(scored(1))] * 2, draws=20)
    assert found["change"] == found["site_change"] == found["sdc_readers"] == {}
    assert found["real"] is None


def test_a_model_is_found_by_any_name_and_its_weights_are_named(monkeypatch):
    model, about = model_to_evaluate("svdh")
    assert model.system == "mtss"
    with pytest.raises(
        InputError, match="msasss and mtss and sparcc and stir and synovitis and diagnosis can"
    ):
        model_to_evaluate("gout")

    class Ones:
        def score(self, films):
            return [scored(1) for _ in films]

    class Label:
        def as_film(self):
            return Image("x", np.zeros((2, 2)), None)

    model, about = model_to_evaluate("msasss")
    monkeypatch.setattr(type(model), "build", lambda self, **how: Ones())
    monkeypatch.setattr(type(model.paired), "identify", lambda self, size: None)
    plain = type(about)(about.render, about.read_folder, draws=20)
    images = [TestImage(Label(), name, name, "BL") for name in "AB"]
    found = evaluate(model, plain, [TestSet("s", images, truth("AB"), pd.DataFrame())], processes=1)
    assert (found["system"], found["size"], len(found["weights"])) == ("msasss", "demo", 64)
    (one,) = found["sets"]
    assert one["status"]["total"][MODEL]["mean_absolute_error"]["estimate"] == 0
    assert PAIRED not in one["status"]["total"]


def test_grades_that_are_not_chosen_are_not_compared():
    one = TestSet("folder", [image("A"), image("B")], truth("AB"), pd.DataFrame())
    outcomes = [Outcome(scored(1)), Outcome(scored(2))]
    every = set_figures(MSASSS, one, outcomes, draws=20)
    chosen = set_figures(
        MSASSS, one, outcomes, draws=20, chosen=lambda grades: grades[grades["subject"] == "A"],
        sections=lambda images, seen, grades: {"rows": len(grades)},
    )  # fmt: skip
    assert every["status"]["total"][MODEL]["n"] == 2
    assert chosen["status"]["total"][MODEL]["n"] == 1
    assert chosen["images"] == 2
    assert chosen["sections"]["rows"] == 4 * len(SITES), "sections see all of them"


def test_stored_sets_come_before_those_that_are_scored_now(monkeypatch):
    model, _ = model_to_evaluate("msasss")
    about = Evaluation(None, None, stored=lambda size: [{"set": f"folds of {size}"}], has_grades=False,
                       reader="tests.models.evaluation.test_run:plain_detector", look=look_at)  # fmt: skip
    one = TestSet("s", [TestImage("good", "good", "A", "BL")], pd.DataFrame(), pd.DataFrame())
    found = evaluate(model, about, [one], processes=1, with_stored=True)
    assert [each["set"] for each in found["sets"]] == ["folds of demo", "s"]
    found = evaluate(model, about, [one], processes=1)
    assert [each["set"] for each in found["sets"]] == ["s"]


def plain_detector(size):
    return f"detector of size {size}"


def look_at(detector, label):
    return Outcome(Abstained("blurred") if label == "bad" else scored(0), detector)


def of_detector(images, outcomes, grades):
    return {"seen": [outcome.seen for outcome in outcomes], "grades": len(grades)}


DETECTION = Evaluation(
    None, None, look_at, of_detector, name="detection", title="A detector", item="stack",
    reader="tests.models.evaluation.test_run:plain_detector", has_grades=False, draws=20,
    summary=lambda sections: {"many": len(sections["seen"])},
)  # fmt: skip


@pytest.fixture
def detection(monkeypatch):
    """The first model with a second evaluation, of a part of it."""
    from models.registry import models

    known = dict(models())
    path = "tests.models.evaluation.test_run:DETECTION"
    known["msasss"] = replace(known["msasss"], evaluations={"detection": path})
    monkeypatch.setattr(run, "models", lambda: known)
    images = [TestImage(label, label, "A", "BL") for label in ("good", "bad")]
    model, about = model_to_evaluate("detection")
    return evaluate(model, about, [TestSet("s", images, pd.DataFrame(), pd.DataFrame())], processes=1)


def test_a_part_of_a_model_is_evaluated_under_its_own_name(detection):
    assert (detection["system"], len(detection["weights"])) == ("detection", 64)
    (one,) = detection["sets"]
    assert one["status"] == one["change"] == one["grades"] == {}
    assert one["sections"] == {"seen": ["detector of size demo"] * 2, "grades": 0}
    assert one["abstention"]["good_abstained"]["estimate"] == 0.5
    with pytest.raises(InputError, match="msasss and detection and mtss"):
        model_to_evaluate("gout")


def test_a_part_has_its_own_title_tables_and_entries_on_the_card(detection):
    text = report.as_text(detection)
    assert text.startswith("A detector, size demo")
    assert "1 patient, 2 stacks" in text and "Abstained on 1 of 2 stacks to be scored" in text
    assert "Totals against the truth" not in text
    card = {"evaluation": {"first domain": {"domain": "first"}, "detection: old": {"domain": ""}, "real": {}}}
    joined = report.joined_card(card, detection)
    assert list(joined) == ["first domain", "real", "detection: s"]
    assert joined["detection: s"]["many"] == 2


def test_grades_are_compared_by_feature_where_a_block_holds_several():
    rows = pd.DataFrame(
        [
            ("A", "BL", reader, site.code, site.feature, 0)
            for site in SPARCC.sites
            for reader in (TRUTH, "R1")
        ],
        columns=["subject", "visit", "reader", "site", "feature", "grade"],
    )
    found = grade_tables(rows, SPARCC, draws=0)
    assert {name: row["R1"]["n"] for name, row in found.items()} == {
        "oedema": 276, "intensity": 69, "depth": 69,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"info": {"phantom": True}}, False),
        ({"info": {"phantom": False}}, True),
        ({"info": {"description": "films"}}, None),
        ([], None),
    ],
)
def test_a_folder_says_itself_whether_its_images_are_real(tmp_path, content, expected):
    (tmp_path / "annotations.json").write_text(json.dumps(content))
    assert is_real(tmp_path) is expected


def test_rendered_images_are_kept_under_the_sources_that_shape_them():
    one, other = (phantom_folder("msasss", domain, 31) for domain in ("first", "second"))
    assert one.name.startswith("sharpline-msasss-test-first-31-")
    assert one != other and one == phantom_folder("msasss", "first", 31)
