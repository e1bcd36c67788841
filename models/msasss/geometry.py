"""From loose detections to named corners: which unit is which, how its tile lies, which corner is upper or
lower.

All points are (x, y) with y downwards. Film points are in millimetres, tile points in pixels of the tile.
Pure numpy; nothing here knows a network.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.common.frames import Frame, TileShape
from models.msasss.sites import ALL_UNITS, CORNERS, REGIONS, UNITS

MIN_UNITS = 4  # of six: fewer cannot be named with trust
FLOOR = 0.12  # a class score at which a detection neither helps nor harms a naming
STEP_TOLERANCE = 0.22  # natural log of the ratio of found to expected distance between neighbours
SKIPPED = 0.7  # what an unseen unit inside the chain costs
MIN_MARGIN = 0.8  # by how much the best naming must beat the same units shifted by one level


@dataclass(frozen=True)
class Candidates:
    """What the finder saw on a film.

    xy: (n, 2) centres in mm; size: (n,) side of the box in mm, which is the distance between neighbouring
    units; scores: (n, 12), one for each of ``ALL_UNITS``, 0 to 1.
    """

    xy: np.ndarray
    size: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True)
class Chain:
    """A named run of units of one region.

    xy: (6, 2) centres in mm, head to foot; units that were not seen are placed by a smooth curve through the
    rest. confidence: (6,) class score, 0 where the unit was not seen.
    score: sum of log gains, to compare readings of one film. margin: lead over the naming shifted by one
    level.
    """

    region: str
    xy: np.ndarray
    confidence: np.ndarray
    score: float
    margin: float

    @property
    def seen(self) -> np.ndarray:
        """(6,) whether the unit was found."""
        return self.confidence > 0

    @property
    def spacing(self) -> float:
        """Median distance between neighbouring units, mm."""
        return float(np.median(np.linalg.norm(np.diff(self.xy, axis=0), axis=1)))


@dataclass(frozen=True)
class Unnamed:
    """No naming can be trusted; ``reason`` says why."""

    reason: str


def unit_boxes(midpoints: np.ndarray) -> np.ndarray:
    """Label boxes of the units of one film: (k, 4) centre and size in mm, for (k, 2) midpoints, head to foot.

    The side of a box is the mean distance to its neighbours, so that the finder learns the scale of the
    spine.
    """
    steps = np.linalg.norm(np.diff(midpoints, axis=0), axis=1)
    before = np.concatenate([steps[:1], steps])
    after = np.concatenate([steps, steps[-1:]])
    side = (before + after) / 2
    return np.concatenate([midpoints, side[:, None], side[:, None]], axis=1)


def name_chain(found: Candidates) -> Chain | Unnamed:
    """The best naming of the candidates as a run of cervical or of lumbar units, or why there is none."""
    if len(found.xy) == 0:
        return Unnamed("no vertebral unit was found: not a lateral cervical or lumbar spine film")
    chains = [chain for region in REGIONS if (chain := _best_in_region(found, region)) is not None]
    if not chains:
        return Unnamed("no run of vertebral units was found: not a lateral cervical or lumbar spine film")
    best = max(chains, key=lambda chain: chain.score)
    seen = int(best.seen.sum())
    if seen < MIN_UNITS:
        return Unnamed(f"only {seen} of 6 {best.region} units were found; {MIN_UNITS} are needed")
    if best.margin < MIN_MARGIN:
        return Unnamed(f"the {best.region} levels cannot be named: neither end of the region is recognised")
    return best


def _best_in_region(found: Candidates, region: str) -> Chain | None:
    columns = [ALL_UNITS.index(unit) for unit in UNITS[region]]
    gains = _gains(found.scores[:, columns])
    links = _links(found)
    total, last, back = _best_runs(gains, links)
    if not np.isfinite(total):
        return None
    path = _trace(last, back)
    levels, picks = [level for level, _ in path], [pick for _, pick in path]
    confidence = np.zeros(6)
    confidence[levels] = np.maximum(found.scores[picks][:, columns].max(axis=1), 1e-3)
    margin = _naming_margin(gains, levels, picks)
    return Chain(region, _complete(found.xy[picks], levels), confidence, float(total), margin)


def _gains(scores: np.ndarray) -> np.ndarray:
    """(n, 6) log gain of calling candidate i unit k; neighbours' scores count a little, as levels look
    alike.
    """
    strongest = scores.max(axis=1, keepdims=True)
    return np.asarray(np.log((0.85 * scores + 0.15 * strongest + 1e-4) / FLOOR))


def _links(found: Candidates) -> np.ndarray:
    """(n, n, 3) log penalty of j following i, one, two or three units further down; -inf where impossible."""
    step = found.xy[None, :, :] - found.xy[:, None, :]
    length = np.linalg.norm(step, axis=2)
    expected = (found.size[None, :] + found.size[:, None]) / 2
    downwards = step[..., 1] > 0.5 * length  # within 60 degrees of straight down
    links = np.full((*length.shape, 3), -np.inf)
    for units in (1, 2, 3):
        ratio = np.log(np.maximum(length, 1e-6) / (units * np.maximum(expected, 1e-6)))
        penalty = -0.5 * (ratio / STEP_TOLERANCE) ** 2 - SKIPPED * (units - 1)
        links[..., units - 1] = np.where(downwards & (np.abs(ratio) < 0.6), penalty, -np.inf)
    return links


def _best_runs(
    gains: np.ndarray, links: np.ndarray
) -> tuple[float, tuple[int, int], dict[tuple[int, int], tuple[int, int] | None]]:
    """Dynamic programme over (level, candidate): the best total, where it ends, and how it came there."""
    count = len(gains)
    best = np.full((6, count), -np.inf)
    back: dict[tuple[int, int], tuple[int, int] | None] = {}
    for level in range(6):
        best[level] = gains[:, level]
        for pick in range(count):
            back[level, pick] = None
            for units in range(1, min(3, level) + 1):
                onward = best[level - units] + links[:, pick, units - 1]
                before = int(np.argmax(onward))
                if onward[before] + gains[pick, level] > best[level, pick]:
                    best[level, pick] = onward[before] + gains[pick, level]
                    back[level, pick] = (level - units, before)
    top = int(np.argmax(best))
    level, pick = divmod(top, count)
    return float(best[level, pick]), (level, pick), back


def _trace(
    last: tuple[int, int], back: dict[tuple[int, int], tuple[int, int] | None]
) -> list[tuple[int, int]]:
    path = []
    at: tuple[int, int] | None = last
    while at is not None:
        path.append(at)
        at = back[at]
    return path[::-1]


def _naming_margin(gains: np.ndarray, levels: list[int], picks: list[int]) -> float:
    """Gain of the naming minus that of the same detections called one level higher or lower.

    A detection that a shift pushes off the end of the region counts as unexplained (no gain, no loss).
    """
    own = sum(gains[pick, level] for level, pick in zip(levels, picks, strict=True))
    rivals = []
    for shift in (-1, 1):
        moved = [(level + shift, pick) for level, pick in zip(levels, picks, strict=True)]
        rivals.append(sum(gains[pick, level] for level, pick in moved if 0 <= level < 6))
    return float(own - max(rivals))


def _complete(xy: np.ndarray, levels: list[int]) -> np.ndarray:
    """(6, 2) centres: the seen ones as found, the others on a quadratic through the seen ones."""
    full = np.full((6, 2), np.nan)
    full[levels] = xy
    missing = np.setdiff1d(np.arange(6), levels)
    if missing.size:
        degree = min(2, len(levels) - 1)
        for axis in (0, 1):
            full[missing, axis] = np.polyval(np.polyfit(levels, xy[:, axis], degree), missing)
    return full


def tile_frames(xy: np.ndarray, shape: TileShape) -> list[Frame]:
    """The frames of consecutive units from their centres (k, 2) in mm, head to foot, anterior on the left."""
    tangents = np.gradient(xy, axis=0) if len(xy) > 1 else np.array([[0.0, 1.0]])
    tangents = tangents / np.linalg.norm(tangents, axis=1, keepdims=True)
    frames = []
    for centre, down in zip(xy, tangents, strict=True):
        back = np.array([down[1], -down[0]])  # to the right of a reader looking down the spine on the film
        along_x, along_y = back * shape.mm_per_pixel, down * shape.mm_per_pixel
        origin = centre - along_x * shape.columns * shape.midpoint_x - along_y * shape.rows / 2
        frames.append(Frame(origin, along_x, along_y))
    return frames


def name_corners(
    unit: str, points: np.ndarray, confidence: np.ndarray, shape: TileShape, least_gap_mm: float
) -> dict[str, int]:
    """Which detection is the upper and which the lower corner of a unit: site -> index.

    points: (n, 2) tile pixels; confidence: (n,). The pair with the greatest confidence whose second point
    lies at least ``least_gap_mm`` further down wins, near the middle of the tile before far from it; a lone
    detection is named by the half of the tile that it lies in. Nothing found gives an empty dict.
    """
    upper_site, lower_site = CORNERS[unit]
    centre = np.array([shape.columns * shape.midpoint_x, shape.rows / 2])
    offset = (points - centre) / shape.rows
    worth = confidence - 0.6 * (offset**2).sum(axis=1)
    best, pair = 0.0, None
    for upper in range(len(points)):
        for lower in range(len(points)):
            gap = (points[lower, 1] - points[upper, 1]) * shape.mm_per_pixel
            imbalance = abs(offset[lower, 1] + offset[upper, 1])
            value = worth[upper] + worth[lower] - 0.5 * imbalance
            if gap >= least_gap_mm and value > best:
                best, pair = value, (upper, lower)
    lone = int(np.argmax(worth)) if len(points) else -1
    if pair is not None and best > (worth[lone] if lone >= 0 else 0.0):
        return {upper_site: pair[0], lower_site: pair[1]}
    if lone < 0:
        return {}
    return {upper_site if offset[lone, 1] < 0 else lower_site: lone}
