"""From DICOM files of a visit to SPARCC items, totals and outlines in the cohort, on true masks."""

import json

import highdicom as hd
import pydicom
import pytest

from core.domain import Viewer
from core.imaging.sequences import Needs
from core.imaging.spine import UNITS
from core.scores.sparcc import SPARCC
from data.dicom.codes import feature_code, grade_of
from data.dicom.images import stored_film
from data.dicom.structured_report import write_findings
from data.ingest.run import ingest
from data.phantom.mri.files import MriPlan
from data.phantom.mri.series_out import write_series
from data.queries.findings import in_stacks
from data.queries.outlines import outlines
from data.queries.stacks import all_stacks, load
from data.store.cohort import CohortStore
from data.verify import verify
from models.scoring.run import score_cohort
from models.system import SystemModel
from tests.helpers.commands import run_command
from tests.helpers.small_films import film, picture, save
from tests.helpers.true_masks import true_scorer

KNOWN = []


def build_true(*, size, device, threads):
    return true_scorer(KNOWN)


def identify_true(size):
    return "model:sparcc-demo", "true"


MODEL = SystemModel(
    "sparcc", ("spine",), (), f"{__name__}:build_true", identity=f"{__name__}:identify_true", stacks=Needs()
)


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """A cohort with STIR and T1 of a lumbar spine and a film, scored; the stack as drawn."""
    folder = tmp_path_factory.mktemp("mri")
    patient = MriPlan(patients=1, seed=6, population="trial", views=("lumbar",)).people()[0]
    stack = patient.stack(0, "lumbar")
    write_series(stack, folder / "in", subject="S1", visit="BL")
    trial = {"ClinicalTrialSubjectID": "S1", "ClinicalTrialTimePointID": "BL"}
    save(film(picture(1), BodyPartExamined="LSPINE", **trial), folder / "in" / "film.dcm")
    store = CohortStore.open(folder / "c.duckdb")
    ingest(store, [folder / "in"], workers=0)
    (stir,) = (one for one in all_stacks(store, Viewer()) if one.sequence.value not in ("T1", ""))
    KNOWN[:] = [(load(store, stir), stack)]
    return store, stack, score_cohort(store, "sparcc", processes=1, model=MODEL)


def test_one_stack_is_scored_and_nothing_else_looked_at(scored):
    store, _, report = scored
    assert (report.images, report.scored, report.abstained) == (1, 1, [])
    assert verify(store).broken == []


def test_points_reach_the_total_and_can_be_traced_to_pixels(scored):
    store, stack, _ = scored
    total = store.query("SELECT total FROM total WHERE system = 'sparcc' AND component = 'total'")["total"]
    assert total[0] > 0
    rows = store.query(
        "SELECT f.site, f.geometry, i.positions_mm FROM main.finding f JOIN main.image i USING (image) "
        "WHERE f.grade = 1 AND f.feature = 'oedema'"
    )
    places = [place for place, *_ in stack.plan.positions_mm]
    for row in rows.itertuples():
        shape = json.loads(row.geometry)
        assert shape["frame"] == 0
        assert shape["value"] >= shape["limit"]
        frame = min(range(len(places)), key=lambda at: abs(places[at] - row.positions_mm[0]))
        columns, lines = zip(*shape["polygon"], strict=True)
        part = stack.oedema[frame][
            int(min(lines)) : int(max(lines)) + 1, int(min(columns)) : int(max(columns)) + 1
        ]
        assert part.any(), row.site


def test_bodies_are_drawn_by_name_on_their_slices(scored):
    store, _, _ = scored
    images = store.query("SELECT image FROM main.image WHERE modality = 'MR'")["image"].tolist()
    drawn = outlines(store, Viewer(), images)
    bodies = drawn[drawn["structure"] == "body"]
    assert set(bodies["name"]) >= {"L1", "L2", "L3", "L4", "L5", "S1"}
    assert set(drawn.loc[drawn["structure"] == "disc", "name"]) - {""} <= set(UNITS)
    assert drawn["reader"].unique().tolist() == ["model:sparcc-demo"]


def groups_of(report):
    content = hd.sr.srread(report).content
    return [*content.get_planar_roi_measurement_groups(), *content.get_image_measurement_groups()]


def test_a_report_of_a_stack_names_the_slice_of_every_item(scored, tmp_path):
    store, _, _ = scored
    rows = store.query("SELECT image, site, grade, geometry FROM main.finding WHERE site IS NOT NULL")
    image = rows["image"].iloc[0]
    (images,) = in_stacks(store, Viewer(), [image])
    done = write_findings(store, Viewer(), images, "sparcc", tmp_path)
    assert done.findings == len(rows) and not done.left_out
    uids = {one: pydicom.dcmread(stored_film(store, one), stop_before_pixels=True) for one in images}
    wanted = {row.site: (uids[row.image].SOPInstanceUID, row.grade) for row in rows.itertuples()}
    found = {}
    for group in groups_of(done.files[0]):
        outlined = isinstance(group, hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations)
        source = group.roi.ContentSequence[0] if outlined else group.source_images[0]
        feature = feature_code(SPARCC.by_code[group.tracking_identifier].feature, SPARCC)
        (grade,) = group.get_qualitative_evaluations(name=feature)
        found[group.tracking_identifier] = (
            str(source.ReferencedSOPSequence[0].ReferencedSOPInstanceUID),
            grade_of(grade.value.value),
        )
        shape = rows.loc[rows["site"] == group.tracking_identifier, "geometry"].iloc[0]
        assert outlined == ("polygon" in json.loads(shape))
    assert found == wanted
    assert {one[1] for one in found.values()} == {0, 1}


def test_segments_are_the_points_on_their_slices(scored, tmp_path):
    store, _, _ = scored
    rows = store.query("SELECT image, site, geometry FROM main.finding WHERE grade = 1")
    rows = rows[rows["geometry"].str.contains("polygon")]
    (images,) = in_stacks(store, Viewer(), [rows["image"].iloc[0]])
    done = write_findings(store, Viewer(), images, "sparcc", tmp_path)
    masks = hd.seg.segread(done.files[1])
    uids = {one: str(pydicom.dcmread(stored_film(store, one)).SOPInstanceUID) for one in set(rows["image"])}
    pixels = masks.get_pixels_by_source_instance(list(uids.values()))
    places = {image: place for place, image in enumerate(uids)}
    names = {masks.get_segment_description(one).segment_label: one for one in masks.segment_numbers}
    assert set(names) == set(rows["site"])
    for row in rows.itertuples():
        where = pixels[..., names[row.site] - 1].any(axis=(1, 2))
        assert where.nonzero()[0].tolist() == [places[row.image]]


def test_the_command_writes_a_report_a_stack_and_passes_over_what_is_never_read(scored, tmp_path, capsys):
    store, _, _ = scored
    asked = ["--cohort", str(store.path), "dicom", "--system", "sparcc", "--out", str(tmp_path), "--json"]
    status, said, _ = run_command(capsys, *asked, "--subject", "S1")
    said = json.loads(said)
    assert status == 0
    assert (said["films"], said["left_out"], len(said["files"])) == (1, [], 2)
    t1 = store.query("SELECT image FROM main.image WHERE sequence = 'T1' LIMIT 1")["image"][0]
    status, said, _ = run_command(capsys, *asked, "--image", t1)
    assert status == 1 and json.loads(said)["left_out"][0]["reason"] == "no model has read it"
