"""Whose film and which visit: by exact names first, by the very date first, and never by a guess."""

import json
from datetime import date, timedelta

import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import assume, given
from hypothesis import strategies as st

from core.cli import cli
from core.errors import InputError
from core.names import Names
from data.ingest.assign import Facts, Known, Visit, assign
from data.ingest.image_map import read_image_map
from data.tables.import_subjects import import_subjects
from tests.helpers.deliveries import take
from tests.helpers.small_films import film, picture, save, trial_film

ZERO = date(2014, 3, 10)
WHOSE = "D-1"


def visits(*days, window=None):
    """Visits named by their day, and by that alone known to have taken place."""
    return [Visit(f"Day {day}", at, day, day, window, window) for at, day in enumerate(days)]


def known(subjects, own, baseline=True):
    """A study in which every subject has the same visits."""
    return Known(
        Names(subjects),
        dict.fromkeys(subjects, own),
        Names([visit.visit for visit in own], are_visits=True),
        {},
        {(subject, WHOSE): ZERO for subject in subjects} if baseline else {},
    )


def where(study, **facts):
    return assign([Facts("image", dates_of=WHOSE, **facts)], study)[0]


def on(day):
    return ZERO + timedelta(days=day)


# -- names -------------------------------------------------------------------------------------------------


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 99))
def test_the_exact_subject_and_visit_come_first(site, number, week):
    assume(site != number)
    subjects = [f"{site}-{number}", f"{number}-{site}", f"{site}{number}"]
    names = [f"Week -{week}", f"Week {week}", f"Week-{week}0"]
    own = [Visit(name, at, None, None, None, None) for at, name in enumerate(names)]
    for subject in dict.fromkeys(subjects):
        for visit in names:
            for facts in (
                {"trial_subject": subject, "trial_visit": visit},
                {"map_subject": subject, "map_visit": visit},
            ):
                found = where(known(dict.fromkeys(subjects), own), **facts)
                assert (found.subject, found.visit, found.problem) == (subject, visit, "")


def test_what_could_be_two_subjects_stays_open_and_names_both():
    found = where(known(["007", "7"], visits(0)), trial_subject="07")
    assert found.subject is None
    assert found.problem == "subject 07 may be 007 or 7; write the one that is meant"


def test_a_subject_with_other_zeros_is_found_and_said():
    found = where(known(["007", "8"], visits(0)), trial_subject="7", trial_visit="Day 0")
    assert (found.subject, found.visit) == ("007", "Day 0")
    assert found.note == "subject 7 (Clinical Trial tags) is taken for 007 of the study"


def test_a_visit_with_another_sign_stays_open():
    found = where(known(["S1"], visits(0, 1)), trial_subject="S1", trial_visit="Day -1")
    assert found.visit is None
    assert found.problem == (
        "visit Day -1 (Clinical Trial tags) is not among the visits of the study (Day 1 is not the same)"
    )


def test_a_name_that_could_be_two_visits_of_the_study_is_the_one_that_the_subject_has():
    own = {"S1": [Visit("W4", 1, 28, None, None, None)], "S2": [Visit("Week 4", 1, 28, None, None, None)]}
    study = Known(Names(own), own, Names(["W4", "Week 4"], are_visits=True), {})
    assert where(study, trial_subject="S1", trial_visit="wk4").visit == "W4"
    assert where(study, trial_subject="S2", trial_visit="wk4").visit == "Week 4"


# -- contradictions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tag, mapped, problem",
    [
        (
            ("1-11", "Day -1"),
            ("1-11", "Day 1"),
            "the file says visit Day -1, the map file says Day 1; the file was",
        ),
        (
            ("1-11", "Day 1"),
            ("11-1", "Day 1"),
            "the file says subject 1-11, the map file says 11-1; the file was",
        ),
        (
            ("9-9", "Day 1"),
            ("11-1", "Day 1"),
            "the file says subject 9-9, the map file says 11-1; the map file was",
        ),
        (
            ("1-11", "Day 8"),
            ("1-11", "Day 1"),
            "the file says visit Day 8, the map file says Day 1; the map file was",
        ),
        (("1-11", "DAY 1"), ("1-11 ", "day\u00a01"), ""),
    ],
)
def test_file_and_map_that_contradict_each_other_are_noticed(tag, mapped, problem):
    found = where(
        known(["1-11", "11-1"], visits(-1, 1)),
        trial_subject=tag[0], trial_visit=tag[1], map_subject=mapped[0], map_visit=mapped[1],
    )  # fmt: skip
    assert found.problem.startswith(problem) and bool(found.problem) == bool(problem)


def test_two_visit_tags_that_contradict_each_other_are_noticed():
    found = where(
        known(["S1"], visits(0, 7)), trial_subject="S1", trial_visit="Day 0", trial_visit_name="Day 7"
    )
    assert (found.visit, found.note) == (
        "Day 0",
        "the file says visit Day 0 and visit Day 7; Day 0 was followed",
    )


@pytest.mark.parametrize(
    "code, name, is_noticed",
    [("", "Day 0", True), ("V2", "Day 7", False), ("V2", "Day 0", True), ("", "first", False)],
)
def test_the_visit_tag_that_the_study_knows_is_held_against_the_map(code, name, is_noticed):
    tags = {"trial_subject": "S1", "trial_visit": code, "trial_visit_name": name}
    found = where(known(["S1"], visits(0, 7)), map_subject="S1", map_visit="Day 7", **tags)
    said = f"the file says visit {name}, the map file says Day 7; the file was followed"
    assert (found.problem == said) is is_noticed
    assert found.visit == (name if is_noticed else "Day 7")


def test_a_patient_number_of_another_subject_is_noticed():
    study = known(["S1", "S2"], visits(0))
    study.patients["P-2"] = "S2"
    found = where(study, trial_subject="S1", trial_visit="Day 0", patient="P-2")
    assert (found.subject, found.note) == ("S1", "its patient number is that of subject S2; S1 was followed")
    assert where(study, trial_subject="S2", trial_visit="Day 0", patient="P-2").note == ""


def test_a_name_whose_date_is_that_of_another_visit_is_noticed():
    study = known(["S1"], visits(0, 28, 364))
    found = where(study, trial_subject="S1", trial_visit="Day 28", film_date=on(364))
    assert (found.visit, found.note) == ("Day 28", "its name says Day 28, but its date is that of Day 364")
    assert where(study, trial_subject="S1", trial_visit="Day 28", film_date=on(30)).note == ""


def test_names_that_look_like_one_are_said_while_the_study_has_no_list():
    pairs = (("007", "BL"), ("7", "Baseline"), ("11-1", "W4"), ("1-11", "W-4"))
    facts = [Facts(str(at), trial_subject=who, trial_visit=when) for at, (who, when) in enumerate(pairs)]
    found = assign(facts, Known(Names([]), {}, Names([], are_visits=True), {}))
    assert [(film.subject, film.visit) for film in found] == list(pairs)
    assert [film.note for film in found] == ["subject 007 looks like 7", "subject 7 looks like 007", "", ""]


# -- dates -------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(-30, 800), min_size=1, max_size=8, unique=True), st.data())
def test_a_film_goes_to_the_visit_of_its_very_date(days, data):
    day = data.draw(st.sampled_from(days))
    window = data.draw(st.sampled_from([None, 0, 14, 400]))
    found = where(known(["S1"], visits(*days, window=window)), trial_subject="S1", film_date=on(day))
    assert (found.visit, found.by) == (f"Day {day}", "clinical_trial_tags+dates")


@given(st.integers(0, 400), st.integers(0, 400))
def test_of_two_visits_on_one_date_none_is_guessed(first, day):
    own = [Visit("A", 1, first, day, None, None), Visit("B", 2, None, day, None, None)]
    found = where(known(["S1"], own), trial_subject="S1", film_date=on(day))
    assert (found.visit, found.problem) == (None, f"its day {day} is that of A and B")


UNSCHEDULED = [
    Visit("Unscheduled (day 202)", 2, None, 202, None, None),
    Visit("Unscheduled (day 294)", 3, None, 294, None, None),
    Visit("Week 52", 4, 364, None, None, None),
]


@pytest.mark.parametrize(
    "day, visit", [(202, "Unscheduled (day 202)"), (294, "Unscheduled (day 294)"), (300, None)]
)
def test_of_several_visits_of_one_name_the_date_decides(day, visit):
    found = where(
        known(["S1"], UNSCHEDULED), trial_subject="S1", trial_visit="UNSCHEDULED", film_date=on(day)
    )
    assert found.visit == visit
    if visit is None:
        assert found.problem == (
            "its visit may be Unscheduled (day 202) or Unscheduled (day 294), and its date does not say "
            "which of them"
        )


def test_a_second_day_of_a_scheduled_visit_takes_only_the_films_of_that_day():
    own = [Visit("Week 24", 1, 168, 168, None, None), Visit("Week 24 (day 200)", 1, None, 200, None, None),
           Visit("Week 28", 2, 196, None, None, None)]  # fmt: skip
    study = known(["S1"], own)
    assert where(study, trial_subject="S1", film_date=on(200)).visit == "Week 24 (day 200)"
    for written in ("Week 24", "WEEK 24", "wk24"):
        assert where(study, trial_subject="S1", trial_visit=written).visit == "Week 24"


def test_several_visits_of_one_name_stay_open_without_a_date_even_where_another_subject_has_one():
    study = known(["S1"], UNSCHEDULED)
    study = Known(
        study.subjects, study.visits, Names(["Unscheduled", "Week 52"], are_visits=True), {}, study.baselines
    )
    assert where(study, trial_subject="S1", trial_visit="Unscheduled").visit is None


# -- deliveries --------------------------------------------------------------------------------------------


def placed(store):
    frame = store.query(
        "SELECT subject, visit FROM image WHERE superseded_by IS NULL ORDER BY film_date, image"
    )
    return [tuple(None if pd.isna(value) else value for value in row) for row in frame.to_numpy().tolist()]


def texts(**columns):
    frame = pd.DataFrame({name: pd.Series(values, dtype="str") for name, values in columns.items()})
    frame.index = pd.RangeIndex(1, len(frame) + 1, name="row")
    return frame


def test_films_with_signs_and_swapped_numbers_find_their_own(store, tmp_path):
    names = [
        ("1-11", "Week -4"),
        ("1-11", "Baseline"),
        ("11-1", "Baseline"),
        ("2-05", "Week -4"),
        ("2-05", "Week 4"),
    ]
    import_subjects(
        store,
        texts(subject=["1-11", "11-1", "2-05"]),
        texts(visit=["Week -4", "Baseline", "Week 4"], planned_day=["-28", "0", "28"]),
        actor="x",
    )
    for number, (subject, visit) in enumerate(names):
        save(trial_film(number, subject, visit), tmp_path / "films" / f"{number}.dcm")
    result = take(store, tmp_path / "films")
    assert sorted(placed(store)) == sorted(names)
    assert (result.flagged, result.unassigned) == ([], [])


def test_films_of_two_unscheduled_visits_go_by_their_dates(store, tmp_path):
    import_subjects(
        store,
        texts(subject=["S/1"], baseline_date=["2013-06-01"]),
        texts(
            subject=["S/1"] * 4,
            visit=["BASELINE", "UNSCHEDULED 9.2", "UNSCHEDULED 9.2", "WEEK 52"],
            VISITDY=["1", None, None, "364"],
            date=["2013-06-01", "2013-12-20", "2014-03-22", "2014-05"],
        ),
        actor="x",
    )
    for number, day in enumerate(("20130601", "20131220", "20140322", "20140530")):
        save(
            film(picture(number), bits=12, PatientID="S/1", StudyDate=day), tmp_path / "films" / f"{day}.dcm"
        )
    take(store, tmp_path / "films")
    assert [visit for _, visit in placed(store)] == [
        "BASELINE", "UNSCHEDULED 9.2 (day 202)", "UNSCHEDULED 9.2 (day 294)", "WEEK 52",
    ]  # fmt: skip


def one_study(tmp_path, *people, **tags):
    for number, person in enumerate(people):
        dataset = film(picture(number), bits=12, PatientID=person, StudyInstanceUID="1.2.3.4", **tags)
        save(dataset, tmp_path / f"delivery{number}" / f"{number}.dcm")
    return [tmp_path / f"delivery{number}" for number in range(len(people))]


@pytest.mark.parametrize("together", [True, False])
def test_one_study_under_two_patient_numbers_is_noticed(store, tmp_path, together):
    folders = one_study(tmp_path, "0001234", "1234")
    results = [take(store, *folders)] if together else [take(store, folder) for folder in folders]
    numbers = store.query("SELECT patient FROM delivery ORDER BY patient")["patient"].tolist()
    text = f"its study (one examination) is there under {numbers[0]} and {numbers[1]}"
    flagged = [(row["file"], row["warnings"][0].startswith(text)) for row in results[-1].flagged]
    assert flagged == ([("0.dcm", True), ("1.dcm", True)] if together else [("1.dcm", True)])
    assert all(result.flagged == [] for result in results[:-1])
    assert "0001234" not in json.dumps(results[-1].flagged)


def test_one_study_under_two_patient_numbers_is_no_fault_once_a_map_says_that_they_are_one(store, tmp_path):
    folders = one_study(tmp_path, "0001234", "1234")
    table = tmp_path / "map.csv"
    table.write_text("patient,subject\n0001234,S1\n1234,S1\n", encoding="utf-8")
    assert take(store, *folders, map_file=table).flagged == []


def test_one_study_of_two_subjects_is_named_by_its_subjects(store, tmp_path):
    folders = one_study(tmp_path, "0001234", "1234")
    table = tmp_path / "map.csv"
    table.write_text("patient,subject\n0001234,S1\n1234,S2\n", encoding="utf-8")
    warning = take(store, *folders, map_file=table).flagged[0]["warnings"][0]
    assert warning.startswith("its study (one examination) is there under S1 and S2")


def test_a_film_of_a_study_that_only_lacks_its_tags_is_no_fault(store, tmp_path):
    folders = one_study(tmp_path, "0001234", "0001234")
    table = tmp_path / "map.csv"
    table.write_text("file,subject\n0.dcm,S1\n", encoding="utf-8")
    assert take(store, *folders, map_file=table).flagged == []


def test_ingest_says_where_file_and_map_contradict_each_other(tmp_path):
    save(trial_film(1, "S7", "BL"), tmp_path / "films" / "a.dcm")
    (tmp_path / "map.csv").write_text("file,subject,visit\na.dcm,S8,BL\n", encoding="utf-8")
    line = [
        "--cohort",
        str(tmp_path / "c.duckdb"),
        "ingest",
        "--workers",
        "0",
        "--map",
        str(tmp_path / "map.csv"),
    ]
    result = CliRunner().invoke(cli, [*line, str(tmp_path / "films")], standalone_mode=False)
    assert "the file says subject S7, the map file says S8; the file was followed: a.dcm" in result.stdout


# -- map files ---------------------------------------------------------------------------------------------


def found_in(tmp_path, text, **image):
    path = tmp_path / "map.csv"
    path.write_text(text, encoding="utf-8")
    return read_image_map(path).find(**({"file": "a.dcm", "patient": "P1", "study": "1.2"} | image))


def test_patient_numbers_of_a_map_are_compared_exactly_first(tmp_path):
    text = "patient,subject\nab1,S1\nAB1,S2\n"
    assert found_in(tmp_path, text, patient="AB1") == ("S2", None)
    assert found_in(tmp_path, text, patient="Ab1") == (None, None)
    assert found_in(tmp_path, "patient,subject\nAB1\u200b,S2\n", patient="ab1") == ("S2", None)
    assert found_in(tmp_path, "patient,subject\n1234,S2\n", patient="0001234") == (None, None)


def test_file_names_in_a_map_may_be_composed_otherwise(tmp_path):
    assert found_in(tmp_path, "file,subject\nMu\u0308ller.dcm,S1\n", file="x/M\u00fcller.dcm") == ("S1", None)


def test_a_name_that_begins_like_the_one_in_the_map_is_another(tmp_path):
    text = "file,subject\nP1.dcm,S1\nP1/*,S2\n"
    for name in ("P10.dcm", "AP1.dcm", "P10/a.dcm"):
        assert found_in(tmp_path, text, file=name) == (None, None)
    assert found_in(tmp_path, text, file="x/P1/a.dcm") == ("S2", None)


def test_rows_of_a_map_that_contradict_each_other_are_refused(tmp_path):
    path = tmp_path / "map.csv"
    path.write_text("file,subject,visit\na.dcm,S1,BL\nb.dcm,S1,BL\nA.DCM,S2,BL\n", encoding="utf-8")
    with pytest.raises(InputError, match="rows 1 and 3 name the same images and contradict each other"):
        read_image_map(path)
