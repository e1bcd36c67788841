"""The report in headless Chromium, from a file: figures in both looks, fit to print, nothing fetched."""

import pytest

from core.cli import main
from tests.helpers import small_cohort

PAPER_PIXELS = 688  # 182 mm at 96 dots an inch

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report_browser")
    small_cohort.build(folder / "c.duckdb")
    with pytest.raises(SystemExit) as end:
        main(
            ["--cohort", str(folder / "c.duckdb"), "report", "--out", str(folder / "r.html"), "--cases", "1"]
        )
    assert end.value.code == 0
    return folder / "r.html"


@pytest.fixture(scope="module")
def opened(report, chromium):
    """(page, addresses asked for, errors)."""
    page = chromium.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
    page.set_default_timeout(120_000)
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.goto(report.as_uri())
    page.wait_for_selector("html[data-drawn=yes]")
    yield page, asked, errors
    page.close()


def test_every_figure_is_drawn_and_nothing_is_fetched(opened):
    page, asked, errors = opened
    plots = page.locator(".plot")
    assert plots.count() > 9 and page.locator(".plot .main-svg").count() >= plots.count()
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert errors == []


def test_page_is_not_wider_than_its_window(opened):
    page, _, _ = opened
    for width in (1280, 400):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 1280, "height": 900})


def test_dark_page_has_light_text_in_its_figures(opened):
    page, _, _ = opened
    colour = "getComputedStyle(document.querySelector('.plot .xtick text')).fill"
    assert page.evaluate(colour) == "rgb(31, 41, 51)"
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{colour} === 'rgb(242, 244, 247)'")
    page.emulate_media(color_scheme="light")
    page.wait_for_function(f"{colour} === 'rgb(31, 41, 51)'")


def test_printed_figures_fit_the_paper_and_folded_tables_open(opened):
    page, _, _ = opened
    folded = page.locator("details:not([open])").count()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    widths = page.evaluate(
        "[...document.querySelectorAll('.plot')].map("
        "plot => [plot.clientWidth, plot.querySelector('.main-svg').clientWidth])"
    )
    assert folded > 0 and page.locator("details:not([open])").count() == 0
    assert all(drawn <= room <= PAPER_PIXELS + 1 for room, drawn in widths)
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details:not([open])").count() == folded


def test_numbers_can_be_saved(opened, tmp_path):
    page, _, _ = opened
    with page.expect_download() as saved:
        page.click("#save-numbers")
    saved.value.save_as(tmp_path / "numbers.json")
    assert '"ICC(A,1)"' in (tmp_path / "numbers.json").read_text(encoding="utf-8")
