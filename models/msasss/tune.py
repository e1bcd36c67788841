"""What is fitted on tuning patients: grade probabilities, the rule that picks a grade, and the limits to
abstain.

Tuning patients are neither trained on nor tested on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.domain import Abstained
from models.msasss.grading import GradingRule
from models.msasss.labels import Corner, LabelledFilm
from models.msasss.scorer import MsasssScorer, Reading, Settings, SiteReading

MIN_SENSITIVITY = 0.6  # aimed at on tuning patients, so that 0.5 holds on others
NEAR_MM = 3.0
MIN_CHAIN = 5.0  # limits where no wrong tuning film comes near the good ones
MIN_UNITS_SCORE = 0.3


@dataclass(frozen=True)
class TuningCorners:
    """Corners read on tuning films. logits (n, 4); grade (n,) truth; weight (n,) how much each counts."""

    logits: np.ndarray
    grade: np.ndarray
    weight: np.ndarray


def read_all(scorer: MsasssScorer, films: Sequence[LabelledFilm]) -> list[Reading | Abstained]:
    """The networks' reading of each film, before limits and grades."""
    return [scorer.read(film.as_film()) for film in films]


def corners(
    films: Sequence[LabelledFilm], readings: Sequence[Reading | Abstained], weights: Sequence[float]
) -> TuningCorners:
    """The corners that were found where they are (within 3 mm) on films with labels."""
    rows: list[tuple[np.ndarray, int, float]] = []
    for film, reading, weight in zip(films, readings, weights, strict=True):
        if isinstance(reading, Abstained):
            continue
        for corner in film.corners:
            seen = reading.sites.get(corner.site)
            if seen is None or not corner.visible:
                continue
            if _distance_mm(seen, reading, corner, film) <= NEAR_MM:
                rows.append((seen.logits, corner.grade, weight))
    return TuningCorners(
        np.array([row[0] for row in rows]).reshape(-1, 4),
        np.array([row[1] for row in rows], dtype=int),
        np.array([row[2] for row in rows]),
    )


def _distance_mm(seen: SiteReading, reading: Reading, corner: Corner, film: LabelledFilm) -> float:
    """From where the corner was seen to its label. The reading may have had to guess the film's spacing, so
    both are compared in pixels of the film."""
    x = (reading.width_mm - seen.centre[0] if reading.mirrored else seen.centre[0]) / reading.spacing_mm[1]
    y = seen.centre[1] / reading.spacing_mm[0]
    return float(np.hypot((x - corner.x) * film.spacing_mm[1], (y - corner.y) * film.spacing_mm[0]))


def fit_rule(found: TuningCorners, *, penalty: float = 2.0) -> GradingRule:
    """Calibrated probabilities by weighted multinomial logistic regression, then class weights of the grades.

    penalty: strength of the pull of the regression towards plain softmax of the class logits.
    """
    from scipy.optimize import minimize

    start = np.concatenate([np.eye(4).ravel(), np.zeros(4)])
    wanted = np.eye(4)[found.grade]

    def cost(flat: np.ndarray) -> tuple[float, np.ndarray]:
        matrix, offset = flat[:16].reshape(4, 4), flat[16:]
        logits = np.clip(found.logits, -12, 12)
        scores = logits @ matrix.T + offset
        scores -= scores.max(axis=1, keepdims=True)
        probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        chosen = np.maximum((probabilities * wanted).sum(axis=1), 1e-12)
        pull = flat - start
        pull[16:] = 0
        slope = (probabilities - wanted) * found.weight[:, None]
        gradient = np.concatenate([(slope.T @ logits).ravel(), slope.sum(axis=0)])
        return float(
            -(found.weight * np.log(chosen)).sum() + penalty * (pull**2).sum()
        ), gradient + 2 * penalty * pull

    best = minimize(cost, start, jac=True, method="L-BFGS-B").x
    rule = GradingRule(
        tuple(tuple(float(v) for v in row) for row in best[:16].reshape(4, 4)),
        tuple(float(v) for v in best[16:]),
    )
    return replace(
        rule, class_weight=choose_class_weight(rule.probabilities(found.logits), found.grade, found.weight)
    )


def choose_class_weight(
    probabilities: np.ndarray, grade: np.ndarray, weight: np.ndarray, least: float = MIN_SENSITIVITY
) -> tuple[float, float, float, float]:
    """Emphasis of grades 0..3 with the best total that leaves no grade under ``least`` sensitivity.

    Best: highest quadratic kappa less the bias of the mean grade, as totals are sums of grades. Where nothing
    reaches ``least``, the class weights with the greatest lowest sensitivity.
    """
    options = []
    for one in (1.0, 1.25, 1.5, 1.8, 2.2, 2.7, 3.3, 4.0):
        for two in (0.7, 0.85, 1.0, 1.2, 1.45, 1.75, 2.1):
            for three in (0.6, 0.8, 1.0, 1.25, 1.6):
                class_weight = (1.0, one, two, three)
                given = np.argmax(probabilities * class_weight, axis=1)
                lowest = min(_sensitivity(given, grade, weight, k) for k in range(4))
                bias = abs(float(np.average(given - grade, weights=weight)))
                tie_break = 0.002 * float(np.abs(np.log(class_weight)).sum())  # of equals, the plainest
                options.append(
                    (lowest, quadratic_kappa(given, grade, weight) - bias - tie_break, class_weight)
                )
    good = [option for option in options if option[0] >= least]
    return max(good, key=lambda option: option[1])[2] if good else max(options)[2]


def _sensitivity(given: np.ndarray, grade: np.ndarray, weight: np.ndarray, k: int) -> float:
    """Weighted share of corners of grade k that are called so; 1 where there is none."""
    of_k = grade == k
    return float(weight[of_k & (given == k)].sum() / weight[of_k].sum()) if of_k.any() else 1.0


def quadratic_kappa(given: np.ndarray, grade: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Quadratic weighted kappa of two gradings 0..3 (Fleiss-Cohen weights), with weights for the rows."""
    table = np.zeros((4, 4))
    np.add.at(table, (given, grade), 1.0 if weight is None else weight)
    table /= table.sum()
    distance = (np.arange(4)[:, None] - np.arange(4)[None, :]) ** 2
    chance = (distance * np.outer(table.sum(axis=1), table.sum(axis=0))).sum()
    return float(1 - (distance * table).sum() / chance) if chance > 0 else float("nan")


def choose_limits(
    good: Sequence[Reading | Abstained], wrong: Sequence[Reading | Abstained], settings: Settings
) -> Settings:
    """Limits of the chain that refuse wrong films and cost as few good ones as possible
    (:func:`limit_between`).
    """
    named = [reading for reading in good if isinstance(reading, Reading)]
    fooled = [reading for reading in wrong if isinstance(reading, Reading)]
    if not named:
        return settings

    def mean_score(reading: Reading) -> float:
        return float(reading.chain.confidence[reading.chain.seen].mean())

    return replace(
        settings,
        least_chain=limit_between([r.chain.score for r in named], [r.chain.score for r in fooled], MIN_CHAIN),
        least_units=limit_between(
            [mean_score(r) for r in named], [mean_score(r) for r in fooled], MIN_UNITS_SCORE
        ),
    )


def limit_between(good: Sequence[float], wrong: Sequence[float], floor: float) -> float:
    """The value below which a film is refused: a good film lost weighs as much as three wrong ones let
    through.

    Half way between the highest wrong value refused and the lowest good value kept, not under ``floor``
    unless a good film lies there: one outlier among tuning films should not be the limit for all others.
    """
    values, foils = np.sort(np.asarray(good, float)), np.asarray(wrong, float)
    start = min(floor, 0.8 * float(values[0]))
    options = [(0.0, start)]
    for foil in np.sort(foils[foils >= start]):
        above = values[values > foil]
        if len(above):
            gain = ((foils >= start) & (foils <= foil)).sum() - 3 * (values <= foil).sum()
            options.append((float(gain), float(foil + above[0]) / 2))
    return max(options)[1]


def choose_least_corner(
    films: Sequence[LabelledFilm], readings: Sequence[Reading | Abstained], settings: Settings
) -> Settings:
    """The objectness below which a corner counts as not seen: keeps 99% of visible corners that are in place,
    and is never under 0.05."""
    in_place: list[float] = []
    for film, reading in zip(films, readings, strict=True):
        if isinstance(reading, Abstained):
            continue
        for corner in film.corners:
            seen = reading.sites.get(corner.site)
            if seen is not None and corner.visible:
                in_place.append(seen.objectness)
    if not in_place:
        return settings
    return replace(settings, least_corner=float(np.clip(np.quantile(in_place, 0.01), 0.05, 0.4)))
