"""Scoring a visit of three stacks (cervical, thoracic, lumbar) against the plain slice-by-slice loop.

The plain loop is what one would write first: every slice whole, one after the other, in the layout in which
torch keeps weights. ``SparccScorer`` looks at slices in batches, weights laid out for the processor, beside
the middle slices only around the column, and for oedema only on slices with bodies and around them. Both with
the same weights, the rule included, in turns in one process; times are processor time.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from core.domain import Image
    from models.sparcc.anatomy.segment import Segmenter
    from models.sparcc.oedema.finder import OedemaFinder
    from models.sparcc.scorer import SparccReading, SparccScorer

ROUNDS, VIEWS = 1, ("cervical", "thoracic", "lumbar")


def main() -> None:
    import torch

    from models.sparcc.anatomy.segment import build_segmenter
    from models.sparcc.oedema.finder import build_finder
    from models.sparcc.scorer import build
    from tests.helpers.true_masks import drawn

    torch.set_num_threads(1)
    images = [image for image, _ in drawn(_patient(), 0, VIEWS)]
    lean, plain = build(), _plain(build_segmenter(), build_finder())
    times: dict[str, list[float]] = {"plain": [], "lean": []}
    for _ in range(ROUNDS):
        slow, seconds = _timed(plain, images)
        times["plain"].append(seconds)
        fast, seconds = _timed(lean, images)
        times["lean"].append(seconds)
    first, second = (min(times[name]) for name in ("plain", "lean"))
    slices = sum(len(image.frames) for image in images)
    print(f"{len(images)} stacks, {slices} slices, one thread: {first:.1f} s plain, {second:.1f} s lean")
    print(f"{first / second:.1f}x")
    _compare(slow, fast)


def _patient() -> Any:
    from data.phantom.mri.files import MriPlan

    return MriPlan(patients=1, seed=6, population="trial", views=VIEWS).people()[0]


def _timed(scorer: SparccScorer, images: list[Image]) -> tuple[list[Any], float]:
    began = time.process_time()
    readings = scorer.read_visit(images)
    return readings, time.process_time() - began


def _plain(looks: Segmenter, searches: OedemaFinder) -> SparccScorer:
    """The same scorer without what makes it fast."""
    import cv2
    import torch

    from models.sparcc.anatomy import segment
    from models.sparcc.oedema import finder
    from models.sparcc.scorer import SparccScorer

    class PlainSegmenter(segment.Segmenter):
        """Every slice whole and alone."""

        def _of(self, frames: np.ndarray, places: Any) -> np.ndarray:
            found = []
            for place in places:
                pixels = torch.from_numpy(segment.triple(frames, place)[None].copy())
                with torch.inference_mode():
                    found.append(torch.sigmoid(self.network(pixels).float()).numpy())
            return np.concatenate(found)

        def chances(self, frames: np.ndarray, spacing_mm: tuple[float, float]) -> np.ndarray:
            middle, segment.MIDDLE = segment.MIDDLE, len(frames)
            try:
                return super().chances(frames, spacing_mm)
            finally:
                segment.MIDDLE = middle

    class PlainFinder(finder.OedemaFinder):
        """Every slice whole, whatever is asked."""

        def chances(self, image: Image, within: np.ndarray | None = None) -> np.ndarray:
            found = super().chances(image)
            return found if within is None else np.where(within, found, np.float16(0))

        def _of(self, pixels: np.ndarray, asked: np.ndarray) -> np.ndarray:
            rows, columns = pixels.shape[2:]
            step: int = self.network.multiple  # type: ignore[assignment]
            found = []
            for one in np.pad(pixels, ((0, 0), (0, 0), (0, -rows % step), (0, -columns % step))):
                with torch.inference_mode():
                    found.append(
                        torch.sigmoid(self.network(torch.from_numpy(one)[None]).float()).numpy()[0, 0]
                    )
            whole = np.stack(found)[:, :rows, :columns]
            size = asked.shape[::-1]
            return np.stack([cv2.resize(one, size, interpolation=cv2.INTER_LINEAR) for one in whole])

    plain = torch.contiguous_format
    slow = PlainSegmenter(looks.network.to(memory_format=plain))
    return SparccScorer(
        slow, PlainFinder(searches.network.to(memory_format=plain), searches.point, searches.edge)
    )


def _compare(slow: list[SparccReading], fast: list[SparccReading]) -> None:
    """How far masks and points of the two are the same."""
    from core.domain import Abstained
    from models.sparcc.rule.score import StackScore

    for one, other in zip(slow, fast, strict=True):
        if isinstance(one, Abstained) or isinstance(other, Abstained):
            print(f"abstained: {one == other}")
            continue
        bodies = np.isin(one.anatomy.labels, [body.label for body in one.anatomy.bodies])
        same = [_dice(one.anatomy.labels > 0, other.anatomy.labels > 0)]
        same.append(_dice(one.oedema & bodies, other.oedema & bodies))
        points = [
            {(f.site, f.grade) for f in r.score.scored().findings}
            if isinstance(r.score, StackScore)
            else r.score
            for r in (one, other)
        ]
        print(
            f"Dice of the masks of both: bodies and discs {same[0]:.4f}, oedema in bodies {same[1]:.4f}; "
            f"points equal: {points[0] == points[1]}"
        )


def _dice(one: np.ndarray, other: np.ndarray) -> float:
    both = int(one.sum()) + int(other.sum())
    return 2 * int((one & other).sum()) / both if both else 1.0
