"""Site scores of a visit from stacks: units whole, reasons of their own stack, abstentions by region."""

import pandas as pd

from core.scores.sparcc import ITEMS, REGIONS, SLICES
from data.scoring.stack_scores import NOT_SHOWN, stack_scores

SITES = [f"{cut}.{item}" for cut in SLICES for item in ITEMS]


def found(*rows):
    frame = pd.DataFrame(rows, columns=["image", "body_part", "region", "site", "grade", "abstained"])
    return frame.assign(feature="oedema")


def unit(stack, name, grade, sites=SITES):
    return [(f"{stack}:{site[:2]}", "", None, f"{name}.{site}", grade, None) for site in sites]


def slices(*stacks):
    return {f"{stack}:{cut}": stack for stack in stacks for cut in SLICES}


def by_unit(rows):
    frame = pd.DataFrame(rows)
    return frame.assign(unit=frame["site"].str.split(".").str[0], stack=frame["image"].str.split(":").str[0])


def test_a_unit_is_taken_from_one_stack_the_one_that_shows_more_of_it():
    both = [*unit("a", "L1L2", 0, SITES[:10]), *unit("b", "L1L2", 1), *unit("a", "L2L3", 0)]
    rows = by_unit(stack_scores(found(*both), "sparcc", {}, slices("a", "b")))
    graded = rows[rows["grade"].notna()]
    assert graded.groupby("unit")["stack"].unique().map(list).to_dict() == {"L1L2": ["b"], "L2L3": ["a"]}
    assert set(rows["unit"]) == set(REGIONS["lumbar"])
    assert set(rows.loc[rows["unit"] == "L5S1", "reason"]) == {NOT_SHOWN}


def test_of_equals_the_stack_with_more_units_and_never_some_sites_of_the_other():
    both = [*unit("b", "L1L2", 1), *unit("a", "L1L2", 0), *unit("b", "L3L4", 1), *unit("b", "L2L3", 1)]
    rows = by_unit(stack_scores(found(*both), "sparcc", {}, slices("a", "b")))
    assert rows.loc[rows["unit"] == "L1L2", "stack"].tolist() == ["b"] * 18


def test_a_reason_is_that_of_the_stack_from_which_the_unit_is_taken():
    some = [*unit("b", "L1L2", 1, SITES[1:]), *unit("a", "L1L2", 0, SITES[5:])]
    why = {("a:s2", f"L1L2.{SITES[0]}"): "wrong", ("b:s2", f"L1L2.{SITES[0]}"): "no CSF shows"}
    rows = by_unit(stack_scores(found(*some), "sparcc", why, slices("a", "b")))
    row = rows[rows["site"] == f"L1L2.{SITES[0]}"].iloc[0]
    assert pd.isna(row["grade"])
    assert (row["reason"], row["image"]) == ("no CSF shows", "b:s2")
    assert rows["site"].is_unique


def test_a_unit_that_is_only_unscorable_has_its_reason_in_a_region_that_nothing_shows():
    why = {("a:s2", f"C7T1.{site}"): "T1 is cut off by the field of view" for site in SITES}
    rows = by_unit(stack_scores(found(*unit("a", "T1T2", 1)), "sparcc", why, slices("a")))
    neck = rows[rows["unit"].isin(REGIONS["cervical"])]
    assert set(neck["unit"]) == {"C7T1"}
    assert set(neck["reason"]) == {"T1 is cut off by the field of view"}


def abstained(image, part, region, reason="is axial, not sagittal"):
    return (image, part, region, None, None, reason)


def test_an_abstention_is_told_of_the_regions_that_its_stack_names_and_no_stack_shows():
    rows = [*unit("a", "L1L2", 0), abstained("n:s2", "cervical spine", None), abstained("k:s2", "knee", None)]
    scored = by_unit(stack_scores(found(*rows), "sparcc", {}, slices("a", "n", "k")))
    assert set(scored["unit"]) == {*REGIONS["lumbar"], *REGIONS["cervical"]}
    neck = scored[scored["unit"].isin(REGIONS["cervical"])]
    assert set(neck["reason"]) == {"the model abstained: is axial, not sagittal"}


def test_an_abstention_on_the_whole_spine_is_told_of_all_regions():
    rows = found(abstained("w:s2", "", "whole spine"))
    assert len(stack_scores(rows, "sparcc", {}, slices("w"))) == 23 * 18


def test_an_abstention_on_something_else_says_nothing():
    assert stack_scores(found(abstained("k:s2", "knee", None)), "sparcc", {}, slices("k")) == []
