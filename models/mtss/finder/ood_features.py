"""What the check of unknown images (:mod:`models.ood.check`) looks at in the anatomy of hands or feet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from models.mtss.finder.limb import Limb

MIN_AWAY_MM = 0.3  # below which it does not matter how well a mean limb lies
MIN_UNCERTAINTY = 0.02


def anatomy(limbs: Sequence[Limb]) -> np.ndarray | None:
    """(9,) of the two limbs of a view, in the order in which they look left and right: log size against the
    mean limb and how it differs, tilt of each (degrees), log mm by which its sites lie off the mean limb, log
    uncertainty of its sites, and log distance between both in sizes. None where one is not laid out.
    """
    laid = [limb.laid for limb in limbs if limb.laid is not None and limb.good.any()]
    if len(laid) < 2:
        return None
    sizes = np.log([one.size for one in laid])
    away = [
        max(float(one.away[limb.good].mean()), MIN_AWAY_MM) for one, limb in zip(laid, limbs, strict=True)
    ]
    uncertainty = [max(1 - float(limb.sure[limb.good].mean()), MIN_UNCERTAINTY) for limb in limbs]
    middles = [limb.points[limb.good].mean(axis=0) for limb in limbs]
    apart = float(np.linalg.norm(middles[0] - middles[1])) / float(np.exp(sizes.mean()))
    return np.array(
        [
            sizes.mean(),
            sizes[0] - sizes[1],
            *(one.tilt for one in laid),
            *np.log(away),
            *np.log(uncertainty),
            np.log(max(apart, 1.0)),
        ]
    )
