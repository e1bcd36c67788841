"""What the site finder knows of a film of hands or feet, as numbers for the check of films that it does not
know (:mod:`models.ood.check`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch

from models.ood import check as ood

if TYPE_CHECKING:
    from models.mtss.finder.limb import Limb
    from models.mtss.finder.network import FinderNet

LEAST_AWAY_MM = 0.3  # below which it does not matter how well a mean limb lies
LEAST_DOUBT = 0.02


@contextmanager
def kept(network: FinderNet) -> Iterator[list[torch.Tensor]]:
    """The deepest features of every film that the network sees meanwhile."""
    made: list[torch.Tensor] = []
    handle = network.down[-1].register_forward_hook(lambda module, given, output: made.append(output))
    try:
        yield made
    finally:
        handle.remove()


def film_features(grey: np.ndarray, features: torch.Tensor) -> dict[str, np.ndarray]:
    """Of any image, hands or not. grey: in [0, 1] at 0.6 mm. features: (1, c, rows, columns) made of it."""
    pooled = features[0].float().mean(dim=(1, 2)).cpu().numpy().astype(float)
    return {"exposure": ood.exposure(grey), "what the network sees": pooled}


def anatomy(limbs: Sequence[Limb]) -> np.ndarray | None:
    """(9,) of the two limbs of a view, in the order in which they look left and right: log size against the
    mean limb and how it differs, tilt of each (degrees), log mm by which its sites lie off the mean limb, log
    doubt about its sites, and log distance between both in sizes. None where one is not laid out.
    """
    laid = [limb.laid for limb in limbs if limb.laid is not None and limb.good.any()]
    if len(laid) < 2:
        return None
    sizes = np.log([one.size for one in laid])
    away = [
        max(float(one.away[limb.good].mean()), LEAST_AWAY_MM) for one, limb in zip(laid, limbs, strict=True)
    ]
    doubt = [max(1 - float(limb.sure[limb.good].mean()), LEAST_DOUBT) for limb in limbs]
    middles = [limb.points[limb.good].mean(axis=0) for limb in limbs]
    apart = float(np.linalg.norm(middles[0] - middles[1])) / float(np.exp(sizes.mean()))
    return np.array(
        [
            sizes.mean(),
            sizes[0] - sizes[1],
            *(one.tilt for one in laid),
            *np.log(away),
            *np.log(doubt),
            np.log(max(apart, 1.0)),
        ]
    )
