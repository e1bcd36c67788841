"""A chance of change stands beside the grades, and where it does not go with them that is said."""

import pytest

from core.patient.chance import beside_grades, goes_with

SAID = "Model: 55% chance of change at LF.E.MTP5"


@pytest.mark.parametrize(
    ("chance", "own", "goes"),
    [
        (0.55, (0, 4), False),
        (0.95, (0, 4), True),
        (0.55, (1, 1), False),
        (0.3, (1, 1), True),
        (0.3, None, True),
    ],
)  # fmt: skip
def test_a_chance_goes_with_the_models_own_grades_or_not(chance, own, goes):
    assert goes_with(chance, own) is goes
    assert ("do not go together" in beside_grades(SAID, chance, own, {})) is not goes


def test_grades_of_every_reading_stand_beside_the_chance():
    text = beside_grades(SAID, 0.55, (0, 4), {"R1": (0, 4), "R_2": (0, 3)})
    assert text.startswith(f"{SAID}; its own grades 0 → 4, R1 0 → 4, R\\_2 0 → 3.")
    assert "every reading sees the change" in text
    assert "the grades are what counts" in beside_grades(SAID, 0.55, (0, 4), {"R1": (0, 0)})
    assert beside_grades(SAID, 0.95, (0, 4), {"R1": (0, 4)}).endswith("R1 0 → 4.")


def test_without_own_grades_the_chance_stands_alone():
    assert beside_grades(SAID, 0.55, None, {"R1": (0, 4)}) == f"{SAID}."
