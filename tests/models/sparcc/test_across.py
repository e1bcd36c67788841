"""Names of the stacks of one visit together."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain import Abstained, Image
from core.imaging.spine import LEVELS
from models.sparcc.anatomy.across import name_across
from models.sparcc.anatomy.levels import Found, name_bodies
from models.sparcc.anatomy.segment import Segmented, levels_of

PITCH = {level: 18.0 + place * 0.7 for place, level in enumerate(LEVELS)}
HIGH = {level: -sum(list(PITCH.values())[:place]) for place, level in enumerate(LEVELS)}  # mm upwards


@cache
def stack(top, bottom, region="", *, shift=(0.0, 0.0, 0.0), l5="L5", c2="C2", missing="", spacing=1.0):
    """Bodies of one patient from ``top`` to ``bottom`` in a stack of their own, and where it lies.

    shift: of the patient between stacks (x, y, z). l5, c2: the bodies that look like these.
    """
    names = [name for name in LEVELS[LEVELS.index(top) : LEVELS.index(bottom) + 1] if name != missing]
    upper = HIGH[top] + 25
    rows = round((upper - HIGH[bottom] + 25) / spacing)
    labels = np.zeros((3, rows, round(60 / spacing)), np.uint16)
    bodies = []
    for label, name in enumerate(reversed(names), 1):
        down = (upper - HIGH[name]) / spacing
        half = 0.35 * PITCH[name] / spacing
        labels[:, round(down - half) : round(down + half), round(15 / spacing) : round(45 / spacing)] = label
        bodies.append(
            Found(
                label, (-30.0, -down * spacing), 0.7 * PITCH[name], 0.9 if name == l5 else 0.02, 1.0,
                0.9 if name == c2 else 0.02,
            )
        )  # fmt: skip
    image = Image(
        f"{top}-{bottom}", labels.astype(np.float32), (spacing, spacing), "MR", region=region,
        orientation=((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
        positions_mm=tuple((-4.0 * place + shift[0], shift[1], upper + shift[2]) for place in range(3)),
    )  # fmt: skip
    named = name_bodies(bodies, region)
    return image, Segmented(labels, tuple(bodies), named, levels_of(bodies, named), np.zeros(0))


def names(found):
    """From head to foot, of bodies."""
    return [found.levels.get(body.label) for body in sorted(found.bodies, key=lambda one: -one.centre[1])]


def from_to(top, bottom):
    return list(LEVELS[LEVELS.index(top) : LEVELS.index(bottom) + 1])


CERVICAL = stack("C2", "T3", "cervical")
THORACIC = stack("C7", "L1", "thoracic")
LUMBAR = stack("T10", "S1", "lumbar")


def test_a_thoracic_stack_is_named_by_its_neighbours():
    assert isinstance(THORACIC[1].named, Abstained)
    for found in ([CERVICAL, THORACIC, LUMBAR], [THORACIC, LUMBAR], [CERVICAL, THORACIC]):
        named = name_across(found)[[pair[0].region for pair in found].index("thoracic")]
        assert names(named) == from_to("C7", "L1")
        discs = [name for name in named.levels.values() if name not in LEVELS]
        assert {"T1T2", "T12L1"} <= set(discs)


@settings(deadline=None, max_examples=25)
@given(st.permutations([0, 1, 2]), st.floats(-2, 2), st.sampled_from([0.8, 1.0]))
def test_neither_the_order_nor_a_little_movement_nor_the_pixel_size_matters(order, moved, spacing):
    thoracic = stack("C7", "L1", "thoracic", shift=(moved, -moved, moved), spacing=spacing)
    stacks = [CERVICAL, thoracic, LUMBAR]
    right = [from_to("C2", "T3"), from_to("C7", "L1"), from_to("T10", "S1")]
    found = name_across([stacks[place] for place in order])
    assert [names(one) for one in found] == [right[place] for place in order]


def test_stacks_that_share_fewer_than_two_bodies_keep_what_they_have():
    apart = [stack("C2", "T1", "cervical"), stack("T1", "T9", "thoracic"), stack("T12", "S1", "lumbar")]
    found = name_across(apart)
    assert [names(one) for one in found] == [from_to("C2", "T1"), [None] * 9, from_to("T12", "S1")]


def test_a_patient_who_was_moved_is_not_named_across():
    moved = stack("C7", "L1", "thoracic", shift=(0.0, 0.0, 9.0))
    assert names(name_across([CERVICAL, moved, LUMBAR])[1]) == [None] * 14


@pytest.mark.parametrize("looks", ["L4", "S1"])
def test_a_transitional_vertebra_contradicts_the_count_from_c2(looks):
    lumbar = stack("T10", "S1", "lumbar", l5=looks)
    assert names(lumbar[1]) != from_to("T10", "S1")
    for found in name_across([CERVICAL, THORACIC, lumbar]):
        assert found.levels == {}
        assert "their counts differ by 1" in found.named.reason or "more bodies" in found.named.reason


def test_a_body_that_was_not_found_names_nothing_beyond():
    holed = stack("C7", "L1", "thoracic", missing="T6")
    found = name_across([CERVICAL, holed, LUMBAR])
    assert [names(one) for one in found] == [from_to("C2", "T3"), [None] * 13, from_to("T10", "S1")]


def test_a_thoracic_stack_with_a_body_that_looks_like_l5_takes_all_names_away():
    odd = stack("C7", "L1", "thoracic", l5="T12")
    for found in name_across([odd, LUMBAR]):
        assert found.levels == {}
        assert "a body of the thoracic one looks like L5" in found.named.reason


def test_a_whole_spine_without_one_of_its_ends_is_completed_by_its_neighbour():
    whole = stack("C2", "S1", "whole spine", c2="")
    assert whole[1].levels == {}
    found = name_across([whole, CERVICAL])
    assert names(found[0]) == list(LEVELS)


def test_stacks_that_do_not_say_where_they_lie_keep_their_names():
    image, thoracic = THORACIC
    nowhere = replace(image, positions_mm=None), thoracic
    found = name_across([CERVICAL, nowhere, LUMBAR])
    assert [names(one)[0] for one in found] == ["C2", None, "T10"]
    assert name_across([]) == []


def test_two_sequences_of_one_region_name_each_other():
    image, lumbar = stack("T10", "S1", "lumbar", l5="")
    assert lumbar.levels == {}
    found = name_across([LUMBAR, (replace(image, sequence="T1"), lumbar)])
    assert names(found[1]) == from_to("T10", "S1")
