"""What every page owes to eyes and keyboards: contrast, headings, focus, width of the window, paper."""

from pathlib import Path

import axe_playwright_python
import pytest

from core.figures.style import DARK, LIGHT
from tests.helpers import hands_cohort
from tests.helpers.app_in_browser import PATIENCE, Server, Visitor

pytestmark = pytest.mark.browser

PAGES = ("", "Cohort", "Patient?patient=P1", "Agreement", "Progression", "Import")
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
CONTRAST = (Path(__file__).parents[1] / "helpers" / "contrast.js").read_text(encoding="utf-8")
FOUR_SCREENS = 4 * 768
CONTENT = "document.querySelector('[data-testid=stMainBlockContainer]')"
VIOLATIONS = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations
    .filter(one => ["serious", "critical"].includes(one.impact) || one.id === "heading-order")
    .map(one => `${one.id}: ${one.nodes.map(node => node.html.slice(0, 120)).slice(0, 3).join(" | ")}`)"""
CUT = """() => {
    const content = document.querySelector("[data-testid=stMainBlockContainer]");
    const right = document.documentElement.clientWidth;
    const found = [];
    for (const node of content.querySelectorAll("*")) {
        if (node.closest("details:not([open])")) continue;
        const box = node.getBoundingClientRect();
        if (box.width && box.right > right + 1 && getComputedStyle(node).position !== "fixed")
            found.push(`out of the window: ${node.tagName}.${node.className}`);
    }
    const texts = "[data-testid=stMetricValue], [data-testid=stMetricLabel], h1, h2, h3, [data-testid=stMarkdown] p";
    for (const node of content.querySelectorAll(texts))
        if (node.scrollWidth > node.clientWidth + 1) found.push(`cut: ${node.innerText}`);
    for (const table of content.querySelectorAll(".dvn-scroller"))
        if (!table.closest("details:not([open])") && table.scrollWidth > table.clientWidth + 2) {
            const columns = table.closest("[data-testid=stDataFrame]").querySelector("[aria-colcount]")?.ariaColCount ?? 0;
            if (right >= 1366 || columns <= 8) found.push(`columns out of sight: one of ${columns}`);
        }
    const tiles = [...content.querySelectorAll("[data-testid=stMetric], h1, [data-testid=stSelectbox]")]
        .map(node => [node.innerText, node.getBoundingClientRect()]);
    for (const [name, a] of tiles)
        for (const [other, b] of tiles)
            if (name < other && a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
                found.push(`over each other: ${name} and ${other}`);
    return found.slice(0, 8);
}"""  # noqa: E501


@pytest.fixture
def window(chromium, server):
    """Opens a page in a window of a width and a theme."""
    contexts = []

    def opened(width=1366, theme="light", height=768):
        context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
        contexts.append(context)
        return Visitor(context.new_page(), server.url)

    yield opened
    for context in contexts:
        context.close()


def open_page(visitor, path):
    visitor.open(path)
    visitor.page.locator("h1").first.wait_for(timeout=PATIENCE)
    visitor.settle()


def whole_page(visitor, part="[data-testid=stMain]"):
    """What is folded in a part is opened, and the whole page is in sight: the hidden is not looked at."""
    closed = visitor.page.locator(part).locator("details:not([open]) > summary")
    for _ in range(closed.count()):
        closed.last.click(timeout=PATIENCE)
        visitor.redrawn(100)
    visitor.settle()
    height = visitor.page.evaluate(f"{CONTENT}.scrollHeight")
    visitor.page.set_viewport_size({"width": 1366, "height": height + 60})
    visitor.redrawn(300)


def has_sidebar(visitor):
    visitor.redrawn(600)  # it slides
    box = visitor.page.get_by_test_id("stSidebar").bounding_box()
    return bool(box) and box["x"] + box["width"] > 50


def cut_at(visitor, width):
    """What is cut, outside, or over something else in a window of this width."""
    visitor.page.set_viewport_size({"width": width, "height": 768})
    for _ in range(20):  # tables and figures follow after a moment
        visitor.redrawn(300)
        found = visitor.page.evaluate(CUT)
        if not found:
            break
    return found


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_has_a_serious_violation_faint_text_or_a_cut(window, theme, path):
    visitor = window(theme=theme)
    open_page(visitor, path)
    assert visitor.page.evaluate(f"{CONTENT}.scrollHeight") <= FOUR_SCREENS
    whole_page(visitor)
    visitor.page.evaluate(AXE)
    assert visitor.page.evaluate(VIOLATIONS) == []
    assert visitor.page.evaluate(CONTRAST) == []
    assert has_sidebar(visitor)
    if theme == "light":
        assert [*cut_at(visitor, 1366), *cut_at(visitor, 1920)] == []


SECTION = ".st-key-open_section"
SECTIONS = f"""() => {{
    const group = [...document.querySelectorAll("[data-testid=stButtonGroup]")]
    .filter(group => group.compareDocumentPosition(document.querySelector("{SECTION}")) & 4).at(-1);
    return [...group.querySelectorAll("[role=radio]")].map(one => one.innerText.trim());
}}"""
OF_SECTION = VIOLATIONS.replace("axe.run(document,", f"axe.run('{SECTION}',")


@pytest.mark.parametrize("path", ["Patient?patient=P1", "Agreement", "Progression"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_section_is_short_and_without_a_violation(window, theme, path):
    """One visit a page, in which each section is opened, measured, unfolded and looked at."""
    visitor = window(theme=theme)
    open_page(visitor, path)
    visitor.page.evaluate(AXE)
    assert wrong_sections(visitor) == {}


def wrong_sections(visitor):
    """Section -> its height and violations, of those that are too long or have any."""
    names = visitor.page.evaluate(SECTIONS)
    assert len(names) > 2
    wrong = {}
    for name in names:
        visitor.page.set_viewport_size({"width": 1366, "height": 768})
        visitor.click(visitor.page.get_by_test_id("stMain").get_by_role("radio", name=name, exact=True))
        height = visitor.page.evaluate(f"{CONTENT}.scrollHeight")
        whole_page(visitor, SECTION)
        found = [*visitor.page.evaluate(OF_SECTION), *visitor.page.evaluate(CONTRAST)]
        if found or height > FOUR_SCREENS:
            wrong[name] = (height, found)
    return wrong


@pytest.fixture(scope="module")
def hands(chromium, tmp_path_factory):
    running = Server(hands_cohort.build(tmp_path_factory.mktemp("hands") / "hands.duckdb").path)
    yield running
    running.stop()


@pytest.fixture
def with_hands(chromium, hands):
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    yield Visitor(context.new_page(), hands.url)
    context.close()


def test_every_section_of_a_long_score_is_short_and_without_a_violation(with_hands):
    """86 sites, two regions, parts: the same sections in one session."""
    wrong = {}
    for path in ("Patient?patient=P4", "Agreement", "Progression"):
        open_page(with_hands, path)
        with_hands.page.evaluate(AXE)
        wrong |= {f"{path}: {name}": why for name, why in wrong_sections(with_hands).items()}
    assert wrong == {}


def test_figures_follow_day_and_night(window):
    visitor = window(theme="light")
    open_page(visitor, "Progression")
    is_drawn = "colour => document.querySelector('.js-plotly-plot')?.layout?.font?.color === colour"
    for theme, look in (("light", LIGHT), ("dark", DARK), ("light", LIGHT)):
        visitor.page.emulate_media(color_scheme=theme)
        visitor.page.wait_for_function(is_drawn, arg=look.text, timeout=PATIENCE)


@pytest.mark.parametrize("path", PAGES[:5])
def test_a_narrow_window_has_no_sidebar_and_no_cut(window, path):
    visitor = window(1024)
    open_page(visitor, path)
    assert not has_sidebar(visitor)
    assert [*cut_at(visitor, 1024), *cut_at(visitor, 820)] == []


OUTLINE = """() => {
    let at = document.activeElement;
    while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    const shown = [at, at.closest("label"), at.closest("[data-baseweb=select]")].filter(Boolean).map(one => getComputedStyle(one));
    const is_seen = shown.some(one => one.outlineStyle === "auto" || (one.outlineStyle !== "none" && parseFloat(one.outlineWidth) >= 2));
    return [at.tagName, at.getAttribute("aria-label") || at.innerText, is_seen || at.matches("input[type=text], textarea")];
}"""  # noqa: E501


def test_whatever_the_keyboard_reaches_has_an_outline(window):
    visitor = window()
    open_page(visitor, "Progression")
    seen = []
    for _ in range(24):
        visitor.page.keyboard.press("Tab")
        seen.append(visitor.page.evaluate(OUTLINE))
    assert [one for one in seen if not one[2] and one[0] != "BODY"] == []
    assert {"Cohort", "Progression"} <= {one[1].split("\n")[-1] for one in seen if one[0] == "A"}


def test_a_sidebar_that_was_opened_in_a_narrow_window_stays_open(window):
    visitor = window(1024)
    open_page(visitor, "Cohort")
    visitor.click(visitor.page.get_by_test_id("stExpandSidebarButton"))
    assert has_sidebar(visitor)
    visitor.redrawn(2500)  # the watch on the cohort's version runs in between
    assert has_sidebar(visitor)


def test_both_films_stand_whole_on_the_first_screen(window):
    visitor = window()
    open_page(visitor, "Patient?patient=P4")
    visitor.films_drawn()
    for place in range(2):
        frame = visitor.page.locator(".film canvas").nth(place).bounding_box()
        assert frame["y"] > 0 and frame["y"] + frame["height"] <= 768


def test_a_printed_page_is_all_of_it_without_the_sidebar(window):
    visitor = window()
    open_page(visitor, "Progression")
    width = visitor.page.evaluate(f"{CONTENT}.clientWidth")
    visitor.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    visitor.page.emulate_media(media="print")
    visitor.page.set_viewport_size({"width": 718, "height": 1000})  # A4 between margins of 10 mm
    visitor.redrawn(500)
    assert not visitor.page.get_by_test_id("stSidebar").is_visible()
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 718
    box = visitor.page.get_by_test_id("stMainBlockContainer").bounding_box()
    assert box["x"] >= 0 and box["width"] <= 718 and box["height"] > 1000, "all of it, not one screen"
    assert width > 718, "as on the screen it would be cut"
    for figure in visitor.page.locator(".js-plotly-plot").all():
        frame = figure.bounding_box()
        assert frame["x"] >= 0 and frame["x"] + frame["width"] <= 718
