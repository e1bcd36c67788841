"""Figures of the Agreement page in a real browser: squares that open films, pictures that are saved."""

import pytest

pytestmark = pytest.mark.browser


def section(visitor, name):
    visitor.click(visitor.page.get_by_role("radio", name=name))


def plot(visitor, place):
    """The figure at this place; 0 is the forest."""
    found = visitor.page.locator(".js-plotly-plot").nth(place)
    found.scroll_into_view_if_needed(timeout=visitor.patience)
    return found


def click_text(visitor, figure, place):
    """Click where the number of a square stands."""
    box = figure.locator(".scatterlayer .textpoint").nth(place).bounding_box()
    visitor.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_click_on_a_square_of_grades_opens_the_film_at_that_site(visitor):
    visitor.open("Agreement")
    section(visitor, "Grades")
    squares = plot(visitor, 1)
    numbers = squares.locator(".scatterlayer .textpoint").all_text_contents()
    last = [place for place, text in enumerate(numbers) if text.strip()][-1]
    count = int(numbers[last])
    click_text(visitor, squares, last)
    visitor.page.wait_for_url("**/Patient**patient=P4**site=**", timeout=visitor.patience)
    visitor.wait_for("What changed, BL to W104")
    visitor.films_drawn()
    visitor.page.go_back()
    visitor.settle()
    visitor.wait_for(f"{count} case")
    visitor.page.locator(".js-plotly-plot").nth(1).wait_for(timeout=visitor.patience)
    visitor.redrawn(1000)  # the figures above are drawn, the table stays where it is
    visitor.click_cell(visitor.page.locator('[data-testid="stDataFrame"]:not(details *)').first, row=0)
    visitor.page.wait_for_url("**/Patient**patient=P4**", timeout=visitor.patience)


def test_click_on_a_site_opens_the_patient_about_whom_two_differ(visitor):
    visitor.open("Agreement")
    section(visitor, "Site by site")
    visitor.wait_for("Quadratic kappa is lowest at")
    click_text(visitor, plot(visitor, 1), 0)
    visitor.page.wait_for_url("**/Patient**site=C**", timeout=visitor.patience)
    visitor.films_drawn()


def test_click_on_the_forest_chooses_the_pair(visitor):
    visitor.open("Agreement")
    section(visitor, "Planning")
    forest = plot(visitor, 0)
    box = forest.locator(".scatterlayer .trace").nth(0).locator(".point").first.bounding_box()
    visitor.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    visitor.wait_for("R1 scores")


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_figures_are_saved_as_pictures_without_a_network(visitor, kind, tmp_path):
    visitor.open("Agreement")
    before = plot(visitor, 0).inner_html()
    visitor.click(visitor.page.get_by_role("button", name="Figure, table, text").first)
    with visitor.page.expect_download(timeout=visitor.patience) as saved:
        visitor.page.get_by_role("button", name=kind.upper(), exact=True).click(timeout=visitor.patience)
    path = tmp_path / saved.value.suggested_filename
    saved.value.save_as(path)
    assert path.name == f"sharpline_forest.{kind}"
    content = path.read_bytes()
    if kind == "svg":
        words = content.decode()
        assert words.startswith("<svg")
        for inside in (
            "patients with all readings",
            "Missing sites: Segment mean",
            "Sharpline",
            "Research only",
        ):
            assert inside in words
    else:
        assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert plot(visitor, 0).inner_html() == before, "what stands on the page does not change"


def test_data_of_a_figure_are_saved_as_a_table(visitor, tmp_path):
    visitor.open("Agreement")
    with visitor.page.expect_download(timeout=visitor.patience) as saved:
        visitor.page.get_by_test_id("stDownloadButton").first.get_by_role("button").click()
    text = saved.value.path().read_text()
    assert "estimate,low,high" in text.splitlines()[0] and "ICC(A,1)" in text
