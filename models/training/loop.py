"""The training loop of our networks: AdamW with a cosine schedule, averaged weights, a checkpoint each
epoch.
"""

from __future__ import annotations

import copy
import math
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch


@dataclass(frozen=True)
class Recipe:
    """How to train. average: share of the old weights kept at each step in the running average."""

    epochs: int
    batch: int
    learning_rate: float = 2e-3
    weight_decay: float = 5e-4
    warmup: float = 0.05
    average: float = 0.998
    half_precision: bool = True
    seed: int = 0


@dataclass(frozen=True)
class Batch:
    """pixels: (b, 1, rows, columns) in [0, 1]; targets: ``batch_idx`` (n,), ``cls`` (n, 1), ``bboxes`` (n,
    4).
    """

    pixels: torch.Tensor
    targets: dict[str, torch.Tensor]


class AveragedWeights:
    """An exponential running average of a network's weights, quick to follow at first."""

    def __init__(self, network: torch.nn.Module, keep: float) -> None:
        self.network = copy.deepcopy(network).eval()
        self.keep, self.steps = keep, 0

    @torch.no_grad()
    def update(self, network: torch.nn.Module) -> None:
        self.steps += 1
        keep = self.keep * (1 - math.exp(-self.steps / 200))
        current = network.state_dict()
        for name, value in self.network.state_dict().items():
            if value.dtype.is_floating_point:
                value.mul_(keep).add_(current[name].detach(), alpha=1 - keep)
            else:
                value.copy_(current[name])


def rate_at(step: int, steps: int, warmup: float) -> float:
    """Factor of the learning rate at a step: a linear rise, then half a cosine down to 1%."""
    rise = max(1, round(warmup * steps))
    if step < rise:
        return (step + 1) / rise
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


def fit(
    network: torch.nn.Module,
    loss: Callable[..., tuple[torch.Tensor, object]],
    batches: Callable[[int], Iterable[Batch]],
    recipe: Recipe,
    *,
    steps_per_epoch: int,
    checkpoint: Path | None = None,
    report: Callable[[int, float, float], None] = lambda epoch, loss, seconds: None,
) -> torch.nn.Module:
    """The network's averaged weights after training.

    batches: for an epoch number, its batches (the same ones for the same number, so that a resumed run ends
    in the same weights). checkpoint: written after each epoch and continued from where it exists.
    report: called with epoch, mean loss and seconds after each epoch.
    """
    optimizer = _optimizer(network, recipe)
    averaged = AveragedWeights(network, recipe.average)
    first = _resume(checkpoint, network, averaged, optimizer)
    steps = recipe.epochs * steps_per_epoch
    for epoch in range(first, recipe.epochs):
        began, total, count = time.monotonic(), 0.0, 0
        network.train()
        for number, batch in enumerate(_ahead(batches(epoch))):
            factor = rate_at(epoch * steps_per_epoch + number, steps, recipe.warmup)
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate * factor
            total += train_step(network, loss, batch, optimizer, half_precision=recipe.half_precision)
            averaged.update(network)
            count += 1
        report(epoch, total / max(count, 1), time.monotonic() - began)
        _keep(checkpoint, epoch + 1, network, averaged, optimizer)
    return averaged.network


def train_step(
    network: torch.nn.Module,
    loss: Callable[..., tuple[torch.Tensor, object]],
    batch: Batch,
    optimizer: torch.optim.Optimizer,
    *,
    half_precision: bool,
) -> float:
    """One step; returns the loss per image. Half precision means bfloat16 in the network, float32 in the
    loss.
    """
    device = batch.pixels.device.type
    pixels = batch.pixels.contiguous(memory_format=torch.channels_last)
    with torch.autocast(device, torch.bfloat16, enabled=half_precision):
        raw = network(pixels)
    raw = {key: value.float() if torch.is_tensor(value) else value for key, value in raw.items()}
    value = loss(raw, batch.targets)[0].sum()
    optimizer.zero_grad(set_to_none=True)
    value.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
    optimizer.step()
    return float(value.detach()) / len(batch.pixels)


def _optimizer(network: torch.nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW; biases and normalisation without weight decay."""
    decayed = [p for p in network.parameters() if p.requires_grad and p.ndim > 1]
    plain = [p for p in network.parameters() if p.requires_grad and p.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": recipe.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate)


def _ahead(batches: Iterable[Batch], depth: int = 3) -> Iterator[Batch]:
    """The same batches in the same order, prepared by a second thread while the network works."""
    ready: queue.Queue[Batch | BaseException | None] = queue.Queue(maxsize=depth)

    def produce() -> None:
        try:
            for batch in batches:
                ready.put(batch)
            ready.put(None)
        except BaseException as error:
            ready.put(error)

    threading.Thread(target=produce, daemon=True).start()
    while (item := ready.get()) is not None:
        if isinstance(item, BaseException):
            raise item
        yield item


def _keep(
    path: Path | None,
    epoch: int,
    network: torch.nn.Module,
    averaged: AveragedWeights,
    optimizer: torch.optim.Optimizer,
) -> None:
    if path is None:
        return
    partial = path.with_suffix(".partial")
    torch.save(
        {
            "epoch": epoch,
            "network": network.state_dict(),
            "averaged": averaged.network.state_dict(),
            "averaged_steps": averaged.steps,
            "optimizer": optimizer.state_dict(),
        },
        partial,
    )
    partial.replace(path)


def _resume(
    path: Path | None, network: torch.nn.Module, averaged: AveragedWeights, optimizer: torch.optim.Optimizer
) -> int:
    """The epoch to go on with. Only tensors and plain values are read from our own checkpoint."""
    if path is None or not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    network.load_state_dict(state["network"])
    averaged.network.load_state_dict(state["averaged"])
    averaged.steps = state["averaged_steps"]
    optimizer.load_state_dict(state["optimizer"])
    return int(state["epoch"])
