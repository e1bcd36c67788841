"""The question is kept in a real browser: over pages, reload, Back, and in a link to a second browser."""

import pytest

from tests.helpers.app_in_browser import Visitor

pytestmark = pytest.mark.browser

MAIN = "document.querySelector('[data-testid=stMain]')"
ASKED = "Progression?to=W52&section=Subgroups"


def choose(visitor, label, option):
    visitor.click(visitor.page.get_by_role("combobox", name=label, exact=True))
    visitor.click(visitor.page.get_by_role("option", name=option, exact=True))


def menu(visitor, label):
    visitor.click(visitor.page.get_by_test_id("stSidebar").get_by_role("link", name=label, exact=True))


def shows_what_was_asked(visitor):
    visitor.wait_for("minus arm")
    visitor.page.wait_for_url(f"**/{ASKED}")
    visitor.page.wait_for_function(
        "() => [...document.querySelectorAll('input')].some((one) => one.value === 'W52')",
        timeout=visitor.patience,
    )


def test_a_question_outlives_pages_reload_back_and_a_second_browser(visitor, chromium):
    visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visitor.open("Progression")
    visitor.wait_for("More about this change")
    choose(visitor, "To", "W52")
    visitor.click(visitor.page.get_by_role("radio", name="Subgroups"))
    shows_what_was_asked(visitor)
    menu(visitor, "Cohort")
    visitor.page.wait_for_url("**/Cohort")
    menu(visitor, "Progression")
    shows_what_was_asked(visitor)
    visitor.page.go_back()
    visitor.page.wait_for_url("**/Cohort")
    visitor.settle()
    visitor.page.go_back()
    visitor.settle()
    shows_what_was_asked(visitor)
    visitor.page.reload()
    visitor.settle()
    shows_what_was_asked(visitor)
    visitor.click(visitor.page.get_by_role("button", name="Copy link"))
    link = visitor.page.evaluate("navigator.clipboard.readText()")
    assert link == f"{visitor.url}/{ASKED}"
    second = Visitor(chromium.new_context().new_page(), visitor.url)
    second.page.goto(link)
    second.settle()
    shows_what_was_asked(second)
    second.page.context.close()


def test_back_from_a_patient_shows_tab_row_and_place(visitor):
    visitor.open("Agreement?section=Largest+disagreements")
    table = visitor.table_under("Largest disagreements about change BL to W104")
    table.locator("canvas").first.wait_for(timeout=visitor.patience)
    visitor.page.wait_for_function(f"() => ({MAIN}.scrollTop = 400) && {MAIN}.scrollTop === 400")
    visitor.click_cell(table, row=0)
    visitor.wait_for("What changed, BL to W104")
    place = float(visitor.page.evaluate("sessionStorage.getItem('sharpline /Agreement null')"))
    assert place > 300
    visitor.page.go_back()
    visitor.wait_for("Opened last:")
    assert visitor.page.get_by_role("radio", name="Largest disagreements").is_checked()
    is_there = f"() => Math.abs({MAIN}.scrollTop - {place}) < 2"
    visitor.page.wait_for_function(is_there, timeout=visitor.patience)


def test_a_view_is_saved_by_name_and_opened_from_home(visitor):
    visitor.open(ASKED)
    visitor.wait_for("minus arm")
    visitor.click(visitor.page.get_by_text("Saved views"))
    name = visitor.page.get_by_label("Name for what this page shows")
    name.fill("One year, *by* subgroup")
    name.press("Tab")
    visitor.settle()
    visitor.click(visitor.page.get_by_role("button", name="Save this view"))
    visitor.wait_for("Saved: One year")
    visitor.open()
    visitor.link("One year, *by* subgroup")
    shows_what_was_asked(visitor)
