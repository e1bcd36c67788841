"""Stacks and cines on the Cohort page."""

import numpy as np
import pytest

from core.domain import Image
from data.ingest.run import ingest
from data.store.cohort import CohortStore
from pages.common.viewer.stored_stacks import frame_notes
from tests.helpers import small_cohort
from tests.helpers.small_films import save
from tests.helpers.small_frames import cine, slices

P1 = {"ClinicalTrialSubjectID": "P1", "ClinicalTrialTimePointID": "BL"}


@pytest.fixture(scope="module")
def with_series(tmp_path_factory):
    """The small cohort with a stack of three files and a cine."""
    folder = tmp_path_factory.mktemp("series")
    small_cohort.build(folder / "c.duckdb")
    (folder / "in").mkdir()
    for number, dataset in enumerate([*slices(**P1), cine(**P1)]):
        save(dataset, folder / "in" / f"{number}.dcm")
    ingest(CohortStore(folder / "c.duckdb"), [folder / "in"], workers=0)
    return folder / "c.duckdb"


def headings(at):
    return [element.value for element in at.markdown if element.value.startswith("##")]


def test_series_beyond_single_films_are_listed(open_app, with_series):
    at = open_app("pages/1_Cohort.py", cohort=with_series)
    assert not at.exception
    assert "## Series" in headings(at)
    table = next(frame.value for frame in at.dataframe if "frames" in frame.value)
    assert table[["subject", "visit", "modality", "images", "frames", "kind"]].to_numpy().tolist() == [
        ["P1", "BL", "MR", 3, 3, "stack of slices"],
        ["P1", "BL", "US", 1, 3, "cine"],
    ]


def test_a_stack_is_one_line_with_what_it_shows_and_what_is_wrong(open_app, tmp_path):
    small_cohort.build(tmp_path / "c.duckdb")
    (tmp_path / "in").mkdir()
    about = {"SeriesDescription": "T1 lumbar", "SliceThickness": "3.5", "PixelSpacing": [6.0, 6.0], **P1}
    for number, dataset in enumerate(slices((0.0, 4.0, 12.0, 16.0), **about)):
        save(dataset, tmp_path / "in" / f"{number}.dcm")
    ingest(CohortStore(tmp_path / "c.duckdb"), [tmp_path / "in"], workers=0)
    at = open_app("pages/1_Cohort.py", cohort=tmp_path / "c.duckdb")
    assert not at.exception
    table = next(frame.value for frame in at.dataframe if "frames" in frame.value)
    row = table.iloc[0]
    assert (row["region"], row["sequence"], row["plane"], row["frames"]) == ("lumbar", "T1", "sagittal", 4)
    assert (row["slice_spacing_mm"], row["gap_mm"]) == (4, 0.5)
    assert "a slice is missing" in row["problems"]


def test_a_cohort_of_films_has_no_list_of_series(open_app):
    at = open_app("pages/1_Cohort.py")
    assert not at.exception
    assert "## Series" not in headings(at)


def test_a_frame_is_named_by_its_place_or_its_time():
    frames = np.zeros((2, 2, 2))
    axial = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
    stack = Image("s", frames, orientation=axial, positions_mm=((0, 0, 3.0), (0, 0, 7.5)))
    assert frame_notes(stack) == ("2.2 mm above the middle", "2.2 mm below the middle")
    assert frame_notes(Image("c", frames, times_ms=(0, 40))) == ("0 ms", "40 ms")
    assert frame_notes(Image("u", frames)) == ()
