"""A study with stacks of slices beside its films: who has them and when, files, tables, what is read in."""

import hashlib
from dataclasses import replace

import pandas as pd
import pytest

from core.domain import Viewer
from core.imaging.sequences import STIR, T1
from core.imaging.spine import UNITS
from data.phantom import generators
from data.phantom.images_out import image_path
from data.phantom.load import import_films, import_stacks, import_tables, mark
from data.phantom.mri import conditions
from data.phantom.mri.generator import EVERY, HIDDEN
from data.phantom.mri.wrong import KINDS
from data.phantom.study import Study, StudyPlan, claim, known_plan, tables, write_study
from data.queries.stacks import stacks_of_visit
from data.store.cohort import CohortStore

STACKS, FILMS = ("sparcc",), ("msasss", "mtss")
PLAN = StudyPlan(1, 1, 119, systems=STACKS)
MANY = Study(StudyPlan(13, 3, 119, systems=STACKS))


@pytest.fixture(scope="module")
def coarse():
    """Stacks are drawn with large pixels."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conditions, "_PIXEL", dict.fromkeys(conditions.VIEWS, 4.0))
        yield


def with_mistakes(plan):
    """The study at baseline, and of its last region one stack of each kind sent by mistake at two visits."""
    study = Study(plan)
    films = study.parts["sparcc"].films
    films[:] = [film for film in films if film.visit == "BL" and film.kind is None]
    films += [
        replace(films[-1], kind=kind, visit=visit) for kind, visit in zip(KINDS, ("BL", "W52"), strict=True)
    ]
    return study


@pytest.fixture(scope="module")
def cohort(tmp_path_factory, coarse):
    """One patient at baseline: stacks of three regions, and two sent by mistake, imported."""
    folder = tmp_path_factory.mktemp("stacks")
    plan = replace(PLAN, visits=2)
    study = with_mistakes(plan)
    claim(plan, folder / "out")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("data.phantom.study.Study", lambda plan: study)
        written = write_study(plan, folder / "out", processes=1)
    store = CohortStore.open(folder / "c.duckdb")
    mark(store, plan, blinded=False)
    taken = import_tables(store, folder / "out")
    import_films(store, written, folder / "out", taken, workers=0)
    import_stacks(store, written, folder / "out", taken, workers=0)
    return store, written, folder / "out", taken


def digests(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_films_and_tables_of_others_are_the_same_with_stacks_beside_them():
    plan = StudyPlan(3, 2, 119, systems=FILMS)
    alone, both = Study(plan), Study(replace(plan, systems=(*FILMS, *STACKS)))
    assert alone.films == both.films and not alone.stacks
    assert [film.view[:4] for film in both.stacks] == ["mri_"] * len(both.stacks)
    assert both.images == sorted(both.films + both.stacks, key=lambda one: (one.number, one.order))
    said, more = tables(alone), tables(both)
    assert {name: table.to_csv() for name, table in more.items() if name in said} == {
        name: table.to_csv() for name, table in said.items()
    }
    assert {name.split("_")[1] for name in set(more) - set(said)} == {"sparcc.csv", "sparcc"}


def test_a_patient_has_stacks_or_not_in_a_study_of_any_size():
    few = Study(replace(MANY.plan, patients=1))
    assert few.stacks == [film for film in MANY.stacks if film.number == 0] != []
    assert {film.number for film in MANY.stacks} == {0, EVERY, 2 * EVERY}
    early = Study(replace(MANY.plan, visits=1))
    assert early.stacks == [film for film in MANY.stacks if film.order == 0]


def test_stacks_are_taken_at_the_visits_of_the_films_and_show_that_week():
    part, visits = MANY.parts["sparcc"], tables(MANY)["visits.csv"].set_index(["subject", "visit"])
    dates = {(film.subject, film.visit): film.date for film in Study(replace(MANY.plan, systems=FILMS)).films}
    for film in MANY.stacks:
        assert film.date == dates[film.subject, film.visit]
        assert part.states(film)["week"] == round(visits.loc[(film.subject, film.visit), "day"] / 7)
    names = [(film.subject, film.name) for film in MANY.stacks]
    assert len(set(names)) == len(names)
    assert {film.kind for film in MANY.stacks if film.kind} <= set(KINDS)


def test_reads_stand_where_stacks_are_and_truth_at_every_visit():
    study = Study(replace(MANY.plan, patients=7))
    lost = study.parts["sparcc"].films.pop(0)
    made = tables(study)
    assert {name for name in made if "sparcc" in name} == {
        "truth_sparcc.csv", *(f"{kind}_sparcc_R{n}.csv" for kind in ("reads", "rereads") for n in (1, 2, 3))
    }  # fmt: skip
    truth, reads, again = (
        made[f"{name}.csv"] for name in ("truth_sparcc", "reads_sparcc_R1", "rereads_sparcc_R1")
    )
    visits = {(film.subject, film.visit) for film in study.stacks}
    assert len(truth) == len(visits) * 18 * len(UNITS)
    missing = truth.merge(reads, on=["subject", "visit", "site"], how="left", indicator=True)
    missing = missing[missing["_merge"] == "left_only"]
    assert set(zip(missing["subject"], missing["visit"], strict=True)) == {(lost.subject, lost.visit)}
    assert len(missing) == 6 * 18
    assert (reads["grade"].isna() == (reads["reason"] == HIDDEN)).all()
    assert set(again["campaign"]) == {"reread"} and len(again) == len(reads)
    differ = (again["grade"].to_numpy() != reads["grade"].to_numpy()).mean()
    other = (made["reads_sparcc_R2.csv"]["grade"].to_numpy() != reads["grade"].to_numpy()).mean()
    assert 0 < differ < other, "a reader agrees with oneself more than with another"


def test_the_oedema_of_the_active_arm_has_fallen_after_a_year():
    study = Study(StudyPlan(1 + 7 * EVERY, 2, 119, systems=STACKS))
    made = tables(study)
    points = made["truth_sparcc.csv"].groupby(["subject", "visit"])["grade"].sum().unstack()
    arm = made["subjects.csv"].set_index("subject")["arm"].reindex(points.index)
    left = points["W52"].groupby(arm).sum() / points["BL"].groupby(arm).sum()
    assert left["Active"] < 0.5 < left["Placebo"]


def test_a_study_gives_the_same_bytes_twice_and_goes_on_where_it_stopped(tmp_path, coarse):
    for name in ("a", "b"):
        write_study(PLAN, tmp_path / name, processes=1)
    before = digests(tmp_path / "a")
    assert digests(tmp_path / "b") == before
    first, second, third = (image_path(tmp_path / "a", film) for film in Study(PLAN).stacks)
    next(first.rglob("*.dcm")).unlink()
    (tmp_path / "a" / "labels" / "P001" / f"{first.name}.json").unlink()
    kept = {path: path.stat().st_mtime_ns for path in second.rglob("*.dcm")}
    third.rename(third.with_suffix(".part99"))
    write_study(PLAN, tmp_path / "a", processes=1)
    assert digests(tmp_path / "a") == before
    assert {path: path.stat().st_mtime_ns for path in second.rglob("*.dcm")} == kept


def test_lists_say_what_each_series_and_slice_is(cohort):
    _, _, folder, _ = cohort
    assert not (folder / "films.csv").exists()
    series, slices = pd.read_csv(folder / "stacks.csv"), pd.read_csv(folder / "slices.csv")
    good = series[series["kind"] == "good"]
    assert sorted(zip(good["view"], good["sequence"], strict=True)) == [
        (f"mri_{region}", sequence)
        for region in ("cervical", "lumbar", "thoracic")
        for sequence in ("STIR", "T1")
    ]  # fmt: skip
    assert series["to_refuse"].tolist() == [False] * 6 + [True] * 2
    for row in series.itertuples():
        assert len(list((folder / row.folder).glob("*.dcm"))) == row.slices
    assert len(slices) == good.loc[good["sequence"] == "STIR", "slices"].sum()
    assert slices["oedema_pixels"].sum() > 0 and slices["radiologist"].isin([0, 1]).all()
    assert not {"arm", "treatment"} & {*series, *slices}


def test_slices_are_counted_apart_from_films(cohort):
    _, study, folder, taken = cohort
    assert (taken.ingested, taken.stacks, taken.refused, taken.held) == (0, 8, [], [])
    assert taken.slices_ingested == len(list(folder.rglob("*.dcm"))) > 100
    assert len(study.films) == 0


def test_stacks_are_read_in_and_those_sent_by_mistake_cannot_be_scored(cohort):
    store, _, _, _ = cohort
    found = {visit: stacks_of_visit(store, Viewer(), "P001", visit) for visit in ("BL", "W52")}
    whole = [one for one in found["BL"] if not one.problems]
    assert sorted((one.region.value, one.sequence.value) for one in whole) == [
        (region, sequence) for region in ("cervical", "lumbar", "thoracic") for sequence in (STIR, T1)
    ]  # fmt: skip
    assert [one.why_not() for one in whole if one.sequence.value == STIR] == [()] * 3
    (lost,) = (one for one in found["BL"] if one.problems)
    assert any("a slice is missing" in words for words in lost.why_not())
    (plan,) = found["W52"]
    assert "a localiser" in plan.why_not()


def test_reads_and_truth_of_stacks_are_in_the_cohort(cohort):
    store, study, folder, taken = cohort
    totals = store.query(
        "SELECT reader, campaign, visit, total FROM main.total WHERE system = 'sparcc' "
        "AND component = 'total' AND rule = 'sparcc.six_worst_each_visit'"
    )
    first = totals[totals["visit"] == "BL"]
    assert sorted(zip(first["reader"], first["campaign"], strict=True)) == [
        *((f"R{n}", campaign) for n in (1, 2, 3) for campaign in ("paired", "reread")), ("truth", "truth")
    ]  # fmt: skip
    assert first["total"].notna().all()
    rows = store.query("SELECT count(*) AS n FROM main.site_score WHERE reader <> 'truth'")["n"][0]
    assert rows == taken.reads
    version = store.version()
    again = import_tables(store, folder)
    import_stacks(store, study, folder, again, workers=0)
    assert (again.slices_ingested, again.slices_already_there) == (0, taken.slices_ingested)
    assert store.version() == version


def test_a_folder_of_fewer_systems_goes_on_as_it_was(tmp_path):
    every = StudyPlan(2, 2, 5, systems=generators.systems())
    claim(replace(every, systems=FILMS), tmp_path)
    assert known_plan(every, tmp_path).systems == FILMS
    assert known_plan(replace(every, seed=6), tmp_path) == replace(every, seed=6)
