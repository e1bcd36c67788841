"""How a detector is trained on crops: Adam 1e-3 (0.9, 0.999), weight decay 5e-4, as in Sci Rep 2024;14:7696.

The loss is torchvision's: softmax confidence with three negatives to a positive, smooth-L1 offsets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torchvision.models.detection.ssd import SSD

from models.mtss.detectors.joints import AFFECTED, DETECTORS
from models.mtss.detectors.labels import LabelledHands
from models.mtss.detectors.network import channels, detector
from models.mtss.detectors.samples import HandSample, crop, drawing_weights, prepare
from models.training.loop import Batch, Descent, Fitted, Recipe
from models.training.network import Batches, NetworkTraining

BETAS = (0.9, 0.999)
BUDGET = Recipe(  # a seventh of a percent of the paper's: about an hour and a half of one core
    epochs=1, images=60_000, batch=16, learning_rate=1e-3, warmup=0.03, average=0.995, seconds=float("inf")
)  # fmt: skip


def read_samples(finding: str, films: Sequence[LabelledHands], seed: int) -> list[HandSample]:
    """The films as a detector of ``finding`` is trained on them, those without its joints left out."""
    return [sample for sample in (prepare(film, finding) for film in films) if len(sample.labels)]


def batches(samples: list[HandSample], recipe: Recipe, network: SSD) -> Batches:
    """Batches of crops with boxes and labels; the same seed gives the same crops."""
    pairs, chance = drawing_weights(samples)
    depth = channels(network)

    def of_epoch(epoch: int) -> Iterator[Batch]:
        rng = np.random.default_rng([recipe.seed, 7 + epoch])
        for _ in range(recipe.steps(len(pairs))):
            pixels, targets = [], []
            for film, joint in pairs[rng.choice(len(pairs), size=recipe.batch, p=chance)]:
                grey, boxes, labels = crop(samples[film], int(joint), rng)
                pixels.append(grey)
                targets.append(
                    {
                        "boxes": torch.from_numpy(boxes.astype(np.float32)).reshape(-1, 4),
                        "labels": torch.from_numpy(labels),
                    }
                )
            yield Batch(torch.from_numpy(np.stack(pixels))[:, None].expand(-1, depth, -1, -1), targets)

    return of_epoch


def descent(network: SSD) -> Descent:
    """torchvision's network gives its losses itself."""
    return Descent(
        lambda losses, targets: sum(losses.values()),
        forward=lambda network, batch: network(list(batch.pixels), batch.targets),
        optimizer=lambda network, recipe: torch.optim.Adam(
            network.parameters(), lr=recipe.learning_rate, betas=BETAS, weight_decay=recipe.weight_decay
        ),
    )


def about(samples: Sequence[HandSample], fitted: Fitted, recipe: Recipe) -> dict[str, Any]:
    """What the card says of a detector beside its file."""
    return {
        "crops": fitted.images,
        "seconds": round(fitted.seconds),
        "loss": round(fitted.loss, 4),
        "affected_joints": int(sum((sample.labels == AFFECTED).sum() for sample in samples)),
        "joints": int(sum(len(sample.labels) for sample in samples)),
    }


TRAININGS = {
    finding: NetworkTraining(
        finding,
        build=detector,
        samples=partial(read_samples, finding),
        batches=batches,
        descent=descent,
        recipe=BUDGET,
        about=about,
        report_steps=50,
    )
    for finding in DETECTORS
}
