"""What an attention gate of the network of marrow oedema let through, on a slice around a finding.

A gate weighs a skip connection pixel by pixel (Oktay 2018): its weights say where the network passed detail
on, not what is diseased, and not what raised a score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import torch

from core.domain import Image
from core.errors import InputError
from models import cards
from models.common.frames import Frame
from models.common.hooks import layer_outputs
from models.common.pixels import as_grey
from models.explain.box_target import own_copy
from models.explain.question import Picture, Question, spread
from models.sparcc.anatomy.upright import upright
from models.sparcc.oedema.finder import NAME, OedemaFinder, build_finder
from models.sparcc.oedema.network import MM, build
from models.sparcc.oedema.samples import at_network_size
from models.sparcc.system import MAPS
from models.sparcc.triples import Edge, triples
from models.system import Method

METHOD = MAPS[NAME]
SIDE = 192  # pixels of the network's: of the slice around the finding
STAGES = {
    "last layer": ("head",),
    "head": ("up.3", "gates.3", "head"),
    "deep half": ("down.3", "down.4", "gates", "up", "head"),
    "all": ("",),
}
SHIFTS_MM = ((2.0, -1.0), (-1.0, 3.0), (3.0, 3.0))


@dataclass(frozen=True)
class SlicePicture(Picture):
    """A slice between its neighbours. pixels: (3, rows, columns) in [0, 1], ``grey`` the middle one."""

    pixels: np.ndarray = None  # type: ignore[assignment]

    @property
    def tensor(self) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(self.pixels))[None]


class GateExplainer:
    """Maps of a copy of the network. edge: as the finder treats slices without a neighbour."""

    def __init__(self, network: torch.nn.Module, edge: Edge, size: str = "demo") -> None:
        self.networks: Mapping[str, Any] = {NAME: own_copy(network)}
        self.stages = {NAME: STAGES}
        self.shifts_mm = {NAME: SHIFTS_MM}
        self.edge, self.size = edge, size

    def about(self, image: Image, frame: int, marked: np.ndarray) -> Question:
        """Why there is oedema where ``marked`` (rows, columns) is set on a frame of a sagittal stack.

        Raises InputError where the stack is not sagittal, its pixels have no size or nothing is marked.
        """
        way = upright(image)
        if isinstance(way, str) or image.spacing_mm is None or not marked.any():
            why = way if isinstance(way, str) else "the place of the finding must be known in mm"
            raise InputError(f"slice {frame + 1} of stack {image.image}", why, "choose another finding")
        grey = at_network_size(as_grey(way.stand(image.frames)), image.spacing_mm)
        shown = triples(grey, way.places_mm, self.edge)
        place = int(np.flatnonzero(way.order == frame)[0])
        picked = np.flatnonzero(shown.frames == place)
        if not len(picked):
            raise InputError(f"slice {frame + 1}", "the network does not look at it", "choose another")
        stand = np.ascontiguousarray(marked[:: way.rows, :: way.columns]).astype(np.float32)
        rows, columns = np.nonzero(at_network_size(stand[None], image.spacing_mm)[0] > 0)
        top, left = _start(rows, grey.shape[1]), _start(columns, grey.shape[2])
        pixels = _window(shown.pixels[picked[0]], top, left)
        box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], float)
        box -= [left, top, left, top]
        frame_of = Frame(np.array([left, top], float) * MM, np.array([MM, 0.0]), np.array([0.0, MM]))
        picture = SlicePicture(pixels[1], frame_of, (MM, MM), False, pixels)
        return Question(NAME, image.image, ((picture, box),), 0)

    def again(self, film: Image, reading: Any, asked: Question, shift_mm: tuple[float, float]) -> Question:
        """The same question about the picture moved."""
        picture = asked.picture
        assert isinstance(picture, SlicePicture)
        x, y = (one / MM for one in shift_mm)
        way = np.array([[1.0, 0.0, -x], [0.0, 1.0, -y]])
        size = picture.grey.shape[::-1]
        moved = np.stack(
            [cv2.warpAffine(one, way, size, borderMode=cv2.BORDER_REPLICATE) for one in picture.pixels]
        )
        place = replace(picture.frame, origin=picture.frame.origin + np.array(shift_mm))
        there = SlicePicture(moved[1], place, picture.spacing_mm, False, moved)
        return replace(asked, views=((there, asked.box - [x, y, x, y]),))

    def targets(self, question: Question, method: Method | None = None) -> Any:
        """Nothing: a gate is what it is, whatever score is asked about."""
        return None

    def fresh(self, name: str, size: str) -> Any:
        """A network of the same definition with random weights."""
        return build(size)

    def heat(
        self, question: Question, method: Method | None = None, *, targets: Any = None, network: Any = None
    ) -> np.ndarray:
        """Weights of the gate at the size of the picture, float32, scaled to a largest value of 1."""
        used = network or self.networks[NAME]
        layer = used.get_submodule(str((method or METHOD).layer))
        with torch.inference_mode(), layer_outputs(layer) as passed:
            used(question.picture.tensor)
        return spread(passed[0][0, 0].numpy(), question.picture.grey.shape)


def _start(along: np.ndarray, size: int) -> int:
    """Where a window of ``SIDE`` around pixels begins, inside a picture as far as that is large enough."""
    return max(0, min(int(along.mean()) - SIDE // 2, size - SIDE))


def _window(pixels: np.ndarray, top: int, left: int) -> np.ndarray:
    """(channels, SIDE, SIDE), black where the picture ends."""
    part = pixels[:, top : top + SIDE, left : left + SIDE].astype(np.float32)
    return np.pad(part, ((0, 0), (0, SIDE - part.shape[1]), (0, SIDE - part.shape[2])))


def explainer_of(finder: OedemaFinder, size: str) -> GateExplainer:
    """Maps of the network that a finder looks with."""
    return GateExplainer(finder.network, finder.edge, size)


def build_explainer(size: str = "demo") -> GateExplainer:
    """The maps of the shipped weights. Raises ModelError where they are absent."""
    return explainer_of(build_finder(size, cards.FOLDER), size)
