"""Names and visits of tables: never another subject's or visit's row, and what could be two is said."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.store.cohort import CohortStore
from data.tables.import_reads import ReadsRequest, import_reads
from data.tables.import_subjects import SubjectsRequest, import_subjects
from data.tables.spelling import Known, spell
from data.tables.subjects import read_subjects
from data.tables.visits import read_visits

R1 = ReadsRequest("msasss", "R1", read_mode="paired")
PLAN = ("Week -4", "Baseline", "Week 4")


@pytest.fixture
def store(tmp_path):
    return CohortStore.open(tmp_path / "cohort.duckdb")


def texts(**columns):
    frame = pd.DataFrame({name: pd.Series(values, dtype="str") for name, values in columns.items()})
    frame.index = pd.RangeIndex(1, len(frame) + 1, name="row")
    return frame


def reads(*rows):
    subjects, visits = zip(*rows, strict=True)
    return texts(subject=subjects, visit=visits, C2I=["1"] * len(rows))


def plan(store, *subjects):
    visits = texts(visit=PLAN, planned_day=["-28", "0", "28"])
    import_subjects(store, texts(subject=subjects), visits, actor="x")


def stored(store):
    frame = store.query("SELECT subject, visit FROM site_score WHERE superseded_by IS NULL ORDER BY ALL")
    return [tuple(row) for row in frame.to_numpy().tolist()]


def reasons(result):
    return {item["row"]: item["reason"] for item in result.refused}


# -- reads -------------------------------------------------------------------------------------------------


def test_reads_go_to_the_visit_with_the_same_sign(store):
    plan(store, "1-11", "11-1", "2-05")
    table = reads(("1-11", "WEEK -4"), ("11-1", "week -4"), ("2-05", "Week-4"), ("2-05", "wk 4"))
    result = import_reads(store, table, R1, actor="x")
    assert result.refused == []
    assert stored(store) == [
        ("1-11", "Week -4"),
        ("11-1", "Week -4"),
        ("2-05", "Week -4"),
        ("2-05", "Week 4"),
    ]


def test_a_sign_that_the_study_does_not_have_is_refused_and_the_other_visit_named(store):
    visits = texts(visit=["Baseline", "Week 4"], planned_day=["0", "28"])
    import_subjects(store, texts(subject=["P1"]), visits, actor="x")
    result = import_reads(store, reads(("P1", "Week -4")), R1, actor="x")
    assert reasons(result) == {
        1: "visit Week -4 is not among the visits of the cohort (Week 4 is not the same)"
    }


def test_lost_zeros_are_found_and_said_where_subjects_are_listed(store):
    plan(store, "007", "008")
    result = import_reads(store, reads(("7", "Baseline"), ("8.0", "Baseline")), R1, actor="x")
    assert stored(store) == [("007", "Baseline"), ("008", "Baseline")]
    assert result.notes == [
        "subject 7 is taken for 007 of the study", "subject 8.0 is taken for 008 of the study"
    ]  # fmt: skip


def test_lost_zeros_are_refused_where_two_subjects_are_listed_alike(store):
    plan(store, "007", "7")
    result = import_reads(store, reads(("07", "Baseline"), ("7", "Baseline")), R1, actor="x")
    assert reasons(result) == {1: "subject 07 may be 007 or 7; write the one that is meant"}
    assert stored(store) == [("7", "Baseline")]


@pytest.mark.parametrize("other", ["7", "07", "7.0", "0007"])
def test_reads_before_a_table_of_subjects_make_no_second_subject(store, other):
    import_reads(store, reads(("007", "BL")), R1, actor="x")
    result = import_reads(store, reads((other, "W52"), ("9", "BL")), R1, actor="x")
    assert reasons(result) == {
        1: f"subject {other} looks like 007: write them alike if they are one, "
        "else import the table of subjects first"
    }
    assert stored(store) == [("007", "BL"), ("9", "BL")]
    import_subjects(store, texts(subject=["007", other, "9"]), actor="x")
    assert import_reads(store, reads((other, "W52")), R1, actor="x").refused == []


def test_look_alikes_in_one_new_table_are_both_refused(store):
    result = import_reads(store, reads(("A001", "BL"), ("a-001", "BL"), ("B1", "BL")), R1, actor="x")
    assert sorted(reasons(result)) == [1, 2]
    assert "subject A001 looks like a-001" in reasons(result)[1]
    assert stored(store) == [("B1", "BL")]


def test_case_and_characters_that_cannot_be_seen_make_no_second_subject_or_reader(store):
    import_reads(store, reads(("A001", "BL")), R1, actor="x")
    table = reads(("a001\u200b", "W4"), ("A001\u00a0", "W52"), ("\ufeffA001", "W104"))
    result = import_reads(store, table, ReadsRequest("msasss", "r1", read_mode="paired"), actor="x")
    assert result.refused == []
    assert {subject for subject, _ in stored(store)} == {"A001"}
    assert store.query("SELECT DISTINCT reader FROM site_score")["reader"].tolist() == ["R1"]


def test_readers_whose_names_begin_alike_stay_apart_and_look_alikes_are_refused(store):
    for name in ("R1", "R10", "R12"):
        assert import_reads(store, reads(("P1", "BL")), ReadsRequest("msasss", name), actor="x").refused == []
    assert store.query("SELECT reader FROM reader ORDER BY 1")["reader"].tolist() == ["R1", "R10", "R12"]
    result = import_reads(store, reads(("P1", "BL")), ReadsRequest("msasss", "R01"), actor="x")
    assert reasons(result) == {
        1: "reader R01 looks like R1: write them alike if they are one, else give one of them another name"
    }


def test_a_row_may_say_the_reader_in_other_case(store):
    table = reads(("P1", "BL"), ("P1", "W4")).assign(reader=["r1 ", "R10"])
    result = import_reads(store, table, R1, actor="x")
    assert reasons(result) == {2: "this row says reader R10, R1 was asked for"}


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8, unique=True), st.data())
def test_spelling_never_joins_or_loses_names(numbers, data):
    names = [f"{data.draw(st.sampled_from(['S-', 'S', '', '0', '00']))}{number}" for number in numbers]
    given_ = [
        f"{data.draw(st.sampled_from(['s-', 'S ', '', '0']))}{n}" for n in data.draw(st.permutations(numbers))
    ]
    for is_listed in (True, False):
        found = spell(given_, names, "subject", is_listed=is_listed, unknown="is unknown")
        assert set(found.names) | set(found.refused) == set(given_)
        assert not set(found.names) & set(found.refused)
        for text, name in found.names.items():
            assert int(text.strip("sS- ")) == int(name.strip("sS- "))


# -- subjects ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sex", ["NA", "UNDIFFERENTIATED", "U", "UNK", "unknown", "N/A"])
def test_a_sex_that_is_neither_keeps_the_subject(sex):
    found = read_subjects(texts(subject=["P1", "P2"], sex=[sex, "F"]))
    assert found.refused == []
    assert found.rows["sex"].isna().tolist() == [True, False]
    assert found.notes == [f"a sex that is neither M nor F is left empty: '{sex}' in row 1"]


def test_partial_dates_leave_the_date_empty_and_are_named():
    dates = ["201412", "2014-11", "UN-MAY-2014", "2014121", "2014-12-01"]
    found = read_subjects(texts(subject=list("ABCDE"), baseline_date=dates))
    assert found.refused == [{"row": 4, "reason": "baseline date '2014121' is not a date (2014-01-31)"}]
    assert found.rows["baseline_date"].notna().tolist() == [False, False, False, True]
    assert found.notes == [
        "a baseline date that is partial is left empty: '201412' in row 1, '2014-11' in row 2, "
        "'UN-MAY-2014' in row 3"
    ]


def test_a_birth_date_without_a_year_leaves_the_year_empty():
    found = read_subjects(texts(subject=["A", "B"], birth_date=["--12-01", "195012"]))
    assert found.refused == []
    assert found.rows["birth_year"].astype(object).where(found.rows["birth_year"].notna(), None).tolist() == [
        None,
        1950,
    ]


def test_a_subject_in_other_case_is_the_cohorts_and_a_look_alike_is_named(store):
    import_subjects(store, texts(subject=["A001", "007"]), actor="x")
    result = import_subjects(store, texts(subject=["a001", "7"], sex=["F", "M"]), actor="x")
    subjects = store.query("SELECT subject FROM subject WHERE superseded_by IS NULL ORDER BY 1")["subject"]
    assert subjects.tolist() == ["007", "7", "A001"]
    assert result.notes[0] == "subject a001 is the cohort's A001"
    assert result.notes[1].startswith("subjects 007 and 7 look like one subject written in two ways")


def test_subjects_that_differ_in_case_alone_stay_two_where_both_are_listed(store):
    import_subjects(store, texts(subject=["A001"]), actor="x")
    result = import_subjects(store, texts(subject=["A001", "a001"]), actor="x")
    assert result.stored["subject"] == 1
    assert "A001 and a001 look like one" in result.notes[0]


def test_visits_find_their_subject_without_its_zeros(store):
    visits = texts(subject=["7", "07"], visit=["BL", "W4"], day=["0", "28"])
    result = import_subjects(store, texts(subject=["007", "8"]), visits, actor="x")
    assert store.query("SELECT DISTINCT subject FROM visit")["subject"].tolist() == ["007"]
    assert (
        "a subject is taken for the one of the study with other zeros: '7' in row 1, '07' in row 2"
        in result.notes
    )


def test_visits_follow_the_spelling_of_the_cohort(store):
    plan(store, "P1")
    again = texts(subject=["P1"] * 3, visit=["WEEK -4", "baseline", "wk 4"], day=["-27", "0", "29"])
    import_subjects(store, texts(subject=["P1"]), again, SubjectsRequest(), actor="x")
    frame = store.query("SELECT visit, day FROM visit WHERE superseded_by IS NULL ORDER BY day")
    assert frame.to_numpy().tolist() == [["Week -4", -27], ["Baseline", 0], ["Week 4", 29]]


# -- several visits of one name ----------------------------------------------------------------------------


def unscheduled(*dates, name="UNSCHEDULED 9.2"):
    return texts(
        subject=["P1"] * (len(dates) + 1),
        visit=["BASELINE", *[name] * len(dates)],
        VISITNUM=["3", *["9.2"] * len(dates)],
        date=["2014-01-01", *dates],
    )


def days(found):
    return dict(zip(found.rows["visit"], found.rows["day"], strict=True))


@pytest.mark.parametrize(
    "name", ["UNSCHEDULED 9.2", "Unscheduled", "unsch", "UNS 1", "Visit uns. 1", "Extra visit"]
)
def test_unscheduled_visits_of_one_name_are_kept_as_two(name):
    found = read_visits(unscheduled("2014-03-01", "2014-05-01", name=name), ["P1"], {})
    assert days(found) == {"BASELINE": 0, f"{name} (day 59)": 59, f"{name} (day 120)": 120}
    assert f"P1 has {name} (day 59) and {name} (day 120)" in found.notes[0]


def test_one_unscheduled_visit_keeps_its_name():
    assert days(read_visits(unscheduled("2014-03-01", "2014-03-01"), ["P1"], {})) == {
        "BASELINE": 0, "UNSCHEDULED 9.2": 59,
    }  # fmt: skip


def test_an_unscheduled_visit_that_could_be_any_of_several_is_refused():
    found = read_visits(unscheduled("2014-03-01", "2014-05-01", "2014-05"), ["P1"], {})
    assert found.refused == [
        {"row": 4, "reason": "it could be any of several visits UNSCHEDULED 9.2: give its date"}
    ]
    assert len(found.rows) == 3


def test_visits_of_one_name_with_two_numbers_are_two():
    visits = texts(subject=["P1"] * 2, visit=["Repeat"] * 2, VISITNUM=["9.1", "9.2"])
    assert read_visits(visits, ["P1"], {}).rows["visit"].tolist() == ["Repeat (no. 9.1)", "Repeat (no. 9.2)"]


def test_a_scheduled_visit_keeps_its_name_on_the_first_day_and_the_other_day_is_kept_beside_it():
    visits = texts(subject=["P1"] * 4, visit=["BL", "W4", "W4", "W4"], day=["0", "28", "40", None],
                   planned_day=["0", "28", "28", "28"])  # fmt: skip
    found = read_visits(visits, ["P1"], {})
    assert days(found) == {"BL": 0, "W4": 28, "W4 (day 40)": 40}
    assert found.rows["planned_day"].isna().tolist() == [False, False, True]
    assert found.notes == [
        "visits of one name on several days are kept as several: P1 has W4 and W4 (day 40)"
    ]


def test_records_of_a_visit_on_several_days_are_of_one_visit_and_named():
    visits = texts(DOMAIN=["QS"] * 3, subject=["P1"] * 3, visit=["BL", "W4", "W4"], day=["0", "28", "30"])
    found = read_visits(visits, ["P1"], {})
    assert days(found) == {"BL": 0, "W4": 28}
    assert found.notes == ["visits with rows of several days count from the first: W4 of P1 (days 28 to 30)"]


@pytest.mark.parametrize(
    "tables",
    [
        [("2014-03-01", "2014-05-01"), ("2014-05-01",), ("2014-05-01", "2014-07-01")],
        [("2014-03-01",), ("2014-03-01", "2014-05-01"), ("2014-03-01", "2014-05-01", "2014-07-01")],
    ],
)
def test_the_same_visits_again_change_nothing_and_another_one_is_added(store, tables):
    subjects = texts(subject=["P1"], baseline_date=["2014-01-01"])
    for dates in [dates for dates in tables for _ in range(2)]:
        assert import_subjects(store, subjects, unscheduled(*dates), actor="x").refused == []
    frame = store.query("SELECT visit, day FROM visit WHERE superseded_by IS NULL ORDER BY day")
    assert frame["day"].tolist() == [0, 59, 120, 181]
    assert frame["visit"].nunique() == 4


def test_another_day_for_the_one_unscheduled_visit_needs_a_reason(store):
    import_subjects(store, texts(subject=["P1"]), unscheduled("2014-03-01"), actor="x")
    result = import_subjects(store, texts(subject=["P1"]), unscheduled("2014-05-01"), actor="x")
    assert "UNSCHEDULED 9.2: day is 59 in the cohort, 120 here; needs --correct" in reasons(result)[2]


def test_reads_of_one_of_several_visits_must_say_which(store):
    import_subjects(store, texts(subject=["P1", "P2"]), unscheduled("2014-03-01", "2014-05-01"), actor="x")
    table = reads(("P1", "unscheduled 9.2"), ("P1", "UNSCHEDULED 9.2 (day 120)"))
    result = import_reads(store, table, R1, actor="x")
    assert stored(store) == [("P1", "UNSCHEDULED 9.2 (day 120)")]
    assert reasons(result)[1].startswith("visit unscheduled 9.2 ")


def test_reads_of_a_visit_that_is_several_in_one_subject_and_one_in_another(store):
    visits = pd.concat(
        [unscheduled("2014-03-01", "2014-05-01"), unscheduled("2014-06-01").assign(subject="P2")]
    )
    visits.index = pd.RangeIndex(1, len(visits) + 1, name="row")
    import_subjects(store, texts(subject=["P1", "P2"]), visits, actor="x")
    table = reads(("P1", "UNSCHEDULED 9.2"), ("P2", "UNSCHEDULED 9.2"))
    result = import_reads(store, table, R1, actor="x")
    assert reasons(result) == {
        1: "visit UNSCHEDULED 9.2 of subject P1 may be UNSCHEDULED 9.2 (day 59) or "
        "UNSCHEDULED 9.2 (day 120); write the one that is meant"
    }
    assert stored(store) == [("P2", "UNSCHEDULED 9.2")]


def test_a_plan_that_contradicts_itself_is_refused():
    visits = texts(visit=["BL", "W4", "W4"], planned_day=["0", "28", "56"])
    found = read_visits(visits, ["P1"], {})
    assert found.refused == [{"row": 3, "reason": "visit W4 stands in several rows of the plan that differ"}]
    assert found.rows["planned_day"].tolist() == [0, 28]


def test_known_is_empty_unless_said():
    assert Known().occasions() == {}
