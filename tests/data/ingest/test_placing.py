"""Films that wait for a patient: placed by a person or by a map alone, and by nothing that could be wrong."""

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cli import main
from data.dicom.pseudonyms import CohortKey
from data.ingest.file_marks import mark, marks_of
from data.ingest.image_map import ImageMap, MapRow
from data.ingest.placing import Place, place_films, preview_places
from data.ingest.run import ingest
from data.store.cohort import CohortStore
from data.tables.import_subjects import import_subjects
from data.verify import verify
from tests.helpers.small_films import film, picture, save

KEY = CohortKey(b"k" * 32)
DAYS = ("20210304", "20220306")


@pytest.fixture
def study(tmp_path):
    """Two people with two films each, without trial tags."""
    for person in ("H-1", "H-2"):
        for number, day in enumerate(DAYS):
            pixels = picture(10 * int(person[-1]) + number)
            tags = {"PatientID": person, "PatientName": f"Name{person}^X", "StudyDate": day}
            save(film(pixels, bits=12, **tags), tmp_path / "in" / person / f"film{number}.dcm")
    store = CohortStore.open(tmp_path / "c.duckdb")
    result = ingest(store, [tmp_path / "in"], workers=0, show_dates=True)
    return store, {film["file"]: film for film in result.unassigned}


def stored(store):
    rows = store.query(
        "SELECT image, subject, visit, assigned_by FROM main.image WHERE superseded_by IS NULL"
    )
    rows = rows.astype(object).where(rows.notna(), None)
    return {row.image: (row.subject, row.visit, row.assigned_by) for row in rows.itertuples()}


@pytest.fixture
def run(study, capsys):
    """The command over the study: its status, and what it said."""

    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["--cohort", str(study[0].path), *map(str, arguments), "--json"])
        said = capsys.readouterr()
        return ended.value.code, json.loads(said.out) if said.out.startswith("{") else said.err

    return call


def test_the_delivered_date_is_said_and_not_stored(study, tmp_path):
    store, films = study
    assert films["H-1/film0.dcm"]["date"] == "2021-03-04"
    dates = store.query("SELECT film_date FROM main.image")["film_date"].astype(str)
    assert not set(dates) & {"2021-03-04", "2022-03-06"}
    assert "date" not in ingest(store, [tmp_path / "in"], workers=0).unassigned[0]


def test_a_person_places_films_and_tables_do_not_move_them(study):
    store, films = study
    image = films["H-1/film0.dcm"]["image"]
    places = [Place(image, " S1", "BL")]
    before = store.meta()["cohort_version"]
    assert preview_places(store, places).new_subjects == ["S1"]
    assert store.meta()["cohort_version"] == before
    plan = place_films(store, places, actor="ann")
    assert (plan.new_subjects, plan.new_visits, plan.refused) == (["S1"], ["BL"], [])
    assert stored(store)[image] == ("S1", "BL", "person")
    visits = store.query("SELECT subject, visit, day FROM main.visit WHERE superseded_by IS NULL")
    assert visits.values.tolist() == [["S1", "BL", 0]]
    import_subjects(store, pd.DataFrame({"subject": ["S1", "H-1"]}, index=[1, 2]))
    ingest(store, [store.path.parent / "in"], workers=0)
    assert stored(store)[image] == ("S1", "BL", "person")
    assert verify(store).broken == []


def test_days_of_visits_come_from_the_dates_of_the_films(study):
    store, films = study
    names = {("H-1", 1): ("S1", "W52"), ("H-1", 0): ("S1", "BL"), ("H-2", 1): ("S2", "W52")}
    places = [
        Place(films[f"{person}/film{number}.dcm"]["image"], *name) for (person, number), name in names.items()
    ]
    place_films(store, places, actor="ann")
    visits = store.query("SELECT subject, visit, day FROM main.visit WHERE superseded_by IS NULL")
    days = {(row.subject, row.visit): row.day for row in visits.itertuples()}
    assert (days["S1", "BL"], days["S1", "W52"]) == (0, 367)
    assert pd.isna(days["S2", "W52"])


@pytest.mark.parametrize(
    ("subject", "visit", "reason"),
    [
        ("", "BL", "no patient is named"),
        ("S1", "  ", "no visit is named"),
        ("S9", "BL", "subject S9 is not among those of the study"),
    ],
)
def test_what_cannot_be_placed_is_refused(study, subject, visit, reason):
    store, films = study
    import_subjects(store, pd.DataFrame({"subject": ["S1"]}, index=[1]))
    image = films["H-1/film0.dcm"]["image"]
    plan = place_films(store, [Place(image, subject, visit)], actor="ann")
    assert plan.placed == []
    assert reason in plan.refused[0]["reason"]
    assert stored(store)[image] == (None, None, None)


def test_a_film_that_is_assigned_or_unknown_is_not_moved(study):
    store, films = study
    image = films["H-1/film0.dcm"]["image"]
    place_films(store, [Place(image, "S1", "BL")], actor="ann")
    plan = place_films(store, [Place(image, "S2", "BL"), Place("0" * 64, "S2", "BL")], actor="ann")
    assert [row["reason"] for row in plan.refused] == [
        "the film is assigned already: S1, BL",
        "no film of the cohort has this id, or it is held back",
    ]
    assert stored(store)[image][0] == "S1"


def test_names_are_brought_to_the_way_of_the_study(study):
    store, films = study
    first, second = (films[f"H-1/film{number}.dcm"]["image"] for number in (0, 1))
    places = [Place(first, "S-001", "Week 0"), Place(second, "s 001", "wk0")]
    plan = place_films(store, places, actor="ann")
    assert {(place.subject, place.visit) for place in plan.placed} == {("S-001", "Week 0")}


@pytest.mark.parametrize("finder", ["file", "folder", "patient", "image"])
def test_a_map_alone_places_films_that_are_there(study, run, tmp_path, finder):
    store, films = study
    wanted = films["H-2/film1.dcm"]["image"]
    name, value = {
        "file": ("file", "H-2/film1.dcm"),
        "folder": ("file", "h-2\\FILM1.dcm"),
        "patient": ("patient", "H-2"),
        "image": ("image", wanted[:12]),
    }[finder]
    (tmp_path / "map.csv").write_text(f"{name},subject,visit\n{value},S2,W52\n")
    code, said = run("ingest", "--map", tmp_path / "map.csv")
    assert (code, said["refused"], said["new_subjects"]) == (0, [], ["S2"])
    assert stored(store)[wanted] == ("S2", "W52", "map")
    others = {films[f"H-1/film{number}.dcm"]["image"] for number in (0, 1)}
    assert all(stored(store)[image] == (None, None, None) for image in others)


def test_an_end_of_a_name_that_two_films_have_is_both(study, run, tmp_path):
    store, films = study
    (tmp_path / "map.csv").write_text(
        "file,subject,visit\nfilm0.dcm,S1,BL\nH-2/film0.dcm,S2,BL\nno.dcm,S3,BL\n"
    )
    code, said = run("ingest", "--map", tmp_path / "map.csv")
    assert code == 1
    assert stored(store)[films["H-1/film0.dcm"]["image"]][0] == "S1"
    assert stored(store)[films["H-2/film0.dcm"]["image"]][0] == "S2"
    assert said["refused"] == [{"row": 3, "reason": "no film fits"}]


def test_rows_of_a_map_that_cannot_be_compared_say_why(run, tmp_path):
    (tmp_path / "map.csv").write_text("file,patient,subject\n*/film0.dcm,,S1\n,H-9,S2\n")
    code, said = run("ingest", "--map", tmp_path / "map.csv")
    assert code == 2
    assert [row["row"] for row in said["refused"]] == [1, 2]
    assert "a pattern needs the files" in said["refused"][0]["reason"]


def test_a_map_alone_needs_no_paths_and_paths_need_no_map(run):
    code, said = run("ingest")
    assert code == 2
    assert "--map FILE is needed" in said


NAMES = st.lists(
    st.text(st.characters(exclude_characters="/\\*?["), min_size=1, max_size=8), min_size=1, max_size=4
)


@given(NAMES, NAMES)
def test_marks_find_what_names_find(delivered, mapped):
    name, wanted = "/".join(delivered), "/".join(mapped)
    row = MapRow(wanted, "", "", "S1", "")
    by_name = ImageMap((row,)).find(file=name, patient="", study="")[0] == "S1"
    assert (mark(wanted, KEY) in json.loads(marks_of(name, KEY))) == by_name
