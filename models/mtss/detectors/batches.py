"""Training of one detector on crops: Adam 1e-3 (0.9, 0.999), weight decay 5e-4, as in S004.

The loss is torchvision's: softmax confidence with three negatives to a positive, smooth-L1 offsets.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torchvision.models.detection.ssd import SSD

from models.mtss.detectors.network import channels, detector
from models.mtss.detectors.samples import HandSample, crop, drawing_weights
from models.training.loop import AveragedWeights, rate_at


@dataclass(frozen=True)
class Recipe:
    """How to train. crops: drawn in all; seconds: an upper limit, after which training ends where it is."""

    crops: int
    batch: int = 16
    learning_rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 5e-4
    warmup: float = 0.03
    average: float = 0.995
    seconds: float = float("inf")
    half_precision: bool = True
    seed: int = 0

    def as_card(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value != float("inf")}


PAPER = Recipe(crops=8_000_000, average=0.0)  # 200 epochs over about 210 films x 2 visits x 20 joints


@dataclass(frozen=True)
class Trained:
    """The detector and how far its training came."""

    network: SSD
    crops: int
    seconds: float
    loss: float


def train_detector(
    samples: list[HandSample],
    recipe: Recipe,
    *,
    size: str = "demo",
    report: Callable[[int, float, float], None] = lambda crops, loss, seconds: None,
    begin: SSD | None = None,
) -> Trained:
    """A detector trained on crops of these films; averaged weights, in evaluation mode.

    begin: a detector to go on from instead of random weights; it is changed.
    report: called about every 50 steps with crops seen, mean loss since the last call, and seconds.
    """
    torch.manual_seed(recipe.seed)
    network = (begin or detector(size)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.Adam(
        network.parameters(), lr=recipe.learning_rate, betas=recipe.betas, weight_decay=recipe.weight_decay
    )
    averaged = AveragedWeights(network, recipe.average)
    steps, began = max(1, recipe.crops // recipe.batch), time.monotonic()
    recent: list[float] = []
    step = 0
    for step, (pixels, targets) in enumerate(batches(samples, recipe, steps, channels(network)), 1):
        elapsed = time.monotonic() - began
        done = max((step - 1) / steps, elapsed / recipe.seconds)
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * rate_at(int(done * 10_000), 10_000, recipe.warmup)
        recent.append(train_step(network, pixels, targets, optimizer, recipe.half_precision))
        averaged.update(network)
        if step % 50 == 0:
            report(step * recipe.batch, float(np.mean(recent)), elapsed)
            recent = recent[-50:]
        if elapsed > recipe.seconds:
            break
    result: SSD = averaged.network.eval()  # type: ignore[assignment]
    return Trained(result, step * recipe.batch, time.monotonic() - began, float(np.mean(recent[-50:])))


def train_step(
    network: SSD,
    pixels: torch.Tensor,
    targets: list[dict[str, torch.Tensor]],
    optimizer: torch.optim.Optimizer,
    half_precision: bool,
) -> float:
    """One step on (b, channels, 300, 300) pixels; returns the loss."""
    network.train()
    with torch.autocast(pixels.device.type, torch.bfloat16, enabled=half_precision):
        losses = network(list(pixels), targets)
    loss: torch.Tensor = sum(value.float() for value in losses.values())  # type: ignore[assignment]
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
    optimizer.step()
    return float(loss.detach())


def batches(
    samples: list[HandSample], recipe: Recipe, steps: int, depth: int
) -> Iterator[tuple[torch.Tensor, list[dict[str, torch.Tensor]]]]:
    """So many batches of crops; the same seed gives the same crops."""
    pairs, chance = drawing_weights(samples)
    rng = np.random.default_rng([recipe.seed, 7])
    for _ in range(steps):
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
        yield torch.from_numpy(np.stack(pixels))[:, None].expand(-1, depth, -1, -1), targets
