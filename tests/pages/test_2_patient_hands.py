"""Patient with hands and feet: the same page, with a joint map, both features and findings at joints."""

import pandas as pd

from core.scores.engine.totals import compute
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
    at = open_app(PAGE, cohort=hands_file, patient="P4", system="mtss")
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
    assert "To be resolved by a reader, luxation, degree unknown: RH.MCP3 (model:mtss-demo)" in warning
    assert "of 86 sites shown" in captions
    assert "joint space narrowing" in captions and "syndesmophyte" not in captions


def test_course_and_rows_can_be_chosen(open_app, hands_file):
    at = open_app(PAGE, cohort=hands_file, patient="P4", system="mtss")
    at.segmented_control(key="component").set_value("jsn")
    at.segmented_control(key="map_rows").set_value("Changed")
    at.segmented_control(key="map_reading").set_value("largest change").run()
    assert not at.exception
    captions = words(at, "caption")
    assert "3 of 86 sites shown" in captions
    assert "the largest where they differ" in captions
    at.segmented_control(key="map_rows").set_value("All").run()
    assert "of 86 sites shown" not in words(at, "caption")
