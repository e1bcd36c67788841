"""Sign-in against a provider on this machine: who gets in, as what, and that no address answers before."""

import http.client
import re

import httpx
import pytest

from core.sign_in import read_sign_in
from tests.helpers import small_cohort
from tests.helpers.app_in_browser import Server, free_port
from tests.helpers.oidc_provider import Provider, account, sign_in_file

ACCOUNTS = {
    "ann": account("ann@example.org", "Ann Berg"),
    "rita": account("rita@example.org", "Rita"),
    "eve": account("eve@example.org", "Eve"),
    "fake": account("ann@example.org", "Ann Berg", email_verified=False, sub="other"),
}
PEOPLE = {"Ann@example.org": "data manager", "rita@example.org": "reader R1"}
ADDRESSES = (
    "/", "/Cohort", "/Progression", "/static/js/index.js", "/media/0123456789abcdef.csv", "//media/x",
    "/_stcore/host-config", "/_stcore/upload_file/session/file", "/_stcore/stream", "/app/static/x",
    "/_stcore/health/../host-config", "/favicon.png", "/_stcore/bidi-components/x/y.js", "/healthz",
    "/component/x/y.html", "/docs",
)  # fmt: skip


@pytest.fixture(scope="module")
def provider():
    with Provider(ACCOUNTS) as running:
        yield running


@pytest.fixture(scope="module")
def server(provider, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sign_in")
    store = small_cohort.build(folder / "c.duckdb", films=False)
    port = free_port()
    file = sign_in_file(folder / "sign_in.toml", provider, port, PEOPLE)
    running = Server(store.path, "--sign-in", str(file), port=port)
    yield running
    running.stop()


@pytest.fixture
def browser(server):
    with httpx.Client(base_url=server.url, headers={"accept": "text/html"}, trust_env=False) as client:
        yield client


def signed_in(client, who):
    """What the dashboard answers to this account after the whole way: dashboard, provider, dashboard."""
    step = client.get("/sign-in")
    while step.is_redirect:
        address = step.headers["location"]
        address += f"&account={who}" if "/authorize" in address else ""
        step = client.get(address)
    return step


def replace(file, text):
    """Write a sign-in file as editors do: whole, under another name, then in its place.

    Streamlit reads the file for its secrets whenever it changes, and must not find half of it.
    """
    other = file.with_name("sign_in.new")
    other.touch(mode=0o600)
    other.write_text(text, encoding="utf-8")
    other.replace(file)


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
def test_no_address_answers_before_signing_in(browser, path, method):
    answer = browser.request(method, path)
    assert answer.status_code in (400, 401, 404), answer.text[:80]
    assert "static/js" not in answer.text and "P1" not in answer.text


def test_the_stream_is_closed_before_signing_in(server):
    connection = http.client.HTTPConnection("localhost", server.port)
    ask = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
           "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==", "Origin": server.url}  # fmt: skip
    connection.request("GET", "/_stcore/stream", headers=ask)
    assert connection.getresponse().status == 403


def test_whether_it_is_alive_can_be_asked_by_anybody(browser):
    assert browser.get("/_stcore/health").text == "ok"


def test_metrics_are_shown_to_nobody(browser):
    signed_in(browser, "ann")
    for path in ("/_stcore/metrics", "/_stcore/script-health-check", "/_stcore/agent/openapi.json"):
        assert browser.get(path).status_code == 404


def test_a_person_of_the_list_gets_in(browser):
    page = signed_in(browser, "ann")
    assert page.status_code == 200 and "static/js" in page.text
    assert browser.get("/_stcore/host-config").status_code == 200
    script = re.search(r'src="\./(static/js/[^"]+)"', page.text)[1]
    assert browser.get(f"/{script}").status_code == 200


@pytest.mark.parametrize("who", ["eve", "fake"])
def test_whoever_is_not_on_the_list_stays_out(browser, who):
    page = signed_in(browser, who)
    assert page.status_code == 403 and "not on the list" in page.text
    assert browser.get("/media/x", headers={"accept": "*/*"}).status_code == 401


def test_a_sign_in_runs_out(browser, provider):
    provider.age = 13 * 3600
    try:
        assert signed_in(browser, "ann").status_code == 403
    finally:
        provider.age = 0


def test_signing_out_closes_the_door(browser):
    signed_in(browser, "ann")
    browser.get("/auth/logout")
    assert browser.get("/").status_code == 401


def test_a_forged_cookie_is_worth_nothing(browser):
    signed_in(browser, "ann")
    good = browser.cookies["_streamlit_user"]
    for bad in (good[:-2] + "AA", "x", '{"email": "ann@example.org"}', good.split(".")[0]):
        answer = httpx.get(browser.base_url, cookies={"_streamlit_user": bad}, trust_env=False)
        assert answer.status_code == 401


def test_a_reader_uploads_nothing(browser):
    signed_in(browser, "rita")
    assert browser.put("/_stcore/upload_file/session/file").status_code == 403


def test_a_person_taken_off_the_list_is_out_at_once(browser, provider, server):
    signed_in(browser, "ann")
    file = server.cohort.with_name("sign_in.toml")
    before = file.read_text()
    try:
        replace(file, before.replace("Ann@example.org", "Zoe@example.org"))
        assert browser.get("/").status_code == 403
    finally:
        replace(file, before)
    assert browser.get("/").status_code == 200


def test_the_name_of_the_person_is_what_the_trail_holds(server):
    people = read_sign_in(server.cohort.with_name("sign_in.toml"))
    person = people.person(ACCOUNTS["ann"] | {"iat": 1000}, now=1001)
    assert person.name == "Ann Berg <ann@example.org>"
