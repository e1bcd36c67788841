"""What the check of unknown images (:mod:`models.ood.check`) looks at in the anatomy of a spine film."""

from __future__ import annotations

import numpy as np

from models.msasss.geometry import Chain

DEEPEST = 10  # layer of the finder: its deepest features, after the spatial attention


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
