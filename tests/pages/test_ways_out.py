"""Ways out of a page: what stands inside its files, sentences for the paper, the report."""

import io
import time

import pandas as pd
import plotly.graph_objects as go

from pages.common.jobs import Board
from pages.common.ways_out import save
from pages.common.ways_out.described import Described, made_with

STATE = {"study": "AXIS-2", "phantom": True}
SAID = Described("mSASSS, BL to W52", ("n = 3.", ""), "Sharpline 0.3.0. Phantom data.")


def paragraphs(at):
    return [code.value for code in at.code if "Missing sites were handled" in code.value]


def test_every_page_of_results_has_a_paragraph_that_follows_its_options(open_app):
    at = open_app("pages/4_Progression.py")
    (before,) = paragraphs(at)
    assert "Change is the score at" in before
    assert "No missing film was imputed." in before
    films = next(box for box in at.selectbox if box.label == "Missing films")
    films.set_value("locf").run()
    (after,) = paragraphs(at)
    assert "Missing films were handled by last observation carried forward." in after
    (text,) = paragraphs(open_app("pages/3_Agreement.py"))
    assert "ICC(A,1): two-way, absolute agreement" in text
    (text,) = paragraphs(open_app("pages/2_Patient.py", patient="P1"))
    assert "was scored by 2 readers" in text


def test_a_blinded_study_has_no_arm_in_its_paragraph(open_app, blinded_file):
    (text,) = paragraphs(open_app("pages/4_Progression.py", cohort=blinded_file))
    assert "reference arm" not in text
    assert not any(arm in text for arm in ("Active", "Placebo"))


def test_a_filter_is_in_the_paragraph(open_app):
    (text,) = paragraphs(open_app("pages/4_Progression.py", arm="Active"))
    assert "Included were" in text
    assert "arm Active" in text


def test_phantoms_and_the_version_stand_inside_every_file():
    text = made_with(STATE, 7)
    assert text.startswith("AXIS-2, cohort version 7, Sharpline ")
    assert "Phantom data: no real patient." in text
    assert "Phantom" not in made_with({"study": "", "phantom": False}, 7)


def test_a_workbook_holds_the_numbers_and_what_they_are():
    table = pd.DataFrame({"series": ["=1+1", "a\x01b"], "y": [1.5, 2.0]})
    sheets = pd.read_excel(io.BytesIO(save._xlsx(table, "Mean change", SAID)), sheet_name=None)
    assert sheets["numbers"]["y"].tolist() == [1.5, 2.0]
    assert sheets["numbers"]["series"].tolist() == ["'=1+1", "ab"]
    assert sheets["about"]["about"].tolist() == ["Mean change", SAID.title, "n = 3.", SAID.made_with]


def test_names_in_a_figure_file_are_text():
    payload = save._payload(go.Figure(), "waterfall", "Change of <b>P1</b>", SAID, "sharpline_waterfall")
    assert payload["heading"] == "Change of &lt;b&gt;P1&lt;/b&gt;: mSASSS, BL to W52"
    assert payload["lines"] == ["n = 3.", SAID.made_with]


def test_the_large_figure_is_a_copy_with_larger_letters():
    figure = go.Figure().update_layout(font={"size": 14}, height=300)
    figure.add_annotation(text="n = 3", font={"size": 13})
    shown = save.large(figure)
    assert shown.layout.font.size > 20
    assert shown.layout.annotations[0].font.size > 20
    assert (figure.layout.font.size, figure.layout.height) == (14, 300)


def test_the_report_is_made_by_a_job_and_stays_until_the_job_goes(cohort_file):
    board = Board()
    try:
        job = board.start("Report", str(cohort_file), ["report", "--system", "msasss"], makes="report.html")
        end = time.monotonic() + 90
        while job.is_running and time.monotonic() < end:
            time.sleep(0.1)
        assert job.status == 0, job.complaint
        assert b"Do the readers agree" in job.made.read_bytes() or b"Is the model" in job.made.read_bytes()
    finally:
        board.stop_all()
    assert not job.made.exists()


def test_agreement_and_progression_offer_the_report(open_app):
    for page in ("pages/3_Agreement.py", "pages/4_Progression.py"):
        at = open_app(page)
        assert any(button.label == "Make the report" for button in at.button)
