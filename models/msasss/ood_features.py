"""What the mSASSS model knows of a film, as numbers for its out-of-distribution check
(:mod:`models.ood.check`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from models.msasss.geometry import Chain
from models.ood import check as ood

LAYER = 10  # of the finder: its deepest features, after the spatial attention


@contextmanager
def kept(finder: torch.nn.Module) -> Iterator[list[torch.Tensor]]:
    """The deepest features of every film that the finder sees meanwhile."""
    made: list[torch.Tensor] = []
    layer: torch.nn.Module = finder.model[LAYER]  # type: ignore[index,assignment]
    handle = layer.register_forward_hook(lambda module, given, output: made.append(output))
    try:
        yield made
    finally:
        handle.remove()


def film_features(image: np.ndarray, features: torch.Tensor) -> dict[str, np.ndarray]:
    """Of any image, a spine or not. image: grey in [0, 1] as the finder sees it. features: (1, c, rows,
    columns) that it made of it."""
    pooled = features[0].float().mean(dim=(1, 2)).cpu().numpy().astype(float)
    return {"exposure": ood.exposure(image), "what the network sees": pooled}


def anatomy(chain: Chain) -> np.ndarray:
    """(5,) of a spine whose units have names: log mm between neighbours, how that changes from head
    to foot, tilt, curvature, and the share of units that were seen."""
    steps = np.diff(chain.xy, axis=0)
    length = np.linalg.norm(steps, axis=1)
    angle = np.degrees(np.arctan2(steps[:, 0], steps[:, 1]))
    place = np.arange(len(steps)) - (len(steps) - 1) / 2
    return np.array(
        [
            np.log(np.mean(length)),
            np.polyfit(place, np.log(np.maximum(length, 1e-3)), 1)[0],
            angle.mean(),
            np.polyfit(place, angle, 1)[0],
            float(chain.seen.mean()),
        ]
    )
