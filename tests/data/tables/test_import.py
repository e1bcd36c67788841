"""Tables of subjects, visits and reads: what is taken, what is refused and why, and sending them twice."""

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest

from core import scores
from core.errors import InputError
from data.store.cohort import CohortStore
from data.tables.columns import SUBJECTS, VISITS, VISITS_BY_PATTERN, parse_mapping, recognise
from data.tables.covariates import name_and_unit
from data.tables.dates import birth_year_from_age, is_partial_date, study_day_to_days, whole_date, year_of
from data.tables.files import read_table
from data.tables.import_reads import ReadsRequest, import_reads, preview_reads
from data.tables.import_subjects import SubjectsRequest, import_subjects, preview_subjects
from data.tables.subjects import read_subjects
from data.tables.visits import parse_window, read_visits

MSASSS = scores.get("msasss")


@pytest.fixture(scope="module")
def new_cohort(tmp_path_factory):
    return CohortStore.open(tmp_path_factory.mktemp("new") / "cohort.duckdb").path


@pytest.fixture
def store(new_cohort, tmp_path):
    import shutil

    return CohortStore(shutil.copy(new_cohort, tmp_path / "cohort.duckdb"))


def table(**columns):
    frame = pd.DataFrame(columns)
    frame.index = pd.RangeIndex(1, len(frame) + 1, name="row")
    return frame


def texts(**columns):
    return table(**{name: pd.Series(values, dtype="str") for name, values in columns.items()})


def reasons(result):
    return {item["row"]: item["reason"] for item in result.refused}


# -- names of columns ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header, found",
    [
        (
            ["Subject ID", "Treatment", "Gender"],
            {"subject": "Subject ID", "arm": "Treatment", "sex": "Gender"},
        ),
        (["USUBJID", "SUBJID", "ARM", "TRT01P"], {"subject": "USUBJID", "arm": "ARM"}),
        (["SUBJID", "TRT01P", "SEX"], {"subject": "SUBJID", "arm": "TRT01P", "sex": "SEX"}),
        (["patient_no", "year of birth"], {"subject": "patient_no", "birth_year": "year of birth"}),
        (["ID", "SITEID", "RANDDT"], {"subject": "ID", "centre": "SITEID", "baseline_date": "RANDDT"}),
    ],
)
def test_subject_columns_are_recognised(header, found):
    assert recognise(header, SUBJECTS).used == found


def test_visit_columns_of_any_cdisc_domain_are_recognised():
    header = ["USUBJID", "VISITNUM", "VISIT", "VISITDY", "EXSTDTC", "EXENDTC", "EXSTDY", "EXENDY"]
    assert recognise(header, VISITS, patterns=VISITS_BY_PATTERN).used == {
        "subject": "USUBJID",
        "visit": "VISIT",
        "visit_order": "VISITNUM",
        "planned_study_day": "VISITDY",
        "date": "EXSTDTC",
        "study_day": "EXSTDY",
    }


def test_what_a_person_says_comes_first():
    found = recognise(
        ["USUBJID", "SUBJID", "x"], SUBJECTS, {"SUBJID": "subject", "x": "CRP (mg/L)", "USUBJID": ""}
    )
    assert found.used == {"subject": "SUBJID"}
    assert found.named == {"x": "CRP (mg/L)"}
    assert found.ignored == {"USUBJID": "left out by request"}


def test_mapping_of_a_missing_column_or_one_field_twice_is_an_error():
    with pytest.raises(InputError, match="column PATNO; the table has ID"):
        recognise(["ID"], SUBJECTS, {"PATNO": "subject"})
    with pytest.raises(InputError, match="two columns for subject"):
        recognise(["a", "b"], SUBJECTS, {"a": "subject", "b": "subject"})


def test_mapping_options():
    assert parse_mapping(["A=subject", "B=", "C=x=y"]) == {"A": "subject", "B": "", "C": "x=y"}
    with pytest.raises(InputError, match="COLUMN=NAME is needed"):
        parse_mapping(["A"])


# -- dates --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, day",
    [
        ("2014-01-02", date(2014, 1, 2)),
        ("2014-07-02T11:45", date(2014, 7, 2)),
        ("2014-01-02T00:00:00Z", date(2014, 1, 2)),
        ("02JAN2014", date(2014, 1, 2)),
        ("2-Jan-2014", date(2014, 1, 2)),
        ("02.01.2014", date(2014, 1, 2)),
        ("20140102", date(2014, 1, 2)),
        ("2014-02-30", None),
        ("2014-01", None),
        ("2014", None),
        ("03/04/2014", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_whole_dates(text, day):
    assert whole_date(text) == day


@pytest.mark.parametrize(
    "text, partial",
    [("2014-01", True), ("2014", True), ("2014---15", True), ("2014-01-02", False), ("x", False)],
)
def test_partial_dates_are_told_apart(text, partial):
    assert is_partial_date(text) is partial


@pytest.mark.parametrize(
    "text, year", [("1950-12-26", 1950), ("1950-12", 1950), ("1950", 1950), ("unknown", None), (None, None)]
)
def test_year_of_whole_and_partial_dates(text, year):
    assert year_of(text) == year


def test_cdisc_study_days_have_no_day_zero():
    assert [study_day_to_days(day) for day in (-7, -1, 1, 2, 14, 365)] == [-7, -1, 0, 1, 13, 364]


def test_year_of_birth_from_age_is_the_likeliest_one():
    assert birth_year_from_age(63, date(2014, 1, 2)) == 1950
    assert birth_year_from_age(63, date(2014, 12, 30)) == 1951


@pytest.mark.parametrize(
    "text, days",
    [("14", (14, 14)), ("±14", (14, 14)), ("+/-7 days", (7, 7)), ("-7/+14", (7, 14)), ("-7 to 14", (7, 14))],
)
def test_windows(text, days):
    assert parse_window(text) == days


def test_window_that_nobody_can_read_is_none():
    assert parse_window("two weeks") is None


@pytest.mark.parametrize(
    "column, name",
    [
        ("CRP (mg/L)", ("CRP", "mg/L")),
        ("crp_mg_l", ("CRP", "mg/L")),
        ("hla_b27", ("HLA-B27", None)),
        ("HLA-B27", ("HLA-B27", None)),
        ("symptom_duration_years", ("symptom duration", "years")),
        ("BMI", ("BMI", None)),
        ("smoking", ("smoking", None)),
        ("y", ("y", None)),
    ],
)
def test_names_and_units_of_covariates(column, name):
    assert name_and_unit(column) == name


# -- subjects -----------------------------------------------------------------------------------------------


def test_adsl_goes_in_as_it_is(shared):
    found = read_subjects(read_table(shared / "real/trial-tables/admiral_adsl.csv"))
    rows = found.rows.set_index("subject")
    assert found.refused == []
    assert rows.shape[0] == 306
    assert rows["arm"].value_counts(dropna=False).to_dict() == {
        "Placebo": 86,
        "Xanomeline High Dose": 84,
        "Xanomeline Low Dose": 84,
        np.nan: 52,
    }
    first = rows.loc["01-701-1015"]
    assert (first["sex"], first["birth_year"], first["centre"]) == ("F", 1950, "701")
    assert first["baseline_date"] == date(2014, 1, 2)
    assert set(found.covariates["name"]) == {
        "AGEGR1", "DMDY", "EOSSTT", "ETHNIC", "RACE", "RACEGR1", "TRTDURD", "age",
    }  # fmt: skip


def test_dm_goes_in_with_its_dates_of_birth(shared):
    found = read_subjects(read_table(shared / "real/trial-tables/dm.csv"))
    assert found.refused == []
    assert found.rows["birth_year"].notna().all() and not found.is_estimated.any()
    kept = " ".join([*found.covariates["name"], *found.covariates["text"].dropna()])
    assert "Xan" not in kept and "Placebo" not in kept, "a covariate shows the arm"
    assert "1950-12-26" not in kept


def test_years_of_birth_from_age_are_at_most_one_off(shared):
    by_age = read_subjects(read_table(shared / "real/trial-tables/admiral_adsl.csv")).rows
    by_date = read_subjects(read_table(shared / "real/trial-tables/dm.csv")).rows
    both = by_age.merge(by_date, on="subject")
    assert (both["birth_year_x"] - both["birth_year_y"]).abs().max() <= 1


def test_sdtm_tables_go_into_a_cohort_twice_without_a_change(store, shared):
    folder = shared / "real/trial-tables"
    first = import_subjects(store, folder / "dm.csv", folder / "ex.csv", actor="x")
    assert first.refused == []
    assert first.stored == {"subject": 306, "covariate": 1172, "visit": 591}
    version = store.version()
    again = import_subjects(store, folder / "dm.csv", folder / "ex.csv", actor="x")
    assert (again.refused, again.stored) == ([], {"subject": 0, "covariate": 0, "visit": 0})
    assert again.unchanged == 306 + 1172 + 591
    assert store.version() == version
    visits = store.query(
        "SELECT visit, visit_order, planned_day, day FROM visit WHERE subject = '01-701-1015' ORDER BY 2"
    )
    assert visits.to_numpy().tolist() == [
        ["BASELINE", 3, 0, 0],
        ["WEEK 2", 4, 13, 15],
        ["WEEK 24", 12, 167, 168],
    ]


def test_tall_domain_gives_one_visit_each(store, shared):
    folder = shared / "real/trial-tables"
    result = import_subjects(store, folder / "dm.csv", folder / "qs_ophtha.csv", actor="x")
    assert result.stored["visit"] == 12
    counts = store.query(
        "SELECT visit, count(*) AS n, max(planned_day) AS day FROM visit GROUP BY visit ORDER BY day"
    )
    assert counts.to_numpy().tolist() == [["BASELINE", 6, 0], ["WEEK 12", 3, 83], ["WEEK 24", 3, 167]]


def test_stored_baseline_dates_are_moved_as_the_films_are(store, shared):
    from data.dicom.pseudonyms import open_key

    import_subjects(store, shared / "real/trial-tables/dm.csv", actor="x")
    stored = store.query("SELECT baseline_date FROM subject WHERE subject = '01-701-1015'")
    moved = (pd.Timestamp(2014, 1, 2) - stored["baseline_date"][0]).days
    assert moved == open_key(store.path, may_create=False).days_back("01-701-1015") >= 366


def test_rows_of_subjects_that_cannot_be_used_are_named():
    found = read_subjects(
        texts(
            subject=["P1", None, "P3", "P4", "P5", "P6", "P6", "P7", "P7"],
            sex=["m", "F", "X", "female", "unknown", "M", "F", "M", "M"],
            birth_date=["1950-01", "1960-01-01", "1960-01-01", "last year", None, None, None, None, None],
            age=["50", "50", "50", "50", "fifty", "1", "2", "60", "60"],
        )
    )
    assert {item["row"]: item["reason"] for item in found.refused} == {
        2: "the subject's code is empty",
        3: "sex 'X' is neither M nor F",
        4: "birth date 'last year' is not a date (1950-12-31)",
        5: "age 'fifty' is not an age in years",
        6: "subject P6 stands in several rows that differ",
        7: "subject P6 stands in several rows that differ",
    }
    assert found.rows["subject"].tolist() == ["P1", "P7"]
    assert found.rows["birth_year"].tolist()[0] == 1950


def test_table_without_subjects_is_an_error():
    with pytest.raises(InputError, match="a column with the subject's code is needed"):
        read_subjects(texts(arm=["A"], colour=["red"]))


def test_covariates_are_chosen_sensibly():
    n = 20
    found = read_subjects(
        table(
            subject=[f"P{i}" for i in range(n)],
            ARM=["A", "B"] * 10,
            ACTARM=["A", "B"] * 10,
            dose=[0, 5] * 10,
            crp_mg_l=np.linspace(0.5, 40, n),
            hla_b27=["positive", "negative"] * 10,
            smoker=[1, 0] * 10,
            rheumatoid=["yes", "no"] * 10,
            patient_name=["Ann"] * n,
            email=[f"{i}@x" for i in range(n)],
            comment=["ok", "bad"] * 10,
            diary=[f"text {i}" for i in range(n)],
            enrolled=[f"2014-01-{i + 1:02d}" for i in range(n)],
            rare=["x"] + [None] * (n - 1),
            study=["S1"] * n,
        )
    )
    kept = found.covariates.groupby("name").first()
    assert set(kept.index) == {"CRP", "HLA-B27", "smoker", "rheumatoid"}
    assert kept.loc["CRP", "unit"] == "mg/L" and kept.loc["CRP", "number"] == 0.5
    assert kept.loc["HLA-B27", "text"] == "positive"
    assert found.ignored["ACTARM"] == found.ignored["dose"] == "it would show the arm"
    assert found.ignored["patient_name"] == found.ignored["comment"] == "it may name a person"
    assert found.ignored["enrolled"] == "it holds dates"
    assert found.ignored["diary"] == "its text has 20 different values"
    assert found.ignored["rare"] == "it is filled in 1 of 20 rows only"


def test_column_that_a_person_names_is_kept_whatever_it_holds(store):
    rows = texts(subject=["P1", "P2"], site_no=["3", "4"])
    import_subjects(store, rows, request=SubjectsRequest(mapping={"site_no": "region code"}), actor="x")
    assert store.query("SELECT DISTINCT name FROM covariate")["name"].tolist() == ["region code"]


def test_values_that_fill_gaps_go_in_and_others_need_a_reason(store):
    import_subjects(store, texts(subject=["P1", "P2"], sex=["M", None]), actor="x")
    later = texts(subject=["P1", "P2"], sex=["F", "F"], arm=["A", "B"])
    result = import_subjects(store, later, actor="x")
    assert reasons(result) == {1: "P1: sex is M in the cohort, F here; needs --correct REASON"}
    assert current(store, "subject, sex, arm") == [["P1", "M", None], ["P2", "F", "B"]]
    corrected = import_subjects(
        store, later, request=SubjectsRequest(correct="source data checked"), actor="x"
    )
    assert corrected.refused == []
    assert current(store, "subject, sex, arm") == [["P1", "F", "A"], ["P2", "F", "B"]]
    assert store.query("SELECT count(*) AS n FROM subject")["n"][0] == 5, (
        "old rows stay; the arm of P2 is written again, so that nothing tells whether it was the same"
    )


def current(store, columns):
    rows = store.query(f"SELECT {columns} FROM subject WHERE superseded_by IS NULL ORDER BY subject")
    return rows.astype(object).where(rows.notna(), None).to_numpy().tolist()


def test_year_from_an_age_does_not_contradict_a_date_of_birth(store):
    by_date = texts(subject=["P1"], birth_date=["1950-12-26"])
    by_age = texts(subject=["P1"], age=["63"], baseline_date=["2014-12-30"])
    import_subjects(store, by_date, actor="x")
    assert import_subjects(store, by_age, actor="x").refused == []
    assert current(store, "birth_year") == [[1950]]


def test_refused_rows_are_kept_once_and_without_what_names_a_person(store):
    rows = texts(subject=["P1", "P2"], sex=["X", "F"], last_name=["Smith", "Jones"], dob=["1950-01-02", None])
    for _ in range(2):
        import_subjects(store, rows, source="list.csv", actor="x")
    kept = store.query("SELECT source, row_number, reason, content FROM refused")
    assert kept[["source", "row_number", "reason"]].to_numpy().tolist() == [
        ["list.csv", 1, "sex 'X' is neither M nor F"]
    ]
    assert json.loads(kept["content"][0]) == {"subject": "P1", "sex": "X"}


# -- visits -------------------------------------------------------------------------------------------------


def test_plan_without_subjects_holds_for_everyone(store):
    plan = texts(visit=["BL", "W52"], planned_week=["0", "52"], window=["14", "-28/+14"])
    result = import_subjects(store, texts(subject=["P1", "P2"]), plan, actor="x")
    assert result.notes == ["no subject column: used as the plan of all 2 subjects"]
    rows = store.query("SELECT * FROM visit WHERE subject = 'P2' ORDER BY visit_order")
    columns = ["visit", "visit_order", "planned_day", "window_before", "window_after"]
    assert rows[columns].to_numpy().tolist() == [["BL", 1, 0, 14, 14], ["W52", 2, 364, 28, 14]]


def test_days_count_from_the_baseline_date_or_the_first_visit():
    visits = texts(
        subject=["P1", "P1", "P2", "P2", "P2"],
        visit=["BL", "W52", "SCR", "BL", "W52"],
        planned_day=["0", "364", "-14", "0", "364"],
        date=["2014-01-05", "2015-01-01", "2013-12-20", "2014-01-01", "2014-12"],
    )
    rows = read_visits(visits, ["P1", "P2"], {"P1": date(2014, 1, 2)}).rows
    assert rows["day"].astype(object).where(rows["day"].notna(), None).tolist() == [3, 364, -12, 0, None]


def test_rows_of_visits_that_cannot_be_used_are_named(store):
    visits = texts(
        subject=["P1", "P9", None, "P1", "P1"],
        visit=["BL", "BL", "BL", None, "W4"],
        day=["0", "0", "0", "0", "4.5"],
        date=["2014-01-01", None, None, None, None],
        window=["14", "14", "14", "14", "a while"],
    )
    result = import_subjects(store, texts(subject=["P1"]), visits, actor="x")
    assert sorted((item["row"], item["reason"]) for item in result.refused) == [
        (2, "visits: subject P9 is not in the cohort"),
        (3, "visits: the subject's code is empty"),
        (4, "visits: the visit is empty"),
        (5, "visits: day 4.5 is not a whole number"),
        (5, "visits: window 'a while' is not understood; write 14 or -7/+14"),
    ]
    assert result.accepted["visit"] == 1


def test_visit_numbers_with_decimals_become_places():
    visits = texts(subject=["P1"] * 3, visit=["BL", "UNS 1", "W4"], VISITNUM=["3", "3.1", "4"])
    assert read_visits(visits, ["P1"], {}).rows["visit_order"].tolist() == [1, 2, 3]


def test_measurements_by_visit_become_covariates(store):
    visits = texts(subject=["P1", "P1"], visit=["BL", "W52"], day=["0", "364"], crp_mg_l=["12.5", "3"])
    import_subjects(store, texts(subject=["P1"]), visits, actor="x")
    rows = store.query("SELECT visit, name, number, unit FROM covariate ORDER BY number")
    assert rows.to_numpy().tolist() == [["W52", "CRP", 3.0, "mg/L"], ["BL", "CRP", 12.5, "mg/L"]]


# -- reads --------------------------------------------------------------------------------------------------


def long_reads(subjects=("P1", "P2"), visits=("BL", "W52")):
    rows = [
        (subject, visit, site, str((place + len(visit)) % 4) if place % 7 else None)
        for subject in subjects
        for visit in visits
        for place, site in enumerate(MSASSS.codes)
    ]
    return texts(**dict(zip(("subject", "visit", "site", "grade"), zip(*rows, strict=True), strict=True)))


def wide_reads():
    wide = long_reads().pivot(index=["subject", "visit"], columns="site", values="grade").reset_index()
    wide.columns = [name.lower() for name in wide.columns]
    wide.index = pd.RangeIndex(1, len(wide) + 1, name="row")
    return wide


def stored(store):
    return store.query(
        "SELECT subject, visit, site, feature, reader, campaign, read, grade, reason FROM site_score "
        "WHERE superseded_by IS NULL ORDER BY ALL"
    )


R1 = ReadsRequest("msasss", "R1", read_mode="paired")


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
@pytest.mark.parametrize("shape", [long_reads, wide_reads])
def test_long_and_wide_files_of_every_kind_store_the_same(store, tmp_path, ending, shape):
    path = tmp_path / f"reads.{ending}"
    frame = shape()
    {"csv": frame.to_csv, "xlsx": frame.to_excel, "parquet": frame.to_parquet}[ending](path, index=False)
    result = import_reads(store, path, R1, actor="x")
    assert result.refused == []
    assert (result.rows, result.stored["site_score"]) == (len(frame), 96)
    rows = stored(store)
    wanted = long_reads().astype({"grade": "float64"}).sort_values(["subject", "visit", "site"])
    assert rows["grade"].astype("float64").tolist() == pytest.approx(wanted["grade"].tolist(), nan_ok=True)
    assert set(rows["reason"].dropna()) == {"not scorable"}
    assert (rows["reason"].notna() == rows["grade"].isna()).all()
    assert set(rows["read"]) == {1} and set(rows["campaign"]) == {"main"}


def test_same_table_again_stores_nothing(store):
    import_reads(store, long_reads(), R1, actor="x")
    version = store.version()
    for frame in (long_reads(), wide_reads()):
        result = import_reads(store, frame, R1, actor="x")
        assert (result.stored["site_score"], result.unchanged, result.refused) == (0, 96, [])
    assert store.version() == version


def test_grade_that_differs_needs_a_reason_and_supersedes(store):
    import_reads(store, long_reads(), R1, actor="x")
    other = long_reads()
    other.loc[2, "grade"], other.loc[3, "grade"] = "0", None
    refused = import_reads(store, other, R1, actor="x")
    assert reasons(refused)[2].endswith("grade is 3 in the cohort, 0 here; needs --correct REASON")
    assert refused.stored["site_score"] == 0 and len(refused.refused) == 2
    corrected = import_reads(store, other, ReadsRequest("msasss", "R1", correct="wrong film"), actor="anna")
    assert (corrected.stored["site_score"], corrected.refused) == (2, [])
    event = store.query("SELECT actor, reason, details FROM event ORDER BY event DESC LIMIT 1").iloc[0]
    assert (event["actor"], event["reason"]) == ("anna", "wrong film")
    assert json.loads(event["details"])["superseded"]["site_score"] == {"rows": 2, "of_events": [2]}
    old = store.query("SELECT grade FROM site_score WHERE superseded_by IS NOT NULL ORDER BY grade")
    assert old["grade"].tolist() == [0, 3]


def test_a_second_read_is_no_correction(store):
    import_reads(store, long_reads(), R1, actor="x")
    other = long_reads().assign(grade="1")
    result = import_reads(store, other, ReadsRequest("msasss", "R1", read=2), actor="x")
    assert (result.stored["site_score"], result.refused) == (96, [])
    assert store.query("SELECT DISTINCT read FROM total ORDER BY 1")["read"].tolist() == [1, 2]


def test_rows_that_cannot_be_used_are_refused_and_the_rest_goes_in(store):
    frame = texts(
        subject=["P1", "P1", "P1", None, "P1", "P1", "P1", "P1"],
        visit=["BL", "BL", "BL", "BL", None, "BL", "BL", "BL"],
        site=["C2I", "C9I", "C3S", "C3S", "C3S", "C4S", "C5S", "C5S"],
        grade=["1", "1", "4", "1", "1", "mild", "1", "2"],
    )
    result = import_reads(store, frame, R1, source="r.csv", actor="x")
    assert reasons(result) == {
        2: "site C9I is not an mSASSS site",
        3: "grade 4 is outside 0-3 of C3S",
        4: "subject is empty",
        5: "visit is empty",
        6: "grade 'mild' is not a number; leave it empty if not scorable",
        7: "two rows for one subject, visit, reader, site and feature",
        8: "two rows for one subject, visit, reader, site and feature",
    }
    assert stored(store)["site"].tolist() == ["C2I"]
    assert store.query("SELECT count(*) AS n FROM refused WHERE source = 'r.csv'")["n"][0] == 7


def test_wide_table_names_the_row_of_a_bad_cell(store):
    frame = wide_reads()
    frame.loc[3, "c3s"] = "9"
    result = import_reads(store, frame, R1, actor="x")
    assert reasons(result) == {3: "grade 9 is outside 0-3 of C3S"}
    assert result.stored["site_score"] == 95


def test_preview_says_the_same_and_stores_nothing(store):
    frame = long_reads().assign(grade="7")
    frame.loc[1, "grade"] = "1"
    version = store.version()
    seen = preview_reads(store, frame, R1)
    assert store.version() == version
    assert seen == import_reads(store, frame, R1, actor="x")
    subjects = texts(subject=["P1", "P7"], sex=["M", "?"])
    seen = preview_subjects(store, subjects)
    assert seen == import_subjects(store, subjects, actor="x")
    assert len(seen.refused) == 1


def test_dream_column_names_of_svdh_are_understood(store):
    frame = texts(
        Patient_ID=["A"], LH_mcp_E__ip=["2"], RF_mtp_J__1=["3"], LH_wrist_J__capnlun=["1"], Overall_Tol=["9"]
    )
    result = import_reads(store, frame, ReadsRequest("svdh", "R1", visit="BL"), actor="x")
    assert result.refused == []
    assert result.ignored == {"Overall_Tol": "no SvdH site"}
    assert stored(store)[["site", "feature", "grade"]].to_numpy().tolist() == [
        ["LH.E.IP1", "erosion", 2],
        ["LH.J.CNL", "jsn", 1],
        ["RF.J.MTP1", "jsn", 3],
    ]


def test_readers_of_a_table_with_a_reader_column_are_all_stored(store):
    frame = pd.concat([long_reads().assign(reader=name, campaign="c7") for name in ("R1", "R2")])
    frame.index = pd.RangeIndex(1, len(frame) + 1, name="row")
    result = import_reads(store, frame, ReadsRequest("msasss", read_mode="single"), actor="x")
    assert result.stored["reader"] == 2
    assert store.query("SELECT reader, kind FROM reader ORDER BY 1").to_numpy().tolist() == [
        ["R1", "human"],
        ["R2", "human"],
    ]
    assert store.query("SELECT campaign, read_mode FROM campaign").to_numpy().tolist() == [["c7", "single"]]


def test_row_of_another_reader_than_was_said_is_refused(store):
    frame = long_reads(("P1",), ("BL",)).assign(reader="R2")
    frame.loc[1, "reader"] = "R1"
    result = import_reads(store, frame, R1, actor="x")
    assert result.stored["site_score"] == 1
    assert reasons(result)[2] == "this row says reader R2, R1 was asked for"


def test_campaign_keeps_its_read_mode_and_reader_its_kind(store):
    import_reads(store, long_reads(), R1, actor="x")
    with pytest.raises(
        InputError, match="campaign main with read mode single; its films were read in mode paired"
    ):
        import_reads(store, long_reads(), ReadsRequest("msasss", "R1", read_mode="single"), actor="x")
    with pytest.raises(InputError, match="R1 is a human reader in this cohort"):
        import_reads(store, long_reads(), ReadsRequest("msasss", "R1", kind="consensus"), actor="x")
    other = ReadsRequest("msasss", "R1", campaign="b", read_mode="single")
    assert import_reads(store, long_reads(), other, actor="x").stored["campaign"] == 1


def test_unknown_subjects_are_refused_once_subjects_were_listed(store):
    assert import_reads(store, long_reads(("P1",)), R1, actor="x").refused == []
    import_subjects(store, texts(subject=["P1"], sex=["M"]), actor="x")
    result = import_reads(store, long_reads(("P2",), ("BL",)), R1, actor="x")
    assert set(reasons(result).values()) == {"subject P2 is not in the cohort"}


def test_visits_are_brought_to_the_spelling_of_the_cohort(store):
    plan = texts(visit=["Baseline", "Week 52"], planned_day=["0", "364"])
    import_subjects(store, texts(subject=["P1"]), plan, actor="x")
    result = import_reads(store, long_reads(("P1",), ("BASELINE", "week52", "W104")), R1, actor="x")
    assert set(stored(store)["visit"]) == {"Baseline", "Week 52"}
    assert set(reasons(result).values()) == {"visit W104 is not among the visits of the cohort"}


@pytest.mark.parametrize(
    "frame, message",
    [
        (
            texts(subject=["P1"], visit=["BL"], colour=["red"]),
            "columns site and grade, or one for each mSASSS site",
        ),
        (texts(visit=["BL"], site=["C2I"], grade=["1"]), "without a column for the subject"),
        (
            texts(subject=["P1"], site=["C2I"], grade=["1"]),
            "without a column for the visit; .* or give --visit",
        ),
        (texts(subject=["P1"], visit=["BL"], c2i=["1"], C2I=["1"]), "two columns for the site C2I"),
    ],
)
def test_table_that_cannot_be_read_says_what_is_needed(store, frame, message):
    with pytest.raises(InputError, match=message):
        import_reads(store, frame, R1, actor="x")


def test_reader_must_be_said_somewhere(store):
    with pytest.raises(InputError, match="without a column for the reader"):
        import_reads(store, long_reads(), ReadsRequest("msasss"), actor="x")


def test_interrupted_import_leaves_nothing(store, monkeypatch):
    from data.tables import plan as tables_in

    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(tables_in, "keep_refused", fail)
    with pytest.raises(KeyboardInterrupt):
        import_reads(store, long_reads(), R1, actor="x")
    assert store.version() == 1
    assert store.query("SELECT * FROM site_score").empty


@pytest.mark.parametrize("name", ["UNSCHEDULED 3.01", "Unsched", "extra visit"])
@pytest.mark.parametrize("second", [None, "2014-02", "NA"])
def test_an_unscheduled_visit_without_a_date_is_not_lost_in_another_of_its_name(name, second):
    table = pd.DataFrame(
        {"subject": "S1", "visit": ["BL", name, name], "date": ["2014-01-01", second, "2014-03-01"]},
        index=pd.Index([1, 2, 3], name="row"),
    )
    found = read_visits(table, ["S1"], {})
    assert [item["row"] for item in found.refused] == [2]
    assert f"another visit {name} than {name} (day 59)" in found.refused[0]["reason"]
    assert found.rows[["visit", "day"]].values.tolist() == [["BL", 0], [name, 59]]


def test_unscheduled_rows_without_any_date_count_as_one_and_that_is_said():
    table = pd.DataFrame({"subject": "S1", "visit": ["BL", "Unsched", "Unsched"]}, index=[1, 2, 3])
    found = read_visits(table, ["S1"], {})
    assert not found.refused and found.rows["visit"].tolist() == ["BL", "Unsched"]
    assert "rows 2, 3 count as one visit: Unsched of S1, without a date" in found.notes
