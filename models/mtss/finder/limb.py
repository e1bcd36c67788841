"""One hand or foot as the network locates it: side, landmarks and how sure each is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.mtss.finder.limb_shape import Laid

MIN_SHARE = {"H": 0.6, "F": 0.65}  # of a limb's sites, below which it is not seen whole
SEEN_SHARE = {"H": 0.4, "F": 0.5}  # of a limb's sites, from which on something like it is there


@dataclass(frozen=True)
class Limb:
    """One limb as it looks (``LH``). points (n, 2) pixels at 0.6 mm, sure (n,), its mean limb over them.

    good (n,): sites that are sure enough and lie as they should.
    """

    name: str
    points: np.ndarray
    sure: np.ndarray
    laid: Laid | None
    good: np.ndarray

    @property
    def share(self) -> float:
        return float(self.good.mean())

    @property
    def seen(self) -> bool:
        return self.laid is not None and self.share >= SEEN_SHARE[self.name[1]]

    @property
    def whole(self) -> bool:
        return self.laid is not None and self.share >= MIN_SHARE[self.name[1]]
