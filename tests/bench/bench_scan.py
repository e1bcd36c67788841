"""Window scanning of a film of both hands: one window at a time against batches (design 6).

Three ways, alternately, with the shipped detectors, fp32, the same number of threads:

- plain: what one would write first: cut a window, run torchvision's SSD on it, next window;
- batched: the same networks, windows in batches, windows of bare air left out;
- ready: what the package does: batches, normalisation folded into the convolutions, channels last.

The boxes must be the same: as many, in the same places, with the same calls.
"""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np

ROUNDS = 3
SAME_PIXELS = 0.05  # of a half-size film, 15 micrometres: sums in another order round otherwise
SAME_SCORE = 1e-3


def main() -> None:
    import torch

    from data.phantom.hands.films import make_hand_film
    from models import cards
    from models.mtss.detectors import network as networks
    from models.mtss.detectors import scan
    from models.mtss.detectors.detections import MOST, joints_of
    from models.mtss.detectors.joints import DETECTORS
    from models.mtss.detectors.windows import has_content, origins
    from models.mtss.film_scale import half_size

    card = cards.read_card("mtss", "demo")
    plain = {finding: networks.detector("demo").eval() for finding in DETECTORS}
    for finding, network in plain.items():
        cards.load_into(network, card, finding)
    ready = {finding: networks.fused(network) for finding, network in plain.items()}
    drawn = make_hand_film(1, "S001", "BL", "hands", {}, poor=0.0)
    film, _ = half_size(drawn.pixels, drawn.spacing_mm)
    ways = {
        "plain": lambda f: scan.proposals(plain[f], film, batch=1, skip_empty=False),
        "batched": lambda f: scan.proposals(plain[f], film),
        "ready": lambda f: scan.proposals(ready[f], film),
    }
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    found: dict[str, dict[str, Any]] = {}
    for _ in range(ROUNDS):
        for way, run in ways.items():
            began = time.monotonic()
            found[way] = {finding: run(finding) for finding in DETECTORS}
            seconds[way].append(time.monotonic() - began)
    joints = {
        way: {finding: joints_of(one, MOST[finding]) for finding, one in by.items()}
        for way, by in found.items()
    }
    least = {way: min(times) for way, times in seconds.items()}
    places = origins(*film.shape)
    answer = {
        "windows": len(places),
        "windows_with_content": int(has_content(film, places).sum()),
        "proposals": {finding: len(one) for finding, one in found["plain"].items()},
        "joints": {finding: len(one) for finding, one in joints["plain"].items()},
        **{
            f"{way}_against_plain": {
                "proposals": {f: difference(found["plain"][f], found[way][f]) for f in DETECTORS},
                "joints": {f: difference(joints["plain"][f], joints[way][f]) for f in DETECTORS},
            }
            for way in ("batched", "ready")
        },
        "threads": torch.get_num_threads(),
        "seconds": {way: round(value, 3) for way, value in least.items()},
        "ratio": {way: round(least["plain"] / least[way], 2) for way in ("batched", "ready")},
    }
    print(json.dumps(answer, indent=1))


def difference(one: Any, other: Any) -> dict[str, Any]:
    """How far two lists of boxes differ, each matched to the nearest of the other: largest distance of a
    corner in pixels and of a score; ``same`` where they are as many, as near and called alike.
    """
    if not len(one) or len(one) != len(other):
        return {"same": len(one) == len(other), "boxes": [len(one), len(other)]}
    away = np.abs(one.boxes[:, None] - other.boxes[None]).max(axis=2)
    away += 100.0 * (one.affected[:, None] != other.affected[None])
    away += np.abs(one.scores[:, None] - other.scores[None])
    nearest = away.argmin(axis=1)
    corner = np.abs(one.boxes - other.boxes[nearest]).max()
    score = np.abs(one.scores - other.scores[nearest]).max()
    alike = (one.affected == other.affected[nearest]).all() and len(set(nearest.tolist())) == len(one)
    return {
        "same": bool(alike and corner < SAME_PIXELS and score < SAME_SCORE),
        "pixels": float(f"{corner:.2g}"),
        "score": float(f"{score:.2g}"),
    }


if __name__ == "__main__":
    main()
