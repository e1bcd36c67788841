"""An image with identity in a hundred places: nothing of it is left in what is stored or given out."""

import pytest

from data.ingest.run import ingest
from data.store.cohort import CohortStore
from data.tables.export import TABLES, export
from tests.helpers.identity_places import (
    FAMILY,
    NUMBER,
    SECRETS,
    all_bytes,
    as_bytes,
    film_with_identity,
    left_in,
    put_everywhere,
)
from tests.helpers.small_frames import cine, enhanced, item, slices


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    place = tmp_path_factory.mktemp("identity")
    dataset, names = film_with_identity()
    delivery = place / "delivery" / "film.dcm"
    delivery.parent.mkdir()
    delivery.write_bytes(as_bytes(dataset))
    store = CohortStore.open(place / "cohort" / "trial.duckdb")
    result = ingest(store, [delivery.parent], workers=0)
    assert result.ingested == 1, result.refused
    return store, names, delivery


def test_there_are_at_least_a_hundred_places(imported):
    _, names, delivery = imported
    assert len(set(names)) >= 100
    assert set(left_in(delivery.read_bytes())) == set(SECRETS)


def test_nothing_is_left_beside_the_cohort(imported):
    store, _, _ = imported
    assert left_in(all_bytes(store.path.parent)) == []


def test_nothing_is_left_in_exports(imported, tmp_path):
    store, _, _ = imported
    for table in TABLES:
        export(store, table, tmp_path / f"{table}.csv")
    assert left_in(all_bytes(tmp_path)) == []


def said_of(**tags):
    """An item that names the patient."""
    return item(PatientName=FAMILY, PatientID=NUMBER, **tags)


def scan():
    """An ultrasound cine that names the patient in its regions too."""
    image = cine()
    put_everywhere(image)
    image.SequenceOfUltrasoundRegions = [
        said_of(RegionLocationMinX0=0, RegionLocationMinY0=0, RegionLocationMaxX1=39, RegionLocationMaxY1=47,
                PhysicalUnitsXDirection=3, PhysicalUnitsYDirection=3, PhysicalDeltaX=0.01,
                PhysicalDeltaY=0.01, RegionSpatialFormat=1, RegionDataType=1, RegionFlags=0)
    ]  # fmt: skip
    return [image]


def stack_in_one_file():
    """An enhanced MR that names the patient in the groups of every frame too."""
    image = enhanced()
    put_everywhere(image, but=("SharedFunctionalGroupsSequence",))
    image.SharedFunctionalGroupsSequence[0].ReferencedImageSequence = [said_of()]
    for frame in image.PerFrameFunctionalGroupsSequence:
        frame.FrameContentSequence = [said_of(FrameComments=f"{FAMILY} {NUMBER}", FrameLabel=FAMILY)]
        frame.PlanePositionSequence[0].PatientName = FAMILY
    return [image]


def stack_of_files():
    images = slices()
    for image in images:
        put_everywhere(image, but=("SeriesInstanceUID",))
    return images


@pytest.mark.parametrize("made", [scan, stack_in_one_file, stack_of_files])
def test_nothing_is_left_of_images_of_several_frames(made, tmp_path):
    files = tmp_path / "delivery"
    files.mkdir()
    for number, dataset in enumerate(made()):
        (files / f"{number}.dcm").write_bytes(as_bytes(dataset))
        assert set(left_in((files / f"{number}.dcm").read_bytes())) >= {FAMILY, "40917734"}
    store = CohortStore.open(tmp_path / "cohort" / "trial.duckdb")
    result = ingest(store, [files], workers=0)
    assert result.ingested == len(list(files.iterdir())), result.refused
    assert left_in(all_bytes(store.path.parent)) == []
    (tmp_path / "out").mkdir()
    for table in TABLES:
        export(store, table, tmp_path / "out" / f"{table}.csv")
    assert left_in(all_bytes(tmp_path / "out")) == []
