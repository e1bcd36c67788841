"""Patient with hands and feet: the same page, with a joint map, both features and findings at joints."""

import pandas as pd
import pytest

from core.scores.engine.totals import compute
from pages.common.viewer import stored_films
from tests.helpers import hands_cohort

PAGE = "pages/2_Patient.py"


def words(at, kind):
    return " ".join(element.value for element in getattr(at, kind))


def mean_of_people(component, visit, patient="P4"):
    rows = pd.concat([hands_cohort.site_grades(), hands_cohort.findings_at_joints()])
    rows = rows[(rows["subject"] == patient) & rows["reader"].isin(["R1", "R2"])]
    totals = compute(rows, hands_cohort.SYSTEM).totals
    part = totals[totals["visit"] == visit]
    values = part["total"] if component == "total" else part[component]
    return float(values.mean())


def test_page_tells_total_parts_joints_and_findings(open_app, hands_file):
    at = open_app(PAGE, cohort=hands_file, section="Joints", patient="P4", system="mtss")
    assert not at.exception
    metric = next(one for one in at.metric if one.label.startswith("SvdH, mean of R1, R2"))
    before, after = (mean_of_people("total", visit) for visit in hands_cohort.VISITS)
    assert metric.value == f"{before:.1f} → {after:.1f}"
    captions = words(at, "caption")
    erosion = [mean_of_people("erosion", visit) for visit in hands_cohort.VISITS]
    assert f"erosion {erosion[0]:.1f} → {erosion[1]:.1f}" in captions
    assert erosion[1] - erosion[0] == 4
    table = at.dataframe[0].value
    assert list(table["site"]) == ["RH.E.MCP2", "RH.J.MCP2", "LF.E.MTP5"], "both of one joint together"
    assert table["R1"].tolist() == ["0 → 2", "1 → 2", "6 → 8"]
    assert "n = 86 sites, 0 not gradable" in captions
    warning = words(at, "warning")
    assert "To be resolved by a reader, luxation, degree unknown: RH.MCP3 (model mtss-demo)" in warning
    course = open_app(PAGE, cohort=hands_file, section="Course and sites", patient="P4", system="mtss")
    captions += words(course, "caption")
    assert "of 86 sites shown" in captions
    assert "joint space narrowing" in captions and "syndesmophyte" not in captions


def test_course_and_rows_can_be_chosen(open_app, hands_file):
    at = open_app(PAGE, cohort=hands_file, section="Joints", patient="P4", system="mtss")
    at.segmented_control(key="patient_marks").set_value("largest change").run()
    assert not at.exception
    assert "the largest where they differ" in words(at, "caption")
    at.segmented_control(key="patient_section").set_value("Course and sites").run()
    at.segmented_control(key="component").set_value("jsn")
    at.segmented_control(key="patient_rows").set_value("Changed").run()
    assert not at.exception
    assert "3 of 86 sites shown" in words(at, "caption")
    at.segmented_control(key="patient_rows").set_value("All").run()
    assert "of 86 sites shown" not in words(at, "caption")


# -- films of one side each ----------------------------------------------------------------------------------


def side_films(*films):
    """Films of one visit: (image, laterality, graded sites of the left and of the right hand)."""
    stored = pd.DataFrame(
        [(image, "W52", "hand", side) for image, side, *_ in films],
        columns=["image", "visit", "body_part", "laterality"],
    )
    hands = [site for site in hands_cohort.SYSTEM.sites if site.region == "hand"]
    sites = {side: [site.code for site in hands if site.side == side] for side in ("L", "R")}
    rows = [
        (image, code, 0)
        for image, _, *counts in films
        for side, count in zip("LR", counts, strict=True)
        for code in sites[side][:count]
    ]
    return stored, pd.DataFrame(rows, columns=["image", "site", "grade"])


@pytest.mark.parametrize(
    ("films", "left", "right"),
    [
        ([("a", "L", 5, 0), ("b", "R", 0, 5)], ["a"], ["b"]),
        ([("a", None, 5, 0), ("b", "", 0, 5)], ["a"], ["b"]),
        ([("a", "L", 5, 0)], ["a"], []),
        ([("a", "B", 5, 5), ("b", "L", 6, 0)], ["a", "b"], ["a"]),
        ([("a", None, 0, 0), ("b", "L", 6, 0)], ["b", "a"], ["a"]),
        ([("b", "L", 5, 0), ("a", "L", 5, 0)], ["a", "b"], []),
        ([("a", "R", 5, 0)], [], ["a"]),
    ],
)
def test_each_side_has_the_films_that_show_it(films, left, right):
    stored, found = side_films(*films)
    for side, images in {"L": left, "R": right}.items():
        shown = stored_films.films_showing(stored, found, hands_cohort.SYSTEM, "W52", "hand", side)
        assert shown["image"].tolist() == images


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "sides.duckdb"
    store = hands_cohort.build(path)
    film = store.query(
        "SELECT * FROM main.image WHERE subject = 'P4' AND visit = 'W52' AND body_part LIKE 'hand%'"
    )
    with store.write("test", "films of one side each") as tx:
        for image, side in {"aa" * 12: "L", "bb" * 12: "R"}.items():
            again = film.drop(columns=["event", "superseded_by"])
            tx.insert("image", again.assign(image=image, pixel_hash=image, laterality=side))
    return path


def test_a_side_can_be_chosen_and_each_of_its_films(open_app, own):
    at = open_app(PAGE, cohort=own, patient="P4", system="mtss", site="RH.E.MCP2")
    assert not at.exception
    assert at.segmented_control(key="patient_side").value == "R", "that of the site"
    at.segmented_control(key="patient_side").set_value("L").run()
    films = next(group for group in at.button_group if group.label == "W52 has 2 such films")
    assert [option.split(" · ")[1] for option in films.options] == ["both sides", "left"]
    at.segmented_control(key="patient_region").set_value("foot").run()
    assert not at.exception
    assert not [group for group in at.button_group if group.key == "patient_side"]
