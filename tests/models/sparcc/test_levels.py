"""Names of bodies, counted from L5 and from C2, and why none are given."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain import Abstained
from core.imaging.spine import LEVELS
from models.sparcc.anatomy.levels import Found, evidence, name_bodies


def column(top, bottom, *, sure=0.95, pitch=34.0, height=26.0):
    """Bodies from one level to another, in a bow; those of L5 and C2 are told apart with ``sure``."""
    names = LEVELS[LEVELS.index(top) : LEVELS.index(bottom) + 1]
    return [
        Found(
            label,
            (0.02 * (place - 4) ** 2, -pitch * place),
            height,
            sure if name == "L5" else 0.02,
            1.0,
            sure if name == "C2" else 0.02,
        )
        for place, (label, name) in enumerate(zip(range(len(names), 0, -1), names, strict=True))
    ]


def levels_of(bodies, region=""):
    named = name_bodies(bodies, region)
    return [named.levels[body.label] for body in bodies]


@pytest.mark.parametrize(
    ("top", "bottom"),
    [("L4", "L5"), ("T11", "S1"), ("L1", "L5"), ("C2", "S1"), ("C2", "C3"), ("C2", "T4"), ("C2", "L5")],
)
def test_names_are_counted_from_l5_and_from_c2(top, bottom):
    names = LEVELS[LEVELS.index(top) : LEVELS.index(bottom) + 1]
    assert levels_of(column(top, bottom)) == list(names)


@given(st.randoms(use_true_random=False), st.sampled_from(LEVELS[8:-3]), st.sampled_from(("L5", "S1")))
def test_the_order_of_the_bodies_does_not_matter(order, top, bottom):
    bodies = column(top, bottom)
    right = {body.label: name for body, name in zip(bodies, levels_of(bodies), strict=True)}
    order.shuffle(bodies)
    assert name_bodies(bodies).levels == right


def test_names_are_as_sure_as_l5_is_told_from_the_others():
    bodies = column("L1", "S1", sure=0.9)
    assert name_bodies(bodies).confidence == pytest.approx(0.9 * 0.98)


def changed(bodies, place, **values):
    return [replace(body, **values) if at == place else body for at, body in enumerate(bodies)]


def shortened(bodies):
    """A spine of one body less, with no gap."""
    bodies = [replace(body, label=place + 1) for place, body in enumerate(bodies[:10] + bodies[11:])]
    return [replace(body, centre=(0.0, -34.0 * place)) for place, body in enumerate(bodies)]


BODIES = column("T11", "S1")


@pytest.mark.parametrize(
    ("bodies", "reason"),
    [
        (BODIES[:1], "1 vertebral bodies were found, names need at least 2"),
        (column("T11", "L4"), "no vertebral body is L5 for sure (0.02), so none has a name"),
        (column("T11", "S1", sure=0.4), "no vertebral body is L5 for sure (0.39), so none has a name"),
        (changed(BODIES, 7, anchor=0.8), "no vertebral body is L5 for sure (0.19), so none has a name"),
        (BODIES[:3] + BODIES[4:], "68 mm between two neighbouring bodies: one seems not to have been found"),
        (
            changed(BODIES[:7], 6, disc_below=0.3),
            "nothing lies below the body that looks like L5, so it may be the sacrum",
        ),
        (changed(BODIES, 2, height=60.0), "a body 60 mm high: two seem to run together"),
        (
            [*BODIES, Found(99, (0.5, -34.0 * 8), 24.0, 0.0)],
            "2 bodies below L5, where S1 alone is scored: the count does not add up",
        ),
        (
            [*column("C2", "S1"), Found(99, (10.0, 34.0), 20.0, 0.0)],
            "23 bodies above L5, a spine has 22 there up to C2",
        ),
        (
            [*column("C2", "T3"), Found(99, (10.0, 34.0), 20.0, 0.0)],
            "1 bodies above C2, which is the uppermost with a disc below",
        ),
        (
            changed(column("C2", "S1"), 0, first=0.1),
            "24 bodies, but none is C2 for sure: a whole spine needs both ends",
        ),
        (
            changed(column("C2", "S1"), 22, anchor=0.1),
            "24 bodies, but none is L5 for sure: a whole spine needs both ends",
        ),
        (
            shortened(column("C2", "S1")),
            "the counts from C2 and from L5 differ by 1",
        ),
    ],
)
def test_no_body_is_named_where_the_count_does_not_add_up(bodies, reason):
    assert name_bodies(bodies) == Abstained(reason)


@pytest.mark.parametrize("region", ["cervical", "thoracic"])
def test_a_cervical_or_thoracic_stack_gets_no_lumbar_names(region):
    assert isinstance(name_bodies(BODIES, region), Abstained)
    assert levels_of(BODIES, "lumbar")[-1] == "S1"


@pytest.mark.parametrize("region", ["lumbar", "thoracic"])
def test_a_lumbar_or_thoracic_stack_gets_no_cervical_names(region):
    bodies = column("C2", "T3")
    assert isinstance(name_bodies(bodies, region), Abstained)
    assert levels_of(bodies, "cervical")[0] == "C2"


def test_a_thoracic_stack_alone_has_no_names():
    for region in ("", "thoracic"):
        assert isinstance(name_bodies(column("T2", "T12"), region), Abstained)


def test_a_whole_spine_is_counted_from_both_ends():
    bodies = column("C2", "S1")
    assert levels_of(bodies, "whole spine") == list(LEVELS)
    for short in (column("C2", "T10"), column("T5", "S1")):
        assert isinstance(name_bodies(short, "whole spine"), Abstained)


def test_what_tells_bodies_apart_is_said_for_each_anchor():
    assert evidence(column("C2", "S1")) == {"C2": 0, "L5": 0}
    assert evidence(column("T11", "S1")) == {"L5": LEVELS.index("T11")}
    assert evidence(column("T2", "T12")) == {}
    assert evidence(changed(BODIES[:7], 6, disc_below=0.3)) == {}
    assert evidence(shortened(column("C2", "S1"))) == {"C2": 0, "L5": 1}


def test_bodies_that_grow_down_the_spine_leave_no_gap():
    names = LEVELS[: LEVELS.index("L5") + 1]
    up, bodies = 0.0, []
    for place, name in enumerate(names):
        pitch = 15 + 1.1 * place
        lowest, first = (0.9 if name == anchor else 0.01 for anchor in ("L5", "C2"))
        bodies.append(Found(place + 1, (0.0, up), 0.75 * pitch, lowest, 0.8, first))
        up -= pitch
    assert levels_of(bodies) == list(names)
