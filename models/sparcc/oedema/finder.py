"""Marrow oedema on a stack: the network on every slice, and masks at the operating point of its card."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from scipy import ndimage

from core.domain import Image
from core.errors import InputError, ModelError
from models import cards
from models.common.pixels import as_grey
from models.sparcc.anatomy.upright import upright
from models.sparcc.oedema.network import build
from models.sparcc.oedema.samples import at_network_size
from models.sparcc.triples import Edge, triples
from models.sparcc.windows import window_around

NAME = "oedema"
BATCH = 4
MARGIN = 48  # pixels of the network's beside what it is asked for


@dataclass(frozen=True)
class Point:
    """From chances to masks. extent: chance above which a pixel can be oedema. threshold: chance that some
    pixel of a patch must reach. min_area_mm2: a smaller patch is none.
    """

    threshold: float
    extent: float
    min_area_mm2: float = 0.0

    def as_card(self) -> dict[str, float]:
        """Entries of the network's card."""
        return asdict(self)


@dataclass(frozen=True)
class Patch:
    """Pixels of one slice that hang together above ``extent``. peak: their highest chance."""

    frame: int
    pixels: tuple[np.ndarray, np.ndarray]
    peak: float
    area_mm2: float


def patches(chances: np.ndarray, extent: float, spacing_mm: tuple[float, float]) -> list[Patch]:
    """The patches of a stack, from chances (frames, rows, columns); also pixels at a corner touch."""
    found = []
    for frame, picture in enumerate(np.asarray(chances, dtype=np.float32)):
        labels, _ = ndimage.label(picture > extent, np.ones((3, 3), int))
        for label, box in enumerate(ndimage.find_objects(labels), 1):
            rows, columns = np.nonzero(labels[box] == label)
            pixels = rows + box[0].start, columns + box[1].start
            area = len(rows) * spacing_mm[0] * spacing_mm[1]
            found.append(Patch(frame, pixels, float(picture[pixels].max()), area))
    return found


class OedemaFinder:
    """Looks for marrow oedema with one network, at one operating point."""

    def __init__(self, network: torch.nn.Module, point: Point, edge: Edge = Edge.REPLICATE) -> None:
        self.network = network.eval()
        self.point = point
        self.edge = edge

    def chances(self, image: Image, within: np.ndarray | None = None) -> np.ndarray:
        """(frames, rows, columns) float16, 0 to 1: chance of each pixel to be oedema, in the order and
        direction of the image's frames.

        within (frames, rows, columns): where it is asked for. Frames on which it is asked for nowhere are not
        looked at, the others only around that, at least ``MARGIN`` pixels to each side, and nothing there has
        a chance. Everywhere without it.
        Raises InputError where the files do not say how large pixels are, or slices are not sagittal.
        """
        if image.spacing_mm is None:
            raise InputError(
                f"stack {image.image}", "the files must say how large its pixels are", "leave it out"
            )
        way = upright(image)
        if isinstance(way, str):
            raise InputError(f"stack {image.image}", f"{way}, as they must be", "leave it out")
        standing = way.stand(image.frames)
        grey = at_network_size(as_grey(standing), image.spacing_mm)
        shown = triples(grey, way.places_mm, self.edge)
        found = np.zeros(standing.shape, np.float16)
        asked = np.ones(standing.shape, bool) if within is None else way.stand(np.asarray(within, dtype=bool))
        has_any = np.asarray(asked.any(axis=(1, 2)))
        wanted = np.flatnonzero(has_any[shown.frames])
        for start in range(0, len(wanted), BATCH):
            some = wanted[start : start + BATCH]
            found[shown.frames[some]] = self._of(shown.pixels[some], np.asarray(asked.any(axis=0)))
        return way.back(np.where(asked, found, np.float16(0)))

    def _of(self, pixels: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """Chances of the size of ``asked`` (rows, columns), around what is set there, for triples (n, 3,
        rows, columns).
        """
        rows, columns = pixels.shape[2:]
        size = asked.shape
        step: int = self.network.multiple  # type: ignore[assignment]
        padded = np.pad(pixels, ((0, 0), (0, 0), (0, -rows % step), (0, -columns % step)))
        coarse = cv2.resize(asked.astype(np.uint8), (columns, rows), interpolation=cv2.INTER_NEAREST) > 0
        across, along = window_around(np.pad(coarse, ((0, -rows % step), (0, -columns % step))), MARGIN, step)
        part = np.ascontiguousarray(padded[:, :, across, along])
        with torch.inference_mode():
            scores = self.network(torch.from_numpy(part).contiguous(memory_format=torch.channels_last))
        whole = np.zeros((len(pixels), *padded.shape[2:]), np.float32)
        whole[:, across, along] = torch.sigmoid(scores.float()).numpy()[:, 0]
        sure = whole[:, :rows, :columns]
        if sure.shape[1:] == size:
            return np.asarray(sure)
        return np.stack([cv2.resize(one, size[::-1], interpolation=cv2.INTER_LINEAR) for one in sure])

    def masks(self, image: Image) -> np.ndarray:
        """(frames, rows, columns) bool: oedema at the operating point."""
        if image.spacing_mm is None:
            raise InputError(
                f"stack {image.image}", "the files must say how large its pixels are", "leave it out"
            )
        return self.masks_of(self.chances(image), image.spacing_mm)

    def masks_of(self, chances: np.ndarray, spacing_mm: tuple[float, float]) -> np.ndarray:
        """The same of chances that are there already."""
        found = np.zeros(chances.shape, bool)
        for patch in patches(chances, self.point.extent, spacing_mm):
            if patch.peak >= self.point.threshold and patch.area_mm2 >= self.point.min_area_mm2:
                found[patch.frame][patch.pixels] = True
        return found


def build_finder(size: str = "demo", folder: Path = cards.FOLDER) -> OedemaFinder:
    """The finder with its weights and operating point. Raises ModelError where they are absent or damaged."""
    card: dict[str, Any] = cards.read_card("sparcc", size, folder)
    if "threshold" not in card["networks"].get(NAME, {}):
        raise ModelError(
            f"the card of sparcc in size {size} in {folder}",
            "it must have a network of oedema and its operating point",
            "train with: sharpline train sparcc",
        )
    about = card["networks"][NAME]
    point = Point(about["threshold"], about["extent"], about["min_area_mm2"])
    return finder_of(card, size, folder, point)


def finder_of(card: dict[str, Any], size: str, folder: Path, point: Point | None = None) -> OedemaFinder:
    """The finder with a card's weights at a point; without one, to see chances by."""
    network = build(size)
    cards.load_into(network, card, NAME, folder)
    edge = Edge(card["networks"][NAME]["edge"])
    return OedemaFinder(network.to(memory_format=torch.channels_last), point or Point(1.0, 1.0), edge)
