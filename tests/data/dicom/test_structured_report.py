"""Findings as DICOM SR and SEG: read back with highdicom and pydicom, the same sites, grades and geometry."""

import json

import highdicom as hd
import numpy as np
import pandas as pd
import pydicom
import pytest
from pydicom.sr.codedict import codes

from core import scores
from core.cli import main
from core.domain import Viewer
from core.errors import InputError
from data.dicom import codes as finding_codes
from data.dicom.structured_report import write_findings
from data.ingest.run import ingest
from data.queries.findings import find_image, images_of, of_image
from data.store.cohort import CohortStore
from tests.helpers.small_films import save, trial_film

SYSTEM = scores.get("msasss")
FOUND = {  # site -> grade, geometry
    "L3S": (2, {"box": [4.0, 6.0, 14.25, 16.75]}),
    "L2I": (0, {"box": [3.75, 2.0, 12.0, 12.0]}),
    "S1S": (3, {"polygon": [[20.0, 30.0], [35.0, 32.0], [28.0, 44.0]]}),
}
PROBABILITIES = {0: [0.7, 0.1, 0.15, 0.05], 2: [0.1, 0.2, 0.6, 0.1], 3: [0.0, 0.05, 0.15, 0.8]}
HASH = "ab" * 32


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dicom")
    store = CohortStore.open(folder / "cohort.duckdb")
    for number, visit in enumerate(("BL", "W52")):
        save(trial_film(number + 1, "P1", visit), folder / "in" / f"{visit}.dcm")
    ingest(store, [folder / "in"], workers=0)
    images = store.query("SELECT image FROM image ORDER BY image")["image"].tolist()
    with store.write("test", "score") as tx:
        tx.insert("reader", pd.DataFrame({"reader": ["model:m"], "kind": "model", "weights_hash": HASH}))
        campaign = {"campaign": ["model-single"], "system": "msasss", "read_mode": "single"}
        tx.insert("campaign", pd.DataFrame(campaign))
        run = {"run": ["r1"], "system": "msasss", "reader": "model:m", "campaign": "model-single"}
        tx.insert("run", pd.DataFrame(run | {"weights_hash": HASH, "software": "sharpline 0.1.0"}))
        rows = [
            {
                "finding": f"f-{site}",
                "image": images[0],
                "site": site,
                "feature": "corner",
                "grade": grade,
                "grade_probabilities": PROBABILITIES[grade],
                "confidence": 0.9,
                "geometry": json.dumps(shape),
                "abstained": None,
            }
            for site, (grade, shape) in FOUND.items()
        ]
        nothing = dict.fromkeys(rows[0]) | {"finding": "f", "image": images[1], "abstained": "wrong view"}
        frame = pd.DataFrame([*rows, nothing], dtype=object).assign(run="r1", system="msasss")
        tx.insert("finding", frame)
    return store


@pytest.fixture(scope="module")
def written(store, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    image = store.query("SELECT image FROM finding WHERE site = 'L3S'")["image"][0]
    done = write_findings(store, Viewer(), image, "msasss", out)
    source = pydicom.dcmread(next(store.folder.rglob(f"{image}*dcm")), stop_before_pixels=True)
    return done, source


def groups(path):
    report = hd.sr.srread(path)
    return {
        group.tracking_identifier: group for group in report.content.get_planar_roi_measurement_groups()
    }, report


def test_report_holds_the_same_sites_grades_and_probabilities(written):
    done, _ = written
    found, report = groups(done.files[0])
    assert report.SOPClassUID == pydicom.uid.ComprehensiveSRStorage
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    assert set(found) == set(FOUND)
    for site, (grade, _) in FOUND.items():
        group = found[site]
        (evaluation,) = group.get_qualitative_evaluations(name=finding_codes.feature_code("corner", SYSTEM))
        assert finding_codes.grade_of(evaluation.value.value) == grade
        assert f"grade {grade}: {SYSTEM.features[0].grades[grade]}" == evaluation.value.meaning
        values = {m.name.value: m.value for m in group.get_measurements()}
        assert [values[f"probability.{g}"] for g in range(4)] == pytest.approx(PROBABILITIES[grade])
        assert values["confidence"] == pytest.approx(0.9)
        assert group.finding_sites[0].topographical_modifier.value == f"msasss.{site}"


def test_report_holds_the_same_outlines_on_the_stored_film(written):
    done, source = written
    found, report = groups(done.files[0])
    for site, (_, shape) in FOUND.items():
        region = found[site].roi
        if "box" in shape:
            x0, y0, x1, y1 = shape["box"]
            expected = [[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]
        else:
            expected = [*shape["polygon"], shape["polygon"][0]]
        np.testing.assert_allclose(region.value, expected, atol=1e-4)
        referenced = region.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        assert referenced == source.SOPInstanceUID
    assert (report.PatientID, report.StudyInstanceUID) == (source.PatientID, source.StudyInstanceUID)


def test_segments_hold_the_same_sites_grades_and_pixels(written):
    done, source = written
    masks = hd.seg.segread(done.files[1])
    pixels = masks.get_pixels_by_source_instance([source.SOPInstanceUID])[0]
    assert pixels.shape == (source.Rows, source.Columns, len(FOUND))
    for number, site in enumerate(sorted(FOUND), start=1):
        grade, shape = FOUND[site]
        about = masks.get_segment_description(number)
        assert about.segment_label == about.tracking_id == site
        assert finding_codes.grade_of(about.segmented_property_type.value) == grade
        mask = pixels[..., number - 1].astype(bool)
        y, x = np.nonzero(mask)
        if "box" in shape:
            x0, y0, x1, y1 = shape["box"]
            inside = [int(np.ceil(edge - 0.5)) for edge in (x0, y0, x1, y1)]
            assert [x.min(), y.min(), x.max() + 1, y.max() + 1] == inside
            assert mask.sum() == (inside[2] - inside[0]) * (inside[3] - inside[1])
        else:
            corners = np.array(shape["polygon"])
            a, b = corners[1] - corners[0], corners[2] - corners[0]
            assert mask.sum() == pytest.approx(abs(a[0] * b[1] - a[1] * b[0]) / 2, rel=0.05)
    plain = pydicom.dcmread(done.files[1])
    assert (plain.Rows, plain.Columns, plain.NumberOfFrames) == (source.Rows, source.Columns, len(FOUND))
    assert plain.ReferencedSeriesSequence[0].ReferencedInstanceSequence[0].ReferencedSOPInstanceUID == (
        source.SOPInstanceUID
    )


def test_report_and_segments_track_the_same_findings(written):
    done, _ = written
    found, _ = groups(done.files[0])
    masks = hd.seg.segread(done.files[1])
    tracked = {
        masks.get_segment_description(n).tracking_id: masks.get_segment_description(n).tracking_uid
        for n in masks.segment_numbers
    }
    assert tracked == {site: group.tracking_uid for site, group in found.items()}


def test_same_findings_give_the_same_bytes(store, written, tmp_path):
    done, _ = written
    again = write_findings(store, Viewer(), done.image, "msasss", tmp_path)
    assert [path.read_bytes() for path in again.files] == [path.read_bytes() for path in done.files]


def test_vertebrae_are_coded_in_snomed_and_the_rest_in_our_scheme():
    assert finding_codes.anatomy("L3S", SYSTEM) == codes.SCT.L3Vertebra
    assert finding_codes.anatomy("S1S", SYSTEM) == codes.SCT.Sacrum
    for site in SYSTEM.codes:
        assert finding_codes.anatomy(site, SYSTEM).scheme_designator == "SCT"
        assert len(finding_codes.site_code(site, SYSTEM).value) <= 16
    for name in ("sparcc", "synovitis"):
        other = scores.get(name)
        for site in other.sites:
            assert finding_codes.site_code(site.code, other).scheme_designator == finding_codes.SCHEME
            assert len(finding_codes.grade_code(site.feature, 1, other).meaning) <= 64


def test_a_film_on_which_the_model_abstained_is_left_out_with_the_reason(store, tmp_path):
    image = store.query("SELECT image FROM finding WHERE site IS NULL")["image"][0]
    done = write_findings(store, Viewer(), image, "msasss", tmp_path)
    assert done.left_out == "the model abstained: wrong view"
    assert not list(tmp_path.iterdir())


def test_command_writes_all_films_of_a_patient(store, tmp_path, capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main(["--cohort", str(store.path), "dicom", *map(str, arguments)])
        return end.value.code, *capsys.readouterr()

    status, out, _ = run("--subject", "P1", "--out", tmp_path / "new", "--json")
    answer = json.loads(out)
    assert status == 1
    assert (answer["films"], answer["findings"]) == (1, 3)
    assert [row["reason"] for row in answer["left_out"]] == ["the model abstained: wrong view"]
    assert len(list((tmp_path / "new").glob("*.dcm"))) == 2
    assert run("--out", tmp_path)[0] == 2
    assert "no film has this id" in run("--image", "zz", "--out", tmp_path)[2]


def test_images_are_found_by_the_beginning_of_their_id(store):
    images = images_of(store, Viewer(), "P1")
    assert find_image(store, Viewer(), images[0][:12]) == images[0]
    with pytest.raises(InputError, match="2 films begin with it"):
        find_image(store, Viewer(), "")
    assert of_image(store, Viewer(), images[0], "msasss", read_mode="paired").empty


MTSS = scores.get("mtss")
JOINTS = {  # site, feature -> grade, geometry, SNOMED CT name
    ("LH.J.MCP2", "jsn"): (1, {"box": [4.0, 6.0, 14.25, 16.75]}, "FingerJoint"),
    ("LH.J.MCP2", "ankylosis"): (1, {"box": [3.0, 5.0, 15.0, 17.25]}, "FingerJoint"),
    ("RH.J.PIP3", "luxation_unspecified"): (1, {"box": [30.0, 2.0, 40.0, 12.0]}, "FingerJoint"),
    ("RH.E.NAV", "erosion"): (5, {"box": [20.0, 20.0, 31.0, 30.0]}, "Scaphoid"),
    ("RH.J.CNL", "jsn"): (4, {"box": [20.0, 32.0, 31.0, 44.0]}, "Carpus"),
    ("LF.E.MTP5", "erosion"): (10, {"box": [25.0, 30.0, 35.0, 40.0]}, "Foot"),
}


@pytest.fixture(scope="module")
def joints(store, tmp_path_factory):
    image = store.query("SELECT image FROM finding WHERE site = 'L3S'")["image"][0]
    with store.write("test", "score") as tx:
        campaign = {"campaign": ["model-single"], "system": "mtss", "read_mode": "single"}
        tx.insert("campaign", pd.DataFrame(campaign))
        run = {"run": ["r2"], "system": "mtss", "reader": "model:m", "campaign": "model-single"}
        tx.insert("run", pd.DataFrame(run | {"weights_hash": HASH, "software": "sharpline 0.1.0"}))
        rows = [
            {
                "finding": f"m-{site}-{feature}",
                "image": image,
                "site": site,
                "feature": feature,
                "grade": grade,
                "grade_probabilities": [0.0] * grade + [1.0],
                "confidence": 0.75,
                "geometry": json.dumps(shape),
            }
            for (site, feature), (grade, shape, _) in JOINTS.items()
        ]
        tx.insert("finding", pd.DataFrame(rows, dtype=object).assign(run="r2", system="mtss"))
    return write_findings(store, Viewer(), image, "mtss", tmp_path_factory.mktemp("joints"))


def test_joints_and_their_findings_read_back_from_the_report(joints):
    found, _ = groups(joints.files[0])
    assert set(found) == {finding_codes.label(site, feature, MTSS) for site, feature in JOINTS}
    assert "LH.J.MCP2 ankylosis" in found and "LH.J.MCP2" in found
    for (site, feature), (grade, shape, part) in JOINTS.items():
        group = found[finding_codes.label(site, feature, MTSS)]
        (evaluation,) = group.get_qualitative_evaluations(name=finding_codes.feature_code(feature, MTSS))
        assert finding_codes.grade_of(evaluation.value.value) == grade
        place = group.finding_sites[0]
        assert place.value == getattr(codes.SCT, part)
        assert place.topographical_modifier.value == f"mtss.{site}"
        assert place.laterality == (codes.SCT.Left if site.startswith("L") else codes.SCT.Right)
        x0, y0, x1, y1 = shape["box"]
        np.testing.assert_allclose(group.roi.value, [[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]])
        assert group.finding_type == finding_codes.feature_code(feature, MTSS)


def test_joints_and_their_findings_read_back_from_the_segments(joints):
    masks = hd.seg.segread(joints.files[1])
    plain = pydicom.dcmread(joints.files[1])
    assert plain.NumberOfFrames == len(JOINTS)
    pixels = masks.get_pixels_by_source_instance(
        [plain.ReferencedSeriesSequence[0].ReferencedInstanceSequence[0].ReferencedSOPInstanceUID]
    )[0]
    tracked = {group.tracking_uid for group in groups(joints.files[0])[0].values()}
    by_name = {finding_codes.label(site, feature, MTSS): about for (site, feature), about in JOINTS.items()}
    for number in masks.segment_numbers:
        about = masks.get_segment_description(number)
        grade, shape, part = by_name[about.segment_label]
        assert finding_codes.grade_of(about.segmented_property_type.value) == grade
        assert about.anatomic_regions[0] == getattr(codes.SCT, part)
        assert about.tracking_uid in tracked
        y, x = np.nonzero(pixels[..., number - 1])
        x0, y0, x1, y1 = (int(np.ceil(edge - 0.5)) for edge in shape["box"])
        assert [x.min(), y.min(), x.max() + 1, y.max() + 1] == [x0, y0, x1, y1]


def test_films_that_only_another_system_read_are_not_asked_for(store, joints):
    both = images_of(store, Viewer(), "P1")
    assert len(both) == 2
    assert images_of(store, Viewer(), "P1", "msasss") == both
    assert images_of(store, Viewer(), "P1", "mtss") == [joints.image]
    with pytest.raises(InputError, match="no film belongs to it"):
        images_of(store, Viewer(), "P1", "sparcc")


def test_sites_of_hands_and_feet_are_coded_in_snomed_where_dicom_names_them():
    for site in MTSS.codes:
        assert finding_codes.anatomy(site, MTSS).scheme_designator == "SCT"
        assert finding_codes.site_code(site, MTSS).scheme_designator == finding_codes.SCHEME
        assert len(finding_codes.site_code(site, MTSS).value) <= 16
    for state in MTSS.states:
        assert len(finding_codes.grade_code(state.code, 1, MTSS).meaning) <= 64
    assert finding_codes.grade_code("ankylosis", 1, MTSS).meaning == "bony ankylosis: present"
    assert finding_codes.laterality("L3S", SYSTEM) is None


def test_both_objects_name_the_open_data_set_and_its_terms(store, tmp_path):
    image = store.query("SELECT image FROM finding WHERE site = 'L3S'")["image"][0]
    write_findings(store, Viewer(), image, "msasss", tmp_path)
    assert not any("Made from" in str(pydicom.dcmread(path)) for path in tmp_path.glob("*.dcm"))
    notice = "Made from A Set (version 2; example; terms: CC BY 4.0)."
    with store.write("test", "settings") as tx:
        tx.set_meta("data_set", json.dumps({"title": "A Set", "notice": notice}))
    try:
        done = write_findings(store, Viewer(), image, "msasss", tmp_path)
    finally:
        with store.write("test", "settings") as tx:
            tx.set_meta("data_set", "")
    assert len(done.files) == 2
    for path in done.files:
        named = pydicom.dcmread(path).ContributingEquipmentSequence[-1]
        assert (named.Manufacturer, named.ContributionDescription) == ("A Set", notice)
