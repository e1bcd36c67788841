"""New lesions between two visits: one count a variant, and who is newly affected."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core import scores
from core.progression.new_lesions import VARIANTS, count_new, newly_affected

(SYNDESMOPHYTE,) = scores.get("msasss").lesions
(EROSION,) = scores.get("mtss").lesions


def counted(rows, lesion):
    """Counts of new lesions by subject, with ``affected_`` + variant; rows: subject, reader, site, grades at
    both visits."""
    frame = pd.DataFrame(rows, columns=["subject", "reader", "site", "before", "after"])
    subjects, readers, sites = (list(pd.unique(frame[name])) for name in ("subject", "reader", "site"))
    grids = np.full((2, len(subjects), len(readers), len(sites)), np.nan)
    for subject, reader, site, *grades in rows:
        grids[:, subjects.index(subject), readers.index(reader), sites.index(site)] = grades
    counts = count_new(subjects, *grids, lesion.grade)
    affected = newly_affected(counts, *grids, lesion.grade)
    return counts.join(affected.add_prefix("affected_")).set_index("subject")


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        ((1, 2), (0, 3), (1, 1, 1)),
        ((1, 2), (1, 1), (0, 0, 1)),
        ((0, 3), (0, 1), (1, 0, 1)),
        ((1, 2), (2, 2), (1, 0, 1)),
        ((2, 3), (2, 3), (0, 0, 0)),
        ((1, 2), (None, 3), (1, 1, 1)),
        ((None, 2), (None, 3), (None, None, None)),
    ],
)
def test_new_syndesmophyte_by_mean_by_all_and_by_any_reader(one, two, expected):
    found = counted([("P1", "R1", "C2I", *one), ("P1", "R2", "C2I", *two)], SYNDESMOPHYTE).loc["P1"]
    values = [found[name] for name in VARIANTS]
    assert [None if np.isnan(value) else value for value in values] == list(expected)


def test_new_erosion_by_each_variant():
    row = counted(
        [
            ("P1", "R1", "LH.E.MCP2", 0, 1),
            ("P1", "R1", "LH.E.MCP3", 1, 2),
            ("P1", "R1", "LH.E.RAD", 0, 0),
            ("P1", "R2", "LH.E.MCP2", 0, 0),
            ("P1", "R2", "LH.E.MCP3", 0, 1),
            ("P1", "R2", "LH.E.RAD", None, 3),
        ],
        EROSION,
    ).loc["P1"]
    assert row["judged"] == 3
    # MCP2: 0, 0 -> 1, 0 (mean 0.5); MCP3: 1, 0 (mean 0.5) -> 2, 1 (mean 1.5), new for R2 alone
    assert [row[name] for name in VARIANTS] == [1, 0, 2]
    assert row[[f"affected_{name}" for name in VARIANTS]].isna().all()  # R1 saw an erosion at baseline


def test_who_had_a_lesion_that_cannot_be_graded_again_is_not_newly_affected():
    row = counted(
        [("P1", "R1", "LH.E.MCP2", 3, None), ("P1", "R1", "LH.E.MCP3", 0, 2)],
        EROSION,
    ).loc["P1"]
    assert row["by_any_reader"] == 1
    assert np.isnan(row["affected_by_any_reader"])


GRADE = st.sampled_from([np.nan, 0.0, 1.0, 2.0, 3.0])
GRIDS = arrays(
    float, st.tuples(st.just(2), st.integers(1, 4), st.integers(1, 3), st.integers(1, 4)), elements=GRADE
)


@given(GRIDS)
def test_variants_are_of_the_same_subjects_and_all_is_never_more_than_any(grids):
    before, after = grids
    counts = count_new([f"P{place}" for place in range(len(before))], before, after, SYNDESMOPHYTE.grade)
    affected = newly_affected(counts, before, after, SYNDESMOPHYTE.grade)
    for frame in (counts, affected):
        assert (frame["by_all_readers"].isna() == frame["by_any_reader"].isna()).all()
        assert not (frame["by_all_readers"] > frame["by_any_reader"]).any()


def test_a_subject_without_a_pair_is_not_judged():
    found = counted([("P1", "R1", "LH.E.MCP2", 0, None), ("P2", "R1", "LH.E.MCP2", 0, 2)], EROSION)
    assert found.loc["P1", "judged"] == 0
    assert found.loc["P1", ["by_mean", "affected_by_mean"]].isna().all()
    assert found.loc["P2", "affected_by_any_reader"] == 1
