"""From a point of the Bland-Altman plot to the films behind it and every reading's marks, in two clicks."""

import pytest

from tests.helpers import small_cohort, small_limbs
from tests.helpers.app_in_browser import FILMS, Server, Visitor

pytestmark = pytest.mark.browser
CHANGE_PLOT = 4  # forest, then scatter and limits of agreement: status, change

# What is written on a canvas is remembered with its place, so that a test can read the marks on a film.
LISTEN = """
const written = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, x, y, ...rest) {
  (this.canvas.heard ??= []).push([String(text), x, y]);
  return written.call(this, text, x, y, ...rest);
};
"""
FORGET = f"() => {FILMS}.forEach(film => {{ film.querySelector('canvas').heard = []; }})"
HEARD = f"() => {FILMS}.map(film => film.querySelector('canvas').heard ?? [])"
SHOWN = """() => [...document.querySelectorAll("*")].flatMap(host => host.shadowRoot
  ? [...host.shadowRoot.querySelectorAll(".viewer")] : [])[0].__view.data.films
  .map(film => [film.id, film.title])"""


@pytest.fixture(scope="module")
def limbs(chromium, tmp_path_factory):
    path = tmp_path_factory.mktemp("limbs") / "limbs.duckdb"
    small_limbs.build(path)
    running = Server(path)
    yield running
    running.stop()


@pytest.fixture
def visitor_of_limbs(chromium, limbs):
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    someone = Visitor(context.new_page(), limbs.url)
    yield someone
    context.close()
    assert someone.outside == []
    assert someone.errors == []


def click_patient(visitor, plot, patient):
    """The point of a patient in a figure whose points carry the patient first."""
    found = visitor.page.locator(".js-plotly-plot").nth(plot)
    found.scroll_into_view_if_needed(timeout=visitor.patience)
    found.locator(".scatterlayer .point").first.wait_for(timeout=visitor.patience)
    trace, point = found.evaluate(
        """(plot, patient) => {
          const at = plot.data.findIndex(trace => (trace.customdata ?? []).some(row => row[0] === patient));
          return [at, plot.data[at].customdata.findIndex(row => row[0] === patient)];
        }""",
        patient,
    )
    traces = found.locator(".scatterlayer .trace")
    drawn = traces.nth(trace if traces.count() > trace else 0)
    visitor.click_point(drawn.locator(".point").nth(point))


def marks(visitor):
    """Of each film shown: site -> {short name of the reading: what stands under it}, as drawn."""
    visitor.films_drawn()
    visitor.page.evaluate(FORGET)
    for place in range(visitor.page.locator(".film canvas").count()):
        frame = visitor.page.locator(".film canvas").nth(place).bounding_box()
        visitor.page.mouse.move(frame["x"] + 3, frame["y"] + frame["height"] / 2)
        visitor.page.mouse.move(frame["x"] + 6, frame["y"] + frame["height"] / 2)
    visitor.tool("boxes").click()
    visitor.tool("boxes").click()
    visitor.redrawn(300)
    return [_rows(heard) for heard in visitor.page.evaluate(HEARD)]


def _rows(heard):
    heads = {text: x for text, x, _ in heard if text in ("R1", "R2", "M", "T")}
    rows = {}
    for site, _, y in heard:
        if site in small_cohort.SYSTEM.by_code or site in small_limbs.SYSTEM.by_code:
            beside = [
                (x, text) for text, x, at in heard if abs(at - y) < 3 and (text.isdigit() or text == "–")
            ]
            rows[site] = {
                head: text for head, place in heads.items() for x, text in beside if abs(x - place) < 3
            }
    return rows


def expected(module, patient, visit, site):
    grades = module.site_grades()
    rows = grades[(grades["subject"] == patient) & (grades["visit"] == visit) & (grades["site"] == site)]
    short = {"R1": "R1", "R2": "R2", module.MODEL: "M", "truth": "T"}
    known = zip(rows["reader"], rows["grade"], strict=True)
    return {
        short[reader]: "–" if grade is None or grade != grade else str(int(grade)) for reader, grade in known
    }


def check_marks(visitor, module, patient, visits, site):
    """Both films carry the right marks at the site in view, and at every other one that is drawn."""
    drawn = marks(visitor)
    assert len(drawn) == len(visits)
    for rows, visit in zip(drawn, visits, strict=True):
        assert site in rows
        for code, cells in rows.items():
            assert set(cells) >= {"R1", "R2", "M"}, (visit, code)
            assert cells == {head: expected(module, patient, visit, code)[head] for head in cells}, (
                visit,
                code,
            )


def test_two_clicks_from_bland_altman_to_both_films_with_every_mark(visitor):
    visitor.page.add_init_script(LISTEN)
    visitor.open("Agreement")
    click_patient(visitor, CHANGE_PLOT, "P4")
    visitor.page.wait_for_url("**/Patient**patient=P4**", timeout=visitor.patience)
    visitor.wait_for("Why did it change, BL to W104?")
    visitor.films_drawn()
    assert visitor.clicks == 1
    first = visitor.page.evaluate(SHOWN)
    assert [title[:4].strip() for _, title in first] == ["BL", "W104"]
    assert [image for image, _ in first] == [films_of("P4", visit, "cervical") for visit in ("BL", "W104")]
    check_marks(visitor, small_cohort, "P4", ("BL", "W104"), "C5I")
    card = visitor.page.get_by_text("L2S +3.00").first
    card.scroll_into_view_if_needed(timeout=visitor.patience)
    visitor.click(visitor.page.locator(".st-key-why_open_L2S button"))
    visitor.page.wait_for_url("**site=L2S**", timeout=visitor.patience)
    visitor.films_drawn()
    shown = visitor.page.evaluate(SHOWN)
    assert [image for image, _ in shown] == [films_of("P4", visit, "lumbar") for visit in ("BL", "W104")]
    check_marks(visitor, small_cohort, "P4", ("BL", "W104"), "L2S")
    assert visitor.clicks == 2


def films_of(patient, visit, part):
    place = ("cervical", "lumbar").index(part)
    return f"{place:02d}{patient}{visit}{part}".ljust(24, "0").lower()


def test_two_clicks_for_hands_and_feet(visitor_of_limbs):
    visitor = visitor_of_limbs
    visitor.page.add_init_script(LISTEN)
    visitor.open("Agreement?system=mtss")
    click_patient(visitor, CHANGE_PLOT, "P3")
    visitor.page.wait_for_url("**/Patient**patient=P3**", timeout=visitor.patience)
    visitor.wait_for("Why did it change, BL to W52?")
    visitor.films_drawn()
    assert visitor.clicks == 1
    visitor.click(
        visitor.page.locator(".st-key-why_open_RF-J-MTP1 button, .st-key-why_open_RF_J_MTP1 button")
    )
    visitor.page.wait_for_url("**site=RF.J.MTP1**", timeout=visitor.patience)
    visitor.films_drawn()
    assert visitor.clicks == 2
    shown = visitor.page.evaluate(SHOWN)
    assert [image for image, _ in shown] == [
        small_limbs.image_of("P3", visit, "foot") for visit in ("BL", "W52")
    ]
    check_marks(visitor, small_limbs, "P3", ("BL", "W52"), "RF.J.MTP1")


def test_crops_of_a_change_are_those_films(visitor):
    visitor.open("Patient?patient=P4")
    visitor.wait_for("Why did it change, BL to W104?")
    crops = visitor.page.locator("figure[data-site=C5I]")
    crops.first.wait_for(timeout=visitor.patience)
    films = [crops.nth(place).get_attribute("data-image") for place in range(2)]
    assert films == [films_of("P4", visit, "cervical") for visit in ("BL", "W104")]
    image = crops.first.locator("img")
    image.scroll_into_view_if_needed(timeout=visitor.patience)
    assert image.evaluate("image => image.complete && image.naturalWidth") >= 200
    frame, cut = crops.first.locator("i").bounding_box(), crops.first.locator(".cut").bounding_box()
    middle = [frame["x"] + frame["width"] / 2 - cut["x"], frame["y"] + frame["height"] / 2 - cut["y"]]
    assert middle == pytest.approx([cut["width"] / 2, cut["height"] / 2], abs=1.5)


def test_click_on_a_total_and_then_on_a_site_shows_its_pixels(visitor):
    visitor.open("Patient?patient=P4")
    visitor.page.get_by_role("radio", name="From total to pixels").click(timeout=visitor.patience)
    visitor.settle()
    visitor.click_cell(visitor.table_under("From total to pixels"), row=1, column=0)
    visitor.wait_for("R2, W104: total")
    sites = visitor.page.locator(".st-key-trail_sites").get_by_test_id("stDataFrame")
    visitor.click_cell(sites, row=1)
    visitor.page.wait_for_url("**site=**", timeout=visitor.patience)
    assert visitor.clicks == 2
    site = visitor.page.url.partition("site=")[2].partition("&")[0]
    visitor.page.locator(f"figure[data-site='{site}'][data-visit=W104]").first.wait_for(
        timeout=visitor.patience
    )
