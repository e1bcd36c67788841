"""Progression in a real browser: a patient can be clicked in every figure, and the films open."""

import pytest

pytestmark = pytest.mark.browser


def open_section(visitor, name):
    visitor.open("Progression")
    visitor.wait_for("More about this change")
    visitor.click(visitor.page.get_by_text(name, exact=True).first)


def plot_of(visitor, name):
    """The figure whose container has this key."""
    plot = visitor.page.locator(f".st-key-{name} .js-plotly-plot")
    plot.wait_for(timeout=visitor.patience)
    plot.scroll_into_view_if_needed()
    visitor.settle()
    return plot


def click_middle(visitor, shape):
    box = shape.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    visitor.page.mouse.move(x - 6, y - 3)
    visitor.page.mouse.move(x, y)
    visitor.redrawn(300)
    visitor.page.mouse.click(x, y, delay=60)
    visitor.settle()


def films_of_a_patient(visitor):
    visitor.page.wait_for_url("**/Patient**patient=P**", timeout=60_000)
    visitor.films_drawn()


def test_click_on_the_cumulative_plot_lands_on_the_films(visitor):
    visitor.open("Progression")
    plot = plot_of(visitor, "cumulative_probability")
    click_middle(visitor, plot.locator(".scatterlayer .trace .point").first)
    films_of_a_patient(visitor)
    assert "first=BL" in visitor.page.url
    assert "last=W104" in visitor.page.url


def test_click_on_a_bar_of_the_waterfall_lands_on_the_films(visitor):
    open_section(visitor, "Patient by patient")
    plot = plot_of(visitor, "waterfall")
    click_middle(visitor, plot.locator(".barlayer .point path").first)
    films_of_a_patient(visitor)
    assert "patient=P4" in visitor.page.url, "the worst patient is the first bar of its arm"


def test_click_on_a_square_lists_patients_and_a_row_lands_on_the_site(visitor):
    open_section(visitor, "Where")
    plot = plot_of(visitor, "where")
    square = plot.locator(".scatterlayer .trace .point").nth(6)  # everyone, the seventh corner: C5I
    heading = visitor.page.get_by_role("heading", name="C5I, all:")
    for _ in range(6):  # a figure that is drawn again between hover and click takes no click
        click_middle(visitor, square)
        visitor.settle()
        if heading.count():
            break
    heading.wait_for(timeout=visitor.patience)
    visitor.click_cell(visitor.page.locator(".st-key-where_patients"), row=0)
    visitor.page.wait_for_url("**/Patient**patient=P4**", timeout=60_000)
    visitor.films_drawn()
    assert "site=C5I" in visitor.page.url
