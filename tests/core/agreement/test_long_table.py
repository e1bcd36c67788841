"""From long ratings to the complete table."""

import numpy as np
import pandas as pd
import pytest

from core.agreement.long_table import collect
from core.errors import InputError


def frame(rows: list[tuple], **more) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["subject", "rater", "rating"])
    table["rating"] = pd.to_numeric(table["rating"])
    return table.assign(**more)


def test_order_of_rows_does_not_matter_for_values():
    rows = [("a", "X", 1), ("b", "Y", 4), ("a", "Y", 2), ("b", "X", 3)]
    found = collect(frame(rows))
    assert found.raters == ["X", "Y"] and found.subjects.tolist() == ["a", "b"]
    assert found.complete.tolist() == [[1, 2], [3, 4]]


def test_gaps_are_kept_for_the_mixed_model():
    found = collect(frame([("a", "X", 1), ("a", "Y", None), ("b", "X", 3), ("b", "Y", 4), ("c", "Y", 1)]))
    assert found.dropped == 2 and found.complete.tolist() == [[3, 4]]
    np.testing.assert_array_equal(found.with_gaps(), [[1, np.nan], [3, 4], [np.nan, 1]])


def test_a_second_empty_rating_is_no_double():
    found = collect(frame([("a", "X", 1), ("a", "X", None), ("a", "Y", 2)]))
    assert found.complete.tolist() == [[1, 2]] and found.refused == []


def test_clusters_follow_their_subjects():
    rows = [("a", "X", 1), ("b", "X", 2), ("a", "Y", 1), ("b", "Y", 2), ("c", "X", 1)]
    found = collect(frame(rows, cluster=["p", "q", "p", "q", "q"]))
    assert found.clusters.tolist() == [0, 1]


def test_a_row_without_patient_is_refused():
    found = collect(frame([("a", "X", 1), ("a", "Y", 1), ("b", "X", 1)], cluster=["p", "p", None]))
    assert found.refused == [{"row": 2, "reason": "no patient in the cluster column"}]


def test_too_many_raters_is_the_wrong_column():
    with pytest.raises(InputError, match="holds 1500 different raters"):
        collect(frame([("a", f"R{i}", 1) for i in range(1500)]))


def test_the_frame_is_not_changed():
    table = frame([("a", "X", 1), ("a", "Y", 2)])
    before = table.copy()
    collect(table)
    pd.testing.assert_frame_equal(table, before)
