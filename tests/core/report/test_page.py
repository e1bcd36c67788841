"""The page of the report: what it says and must not say, and that it stands alone."""

import json
import re
from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from core.agreement.icc import icc
from core.domain import Box, Image
from core.report.blocks import Code, Facts, Figure, FilmPicture, Report, Section, Table, Text
from core.report.compose import compose
from core.report.disagreements import disputed_site, shown_region, worst_patients
from core.report.films import close_up, film_picture
from core.report.formatting import number, percent, with_interval
from core.report.html import page
from core.report.inputs import Case, MarginSet
from tests.core.report import samples

JS = "/* plotly */"


def margin(preset, value=50.0, reason=""):
    return MarginSet(value, "mSASSS²", "chair", datetime(2024, 1, 5), reason, preset)


def text_of(report):
    return re.sub(r"<[^>]+>", " ", page(report, plotly_js="").split("<script")[0])


@pytest.fixture(scope="module")
def report():
    return compose(samples.inputs())


@pytest.fixture(scope="module")
def html(report):
    return page(report, plotly_js=JS)


def test_same_material_same_bytes(html):
    assert page(compose(samples.inputs()), plotly_js=JS) == html


def test_page_fetches_nothing(html):
    assert "connect-src 'none'" in html and "default-src 'none'" in html
    assert not re.search(r"""(src|href)=["'](?!#|data:)""", html)
    assert "http://" not in html.replace("http://www.w3.org", "") and "https://" not in html
    assert "@import" not in html and html.count(JS) == 1


def test_date_is_that_of_the_last_event(html):
    assert "2 May 2024" in html and "2024-05-02 10:30 UTC" in html
    assert str(datetime.now().year) not in re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)


def test_phantom_is_said_before_any_number(html):
    assert html.index("Phantom data") < html.index("In short</h2>")
    assert "Not a medical device" in html


def test_figures_are_there_in_both_looks_and_read_as_json(html, report):
    drawn = json.loads(re.search(r'id="figures">(.*?)</script>', html, re.DOTALL)[1])
    assert len(drawn) == html.count('class="plot"') >= 9
    for name, figure in drawn.items():
        assert f'id="{name}"' in html
        assert figure["light"]["layout"]["font"]["color"] != figure["dark"]["layout"]["font"]["color"]


def test_numbers_stand_in_full_precision(html, report):
    numbers = json.loads(re.search(r'id="numbers">(.*?)</script>', html, re.DOTALL)[1])
    assert (
        numbers["reader_error"][0]["change"]["one"][0]
        == report.numbers["reader_error"][0]["change"]["one"][0]
    )
    assert numbers["cohort_version"] == 7


def test_error_is_signed_with_readers_and_read_mode(html):
    assert "SDC95 (mean of 2 readers, paired), BL to W104" in html
    assert "1.40 (" in html and "1.98 (" in html and "ICC(A,1)" in html


def test_without_a_margin_there_is_no_verdict(report):
    said = text_of(report)
    assert "No margin was preset: no verdict." in said
    assert "no margin was preset: no verdict" in said
    assert "within the margin of" not in said


def test_preset_margin_gives_a_verdict_with_who_and_when():
    said = text_of(compose(samples.inputs(margins=(margin(True),), readings=samples.thirty())))
    assert "50 mSASSS², set by chair on 5 January 2024, before any model had scored" in said
    assert "within the preset margin of 50" in said
    assert "no verdict" not in said.lower()


def test_preset_margin_gives_no_verdict_on_ten_patients():
    said = text_of(compose(samples.inputs(margins=(margin(True),))))
    assert (
        "No verdict: there is no interval, since too few patients differ" in said and ": no verdict" in said
    )
    assert "within the preset margin" not in said


def test_margin_too_small_is_not_shown_to_hold():
    said = text_of(compose(samples.inputs(margins=(margin(True, 0.001),), readings=samples.thirty())))
    assert "not shown to be within the preset margin" in said


def test_margin_set_afterwards_gives_no_verdict_and_shows_its_reason():
    said = text_of(compose(samples.inputs(margins=(margin(False, reason="protocol amendment 3"),))))
    assert "AFTER a model had scored" in said and "protocol amendment 3" in said
    assert "No verdict: the margin was not preset" in said
    assert "within the margin of" not in said


def test_every_margin_is_shown_and_one_taken_back_does_not_count():
    history = (margin(True, 4.0), margin(True, None, "wrong unit"))
    said = text_of(compose(samples.inputs(margins=history)))
    assert "4 mSASSS²" in said and "withdrawn" in said and "wrong unit" in said
    assert "No margin was preset: no verdict." in said


def test_arms_are_hidden_while_blinded_and_counted_otherwise():
    said = text_of(compose(samples.inputs(is_blinded=True)))
    assert "hidden: the study is blinded" in said
    said = text_of(compose(samples.inputs(arms={"Active": 5, "Placebo": 5})))
    assert "Active 5, Placebo 5" in said


def test_read_modes_that_differ_are_named(report):
    assert "model m scored films in read mode single, the human readers in read mode paired" in text_of(
        report
    )


def test_readers_alone_make_a_report():
    both = samples.readings(samples.totals(labels=("R1", "R2")))
    report = compose(samples.inputs(readings=both))
    said = text_of(report)
    assert report.title == "Do the readers agree?" and "No model has scored this study" in said
    assert "is not known: no model has scored this study" in said
    assert "1.40 (" in said


def test_every_model_stands_beside_the_readers():
    labels = ("R1", "R2", samples.MODEL, samples.OTHER)
    both = compose(samples.inputs(readings=samples.readings(samples.totals(labels))))
    alone = compose(samples.inputs())

    def beside(report):
        tables = [block for part in report.sections for block in part.blocks if isinstance(block, Table)]
        table = next(one for one in tables if "readers with each other" in one.columns)
        rows = [row for row in table.rows if row[0].startswith(("Mean squared difference", "False"))]
        assert len(rows) == 4
        return rows

    for row, one in zip(beside(both), beside(alone), strict=True):
        first, second = row[2].split("\n")
        assert row[:2] == one[:2] and first == f"{samples.MODEL}: {one[2]}"
        assert second.startswith(f"{samples.OTHER}: ") and second.partition(": ")[2] != one[2]


def test_one_reader_and_a_model_make_a_report():
    said = text_of(
        compose(samples.inputs(readings=samples.readings(samples.totals(labels=("R1", samples.MODEL)))))
    )
    assert "is not known: two readers are needed" in said


def test_a_single_visit_has_status_and_says_so():
    single = samples.readings(samples.totals(visits=("BL",)), visits=("BL",))
    inputs = samples.inputs(
        readings=single, attended=samples.attended(("BL",)), grades=samples.grades(visits=("BL",))
    )
    said = text_of(compose(inputs))
    assert "one visit, BL: there is status, and no change" in said and "False change" not in said


def test_readings_without_any_variance_give_words_not_nan():
    flat = samples.totals().assign(total=3.0)
    same = samples.grades().assign(grade=1).astype({"grade": "Int32"})
    html = page(compose(samples.inputs(readings=samples.readings(flat), grades=same)), plotly_js="")
    assert not re.search(r"\bnan\b", html, re.IGNORECASE)


def test_faults_of_the_audit_trail_are_shown():
    origin = replace(samples.inputs().origin, faults=("event 3: site_score: rows were changed",))
    said = text_of(compose(samples.inputs(origin=origin)))
    assert "1 faults, listed below" in said and "event 3: site_score: rows were changed" in said


def test_worst_cases_are_the_largest_disagreements_first():
    assert worst_patients(samples.inputs(), 2)[0] == "P06"
    assert worst_patients(samples.inputs(), 0) == []


def test_region_shown_is_where_the_model_differs():
    grades = samples.grades()
    here = grades[grades["subject"] == "P06"].copy()
    assert shown_region(here, samples.SYSTEM, samples.MODEL, ["BL", "W104"]) == "cervical"
    here.loc[(here["site"] == "L2S") & (here["label"] == samples.MODEL), "grade"] = 3
    here.loc[here["site"] == "C5I", "grade"] = 1
    assert shown_region(here, samples.SYSTEM, samples.MODEL, ["BL", "W104"]) == "lumbar"


def film_and_findings():
    y, x = np.mgrid[:900, :700]
    film = Image("i", (x * 50 + y).astype(np.uint16))
    findings = pd.DataFrame(
        {"site": ["C5I", "C4S"], "grade": [3, 0], "box": [Box(300, 400, 330, 430), Box(310, 300, 340, 330)]}
    )
    return film, findings


def test_film_is_small_and_its_boxes_lie_in_it():
    film, findings = film_and_findings()
    grades = pd.DataFrame({"site": ["C5I"] * 3, "label": ["R1", "R2", samples.MODEL], "grade": [2, 3, 3]})
    kinds = {"R1": "human", "R2": "human", samples.MODEL: "model"}
    shown = film_picture(film, "W104", findings, grades, kinds, samples.SYSTEM)
    assert shown.jpeg is not None and shown.jpeg[:3] == b"\xff\xd8\xff" and len(shown.jpeg) < 60_000
    assert shown == film_picture(film, "W104", findings, grades, kinds, samples.SYSTEM)
    by_label = {mark.label: mark for mark in shown.marks}
    assert set(by_label) == {"", "C5I: R1 2 · R2 3 · M 3"}
    for mark in shown.marks:
        assert (
            0 <= mark.box.x0 < mark.box.x1 <= shown.width and 0 <= mark.box.y0 < mark.box.y1 <= shown.height
        )


def test_close_up_is_the_disputed_site_large_and_alone():
    film, findings = film_and_findings()
    grades = pd.DataFrame({"site": ["C5I"] * 3, "label": ["R1", "R2", samples.MODEL], "grade": [2, 3, 3]})
    kinds = {"R1": "human", "R2": "human", samples.MODEL: "model"}
    about = (findings, grades, kinds, samples.SYSTEM)
    shown = close_up(film, "C5I, W104", *about, "C5I")
    assert shown is not None and shown.height > 250
    (mark,) = shown.marks
    assert mark.label == "C5I: R1 2 · R2 3 · M 3"
    assert mark.box.x1 - mark.box.x0 == pytest.approx(30 * shown.width / 96, rel=0.05)
    assert close_up(film, "BL", *about, "L1S") is None


def test_a_site_about_whose_change_they_differ_goes_before_one_that_differs_alike_at_both_visits():
    grades = samples.grades()
    here = grades[grades["subject"] == "P06"].replace({"site": {"L2S": "C6S"}})
    here["grade"] = 1
    model, last = here["label"] == samples.MODEL, here["visit"] == "W104"
    here.loc[(here["site"] == "C5I") & model, "grade"] = 3  # at both visits: no change
    here.loc[(here["site"] == "C6S") & model & last, "grade"] = 2
    where = (samples.SYSTEM, samples.MODEL, ["BL", "W104"], "cervical")
    assert disputed_site(here, *where) == "C6S"
    here.loc[here["site"] == "C6S", "grade"] = 1
    assert disputed_site(here, *where) == "C5I"


def test_the_disputed_site_is_where_readings_differ_most():
    grades = samples.grades()
    here = grades[grades["subject"] == "P06"].copy()
    where = (samples.SYSTEM, samples.MODEL, ["BL", "W104"], "cervical")
    assert disputed_site(here, *where) == "C5I"
    here["grade"] = 1
    assert disputed_site(here, *where) == ""


def test_the_first_page_stands_alone(report):
    first = report.sections[0]
    facts = dict(next(block for block in first.blocks if isinstance(block, Facts)).rows)
    assert set(facts) == {"Study", "Compared", "Patients", "Reading", "Missing sites", "Made from", "Arms"}
    assert facts["Patients"] == "10 of 10 have every reading; 0 left out, listed below"
    assert "cohort version" in facts["Made from"]


def test_film_without_findings_is_shown_whole():
    film, findings = film_and_findings()
    shown = film_picture(film, "BL", findings.iloc[:0], pd.DataFrame(columns=["site", "label", "grade"]), {},
                         samples.SYSTEM)  # fmt: skip
    assert shown.marks == () and shown.width / shown.height == pytest.approx(700 / 900, abs=0.01)


def test_case_without_film_says_why():
    films = (FilmPicture("BL", message="No cervical film at this visit."),)
    grades = samples.grades()
    case = Case("P06", grades[grades["subject"] == "P06"], "cervical", films)
    said = text_of(compose(samples.inputs(cases=(case,))))
    assert "No cervical film at this visit." in said and "Case 1: patient P06, cervical" in said
    assert "2 → 3" in said


def test_text_from_the_study_cannot_become_markup():
    evil = "</script><img src=x onerror=alert(1)>"
    report = Report(
        evil, evil, (evil,),
        (Section("a", evil, (Text(evil), Table((evil,), ((evil,),), evil), Code(evil, evil))),),
        {evil: evil},
    )  # fmt: skip
    html = page(report, plotly_js="")
    assert "<img" not in html and html.count("</script>") == 4


def test_missing_numbers_are_null_in_the_data():
    html = page(Report("t", "s", (), (), {"x": [float("nan"), np.float64(1.5), None]}), plotly_js="")
    assert '{"x": [null, 1.5, null]}' in html


def test_figure_keeps_its_words():
    import plotly.graph_objects as go

    def draw(on):
        return go.Figure(go.Scatter(y=[1])).update_layout(height=200, font_color=on.text)

    block = Figure("f", draw, "a line", "It rises.", "Line")
    html = page(Report("t", "s", (), (Section("a", "A", (block,)),)), plotly_js="")
    assert 'aria-label="a line"' in html and "It rises." in html and "height:200px" in html


@pytest.mark.parametrize(
    ("value", "expected"),
    [(-0.001, "0.00"), (-1.5, "−1.50"), (None, "–"), (float("nan"), "–"), (1234.5, "1,234.50")],
)
def test_numbers_read_well(value, expected):
    assert number(value) == expected


def test_intervals_read_well():
    assert with_interval([0.5, None, None]) == "0.50 (no interval)"
    assert with_interval([0.4, -0.1, 0.9], signed=True) == "+0.40 (−0.10 to +0.90)"
    assert percent({"estimate": None, "ci": [None, None]}) == "no case"
    assert percent({"estimate": 0.25, "ci": [0.0, 0.5]}) == "25% (0% to 50%)"


def table_of(report, anchor, place=0):
    section = next(part for part in report.sections if part.anchor == anchor)
    return [block for block in section.blocks if isinstance(block, Table)][place]


def test_subgroups_hold_the_numbers_of_their_patients():
    report = compose(samples.inputs(groups=samples.groups()))
    table = table_of(report, "subgroups")
    women = next(row for row in table.rows if row[0] == "sex: F" and row[1] == "R1 – R2")
    first, second = (np.array(samples.TOTALS[label][1][:6], dtype=float) for label in ("R1", "R2"))
    expected = icc(np.column_stack([first, second]))["forms"]["ICC(A,1)"]["estimate"]
    assert women[2] == "6" and women[3].startswith(number(expected))
    assert table.rows[0][0] == "all patients"
    assert report.numbers["subgroups"]


def test_no_subgroup_and_no_second_read_are_said():
    text = text_of(compose(samples.inputs()))
    assert "No subgroup of patients is known." in text
    assert "No reader read a film twice" in text


def test_readers_against_themselves_stand_in_a_table():
    report = compose(samples.inputs(rereads=samples.rereads()))
    rows = {row[3].split(",")[0].split()[0]: row for row in table_of(report, "rereads").rows}
    assert rows["status"][4:6] == ("10", "5") and rows["status"][7].startswith("−0.10")
    assert rows["change"][4:6] == ("5", "5") and rows["change"][7].startswith("−0.20")
    assert "Readers read 5 patients again" in text_of(report)


def test_same_bytes_with_subgroups_and_second_reads():
    given = {"groups": samples.groups(), "rereads": samples.rereads()}
    pages = {page(compose(samples.inputs(**given)), plotly_js=JS) for _ in range(2)}
    assert len(pages) == 1


def test_a_report_of_an_open_data_set_says_so_instead_of_phantom():
    source = "Made from RAM-W600 (as downloaded; terms: CC BY 4.0)."
    report = compose(samples.inputs(is_phantom=False, source=source))
    assert any(
        f"Real films: {samples.inputs().patients} patients. {source}" in notice for notice in report.notices
    )
    assert not any("Phantom" in notice for notice in report.notices)
    html = page(report, plotly_js="")
    assert html.count("Made from RAM-W600") >= 2 and "phantoms (simulated)" not in html
