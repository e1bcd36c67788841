"""A clinician and a joint map: a click on a joint brings its films."""

import pytest

from tests.helpers import hands_cohort
from tests.helpers.app_in_browser import Server, Visitor

pytestmark = pytest.mark.browser
POINT = """site => {
    for (const plot of document.querySelectorAll('.js-plotly-plot')) {
        for (const trace of plot._fullData) {
            const place = (trace.customdata || []).findIndex(row => row.length === 1 && row[0] === site);
            if (place < 0) continue;
            plot.scrollIntoView({block: 'center'});
            const frame = plot.getBoundingClientRect(), {xaxis, yaxis} = plot._fullLayout;
            return [frame.x + xaxis._offset + xaxis.l2p(trace.x[place]),
                    frame.y + yaxis._offset + yaxis.l2p(trace.y[place])];
        }
    }
    return null;
}"""


@pytest.fixture(scope="module")
def clinician(chromium, tmp_path_factory):
    path = tmp_path_factory.mktemp("browser_hands") / "hands.duckdb"
    hands_cohort.build(path)
    server = Server(path)
    context = chromium.new_context(viewport={"width": 1366, "height": 900})
    someone = Visitor(context.new_page(), server.url)
    yield someone
    context.close()
    server.stop()
    assert someone.outside == []
    assert someone.errors == []


def click_joint(visitor, site):
    """A click on the mark of a site: the mouse comes near first, as a hand does."""
    page = visitor.page
    page.evaluate(POINT, site)
    page.wait_for_timeout(500)
    x, y = page.evaluate(POINT, site)
    page.mouse.move(x - 6, y - 3)
    page.mouse.move(x, y)
    page.wait_for_timeout(300)
    page.mouse.click(x, y, delay=60)


def test_click_on_a_joint_brings_its_films(clinician):
    clinician.open()
    clinician.wait_for("films of hands and feet, scored by the")
    clinician.open("Patient?patient=P4&system=mtss")
    clinician.page.get_by_role("radio", name="Joints").click(timeout=clinician.patience)
    clinician.wait_for("Joints at W52")
    clinician.films_drawn()
    titles = clinician.page.locator(".film .title")
    assert "hand" in titles.first.inner_text()
    click_joint(clinician, "LF.E.MTP5")
    clinician.page.wait_for_url("**site=LF.E.MTP5**", timeout=clinician.patience)
    clinician.settle()
    clinician.films_drawn()
    assert "foot" in titles.first.inner_text() and "foot" in titles.nth(1).inner_text()
    clinician.page.get_by_role("radio", name="largest change since BL").click(timeout=clinician.patience)
    clinician.wait_for("the largest where they differ")
    clinician.wait_for("To be resolved by a reader")
