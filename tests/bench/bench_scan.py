"""Window scanning of a film of both hands: one window at a time against batches (design 6).

The plain way is what one would write first: cut a window, run torchvision's SSD on it, next window. Ours
leaves out windows of bare air, folds normalisation into the convolutions, keeps channels last and runs
windows in batches. Both run both detectors in fp32 with the same number of threads, alternately; boxes must
be the same.
The weights are random: the time does not depend on what they have learnt, and every box is compared.
"""

from __future__ import annotations

import json
import time

import numpy as np

ROUNDS = 3
PROPOSAL = 0.36  # random weights are sure of nothing


def main() -> None:
    import torch

    from data.phantom.hands.films import make_hand_film
    from models.mtss import networks, scan
    from models.mtss.windows import half_size, has_content, origins

    torch.manual_seed(0)
    plain = [networks.detector("demo").eval() for _ in range(2)]
    for network in plain:
        network.score_thresh = PROPOSAL
    ready = [networks.fused(network) for network in plain]
    drawn = make_hand_film(1, "S001", "BL", "hands", {}, poor=0.0)
    film, _ = half_size(drawn.pixels, drawn.spacing_mm)
    places = origins(*film.shape)
    slow, fast, boxes = [], [], []
    for _ in range(ROUNDS):
        began = time.monotonic()
        one = [scan.proposals(network, film, batch=1, skip_empty=False) for network in plain]
        slow.append(time.monotonic() - began)
        began = time.monotonic()
        many = [scan.proposals(network, film) for network in ready]
        fast.append(time.monotonic() - began)
        boxes = [len(found) for found in one]
    kept = int(has_content(film, places).sum())
    same = kept == len(places) and all(same_boxes(a, b) for a, b in zip(one, many, strict=True))
    answer = {
        "windows": len(places),
        "windows_with_content": kept,
        "boxes": boxes,
        "same_boxes": same,
        "threads": torch.get_num_threads(),
        "plain_s": round(min(slow), 3),
        "batched_s": round(min(fast), 3),
        "ratio": round(min(slow) / min(fast), 2),
    }
    print(json.dumps(answer))


def same_boxes(one: object, other: object) -> bool:
    """Whether two lists of proposals agree to a hundredth of a pixel, up to near ties of random weights."""
    a, b = np.asarray(one.boxes), np.asarray(other.boxes)  # type: ignore[attr-defined]
    near = np.abs(a[:, None] - b[None]).max(axis=2).min(axis=1) < 0.01
    return bool(near.mean() > 0.995 and abs(len(a) - len(b)) <= 0.005 * len(a))


if __name__ == "__main__":
    main()
