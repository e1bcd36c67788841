"""Carpal bones, distal radius and ulna: outlines that close up on each other, erode and grow together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from data.phantom.hands.body import HandBody, joint_look
from data.phantom.hands.frame import Joint, Skeleton
from data.phantom.hands.skeleton import anatomy
from data.phantom.hands.state import ANKYLOSIS, HEALTHY, JointState, space_share
from data.phantom.spine.canvas import smooth

FOREARM_PIVOT = np.array([1.0, 15.0])


def add_wrist(skeleton: Skeleton, body: HandBody, states: Mapping[str, JointState], wrist: float) -> None:
    """Outlines, erosions, fusions and scored places of the wrist. wrist: degrees of ulnar deviation."""
    rng = np.random.default_rng([body.seed, 9])
    for name in (*anatomy.CARPALS, *anatomy.FOREARM):
        points = anatomy.outline(name)
        if name in anatomy.FOREARM:
            if name == "ulna":
                points = points - [0.0, body.ulna]
            points = _turned(points, wrist, FOREARM_PIVOT)
        points = smooth(points, each=6)
        points = vary(points, rng, 0.35 if name in anatomy.CARPALS else 0.5)
        skeleton.flat[name] = grown(points * body.size, 0.75 if name in anatomy.CARPALS else 0.35)
    _small_bones(skeleton, body, rng)
    for site, pairs in anatomy.FACING.items():
        state = states.get(f"{skeleton.limb}.{site}", HEALTHY)
        for a, b in pairs:
            if a in skeleton.flat:
                _approach(skeleton, a, b, state)
            if state.finding == ANKYLOSIS:
                skeleton.fused.append((a, b))
    _places(skeleton, body, states)


def grown(points: np.ndarray, by: float) -> np.ndarray:
    """A closed outline moved outwards by ``by`` mm."""
    along = np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)
    normal = np.stack([along[:, 1], -along[:, 0]], axis=1)
    normal /= np.maximum(np.hypot(*normal.T), 1e-6)[:, None]
    area = 0.5 * np.sum(points[:, 0] * np.roll(points[:, 1], -1) - np.roll(points[:, 0], -1) * points[:, 1])
    return points + np.sign(area) * by * normal


def _small_bones(skeleton: Skeleton, body: HandBody, rng: np.random.Generator) -> None:
    """The hook of the hamate, which is seen end on, as a ring."""
    middle = skeleton.flat["hamate"].mean(axis=0) + body.size * np.array([3.4, -2.6])
    skeleton.flat["hook"] = ring(middle, body.size * np.array([2.7, 3.6]), rng)


def ring(middle: np.ndarray, radii: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A round outline that is not quite round, (32, 2)."""
    t = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    uneven = 1 + 0.07 * np.sin(2 * t + rng.uniform(0, 6.28)) + 0.04 * np.sin(3 * t + rng.uniform(0, 6.28))
    return middle + np.stack([np.cos(t), np.sin(t)], axis=1) * radii * uneven[:, None]


def _turned(points: np.ndarray, degrees: float, about: np.ndarray) -> np.ndarray:
    sin, cos = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    return (points - about) @ np.array([[cos, sin], [-sin, cos]]) + about


def vary(points: np.ndarray, rng: np.random.Generator, amount: float) -> np.ndarray:
    """A person's own outline: scaled a little and moved by slow waves."""
    middle = points.mean(axis=0)
    t = np.linspace(0, 2 * np.pi, len(points), endpoint=False)
    shift = np.zeros_like(points)
    for n in (2, 3, 4, 5):
        shift += np.sin(n * t[:, None] + rng.uniform(0, 6.28, 2)) * rng.normal(0, 1, 2) / n
    scale = rng.normal(1.0, 0.015, 2)
    return (points - middle) * scale + middle + amount * 0.55 * shift


def facing(a: np.ndarray, b: np.ndarray, widest: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points of outline ``a`` within ``widest`` mm of ``b``: index, nearest point of ``b``, distance."""
    distance = np.hypot(*(a[:, None] - b[None]).transpose(2, 0, 1))
    nearest = distance.argmin(axis=1)
    near = distance.min(axis=1)
    index = np.flatnonzero(near < widest)
    return index, b[nearest[index]], near[index]


def _approach(skeleton: Skeleton, a: str, b: str, state: JointState) -> None:
    """Move the facing edges of two bones together by what the cartilage has lost."""
    share = 0.05 if state.finding == ANKYLOSIS else space_share(state.jsn)
    if share >= 0.999:
        return
    first, second = skeleton.flat[a].copy(), skeleton.flat[b].copy()
    for moved, other in ((first, skeleton.flat[b]), (second, skeleton.flat[a])):
        index, nearest, near = facing(moved, other, 4.0)
        fade = np.clip((4.0 - near) / 1.5, 0, 1)[:, None]
        moved[index] += 0.5 * (1 - share) * fade * (nearest - moved[index])
    skeleton.flat[a], skeleton.flat[b] = first, second


def _places(skeleton: Skeleton, body: HandBody, states: Mapping[str, JointState]) -> None:
    limb = skeleton.limb
    for site, names in anatomy.ERODES.items():
        unit = f"{limb}.{site}"
        points = np.concatenate([_scored_part(skeleton.flat[name]) for name in names])
        low, high = points.min(axis=0), points.max(axis=0)
        centre = np.append((low + high) / 2, 0.0)
        size = high - low + 3.0
        skeleton.joints.append(Joint(unit, centre, (size[0], size[1]), names, np.nan))
        for name in names[:1] if site != "MUL" else names:
            skeleton.bites.setdefault(name, []).extend(
                _flat_bites(body, unit, skeleton.flat[name], states.get(unit, HEALTHY).erosion, name)
            )
    for site, pairs in anatomy.FACING.items():
        middles, gaps = [], []
        for a, b in pairs:
            one = skeleton.flat[a] if a in skeleton.flat else _metacarpal_base(a, body)
            index, nearest, near = facing(one, skeleton.flat[b], 4.5)
            if len(index):
                middles.append((one[index] + nearest) / 2)
                gaps.append(float(np.quantile(near, 0.3)))
        points = np.concatenate(middles)
        low, high = np.quantile(points, [0.05, 0.95], axis=0)
        centre = np.append((low + high) / 2, 0.0)
        width, height = np.maximum(high - low + 6.0, 11.0 * body.size)
        state = states.get(f"{limb}.{site}", HEALTHY)
        gap = 0.0 if state.finding == ANKYLOSIS else float(np.mean(gaps))
        if site.startswith("CMC"):
            from data.phantom.hands.skeleton.anatomy import GAPS

            gap = 0.0 if state.finding == ANKYLOSIS else GAPS["CMC"] * body.space * space_share(state.jsn)
        skeleton.joints.append(Joint(f"{limb}.{site}", centre, (width, height), pairs[0], gap))


def _metacarpal_base(name: str, body: HandBody) -> np.ndarray:
    (x, y), _ = anatomy.METACARPALS[int(name[2])]
    across = np.linspace(-5, 5, 11)
    return (np.stack([x + across, np.full(11, y)], axis=1)) * body.size


def _scored_part(points: np.ndarray) -> np.ndarray:
    """The articular end of a forearm bone; a carpal bone whole."""
    top = points[:, 1].min()
    return points[points[:, 1] < top + 17.0]


def _flat_bites(
    body: HandBody, unit: str, points: np.ndarray, erosion: float, name: str
) -> list[tuple[float, float, float]]:
    """Round bites (x, y, radius in mm) into the edge of a flat bone."""
    if erosion < 0.35:
        return []
    look = joint_look(body, unit + name)
    part = _scored_part(points)
    middle = part.mean(axis=0)
    size = float(np.sqrt(np.ptp(part[:, 0]) * np.ptp(part[:, 1])))
    rng = np.random.default_rng(int(look.phase * 1e6))
    order = rng.permutation(len(part))
    bites = []
    for i in range(min(5, 1 + int(max(0.0, erosion - 1.4) * 1.2))):
        edge = part[order[i * 7 % len(order)]]
        grown = np.interp(
            erosion - 0.9 * i, [0.0, 1, 2, 3, 4, 5, 6], [0.03, 0.1, 0.17, 0.25, 0.33, 0.42, 0.5]
        )
        radius = float(grown * size)
        place = edge + (middle - edge) * 0.25 * min(1.0, radius / (0.3 * size))
        bites.append((float(place[0]), float(place[1]), radius))
    return bites
