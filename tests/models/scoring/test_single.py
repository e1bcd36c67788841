"""A scoring run: what it writes, that it can be killed anywhere, and that a second one finds nothing to
do.
"""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from core.domain import Abstained, Box, Finding, Image, Scored
from data.scoring.visit_scores import visit_scores
from data.store.cohort import CohortStore
from models.msasss.sites import SITES
from models.scoring.run import score_cohort
from models.system import SystemModel
from tests.helpers.paths import ROOT


class ToyScorer:
    """Grades follow from the film's name; films called bad are abstained on, the lowest corner is hidden."""

    reader = "model:toy"
    weights_hash = "abc"

    def score(self, films):
        return [self._one(film) for film in films]

    def _one(self, film):
        time.sleep(float(os.environ.get("TOY_SECONDS", "0")))
        if "bad" in film.image:
            return Abstained("not a lateral spine film")
        region = "cervical" if "neck" in film.image else "lumbar"
        number = sum(map(ord, film.image))
        findings = tuple(
            Finding(site, "corner", (number + k) % 4, (0.25,) * 4, 0.9, Box(k, k, k + 9.0, k + 9.0))
            for k, site in enumerate(SITES[region][:-1])
        )
        return Scored(findings, {SITES[region][-1]: "the corner is hidden or off the film"})


def build_toy(*, size, device, threads):
    return ToyScorer()


def load_toy(store, image):
    return Image(image, np.zeros((4, 4), np.uint16))


def identify_toy(size):
    return ToyScorer.reader, ToyScorer.weights_hash


TOY = SystemModel("msasss", (), (), f"{__name__}:build_toy", identity=f"{__name__}:identify_toy")


def make_cohort(path, patients=4):
    store = CohortStore.open(path)
    rows = [
        {"image": f"{kind}-{p}-{v}", "subject": f"P{p}", "visit": v, "body_part": ""}
        for p in range(patients)
        for v in ("BL", "W52")
        for kind in ("neck", "loin")
    ]
    rows += [{"image": "bad-extra", "subject": "P0", "visit": "BL", "body_part": ""}]
    rows += [{"image": "neck-nobody", "subject": None, "visit": None, "body_part": ""}]
    with store.write("test", "ingest") as tx:
        tx.insert("subject", pd.DataFrame({"subject": [f"P{p}" for p in range(patients)]}))
        tx.insert("image", pd.DataFrame(rows))
    return store


def current(store, table):
    where = "" if table == "total" else "WHERE superseded_by IS NULL"
    frame = store.query(f"SELECT * FROM main.{table} {where}").drop(columns="event", errors="ignore")
    return frame.sort_values(list(frame.columns[:6])).reset_index(drop=True).astype(str)


def all_rows(store):
    return {
        table: current(store, table)
        for table in ("run", "reader", "campaign", "finding", "site_score", "total")
    }


@pytest.fixture
def cohort(tmp_path):
    return make_cohort(tmp_path / "c.duckdb")


def test_run_files_findings_scores_and_abstentions(cohort):
    steps = []
    report = score_cohort(cohort, "msasss", processes=1, load=load_toy, model=TOY, tell=steps.append)
    assert (report.images, report.scored) == (18, 17)
    assert report.abstained == [{"image": "bad-extra", "reason": "not a lateral spine film"}]
    assert [step.done for step in steps] == list(range(1, 19))
    found = cohort.query("SELECT * FROM main.finding WHERE image = 'neck-1-BL' AND site = 'C2I'").iloc[0]
    assert json.loads(found["geometry"]) == {"box": [0.0, 0.0, 9.0, 9.0]}
    assert list(found["grade_probabilities"]) == [0.25] * 4
    scores = cohort.query("SELECT * FROM main.site_score WHERE subject = 'P1' AND visit = 'BL'")
    assert len(scores) == 24
    hidden = scores[scores["site"] == "T1S"].iloc[0]
    assert pd.isna(hidden["grade"])
    assert hidden["reason"] == "the corner is hidden or off the film"
    reader = cohort.query("SELECT kind, weights_hash FROM main.reader WHERE reader = 'model:toy'").iloc[0]
    assert tuple(reader) == ("model", "abc")
    mode = cohort.query("SELECT read_mode FROM main.campaign WHERE campaign = 'model-single'")
    assert mode["read_mode"].tolist() == ["single"]
    assert cohort.query("SELECT count(*) AS n FROM main.total WHERE component = 'total'")["n"][0] == 8


def test_second_run_has_nothing_to_do(cohort):
    score_cohort(cohort, "msasss", processes=1, load=load_toy, model=TOY)
    before, version = all_rows(cohort), cohort.version()
    report = score_cohort(cohort, "msasss", processes=1, load=load_toy, model=TOY)
    assert (report.images, report.scored, cohort.version()) == (0, 0, version)
    for table, rows in all_rows(cohort).items():
        pd.testing.assert_frame_equal(rows, before[table])


def load_stacks(store, image):
    return Image(image, np.zeros((3, 4, 4) if "neck" in image else (4, 4), np.uint16))


def test_a_scorer_of_films_is_not_handed_a_stack(cohort):
    report = score_cohort(cohort, "msasss", processes=1, load=load_stacks, model=TOY)
    reasons = {row["image"]: row["reason"] for row in report.abstained if row["image"] != "bad-extra"}
    assert set(reasons.values()) == {"3 frames: not a single film"}
    assert len(reasons) == 9
    assert all("neck" in image for image in reasons)


def test_film_assigned_later_is_filed_without_being_scored_again(cohort):
    score_cohort(cohort, "msasss", processes=1, load=load_toy, model=TOY)
    with cohort.write("test", "assign") as tx:
        tx.supersede("image", pd.DataFrame({"image": ["neck-nobody"]}))
        tx.insert(
            "image",
            pd.DataFrame({"image": ["neck-nobody"], "subject": ["P9"], "visit": ["BL"], "body_part": [""]}),
        )
    report = score_cohort(cohort, "msasss", processes=1, load=load_toy, model=TOY)
    assert report.images == 0
    filed = cohort.query("SELECT site FROM main.site_score WHERE subject = 'P9'")
    assert sorted(filed["site"]) == sorted(SITES["cervical"])


@pytest.mark.parametrize("kill_at", [0.4, 0.9])
def test_killed_run_started_again_ends_in_the_same_rows(tmp_path, kill_at):
    undisturbed = make_cohort(tmp_path / "a.duckdb")
    score_cohort(undisturbed, "msasss", processes=1, load=load_toy, model=TOY)
    disturbed = make_cohort(tmp_path / "b.duckdb")
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from data.store.cohort import CohortStore\nimport tests.models.scoring.test_single as t\n"
        "from models.scoring.run import score_cohort\n"
        f"store = CohortStore({str(disturbed.path)!r})\n"
        "print('ready', flush=True)\n"
        "score_cohort(store, 'msasss', processes=1, load=t.load_toy, model=t.TOY,"
        " tell=lambda s: print(s.done, flush=True))\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TOY_SECONDS": "0.03"},
    )
    assert run.stdout is not None
    assert run.stdout.readline().strip() == "ready"
    time.sleep(kill_at)
    run.send_signal(signal.SIGKILL)
    run.wait()
    score_cohort(disturbed, "msasss", processes=1, load=load_toy, model=TOY)
    wanted = all_rows(undisturbed)
    for table, rows in all_rows(disturbed).items():
        pd.testing.assert_frame_equal(rows, wanted[table])


def test_new_weights_replace_the_scores_and_keep_the_old_rows(cohort, monkeypatch):
    score_cohort(cohort, "msasss", processes=1, load=load_toy, model=TOY)
    monkeypatch.setattr(ToyScorer, "weights_hash", "def")
    report = score_cohort(cohort, "msasss", processes=1, load=load_toy, model=TOY)
    assert report.scored == 17
    runs = cohort.query("SELECT DISTINCT run FROM main.site_score WHERE superseded_by IS NULL")
    assert len(runs) == 1
    assert cohort.query("SELECT count(*) AS n FROM main.site_score")["n"][0] == 2 * 8 * 24


def finding(image, site, grade=None, reason=None):
    row = {"image": image, "body_part": "", "site": site, "feature": "corner", "grade": grade}
    return row | {"abstained": reason}


def test_better_of_two_films_of_one_region_gives_the_scores():
    few = [finding("a", site, 0) for site in SITES["lumbar"][:6]]
    many = [finding("b", site, 1) for site in SITES["lumbar"][2:]]
    rows = visit_scores(pd.DataFrame(few + many), "msasss")
    grades = {row["site"]: row["grade"] for row in rows}
    assert grades == dict.fromkeys(SITES["lumbar"][:2], 0) | dict.fromkeys(SITES["lumbar"][2:], 1)


def test_site_that_no_film_shows_has_no_grade_but_a_reason():
    rows = visit_scores(pd.DataFrame([finding("a", site, 0) for site in SITES["lumbar"][1:]]), "msasss")
    assert len(rows) == 12
    (hidden,) = [row for row in rows if row["grade"] is None]
    assert (hidden["site"], hidden["reason"], hidden["image"]) == ("T12I", "hidden or off the film", "a")


def test_abstained_film_leaves_its_region_empty_with_the_reason():
    neck = [finding("a", site, 0) for site in SITES["cervical"]]
    rows = visit_scores(pd.DataFrame([*neck, finding("b", None, None, "too dark")]), "msasss")
    empty = {row["site"]: row["reason"] for row in rows if row["grade"] is None}
    assert empty == dict.fromkeys(SITES["lumbar"], "the model abstained: too dark")


def test_visit_whose_films_are_all_refused_is_stored_and_the_others_are_scored(tmp_path):
    store = make_cohort(tmp_path / "c.duckdb")
    refused = [
        {"image": f"bad-{part}-{v}", "subject": "P9", "visit": v, "body_part": f"{part} spine"}
        for part in ("cervical", "lumbar")
        for v in ("BL", "W52")
    ]
    with store.write("test", "ingest") as tx:
        tx.insert("subject", pd.DataFrame({"subject": ["P9"]}))
        tx.insert("image", pd.DataFrame(refused))
    report = score_cohort(store, "msasss", processes=1, load=load_toy, model=TOY)
    assert (report.scored, len(report.abstained)) == (17, 5)
    rows = store.query("SELECT grade, reason FROM main.site_score WHERE subject = 'P9'")
    assert len(rows) == 48
    assert rows["grade"].isna().all()
    assert set(rows["reason"]) == {"the model abstained: not a lateral spine film"}
    assert score_cohort(store, "msasss", processes=1, load=load_toy, model=TOY).images == 0


@pytest.mark.parametrize(("system", "part"), [("msasss", "lumbar spine"), ("mtss", "hand"), ("mtss", "foot")])
def test_visit_of_refused_films_alone_has_reasons_and_no_grade(system, part):
    refused = pd.DataFrame([finding("a", None, None, "noise") | {"body_part": part, "feature": None}])
    for found in (refused, refused.convert_dtypes(), refused.astype("str").where(refused.notna())):
        rows = visit_scores(found, system)
        assert rows
        assert {row["grade"] for row in rows} == {None}
        assert {row["reason"] for row in rows} == {"the model abstained: noise"}


def test_abstained_film_does_not_touch_a_region_that_another_film_shows():
    both = [finding("a", site, 0) for region in SITES for site in SITES[region]]
    rows = visit_scores(pd.DataFrame([*both, finding("b", None, None, "a hand")]), "msasss")
    assert len(rows) == 24
    assert all(row["grade"] == 0 for row in rows)
