"""The five ResNet18 networks: their layers, their weights, and what they say of pictures.

``full`` is torchvision's ResNet18; ``demo`` is the same class with half the width. Pictures come from
``core.imaging.ultrasound.for_network``: scan area cut out, furniture hidden, millimetres square.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models.resnet import BasicBlock, ResNet

from core.errors import ModelError
from models import cards
from models.common.hooks import layer_outputs
from models.synovitis.calibration import Calibration
from models.synovitis.tasks import GRADE, TASKS, classes_of

SYSTEM = "synovitis"
PIXELS = 160  # side of a picture
MEAN, SD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, as its weights expect
BATCH = 32
PARTS = {"full": 1, "demo": 2}  # by which the width is divided
FIRST = 64  # channels of ResNet18's first layer
SEEN = 0.6  # of a picture's rows, from the probe down: below lies the shadow of bone


class ResNet18(ResNet):
    """torchvision's ResNet18 with ``classes`` outputs; every layer has its width divided by ``part``."""

    def __init__(self, classes: int, part: int = 1) -> None:
        self.part = part
        super().__init__(BasicBlock, [2, 2, 2, 2], num_classes=classes)
        if part > 1:
            width = FIRST // part
            self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
            nn.init.kaiming_normal_(self.conv1.weight, mode="fan_out", nonlinearity="relu")
            self.bn1 = nn.BatchNorm2d(width)
            self.fc = nn.Linear(8 * width, classes)

    def _make_layer(
        self, block: Any, planes: int, blocks: int, stride: int = 1, dilate: bool = False
    ) -> nn.Sequential:
        if planes == FIRST:
            self.inplanes = FIRST // self.part
        return super()._make_layer(block, planes // self.part, blocks, stride, dilate)


def seen_rows(rows: int) -> int:
    """How many rows of so many the networks look at."""
    return round(SEEN * rows)


def build(task: str, size: str = "demo") -> ResNet18:
    """The network of a task with random weights."""
    return ResNet18(len(classes_of(task)), PARTS[size])


def as_input(pictures: np.ndarray) -> torch.Tensor:
    """(n, rows, columns, 3) uint8 -> (n, 3, ``seen_rows(rows)``, columns) as the networks expect them."""
    return normalised(pictures[:, : seen_rows(pictures.shape[1])])


def normalised(seen: np.ndarray) -> torch.Tensor:
    """The rows that the networks look at, (n, rows, columns, 3) uint8, as they expect them."""
    values = torch.from_numpy(np.ascontiguousarray(seen)).permute(0, 3, 1, 2).float() / 255
    mean, sd = (torch.tensor(one).view(3, 1, 1) for one in (MEAN, SD))
    return ((values - mean) / sd).contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True)
class Classifier:
    """A network with its calibration. ``network.layer4`` is its deepest layer."""

    task: str
    network: ResNet18
    calibration: Calibration

    @property
    def classes(self) -> tuple[str, ...]:
        """What the places of the probabilities stand for."""
        return classes_of(self.task)

    def logits(self, pictures: np.ndarray) -> np.ndarray:
        """(n, rows, columns, 3) uint8 -> (n, classes) as the network says them, float32."""
        found = np.zeros((len(pictures), len(self.classes)), np.float32)
        with torch.inference_mode():
            for start in range(0, len(pictures), BATCH):
                batch = slice(start, start + BATCH)
                found[batch] = self.network(as_input(pictures[batch])).numpy()
        return found

    def predict(self, pictures: np.ndarray) -> np.ndarray:
        """(n, rows, columns, 3) uint8 -> (n, classes) calibrated probabilities; rows sum to 1."""
        return self.calibration.probabilities(self.logits(pictures))

    def predict_and_pool(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same, and the mean of each channel of ``layer3``, (n, channels)."""
        with layer_outputs(self.network.layer3) as seen:
            logits = self.logits(pictures)
        pooled = [one.mean(dim=(2, 3)).numpy() for one in seen]
        return self.calibration.probabilities(logits), np.concatenate(pooled)

    def answers(self, probabilities: np.ndarray) -> np.ndarray:
        """(n, classes) probabilities -> (n,) places of the classes answered: the grade of ``grade``."""
        return self.calibration.answers(probabilities)


def load(task: str, size: str = "demo", fold: int | None = None, folder: Path = cards.FOLDER) -> Classifier:
    """The network of a task with its weights.

    fold: that which has not learned from the patients of this fold; such weights lie in ``fold0`` and on of
    the folder that ``sharpline train`` wrote, and are not shipped. Raises ModelError where they are absent.
    """
    where = folder if fold is None else folder / f"fold{fold}"
    return of_card(cards.read_card(SYSTEM, size, where), task, size, where)


def of_card(card: dict[str, Any], task: str, size: str = "demo", folder: Path = cards.FOLDER) -> Classifier:
    """The network of a task that a card in a folder names. Raises ModelError where it names none."""
    if task not in card["networks"]:
        has = ", ".join(name for name in TASKS if name in card["networks"]) or "none"
        raise ModelError(f"task {task}", f"the card in {folder} has networks of {has}", "train this one too")
    network = build(task, size)
    cards.load_into(network, card, task, folder)
    network.eval().to(memory_format=torch.channels_last)
    stored = card.get("grading", {}).get(task)
    plain = Calibration.plain(len(classes_of(task)))
    return Classifier(task, network, Calibration.from_card(stored) if stored else plain)


def folded(classifier: Classifier) -> Classifier:
    """The same, changed in place: each normalisation folded into the convolution before it, for use, no more
    for training. Scores differ by rounding alone.
    """
    network = classifier.network.eval()
    network.conv1, network.bn1 = fuse_conv_bn_eval(network.conv1, network.bn1), nn.Identity()
    for block in [part for part in network.modules() if isinstance(part, BasicBlock)]:
        block.conv1, block.bn1 = fuse_conv_bn_eval(block.conv1, block.bn1), nn.Identity()
        block.conv2, block.bn2 = fuse_conv_bn_eval(block.conv2, block.bn2), nn.Identity()
        if block.downsample is not None:
            conv, norm = block.downsample
            block.downsample = nn.Sequential(fuse_conv_bn_eval(conv, norm))
    network.to(memory_format=torch.channels_last)
    return classifier


def predict(classifier: Classifier, pictures: np.ndarray) -> np.ndarray:
    """Calibrated probabilities (n, classes) of pictures (n, rows, columns, 3) uint8."""
    return classifier.predict(pictures)


__all__ = [
    "GRADE", "PIXELS", "TASKS", "Classifier", "ResNet18", "build", "folded", "load", "normalised", "of_card",
    "predict", "seen_rows",
]  # fmt: skip
