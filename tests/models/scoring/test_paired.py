"""Paired reads of a patient's films: a campaign of their own, scored anew when a film comes, and not
lost when the process is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pandas as pd
import pytest

from core.domain import Abstained, CohortFilter, Scored, ScoredPaired, Viewer
from data.queries.scores import abstentions
from data.store.cohort import CohortStore
from data.verify import verify
from models.paired.reader import Paired
from models.scoring.run import score_cohort
from tests.helpers.paths import ROOT
from tests.models.scoring.test_single import TOY, all_rows, load_toy, make_cohort


class ToyReader:
    """Gives every film of a site three less its lowest grade on any of them, and says how far they differ."""

    def read(self, films):
        time.sleep(float(os.environ.get("TOY_PAIRED_SECONDS", "0")))
        seen = {}
        for place, film in enumerate(films):
            for finding in film.findings if isinstance(film, Scored) else ():
                seen.setdefault(finding.site, []).append((place, finding.grade))
        given = {site: 3 - min(grade for _, grade in found) for site, found in seen.items()}
        change = {
            site: {(a, b): abs(g - h) / 3 for a, g in found for b, h in found if a != b}
            for site, found in seen.items()
        }
        return ScoredPaired(tuple(self._film(film, given) for film in films), change)

    def _film(self, film, given):
        if isinstance(film, Abstained):
            return film
        return Scored(tuple(replace(f, grade=given[f.site]) for f in film.findings))


class ToyPaired(Paired):
    def build(self, size):
        return ToyReader()

    def identify(self, size):
        return {"demo": "lowest", "full": None}[size]


BOTH = replace(TOY, paired=ToyPaired("msasss", {}))


def score(store, **how):
    return score_cohort(store, "msasss", processes=1, load=load_toy, model=BOTH, **how)


@pytest.fixture
def cohort(tmp_path):
    return make_cohort(tmp_path / "c.duckdb")


def grades(store, campaign):
    frame = store.query(
        "SELECT subject, visit, site, grade FROM main.site_score WHERE campaign = ? "
        "AND superseded_by IS NULL ORDER BY ALL",
        [campaign],
    )
    return frame.set_index(["subject", "visit", "site"])["grade"]


def test_films_are_read_single_and_paired_in_campaigns_of_their_own(cohort):
    report = score(cohort)
    assert (report.images, report.read_paired) == (18, 4)
    modes = cohort.query("SELECT campaign, read_mode FROM main.campaign ORDER BY campaign")
    assert modes.to_numpy().tolist() == [["model-paired", "paired"], ["model-single", "single"]]
    assert cohort.query("SELECT count(*) AS n FROM main.reader")["n"][0] == 1
    single, paired = grades(cohort, "model-single"), grades(cohort, "model-paired")
    assert len(single) == len(paired) == 4 * 2 * 24
    together = 3 - single.groupby(["subject", "site"]).transform("min")
    assert (paired.dropna() == together.dropna()).all()
    assert paired.isna().equals(single.isna())
    assert (single.dropna() != together.dropna()).any()
    row = cohort.query(
        "SELECT f.compared FROM main.finding f JOIN main.run r USING (run) WHERE r.campaign = 'model-paired' "
        "AND f.image = 'neck-1-BL' AND f.site = 'C2I'"
    )
    assert set(json.loads(row["compared"][0])) == {"neck-1-W52"}
    alone = cohort.query(
        "SELECT count(f.compared) AS n FROM main.finding f JOIN main.run r USING (run) "
        "WHERE r.campaign = 'model-single'"
    )
    assert alone["n"][0] == 0
    refused = abstentions(cohort, Viewer(), CohortFilter())
    assert refused["image"].tolist() == ["bad-extra"]  # once, though two campaigns hold it
    assert verify(cohort).broken == []


def test_second_run_has_nothing_to_do(cohort):
    score(cohort)
    before, version = all_rows(cohort), cohort.version()
    assert score(cohort).read_paired == 0
    assert cohort.version() == version
    for table, rows in all_rows(cohort).items():
        pd.testing.assert_frame_equal(rows, before[table])


def test_size_without_it_reads_single_films_only(cohort):
    report = score(cohort, size="full")
    assert report.read_paired == 0
    assert cohort.query("SELECT campaign FROM main.campaign")["campaign"].tolist() == ["model-single"]


def add_film(store, image, subject, visit):
    with store.write("test", "ingest") as tx:
        tx.insert(
            "image",
            pd.DataFrame({"image": [image], "subject": [subject], "visit": [visit], "body_part": [""]}),
        )


def test_new_follow_up_film_has_its_patient_read_anew_and_no_other(cohort, tmp_path):
    score(cohort)
    single = grades(cohort, "model-single")
    add_film(cohort, "neck-1-W104", "P1", "W104")
    assert score(cohort).read_paired == 1
    pd.testing.assert_series_equal(grades(cohort, "model-single").loc[single.index], single)
    old = cohort.query("SELECT DISTINCT subject FROM main.site_score WHERE superseded_by IS NOT NULL")
    assert set(old["subject"]) <= {"P1"}
    kept = cohort.query(
        "SELECT f.superseded_by IS NULL AS current, count(*) AS n FROM main.finding f JOIN main.run r "
        "USING (run) WHERE r.campaign = 'model-paired' AND f.image = 'neck-1-BL' GROUP BY ALL ORDER BY ALL"
    )
    assert kept["n"].tolist() == [11, 11]
    at_once = make_cohort(tmp_path / "d.duckdb")
    add_film(at_once, "neck-1-W104", "P1", "W104")
    score(at_once)
    wanted = all_rows(at_once)
    for table, rows in all_rows(cohort).items():
        pd.testing.assert_frame_equal(rows, wanted[table])
    assert verify(cohort).broken == []


def test_film_given_to_another_patient_has_both_read_anew(cohort):
    score(cohort)
    with cohort.write("test", "assign") as tx:
        tx.supersede("image", pd.DataFrame({"image": ["neck-2-W52"]}))
        row = {"image": ["neck-2-W52"], "subject": ["P3"], "visit": ["W104"], "body_part": [""]}
        tx.insert("image", pd.DataFrame(row))
    assert score(cohort).read_paired == 2
    partners = cohort.query(
        "SELECT f.image, f.compared FROM main.finding f JOIN main.run r USING (run) WHERE f.site = 'C2I' "
        "AND r.campaign = 'model-paired' AND f.superseded_by IS NULL AND f.image LIKE 'neck%'"
    ).set_index("image")["compared"]
    assert json.loads(partners["neck-2-BL"]) == {}
    assert set(json.loads(partners["neck-2-W52"])) == {"neck-3-BL", "neck-3-W52"}


@pytest.mark.parametrize("kill_after", ["scored", "read"])
def test_killed_anywhere_it_ends_in_the_same_rows(tmp_path, kill_after, monkeypatch):
    undisturbed = make_cohort(tmp_path / "a.duckdb")
    score(undisturbed)
    disturbed = make_cohort(tmp_path / "b.duckdb")
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from data.store.cohort import CohortStore\nimport tests.models.scoring.test_paired as t\n"
        "import models.scoring.paired as paired\n"
        "paired.BATCH_PATIENTS = 1\n"
        f"store = CohortStore({str(disturbed.path)!r})\n"
        "print('ready', flush=True)\n"
        "t.score(store, tell=lambda s: print('film', s.done, flush=True))\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TOY_SECONDS": "0.03", "TOY_PAIRED_SECONDS": "3"},
    )
    assert run.stdout is not None
    last = "film 7" if kill_after == "scored" else "film 18"
    while run.stdout.readline().strip() != last:
        assert run.poll() is None
    if kill_after == "read":
        wait_for_paired(disturbed)
    run.send_signal(signal.SIGKILL)
    run.wait()
    done = grades(disturbed, "model-paired").index.get_level_values("subject").nunique()
    assert done < 4
    score(disturbed)
    wanted = all_rows(undisturbed)
    for table, rows in all_rows(disturbed).items():
        pd.testing.assert_frame_equal(rows, wanted[table])


def wait_for_paired(store: CohortStore) -> None:
    """Until the first patient has been read together."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if len(grades(store, "model-paired")):
            return
        time.sleep(0.01)
    raise AssertionError("no patient was read together")
