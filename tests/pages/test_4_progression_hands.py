"""Progression of hands and feet: definitions of the score, and erosion or narrowing alone."""

import pytest

PAGE = "pages/4_Progression.py"


def words(at, kind):
    return " ".join(element.value for element in getattr(at, kind))


@pytest.fixture
def hands(open_app, hands_file):
    return open_app(PAGE, cohort=hands_file, system="mtss")


def definitions(at):
    return next(one.value for one in at.dataframe if "definition" in one.value).set_index("definition")


def test_definitions_are_those_of_the_score(hands):
    table = definitions(hands)
    assert {">0", ">0.5", ">SDC", "≥5/y", "net progression"} <= set(table.index)
    assert table.loc[">0", "Active"].startswith("2 of 3")
    assert table.loc["≥5/y", "Active"].startswith("1 of 3"), "P4 has +5 in 364 days"
    new = table.loc["newly eroded patient, by all readers"]
    assert new["Active"].startswith("1 of 1"), "P2 alone had no erosion"
    assert new["Placebo"] == "–"


def test_parts_tell_who_progressed_in_which(hands):
    at = hands.button_group(key="progression_section").set_value("Parts of the score").run()
    assert not at.exception
    at = at.selectbox(key="progression_definition").select(">0").run()
    tables = [one.value for one in at.dataframe]
    parts = next(one for one in tables if "part" in one).set_index("part")
    assert list(parts.index) == ["total", "erosion", "joint space narrowing", "hands", "feet"]
    assert parts.loc["erosion", "Active: >0"] == "2 of 3"
    assert parts.loc["joint space narrowing", "Active: >0"] == "1 of 3"
    split = next(one for one in tables if "progressed in" in one).set_index("progressed in")
    assert split.loc["erosion only", ["Active", "Placebo", "all"]].tolist() == ["1 of 3", "2 of 3", "3 of 6"]
    assert split.loc["both", "all"] == "1 of 6"
    assert split.loc["joint space narrowing only", "all"] == "0 of 6"


def test_where_shows_the_sites_of_the_part(hands):
    hands.selectbox(key="component").select("feet")
    at = hands.button_group(key="progression_section").set_value("Where").run()
    assert not at.exception
    assert "SvdH, feet (mean, 95% CI)" in words(at, "markdown")
