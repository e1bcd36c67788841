"""From what a network says to probabilities that hold, and to one answer.

Temperature scaling with a shift for each class (Alexandari, Kundaje and Shrikumar 2020, ICML, "Maximum
likelihood with bias-corrected calibration is hard-to-beat at label shift adaptation"; Guo et al. 2017, ICML,
for the temperature), fitted on pictures of patients that the network has not learned from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

POWERS = np.linspace(0, 1, 11)  # of the inverse frequency, tried as class weights
FLOOR = 1e-4  # of a frequency


@dataclass(frozen=True)
class Calibration:
    """temperature: logits are divided by it. shift: added to the logit of each class. class_weight: the
    answer is the largest of class weight x probability, so that rare grades are not drowned.
    """

    temperature: float
    shift: tuple[float, ...]
    class_weight: tuple[float, ...]

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """(n, classes) logits -> (n, classes) probabilities; rows sum to 1."""
        return softmax(np.asarray(logits, float) / self.temperature + np.array(self.shift))

    def answers(self, probabilities: np.ndarray) -> np.ndarray:
        """(n, classes) probabilities -> (n,) places of the classes answered."""
        return np.asarray(np.argmax(probabilities * np.array(self.class_weight), axis=1))

    def as_card(self) -> dict[str, Any]:
        """As the card keeps it."""
        return asdict(self)

    @classmethod
    def from_card(cls, card: dict[str, Any]) -> Calibration:
        """What ``as_card`` wrote."""
        return cls(float(card["temperature"]), tuple(card["shift"]), tuple(card["class_weight"]))

    @classmethod
    def plain(cls, classes: int) -> Calibration:
        """That of a network that is taken at its word."""
        return cls(1.0, (0.0,) * classes, (1.0,) * classes)


def softmax(scores: np.ndarray) -> np.ndarray:
    """(n, classes) scores -> probabilities by row."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def fit(logits: np.ndarray, truth: Sequence[int], power: float | None = None) -> Calibration:
    """The calibration of largest likelihood. truth: place of the right class of each row.

    power: of the inverse class frequencies as class weights (1 for the best balanced accuracy); None for the
    power, of ``POWERS``, at which answers agree best with the truth (kappa with quadratic weights).
    """
    from scipy.optimize import minimize

    logits, right = np.asarray(logits, float), np.asarray(truth, int)
    classes = logits.shape[1]

    def of(values: np.ndarray) -> tuple[float, tuple[float, ...]]:
        shift = np.concatenate([[0.0], values[1:]])
        return float(np.exp(np.clip(values[0], -4, 4))), tuple((shift - shift.mean()).tolist())

    def loss(values: np.ndarray) -> float:
        temperature, shift = of(values)
        chances = softmax(logits / temperature + np.array(shift))
        held_back = 1e-3 * float((values**2).sum())  # keeps a class that is never there within bounds
        return held_back - float(np.log(np.maximum(chances[np.arange(len(right)), right], 1e-12)).mean())

    temperature, shift = of(minimize(loss, np.zeros(classes), method="L-BFGS-B").x)
    plain = Calibration(round(temperature, 5), tuple(round(v, 5) for v in shift), (1.0,) * classes)
    chances = plain.probabilities(logits)
    frequency = np.maximum(np.bincount(right, minlength=classes) / len(right), FLOOR)
    tried = [_weighted(plain, frequency, one) for one in (POWERS if power is None else [power])]
    return max(tried, key=lambda one: agreement(right, one.answers(chances), classes))


def _weighted(plain: Calibration, frequency: np.ndarray, power: float) -> Calibration:
    weight = frequency**-power
    return Calibration(
        plain.temperature, plain.shift, tuple(round(float(v), 4) for v in weight / weight.min())
    )


def agreement(one: np.ndarray, other: np.ndarray, classes: int) -> float:
    """Kappa with quadratic weights; 0 where both say one and the same throughout."""
    counts = np.zeros((classes, classes))
    np.add.at(counts, (one, other), 1)
    apart = np.subtract.outer(np.arange(classes), np.arange(classes)) ** 2
    by_chance = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / max(1, len(one))
    expected = float((apart * by_chance).sum())
    return 1 - float((apart * counts).sum()) / expected if expected else 0.0
