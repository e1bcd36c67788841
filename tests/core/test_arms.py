"""One reference arm: named, else by its name, else the first in natural order; all differences against it."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.arms import arms_in_order, pairs_of_arms, reference_arm
from core.errors import InputError
from core.progression.analysis import progression
from core.progression.missing.sensitivity import SensitivityOptions, sensitivity
from core.progression.mmrm.model import Options, mmrm
from core.progression.regression.fit import fit_model
from core.progression.totals_table import collect


@pytest.mark.parametrize(
    ("arms", "reference"),
    [
        (("B", "A"), "A"),
        (("Drug 10 mg", "Drug 2 mg"), "Drug 2 mg"),
        (("Active", "Placebo"), "Placebo"),
        (("Abatacept", "PBO", "Control"), "PBO"),
        (("ADA + MTX", "Standard of care"), "Standard of care"),
        (("Secukinumab", "Active comparator", "Xeljanz"), "Active comparator"),
        (("ADA + placebo", "Placebo"), "Placebo"),
        (("Controlled release", "Aspirin"), "Aspirin"),
        (("2", "10"), "2"),
        ((), None),
    ],
)
def test_the_reference_arm_by_name(arms, reference):
    for order in permutations(arms):
        assert reference_arm(order) == reference


def test_a_named_arm_is_the_reference_and_must_be_there():
    assert arms_in_order(["A", "B", "C"], "C") == ["C", "A", "B"]
    with pytest.raises(InputError, match="the arms are A, B"):
        reference_arm(["B", "A"], "C")


def test_pairs_begin_with_every_arm_against_the_reference():
    assert pairs_of_arms(["P", "A", "B"]) == [("A", "P"), ("B", "P"), ("B", "A")]


def study(arms, seed):
    """24 subjects, two readers, three visits; arms in turn."""
    rng = np.random.default_rng(seed)
    rows = [
        (f"P{s:02}", arms[s % len(arms)], f"R{r}", day, 5 + s % 3 + day / 364 * (s % 4) + rng.integers(0, 2))
        for s in range(24)
        for r in range(2)
        for day in (0, 364, 728)
    ]
    return pd.DataFrame(rows, columns=["subject", "arm", "reader", "days", "total"])


def differences(frame, reference=None):
    """(arm, the arm it is compared with) under every key of one result, panels and models included."""
    readings = collect(frame, reference=reference)
    found = progression(readings)
    said = [(row["a"], row["b"]) for key in found for row in _rows(found[key]) if "a" in row and "b" in row]
    panel = sensitivity({"rule": frame}, SensitivityOptions(reference=reference, imputations=2))
    gaps = panel.loc[panel["kind"] == "difference", "group"]
    terms = [term.term.partition(",")[0] for term in fit_model(readings, "compare").terms]
    said += [tuple(text.split(" minus ")) for text in [*gaps, *terms]]
    table = frame.groupby(["subject", "arm", "days"], as_index=False)["total"].mean()
    table["visit"] = "D" + table["days"].astype(str)
    mixed = mmrm(table, "total ~ arm * visit", "subject", "visit", Options("cs", reference=reference))
    said += [(row["a"], row["b"]) for row in mixed["contrasts"]]
    return set(said), found["reference_arm"], mixed["reference_arm"]


def _rows(value):
    if isinstance(value, dict):
        return [row for part in value.values() for row in _rows(part)]
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


@settings(max_examples=6, deadline=None)
@given(st.sampled_from(["AB", "BA"]), st.integers(0, 1000), st.booleans())
def test_every_difference_of_a_result_is_an_arm_minus_the_reference(arms, seed, shuffled):
    frame = study(arms, seed)
    if shuffled:
        frame = frame.sample(frac=1, random_state=seed)
    assert differences(frame) == ({("B", "A")}, "A", "A")
    assert differences(frame, "B") == ({("A", "B")}, "B", "B")


def test_a_placebo_is_the_reference_wherever_it_stands():
    assert differences(study(["Active", "Placebo"], 1)) == ({("Active", "Placebo")}, "Placebo", "Placebo")


def test_a_reference_without_an_arm_to_compare_is_an_error():
    table = study("AB", 1).drop_duplicates(["subject", "days"]).astype({"days": str})
    with pytest.raises(InputError, match="--arm"):
        mmrm(table, "total ~ days", "subject", "days", Options("cs", reference="A"))
