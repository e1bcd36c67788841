"""Films of one hand or one foot: halves of phantom films of both are scored as the whole, and only where it
is certain which side they show.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain import Abstained, Image, Scored
from core.scores.mtss import MTSS
from data.phantom.hands.films import make_hand_film
from models.mtss.finder.locate import OneLimb
from models.mtss.finder.side_markers import Letter
from models.mtss.one_limb import ROOM_MM, beside_its_mirror, offset, own_places, side_of
from models.mtss.places import Place, Places
from models.mtss.scorer import build

SPACING = 0.3
REGION = {"hands": "hand", "feet": "foot"}
USUAL = {"hands": "pa", "feet": "ap"}
WORDS = {"L": "left", "R": "right"}


@pytest.fixture(scope="module")
def scorer():
    return build(threads=1)


def both(view, subject="SINGLE"):
    drawn = make_hand_film(78, subject, "BL", view, {}, kind="good", spacing=SPACING)
    return drawn, Image(view, drawn.pixels, (SPACING, SPACING), "DX", view=USUAL[view])


def halves(drawn, film):
    """The film cut between its limbs: side -> film, and the columns before it."""
    x = drawn.joints.set_index("unit")["x"]
    left, right = x[x.index.str.startswith("L")].max(), x[x.index.str.startswith("R")].min()
    middle = round((left + right) / 2)
    cut = {"L": (0, film.pixels[:, :middle]), "R": (middle, film.pixels[:, middle:])}
    return {
        side: (replace(film, frames=np.ascontiguousarray(pixels), laterality=side), columns)
        for side, (columns, pixels) in cut.items()
    }


def away_mm(one, other, columns):
    (x, y), (there_x, there_y) = one.box.centre, other.box.centre
    return float(np.hypot(x + columns - there_x, y - there_y)) * SPACING


@pytest.mark.parametrize("view", ["hands", "feet"])
def test_halves_of_a_film_are_scored_as_the_whole(scorer, view):
    drawn, film = both(view)
    whole = {(f.site, f.feature): f for f in scorer.score_one(film).findings}
    joined = {}
    for side, (half, columns) in halves(drawn, film).items():
        found = scorer.score_one(half)
        assert isinstance(found, Scored), found
        assert {f.site[0] for f in found.findings} == {side}
        other = {site for site in found.unscorable if site[0] != side}
        assert other == {s.code for s in MTSS.sites if s.side != side and s.region == REGION[view]}
        told = {found.unscorable[site] for site in other}
        assert told == {f"the film shows the {WORDS[side]} {REGION[view]} only"}
        for f in found.findings:
            joined[f.site, f.feature] = f
            if (f.site, f.feature) in whole:
                assert away_mm(f, whole[f.site, f.feature], columns) < 3.0, f.site
    common = set(joined) & set(whole)
    assert len(common) >= 0.95 * len(whole)
    assert np.mean([joined[key].grade == whole[key].grade for key in common]) > 0.9


def test_a_flipped_half_is_not_scored_for_the_side_that_its_file_states(scorer):
    for half, _ in halves(*both("hands")).values():
        flipped = replace(half, frames=half.frames[..., ::-1].copy())
        assert isinstance(scorer.score_one(flipped), Abstained)


def test_a_wrist_alone_is_abstained_on(scorer):
    drawn, film = both("hands")
    half = halves(drawn, film)["L"][0]
    row = drawn.joints.set_index("unit").loc["LH.MC1"]
    wrist = replace(half, frames=np.ascontiguousarray(half.frames[:, int(row["y"] - 40) :]))
    assert isinstance(scorer.score_one(wrist), Abstained)


BLANK = np.zeros((40, 60), np.uint16)
LETTERS = st.lists(
    st.builds(Letter, st.sampled_from("LR"), st.booleans(), st.floats(0, 60), st.floats(0.8, 1)), max_size=2
)
STATED = st.sampled_from(["", "L", "R", "B", "l", "r", "U"])
VIEWS = st.sampled_from(["", "pa", "ap", "PA", "oblique", "lateral"])


@settings(max_examples=300)
@given(st.sampled_from(["LH", "RH", "LF", "RF"]), LETTERS, STATED, VIEWS)
def test_a_side_is_given_only_where_all_that_speaks_for_one_agrees(looks, letters, stated, view):
    """What the shape says is the answer or there is none; a mirrored marker or another side rules it out."""
    found = side_of(
        OneLimb("one", looks, (0.15, 0.15), 30.0, tuple(letters)),
        Image("f", BLANK, laterality=stated, view=view),
    )
    against = any(one.mirrored or one.letter != looks[0] for one in letters)
    against |= stated == "B"
    against |= stated.upper() in "LR" and stated != "" and stated.upper() != looks[0]
    speaks = (
        bool(letters)
        or stated.upper() in ("L", "R")
        or view.lower() in (("pa",) if looks[1] == "H" else ("pa", "ap"))
    )
    assert found == looks[0] if speaks and not against else isinstance(found, Abstained)


def test_reasons_name_what_contradicts():
    one = OneLimb("one", "RH", (0.15, 0.15), 30.0, (Letter("R", False, 3.0, 0.9),))
    film = Image("f", BLANK, laterality="L")
    assert side_of(one, film).reason == (
        "one hand only, a right one by its side marker, a left one by its file, a right one by its shape: "
        "which side it shows is not certain"
    )
    flipped = replace(one, letters=(Letter("L", True, 3.0, 0.9),))
    assert "reads mirrored" in side_of(flipped, Image("f", BLANK)).reason
    assert "its file says that it shows both" in side_of(one, Image("f", BLANK, laterality="B")).reason
    silent = replace(one, letters=())
    assert "no side marker, laterality or view" in side_of(silent, Image("f", BLANK)).reason


@settings(max_examples=100)
@given(st.sampled_from("LR"), st.integers(20, 200), st.floats(0, 1), st.floats(0.1, 1.0))
def test_a_place_on_the_film_of_two_limbs_is_found_again_on_its_own(side, columns, share, mm):
    """The film lies on its half unchanged, and a column of it is where the offset says."""
    pixels = np.arange(columns, dtype=np.uint16)[None].repeat(4, axis=0) + 1
    film = Image("f", pixels, (mm, mm))
    inner = share * (columns - 1)
    one = OneLimb("one", f"{side}H", (mm, mm), inner)
    two, shift = beside_its_mirror(film, one), offset(film, one)
    at = round(inner)
    assert two.pixels[0, at + shift] == pixels[0, at]
    assert (two.pixels == two.pixels[:, ::-1]).all()
    assert two.pixels.shape[1] <= 2 * columns
    room = ROOM_MM / mm
    other = two.pixels.shape[1] - 1 - (at + shift)
    assert abs(other - (at + shift)) <= 2 * room + 3
    places = Places("hands", {f"{side}H.MCP2": Place(at + shift, 1.0, 0.9), "XX.MCP2": Place(1.0, 1.0, 0.9)})
    own = own_places(places, f"{side}H", shift)
    assert own.units == {f"{side}H.MCP2": Place(at, 1.0, 0.9)} and own.sides == (side,)
