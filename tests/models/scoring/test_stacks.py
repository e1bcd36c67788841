"""Runs of a model that reads stacks: which it is offered, what it writes, and when it reads a visit anew."""

import json
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from core.domain import HELD_BACK, Viewer
from data.dicom.previews import preview_path, write_preview
from data.queries.outlines import outlines
from data.scoring.together import count_offered, pending
from data.store.cohort import CohortStore
from data.study.held_films import release
from data.verify import verify
from models.scoring.run import identify, score_cohort
from tests.helpers.paths import ROOT
from tests.helpers.stack_cohort import AXIAL, PLACES, TOY, fill, make, replace_images, slices

TABLES = (
    "run", "reader", "campaign", "finding", "unscorable", "outline", "stack_slice", "site_score", "total",
)  # fmt: skip


def score(store, processes=1, **options):
    return score_cohort(store, "sparcc", processes=processes, model=TOY, **options)


def current(store, table):
    where = "" if table == "total" else "WHERE superseded_by IS NULL"
    frame = store.query(f"SELECT * FROM main.{table} {where}").drop(columns="event", errors="ignore")
    return frame.sort_values(list(frame.columns[:6])).reset_index(drop=True).astype(str)


def assert_same(one, other):
    for table in TABLES:
        pd.testing.assert_frame_equal(current(one, table), current(other, table))


def reasons(report):
    return {row["stack"]: row["reason"] for row in report.abstained}


@pytest.fixture
def cohort(tmp_path):
    """Two patients with a visit each."""
    return make(tmp_path / "c.duckdb", ("P1", "P2"), ("BL",))


@pytest.fixture
def small(tmp_path):
    """One visit with one stack."""
    return make(tmp_path / "s.duckdb", ("P1",), ("BL",))


def test_stacks_are_scored_and_films_and_other_sequences_left_alone(cohort):
    steps = []
    report = score(cohort, tell=steps.append)
    assert (report.images, report.scored, report.abstained) == (4, 4, [])
    assert [step.done for step in steps] == [1, 2, 3, 4]
    images = set(cohort.query("SELECT DISTINCT image FROM main.stack_slice")["image"])
    assert len(images) == 4 * len(PLACES)
    assert not [name for name in images if name.startswith(("t1", "film"))]
    how = cohort.query("SELECT description FROM main.campaign")["description"].tolist()
    assert how == ["reads of the scoring model, the stacks of a visit together"]
    assert verify(cohort).broken == []


def test_a_finding_belongs_to_its_slice_and_says_what_was_measured(cohort):
    score(cohort)
    rows = cohort.query("SELECT * FROM main.finding WHERE site = 'T12L1.s1.UA' AND image LIKE '%P1-BL%'")
    assert rows["image"].tolist() == ["lumbar-P1-BL:-3.5"]
    assert json.loads(rows["geometry"][0]) == {
        "polygon": [[0, 0], [1, 0], [1, 1]], "frame": 0, "rule": "toy", "value": float(rows["grade"][0]),
        "limit": 0.5, "unit": "mm2", "compared": {"body": "T12L1"},
    }  # fmt: skip
    drawn = outlines(cohort, Viewer(), ["lumbar-P1-BL:-7", "lumbar-P1-BL:7"])
    assert drawn["image"].tolist() == ["lumbar-P1-BL:-7", "lumbar-P1-BL:7"]


def test_site_scores_name_the_slice_and_why_there_is_no_grade(cohort):
    score(cohort)
    rows = cohort.query("SELECT * FROM main.site_score WHERE subject = 'P2'")
    assert len(rows) == 18 * (6 + 11)  # lumbar and thoracic units; no stack shows the neck
    graded = rows[rows["grade"].notna()]
    assert len(graded) == 4 * 18
    by_cut = graded.groupby(graded["site"].str.split(".").str[1])["image"].unique()
    assert {cut: sorted(name.split(":")[1] for name in names) for cut, names in by_cut.items()} == {
        "s1": ["-3.5", "-3.5"], "s2": ["0", "0"], "s3": ["3.5", "3.5"],
    }  # fmt: skip
    empty = rows[rows["grade"].isna()].assign(unit=rows["site"].str.split(".").str[0])
    why = empty.groupby("unit")["reason"].unique().map(list)
    assert why["L2L3"] == ["it is cut off"]
    assert why["L5S1"] == ["no stack of the visit shows it"]


def test_second_run_has_nothing_to_do(small):
    score(small)
    version = small.version()
    assert score(small).images == 0
    assert small.version() == version


def test_helper_processes_and_a_killed_run_end_in_the_same_rows(cohort, tmp_path, monkeypatch):
    """Killed after the first of two transactions; what is left is read by helper processes."""
    other = make(tmp_path / "other.duckdb", ("P1", "P2"), ("BL",))
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from data.store.cohort import CohortStore\nfrom tests.helpers.stack_cohort import TOY\n"
        "import models.scoring.together as runner\nrunner.BATCH_IMAGES = 1\n"
        "from models.scoring.run import score_cohort\n"
        f"score_cohort(CohortStore({str(other.path)!r}), 'sparcc', processes=1, model=TOY,"
        " tell=lambda s: (print(s.done, flush=True), sys.stdin.read() if s.done == 2 else None))\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert [run.stdout.readline().strip() for _ in range(2)] == ["1", "2"]
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert current(other, "site_score")["subject"].unique().tolist() == ["P1"]
    score(cohort)
    monkeypatch.setattr("models.scoring.together.FEW_VISITS", 0)
    assert score(other, processes=2).scored == 2
    assert_same(cohort, other)
    assert verify(other).broken == []


ODD = {
    "missing": ({"places": (-7.0, 0.0, 3.5, 7.0)}, "a slice is missing, at -3.5 mm"),
    "axial": ({"orientation": AXIAL}, "is axial, not sagittal"),
    "knee": ({"body_part": "knee"}, "shows the knee, not the spine"),
    "unknown": ({"sequence": None}, "its sequence is not known"),
    "unspaced": ({"spacing_row_mm": None}, "do not say how many millimetres"),
    "unplaced": ({"positions_mm": None}, "do not say where its slices lie"),
    "short": ({"places": (0.0, 3.5)}, "has 2 slices; 3 or more are needed"),
}
NOT_OFFERED = (
    {"sequence": "T1"}, {"sequence": "T2"}, {"modality": "CT"}, {"acquisition": '{"localiser": true}'},
)  # fmt: skip


def test_what_stands_against_a_stack_is_the_reason_to_abstain_on_it_alone(small):
    fill(small, *(slices(name, region="", **({"body_part": ""} | odd)) for name, (odd, _) in ODD.items()))
    report = score(small)
    assert report.scored == 2
    row = count_offered(small, Viewer(), "sparcc", TOY.offers).iloc[0]
    assert (row["films"], row["seen"], row["abstained"]) == (9, 9, 7)
    found = reasons(report)
    assert found.keys() == ODD.keys()
    assert [name for name, (_, words) in ODD.items() if words not in found[name]] == []
    rows = small.query("SELECT image FROM main.finding WHERE abstained IS NOT NULL")
    assert sorted(rows["image"].str.split(":").str[0]) == sorted(ODD)
    assert score(small).images == 0


def test_other_sequences_scouts_and_ct_are_not_offered(small):
    row = count_offered(small, Viewer(), "sparcc", TOY.offers).iloc[0]
    assert (row["films"], row["seen"], row["abstained"]) == (2, 0, 0)
    fill(small, *(slices(f"extra{number}", **columns) for number, columns in enumerate(NOT_OFFERED)))
    waiting = pending(small, identify(TOY, "demo"), TOY.offers)
    assert [one.name for visit in waiting for one in visit.offered] == ["lumbar-P1-BL", "thoracic-P1-BL"]


def test_one_that_cannot_be_read_or_breaks_the_scorer_costs_itself_alone(small):
    fill(small, slices("lost", region="cervical"), slices("broken", region="cervical"))
    preview_path(small.folder, "lost:0").unlink()
    report = score(small)
    assert report.scored == 2
    found = reasons(report)
    assert set(found) == {"lost", "broken"}
    assert all(reason.startswith("the stack cannot be read: ") for reason in found.values())
    rows = small.query("SELECT DISTINCT reason FROM main.site_score WHERE site LIKE 'C2C3%'")["reason"]
    assert rows[0].startswith("the model abstained: the stack cannot be read")


def test_a_stack_without_a_visit_is_read_alone_and_filed_once_it_has_one(small):
    fill(small, slices("stray", None, None, region="cervical"))
    assert score(small).scored == 3
    assert small.query("SELECT 1 FROM main.site_score WHERE site LIKE 'C%'").empty
    replace_images(small, [f"stray:{place:g}" for place in PLACES], subject="P9", visit="BL")
    assert score(small).images == 0
    filed = small.query("SELECT * FROM main.site_score WHERE subject = 'P9'")
    assert len(filed) == 6 * 18
    assert small.query("SELECT 1 FROM main.finding WHERE superseded_by IS NOT NULL").empty


def test_a_stack_that_joins_a_visit_is_read_with_the_others(small):
    score(small)
    fill(small, slices("second-lumbar"))
    report = score(small)
    assert (report.images, report.scored) == (3, 3)
    rows = small.query("SELECT * FROM main.site_score WHERE superseded_by IS NULL AND site LIKE 'L1L2%'")
    assert rows["image"].str.split(":").str[0].unique().tolist() == ["lumbar-P1-BL"]
    assert score(small).images == 0


def test_a_slice_that_is_held_back_stops_its_stack_until_it_is_released(small):
    fill(small, slices("neck", region="cervical", held=[None, None, None, None, "text in the pixels"]))
    report = score(small)
    assert report.scored == 2
    assert reasons(report)["neck"].startswith(f"{HELD_BACK}: text in the pixels of a slice of the series")
    assert score(small).images == 0
    release(small, ["neck:7"], reason="a number only", actor="ann")
    report = score(small)
    assert (report.images, report.scored, report.abstained) == (3, 3, [])
    rows = small.query(
        "SELECT abstained FROM main.finding WHERE superseded_by IS NULL AND image LIKE 'neck%'"
    )
    assert rows["abstained"].isna().all()
    assert len(rows) == 2 * 18


def test_a_series_that_is_held_back_as_a_whole_is_abstained_on(small):
    fill(small, slices("neck", region="cervical", held="text in the pixels"))
    report = score(small)
    assert reasons(report)["neck"].startswith(f"{HELD_BACK}: text in the pixels of 5 slices of the series")
    release(small, [f"neck:{place:g}" for place in PLACES[:3]], reason="a number only", actor="ann")
    assert "2 slices" in reasons(score(small))["neck"]
    release(small, [f"neck:{place:g}" for place in PLACES[3:]], reason="a number only", actor="ann")
    assert score(small).scored == 3


def test_a_slice_imported_later_has_the_visit_read_anew(small):
    fill(small, slices("neck", region="cervical", places=(-7.0, -3.5, 3.5, 7.0)))
    assert "a slice is missing" in reasons(score(small))["neck"]
    fill(small, slices("neck", region="cervical", places=(0.0,)))
    assert score(small).scored == 3
    rows = small.query("SELECT grade FROM main.site_score WHERE site LIKE 'C2C3%' AND superseded_by IS NULL")
    assert rows["grade"].notna().all()
    whole = make(small.path.with_name("whole.duckdb"), ("P1",), ("BL",))
    fill(whole, slices("neck", region="cervical"))
    score(whole)
    assert_same(small, whole)


def test_a_visit_that_cannot_be_read_any_more_loses_its_grades(tmp_path):
    store = CohortStore.open(tmp_path / "c.duckdb")
    with store.write("test", "subjects") as tx:
        tx.insert("subject", pd.DataFrame({"subject": ["P1"]}))
    fill(store, slices("one", region="lumbar"))
    score(store)
    names = [f"one:{place:g}" for place in PLACES]
    replace_images(store, names, sequence="T1")
    assert score(store).images == 0
    for table in ("finding", "outline", "stack_slice", "site_score"):
        assert current(store, table).empty
    replace_images(store, names, sequence="STIR", region="thoracic")
    assert score(store).scored == 1
    units = current(store, "site_score")["site"].str.split(".").str[0]
    assert units.str.match(r"T\d+T\d+").all()


def test_a_stack_that_moved_to_another_visit_takes_its_grades_along(small):
    score(small)
    names = [f"{region}-P1-BL:{place:g}" for region in ("lumbar", "thoracic") for place in PLACES]
    replace_images(small, names, visit="W24")
    score(small)
    assert set(current(small, "site_score")["visit"]) == {"W24"}
    assert set(current(small, "total")["visit"]) == {"W24"}


def test_a_visit_whose_images_change_while_it_is_read_is_left_to_the_next_run(small, monkeypatch):
    import models.scoring.together as runner

    real = runner.score_visit

    def slow(store, offers, scorer, visit):
        results = real(store, offers, scorer, visit)
        monkeypatch.setattr(runner, "score_visit", real)
        fill(small, slices("neck", region="cervical"))
        return results

    monkeypatch.setattr(runner, "score_visit", slow)
    score(small)
    assert current(small, "finding").empty
    assert score(small).scored == 3


def test_what_another_process_stored_meanwhile_stays(small, monkeypatch):
    import models.scoring.together as runner

    real, events = runner.score_visit, []

    def twice(store, offers, scorer, visit):
        monkeypatch.setattr(runner, "score_visit", real)
        score(small)
        events.append(small.version())
        return real(store, offers, scorer, visit)

    monkeypatch.setattr(runner, "score_visit", twice)
    score(small)
    assert small.version() == events[0]


def test_new_weights_replace_the_scores_and_keep_the_old_rows(cohort, monkeypatch):
    from tests.helpers.stack_cohort import ToyScorer

    score(cohort)
    monkeypatch.setattr(ToyScorer, "weights_hash", "def")
    assert score(cohort).scored == 4
    assert cohort.query("SELECT count(DISTINCT run) AS n FROM main.finding")["n"][0] == 2
    assert current(cohort, "site_score")["run"].nunique() == 1


def test_files_of_many_frames_are_told_apart_by_frame(small):
    rows = slices("many", region="cervical", places=(0.0,), frame_count=4)
    rows["positions_mm"] = [[x for place in (7.0, 0.0, 3.5, -3.5) for x in (place, 0.0, 0.0)]]
    fill(small, rows)
    frames = np.arange(4, dtype=np.uint16)[:, None, None] * np.ones((1, 6, 5), np.uint16)
    about = {
        "image": "many:0", "spacing_mm": [1.0, 1.0], "modality": "MR", "window": [0, 99], "view": "",
        "body_part": "cervical spine", "colour": False, "frame": 0, "frames": 4, "slope": 1.0, "sign": 1,
        "offset": 0.0, "intercept": 0.0,
    }  # fmt: skip
    write_preview(preview_path(small.folder, "many:0"), frames, about)
    assert score(small).scored == 3
    rows = current(small, "finding")
    rows = rows[rows["image"] == "many:0"]
    cut = rows["site"].str.split(".").str[1]
    frame = rows["geometry"].map(lambda text: json.loads(text)["frame"])
    assert frame.groupby(cut).unique().map(list).to_dict() == {"s1": [2], "s2": [1], "s3": [3]}


def test_a_cohort_without_stacks_does_not_get_to_know_the_model(tmp_path):
    store = CohortStore.open(tmp_path / "films.duckdb")
    film = {"image": ["f"], "modality": "DX", "body_part": "lumbar spine", "frame_count": 1}
    with store.write("test", "ingest") as tx:
        tx.insert("image", pd.DataFrame(film))
    version = store.version()
    assert score(store).images == 0
    assert store.version() == version
    assert store.query("SELECT 1 FROM main.reader").empty


def test_pending_stacks_name_visits_in_order(cohort):
    run = identify(TOY, "demo")
    waiting = pending(cohort, run, TOY.offers)
    assert [(one.subject, one.visit) for one in waiting] == [("P1", "BL"), ("P2", "BL")]
    assert len({one.read_as for one in waiting}) == 2
