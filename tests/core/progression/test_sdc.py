"""What an SDC says about one patient's change, tried on patients who did not change."""

import numpy as np
import pytest

from core.progression.sdc import says, smallest_detectable_change

PATIENTS = 20_000


def beyond(shared, readers):
    """Proportion of unchanged patients beyond the SDC; shared: SD of an error that all readers have."""
    rng = np.random.default_rng(5)
    own = rng.normal(0, 1.0, (PATIENTS, readers))
    change = own + rng.normal(0, shared, (PATIENTS, 1)) if shared else own
    limit = smallest_detectable_change(change).limit(readers)
    return (np.abs(change.mean(axis=1)) > limit).mean()


@pytest.mark.parametrize("readers", [2, 3, 5])
def test_of_unchanged_patients_5_percent_are_beyond_the_sdc(readers):
    assert beyond(0, readers) == pytest.approx(0.05, abs=0.005)


@pytest.mark.parametrize("readers", [2, 3, 5])
def test_an_error_that_readers_share_is_not_in_the_sdc(readers):
    assert beyond(1.0, readers) > 0.15


def test_both_are_said_and_no_probability_is():
    text = says(1.81)
    assert "95% of the changes read where nothing changed lie within ±1.81" in text
    assert "readers share is not in it" in text
    assert "no probability that the patient changed" in text
