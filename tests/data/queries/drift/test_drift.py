"""Drift of a model in a cohort: planted and not, by device and by the month in which films were taken."""

import json

import numpy as np
import pandas as pd
import pytest

from core.domain import CohortFilter, Role, Viewer
from core.errors import InputError
from data.dicom.pseudonyms import key_file
from data.queries.drift import calendar
from data.queries.drift.drift import Asked, drift
from data.queries.drift.images import model_images, models
from data.queries.drift.pixels import measured, sample
from tests.helpers import drifting_cohort as made
from tests.helpers.commands import run_command

CHOSEN, ANALYST = CohortFilter(system="msasss"), Viewer()


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    return made.build(tmp_path_factory.mktemp("drift") / "cohort.duckdb", planted=1)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    return made.build(tmp_path_factory.mktemp("quiet") / "cohort.duckdb")


def images_of(store, viewer=ANALYST):
    return model_images(store, viewer, CHOSEN, made.MODEL, "model-single", "main")


def test_planted_machine_is_flagged_in_agreement_and_images(planted):
    found = drift(planted, Viewer(), Asked(CHOSEN))
    flagged = {(flag["by"], flag["measure"]) for flag in found["flags"]}
    assert {("device", "difference"), ("device", "error"), ("device", "brightness")} <= flagged
    assert not [by for by, _ in flagged if by == "time"]
    points = {one["level"]: one for one in found["device"]["measures"]["difference"]}
    assert points["Rays Ray Two"]["difference"] == pytest.approx(0.45, abs=0.1)


def test_no_flag_where_nothing_was_planted(quiet):
    found = drift(quiet, Viewer(), Asked(CHOSEN))
    assert found["flags"] == []
    assert found["images"] == 36 and found["patients"] == 18


def test_measures_of_an_image_are_those_of_its_sites(planted):
    rows = images_of(planted).set_index("image")
    grades = planted.query("SELECT * FROM main.site_score").query("subject == 'P01' and visit == 'BL'")
    wide = grades.pivot(index="site", columns="reader", values="grade")
    gaps = wide[made.MODEL] - wide[["R1", "R2"]].mean(axis=1)
    image = "01bl".ljust(24, "0")
    assert rows.loc[image, "difference"] == pytest.approx(gaps.mean())
    assert rows.loc[image, "error"] == pytest.approx(gaps.abs().mean())
    assert rows.loc[image, "certainty"] == pytest.approx(0.7)
    assert rows.loc[image, ["abstained", "unscorable"]].tolist() == [0, 0]


def test_months_are_those_in_which_films_were_taken_and_not_the_moved_ones(planted):
    rows = images_of(planted)
    found = calendar.months(planted, rows, "film")
    for row, month in zip(rows.itertuples(), found, strict=True):
        assert month == pd.Period(made.taken(int(row.subject[1:]), row.visit), "M")
        assert pd.Period(row.film_date, "M") != month


def test_without_the_key_no_date_is_known_and_time_is_that_of_import(tmp_path):
    store = made.build(tmp_path / "cohort.duckdb")
    key_file(store.path).write_bytes(b"0" * 32)
    assert calendar.months(store, images_of(store), "film").isna().all()
    key_file(store.path).unlink()
    rows = images_of(store).assign(imported=pd.Timestamp("2024-05-03"))
    assert calendar.months(store, rows, "film").isna().all()
    assert set(calendar.months(store, rows, "import").astype(str)) == {"2024-05"}
    found = drift(store, Viewer(), Asked(CHOSEN))
    assert found["time"]["by"] == "import"
    assert any("key is not beside it" in note for note in found["notes"])


def test_dates_moved_under_a_name_that_is_not_known_stay_unknown(planted):
    rows = images_of(planted)
    rows.loc[0, "dates_of"] = "D-another"
    assert calendar.months(planted, rows, "film").isna().tolist() == [True] + [False] * 35


def test_blinded_reader_gets_no_image_of_a_model(planted):
    viewer = Viewer(Role.READER, "R1")
    assert models(planted, viewer, "msasss").empty
    assert images_of(planted, viewer).empty
    with pytest.raises(InputError, match="no model has scored"):
        drift(planted, viewer, Asked(CHOSEN))


def test_no_date_and_no_patient_leaves_with_the_result(planted):
    text = json.dumps(drift(planted, Viewer(), Asked(CHOSEN)), default=str)
    assert not any(patient in text for patient in made.PATIENTS)
    assert "-15" not in text


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Asked(CHOSEN, model="model:other"), "model:msasss-demo in model-single"),
        (Asked(CHOSEN, people="nobody's"), "people read in main"),
        (Asked(CHOSEN, reference="spring"), "a month is needed"),
        (Asked(CohortFilter(system="mtss")), "no model has scored"),
    ],
)
def test_what_cannot_be_asked_says_what_can(quiet, asked, words):
    with pytest.raises(InputError, match=words):
        drift(quiet, Viewer(), asked)


def test_noise_brightness_and_contrast_are_those_that_were_put_in():
    rng = np.random.default_rng(0)
    steps = np.repeat(np.arange(8) * 100.0, 50) + 500
    brightness, contrast, noise = measured(steps + rng.normal(0, 20, (200, 400)), 4095)
    assert brightness == pytest.approx(850 / 4095, rel=0.01)
    assert contrast == pytest.approx(700 / 4095, rel=0.1)
    assert noise == pytest.approx(20 / 4095, rel=0.05)


def test_scans_are_compared_within_the_kind_of_joint_and_the_mode(tmp_path):
    joints = ["MCP2", "MCP3", "WR"] * 12
    store = made.build(tmp_path / "cohort.duckdb", joint=joints, mode="PD")
    kinds = images_of(store)["kind"]
    assert set(kinds) == {"lumbar spine, lateral, MCP, PD", "lumbar spine, lateral, WR, PD"}


def test_sample_of_images_is_the_same_in_any_order():
    names = pd.Series([f"{number * 7919 % 97:02d}" for number in range(60)])
    assert sample(names, 5) == sample(names[::-1], 5)
    assert len(sample(names, 5)) == 5


def test_command_says_which_device_and_prints_json(planted, capsys):
    status, out, _ = run_command(capsys, "--cohort", planted.path, "drift", "--system", "msasss")
    assert status == 0
    assert "flag: model minus mean of readers, Rays Ray Two: +0.4" in out
    status, out, _ = run_command(capsys, "--cohort", planted.path, "drift", "--system", "msasss", "--json",
                                 "--reference", "2022-12", "--pixels", 0)  # fmt: skip
    found = json.loads(out)
    assert status == 0 and found["time"]["reference"] == "2022-12"
    assert "brightness" not in found["measures"] and found["images_looked_at"] == 0
    assert any(one["is_reference"] for one in found["time"]["periods"])
