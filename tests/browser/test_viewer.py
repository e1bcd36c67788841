"""The film viewer in a real browser."""

import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from tests.helpers import small_cohort
from tests.helpers.app_in_browser import FILMS, ROOT, Visitor, free_port

pytestmark = pytest.mark.browser
SITES = small_cohort.SYSTEM.codes
SVG = "{http://www.w3.org/2000/svg}"


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
    films.redrawn(200)
    films.click(canvas(films), position=where(films, "C3S"))
    films.page.wait_for_url("**site=C3S**")


def test_wheel_zooms_both_films_about_the_pointer(films):
    before = films.views()
    frame = canvas(films).bounding_box()
    films.page.mouse.move(frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2)
    films.page.mouse.wheel(0, -240)
    films.redrawn(300)
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
    visitor.redrawn(300)


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
    films.tool("invert").click()
    films.redrawn(300)
    inverted = canvas(films).screenshot()
    assert plain != inverted
    state = films.state()
    films.tool("preset").select_option("bone")
    films.redrawn(300)
    assert films.state() != state


def test_keys_step_through_sites_and_choose(films):
    canvas(films).click(position={"x": 5, "y": 60})
    films.settle()
    films.page.keyboard.press("n")
    films.page.keyboard.press("Enter")
    films.page.wait_for_url("**site=C6S**", timeout=30_000)


def test_key_compares_with_the_visit_before(films):
    before = films.views()[0]
    films.page.locator(".viewer").press("P")
    films.page.wait_for_url("**last=W52**", timeout=films.patience)
    films.settle()
    films.films_drawn()
    assert films.page.locator(".film .title").nth(1).inner_text().startswith("W52")
    assert films.views()[0] == pytest.approx(before)


def test_scale_bar_needs_spacing_and_film_says_its_scale(films):
    assert films.state().endswith("%")
    assert "W " in films.state()


def test_region_can_be_changed(films):
    films.click(films.page.get_by_role("radio", name="lumbar", exact=True).first)
    films.films_drawn()
    assert "lumbar" in films.page.locator(".film .title").first.inner_text()


def test_page_follows_the_keys_without_enter(films):
    for _ in range(3):
        films.page.locator(".viewer").press("n")
    films.page.wait_for_url("**site=C7S**", timeout=films.patience)  # C5I, C6S, C6I, C7S
    films.settle()
    middle, frame = where(films, "C7S"), canvas(films).bounding_box()
    assert (middle["x"], middle["y"]) == pytest.approx((frame["width"] / 2, frame["height"] / 2), abs=2)


WATCH = """() => {
    const spinners = () => document.querySelectorAll('.sharpline-loading').length;
    const hasFilm = one => one.shadowRoot?.querySelector('.film');
    const films = () => [...document.querySelectorAll('*')].filter(hasFilm).length;
    window.seen = [];
    new MutationObserver(() => { if (spinners()) window.seen.push(films()); })
        .observe(document.body, { childList: true, subtree: true });
}"""


def test_nothing_of_a_patient_stays_under_another_ones_name(films):
    assert films.page.locator(".film .who").all_inner_texts() == ["P4 · lateral"] * 2
    films.page.evaluate(WATCH)
    films.click(films.page.get_by_role("combobox", name="Patient"))
    films.click(films.page.get_by_role("option", name="P2"))
    films.page.locator(".film .who", has_text="P2").first.wait_for(timeout=films.patience)
    films.settle()
    films.films_drawn()
    assert films.page.locator(".film .who").all_inner_texts() == ["P2 · lateral"] * 2
    seen = films.page.evaluate("window.seen")
    assert seen and seen[0] == 0, "as soon as the page loads there is no film on it"


# -- the viewer alone (viewer_stage.py) ----------------------------------------------------------------------


class Stage:
    """``viewer_stage.py`` as an app of its own."""

    def __init__(self):
        port = free_port()
        self.url = f"http://localhost:{port}"
        options = {"server.port": port, "server.address": "localhost", "server.headless": "true"}
        options |= {"browser.gatherUsageStats": "false", "client.toolbarMode": "viewer"}
        given = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        script = str(ROOT / "tests/helpers/viewer_stage.py")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", script, *given],
            cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._wait()

    def _wait(self):
        end = time.monotonic() + 90
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2)
                return
            except OSError:
                time.sleep(0.3)
        raise TimeoutError("the viewer's stage did not start")

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def picture(content):
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)


@pytest.fixture(scope="module")
def stage(chromium):
    running = Stage()
    yield running
    running.stop()


@pytest.fixture
def alone(chromium, stage):
    context = chromium.new_context(viewport={"width": 1366, "height": 768}, reduced_motion="no-preference")
    someone = Visitor(context.new_page(), stage.url)
    yield someone
    context.close()
    assert someone.outside == [], "something was fetched from outside"
    assert someone.errors == []


def opened(visitor, scene="pair", count=2):
    visitor.open(f"?scene={scene}")
    visitor.films_drawn(count)
    return visitor


def tool(visitor, name):
    visitor.tool(name).click()
    visitor.redrawn(250)


def keyed(visitor, key):
    visitor.page.locator(".viewer").press(key)
    visitor.redrawn(250)


def at_rest(visitor):
    """The canvas as it looks once it has come to rest."""
    seen = canvas(visitor).screenshot()
    for _ in range(40):
        visitor.redrawn(150)
        before, seen = seen, canvas(visitor).screenshot()
        if seen == before:
            break
    return seen


def unlike(one, other):
    """Share of the pixels of two pictures that differ by more than the smoothing of an edge."""
    apart = np.abs(picture(one).astype(int) - picture(other).astype(int)).max(axis=2)
    return float((apart > 16).mean())


def title(visitor):
    return visitor.page.locator(".film .title").first.inner_text().splitlines()[0]


def saved(visitor, kind):
    with visitor.page.expect_download(timeout=visitor.patience) as waiting:
        visitor.tool(kind).click()
    return Path(waiting.value.path()).read_bytes(), waiting.value.suggested_filename


def svg(visitor):
    return ElementTree.fromstring(saved(visitor, "svg")[0])


def texts(root):
    return [one.text for one in root.iter(f"{SVG}text")]


def caption(root):
    return " ".join(one.text for one in root.iter(f"{SVG}text") if one.get("class") == "caption")


def bar(root):
    """Length of the scale bar in screen pixels, and the millimetres it says."""
    film = next(root.iter(f"{SVG}svg"))
    long = [one for one in film.iter(f"{SVG}rect") if (one.get("height"), one.get("x")) == ("3", "12")]
    said = next(text for text in texts(film) if text.endswith(" mm"))
    return float(long[0].get("width")), float(said.removesuffix(" mm"))


def test_blink_shows_the_other_film_in_the_same_place(alone):
    opened(alone)
    keyed(alone, " ")  # paused before it begins: the films are turned by hand
    keyed(alone, "x")
    first = (title(alone), at_rest(alone))
    keyed(alone, "v")
    second = (title(alone), at_rest(alone))
    assert {first[0], second[0]} == {"BL", "W52"}
    assert unlike(first[1], second[1]) > 0.02
    assert alone.page.locator(".film").nth(1).is_hidden()
    keyed(alone, "v")
    assert title(alone) == first[0]
    assert unlike(at_rest(alone), first[1]) < 0.005


def test_blink_runs_by_itself_until_it_is_paused(alone):
    opened(alone)
    keyed(alone, "x")
    alone.page.wait_for_function(f"() => {FILMS}[0].dataset.face === '0'", timeout=alone.patience)
    alone.page.wait_for_function(f"() => {FILMS}[0].dataset.face === '1'", timeout=alone.patience)
    keyed(alone, " ")
    shown = title(alone)
    alone.redrawn(1600)
    assert title(alone) == shown


def test_registered_films_show_a_site_at_one_place(alone):
    """The films are shifted against each other; in a difference only what changed is not grey."""
    opened(alone)
    tool(alone, "difference")
    assert title(alone) == "W52 − BL"
    root = svg(alone)
    assert any("registered on 6 sites, residual 0.0 mm" in text for text in texts(root))
    assert "grey: same in BL and W52" in texts(root)
    tool(alone, "boxes")
    tool(alone, "labels")
    grey = picture(saved(alone, "png")[0]).astype(int)[:, :, 0]
    frame = canvas(alone).bounding_box()
    middle = (int(frame["height"]), int(frame["width"]))  # two dots a screen pixel: the middle of the film
    assert grey[middle[0], middle[1]] > 180, "S2 has become denser"
    assert abs(grey[middle[0], middle[1] + 120] - 127) < 12, "beside it nothing changed"


def test_films_without_common_sites_are_not_subtracted(alone):
    opened(alone, "unmarked")
    tool(alone, "difference")
    assert "no site is marked on both films, and 3 are needed." in texts(svg(alone))


def test_a_loose_registration_is_warned_about_and_not_shown_unasked(alone):
    opened(alone, "loose")
    tool(alone, "difference")
    assert title(alone) == "W52 − BL"
    said = texts(svg(alone))
    assert any(text.startswith("Registered only to ") for text in said)
    assert "what differs here may be displacement, not change." in said
    alone.tool("later").click()
    alone.page.wait_for_function("document.body.innerText.includes('Shown: W104')")
    alone.films_drawn(2)
    assert title(alone) == "BL", "another pair of films begins side by side"
    opened(alone)
    tool(alone, "difference")
    assert not any(text.startswith("Registered only") for text in texts(svg(alone)))


def test_grades_never_lie_on_the_chosen_site(alone):
    alone.page.set_viewport_size({"width": 620, "height": 768})  # too narrow for grades beside the site
    opened(alone, "crowded")
    panes = [one for one in svg(alone).iter(f"{SVG}svg") if frames_of_chosen(one)]
    assert len(panes) == 2
    for pane in panes:
        (box, *_), rows = frames_of_chosen(pane), rows_of_grades(pane)
        assert rows
        for left, top, right, bottom in rows:
            beside = right <= box[0] or left >= box[2]
            assert beside or bottom <= box[1] or top >= box[3]


def frames_of_chosen(pane):
    """(left, top, right, bottom) of the white frame of the chosen site, among the children of a pane."""
    lines = [one for one in pane if one.tag == f"{SVG}path" and one.get("stroke") == "#ffffff"]
    closed = [
        one.get("d") for one in lines if one.get("d", "").endswith("Z") and one.get("stroke-width") == "3"
    ]
    found = []
    for path in closed:
        numbers = [float(text) for text in re.findall(r"-?[\d.]+", path)]
        found.append((min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])))
    return found


def rows_of_grades(pane):
    """(left, top, right, bottom) of every row of names and grades."""
    plates = [one for one in pane if one.tag == f"{SVG}rect" and one.get("height") == "19"]
    sides = [[float(one.get(name)) for name in ("x", "y", "width", "height")] for one in plates]
    return [(x, y, x + wide, y + high) for x, y, wide, high in sides]


def test_overlay_that_is_switched_off_disappears_and_stays_so(alone):
    opened(alone)
    tool(alone, "fit")
    drawn = alone.page.locator('[data-layer="truth"]')
    before = svg(alone)
    assert "outline" in texts(before)
    assert "T" in texts(before)
    alone.tool("truth", "layer").click()
    after = svg(alone)
    assert "outline" not in texts(after)
    assert "T" not in texts(after)
    assert "T: truth" not in caption(after)
    assert "T" not in alone.page.locator(".sites thead").inner_text().split()
    opened(alone)
    assert drawn.get_attribute("aria-pressed") == "false"
    assert "outline" not in texts(svg(alone))


def test_mask_is_drawn_in_its_readers_layer(alone):
    opened(alone)
    tool(alone, "fit")
    count = len(list(svg(alone).iter(f"{SVG}image")))
    alone.tool("R1", "layer").click()
    assert len(list(svg(alone).iter(f"{SVG}image"))) == count - 1


def test_keys_go_to_sites_and_visits(alone):
    opened(alone)
    keyed(alone, "n")
    keyed(alone, "Enter")
    alone.wait_for("Picked: S3 on film-BL")
    keyed(alone, "p")
    keyed(alone, "p")
    keyed(alone, "Enter")
    alone.wait_for("Picked: S1 on film-BL")
    keyed(alone, "N")
    alone.wait_for("Shown: W104")
    alone.films_drawn()
    assert alone.page.locator(".film .title").nth(1).inner_text().startswith("W104")
    keyed(alone, "P")
    alone.wait_for("Shown: W52")


def test_help_names_every_key(alone):
    opened(alone)
    keyed(alone, "?")
    told = alone.page.locator(".help dl").inner_text().split("\n")
    for says in ("next site", "previous visit", "blink on or off", "difference on or off", "save as SVG"):
        assert says in told
    help_, films = (alone.page.locator(name).bounding_box() for name in (".help", ".films"))
    assert help_["y"] >= films["y"] - 1, "over the films, in sight wherever they are"
    assert help_["y"] + help_["height"] <= films["y"] + films["height"] + 1
    keyed(alone, "Escape")
    assert not alone.page.locator(".help").is_visible()


def test_a_person_gives_a_key_to_a_tool_and_takes_it_back(alone):
    opened(alone)
    keyed(alone, "?")
    other = alone.page.get_by_role("button", name="another key for: difference on or off")
    other.click()
    alone.page.keyboard.press("x")
    assert (
        alone.page.locator(".help .says").inner_text() == "x is taken: blink on or off. Choose another key."
    )
    other.click()
    alone.page.keyboard.press("q")
    assert other.inner_text() == "q"
    assert tool_title(alone, "difference").endswith("(q)")
    opened(alone)  # a reload
    keyed(alone, "d")
    assert alone.page.locator('[data-do="difference"]').get_attribute("aria-pressed") == "false"
    keyed(alone, "q")
    assert alone.page.locator('[data-do="difference"]').get_attribute("aria-pressed") == "true"
    keyed(alone, "?")
    alone.page.locator('[data-do="resetKeys"]').click()
    assert other.inner_text() == "d" and tool_title(alone, "difference").endswith("(d)")
    keyed(alone, "d")
    assert alone.page.locator('[data-do="difference"]').get_attribute("aria-pressed") == "false"


def tool_title(visitor, name):
    return visitor.page.locator(f'.bar [data-do="{name}"]').get_attribute("title")


@pytest.mark.parametrize(
    "scene, says",
    [
        ("pair", "Millimetres from the header: PixelSpacing (calibrated: GEOMETRY)."),
        ("unknown", "No millimetres: the file gives no spacing."),
    ],
)
def test_millimetres_say_where_they_are_from(alone, scene, says):
    opened(alone, scene)
    alone.tool("measure", "menu").click()
    assert alone.page.locator(".of-millimetres").inner_text() == says


def test_another_visit_keeps_zoom_place_and_window(alone):
    opened(alone)
    for _ in range(2):
        keyed(alone, "+")
    keyed(alone, "ArrowLeft")
    keyed(alone, "]")
    before, state = alone.views(), alone.state(1)
    keyed(alone, "N")
    alone.wait_for("Shown: W104")
    alone.films_drawn()
    after = alone.views()
    assert after[0] == pytest.approx(before[0])
    assert after[1][0] == pytest.approx(before[1][0])
    assert alone.state(1) == state
    shift = [(-20 - 12) * after[1][0], (16 + 8) * after[1][0]]  # of the second film (viewer_stage.SHIFT)
    assert [after[1][1] - before[1][1], after[1][2] - before[1][2]] == pytest.approx(
        [-shift[0], -shift[1]], abs=1.5
    )


def test_linked_films_keep_the_same_anatomy_side_by_side(alone):
    opened(alone)
    tool(alone, "fit")
    frame = canvas(alone).bounding_box()
    alone.page.mouse.move(frame["x"] + 100, frame["y"] + 150)
    alone.page.mouse.wheel(0, -240)
    alone.redrawn(300)
    (one, x1, y1), (two, x2, y2) = alone.views()
    assert one == pytest.approx(two)
    right, down = 12, -8  # of the second film (viewer_stage.SHIFT)
    assert (x2 + right * two, y2 + down * two) == pytest.approx((x1, y1), abs=1)


def test_click_in_the_list_shows_the_site_large(alone):
    opened(alone)
    tool(alone, "fit")
    small = alone.views()[0][0]
    alone.click(alone.page.locator('.sites tr[data-site="S4"] button'))
    alone.wait_for("Picked: S4 on film-BL")
    scale, x, y = alone.views()[0]
    frame = canvas(alone).bounding_box()
    assert scale > 1.5 * small
    assert (x + 100 * scale, y + 210 * scale) == pytest.approx(
        (frame["width"] / 2, frame["height"] / 2), abs=2
    )
    assert "1→3" in alone.page.locator('.sites tr[data-site="S2"]').inner_text()


def test_saved_png_is_the_screen_with_a_caption_below(alone):
    opened(alone)
    content, name = saved(alone, "png")
    image = picture(content)
    films = alone.page.locator(".films").bounding_box()
    assert name == "P9_BL_W52_S2.png"
    assert image.shape[1] == pytest.approx(2 * films["width"], abs=4)
    below = image[int(2 * films["height"]) :]
    assert below.shape[0] > 2 * 60
    assert (below > 250).mean() > 0.8, "white paper"
    assert (below < 90).sum() > 500, "with text on it"


def test_caption_says_what_is_shown(alone):
    opened(alone)
    said = caption(svg(alone))
    for part in ("Stage study · patient P9 · mSASSS", "BL cervical and W52 cervical", "S2 1 1 1 1 → 3 3 3 3",
                 "W 39000 C 25500", "Cohort version 7 · weights abc123", "Phantom, research"):  # fmt: skip
        assert part in said


@pytest.mark.parametrize("scene", ["pair", "aniso"])
def test_scale_bar_is_right_at_two_zooms(alone, scene):
    opened(alone, scene)
    lengths = []
    for _ in range(2):
        long, mm = bar(svg(alone))
        scale = alone.views()[0][0]
        assert long == pytest.approx(mm * scale / 0.5, abs=0.02)  # 0.5 mm between columns
        lengths.append(long / mm)
        for _ in range(3):
            keyed(alone, "-")
    assert lengths[0] > 2 * lengths[1]
    if scene == "aniso":
        assert aspect(svg(alone)) == pytest.approx(2, rel=0.02)


def aspect(root):
    """Height to width of the first site's outline; boxes are 20 x 20 film pixels."""
    film = next(root.iter(f"{SVG}svg"))
    path = next(one.get("d") for one in film.iter(f"{SVG}path") if one.get("d").endswith("Z"))
    points = np.array([[float(n) for n in pair.split()] for pair in path.strip("MZ").split("L")])
    return np.ptp(points[:, 1]) / np.ptp(points[:, 0])


def test_wheel_scrolls_both_stacks_to_the_slices_at_one_place(alone):
    opened(alone, "stacks")
    assert alone.state(0).startswith("slice 2 of 3, 0.0 mm") and alone.state(1).startswith(
        "slice 3 of 5, 0.0 mm"
    )
    frame = canvas(alone).bounding_box()
    alone.page.mouse.move(frame["x"] + 60, frame["y"] + 150)
    alone.page.mouse.wheel(0, 120)
    alone.until(lambda: alone.state(0).startswith("slice 3 of 3, 4.0 mm"))
    assert alone.state(1).startswith("slice 4 of 5, 3.5 mm"), "matched by place, not by number"
    alone.page.locator(".viewer").press("ArrowUp")
    alone.until(lambda: alone.state(1).startswith("slice 3 of 5"))
    assert alone.page.locator('[data-do="frame"]').input_value() == "2"
    tool(alone, "linked")
    alone.page.mouse.move(frame["x"] + 60, frame["y"] + 150)
    alone.page.mouse.wheel(0, -120)
    alone.until(lambda: alone.state(0).startswith("slice 1 of 3"))
    assert alone.state(1).startswith("slice 3 of 5, 0.0 mm, 4.0 mm beside the other slice")


def test_an_outline_is_on_its_slice_and_has_a_switch(alone):
    opened(alone, "stacks")
    assert "T7" in texts(svg(alone)) and "Outlined: vertebral bodies." in caption(svg(alone))
    switch = alone.page.locator('.legend [data-layer="structure body"]')
    switch.click()
    assert "T7" not in texts(svg(alone))
    switch.click()
    alone.page.locator(".viewer").press("ArrowDown")
    alone.until(lambda: alone.state(0).startswith("slice 3 of 3"))
    assert "T7" not in texts(svg(alone)), "it is outlined on another slice"
    titles = alone.page.locator(".viewer [title]").evaluate_all("all => all.map(one => one.title).join(' ')")
    assert "film" not in titles.lower() and "Both stacks side by side" in titles


def test_film_without_spacing_has_no_scale(alone):
    opened(alone, "unknown")
    said = texts(svg(alone))
    assert "no scale: the file gives no pixel spacing" in said
    assert not any(text.endswith(" mm") for text in said)


# -- whose film it is --------------------------------------------------------------------------------------


def test_patient_side_and_view_stand_on_each_film_and_in_saved_pictures(alone):
    opened(alone, "sided")
    assert alone.page.locator(".film .who").all_inner_texts() == ["P9 · left · PA"] * 2
    for mode in ("side", "blink", "difference"):
        tool(alone, mode)
        for film in svg(alone).iter(f"{SVG}svg"):
            if film.get("class") == "film":
                assert "P9 · left · PA" in texts(film)
    assert "BL cervical left PA and W52 cervical left PA" in caption(svg(alone))


ASK = """() => {
    const host = [...document.querySelectorAll('*')].find(one => one.shadowRoot?.querySelector('.viewer'));
    const viewer = host.shadowRoot.querySelector('.viewer'), film = viewer.querySelectorAll('.film')[1];
    viewer.dispatchEvent(new KeyboardEvent('keydown', { key: 'N', bubbles: true }));
    const canvas = film.querySelector('canvas');
    const dots = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    return [dots.some(value => value > 0), film.querySelector('.message').innerText, 'drawn' in film.dataset];
}"""


def test_a_film_is_blank_from_the_moment_another_is_asked_for(alone):
    opened(alone)
    assert alone.page.evaluate(ASK) == [False, "Loading the next visit …", False]
    alone.wait_for("Shown: W104")
    alone.films_drawn()
    assert alone.page.locator(".film .message").nth(1).is_hidden()


def test_show_in_the_films_brings_them_into_sight(alone):
    opened(alone, "sided")
    button = alone.page.get_by_role("button", name="Show in the films")
    button.scroll_into_view_if_needed(timeout=alone.patience)
    assert canvas(alone).bounding_box()["y"] < -300
    alone.click(button)
    alone.redrawn(500)
    assert 0 <= canvas(alone).bounding_box()["y"] < 300


# -- the tool bar, measuring, turning ----------------------------------------------------------------------

PLACES = """() => {
    const host = [...document.querySelectorAll('*')].find(one => one.shadowRoot?.querySelector('.viewer'));
    const bar = host.shadowRoot.querySelector('.bar'), end = bar.getBoundingClientRect();
    const isShown = one => one.offsetParent && !one.closest('.panel');
    const tools = [...bar.querySelectorAll('button')].filter(isShown);
    return [tools.map(one => [one.dataset.do ?? one.dataset.menu, one.getBoundingClientRect().x]), end.height,
        Math.max(...tools.map(one => one.getBoundingClientRect().right)) <= end.right];
}"""


def test_tool_bar_is_one_line_that_does_not_jump(films):
    places, height, is_inside = films.page.evaluate(PLACES)
    assert height < 42 and is_inside
    for keys in ("x", " ", "x", "d", "i", "e", "Escape", "?"):
        films.page.locator(".viewer").press(keys)
        films.redrawn(150)
        assert films.page.evaluate(PLACES) == [places, height, True], keys
    films.tool("window", "menu").click()
    assert films.tool("preset").is_visible()
    films.page.keyboard.press("Escape")
    assert films.tool("window", "menu").get_attribute("aria-expanded") == "false"
    canvas(films).click(position={"x": 5, "y": 150})


def drawn(visitor, kind, *points):
    """Measure on the first film; points in film pixels."""
    scale, x, y = visitor.views()[0]
    frame = canvas(visitor).bounding_box()
    down = 2 if "aniso" in visitor.page.url else 1
    visitor.page.locator(".viewer").press({"length": "e", "angle": "a"}[kind])
    for right, low in points:
        visitor.page.mouse.click(frame["x"] + x + right * scale, frame["y"] + y + low * scale * down)
    visitor.page.keyboard.press("Escape")
    visitor.redrawn(200)


def measured(visitor, sign):
    """What stands at the measurements; a scale bar says whole millimetres."""
    said = {text for text in texts(svg(visitor)) if re.match(rf"\d+\.\d{sign}", text)}
    return [float(text.split(sign)[0]) for text in said]


@pytest.mark.parametrize(("scene", "mm", "degrees"), [("pair", 25.0, 53.13), ("aniso", 42.72, 69.44)])
def test_length_and_angle_go_by_the_films_spacing(alone, scene, mm, degrees):
    """From (60, 100) 30 pixels to the right and 40 down: of 0.5 mm, and of 0.5 x 1 mm."""
    opened(alone, scene)
    keyed(alone, "0")
    drawn(alone, "length", (60, 100), (90, 140))
    assert measured(alone, " mm") == [pytest.approx(mm, abs=0.4)]
    assert f"Measured by hand: BL {measured(alone, ' mm')[0]:.1f} mm." in caption(svg(alone))
    keyed(alone, "Backspace")
    drawn(alone, "angle", (90, 100), (60, 100), (90, 140))
    assert measured(alone, " mm") == []
    assert measured(alone, "°") == [pytest.approx(degrees, abs=0.8)]


def test_length_without_spacing_is_no_millimetre(alone):
    opened(alone, "unknown")
    keyed(alone, "0")
    drawn(alone, "length", (60, 100), (90, 140))
    assert any(text.endswith("pixels (spacing unknown)") for text in texts(svg(alone)))
    assert measured(alone, " pixels") == [pytest.approx(50, abs=1)]


def test_window_is_set_in_numbers(alone):
    opened(alone)
    assert alone.tool("exactWidth").input_value() == "39000"
    alone.tool("exactWidth").fill("1000")
    alone.tool("exactCentre").fill("20000")
    alone.page.keyboard.press("Enter")
    alone.redrawn(300)
    assert alone.state().startswith("W 1000 C 20000")


def middles(root):
    """Across, of the outlines of sites on the first film."""
    film = next(root.iter(f"{SVG}svg"))
    paths = [one.get("d") for one in film.iter(f"{SVG}path") if one.get("d").endswith("Z")]
    points = [[float(pair.split()[0]) for pair in d.strip("MZ").split("L")] for d in paths if "a" not in d]
    return np.array([np.mean(xs) for xs in points])


def test_mirrored_film_says_so_and_its_marks_go_along(alone):
    opened(alone, "sided")
    keyed(alone, "0")
    before, wide = middles(svg(alone)), canvas(alone).bounding_box()["width"]
    keyed(alone, "h")
    after = svg(alone)
    assert middles(after) == pytest.approx(wide - before, abs=0.6)
    assert "P9 · left · PA · mirrored" in texts(after)
    assert "BL cervical left PA mirrored" in caption(after)
    keyed(alone, "r")
    assert (
        alone.page.locator(".film .who").first.inner_text()
        == "P9 · left · PA · mirrored, turned right by 90°"
    )
    keyed(alone, "u")
    assert middles(svg(alone)) == pytest.approx(before, abs=0.1)
    assert alone.page.locator(".film .who").first.inner_text() == "P9 · left · PA"


def test_magnifier_shows_the_film_larger_under_the_pointer(alone):
    opened(alone)
    plain, frame = at_rest(alone), canvas(alone).bounding_box()
    keyed(alone, "m")
    alone.page.mouse.move(frame["x"] + 150, frame["y"] + 200)
    alone.page.mouse.move(frame["x"] + 152, frame["y"] + 200)
    magnified = at_rest(alone)
    assert unlike(plain, magnified) > 0.03
    keyed(alone, "m")
    assert unlike(plain, at_rest(alone)) < 0.02


# -- stacks (viewer_stage.stack) ---------------------------------------------------------------------------


def frame_shown(visitor):
    return visitor.state().split(" · ")[0].strip()


def test_keys_wheel_and_slider_go_through_the_frames_of_a_stack(alone):
    opened(alone, "stack", count=1)
    assert frame_shown(alone) == "frame 2 of 3 (4.0 mm)"
    middle = at_rest(alone)
    keyed(alone, "ArrowDown")
    assert frame_shown(alone) == "frame 3 of 3 (8.0 mm)"
    assert unlike(at_rest(alone), middle) > 0.01
    keyed(alone, "ArrowDown")
    assert frame_shown(alone).startswith("frame 3 of 3")
    frame, scale = canvas(alone).bounding_box(), alone.views()[0][0]
    alone.page.mouse.move(frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2)
    alone.page.mouse.wheel(0, -100)
    alone.redrawn(300)
    assert frame_shown(alone).startswith("frame 2 of 3")
    assert alone.views()[0][0] == scale
    alone.page.locator('[data-do="frame"]').fill("1")
    alone.redrawn(300)
    assert frame_shown(alone) == "frame 1 of 3 (0.0 mm)"
    assert alone.page.locator(".frame-number").inner_text() == "1 of 3"
    assert "BL MR frame 1 of 3 (0.0 mm)" in caption(svg(alone))


def colour_in_the_middle(visitor):
    return canvas(visitor).evaluate(
        "one => [...one.getContext('2d').getImageData(one.width / 2, one.height / 2, 1, 1).data.slice(0, 3)]"
    )


def test_a_cine_is_shown_in_colour_played_and_taken_to_the_graded_frame(alone):
    opened(alone, "cine", count=1)
    number, play = alone.page.locator(".frame-number"), alone.page.locator('[data-do="play"]')
    assert number.inner_text() == "3 of 4, graded here"
    assert colour_in_the_middle(alone) == [20, 20, 220]
    keyed(alone, "ArrowUp")
    assert colour_in_the_middle(alone) == [20, 220, 20]
    keyed(alone, " ")
    assert play.inner_text() == "Pause"
    for shown in ("4 of 4", "1 of 4", "3 of 4"):  # it goes on, and begins again after the last frame
        number.filter(has_text=shown).wait_for()
    keyed(alone, " ")
    assert play.inner_text() == "Play"
    keyed(alone, "g")
    assert number.inner_text() == "3 of 4, graded here"
    assert colour_in_the_middle(alone) == [20, 20, 220]


def test_a_scan_opens_without_the_screen_around_it_and_as_large_as_the_other_in_mm(alone):
    opened(alone, "scans")
    frame = canvas(alone).bounding_box()
    for place, (x0, y0, x1, y1) in enumerate(((50, 60, 150, 160), (60, 100, 160, 250))):
        scale, x, y = alone.views()[place]
        corners = [(x + scale * at[0], y + scale * at[1]) for at in ((x0, y0), (x1, y1))]
        assert all(-1 <= x <= frame["width"] + 1 and -1 <= y <= frame["height"] + 1 for x, y in corners)
    (one, _, _), (two, _, _) = alone.views()
    assert one / 0.2 == pytest.approx(two / 0.3)
    deep = 150 * two
    assert frame["height"] * 0.6 < deep < frame["height"]


def test_the_screen_around_a_scan_is_one_click_away_and_back(alone):
    opened(alone, "scans")
    before = alone.views()
    alone.tool("whole").click()
    alone.redrawn(300)
    frame = canvas(alone).bounding_box()
    assert alone.views()[0][0] == pytest.approx(min(frame["width"] / 200, frame["height"] / 300), rel=0.01)
    assert alone.tool("whole").get_attribute("aria-pressed") == "true"
    keyed(alone, "w")
    assert alone.views() == before


def test_films_have_no_screen_around_them(alone):
    opened(alone)
    assert alone.tool("whole").is_hidden()


def test_films_have_no_slider_of_frames(alone):
    opened(alone)
    assert alone.page.locator(".frames").is_hidden()
    assert "frame" not in alone.state()
