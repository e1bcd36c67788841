"""Hand or foot: which builder makes a limb's bones and soft tissue."""

from __future__ import annotations

from collections.abc import Mapping

from data.phantom.hands.body import HandBody
from data.phantom.hands.conditions import LimbConditions
from data.phantom.hands.frame import Skeleton
from data.phantom.hands.skeleton.foot import build_foot, foot_pieces
from data.phantom.hands.skeleton.hand import build_hand
from data.phantom.hands.soft_tissue import hand_pieces
from data.phantom.hands.state import JointState


def shown(c: LimbConditions) -> tuple[str, ...]:
    """The limbs on a film, left first: LH and RH, or LF and RF; fewer where one is missing."""
    if c.kind in ("blank", "chest"):
        return ()
    letter = "F" if c.view == "feet" or c.kind == "foot_as_hand" else "H"
    return tuple(side + letter for side in "LR" if c.missing != f"{side}H")


def build(body: HandBody, limb: str, states: Mapping[str, JointState], c: LimbConditions) -> Skeleton:
    """The bones of a limb as they lie on this film."""
    posture = c.postures[0 if limb.startswith("L") else 1]
    if limb.endswith("F"):
        return build_foot(body, limb, states, posture)
    missing = int(c.missing[2]) if c.missing[:2] == limb and len(c.missing) == 3 else 0
    return build_hand(body, limb, states, posture, missing=missing)


def pieces_of(skeleton: Skeleton, body: HandBody) -> list[tuple[float, ...]]:
    """Soft tissue of a limb, rows of ``kernel.add_flesh`` in its frame."""
    return foot_pieces(skeleton, body) if skeleton.limb.endswith("F") else hand_pieces(skeleton, body)
