"""The film viewer in a real browser."""

import pytest
import small_cohort

pytestmark = pytest.mark.browser
SITES = small_cohort.SYSTEM.codes


@pytest.fixture
def films(visitor):
    visitor.open("Patient?patient=P4&site=C5I")
    visitor.films_drawn()
    return visitor


def canvas(visitor, place=0):
    return visitor.page.locator(".film canvas").nth(place)


def where(visitor, site, place=0):
    """Where the middle of a site's box lies on a canvas (see the small cohort for the boxes)."""
    scale, x, y = visitor.views()[place]
    row = SITES.index(site)
    return {"x": x + (138 + row) * scale, "y": y + (37 + 25 * row) * scale}


def test_film_in_the_address_is_shown_at_its_site(films):
    frame = canvas(films).bounding_box()
    middle = where(films, "C5I")
    assert middle["x"] == pytest.approx(frame["width"] / 2, abs=2)
    assert middle["y"] == pytest.approx(frame["height"] / 2, abs=2)


def test_click_on_a_box_returns_its_site(films):
    films.page.locator('[data-do="fit"]').click()
    films.page.wait_for_timeout(200)
    films.click(canvas(films), position=where(films, "C3S"))
    films.page.wait_for_url("**site=C3S**")


def test_wheel_zooms_both_films_about_the_pointer(films):
    before = films.views()
    frame = canvas(films).bounding_box()
    films.page.mouse.move(frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2)
    films.page.mouse.wheel(0, -240)
    films.page.wait_for_timeout(300)
    after = films.views()
    assert after[0][0] > before[0][0] * 1.1
    assert after[0][0] == pytest.approx(after[1][0])
    middle = where(films, "C5I")
    assert middle["x"] == pytest.approx(frame["width"] / 2, abs=3)


def drag(visitor, dx, dy, button="left"):
    frame = canvas(visitor).bounding_box()
    x, y = frame["x"] + 40, frame["y"] + 120
    visitor.page.mouse.move(x, y)
    visitor.page.mouse.down(button=button)
    visitor.page.mouse.move(x + dx / 2, y + dy / 2)
    visitor.page.mouse.move(x + dx, y + dy)
    visitor.page.mouse.up(button=button)
    visitor.page.wait_for_timeout(300)


def test_drag_moves_both_unless_unlinked(films):
    before = films.views()
    drag(films, 30, -20)
    after = films.views()
    for old, new in zip(before, after, strict=True):
        assert (new[1] - old[1], new[2] - old[2]) == pytest.approx((30, -20), abs=1)
    films.page.locator('[data-do="linked"]').click()
    drag(films, 15, 0)
    alone = films.views()
    assert alone[0][1] - after[0][1] == pytest.approx(15, abs=1)
    assert alone[1] == after[1]


def test_right_drag_changes_the_window_and_not_the_place(films):
    before, state = films.views(), films.state()
    drag(films, 60, -40, button="right")
    assert films.views() == before
    assert films.state() != state


def test_invert_and_presets_change_what_is_drawn(films):
    plain = canvas(films).screenshot()
    films.page.locator('[data-do="invert"]').click()
    films.page.wait_for_timeout(300)
    inverted = canvas(films).screenshot()
    assert plain != inverted
    state = films.state()
    films.page.locator('[data-do="preset"]').select_option("bone")
    films.page.wait_for_timeout(300)
    assert films.state() != state


def test_keys_step_through_sites_and_choose(films):
    canvas(films).click(position={"x": 5, "y": 60})
    films.settle()
    films.page.keyboard.press("n")
    films.page.keyboard.press("Enter")
    films.page.wait_for_url("**site=C6S**", timeout=30_000)


def test_scale_bar_needs_spacing_and_film_says_its_scale(films):
    assert films.state().endswith("%")
    assert "W " in films.state()


def test_region_can_be_changed(films):
    films.click(films.page.get_by_role("radio", name="lumbar", exact=True).first)
    films.films_drawn()
    assert "lumbar" in films.page.locator(".film .title").first.inner_text()
