"""From class scores to grades: calibrated probabilities and the rule that picks one grade.

Settings are fitted on tuning patients (:mod:`models.msasss.tune`) and travel in the weights card.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class GradingRule:
    """matrix (4, 4) and offset (4,): class logits -> logits of the grades (multinomial logistic regression).

    class_weight (4,): the grade is the largest of class weight x probability, so that rare grades are not
    drowned.
    """

    matrix: tuple[tuple[float, ...], ...]
    offset: tuple[float, ...]
    class_weight: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """(n, 4) class logits -> (n, 4) grade probabilities; rows sum to 1."""
        scores = np.clip(logits, -12, 12) @ np.array(self.matrix).T + np.array(self.offset)
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(scores / scores.sum(axis=1, keepdims=True))

    def grades(self, probabilities: np.ndarray) -> np.ndarray:
        """(n, 4) probabilities -> (n,) grades."""
        return np.asarray(np.argmax(probabilities * np.array(self.class_weight), axis=1))

    def as_card(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_card(cls, card: dict[str, Any]) -> GradingRule:
        return cls(
            tuple(tuple(row) for row in card["matrix"]), tuple(card["offset"]), tuple(card["class_weight"])
        )


PLAIN = GradingRule(tuple(tuple(float(i == j) for j in range(4)) for i in range(4)), (0.0, 0.0, 0.0, 0.0))
