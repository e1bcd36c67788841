"""The one training loop of all networks: averaged weights, a cosine schedule, a checkpoint each epoch."""

from __future__ import annotations

import copy
import math
import platform
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel

from core.errors import InputError

Loss = Callable[[Any, Any], torch.Tensor]
PARTS = 10_000  # of a schedule that runs by the clock as well as by steps


@dataclass(frozen=True)
class Recipe:
    """How to train. images: drawn in each epoch, as many as there are samples if None. average: proportion of
    the old weights kept at each step in the running average. half_precision: in bfloat16 where the processor
    computes with it (``computes_in_half``). seconds: an upper limit, at which training ends;
    with one (infinity included) the schedule follows the proportion of steps or of time spent, whichever is
    more. patience: epochs without a lower loss on films held out after which training ends, with the weights
    of the best one; None trains to the end.
    """

    epochs: int
    batch: int
    learning_rate: float = 2e-3
    weight_decay: float = 5e-4
    warmup: float = 0.05
    average: float = 0.998
    half_precision: bool = True
    seed: int = 0
    images: int | None = None
    seconds: float | None = None
    patience: int | None = None

    def drawn(self, samples: int) -> int:
        """Images of an epoch, of so many samples."""
        return self.images or samples

    def steps(self, samples: int) -> int:
        """Steps of an epoch: whole batches only, but at least one."""
        return max(1, self.drawn(samples) // self.batch)

    def as_card(self) -> dict[str, Any]:
        """What is set and finite, as the card keeps it; the precision is the one that is computed in here."""
        card = asdict(self) | {"half_precision": self.half_precision and computes_in_half()}
        return {name: value for name, value in card.items() if value not in (None, math.inf)}

    def as_budget(self, counted: str) -> dict[str, Any]:
        """The same for a network trained by a number of images, which the card calls ``counted``."""
        card = self.as_card()
        del card["epochs"]
        return {counted: card.pop("images")} | card


@dataclass(frozen=True)
class Batch:
    """pixels: (b, channels, rows, columns) in [0, 1]. targets: whatever the network's loss compares with."""

    pixels: torch.Tensor
    targets: Any


@dataclass(frozen=True)
class Progress:
    """Epochs and images done, mean loss since the last report, and seconds since the start."""

    epochs: int
    images: int
    loss: float
    seconds: float


@dataclass(frozen=True)
class Fitted:
    """The averaged weights in evaluation mode, and how far training came. loss: mean of the last 50 steps.
    best_epoch: whose weights they are, None where no films were held out to tell.
    """

    network: Any
    images: int
    seconds: float
    loss: float
    best_epoch: int | None = None


Report = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """A report to nobody."""


def adamw(network: torch.nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW; biases and normalisation without weight decay."""
    decayed = [p for p in network.parameters() if p.requires_grad and p.ndim > 1]
    plain = [p for p in network.parameters() if p.requires_grad and p.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": recipe.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate)


@cache
def computes_in_half(device: str = "cpu") -> bool:
    """Whether a processor has instructions for bfloat16. One that has none imitates them, ten times slower
    than it computes in float32.
    """
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device != "cpu":
        return False
    if platform.machine().lower() in ("aarch64", "arm64"):
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def read_pixels(network: torch.nn.Module, batch: Batch) -> Any:
    """The network's raw output for a batch."""
    return network(batch.pixels)


@dataclass(frozen=True)
class Descent:
    """How a network goes down its loss. forward: raw output for a batch, computed in bfloat16 where the
    recipe says half precision and the processor has it. loss: of raw output in float32 and targets. clip:
    limit of the gradient's norm. summed: the loss is a sum over the batch and is reported for each image.
    """

    loss: Loss
    forward: Callable[[Any, Batch], Any] = read_pixels
    optimizer: Callable[[torch.nn.Module, Recipe], torch.optim.Optimizer] = adamw
    clip: float = 10.0
    summed: bool = False

    def step(
        self, network: torch.nn.Module, batch: Batch, optimizer: torch.optim.Optimizer, *, half: bool
    ) -> float:
        """One step; returns the loss."""
        pixels = batch.pixels.contiguous(memory_format=torch.channels_last)
        kind = pixels.device.type
        with torch.autocast(kind, torch.bfloat16, enabled=half and computes_in_half(kind)):
            raw = self.forward(network, Batch(pixels, batch.targets))
        value = self.loss(_as_float(raw), batch.targets)
        optimizer.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), self.clip)
        optimizer.step()
        return float(value.detach()) / (len(pixels) if self.summed else 1)


def _as_float(raw: Any) -> Any:
    if isinstance(raw, dict):
        return {key: _as_float(value) for key, value in raw.items()}
    return raw.float() if torch.is_tensor(raw) else raw


def fit(
    network: torch.nn.Module,
    descent: Descent,
    batches: Callable[[int], Iterable[Batch]],
    recipe: Recipe,
    *,
    steps_per_epoch: int,
    checkpoint: Path | None = None,
    report: Report = silent,
    report_steps: int | None = None,
    watch: Callable[[torch.nn.Module], float] | None = None,
) -> Fitted:
    """Train a network. Same seed and same batches, same weights.

    batches: for an epoch number, its batches (the same ones for the same number, so that a resumed run ends
    in the same weights). checkpoint: written after each epoch and continued from where it exists.
    report: called after each epoch, and every ``report_steps`` steps. watch: loss on films held out, of the
    averaged weights after each epoch; the best ones are returned. Raises InputError where the checkpoint is
    of another version.
    """
    began = time.monotonic()
    optimizer = descent.optimizer(network, recipe)
    schedule = LambdaLR(optimizer, _factor(recipe, recipe.epochs * steps_per_epoch, began))
    averaged = averaged_copy(network, recipe.average)
    best = _Best()
    state = {"network": network, "averaged": averaged, "optimizer": optimizer, "schedule": schedule}
    state |= {"best": best} if watch is not None else {}
    losses: deque[float] = deque(maxlen=50)
    first = _resume(checkpoint, state)
    images, elapsed = first * steps_per_epoch * recipe.batch, 0.0
    for epoch in range(first, recipe.epochs):
        network.train()
        recent: list[float] = []
        for step, batch in enumerate(ahead(batches(epoch)), 1):
            elapsed = time.monotonic() - began
            recent.append(descent.step(network, batch, optimizer, half=recipe.half_precision))
            averaged.update_parameters(network)
            schedule.step()
            losses.append(recent[-1])
            images += len(batch.pixels)
            if report_steps and step % report_steps == 0:
                report(Progress(epoch, images, sum(recent) / len(recent), elapsed))
                recent = []
            if elapsed > (recipe.seconds or math.inf):
                break
        if recent:
            report(Progress(epoch + 1, images, sum(recent) / len(recent), time.monotonic() - began))
        if watch is not None:
            best.look(epoch + 1, watch(averaged.module), averaged.module)
        _keep(checkpoint, epoch + 1, state)
        if elapsed > (recipe.seconds or math.inf) or best.is_over(recipe.patience):
            break
    best.give_back(averaged.module)
    seconds, loss = time.monotonic() - began, sum(losses) / max(len(losses), 1)
    return Fitted(averaged.module.eval(), images, seconds, loss, best.epoch or None)


class _Best:
    """The weights with the lowest loss on films held out, and how many epochs ago that was."""

    def __init__(self) -> None:
        self.epoch, self.loss, self.ago = 0, math.inf, 0
        self.weights: dict[str, torch.Tensor] = {}

    def look(self, epoch: int, loss: float, network: torch.nn.Module) -> None:
        """Keep the network's weights where its loss is lower than before."""
        self.ago += 1
        if loss < self.loss:
            self.epoch, self.loss, self.ago = epoch, loss, 0
            self.weights = {name: value.detach().clone() for name, value in network.state_dict().items()}

    def is_over(self, patience: int | None) -> bool:
        """Whether so many epochs brought nothing new."""
        return patience is not None and self.ago >= patience

    def give_back(self, network: torch.nn.Module) -> None:
        """Put the best weights into the network; as it is where none were kept."""
        if self.weights:
            network.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"epoch": self.epoch, "loss": self.loss, "ago": self.ago, "weights": self.weights}

    def load_state_dict(self, kept: dict[str, Any]) -> None:
        """From a checkpoint."""
        self.epoch, self.loss, self.ago = kept["epoch"], kept["loss"], kept["ago"]
        self.weights = kept["weights"]


def loss_on(network: torch.nn.Module, descent: Descent, batches: Iterable[Batch]) -> float:
    """Mean loss over batches, nothing learned: dropout off, normalisation by its running figures."""
    still = copy.deepcopy(network).train()  # some networks give what the loss needs in training only
    for part in still.modules():
        if isinstance(part, torch.nn.modules.batchnorm._BatchNorm | torch.nn.modules.dropout._DropoutNd):
            part.eval()
    total, count = 0.0, 0
    with torch.no_grad():
        for batch in batches:
            value = float(descent.loss(_as_float(descent.forward(still, batch)), batch.targets))
            total += value if descent.summed else value * len(batch.pixels)
            count += len(batch.pixels)
    return total / max(count, 1)


def averaged_copy(network: torch.nn.Module, keep: float) -> AveragedModel:
    """An exponential running average of a network's weights and buffers, quick to follow at first."""

    def average(old: torch.Tensor, new: torch.Tensor, count: torch.Tensor | int) -> torch.Tensor:
        if not old.dtype.is_floating_point:
            return new
        kept = keep * (1 - math.exp(-int(count) / 200))
        return old.mul_(kept).add_(new, alpha=1 - kept)

    averaged = AveragedModel(network, avg_fn=average, use_buffers=True).eval()
    averaged.n_averaged.fill_(1)  # the weights at the start count as the first ones
    return averaged


def rate_at(step: int, steps: int, warmup: float) -> float:
    """Factor of the learning rate at a step: a linear rise, then half a cosine down to 1%."""
    rise = max(1, round(warmup * steps))
    if step < rise:
        return (step + 1) / rise
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


def _factor(recipe: Recipe, steps: int, began: float) -> Callable[[int], float]:
    """Factor of the learning rate at a step, for LambdaLR."""
    if recipe.seconds is None:
        return lambda step: rate_at(step, steps, recipe.warmup)
    limit = recipe.seconds

    def by_share(step: int) -> float:
        done = max(step / steps, (time.monotonic() - began) / limit)
        return rate_at(int(done * PARTS), PARTS, recipe.warmup)

    return by_share


def ahead(batches: Iterable[Batch], depth: int = 3) -> Iterator[Batch]:
    """The same batches in the same order, prepared by a second thread while the network works.

    A ``DataLoader`` would need a process of its own for that, which a process of a pool may not start.
    """
    source = iter(batches)
    with ThreadPoolExecutor(1) as second:
        waiting = deque(second.submit(next, source, None) for _ in range(depth))
        while (batch := waiting.popleft().result()) is not None:
            waiting.append(second.submit(next, source, None))
            yield batch


def _keep(path: Path | None, epochs: int, state: dict[str, Any]) -> None:
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save({"epochs": epochs} | {name: part.state_dict() for name, part in state.items()}, partial)
    partial.replace(path)


def _resume(path: Path | None, state: dict[str, Any]) -> int:
    """The epoch to go on with. Only tensors and plain values are read from our own checkpoint."""
    if path is None or not path.exists():
        return 0
    kept = torch.load(path, weights_only=True)
    if kept.keys() != {"epochs", *state}:
        raise InputError(str(path), "a checkpoint of this version is needed", "remove it and train again")
    for name, part in state.items():
        part.load_state_dict(kept[name])
    return int(kept["epochs"])
