"""Import: what would be refused, and jobs that run beside the app."""

import io
import sys
import time
import tomllib

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.cli.serve import server_command
from core.domain import Viewer
from core.errors import InputError
from data.ingest.preview import look_at
from data.queries import cohort
from data.scratch import area, new_folder
from data.store.cohort import CohortStore
from pages.common import jobs
from pages.common.imports import tables
from tests.helpers import small_cohort, tasks
from tests.helpers.paths import ROOT
from tests.helpers.small_films import film, picture, save

PAGE = "pages/5_Import.py"


def words(at, kind):
    return " ".join(element.value for element in getattr(at, kind))


def part(at, name):
    next(group for group in at.button_group if name in group.options).set_value(name).run()
    return at


@pytest.fixture
def board():
    made = jobs.Board()
    yield made
    made.stop_all()


def ended(job, seconds=60):
    end = time.monotonic() + seconds
    while job.is_running and time.monotonic() < end:
        time.sleep(0.05)
    assert not job.is_running, job.progress
    return job


def test_reads_table_is_previewed_with_reasons(open_app, tmp_path):
    cohort = small_cohort.build(tmp_path / "c.duckdb", films=False).path
    at = part(open_app(PAGE, cohort=cohort), "3 Scores")
    rows = "subject,visit,site,grade\nP1,BL,C3S,1\nP1,BL,C9I,1\nP1,BL,C3I,7\n"
    at.text_input[0].set_value("R3")
    at.file_uploader[0].upload("r3.csv", rows.encode(), "text/csv").run()
    assert not at.exception
    assert "**3 rows.** New: 1 reader, 1 campaign, 1 site score." in words(at, "markdown")
    refused = next(t.value for t in at.dataframe if "reason" in t.value.columns)
    assert refused["row"].tolist() == [2, 3]
    assert "C9I" in refused["reason"].iloc[0]


def test_table_without_the_columns_needed_is_told_in_a_sentence(open_app, tmp_path):
    cohort = small_cohort.build(tmp_path / "c.duckdb", films=False).path
    at = part(open_app(PAGE, cohort=cohort), "3 Scores")
    at.file_uploader[0].upload("x.csv", b"alpha,beta\n1,2\n", "text/csv").run()
    assert not at.exception
    assert "What to do" in at.error[0].value


def test_model_part_counts_what_is_left(open_app):
    at = part(open_app(PAGE), "Run the model")
    assert "**mSASSS**: **1** of 36 films to score, 1 rejected" in words(at, "markdown")


def test_films_of_another_models_body_part_are_not_counted(cohort_file):
    store = CohortStore(cohort_file)
    row = cohort.films_for(store, Viewer(), "msasss", ("lumbar",)).iloc[0]
    assert (row["films"], row["seen"], row["abstained"]) == (17, 17, 0)
    row = cohort.films_for(store, Viewer(), "mtss", ()).iloc[0]
    assert (row["films"], row["seen"], row["abstained"]) == (36, 0, 0)


def test_refused_files_are_listed(open_app):
    at = part(open_app(PAGE), "Not imported")
    assert at.dataframe[0].value["reason"].tolist() == ["is not a DICOM file"]
    assert len(at.dataframe[1].value) == 1


def test_look_says_what_would_be_refused(tmp_path):
    (tmp_path / "empty.dcm").write_bytes(b"")
    (tmp_path / "text.txt").write_text("hello")
    rows, count = look_at([tmp_path])
    assert count == 2
    assert rows["would be"].tolist() == ["refused", "refused"]
    assert rows["reason"].str.len().gt(5).all()


def test_look_opens_no_delivered_file_in_the_app(tmp_path, monkeypatch):
    save(film(), tmp_path / "a.dcm")
    for name in ("find_sources", "read_dicom", "classify"):
        monkeypatch.setattr(f"data.ingest.preview.{name}", None)
    rows, count = look_at([tmp_path])
    assert (rows["would be"].tolist(), count) == (["taken"], 1)
    with pytest.raises(InputError, match="nowhere; no such file or folder"):
        look_at([tmp_path / "nowhere"])


@pytest.mark.parametrize("way", ["abort", "panic", "fault"])
def test_look_goes_on_after_a_file_that_crashes_its_process(tmp_path, monkeypatch, way):
    for name in ("a", way, "z"):
        (tmp_path / name).write_text(name)
    monkeypatch.setattr("data.ingest.preview.preview_row", tasks.row_or_crash)
    rows, _ = look_at([tmp_path])
    assert sorted(rows["would be"]) == ["refused", "taken", "taken"]


def test_look_takes_a_real_film_and_names_it(shared):
    folder = shared / "real" / "dicom-conformance"
    rows, count = look_at([folder], most=12)
    assert (len(rows), count > 12) == (12, True)
    assert (rows["would be"] == "taken").any()
    assert rows.loc[rows["would be"] == "taken", "modality"].ne("").any()


def test_job_takes_a_table_in_beside_the_app(board, tmp_path):
    cohort = small_cohort.build(tmp_path / "c.duckdb", films=False).path
    file = tmp_path / "r3.csv"
    grades = small_cohort.site_grades()
    rows = grades[grades["reader"] == "R1"][["subject", "visit", "site", "grade"]]
    rows.to_csv(file, index=False)
    delivery = tmp_path / "delivery"
    delivery.mkdir()
    job = ended(
        board.start("Scores", cohort, ["reads", str(file), "--system", "msasss", "--reader", "R3"], delivery)
    )
    assert job.status == 0, job.complaint
    assert job.result["stored"] == len(rows)
    assert not delivery.exists(), "uploads are deleted when the job has ended"


def test_uploads_of_an_ended_job_are_removed_though_nobody_looks(board, tmp_path):
    delivery = new_folder("delivery")
    (delivery / "film.dcm").write_bytes(b"x")
    board.start("Films", tmp_path / "c.duckdb", ["ingest", str(delivery / "film.dcm")], delivery)
    end = time.monotonic() + 60
    while delivery.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not delivery.exists()


def test_the_end_of_the_app_removes_uploads_and_ends_jobs(tmp_path):
    board, delivery = jobs.Board(), new_folder("delivery")
    job = board.start("Demo", tmp_path / "c.duckdb", ["demo", "--processes", "1"], delivery)
    board.stop_all()
    assert (job.process.poll() is None, delivery.exists(), job.folder.exists()) == (False, False, False)


def test_a_preview_and_a_table_leave_nothing_in_the_temporary_folder(open_app, tmp_path):
    before = set(area().iterdir())
    at = open_app(PAGE, cohort=small_cohort.build(tmp_path / "c.duckdb", films=False).path)
    at.file_uploader[0].upload("film.dcm", b"hello Hans Miller", "application/dicom").run()
    next(button for button in at.button if button.label == "Preview").click().run()
    assert not at.exception
    assert "1 file**: 0 would be imported, 1 refused" in words(at, "markdown")
    assert set(area().iterdir()) == before


def test_an_upload_is_at_most_256_mb():
    assert "--server.maxUploadSize=256" in server_command("localhost", 1)
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert settings["server"]["maxUploadSize"] == 256


def test_job_that_cannot_work_says_why(board, tmp_path):
    job = ended(board.start("Films", tmp_path / "c.duckdb", ["ingest", str(tmp_path / "nowhere")]))
    assert job.status == 2
    assert "no such file or folder" in job.complaint
    assert job.result == {}


def test_job_can_be_cancelled(board, tmp_path):
    job = board.start("Serve", tmp_path / "c.duckdb", ["demo", "--patients", "20", "--processes", "1"])
    time.sleep(1.0)
    job.cancel()
    assert ended(job).cancelled
    assert job.status != 0


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("3 of 12 films", (3, 12)),
        ("[####] 7/9 films, 1 abstained", (7, 9)),
        ('{"done": 2, "total": 5}', (2, 5)),
        ("starting", (0, 0)),
        ("{broken", (0, 0)),
        ("", (0, 0)),
    ],
)
def test_progress_is_read_from_the_last_line(line, count):
    assert jobs.count_in(line) == count


def test_rewritten_bar_counts_as_lines():
    assert jobs.last_line("\r\x1b[K1 of 9 files  a\r\x1b[K2 of 9 files  b\n\n") == "2 of 9 files  b"


def test_same_name_twice_is_kept_twice(tmp_path):
    from pages.common.imports.uploads import write_all

    uploads = [io.BytesIO(b"one"), io.BytesIO(b"two")]
    for upload in uploads:
        upload.name = "../film.dcm"
    write_all(uploads, tmp_path)
    assert sorted(path.read_bytes() for path in tmp_path.iterdir()) == [b"one", b"two"]
    assert all(path.parent == tmp_path for path in tmp_path.rglob("*.dcm"))


def test_app_never_imports_a_network(open_app):
    import subprocess

    code = (
        "import sys, pages.common.imports.films, pages.common.imports.models, pages.common.imports.tables; "
        "import pages.common.agreement.sections, pages.common.patient.footer; "
        "import pages.common.progression.footer; "
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'torch', 'ultralytics'}))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_columns_can_be_renamed_by_hand():
    from pages.common.imports.tables import _as_options

    assert _as_options({"Pat": "subject", "x": ""}) == ["--map", "Pat=subject", "--map", "x="]


def test_workbook_is_previewed_as_the_command_reads_it(open_app, tmp_path):
    from tests.helpers.table_files import write_sheets

    rows = [
        ["made 2024"],
        ["subject", "visit", "site", "grade"],
        ["P1", "BL", "C3S", "-7"],
        ["P1", "BL", "C3I", "NA"],
    ]
    write_sheets(tmp_path / "r3.xlsx", {"Info": [["cover"]], "Scores": rows})
    cohort = small_cohort.build(tmp_path / "c.duckdb", films=False).path
    at = part(open_app(PAGE, cohort=cohort), "3 Scores")
    at.text_input[0].set_value("R3")
    at.file_uploader[0].upload("r3.xlsx", (tmp_path / "r3.xlsx").read_bytes(), "application/zip").run()
    assert not at.exception
    assert "read from sheet Scores of Info, Scores" in words(at, "caption")
    assert "grade: 1 cell counts as missing (NA)" in words(at, "caption")
    refused = next(t.value for t in at.dataframe if "reason" in t.value.columns)
    assert refused[["row", "cell"]].to_numpy().tolist() == [[1, "Scores!D3"]]
    at.text_input("reads_missing").set_value("-7").run()
    assert "Would be refused: 0." in words(at, "markdown")
    at.text_input("reads_sheet").set_value("Info").run()
    assert "a header and no rows" in at.error[0].value


def test_a_held_film_is_shown_and_released_with_a_reason(open_app, tmp_path):
    from data.ingest.run import ingest
    from data.study.held_films import held_films
    from tests.helpers.small_films import save, trial_film

    save(trial_film(7, "S1", "BL", BurnedInAnnotation="YES"), tmp_path / "delivery" / "a.dcm")
    store = CohortStore.open(tmp_path / "c.duckdb")
    ingest(store, [tmp_path / "delivery"], workers=0)
    at = part(open_app(PAGE, cohort=store.path), "Not imported")
    assert "Held back: 1" in words(at, "markdown")
    release = next(button for button in at.button if button.label == "Release")
    release.click().run()
    assert "a reason" in words(at, "error")
    at.text_input[0].set_value("a room number only")
    next(button for button in at.button if button.label == "Release").click().run()
    assert not at.exception
    assert "Held back" not in words(at, "markdown")
    assert held_films(store, Viewer()).empty


def test_a_study_that_does_not_exist_yet_has_nothing_refused(open_app, tmp_path):
    at = part(open_app(PAGE, cohort=tmp_path / "new.duckdb"), "Not imported")
    assert not at.exception
    assert "Nothing was refused" in at.info[0].value
    for name in ("1 Films", "2 Patients and visits", "3 Scores", "Study settings"):
        assert not part(at, name).exception


def test_an_unknown_column_is_asked_about_beside_its_name(open_app, tmp_path):
    cohort = small_cohort.build(tmp_path / "c.duckdb", films=False).path
    at = part(open_app(PAGE, cohort=cohort), "3 Scores")
    at.text_input[0].set_value("R3")
    rows = b"subject,visit,site,points\nP1,BL,C3S,1\n"
    at.file_uploader[0].upload("r3.csv", rows, "text/csv").run()
    assert "r3.csv" in at.error[0].value and "no column for grade" in at.error[0].value
    box = next(box for box in at.selectbox if "points" in box.label)
    assert "is not known: what is it?" in box.label
    box.set_value("grade").run()
    assert not at.error
    assert "r3.csv: **1 row.** New: 1 reader, 1 campaign, 1 site score." in words(at, "markdown")


def test_blank_cells_and_unknown_patients_are_said_before_anything_is_stored(open_app, tmp_path):
    store = small_cohort.build(tmp_path / "c.duckdb", films=False)
    at = part(open_app(PAGE, cohort=store.path), "3 Scores")
    at.text_input[0].set_value("R3")
    rows = b"subject,visit,C3S,C3I\nP1,BL,1,\nNEW1,BL,,\n"
    at.file_uploader[0].upload("r3.csv", rows, "text/csv").run()

    def may_import():
        return not next(button for button in at.button if button.label == "Import").disabled

    assert "3 cells have no grade" in at.radio[0].label
    assert "1 patient is not known to this study: NEW1" in at.checkbox[0].label
    assert not may_import()
    at.radio[0].set_value("leave-out").run()
    assert not may_import()
    at.checkbox[0].check().run()
    assert may_import()
    assert store.query("SELECT 1 FROM main.subject WHERE subject = 'NEW1'").empty


def test_templates_name_what_is_known_and_are_read_back(tmp_path):
    from core import scores
    from data.tables import templates
    from data.tables.columns import SUBJECTS, VISITS, recognise
    from data.tables.reads import lacking

    store = small_cohort.build(tmp_path / "c.duckdb", films=False)
    subjects = templates.subjects_template(store, Viewer())
    assert subjects["subject"].tolist() == ["P1", "P2", "P3", "P4", "P5", "P6"][: len(subjects)]
    assert recognise(subjects.columns, SUBJECTS).rest == []
    assert recognise(templates.visits_template(store, Viewer()).columns, VISITS).rest == []
    for system in scores.names():
        table = templates.reads_template(store, Viewer(), system)
        assert lacking(table.columns, system, {}) == ([], [])
    assert templates.reads_template(CohortStore(tmp_path / "new.duckdb"), Viewer(), "msasss").empty


def test_films_without_tags_are_placed_in_the_page(open_app, tmp_path):
    from data.ingest.run import ingest
    from data.tables.import_subjects import import_subjects

    for number in range(2):
        tags = {"PatientID": "H1", "StudyDate": f"202{number}0304", "SOPInstanceUID": f"1.2.{number}"}
        save(film(picture(number), **tags), tmp_path / "in" / f"{number}.dcm")
    store = CohortStore.open(tmp_path / "c.duckdb")
    visits = pd.DataFrame({"visit": ["BL", "W52"]}, index=[1, 2])
    import_subjects(store, pd.DataFrame({"subject": ["S1"]}, index=[1]), visits)
    ingest(store, [tmp_path / "in"], workers=0)
    at = open_app(PAGE, cohort=store.path)
    assert "Whose images are these? 2 images" in words(at, "markdown")
    at.selectbox[0].set_value("S1").run()
    for place, visit in enumerate(("BL", "W52")):
        [box for box in at.selectbox if box.label == "Visit"][place].set_value(visit).run()
    next(button for button in at.button if button.label == "Place 2 images").click().run()
    assert not at.exception
    placed = store.query("SELECT subject, visit, assigned_by FROM main.image WHERE superseded_by IS NULL")
    assert sorted(placed["visit"]) == ["BL", "W52"]
    assert set(placed["assigned_by"]) == {"person"}


def test_settings_of_a_study_are_on_one_page(open_app, tmp_path):
    store = small_cohort.build(tmp_path / "c.duckdb", films=False, blinded=True)
    at = part(open_app(PAGE, cohort=store.path), "Study settings")
    box = next(box for box in at.text_input if box.label.startswith("Name of the study"))
    box.set_value("AXIS-2")
    next(button for button in at.button if button.label.startswith("Save name")).click().run()
    assert not at.exception
    assert store.meta()["study"] == "AXIS-2"
    assert next(button for button in at.button if button.label == "Show the arms").disabled
    next(box for box in at.text_input if box.label.startswith("Why")).set_value("locked").run()
    at.checkbox[0].check().run()
    next(button for button in at.button if button.label == "Show the arms").click().run()
    assert store.meta()["blinded"] == "false"


def test_home_does_not_ask_for_arms_that_are_hidden(open_app, blinded_file):
    assert "Which arm progressed more?" in words(open_app(), "markdown")
    at = open_app(cohort=blinded_file)
    assert "Which arm progressed more?" not in words(at, "markdown")
    assert "How much did patients progress?" in words(at, "markdown")


def test_a_refusal_names_its_file(board, tmp_path):
    from pages.common.imports.job_list import _why, _with_file

    (tmp_path / "notafilm.dcm").write_text("hello")
    job = ended(board.start("Films", tmp_path / "c.duckdb", ["ingest", str(tmp_path / "notafilm.dcm")]))
    assert job.status == 2
    assert _why(job) == "nothing was imported. notafilm.dcm was refused: is a text file, not a DICOM image"
    job.arguments[:] = ["reads", "/x/r3.csv"]
    assert _with_file(job, {"row": 2, "reason": "x"}) == {"file": "r3.csv", "row": 2, "reason": "x"}


def test_a_column_is_kept_under_its_own_name_unless_it_may_name_a_person() -> None:
    said = pd.DataFrame(
        {
            "column": ["rescue", "surname", "PATNO", "note", "crp"],
            "is": [tables.KEEP, tables.KEEP, "subject", tables.LEAVE_OUT, tables.AS_IT_IS],
        }
    )
    assert tables.meanings(said) == {"rescue": "rescue", "PATNO": "subject", "note": ""}


def test_a_column_of_one_value_says_how_it_is_kept() -> None:
    from data.tables.covariates import choose

    table = pd.DataFrame({"rescue": ["W52", None, "W52", None]})
    kept, ignored = choose(table, ["rescue"], {})
    assert not kept
    assert ignored == {"rescue": "it has one value only; keep it with --map COLUMN=NAME"}
    assert tables._on_page(ignored["rescue"]) == (
        "it has one value only; say 'keep it as a covariate' above to keep it"
    )
    kept, ignored = choose(table, [], {"rescue": "rescue"})
    assert [one.name for one in kept] == ["rescue"]
    assert not ignored


def test_the_whole_page_runs_again_when_a_job_ends() -> None:
    def app() -> None:
        from types import SimpleNamespace

        import streamlit as st

        from pages.common.imports.job_list import one_has_ended

        running = [SimpleNamespace(folder=name) for name in st.session_state["now"]]
        st.text(str(one_has_ended(running)))  # type: ignore[arg-type]

    at = AppTest.from_function(app)
    said = []
    for now in (["a"], ["a"], ["a", "b"], ["b"], [], []):
        at.session_state["now"] = now
        said.append(at.run().text[0].value)
    assert said == ["False", "False", "False", "True", "True", "False"]
