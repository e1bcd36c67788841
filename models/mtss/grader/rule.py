"""From what the network says of a site to its grade: calibrated probabilities, and where to cut them.

The network learns on films with more damage than people have, so its probabilities are calibrated on tuning
patients of the plain population: sharpened or flattened, shifted grade by grade and by kind of place, and
tilted by how damaged the whole film looks, since a doubtful joint among clean ones is likelier clean. A grade
is reached where its cumulative probability passes a threshold. All numbers are in the weights card.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from core.scores.mtss import MAXIMUM, MTSS

BLOCKS = tuple(MAXIMUM)  # hand erosion, hand jsn, foot erosion, foot jsn
BLOCK_OF = {(site.unit, site.feature): site.block for site in MTSS.sites}
CODE_OF = {(site.unit, site.feature): site.code for site in MTSS.sites}
CLEAN = 0.02  # mean share of the highest grade on a film below which it looks clean


@dataclass(frozen=True)
class BlockRule:
    """How the sites of one block are graded. sharpness: factor on log probabilities. offset (g,): added to
    them. tilt: added for each grade above 0 and each unit of the film's damage; shift: kind of place
    (``H.MCP2``) -> added for each grade above 0. threshold: of a grade's cumulative probability.
    """

    sharpness: float
    offset: tuple[float, ...]
    tilt: float
    threshold: float = 0.5
    shift: Mapping[str, float] = field(default_factory=dict)

    def probabilities(self, log_seen: np.ndarray, damage: np.ndarray, kinds: Iterable[str]) -> np.ndarray:
        """(n, g) log probabilities of the network, (n,) damage of each site's film and its kind of place ->
        (n, g), rows sum to 1.
        """
        slope = self.tilt * damage + np.array([self.shift.get(kind, 0.0) for kind in kinds])
        logits = self.sharpness * log_seen + np.array(self.offset)
        logits = logits + slope[:, None] * np.arange(len(self.offset))
        logits = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(logits / logits.sum(axis=1, keepdims=True))

    def grades(self, probabilities: np.ndarray) -> np.ndarray:
        """(n, g) -> (n,): the highest grade whose cumulative probability from above passes the threshold."""
        at_least = probabilities[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]
        return np.asarray((at_least > self.threshold).sum(axis=1))

    def as_card(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_card(cls, card: Mapping[str, Any]) -> BlockRule:
        return cls(
            card["sharpness"], tuple(card["offset"]), card["tilt"], card["threshold"], dict(card["shift"])
        )


def plain_rule(block: str) -> BlockRule:
    """The network's own probabilities, cut in the middle."""
    return BlockRule(1.0, (0.0,) * (MAXIMUM[block] + 1), 0.0)


def expected_share(log_seen: np.ndarray) -> np.ndarray:
    """(n, g) log probabilities -> (n,) expected grade as a share of the highest."""
    seen = np.exp(log_seen)
    steps = np.arange(seen.shape[1])
    return np.asarray((seen @ steps) / seen.sum(axis=1) / steps[-1])


def film_damage(shares: np.ndarray) -> float:
    """How damaged a film looks, from the expected shares of all its sites: 0 about the plain median, log
    scale.
    """
    return float(np.log(CLEAN + np.mean(shares)) - np.log(CLEAN + 0.05)) if len(shares) else 0.0
