"""The small MRI cohort of other tests holds stacks that a scorer may read, and the reads of three readers."""

import numpy as np
import pytest

from core.domain import Viewer
from data.queries.stacks import load, stacks_of_visit
from data.store.cohort import CohortStore
from tests.helpers import mri_cohort


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("mri") / "mri.duckdb"
    mri_cohort.build(path)
    return CohortStore(path)


@pytest.mark.parametrize("visit", mri_cohort.VISITS)
def test_every_region_has_a_stir_that_may_be_read_and_a_t1(store, visit):
    found = stacks_of_visit(store, Viewer(), "P2", visit)
    assert sorted((one.region.value, one.sequence.value) for one in found) == sorted(
        (region, sequence) for region in mri_cohort.SHOWN for sequence in mri_cohort.SEQUENCES
    )
    assert [one.problems for one in found] == [()] * 6
    assert {one.sequence.value for one in found if not one.why_not()} == {"STIR"}
    (stack,) = (one for one in found if (one.region.value, one.sequence.value) == ("thoracic", "STIR"))
    whole = load(store, stack)
    shown = [mri_cohort.picture("P2", visit, "thoracic", "STIR", number) for number in range(5)]
    assert np.array_equal(whole.frames, shown)


def test_totals_follow_the_course(store):
    totals = store.query(
        "SELECT subject, visit, reader, total FROM main.total WHERE component = 'total' "
        "AND rule = 'sparcc.six_worst_each_visit' ORDER BY ALL"
    )
    truth = totals[totals["reader"] == "truth"].set_index(["subject", "visit"])["total"].to_dict()
    assert truth == {("P1", "BL"): 10, ("P1", "W24"): 10, ("P2", "BL"): 10, ("P2", "W24"): 1}
    assert set(totals["reader"]) == set(mri_cohort.READERS)
