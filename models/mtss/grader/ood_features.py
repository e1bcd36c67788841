"""What the check of unknown images (:mod:`models.ood.check`) looks at around the joints of hands or feet: the
texture of each tile, and what the grader makes of it. A film whose joints are found where they should be may
still be none that the grader can read.
"""

from __future__ import annotations

import numpy as np
import torch

from models.common.pixels import on_film_scale, stretch, under_frame
from models.mtss.grader import tiles
from models.mtss.grader.network import JointNetwork
from models.mtss.places import Places
from models.ood.check import Sites
from models.ood.texture import texture

JOINTS = "texture around the joints"


def of_film(network: JointNetwork, pixels: np.ndarray, places: Places) -> dict[str, Sites]:
    """(n, 17 + c) of each place that has a tile: its texture, then the grader's deepest features, pooled."""
    frames = tiles.frames(places)
    if not frames:
        return {}
    grey, spacing = on_film_scale(pixels), (places.mm_per_pixel,) * 2
    shown = [under_frame(grey, spacing, frame, tiles.TILE, tiles.TILE) for frame in frames.values()]
    seen = _seen(network, np.stack([stretch(one) for one in shown]))
    values = np.concatenate([[texture(one) for one in shown], seen], axis=1)
    return {JOINTS: Sites(tuple(unit[1:] for unit in frames), values)}


@torch.inference_mode()
def _seen(network: JointNetwork, images: np.ndarray) -> np.ndarray:
    device = next(network.parameters()).device
    maps = network(torch.from_numpy(images)[:, None].to(device))["maps"]
    found: np.ndarray = maps.float().mean(dim=(2, 3)).cpu().numpy().astype(float)
    return found
