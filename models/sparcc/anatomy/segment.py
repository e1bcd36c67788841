"""Bodies and discs of a stack, with names: the network on every slice, parts put together along the stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from core.domain import Abstained, Image
from core.imaging.sequences import REGIONS
from core.imaging.spine import LEVELS
from models import cards
from models.common.pixels import as_grey, resample
from models.sparcc.anatomy.levels import Found, Named, column_of, name_bodies
from models.sparcc.anatomy.network import build
from models.sparcc.anatomy.parts import LIMIT, bodies_of, discs_of
from models.sparcc.anatomy.samples import MM
from models.sparcc.anatomy.targets import CHANNELS
from models.sparcc.anatomy.upright import upright
from models.sparcc.rule.stack import Anatomy
from models.sparcc.triples import triple
from models.sparcc.windows import window_around

NAME = "anatomy"
AT_ONCE = 1  # slices of each side that are looked at together
MIDDLE = 3  # slices that show where the column is
MARGIN = 64  # pixels of the network's in front of and behind the bodies, within which it decides


@dataclass(frozen=True)
class Segmented:
    """labels (frames, rows, columns) uint16: bodies from 1 in no order, then discs from the one above the
    uppermost body downwards. levels: label -> level of a body, unit of a disc (``L4L5``). named: the
    names of the bodies and how sure they are, or why there are none. chances (channels, frames, rows,
    columns) float16 of ``targets.CHANNELS``.
    """

    labels: np.ndarray
    bodies: tuple[Found, ...]
    named: Named | Abstained
    levels: dict[int, str]
    chances: np.ndarray

    def anatomy(self) -> Anatomy:
        """Masks and names as the rule takes them, with how sure the names are."""
        sure = self.named.confidence if isinstance(self.named, Named) else 0.0
        return Anatomy(self.labels, self.levels, dict.fromkeys(self.levels.values(), sure))


class Segmenter:
    """Looks for bodies and discs with one network."""

    def __init__(self, network: torch.nn.Module) -> None:
        self.network = network.eval()

    def chances(self, frames: np.ndarray, spacing_mm: tuple[float, float]) -> np.ndarray:
        """(channels, frames, rows, columns) float16: chance of each pixel. frames: in spatial order.

        The slices in the middle are looked at whole; the others only in front of and behind the bodies found
        there as far as ``MARGIN``, and from the middle outwards until slices show no body any more. Beyond
        that nothing has a chance.
        """
        grey = as_grey(frames)
        if not np.allclose(spacing_mm, MM, atol=0.02):
            grey = np.stack([resample(frame, spacing_mm, MM) for frame in grey])
        rows, columns = grey.shape[1:]
        step: int = self.network.multiple  # type: ignore[assignment]
        padded = np.pad(grey, ((0, 0), (0, -rows % step), (0, -columns % step)))
        middle = middle_of(len(padded))
        whole = self._of(padded, middle)
        found = np.zeros((whole.shape[1], *padded.shape), np.float32)
        found[:, middle] = whole.swapaxes(0, 1)
        body = whole[:, CHANNELS.index("body")] > LIMIT
        _, band = window_around(np.asarray(body.any(axis=0)), MARGIN, step)
        left, right = list(range(middle[0]))[::-1], list(range(middle[-1] + 1, len(padded)))
        while places := sorted([*left[:AT_ONCE], *right[:AT_ONCE]]):
            some = self._of(padded[:, :, band], places)
            found[:, places, :, band] = some.swapaxes(0, 1)
            shown = dict(zip(places, some[:, CHANNELS.index("body")] > LIMIT, strict=True))
            left, right = (_beyond(side, shown) if body.any() else side[AT_ONCE:] for side in (left, right))
        return _at_size(found[:, :, :rows, :columns], frames.shape[1:])

    def _of(self, frames: np.ndarray, places: Sequence[int]) -> np.ndarray:
        """(places, channels, rows, columns): chances on some of the frames."""
        pixels = torch.from_numpy(np.stack([triple(frames, place) for place in places]))
        with torch.inference_mode():
            scores = self.network(pixels.contiguous(memory_format=torch.channels_last))
        return np.asarray(torch.sigmoid(scores.float()).numpy())

    def segment(self, image: Image) -> Segmented | Abstained:
        """Bodies and discs of a sagittal stack, in the order and direction of its frames.

        Abstains where the files do not say how large pixels are, and where slices are not sagittal.
        """
        if image.spacing_mm is None:
            return Abstained("the files do not say how large its pixels are")
        way = upright(image)
        if isinstance(way, str):
            return Abstained(way)
        chances = self.chances(way.stand(image.frames), image.spacing_mm)
        labels, bodies = bodies_of(chances, image.spacing_mm, way.step_mm)
        discs, bodies = discs_of(chances, labels, bodies, image.spacing_mm)
        named = name_bodies(bodies, region_of(image))
        labels = np.where(discs > 0, len(bodies) + discs, labels).astype(np.uint16)
        levels = levels_of(bodies, named)
        return Segmented(way.back(labels), tuple(bodies), named, levels, way.back(chances))


def middle_of(count: int) -> list[int]:
    """The places of the slices in the middle of a stack, at most ``MIDDLE``."""
    start = max((count - MIDDLE) // 2, 0)
    return list(range(start, min(start + MIDDLE, count)))


def _beyond(side: list[int], shown: Mapping[int, np.ndarray]) -> list[int]:
    """What is left of a side's slices from the middle outwards; nothing once those looked at show no body."""
    return side[AT_ONCE:] if any(shown[place].any() for place in side[:AT_ONCE]) else []


def build_segmenter(size: str = "demo", folder: Path = cards.FOLDER) -> Segmenter:
    """The segmenter with its weights. Raises ModelError where they are absent or damaged."""
    card: dict[str, Any] = cards.read_card("sparcc", size, folder)
    network = build(size, len(card["networks"][NAME]["classes"]))
    cards.load_into(network, card, NAME, folder)
    return Segmenter(network.to(memory_format=torch.channels_last))


def region_of(image: Image) -> str:
    """The region that a stack is filed under, ``""`` where unknown."""
    return image.region or next((name for name in REGIONS if name in image.body_part), "")


def levels_of(bodies: Sequence[Found], named: Named | Abstained) -> dict[int, str]:
    """Label -> name of bodies, and of discs, which follow them from head to foot; none without names."""
    if isinstance(named, Abstained):
        return {}
    names = [named.levels[body.label] for body in column_of(bodies)]
    first = LEVELS.index(names[0])
    around = LEVELS[max(first - 1, 0) : first + len(names) + 1]
    number = len(bodies) + (1 if first else 2)
    discs = {number + place: upper + lower for place, (upper, lower) in enumerate(pairwise(around))}
    return dict(named.levels) | discs


def _at_size(planes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(channels, frames, rows, columns) at another number of rows and columns, float16."""
    if planes.shape[2:] == size:
        return planes.astype(np.float16)
    resized = [
        [cv2.resize(one, size[::-1], interpolation=cv2.INTER_LINEAR) for one in each] for each in planes
    ]
    return np.asarray(resized, dtype=np.float16)
