"""Hands and feet of a phantom study: who is filmed and when, what tables say, what stays as it was."""

import hashlib
import json
from dataclasses import replace
from io import StringIO

import numpy as np
import pandas as pd
import pytest

from core import scores
from core.scores.engine.reads import code_reads
from core.scores.engine.totals import compute
from data.phantom import generators
from data.phantom.hands import films as hand_films
from data.phantom.hands.conditions import WRONG_KINDS
from data.phantom.hands.course import UNITS, simulate_hands
from data.phantom.hands.films import hand_joints, make_hand_film
from data.phantom.hands.readers import HANDS_READERS, read_joints
from data.phantom.hands.schedule import conduct_hands
from data.phantom.hands.state import ANKYLOSIS, JointState
from data.phantom.images_out import image_path
from data.phantom.load import import_films, import_tables, mark
from data.phantom.schedule import conduct
from data.phantom.seeds import StudyRole, StudySeed
from data.phantom.spine.course import simulate
from data.phantom.study import (
    Study,
    StudyPlan,
    claim,
    first_system,
    known_plan,
    tables,
    write_study,
)
from data.store.cohort import CohortStore

MTSS = scores.get("mtss")
PLAN = StudyPlan(2, 2, 4711, systems=("msasss", "mtss"))
SPINE_TABLES = "7cd42b434776dc8de74db187ef223e2a9d3bac0351976bb6c719301255b3c37e"


@pytest.fixture(scope="module")
def study():
    return Study(replace(PLAN, patients=8))


@pytest.fixture(scope="module")
def made(study):
    return {name: pd.read_csv(StringIO(table.to_csv(index=False))) for name, table in tables(study).items()}


def test_a_study_of_the_spine_is_what_it_was_before_there_were_hands():
    digest = hashlib.sha256()
    for name, table in tables(Study(StudyPlan(6, 3, 119))).items():
        digest.update(name.encode() + table.to_csv().encode())
    assert digest.hexdigest() == SPINE_TABLES
    assert "systems" not in StudyPlan(6, 3, 119).about()
    assert StudyPlan(6, 3, 119, systems=generators.systems()).about()["systems"] == generators.systems()


def test_a_folder_of_the_spine_alone_is_recognised(tmp_path):
    both, spine = PLAN, replace(PLAN, systems=first_system())
    assert known_plan(both, tmp_path) == both
    claim(spine, tmp_path)
    assert known_plan(both, tmp_path) == spine
    assert known_plan(replace(both, seed=1), tmp_path) == replace(both, seed=1)


def test_spine_tables_are_the_same_with_hands_beside_them(study, made):
    spine = tables(Study(replace(study.plan, systems=first_system())))
    assert set(made) - set(spine) == {
        "reads_mtss_R1.csv", "reads_mtss_R2.csv", "rereads_mtss_R1.csv", "rereads_mtss_R2.csv",
        "truth_mtss.csv",
    }  # fmt: skip
    for name, table in spine.items():
        pd.testing.assert_frame_equal(made[name], pd.read_csv(StringIO(table.to_csv(index=False))))
    hands = tables(Study(replace(study.plan, systems=("mtss",))))
    assert set(hands) == (set(made) - set(spine)) | {"subjects.csv", "visits.csv"}


def test_limbs_are_filmed_on_the_dates_of_the_spine():
    role = StudySeed(StudyRole.TEST, 3)
    course = simulate(role, 200, 3)
    came = conduct(role, course)
    hands = simulate_hands(role, 200, 3)
    films = conduct_hands(role, hands, came)
    dates = {(film.subject, film.visit): film.date for film in came.films}
    asked = [film for film in films if film.kind is None]
    wrong = [film for film in films if film.kind is not None]
    assert all(dates.get((film.subject, film.visit), film.date) == film.date for film in films)
    assert all(came.came[film.number, film.order] for film in films)
    assert 0.96 < len(asked) / (2 * came.came.sum()) < 1.0, "a few films are missing"
    assert 0.01 < len(wrong) / came.came.sum() < 0.06
    assert {film.kind for film in wrong} <= set(WRONG_KINDS)
    assert {film.view for film in wrong if film.kind == "foot_as_hand"} <= {"hands"}
    assert len({(film.subject, film.name) for film in [*films, *came.films]}) == len(films) + len(came.films)
    few = conduct_hands(role, simulate_hands(role, 7, 3), conduct(role, simulate(role, 7, 3)))
    assert few == [film for film in films if film.number < 7]


@pytest.mark.parametrize(
    "kind", ["good", "missing_finger", "overlap", "mirrored", "one_hand", "foot_as_hand"]
)
def test_labels_without_rendering_are_those_of_the_film(kind):
    states = {"LH.MCP2": JointState(jsn=2.4, erosion=1.2), "RH.PIP3": JointState(finding=ANKYLOSIS)}
    arguments = (5, "P001", "BL", "hands", states)
    film = make_hand_film(*arguments, kind=kind, spacing=1.2)
    plain = hand_joints(*arguments, kind=kind)
    assert film.joints["unit"].tolist() == plain["unit"].tolist()
    for column in ("erosion", "jsn", "finding", "visible"):
        assert film.joints[column].astype(str).tolist() == plain[column].astype(str).tolist()
    seen = [one["visibility"].to_numpy(dtype=float) for one in (film.joints, plain)]
    np.testing.assert_allclose(*seen, atol=0.1)


def test_reads_stand_where_films_are_and_know_hidden_joints(study, made):
    seen = study.parts["mtss"].seen
    reads = made["reads_mtss_R1.csv"]
    graded = reads[reads["feature"].isin(["erosion", "jsn"])]
    filmed = {
        (film.subject, film.visit, film.view[0].upper())
        for film in study.parts["mtss"].films
        if not film.kind
    }
    assert set(zip(graded["subject"], graded["visit"], graded["site"].str[1], strict=True)) == filmed
    assert len(graded) == sum(62 if limb == "H" else 24 for _, _, limb in filmed)
    assert (graded["grade"].isna() == graded["reason"].notna()).all()
    hidden = np.nansum(seen < HANDS_READERS[0].gives_up)
    units = graded[graded["grade"].isna()].assign(unit=graded["site"].str.replace(r"\.[EJ]", "", regex=True))
    assert units.groupby(["subject", "visit"])["unit"].nunique().sum() == hidden
    assert not code_reads(reads, MTSS).refused.shape[0]
    assert set(made["rereads_mtss_R1.csv"]["subject"]) == {"P002", "P008"}
    assert set(made["rereads_mtss_R1.csv"]["campaign"]) == {"reread"}


def test_truth_has_every_site_and_its_totals_count_findings(study, made):
    truth = made["truth_mtss.csv"]
    graded = truth[truth["feature"].isin(["erosion", "jsn"])]
    assert len(graded) == 86 * study.conduct.came.sum()
    assert len(truth) - len(graded) == (study.parts["mtss"].course.finding[study.conduct.came] > 0).sum()
    totals = compute(truth.assign(reader="truth"), MTSS, settings={"ankylosis_erosion": "as_seen"}).totals
    plain = graded.groupby(["subject", "visit"])["grade"].sum()
    found = totals.set_index(["subject", "visit"])["total"]
    pd.testing.assert_series_equal(found.sort_index(), plain.sort_index().astype(float), check_names=False)


def test_findings_of_readers_are_rows_with_their_grade():
    course = simulate_hands(StudySeed(StudyRole.TEST, 3), 40, 2)
    reads = read_joints(course, StudySeed(StudyRole.TEST, 3), HANDS_READERS[0])
    noticed = reads.finding > 0
    assert 0.8 < noticed.sum() / (course.finding > 0).sum() < 1.0, "a few are overlooked"
    assert (reads.finding[noticed] == course.finding[noticed]).all()
    fused = reads.finding[..., UNITS.index("LH.MCP2")] == 1
    assert (reads.grades["LH.J.MCP2"][fused] == 4).all()


def test_a_second_session_is_like_the_first_but_not_the_same():
    seed = StudySeed(StudyRole.TEST, 3)
    course = simulate_hands(seed, 60, 1)
    first, again = (sum(read_joints(course, seed, HANDS_READERS[0], read=n).grades.values()) for n in (1, 2))
    assert 0.97 < np.corrcoef(first.ravel(), again.ravel())[0, 1] < 1.0
    assert (first != again).mean() > 0.5
    alone = simulate_hands(seed, 1, 1, first=9)
    of_ninth = read_joints(alone, seed, HANDS_READERS[0], read=2, first=9).grades
    assert sum(of_ninth.values())[0, 0] == again[8, 0]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """Hands and feet of two patients at two visits, rendered small, imported into a cohort."""
    folder = tmp_path_factory.mktemp("study")
    plan = replace(PLAN, systems=("mtss",))
    small, draw = pytest.MonkeyPatch(), make_hand_film
    small.setattr(hand_films, "make_hand_film", lambda *given, **how: draw(*given, **how, spacing=1.0))
    written = write_study(plan, folder / "out", processes=1)
    small.undo()
    store = CohortStore.open(folder / "c.duckdb")
    mark(store, plan, blinded=False)
    taken = import_tables(store, folder / "out")
    import_films(store, written, folder / "out", taken, workers=0)
    return store, written, folder / "out", taken


def test_films_of_hands_and_feet_are_taken_in_as_such(cohort):
    store, written, folder, taken = cohort
    assert taken.refused == []
    assert taken.ingested == len(written.films) == 8
    images = store.query("SELECT subject, visit, body_part, view, laterality, modality FROM main.image")
    assert sorted(images["body_part"]) == ["foot"] * 4 + ["hand"] * 4
    assert set(zip(images["subject"], images["visit"], strict=True)) == {
        (subject, visit) for subject in ("P001", "P002") for visit in ("BL", "W52")
    }
    films = pd.read_csv(folder / "films.csv")
    assert films["view"].value_counts().to_dict() == {"hands": 4, "feet": 4}
    assert not (folder / "corners.csv").exists()


def test_joints_of_the_films_carry_truth_and_box(cohort):
    _, written, folder, _ = cohort
    joints = pd.read_csv(folder / "joints.csv")
    assert joints.groupby("file").size().tolist() == [24, 62] * 4
    truth = pd.read_csv(folder / "truth_mtss.csv").set_index(["subject", "visit", "site", "feature"])["grade"]
    labels = joints.set_index(["subject", "visit", "site", "feature"])["grade"]
    assert (labels == truth.reindex(labels.index)).all()
    shown = joints[joints["visible"]]
    assert (shown["x0"] < shown["x1"]).all() and (shown["y0"] < shown["y1"]).all()
    film = written.films[0]
    label = json.loads((folder / "labels" / film.subject / f"{film.name}.json").read_text())
    assert label["film"]["file"] == image_path(folder, film).relative_to(folder).as_posix()


def test_totals_of_readers_and_truth_are_in_the_cohort(cohort):
    store, _, _, taken = cohort
    totals = store.query(
        "SELECT reader, campaign, count(total) AS n FROM main.total WHERE system = 'mtss' "
        "AND component = 'total' GROUP BY ALL ORDER BY ALL"
    )
    assert totals.values.tolist() == [
        ["R1", "paired", 4], ["R1", "reread", 2], ["R2", "paired", 4], ["R2", "reread", 2],
        ["truth", "truth", 4],
    ]  # fmt: skip
    rows = store.query("SELECT count(*) AS n FROM main.site_score WHERE reader <> 'truth'")["n"][0]
    assert rows == taken.reads
    kinds = store.query("SELECT reader, kind FROM main.reader ORDER BY reader").values.tolist()
    assert kinds == [["R1", "human"], ["R2", "human"], ["truth", "consensus"]]


def test_taking_in_again_changes_nothing(cohort):
    store, written, folder, _ = cohort
    version = store.version()
    taken = import_tables(store, folder)
    import_films(store, written, folder, taken, workers=0)
    assert (taken.ingested, taken.already_there, store.version()) == (0, 8, version)
