"""The study as files: tables that say what the course says, films with labels, the same bytes every time."""

import hashlib
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from pydicom import dcmread

from core.errors import InputError
from data.phantom.course import visit_codes
from data.phantom.population import SITES
from data.phantom.study import (
    Study,
    StudyPlan,
    claim,
    film_path,
    tables,
    write_film,
    write_films,
    write_study,
)

PLAN = StudyPlan(24, 3, 5)


@pytest.fixture(scope="module")
def study():
    return Study(PLAN)


@pytest.fixture(scope="module")
def made(study):
    return {name: pd.read_csv(StringIO(table.to_csv(index=False))) for name, table in tables(study).items()}


def test_tables_are_the_same_every_time(study):
    again = tables(Study(PLAN))
    assert {name: table.to_csv() for name, table in tables(study).items()} == {
        name: table.to_csv() for name, table in again.items()
    }


def test_subjects_carry_their_covariates(made):
    subjects = made["subjects.csv"]
    assert subjects["subject"].tolist() == [f"P{number:03d}" for number in range(1, 25)]
    assert (subjects["arm"] == "Active").sum() == 12
    assert subjects["HLA-B27"].isin(["positive", "negative"]).all()
    years = pd.to_datetime(subjects["baseline_date"]).dt.year - subjects["birth_year"]
    assert (years - subjects["age"]).between(-1, 3).all()


def test_visits_that_did_not_take_place_have_no_day(study, made):
    visits = made["visits.csv"]
    assert visits["day"].isna().sum() == (~study.conduct.came).sum() > 0
    assert (visits["day"].isna() == visits["crp_mg_l"].isna()).all()
    assert visits["planned_day"].tolist() == [0, 364, 728] * 24


def test_truth_stands_at_every_visit_that_took_place(study, made):
    truth = made["truth.csv"]
    assert len(truth) == 24 * study.conduct.came.sum()
    row = truth[(truth["subject"] == "P003") & (truth["visit"] == "BL")]
    grade = np.minimum(np.floor(study.course.severity[2, 0]), 3)
    assert row.set_index("site")["grade"].reindex(SITES).tolist() == grade.tolist()


def test_reads_cover_films_and_some_are_repeated(study, made):
    for name in ("R1", "R2"):
        reads, again = made[f"reads_{name}.csv"], made[f"rereads_{name}.csv"]
        assert len(reads) == np.isfinite(study.seen).sum()
        assert set(again["subject"]) == {"P002", "P008", "P014", "P020"}
        assert set(reads["read"]) == {1} and set(again["read"]) == {2}
        assert (reads["grade"].isna() == reads["reason"].notna()).all()
        assert set(reads["visit"]) == set(visit_codes(3))
    assert not made["reads_R1.csv"]["grade"].equals(made["reads_R2.csv"]["grade"])


def test_a_study_too_small_for_re_reads_has_no_file_of_them():
    assert not [name for name in tables(Study(StudyPlan(1, 2, 5))) if name.startswith("rereads")]


def test_folder_of_another_study_is_refused(tmp_path):
    claim(PLAN, tmp_path / "a")
    claim(PLAN, tmp_path / "a")
    with pytest.raises(InputError, match="holds another phantom study"):
        claim(StudyPlan(24, 3, 6), tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="empty or new folder"):
        claim(PLAN, tmp_path / "b")


def digests(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "out"
    counts = []
    study = write_study(
        StudyPlan(1, 2, 5), folder, processes=2, progress=lambda done, total: counts.append((done, total))
    )
    return study, folder, counts


@pytest.mark.slow
def test_films_carry_trial_tags_and_labels(written):
    study, folder, counts = written
    films = pd.read_csv(folder / "films.csv")
    corners = pd.read_csv(folder / "corners.csv")
    assert counts[0] == (0, len(films)) and counts[-1] == (len(films), len(films))
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
def test_only_missing_films_are_rendered_and_to_the_same_bytes(written, tmp_path):
    study, folder, _ = written
    before = digests(folder)
    film = study.conduct.films[1]
    path = film_path(folder, film)
    kept = {
        other: film_path(folder, other).stat().st_mtime_ns for other in study.conduct.films if other != film
    }
    path.unlink()
    path.with_suffix(".part99").write_bytes(b"left by a process that was killed")
    write_study(study.plan, folder, processes=1)
    assert digests(folder) == before
    assert {other: film_path(folder, other).stat().st_mtime_ns for other in kept} == kept


@pytest.mark.slow
def test_a_film_without_labels_is_not_taken_as_done(written, tmp_path):
    study, _, _ = written
    film = study.conduct.films[0]
    write_film(study.plan, tmp_path, film, study.states(film))
    label = next(tmp_path.rglob("*.json"))
    label.unlink()
    one = Study(study.plan)
    one.conduct.films[:] = [film]
    write_films(one, tmp_path, processes=1)
    assert label.is_file()
