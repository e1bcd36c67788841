"""Both hands and both feet as they lie on their films, left on the left: where each joint is drawn.

Right hand from the back and right foot from above, both with the first ray towards the other side; origin:
middle of the wrist, and base of the second metatarsal. Round numbers of an adult, drawn for this map.
"""

from __future__ import annotations

from itertools import pairwise

from core.scores.drawing import Drawing, Outline, Point, joined, long_bone, round_bone

RAYS: dict[str, tuple[Point, ...]] = {  # base of the metacarpal, MCP, PIP (thumb: IP), DIP, tip
    "1": ((-33, -22), (-53, -56), (-66, -86), (-75, -110)),
    "2": ((-14, -33), (-23, -93), (-29, -134), (-32, -158), (-34, -177)),
    "3": ((-3, -35), (-4, -97), (-5, -142), (-5, -169), (-5, -189)),
    "4": ((8, -33), (14, -91), (18, -134), (21, -160), (23, -180)),
    "5": ((18, -30), (30, -81), (40, -114), (46, -134), (51, -151)),
}
WRIST: dict[str, Point] = {
    "MC1": (-37, -27), "MUL": (-26, -20), "MNA": (-17, -12), "NAV": (-20, -2), "CNL": (-3, -9), "LUN": (4, 3),
    "RC": (-8, 12), "RAD": (-14, 25), "ULN": (20, 19), "CMC3": (-4, -27), "CMC4": (8, -25), "CMC5": (20, -22),
}  # fmt: skip
CARPALS = (
    ((-27, -15), 14, 16, 30), ((-15, -23), 12, 14, 0), ((-2, -17), 14, 24, 0), ((13, -17), 15, 20, -10),
    ((-17, -1), 15, 22, -35), ((3, 1), 17, 14, 0), ((19, -5), 14, 15, 0),
)  # fmt: skip
TOES: dict[str, tuple[Point, ...]] = {  # base of the metatarsal, MTP, PIP (hallux: IP), tip
    "1": ((-14, 2), (-23, -62), (-25, -97), (-26, -119)),
    "2": ((-2, -3), (-6, -69), (-6, -97), (-5, -117)),
    "3": ((7, 0), (7, -65), (10, -91), (12, -110)),
    "4": ((16, 5), (20, -57), (25, -82), (28, -100)),
    "5": ((25, 10), (33, -46), (39, -68), (43, -85)),
}
TARSALS = (
    ((-14, 15), 16, 22, 0), ((-1, 9), 11, 18, 0), ((8, 13), 11, 18, 0), ((21, 21), 17, 24, -20),
    ((-5, 33), 32, 14, 0),
)  # fmt: skip
WIDTHS = {  # ends and shaft of the bones of a ray, from its base to its tip
    "hand": ((13.0, 7.5), (12.0, 6.5), (9.5, 5.5), (7.5, 4.0)),
    "foot": ((13.0, 7.0), (11.0, 6.0), (8.5, 5.0)),
}
GAP = 2.0  # mm between two bones
FOOT_SCALE = 1.3


def hand_and_foot() -> Drawing:
    """All four limbs side by side: left hand, right hand, left foot, right foot."""
    hand, foot = _hand(), _foot()
    return joined(
        _of_side(hand, "L").moved(mirror=True),
        _of_side(hand, "R").moved(x=155.0),
        _of_side(foot, "L").moved(x=278.0, y=-36.0, scale=FOOT_SCALE, mirror=True),
        _of_side(foot, "R").moved(x=364.0, y=-36.0, scale=FOOT_SCALE),
    )


def _of_side(limb: Drawing, side: str) -> Drawing:
    word = {"R": "right", "L": "left"}[side]
    return Drawing(
        tuple((side + unit, x, y) for unit, x, y in limb.places),
        limb.bones,
        tuple((f"{word} {text}", x, y) for text, x, y in limb.captions),
    )


def _hand() -> Drawing:
    places = [(f"H.{site}", *at) for site, at in WRIST.items()]
    for ray, points in RAYS.items():
        places.append((f"H.MCP{ray}", *points[1]))
        places.append((f"H.{'IP1' if ray == '1' else 'PIP' + ray}", *points[2]))
    bones = [bone for points in RAYS.values() for bone in ray_bones(points, "hand")]
    bones += [round_bone(*carpal) for carpal in CARPALS]
    bones += [long_bone((-12, 44), (-10, 14), 30, 20), long_bone((21, 44), (20, 12), 14, 9)]
    return Drawing(tuple(places), tuple(bones), (("hand", -4.0, -204.0),))


def _foot() -> Drawing:
    places = [(f"F.MTP{ray}", *points[1]) for ray, points in TOES.items()]
    places.append(("F.IP1", *TOES["1"][2]))
    bones = [bone for points in TOES.values() for bone in ray_bones(points, "foot")]
    bones += [round_bone(*tarsal) for tarsal in TARSALS]
    return Drawing(tuple(places), tuple(bones), (("foot", 6.0, -128.0),))


def ray_bones(points: tuple[Point, ...], limb: str) -> list[Outline]:
    """The bones between the joints of a ray, with room for the joints."""
    pairs = zip(pairwise(points), WIDTHS[limb], strict=False)
    return [long_bone(_nearer(base, head), _nearer(head, base), *wide) for (base, head), wide in pairs]


def _nearer(point: Point, other: Point) -> Point:
    """The point moved half a gap towards the other."""
    length = ((other[0] - point[0]) ** 2 + (other[1] - point[1]) ** 2) ** 0.5
    return (
        point[0] + GAP / 2 * (other[0] - point[0]) / length,
        point[1] + GAP / 2 * (other[1] - point[1]) / length,
    )
