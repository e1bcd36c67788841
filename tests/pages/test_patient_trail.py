"""Patient: from a total to its pixels, why a total changed, and what a blinded reader gets of it."""

import re
import shutil

import pandas as pd
import pytest

from core.scores.engine.totals import compute
from data.store.cohort import CohortStore
from pages.common.patient import sections
from tests.helpers import small_cohort, small_limbs

PAGE = "pages/2_Patient.py"
TOTAL = sections.TOTAL


@pytest.fixture(scope="session")
def limbs_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("limbs") / "limbs.duckdb"
    small_limbs.build(path)
    return path


def words(at, kind):
    return " ".join(element.value for element in getattr(at, kind))


def html(at):
    return " ".join(element.proto.body for element in at.get("html"))


def table(at, first_column):
    return next(one.value for one in at.dataframe if first_column in one.value.columns)


def totals_of(frame, system, patient):
    rows = frame[frame["subject"] == patient]
    return compute(rows, system, visits=list(small_cohort.VISITS)).totals.set_index(["reader", "visit"])[
        "total"
    ]


def figures(at):
    """(film, visit, site) of every crop."""
    return re.findall(r'data-image="(\w+)" data-visit="(\w+)" data-site="([\w.]+)"', html(at))


def test_change_comes_apart_into_sites_with_two_crops_each(open_app):
    at = open_app(PAGE, patient="P4")
    totals = totals_of(small_cohort.site_grades(), small_cohort.SYSTEM, "P4")
    mean = sum(totals[(one, "W104")] - totals[(one, "BL")] for one in ("R1", "R2")) / 2
    said = next(one.value for one in at.markdown if "mean of R1, R2: " in one.value)
    assert said.startswith(f"**{mean:+.1f}** mSASSS")
    assert "please report" not in words(at, "markdown")
    crops = [crop for crop in figures(at) if crop[2] == "C5I"]
    assert [(visit, site) for _, visit, site in crops[:2]] == [("BL", "C5I"), ("W104", "C5I")]
    assert [image[:6] for image, _, _ in crops[:2]] == ["00p4bl", "00p4w1"]
    assert "**C5I** +3.00 · C5 inferior anterior corner" in words(at, "markdown")


def test_change_of_one_reading_can_be_chosen(open_app):
    at = open_app(PAGE, patient="P4")
    next(one for one in at.button_group if one.key == "patient_reading").set_value("R2").run()
    assert not at.exception
    totals = totals_of(small_cohort.site_grades(), small_cohort.SYSTEM, "P4")
    change = totals[("R2", "W104")] - totals[("R2", "BL")]
    assert any(one.value.startswith(f"**{change:+.1f}** mSASSS, R2:") for one in at.markdown)


def test_few_crops_are_made_and_more_on_the_button(open_app, limbs_file):
    at = open_app(PAGE, cohort=limbs_file, patient="P3")
    assert len(opened(at)) == 6 and opened(at)[0] == "LH.E.PIP2"
    next(button for button in at.button if button.label.startswith("Show the next")).click().run()
    assert len(opened(at)) > 6


def opened(at):
    """Sites whose crops are shown, in order."""
    return [one.key.removeprefix("why_open_") for one in at.button if str(one.key).startswith("why_open_")]


def test_total_opens_components_sites_and_one_site(open_app):
    at = open_app(PAGE, section=TOTAL, patient="P4")
    at.session_state["trail_total"] = ("P4", "msasss", "R2", "W104")
    at.run()
    totals = totals_of(small_cohort.site_grades(), small_cohort.SYSTEM, "P4")
    total = totals[("R2", "W104")]
    said = next(one.value for one in at.markdown if one.value.startswith("**R2, W104: total"))
    assert said.startswith(f"**R2, W104: total {total:.2f}".removesuffix(".00"))
    assert "1 imputed" in said
    sites = table(at, "adds")
    assert sites["adds"].sum() == pytest.approx(total, abs=0.002)
    assert "imputed: behind the shoulders" in sites.set_index("site").loc["T1S", "how"]


def test_site_tells_rule_imputation_run_and_event(open_app):
    at = open_app(PAGE, section=TOTAL, patient="P4", site="T1S")
    at.session_state["trail_total"] = ("P4", "msasss", "R2", "W104")
    at.run()
    text = words(at, "markdown")
    assert "**T1S** · T1 superior anterior corner · R2, W104" in text
    assert "mean of 11 scored corners of the cervical segment =" in text and "From: C2I 0" in text
    assert "Rule Segment mean:" in words(at, "caption")
    assert "not verified in the primary paper" in words(at, "caption")


def test_site_tells_run_weights_campaign_and_event(open_app, limbs_file):
    at = open_app(PAGE, section=TOTAL, cohort=limbs_file, patient="P3", site="LH.E.PIP3")
    at.session_state["trail_total"] = ("P3", "mtss", small_limbs.MODEL, "W52")
    at.run()
    page = html(at)
    for fact in ("run1", "feed0123", "model-single, read mode single", "0.1.0", ": test, build, "):
        assert fact in page, fact
    assert '<tr data-reading="R1">' in page and '<tr data-reading="truth">' in page


def test_lifted_grades_name_finding_and_setting(open_app, limbs_file):
    at = open_app(PAGE, section=TOTAL, cohort=limbs_file, patient="P3", site="LH.E.PIP3")
    at.session_state["trail_total"] = ("P3", "mtss", "R1", "W52")
    at.run()
    assert not at.exception
    text = words(at, "markdown")
    assert "Bony ankylosis at this joint: erosion counts as 5 under `mtss.ankylosis_erosion` = max" in text
    assert "`mtss.ankylosis_erosion` = max" in words(at, "caption")
    assert "model mtss-demo, this film alone. Grade probabilities of that reading" in html(at)
    assert "bony ankylosis" in set(table(at, "adds")["how"])
    components = next(one for one in at.button_group if one.key == "trail_component")
    assert [option.rpartition(" ")[0] for option in components.options] == [
        "total", "erosion", "joint space narrowing", "hands", "feet",
    ]  # fmt: skip


def finding(**given):
    """A finding of the model at LH.E.PIP3 of W52, as the query answers it."""
    row = {"visit": "W52", "site": "LH.E.PIP3", "feature": "erosion", "label": "model:demo", "image": "f1",
           "grade": 0, "grade_probabilities": [0.9, 0.1, 0, 0, 0, 0], "read_mode": "single"}  # fmt: skip
    return row | given


def bars_of(findings, image=None):
    """What stands beside the crop; image: of the film that the reading is of."""
    from core import scores
    from pages.common.patient.breakdown import Breakdown
    from pages.common.patient.site_card import _probabilities

    reads = pd.DataFrame([finding(image=image)])
    found = Breakdown(None, reads, pd.DataFrame(findings), pd.DataFrame(), {})
    return _probabilities(scores.get("mtss"), found, "W52", "LH.E.PIP3")


def test_grade_and_bars_are_of_one_reading_and_say_which():
    alone = bars_of([finding()])
    assert "Grade 0: model demo, this film alone. Grade probabilities of that reading" in alone
    assert "Not the likeliest" not in alone
    paired = bars_of([finding(read_mode="paired", grade=1)])
    assert "Grade 1: model demo, films compared side by side." in paired
    assert "Not the likeliest grade: the grades of all the patient" in paired


def test_of_two_exposures_the_bars_are_of_the_film_that_was_graded():
    other = finding(image="f2", grade=2, grade_probabilities=[0, 0, 1.0, 0, 0, 0])
    both = bars_of([finding(), other], image="f2")
    assert "Grade 2: model demo" in both and "Grade 0: model demo" not in both


def test_site_without_box_is_shown_beside_its_joint_or_says_why(open_app, limbs_file):
    at = open_app(PAGE, section=TOTAL, cohort=limbs_file, patient="P3", site="LH.E.ULN")
    assert "the model did not find this site" in html(at)
    at = open_app(PAGE, section=TOTAL, patient="P6", site="L2S", first="BL", last="W52")
    assert "film rejected by the model: too few corners found" in html(at)
    at = open_app(PAGE, section=TOTAL, patient="P5", site="C5I")
    assert "no cervical film at this visit" in html(at)


@pytest.mark.parametrize("system", ["sparcc", "synovitis"])
def test_other_systems_come_apart_too(open_app, tmp_path, system):
    from tests.helpers import other_systems

    path = tmp_path / f"{system}.duckdb"
    other_systems.build(path, system)
    at = open_app(PAGE, section=TOTAL, cohort=path, system=system)
    assert not at.exception
    assert "please report" not in words(at, "markdown")
    assert len(table(at, "adds"))


def test_sites_that_do_not_add_up_are_called_out(open_app, cohort_file, tmp_path):
    """A total that is not what the sites make must not be shown as if it were."""
    path = tmp_path / "wrong.duckdb"
    shutil.copy(cohort_file, path)
    shutil.copytree(CohortStore(cohort_file).folder, CohortStore(path).folder)
    import duckdb

    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE total SET total = total + 1 WHERE subject = 'P4' AND visit = 'W104'")
    text = words(open_app(PAGE, cohort=path, patient="P4"), "markdown")
    assert "the totals changed by" in text and "please report" in text


# -- a blinded reader ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("viewer", ["reader:R1", "reader"])
def test_blinded_reader_gets_only_own_grades(open_app, viewer):
    for section in (sections.WHY, sections.COURSE, sections.TOTAL):
        check_own_grades(open_app(PAGE, section=section, viewer=viewer, patient="P4", site="C5I"))
    at = open_app(PAGE, section=TOTAL, viewer=viewer, patient="P4", site="C5I")
    if viewer == "reader:R1":
        assert '<tr data-reading="R1">' in html(at)
        assert "Campaign" in html(at) and "Event" not in html(at)
        own = table(at, "adds")
        assert len(own) and isinstance(own, pd.DataFrame)


def check_own_grades(at):
    assert not at.exception
    page = html(at) + words(at, "markdown") + words(at, "caption") + str([one.value for one in at.dataframe])
    for hidden in ("R2", small_cohort.MODEL, "run1", "abc123", "test, build", "W104", "chance of change"):
        assert hidden not in page, hidden
    assert 'data-reading="truth"' not in page and "Grade probabilities" not in page
    assert figures(at) == [], "a box would tell what the model found"


def test_crops_are_in_film_pixels_where_one_film_has_no_spacing():
    from core.domain import Box
    from pages.common.patient.cards import Place
    from pages.common.patient.site_location import alike

    box = Box(0, 0, 50, 50)
    known, unknown = (Place(v, "i", mm, box, box) for v, mm in (("BL", (0.15, 0.15)), ("W52", None)))
    nothing = Place("W104", why="no film")
    assert [place.spacing for place in alike([known, unknown])] == [None, None]
    assert alike([known, nothing])[0].spacing == (0.15, 0.15)
