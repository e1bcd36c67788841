"""The skeleton and soft tissue of one forefoot in a given state."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from data.phantom.hands.body import HandBody, joint_look
from data.phantom.hands.frame import Joint, Placed, Skeleton, axes_of
from data.phantom.hands.skeleton import foot_anatomy as anatomy
from data.phantom.hands.skeleton.anatomy import GAPS
from data.phantom.hands.skeleton.bones import Bone, make_bone
from data.phantom.hands.skeleton.hand import Posture
from data.phantom.hands.skeleton.joints import articulate, side_bites
from data.phantom.hands.skeleton.wrist import grown, ring, vary
from data.phantom.hands.state import ANKYLOSIS, HEALTHY, LUXATION, SUBLUXATION, JointState
from data.phantom.spine.canvas import smooth

PARTS = ("MT", "TP", "TM", "TD")


def build_foot(body: HandBody, limb: str, states: Mapping[str, JointState], posture: Posture) -> Skeleton:
    """Metatarsals, toes, tarsus and joints of ``limb`` (RF or LF)."""
    skeleton = Skeleton(limb)
    bones_rng = np.random.default_rng([body.seed, 35])
    pose_rng = np.random.default_rng([posture.draw, 33])
    _add_tarsus(skeleton, body)
    for toe in anatomy.TOES:
        rng = np.random.default_rng(bones_rng.integers(2**32))
        _add_toe(skeleton, body, toe, states, posture, rng, pose_rng)
    _add_sesamoids(skeleton, body)
    return skeleton


def _add_tarsus(skeleton: Skeleton, body: HandBody) -> None:
    rng = np.random.default_rng([body.seed, 39])
    for name in anatomy.TARSALS:
        points = vary(smooth(anatomy.outline(name), each=6), rng, 0.6)
        skeleton.flat[name] = grown(points * body.size, 0.4)


def _toe_bones(body: HandBody, limb: str, toe: int, states, rng: np.random.Generator) -> list[Bone]:
    own = rng.normal(1.0, 0.02, 5)
    made = []
    for i, part in enumerate(PARTS):
        length = anatomy.LENGTHS[toe][i]
        if not length:
            continue
        kind = f"{part}1" if toe == 1 else part
        site = f"{limb}.MTP{toe}" if part in ("MT", "TP") else f"{limb}.IP1"
        state = states.get(site, HEALTHY) if part in ("MT", "TP") or toe == 1 else HEALTHY
        thin = min(0.85, 0.16 * max(state.erosion, state.distal_erosion, state.jsn))
        spur = np.clip((joint_look(body, f"{limb}.MTP1").oa - 0.4) * 4.0, 0, 2.2) if toe == 1 else 0.0
        made.append(
            make_bone(
                f"{part}{toe}", kind, length * body.size * own[i] * own[4], body.girth * anatomy.GIRTH[toe],
                np.random.default_rng(rng.integers(2**32)), mineral=body.mineral, thin_ends=thin,
                spur=(float(spur) * (part == "TP"), float(spur) * (part == "MT")),
            )
        )  # fmt: skip
    return made


def _add_toe(
    skeleton: Skeleton, body: HandBody, toe: int, states: Mapping[str, JointState], posture: Posture,
    rng: np.random.Generator, pose_rng: np.random.Generator,
) -> None:  # fmt: skip
    limb = skeleton.limb
    bones = _toe_bones(body, limb, toe, states, rng)
    jitter = pose_rng.normal(0, 1, 6)
    base, direction, straight, tilt = anatomy.METATARSALS[toe]
    valgus = body.hallux * (0.35 if toe == 1 else 0.0)
    roll = (12.0 if toe == 1 else -4.0 * (toe - 3)) + 2 * jitter[0]
    axes = axes_of(direction - valgus * 0.35 + 0.6 * jitter[1], tilt, roll)
    chain = [Placed(bones[0], np.array([*base, 0.0]) * body.size, axes)]
    angle = straight + (body.hallux - 4.0 if toe == 1 else 0.22 * body.hallux / toe)
    bend = 0.0 if toe == 1 else 14.0 + 5 * jitter[2]
    lean = -6.0 + 2 * jitter[3]
    for i, bone in enumerate(bones[1:]):
        name = f"MTP{toe}" if i == 0 else "IP1" if toe == 1 else f"PIP{toe}" if i == 1 else f"DIP{toe}"
        unit = f"{limb}.{name}"
        state, look = states.get(unit, HEALTHY), joint_look(body, unit)
        if state.finding in (SUBLUXATION, LUXATION):
            angle += 9.0 * (0.4 + state.degree)
        angle += 0.6 * look.bend * min(1.0, 0.25 * state.jsn) + (-4.0 - toe if i > 0 and toe > 3 else 0.0)
        lean += bend * (i > 0)
        healthy = GAPS["MTP" if i == 0 else "FIP" if toe == 1 else "DIP"] * body.space * body.size
        if toe == 1 and i == 0:
            healthy *= 1 - 0.5 * float(np.clip((look.oa - 0.4) * 2, 0, 1))
        placed, middle, left = articulate(chain[-1], bone, state, look, healthy, angle, lean, roll)
        chain.append(placed)
        box = anatomy.BOXES.get(name, anatomy.BOXES["MTP" if i == 0 else "PIP"])
        names = (chain[-2].bone.name, chain[-1].bone.name)
        skeleton.joints.append(
            Joint(unit, middle, (box[0] * body.size, box[1] * body.size), names, left, "PIP" not in name
                  and "DIP" not in name, placed.axes[0])
        )  # fmt: skip
        if state.finding == ANKYLOSIS:
            skeleton.fused.append(names)
        else:
            _erode(chain, state, look)
    for placed in chain:
        skeleton.long[placed.bone.name] = placed


def _erode(chain: list[Placed], state: JointState, look) -> None:
    """Erosions of both sides, each with its own severity."""
    near = side_bites(chain[-2].bone, state.erosion, look, at_head=True)
    far = side_bites(chain[-1].bone, state.distal_erosion, look, at_head=False)
    chain[-2] = Placed(chain[-2].bone.with_bites(near), chain[-2].origin, chain[-2].axes)
    chain[-1] = Placed(chain[-1].bone.with_bites(far), chain[-1].origin, chain[-1].axes)


def _add_sesamoids(skeleton: Skeleton, body: HandBody) -> None:
    """The two under the head of the first metatarsal; they stay behind when the hallux drifts."""
    rng = np.random.default_rng([body.seed, 43])
    placed = skeleton.long["MT1"]
    drift = 0.12 * body.hallux
    for i, across in enumerate((-5.2, 5.0)):
        middle = placed.point(0.88 * placed.bone.length, (across + drift) * body.girth)[:2]
        skeleton.flat[f"hallucal_{i}"] = ring(middle, body.size * np.array([4.2, 5.4]), rng)


# half widths of a toe in mm at its MTP joint, middle and tip
TOE_WIDTH = {
    1: (14.0, 13.5, 11.0),
    2: (10.0, 8.6, 7.6),
    3: (9.5, 8.4, 7.4),
    4: (9.5, 8.4, 7.4),
    5: (9.5, 9.0, 7.6),
}


def foot_pieces(skeleton: Skeleton, body: HandBody) -> list[tuple[float, ...]]:
    """Soft tissue in the frame of the foot, rows of ``kernel.add_flesh``."""
    wide = body.girth * body.bulk**0.6
    pieces = []
    for toe in anatomy.TOES:
        bones = [skeleton.long[f"{p}{toe}"] for p in PARTS if f"{p}{toe}" in skeleton.long]
        base, tip, end = bones[0], bones[1].tip[:2], bones[-1].tip[:2]
        a, b, c = (w * wide for w in TOE_WIDTH[toe])
        pieces.append((*base.tip[:2], a, *tip, b, 0.95, 0.95))
        pieces.append((*tip, b, *(end - 3.0 * bones[-1].axes[0, :2]), c, 0.95, 0.9))
        pieces.append((*base.origin[:2], 17.0 * wide, *base.tip[:2], 13.0 * wide, 1.05, 0.95))
    for name, r, flat in (("icuneiform", 27.0, 0.95), ("cuboid", 17.0, 1.1), ("mcuneiform", 17.0, 1.15)):
        middle = skeleton.flat[name].mean(axis=0)
        pieces.append((*middle, r * wide, *(middle * 0.6 + np.array([0.0, 45.0])), 27.0 * wide, flat, 1.2))
    heel = np.array([4.0, 100.0]) * body.size
    pieces.append((4.0, 45.0 * body.size, 33.0 * wide, *heel, 40.0 * wide, 1.0, 1.4))
    pieces.append((*heel, 40.0 * wide, *(heel + np.array([0.0, 60.0])), 40.0 * wide, 1.4, 1.6))
    return pieces
