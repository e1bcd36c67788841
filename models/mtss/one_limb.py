"""A film of one hand or one foot, scored for its own side.

The networks know films of both limbs, the left one on the left. So a single limb is laid beside its own
mirror image, which is found and judged as any film, and only what lies on the film itself is kept. Which side
it is must be certain: side marker, the file's laterality and the shape of the limb in its usual view have to
agree.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.domain import Abstained, Image
from models.mtss.detectors.ensemble import Joints
from models.mtss.finder.locate import WORDS, OneLimb
from models.mtss.finder.side_markers import side_by_letters
from models.mtss.places import Places

USUAL_VIEWS = {"H": ("pa",), "F": ("ap", "pa")}  # in which the shape of a limb tells its side
ROOM_MM = 35.0  # between a limb's innermost site and the mirror image
BOTH = "B"
NOUNS = {"H": "hand", "F": "foot"}


def side_of(one: OneLimb, film: Image) -> str | Abstained:
    """``L`` or ``R``, or why that is not certain."""
    looks, noun = one.looks[0], NOUNS[one.looks[1]]
    letter = side_by_letters(one.letters)
    if isinstance(letter, Abstained):
        return Abstained(f"one {noun} only; {letter.reason}")
    if film.laterality.upper() == BOTH:
        return Abstained(
            f"one {noun} only, by its shape a {WORDS[looks]} one; its file says that it shows both"
        )
    stated = film.laterality.upper() if film.laterality.upper() in WORDS else ""
    by = {"side marker": letter, "file": stated, "shape": looks}
    said = {source: side for source, side in by.items() if side}
    if len(set(said.values())) > 1:
        told = ", ".join(f"a {WORDS[side]} one by its {source}" for source, side in said.items())
        return Abstained(f"one {noun} only, {told}: which side it shows is not certain")
    if not letter and not stated and film.view.lower() not in USUAL_VIEWS[one.looks[1]]:
        return Abstained(
            f"one {noun} only, and no side marker, laterality or view in its file says which; by its shape a "
            f"{WORDS[looks]} one"
        )
    return looks


def beside_its_mirror(film: Image, one: OneLimb) -> Image:
    """A film of two limbs: this one, and its mirror image where the other one would be, no farther away than
    limbs lie on a film of both."""
    first, last = kept(film, one)
    own = film.pixels[:, first:last]
    parts = [own, own[:, ::-1]] if one.looks[0] == "L" else [own[:, ::-1], own]
    return replace(film, frames=np.concatenate(parts, axis=1), spacing_mm=one.mm)


def kept(film: Image, one: OneLimb) -> tuple[int, int]:
    """First column and the one after the last of what is laid beside its mirror image."""
    columns, room = film.pixels.shape[1], ROOM_MM / one.mm[1]
    if one.looks[0] == "L":
        return 0, min(columns, round(one.inner + room))
    return max(0, round(one.inner - room)), columns


def offset(film: Image, one: OneLimb) -> int:
    """Columns by which the film of two limbs shows a site farther to the right than the film itself."""
    first, last = kept(film, one)
    return 0 if one.looks[0] == "L" else last - 2 * first


def own_places(both: Places, limb: str, columns: int) -> Places:
    """What of both limbs (``LH`` and its mirror image) lies on the film itself, in its pixels."""
    return replace(
        both,
        units={
            unit: replace(place, x=place.x - columns)
            for unit, place in both.units.items()
            if unit[:2] == limb
        },
        missing={unit: reason for unit, reason in both.missing.items() if unit[:2] == limb},
        sides=(limb[0],),
    )


def own_joints(joints: Joints, columns: int) -> Joints:
    """The same boxes in pixels of the film itself; those of the mirror image lie off it."""
    return replace(joints, boxes=joints.boxes - np.array([columns, 0, columns, 0]))
