"""Joints of both sides as they are scanned: hands with their wrists, feet, and the large joints beside."""

from __future__ import annotations

from core.scores.drawing import Drawing, Point, joined, long_bone, round_bone
from core.scores.hand_and_foot import CARPALS, FOOT_SCALE, RAYS, TARSALS, TOES, ray_bones

WRIST: dict[str, Point] = {"IC": (-2, -16), "WR": (-3, -2), "RC": (-11, 12), "DRU": (13, 17)}
SHORT = ("elbow", "knee", "ankle")  # beside a hand, which says the side
LARGE = (("ELB", "elbow", -58.0), ("KNEE", "knee", 0.0), ("TTJ", "ankle", 58.0))


def scanned_joints() -> Drawing:
    """Left hand, right hand, left foot, right foot, and beside each hand its large joints."""
    hand, foot, large = _hand(), _foot(), _large()
    return joined(
        _of_side(large, "L").moved(x=-98.0, y=-70.0),
        _of_side(hand, "L").moved(mirror=True),
        _of_side(hand, "R").moved(x=155.0),
        _of_side(large, "R").moved(x=259.0, y=-70.0),
        _of_side(foot, "L").moved(x=382.0, y=-36.0, scale=FOOT_SCALE, mirror=True),
        _of_side(foot, "R").moved(x=468.0, y=-36.0, scale=FOOT_SCALE),
    )


def _of_side(part: Drawing, side: str) -> Drawing:
    word = {"R": "right", "L": "left"}[side]
    captions = tuple((text if text in SHORT else f"{word} {text}", x, y) for text, x, y in part.captions)
    return Drawing(tuple((f"{side}.{unit}", x, y) for unit, x, y in part.places), part.bones, captions)


def _hand() -> Drawing:
    places = list(WRIST.items())
    for ray, points in RAYS.items():
        places.append((f"MCP{ray}", points[1]))
        places.append(("IP1" if ray == "1" else f"PIP{ray}", points[2]))
        if ray != "1":
            places.append((f"DIP{ray}", points[3]))
    bones = [bone for points in RAYS.values() for bone in ray_bones(points, "hand")]
    bones += [round_bone(*carpal) for carpal in CARPALS]
    bones += [long_bone((-12, 44), (-10, 14), 30, 20), long_bone((21, 44), (20, 12), 14, 9)]
    return Drawing(tuple((unit, *at) for unit, at in places), tuple(bones), (("hand", -4.0, -204.0),))


def _foot() -> Drawing:
    places = tuple((f"MTP{ray}", *points[1]) for ray, points in TOES.items())
    bones = [bone for points in TOES.values() for bone in ray_bones(points, "foot")]
    bones += [round_bone(*tarsal) for tarsal in TARSALS]
    return Drawing(places, tuple(bones), (("foot", 6.0, -128.0),))


def _large() -> Drawing:
    """Elbow, knee and ankle as two bones each, one above the other."""
    places = tuple((unit, 0.0, y) for unit, _, y in LARGE)
    bones = tuple(
        long_bone((0.0, y + from_), (0.0, y + to), 15, 9)
        for _, _, y in LARGE
        for from_, to in ((-24.0, -1.5), (1.5, 24.0))
    )
    return Drawing(places, bones, tuple((name, 0.0, y - 28.0) for _, name, y in LARGE))
