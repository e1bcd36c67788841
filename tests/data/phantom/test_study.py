"""The study as files: tables that say what the course says, who is read twice, whose folder it is."""

from io import StringIO

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from data.phantom.spine.course import visit_codes
from data.phantom.spine.population import SITES
from data.phantom.study import (
    Study,
    StudyPlan,
    claim,
    tables,
    write_images,
)

PLAN = StudyPlan(24, 3, 5)


@pytest.fixture(scope="module")
def study():
    return Study(PLAN)


@pytest.fixture(scope="module")
def made(study):
    return {name: pd.read_csv(StringIO(table.to_csv(index=False))) for name, table in tables(study).items()}


def test_tables_are_the_same_every_time():
    one, two = (tables(Study(StudyPlan(4, 2, 5))) for _ in range(2))
    assert {name: table.to_csv() for name, table in one.items()} == {
        name: table.to_csv() for name, table in two.items()
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
        assert len(reads) == np.isfinite(study.parts["msasss"].seen).sum()
        assert set(again["subject"]) == {"P002", "P008", "P014", "P020"}
        assert set(reads["campaign"]) == {"paired"} and set(again["campaign"]) == {"reread"}
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


@pytest.mark.slow
def test_a_film_without_labels_is_not_taken_as_done(tmp_path):
    study = Study(StudyPlan(1, 1, 5))
    film = study.conduct.films[0]
    study.conduct.films[:] = [film]
    write_images(study, tmp_path, processes=1)
    label = next(tmp_path.rglob("*.json"))
    label.unlink()
    write_images(study, tmp_path, processes=1)
    assert label.is_file()
