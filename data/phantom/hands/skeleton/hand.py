"""The skeleton of one hand in a given state and posture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from data.phantom.hands.body import HandBody, Look, joint_look
from data.phantom.hands.frame import Joint, Placed, Skeleton, axes_of
from data.phantom.hands.skeleton.anatomy import FINGERS, GAPS, GIRTH, LENGTHS, METACARPALS
from data.phantom.hands.skeleton.bones import Bone, make_bone
from data.phantom.hands.skeleton.joints import articulate, erosion_bites, side_bites
from data.phantom.hands.skeleton.wrist import add_wrist, ring
from data.phantom.hands.state import ANKYLOSIS, HEALTHY, LUXATION, SUBLUXATION, JointState

REFERENCE = 78.0  # mm from the wrist's middle to the third MCP joint in a hand of size 1
BOXES = {"MCP": (0.262, 0.315), "PIP": (0.218, 0.262), "IP1": (0.222, 0.262), "DIP": (0.198, 0.238)}
PHALANGES = ("MC", "PP", "MP", "DP")


@dataclass(frozen=True)
class Posture:
    """How a hand lies. fan: how far fingers are spread, 0 to 1. wrist: degrees to the ulnar side.
    curl: degrees by which fingers are bent. thumb: degrees of abduction and of roll."""

    fan: float = 0.3
    wrist: float = 0.0
    curl: float = 2.0
    thumb: float = 6.0
    thumb_roll: float = 48.0
    draw: int = 0


def build_hand(
    body: HandBody, limb: str, states: Mapping[str, JointState], posture: Posture, *, missing: int = 0
) -> Skeleton:
    """Long bones, carpals and joints of ``limb`` (RH or LH). missing: finger that was lost, 0 for none."""
    skeleton = Skeleton(limb)
    bones_rng = np.random.default_rng([body.seed, 5])
    pose_rng = np.random.default_rng([posture.draw, 3])
    add_wrist(skeleton, body, states, posture.wrist)
    drift = _drift(body, limb, states)
    for finger in FINGERS:
        rng = np.random.default_rng(bones_rng.integers(2**32))
        _add_finger(skeleton, body, finger, states, posture, drift, rng, pose_rng, finger == missing)
    _sesamoids(skeleton, body, np.random.default_rng([body.seed, 13]))
    return skeleton


def _drift(body: HandBody, limb: str, states: Mapping[str, JointState]) -> float:
    """Ulnar deviation of the fingers in degrees, from what is left of the MCP joints."""
    damage: list[float] = []
    for finger in FINGERS[1:]:
        state = states.get(f"{limb}.MCP{finger}", HEALTHY)
        damage.append(state.jsn / 4 + {SUBLUXATION: 0.7, LUXATION: 1.2}.get(state.finding, 0.0))
    return float(min(38.0, 30.0 * body.drift * float(np.mean(damage))))


def finger_bones(
    body: HandBody, limb: str, finger: int, states: Mapping[str, JointState], rng: np.random.Generator
) -> list[Bone]:
    """The bones of a finger from metacarpal to tip, with spurs and loss of bone beside inflamed joints."""
    made = []
    own = rng.normal(1.0, 0.018, 5)
    side = np.random.default_rng(rng.integers(2**32) + (limb[0] == "L")).normal(1.0, 0.006, 4)
    for i, part in enumerate(PHALANGES):
        length = LENGTHS[finger][i]
        if not length:
            continue
        kind = f"{part}1" if finger == 1 and part in ("MC", "DP") else part
        thin = _thin(limb, finger, part, states)
        spur = _spurs(body, limb, finger, part)
        made.append(
            make_bone(
                f"{part}{finger}", kind, length * body.size * own[i] * own[4] * side[i],
                body.girth * GIRTH[finger], np.random.default_rng(rng.integers(2**32)),
                mineral=body.mineral, thin_ends=thin, spur=spur,
            )
        )  # fmt: skip
    return made


def _thin(limb: str, finger: int, part: str, states: Mapping[str, JointState]) -> float:
    sites = {
        "MC": (f"MCP{finger}",),
        "PP": (f"MCP{finger}", "IP1" if finger == 1 else f"PIP{finger}"),
        "MP": (f"PIP{finger}",),
        "DP": ("IP1",) if finger == 1 else (),
    }[part]
    worst = [states.get(f"{limb}.{site}", HEALTHY) for site in sites]
    return float(min(0.85, max([0.0, *(0.16 * max(s.erosion, s.jsn) for s in worst)])))


def _spurs(body: HandBody, limb: str, finger: int, part: str) -> tuple[float, float]:
    """Osteophytes at base and head in mm: distal joints first, then proximal ones and the thumb's base."""
    distal = _oa(body, limb, f"DIP{finger}" if finger > 1 else "IP1", 0.38)
    middle = _oa(body, limb, f"PIP{finger}", 0.62)
    thumb = _oa(body, limb, "MC1", 0.42) if finger == 1 else 0.0
    return {"MC": (thumb, 0.0), "PP": (0.0, distal if finger == 1 else middle),
            "MP": (middle, distal), "DP": (distal, 0.0)}[part]  # fmt: skip


def _oa(body: HandBody, limb: str, name: str, threshold: float) -> float:
    liability = joint_look(body, f"{limb}.{name}").oa
    return float(np.clip((liability - threshold) * 3.2, 0, 1.6))


def _directions(finger: int, posture: Posture) -> tuple[float, float]:
    """Angles of metacarpal and fingers before disease, degrees clockwise from -y."""
    fan = posture.fan
    straight = {1: -25.0 - 8 * fan, 2: -4.0 - 9 * fan, 3: 0.0, 4: 4.0 + 13 * fan, 5: 8.0 + 34 * fan}[finger]
    metacarpal = METACARPALS[finger][1] + {1: -1.2 * posture.thumb, 5: 5 * fan}.get(finger, 0.0)
    return metacarpal, straight - (posture.thumb if finger == 1 else 0.0)


def _add_finger(
    skeleton: Skeleton, body: HandBody, finger: int, states: Mapping[str, JointState], posture: Posture,
    drift: float, rng: np.random.Generator, pose_rng: np.random.Generator, is_lost: bool,
) -> None:  # fmt: skip
    limb = skeleton.limb
    bones = finger_bones(body, limb, finger, states, rng)
    jitter = pose_rng.normal(0, 1, (4, 2))
    carpal, straight = _directions(finger, posture)
    roll = (posture.thumb_roll if finger == 1 else {2: 7, 3: 1, 4: -4, 5: -12}[finger]) + 3 * jitter[0, 0]
    base = np.array([*METACARPALS[finger][0], 0.0]) * body.size
    narrowed = _carpal_shift(limb, finger, states, body)
    axes = axes_of(carpal + 0.7 * jitter[0, 1], 3.0 + 1.5 * jitter[1, 0], roll)
    chain = [Placed(bones[0], base - axes[0] * narrowed, axes)]
    angle, tilt = straight, 1.5 * jitter[1, 1]
    lost_from = 1 if is_lost else 9
    for i, bone in enumerate(bones[1:]):
        name = _joint_name(finger, i)
        unit = f"{limb}.{name}"
        state, look = states.get(unit, HEALTHY), joint_look(body, unit)
        if i == 0 and finger > 1:
            angle += drift + (14.0 * (0.4 + state.degree) if state.finding in (SUBLUXATION, LUXATION) else 0)
        angle += _deformity(state, look, 0.5 if i == 0 else 1.0) + 1.2 * jitter[2, 0] * (i > 0)
        tilt += posture.curl * (0.4 + 0.5 * i) + look.flex * (min(state.jsn, 4) / 4) * 3.0 + jitter[3, 1]
        if state.finding == ANKYLOSIS:
            tilt = 0.6 * tilt
        if i >= lost_from:
            break
        gap = _gap(body, unit, name, finger)
        placed, middle, left = articulate(chain[-1], bone, state, look, gap, angle, tilt, roll)
        chain.append(placed)
        skeleton.joints.append(_joint(body, unit, name, middle, chain[-2:], left))
        _damage(chain, state, look, name)
        if state.finding == ANKYLOSIS:
            skeleton.fused.append((chain[-2].bone.name, chain[-1].bone.name))
    for placed in chain:
        skeleton.long[placed.bone.name] = placed
    _base_of_thumb(skeleton, body, finger, states)


def _damage(chain: list[Placed], state: JointState, look: Look, name: str) -> None:
    """Put the bites of the joint between the last two bones of the chain into them."""
    if name.startswith("DIP") or state.finding == ANKYLOSIS:
        return
    near, far = erosion_bites(chain[-2].bone, chain[-1].bone, state.erosion, look)
    chain[-2] = Placed(chain[-2].bone.with_bites(near), chain[-2].origin, chain[-2].axes)
    chain[-1] = Placed(chain[-1].bone.with_bites(far), chain[-1].origin, chain[-1].axes)


def _sesamoids(skeleton: Skeleton, body: HandBody, rng: np.random.Generator) -> None:
    """Two beside the head of the first metacarpal, often more at the thumb's IP, second and fifth MCP."""
    size = body.size * rng.uniform(0.85, 1.15)
    places = [("MC1", 0.93, 0.62, 2.6), ("MC1", 0.96, 1.18, 2.3)]
    for odds, place in (
        (0.5, ("PP1", 0.98, 0.2, 1.7)),
        (0.45, ("MC2", 0.93, -0.85, 1.8)),
        (0.5, ("MC5", 0.93, 0.85, 1.7)),
    ):
        if rng.random() < odds:
            places.append(place)
    for i, (name, along, across, radius) in enumerate(places):
        placed = skeleton.long[name]
        at = placed.tip[:2] - placed.axes[0, :2] * (1 - along) * placed.bone.length
        out = placed.axes[1, :2] / max(float(np.hypot(*placed.axes[1, :2])), 0.3) * placed.bone.head_width
        skeleton.flat[f"sesamoid_{i}"] = ring(at + across * out, np.array([1.0, 1.15]) * radius * size, rng)


def _base_of_thumb(skeleton: Skeleton, body: HandBody, finger: int, states) -> None:
    if finger != 1:
        return
    unit = f"{skeleton.limb}.MC1"
    placed = skeleton.long["MC1"]
    bites = side_bites(placed.bone, states.get(unit, HEALTHY).erosion, joint_look(body, unit), at_head=False)
    skeleton.long["MC1"] = Placed(placed.bone.with_bites(bites), placed.origin, placed.axes)
    side = 15.5 * body.size
    skeleton.joints.append(Joint(unit, placed.point(2.0), (side, side), ("MC1",), np.nan))


def _joint_name(finger: int, i: int) -> str:
    if i == 0:
        return f"MCP{finger}"
    if finger == 1:
        return "IP1"
    return f"PIP{finger}" if i == 1 else f"DIP{finger}"


def _joint(
    body: HandBody, unit: str, name: str, middle: np.ndarray, pair: list[Placed], left: float
) -> Joint:
    width, height = BOXES["IP1" if name == "IP1" else name[:3]]
    finger = GIRTH[int(name[-1])] ** 0.7
    size = REFERENCE * body.size * finger
    bones = (pair[0].bone.name, pair[1].bone.name)
    return Joint(
        unit, middle, (width * size, height * size), bones, left, not name.startswith("DIP"), pair[1].axes[0]
    )


def _gap(body: HandBody, unit: str, name: str, finger: int) -> float:
    healthy = GAPS["IP1" if name == "IP1" else name[:3]] * body.space * body.size * GIRTH[finger] ** 0.5
    liability = _oa(body, unit[:2], name, 0.38 if name.startswith("DIP") else 0.62)
    return healthy * (1 - (0.5 if name.startswith("DIP") else 0.06) * min(liability, 1.0))


def _deformity(state: JointState, look: Look, share: float) -> float:
    """Degrees to a side that a damaged joint gives way."""
    return share * look.bend * min(1.0, 0.25 * max(state.jsn, state.erosion - 1.0))


def _carpal_shift(limb: str, finger: int, states: Mapping[str, JointState], body: HandBody) -> float:
    """How far a metacarpal has sunk into the carpus by narrowing of its joint, mm."""
    from data.phantom.hands.state import space_share

    state = states.get(f"{limb}.CMC{finger}", HEALTHY)
    share = 0.1 if state.finding == ANKYLOSIS else space_share(state.jsn)
    return (1 - share) * GAPS["CMC"] * body.space if finger in (3, 4, 5) else 0.0
