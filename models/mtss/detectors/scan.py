"""One detector slid over one film: windows in batches, boxes on the half-size film.

Every window is computed as if it were alone, so batches give the same boxes; windows without content are left
out. Nothing above this file sees a tensor.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torchvision.models.detection.ssd import SSD

from models.mtss.detectors.detections import Detections, gather, joints_of
from models.mtss.detectors.joints import AFFECTED
from models.mtss.detectors.network import channels
from models.mtss.detectors.windows import cut, has_content, origins

BATCH = 8


def scan(
    network: SSD, film: np.ndarray, most: int, *, batch: int = BATCH, skip_empty: bool = True
) -> Detections:
    """The joints that a detector sees on a half-size film (rows, columns) in [0, 1]: at most ``most``.

    Boxes are corners on the half-size film. network: in evaluation mode.
    """
    return joints_of(proposals(network, film, batch=batch, skip_empty=skip_empty), most)


def proposals(network: SSD, film: np.ndarray, *, batch: int = BATCH, skip_empty: bool = True) -> Detections:
    """Every box that any window proposes, before thresholds and suppression over the film."""
    places = origins(*film.shape)
    if skip_empty:
        places = places[has_content(film, places)]
    found = [one for group in _groups(places, batch) for one in _windows(network, film, group)]
    return gather(found, places)


def _groups(places: np.ndarray, batch: int) -> Iterator[np.ndarray]:
    for start in range(0, len(places), batch):
        yield places[start : start + batch]


@torch.inference_mode()
def _windows(network: SSD, film: np.ndarray, places: np.ndarray) -> list[Detections]:
    device = next(network.parameters()).device
    pixels = torch.from_numpy(np.stack([cut(film, place) for place in places]))[:, None].to(device)
    pixels = pixels.expand(-1, channels(network), -1, -1)
    return [
        Detections(
            one["boxes"].cpu().numpy().astype(float),
            one["scores"].cpu().numpy().astype(float),
            (one["labels"] == AFFECTED).cpu().numpy(),
        )
        for one in network(list(pixels))
    ]
