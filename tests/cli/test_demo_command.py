"""``sharpline demo``: from nothing to a cohort with films, reads and truth, the same files every time."""

import hashlib
import json

import pandas as pd
import pytest
from click.testing import CliRunner
from pydicom import dcmread

from core.cli import cli
from core.errors import InputError
from data.phantom.images_out import image_path
from data.phantom.study import Study, StudyPlan, claim, write_study
from data.store.cohort import CohortStore

pytestmark = pytest.mark.timeout(900)  # eight films are rendered and read in
PLAN = StudyPlan(2, 2, 4711)
SMALL = ["--patients", "2", "--visits", "2", "--seed", "4711", "--no-score", "--json"]
OPTIONS = [*SMALL, "--systems", "msasss"]


def run(folder, *options, cohort="cohort.duckdb"):
    arguments = ["--cohort", str(folder / cohort), "demo", *OPTIONS, "--out", str(folder / "out"), *options]
    return CliRunner().invoke(cli, arguments, standalone_mode=False, catch_exceptions=False)


def digests(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    outcome = run(folder)
    return folder, outcome, json.loads(outcome.stdout)


@pytest.mark.slow
def test_counts_are_those_of_the_cohort(demo):
    folder, outcome, counts = demo
    store = CohortStore(folder / "cohort.duckdb")
    assert outcome.return_value == 0
    assert (counts["patients"], counts["visits"], counts["films"]) == (2, 4, 8)
    assert counts["ingested"] == 8 and counts["already_there"] == 0 and counts["refused"] == []
    assert (counts["stacks"], counts["slices"]) == (0, {"ingested": 0, "already_there": 0})
    assert counts["held"] == []
    images = store.query("SELECT * FROM main.image WHERE superseded_by IS NULL")
    assert len(images) == 8
    films = pd.read_csv(folder / "out" / "films.csv")
    assert set(zip(images["subject"], images["visit"], strict=True)) == set(
        zip(films["subject"], films["visit"], strict=True)
    )
    scores = store.query("SELECT * FROM main.site_score WHERE superseded_by IS NULL")
    assert (scores["reader"].isin(["R1", "R2"])).sum() == counts["reads"]
    assert (scores["reader"] == "truth").sum() == 2 * 2 * 24
    assert set(scores.loc[scores["campaign"] == "reread", "subject"]) == {"P002"}


@pytest.mark.slow
def test_readers_campaigns_and_marks(demo):
    folder, _, _ = demo
    store = CohortStore(folder / "cohort.duckdb")
    readers = store.query("SELECT reader, kind FROM main.reader WHERE superseded_by IS NULL ORDER BY reader")
    assert readers.values.tolist() == [["R1", "human"], ["R2", "human"], ["truth", "consensus"]]
    campaigns = store.query("SELECT campaign, read_mode FROM main.campaign ORDER BY campaign")
    assert campaigns.values.tolist() == [["paired", "paired"], ["reread", "paired"], ["truth", "paired"]]
    assert store.is_phantom and not store.is_blinded
    names = set(store.query("SELECT DISTINCT name FROM main.covariate")["name"])
    assert names == {"age", "symptom duration", "HLA-B27", "CRP"}


@pytest.mark.slow
def test_totals_of_the_truth_are_those_of_the_course(demo):
    folder, _, _ = demo
    totals = CohortStore(folder / "cohort.duckdb").query(
        "SELECT subject, visit, total FROM main.total WHERE reader = 'truth' AND component = 'total'"
    )
    truth = Study(PLAN).course.truth.groupby(["subject", "visit"])["grade"].sum()
    assert (
        totals.set_index(["subject", "visit"])["total"].sort_index().tolist() == truth.sort_index().tolist()
    )


@pytest.mark.slow
def test_films_carry_trial_tags_and_labels(demo):
    folder = demo[0] / "out"
    study = Study(PLAN)
    films = pd.read_csv(folder / "films.csv")
    corners = pd.read_csv(folder / "corners.csv")
    assert len(films) == len(study.conduct.films) == len(list(folder.rglob("*.dcm")))
    for film in films.itertuples():
        dataset = dcmread(folder / film.file, stop_before_pixels=True)
        assert dataset.SOPInstanceUID == film.sop_uid
        assert (dataset.ClinicalTrialSubjectID, dataset.ClinicalTrialTimePointID) == (
            film.subject,
            film.visit,
        )
        if not film.to_refuse:
            of_film = corners[corners["file"] == film.file]
            assert len(of_film) == 12
            inside = of_film[of_film["visible"]]
            assert (
                inside["x"].between(0, dataset.Columns).all() and inside["y"].between(0, dataset.Rows).all()
            )
    grade = study.course.truth.set_index(["subject", "visit", "site"])["grade"]
    labels = corners.set_index(["subject", "visit", "site"])["grade"]
    assert (labels == grade.reindex(labels.index)).all()


@pytest.mark.slow
def test_only_missing_films_are_rendered_and_to_the_same_bytes(demo):
    folder = demo[0] / "out"
    study = Study(PLAN)
    before = digests(folder)
    film = study.conduct.films[1]
    path = image_path(folder, film)
    kept = {
        other: image_path(folder, other).stat().st_mtime_ns for other in study.conduct.films if other != film
    }
    path.unlink()
    path.with_suffix(".part99").write_bytes(b"left by a process that was killed")
    write_study(PLAN, folder, processes=1)
    assert digests(folder) == before
    assert {other: image_path(folder, other).stat().st_mtime_ns for other in kept} == kept


@pytest.mark.slow
def test_running_again_changes_nothing(demo):
    folder, _, first = demo
    before = digests(folder / "out")
    version = CohortStore(folder / "cohort.duckdb").version()
    counts = json.loads(run(folder).stdout)
    assert digests(folder / "out") == before
    assert CohortStore(folder / "cohort.duckdb").version() == version
    assert (counts["ingested"], counts["already_there"]) == (0, first["ingested"])


@pytest.mark.slow
def test_arms_stay_hidden_on_request(demo):
    """The same files into a second cohort: nothing is rendered again, and the arms are not shown."""
    folder, _, _ = demo
    counts = json.loads(run(folder, "--blinded", cohort="blinded.duckdb").stdout)
    store = CohortStore(folder / "blinded.duckdb")
    assert counts["ingested"] == 8
    assert store.is_blinded and store.is_phantom


@pytest.mark.slow
def test_cohort_of_another_study_is_refused(demo, tmp_path):
    folder, _, _ = demo
    with pytest.raises(InputError, match="holds another phantom study"):
        run(folder, "--seed", "1", "--out", str(tmp_path / "other"))


def test_cohort_of_real_patients_is_refused(tmp_path):
    store = CohortStore.open(tmp_path / "cohort.duckdb")
    with store.write("test", "subjects") as transaction:
        transaction.insert("subject", pd.DataFrame({"subject": ["A"]}))
    with pytest.raises(InputError, match="study of its own"):
        run(tmp_path)
    assert not store.is_phantom


def test_systems_are_all_unless_named_or_the_folder_holds_the_spine_alone(tmp_path, monkeypatch):
    plans = []

    def claimed(plan, folder):
        plans.append(plan)
        raise InputError("stop", "here", "now")

    monkeypatch.setattr("data.phantom.study.claim", claimed)

    def ask(*options):
        arguments = ["--cohort", str(tmp_path / "c.duckdb"), "demo", *SMALL, "--out", str(tmp_path / "out")]
        with pytest.raises(InputError):
            CliRunner().invoke(cli, [*arguments, *options], standalone_mode=False, catch_exceptions=False)
        return plans[-1].systems if plans else None

    assert ask() == ("msasss", "mtss", "sparcc", "synovitis")
    assert ask("--systems", "mtss, msasss") == ("msasss", "mtss")
    assert ask("--systems", "mtss") == ("mtss",)
    claim(PLAN, tmp_path / "out")
    assert ask() == ("msasss",)
    plans.clear()
    assert ask("--systems", "stir") is None
