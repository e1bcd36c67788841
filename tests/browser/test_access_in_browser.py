"""Signing in, and names that try to make the browser fetch something, in a real Chromium."""

import json

import pytest

from core.markdown import JOINER
from data.store.cohort import CohortStore
from tests.helpers import odd_names, small_cohort
from tests.helpers.app_in_browser import Server, Visitor, free_port
from tests.helpers.oidc_provider import Provider, account, sign_in_file

pytestmark = pytest.mark.browser

PAGES = ("", "Cohort", "Patient", "Agreement", "Progression", "Import")
ACCOUNTS = {
    "ann": account("ann@example.org", "Ann Berg"),
    "cem": account("cem@example.org", "Cem"),
    "rita": account("rita@example.org", "Rita"),
    "eve": account("eve@example.org", "Eve"),
}
PEOPLE = {
    "ann@example.org": "data manager",
    "cem@example.org": "clinician",
    "rita@example.org": "reader R1",
}


@pytest.fixture(scope="module")
def odd_server(chromium, tmp_path_factory):
    running = Server(odd_names.build(tmp_path_factory.mktemp("odd") / "odd.duckdb").path)
    yield running
    running.stop()


@pytest.fixture
def odd_visitor(chromium, odd_server):
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    yield Visitor(context.new_page(), odd_server.url)
    context.close()


@pytest.mark.parametrize("path", PAGES)
def test_no_name_makes_the_browser_ask_another_host(odd_visitor, path):
    """Every expander opened: no request elsewhere, no picture of a name, and names shown as they are."""
    odd_visitor.open(path)
    closed = odd_visitor.page.locator("details:not([open]) > summary")
    for _ in range(closed.count()):
        closed.last.click()
        odd_visitor.settle()
    odd_visitor.settle()
    assert odd_visitor.outside == [] and odd_visitor.errors == []
    assert odd_visitor.page.locator(f"img[src^='{odd_names.HOST}'], a[href*='x.example']").count() == 0
    if path == "Patient":
        title = odd_visitor.page.locator("h1").first.inner_text().replace(JOINER, "")
        assert title == f"Patient {odd_names.SUBJECTS['P1']}"


def test_the_browser_itself_would_refuse_pictures_and_scripts_of_other_hosts(odd_visitor):
    odd_visitor.open()
    refused = odd_visitor.page.evaluate(
        """async host => {
            const seen = [];
            const note = event => seen.push(event.effectiveDirective);
            document.addEventListener('securitypolicyviolation', note);
            const image = document.createElement('img');
            image.src = host + '/x.png';
            const script = document.createElement('script');
            script.src = host + '/x.js';
            document.body.append(image, script);
            await fetch(host).catch(() => null);
            await new Promise(done => setTimeout(done, 500));
            return seen.sort();
        }""",
        odd_names.HOST,
    )
    assert refused == ["connect-src", "img-src", "script-src-elem"]


@pytest.fixture(scope="module")
def guarded(chromium, tmp_path_factory):
    folder = tmp_path_factory.mktemp("guarded")
    store = small_cohort.build(folder / "c.duckdb")
    with Provider(ACCOUNTS) as provider:
        port = free_port()
        file = sign_in_file(folder / "sign_in.toml", provider, port, PEOPLE)
        running = Server(store.path, "--sign-in", str(file), port=port)
        yield running
        running.stop()


@pytest.fixture
def someone(chromium, guarded):
    """Opens the dashboard and signs in as one of the accounts."""
    context = chromium.new_context(viewport={"width": 1366, "height": 768})

    def opened(who):
        visitor = Visitor(context.new_page(), guarded.url)
        visitor.page.goto(guarded.url)
        visitor.page.get_by_role("link", name="Sign in").click()
        visitor.page.get_by_role("link", name=who).click()
        visitor.page.wait_for_url(f"{guarded.url}/")
        return visitor

    yield opened
    context.close()


def looks(store):
    return store.query("SELECT actor, details FROM event WHERE action = 'look' ORDER BY event")


def test_who_signs_in_is_who_acts(someone, guarded):
    visitor = someone("ann")
    visitor.wait_for("Ann Berg <ann")
    assert visitor.page.get_by_text("data manager").count()
    visitor.open("Progression")
    visitor.wait_for("More about this change")
    seen = looks(CohortStore(guarded.cohort))
    assert seen["actor"].tolist() == ["Ann Berg <ann@example.org>"]
    assert json.loads(seen["details"][0])["settings"]["page"] == "Progression"
    visitor.open("Import")
    visitor.wait_for("Drop files here")
    visitor.click(visitor.page.get_by_role("button", name="Sign out"))
    visitor.page.get_by_role("link", name="Sign in").wait_for()


def test_a_clinician_looks_and_changes_nothing(someone):
    visitor = someone("cem")
    visitor.wait_for(", clinician")
    visitor.open("Import")
    visitor.wait_for("Import is for the data manager of this study.")
    assert visitor.page.get_by_test_id("stFileUploader").count() == 0


def test_a_reader_gets_a_readers_dashboard(someone):
    visitor = someone("rita")
    visitor.wait_for("Blinded reader")
    visitor.open("Progression")
    visitor.wait_for("is not shown to a blinded reader")


def test_whoever_is_not_on_the_list_is_told(chromium, guarded):
    context = chromium.new_context()
    page = context.new_page()
    page.goto(guarded.url)
    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("link", name="eve").click()
    page.get_by_text("not on the list of this study").wait_for()
    assert page.get_by_text("eve@example.org").count() == 1
    context.close()
