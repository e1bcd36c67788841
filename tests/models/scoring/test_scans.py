"""Runs of a model that reads ultrasound scans: the highest grade of a joint counts, diagnoses lie apart."""

import json

import pandas as pd
import pytest

from core.domain import HELD_BACK, Role, Viewer
from data.queries.cohort import films_for
from data.queries.diagnosis.chances import chances_of_patient, count_by_task
from data.scoring.filing import pending_films
from data.scoring.together import count_offered
from data.study.held_films import release
from data.verify import verify
from models.scoring.run import identify, score_cohort
from tests.helpers.stack_cohort import fill, replace_images
from tests.helpers.toy_scans import TOY, make, scan


def score(store, **options):
    return score_cohort(store, "synovitis", processes=1, model=TOY, **options)


def site_scores(store):
    rows = store.query("SELECT site, grade, reason, image FROM main.site_score WHERE superseded_by IS NULL")
    return {
        row.site: (None if pd.isna(row.grade) else int(row.grade), row.image) for row in rows.itertuples()
    }


@pytest.fixture
def cohort(tmp_path):
    """A visit with three scans of one joint in two modes, and another joint."""
    return make(
        tmp_path / "c.duckdb",
        scan("a1"),
        scan("b2"),
        scan("c3", mode="PD"),
        scan("d0", joint="WR", laterality="L"),
    )


def test_highest_grade_of_a_joint_counts_and_the_others_are_kept(cohort):
    steps = []
    report = score(cohort, tell=steps.append)
    assert (report.images, report.scored, report.abstained) == (4, 4, [])
    assert [step.image for step in steps] == ["a1", "b2", "c3", "d0"]
    assert site_scores(cohort) == {
        "R.MCP2.GS": (2, "b2"), "R.MCP2.PD": (3, "c3"), "L.WR.GS": (0, "d0"),
    }  # fmt: skip
    kept = cohort.query("SELECT image, site, grade FROM main.finding ORDER BY image")
    assert kept["grade"].tolist() == [1, 2, 3, 0]
    total = cohort.query("SELECT * FROM main.site_score WHERE feature = 'combined'")
    assert total.empty  # it comes from the table of the score, never from a model
    assert cohort.query("SELECT description FROM main.campaign")["description"].tolist() == [
        "reads of the scoring model, the scans of a visit together"
    ]
    assert verify(cohort).broken == []


def test_a_lower_grade_that_comes_later_changes_nothing_and_a_second_run_has_nothing_to_do(cohort):
    score(cohort)
    fill(cohort, scan("e0"))
    assert score(cohort).images == 5  # the visit is read anew as a whole
    assert site_scores(cohort)["R.MCP2.GS"] == (2, "b2")
    version = cohort.version()
    assert score(cohort).images == 0
    assert cohort.version() == version


def test_a_joint_that_is_stated_later_is_read_then(tmp_path):
    store = make(tmp_path / "c.duckdb", scan("a1"), scan("b3", joint=None))
    report = score(store)
    assert report.abstained == [{"image": "b3", "reason": "which joint it shows is not known"}]
    replace_images(store, ["b3"], joint="PIP2")
    assert score(store).scored == 2
    assert site_scores(store) == {"R.MCP2.GS": (1, "a1"), "R.PIP2.GS": (3, "b3")}
    replace_images(store, ["b3"], joint="PIP3")
    score(store)
    assert site_scores(store) == {"R.MCP2.GS": (1, "a1"), "R.PIP3.GS": (3, "b3")}


def test_a_site_that_could_not_be_graded_says_why_unless_another_scan_shows_it(tmp_path):
    store = make(
        tmp_path / "c.duckdb", scan("odd1"), scan("odd2", joint="WR"), scan("a0"), scan("broken1", None, None)
    )
    report = score(store)
    assert sorted(row["image"] for row in report.abstained) == ["broken1", "odd1", "odd2"]
    assert site_scores(store) == {"R.MCP2.GS": (0, "a0"), "R.WR.GS": (None, "odd2")}
    why = store.query("SELECT reason FROM main.site_score WHERE image = 'odd2'")["reason"][0]
    assert why == "the model abstained: unlike the scans that the model knows"
    assert [row["reason"][:24] for row in report.abstained if row["image"] == "broken1"] == [
        "the scan cannot be read:"
    ]


def test_a_cine_names_its_frame(tmp_path):
    store = make(tmp_path / "c.duckdb", scan("cine2", frame_count=1))
    score(store)
    geometry = store.query("SELECT geometry FROM main.finding")["geometry"][0]
    assert json.loads(geometry) == {"frame": 0}


def test_chances_of_diagnoses_lie_apart_and_readers_see_none(cohort):
    score(cohort)
    found = chances_of_patient(cohort, Viewer(), "P1")
    assert found[["image", "joint", "side", "mode", "task", "probability"]].values.tolist() == [
        ["a1", "MCP2", "R", "B", "ra_v_spa", 0.25], ["b2", "MCP2", "R", "B", "ra_v_spa", 0.5],
        ["c3", "MCP2", "R", "PD", "ra_v_spa", 0.75], ["d0", "WR", "L", "B", "ra_v_spa", 0.0],
    ]  # fmt: skip
    counted = count_by_task(cohort, Viewer())
    assert counted[["reader", "task", "images", "patients"]].values.tolist() == [
        ["model:toy-scans", "ra_v_spa", 4, 1]
    ]
    reader = Viewer(Role.READER, "R1")
    assert chances_of_patient(cohort, reader, "P1").empty and count_by_task(cohort, reader).empty
    fill(cohort, scan("e2"))
    score(cohort)
    assert len(chances_of_patient(cohort, Viewer(), "P1")) == 5  # read anew, not twice
    scores = cohort.query("SELECT * FROM main.site_score")
    assert not scores.astype(str).apply(lambda column: column.str.contains("ra_v_spa")).any().any()


def test_scans_are_no_films_and_films_no_scans(cohort):
    film = scan("film1", modality="DX", joint=None, mode=None)
    fill(cohort, film)
    assert score(cohort).images == 4
    waiting = pending_films(cohort, identify(TOY, "demo"))
    assert waiting["image"].tolist() == ["film1"]
    assert films_for(cohort, Viewer(), "any", ())["films"].tolist() == [1]
    row = count_offered(cohort, Viewer(), "synovitis", TOY.offers).iloc[0]
    assert row.tolist() == [4, 4, 0]


def test_a_scan_that_is_held_back_waits_for_a_person(tmp_path):
    store = make(tmp_path / "c.duckdb", scan("a1"), scan("b3", held="text in the picture"))
    report = score(store)
    assert [row["image"] for row in report.abstained] == ["b3"]
    assert report.abstained[0]["reason"].startswith(HELD_BACK)
    assert site_scores(store) == {"R.MCP2.GS": (1, "a1")}
    assert score(store).images == 0  # until it is released
    assert count_offered(store, Viewer(), "synovitis", TOY.offers).iloc[0].tolist() == [2, 2, 1]
    release(store, ["b3"], reason="a number only", actor="ann")
    score(store)
    assert site_scores(store) == {"R.MCP2.GS": (3, "b3")}
