"""Scans as DICOM files: colours come back, regions and tags say what is shown."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.pixels import pixel_array

from data.phantom.images_out import write_image
from data.phantom.load import SAID, Imported, import_scans
from data.phantom.seeds import StudyRole, StudySeed
from data.phantom.study import Study, StudyPlan, image_tables, tables, write_study
from data.phantom.ultrasound.body import CODE
from data.phantom.ultrasound.dicom import Taken, write_scan
from data.phantom.ultrasound.generator import FRAMES, GENERATOR, VIEWS
from data.phantom.ultrasound.machines import MACHINES
from data.phantom.ultrasound.patients import make_patient
from data.phantom.ultrasound.readers import DAILY
from data.phantom.ultrasound.scans import draw_scan
from data.phantom.ultrasound.wrong import KINDS, WORKSHEET, draw_wrong
from data.store.cohort import CohortStore

SEED = StudySeed(StudyRole.TEST, 5)
MANY = Study(StudyPlan(24, 3, 7, role=StudyRole.TEST, systems=("synovitis",)))


@pytest.fixture(scope="module")
def scan():
    patient = make_patient(SEED, 4)
    drawn = draw_scan(patient, "L", "MCP3", 0.0, "PD", frames=3)
    return Taken(drawn.screen, patient.machine, "PD", "L", "MCP3", "us_L_MCP3_PD")


def written(folder, scan, visits=25):
    """The same scan as so many files, each with tags of its own."""
    for number in range(visits):
        path = folder / f"{number}.dcm"
        write_scan(scan, path, subject="TE00004", visit=f"V{number}", uid_seed=1)
        yield dcmread(path)


def test_colours_come_back_whatever_the_file_keeps_them_as(tmp_path, scan):
    shown, found = scan.screen.colour, Counter()
    for ds in written(tmp_path, scan):
        kept = (str(ds.PhotometricInterpretation), ds.file_meta.TransferSyntaxUID.name)
        if found[kept]:
            continue
        found[kept] += 1
        pixels = pixel_array(ds)
        assert pixels.shape == shown.shape
        assert np.abs(pixels.astype(int) - shown).mean() < (4.0 if ds.LossyImageCompression == "01" else 0.1)
    assert len(found) >= 3
    assert len({kept for kept, _ in found}) >= 2  # RGB and YBR


def test_one_frame_may_be_kept_as_ybr(tmp_path, scan):
    still = replace(scan, screen=replace(scan.screen, colour=scan.screen.colour[:1]))
    kinds = {}
    for ds in written(tmp_path, still, visits=50):
        kinds.setdefault(str(ds.PhotometricInterpretation), ds)
    assert set(kinds) == {"RGB", "YBR_FULL", "YBR_FULL_422"}
    assert np.abs(pixel_array(kinds["YBR_FULL"]).astype(int) - still.screen.colour[0]).max() <= 3


def test_regions_are_where_picture_and_colour_lie(tmp_path, scan):
    ds = next(written(tmp_path, scan))
    tissue, colour = ds.SequenceOfUltrasoundRegions
    x0, y0, x1, y1 = scan.screen.box
    assert (tissue.RegionLocationMinX0, tissue.RegionLocationMaxX1) == (x0, x1 - 1)
    assert (tissue.RegionLocationMinY0, tissue.RegionLocationMaxY1) == (y0, y1 - 1)
    assert tissue.PhysicalDeltaX * 10 == pytest.approx(scan.screen.mm[1])
    assert (tissue.RegionDataType, colour.RegionDataType) == (1, 2)
    assert ds.NumberOfFrames == 3


def test_tags_name_joint_side_and_mode_in_several_ways(tmp_path, scan):
    said = set()
    for ds in written(tmp_path, scan):
        text = f"{ds.SeriesDescription} {ds.get('ImageComments', '')} {ds.get('ProtocolName', '')}"
        side = f"{ds.get('Laterality', '')}{ds.get('ImageLaterality', '')}"
        assert "L" in side or "links" in text or "Left" in text
        assert "MCP" in text
        assert "PD" in text or "Power Doppler" in text
        said.add(ds.SeriesDescription)
    assert len(said) >= 4


def test_no_screen_names_a_person_but_the_worksheet(tmp_path):
    for kind in KINDS:
        screen, words = draw_wrong(MACHINES[0], kind, 3)
        scan = Taken(screen, MACHINES[0], words.mode, "", "", "us_R_WR_B", kind)
        write_scan(scan, tmp_path / "a.dcm", subject="TE00004", visit="BL", uid_seed=1)
        ds = dcmread(tmp_path / "a.dcm")
        assert ds.BurnedInAnnotation == ("YES" if kind == WORKSHEET else "NO")
        assert "MCP" not in str(ds.SeriesDescription)
        assert (screen.tissue == CODE["bone"]).any() == (kind == "knee")
    with pytest.raises(ValueError, match="knee, organ, worksheet"):
        draw_wrong(MACHINES[0], "foot", 3)


def test_every_fourth_patient_is_scanned_at_each_visit():
    part = MANY.parts["synovitis"]
    assert [person.subject for person in part.people.values()] == [f"TE{n:05d}" for n in range(3, 25, 4)]
    right = [film for film in MANY.scans if film.kind is None]
    came = sum(len(part.weeks(place)) for place in part.people)
    assert 0.95 * came * len(VIEWS) < len(right) <= came * len(VIEWS)
    assert MANY.films == MANY.stacks == []
    assert len({(film.subject, film.name) for film in MANY.scans}) == len(MANY.scans)
    assert 0 < len(MANY.scans) - len(right) < 12


def test_reads_are_of_joints_that_were_scanned():
    made = tables(MANY)
    reads, truth = made["reads_us_R1.csv"], made["truth_us.csv"]
    taken = {(film.subject, film.visit, film.view) for film in MANY.scans if film.kind is None}
    for row in reads.itertuples():
        side, joint, mode = row.site.split(".")
        assert (row.subject, row.visit, f"us_{side}_{joint}_{'PD' if mode == 'PD' else 'B'}") in taken
        assert row.feature == {"GS": "gs", "PD": "pd"}[mode]
    both = reads.merge(truth, on=["subject", "visit", "site", "feature"], suffixes=("", "_true"))
    assert len(both) == len(reads) == len(taken)
    assert 0.75 < (both["grade"] == both["grade_true"]).mean() < 1
    again = made["rereads_us_R1.csv"]
    assert set(again["subject"]) == set(reads["subject"])
    assert (again["grade"].to_numpy() != reads["grade"].to_numpy()).any()


def test_other_readers_can_take_the_place_of_the_shipped_ones():
    part = MANY.parts["synovitis"]
    daily = replace(part, patients=replace(part.patients, readers={"synovitis": DAILY}))
    truth, keys = part.truth(), ["subject", "visit", "site"]
    wrong = [
        (both["grade"] != both["grade_true"]).mean()
        for both in (
            one.reads("R2", 1).merge(truth, on=keys, suffixes=("", "_true")) for one in (part, daily)
        )
    ]
    assert wrong[0] + 0.05 < wrong[1]


def test_a_study_is_written_once_and_says_what_is_on_each_scan(tmp_path):
    plan = StudyPlan(3, 1, 7, role=StudyRole.TEST, systems=("synovitis",))
    study = write_study(plan, tmp_path / "study", processes=1)
    folder = tmp_path / "study"
    files = sorted(folder.glob("scans/*/*.dcm"))
    assert len(files) == len(study.scans)
    before = {path: path.stat().st_mtime_ns for path in files}
    made = image_tables(folder, study.images, [GENERATOR])
    assert set(made) == {"scans.csv", "scanned_joints.csv"}
    rows = made["scanned_joints.csv"]
    assert set(rows["frames"]) <= {1, FRAMES}
    assert (rows.loc[rows["gs"] == 0, "pd"] == 0).all()
    first = files[0].read_bytes()
    files[0].unlink()
    write_study(plan, folder, processes=1)
    assert files[0].read_bytes() == first
    assert {path: path.stat().st_mtime_ns for path in files[1:]} == {path: before[path] for path in files[1:]}


def test_scans_that_name_nobody_are_released_and_the_worksheet_stays_held(tmp_path):
    plan = StudyPlan(3, 1, 7, role=StudyRole.TEST, systems=("synovitis",))
    study, folder = Study(plan), tmp_path / "study"
    films = study.parts["synovitis"].films
    films[:] = [films[0], films[1], replace(films[2], kind=WORKSHEET)]
    for film in films:
        write_image(plan.study, plan.domain, folder, film, study.states(film))
    store = CohortStore.open(tmp_path / "cohort.duckdb")
    imported = import_scans(store, study, folder, Imported(), workers=1)
    assert (imported.scans_ingested, imported.scans_already_there, len(imported.held)) == (3, 0, 1)
    worksheet = held(store)
    assert len(worksheet) == 1
    assert SAID in worksheet["held"].iloc[0]
    with store.write("test", "an import that was stopped before the release") as transaction:
        rows = transaction.query(
            "SELECT * EXCLUDE (event, superseded_by) FROM main.image "
            "WHERE superseded_by IS NULL AND held IS NULL"
        )
        transaction.supersede("image", rows[["image"]])
        transaction.insert("image", rows.assign(held="text seems to be burnt into the picture"))
    assert len(held(store)) == 3
    again = import_scans(store, study, folder, Imported(), workers=1)
    assert (again.scans_ingested, again.scans_already_there, again.released) == (0, 3, 2)
    assert held(store)["image"].tolist() == worksheet["image"].tolist()


def held(store):
    """Scans that wait for a person."""
    return store.query("SELECT image, held FROM main.image WHERE superseded_by IS NULL AND held IS NOT NULL")
