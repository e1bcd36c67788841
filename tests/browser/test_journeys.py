"""The three journeys of the design, each in at most four clicks from Home."""

import pytest

pytestmark = pytest.mark.browser


def test_analyst_sees_which_arm_progressed_more(visitor):
    visitor.open()
    visitor.wait_for("Phantom data.")
    visitor.link("Compare the arms")
    for text in ("With imputed sites.", "Without imputed sites.", "Beyond the SDC95 (mean of 2 readers)"):
        visitor.wait_for(text)
    visitor.click(visitor.page.get_by_text("The same on the command line"))
    visitor.page.locator("code", has_text="sharpline progression").wait_for(timeout=visitor.patience)
    visitor.page.locator(".js-plotly-plot").nth(1).wait_for(timeout=visitor.patience)
    assert visitor.page.get_by_test_id("stDataFrame").count() >= 1
    assert visitor.clicks <= 4


def test_clinician_sees_both_films_at_the_site_that_changed(visitor):
    visitor.open()
    visitor.link("Open a patient")
    visitor.click(visitor.page.get_by_role("combobox", name="Patient"))
    visitor.click(visitor.page.get_by_role("option", name="P4"))
    visitor.wait_for("beyond reading error")
    visitor.films_drawn()
    before = visitor.views()
    visitor.click_cell(visitor.page.get_by_test_id("stDataFrame").first, row=1)
    assert visitor.clicks <= 4
    visitor.page.wait_for_url("**site=L2S**")
    visitor.films_drawn()
    assert visitor.page.locator(".film .title").first.inner_text().startswith("BL")
    assert "lumbar, 12 sites found" in visitor.page.locator(".film .title").nth(1).inner_text()
    after = visitor.views()
    assert after[0][0] == after[1][0], "both films are shown at one scale"
    assert after != before


def test_committee_sees_change_agreement_and_the_worst_outlier(visitor):
    visitor.open()
    visitor.link("Compare the readers")
    visitor.wait_for("Agreement, ICC(A,1), about change readers with each other")
    visitor.wait_for("the model with readers")
    visitor.wait_for("Left out:")
    visitor.click(visitor.page.get_by_role("radio", name="Largest disagreements"))
    visitor.click_cell(visitor.table_under("Largest disagreements about change BL to W104"), row=0)
    visitor.wait_for("What changed, BL to W104")
    visitor.films_drawn()
    assert "patient=" in visitor.page.url
    assert visitor.clicks <= 4


def test_click_on_a_point_opens_the_patient(visitor):
    visitor.open("Agreement")
    plot = visitor.page.locator(".js-plotly-plot").nth(
        3
    )  # forest, status: scatter and limits, change: scatter
    plot.scroll_into_view_if_needed()
    visitor.click_point(plot.locator(".scatterlayer .trace").nth(1).locator(".point").first)
    visitor.page.wait_for_url("**/Patient**patient=P**", timeout=30_000)
    visitor.films_drawn()
