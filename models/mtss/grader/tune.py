"""What is fitted for the grader on tuning patients: calibration of each block, then the thresholds.

Tuning patients are neither trained on nor tested on. Calibration maximises the probability of the truth;
thresholds make the sums of blocks and the total err least, without leaning to either side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize

from core.scores.mtss import MAXIMUM
from models.mtss.grader.grade import JointGrader, Seen
from models.mtss.grader.rule import BLOCK_OF, BLOCKS, BlockRule
from models.mtss.labels import GradedFilm

JITTER_MM = 0.9  # SD of a site finder's error in each direction
RIDGE = 2.0  # keeps the offsets of rare grades near 0
SHIFT_RIDGE = 6.0  # keeps the shifts of kinds of place near 0
TILT_SHARE = 0.5  # of the tilt that single sites ask for: an error that a whole film shares adds up in totals
THRESHOLDS = tuple(np.round(np.arange(0.30, 0.581, 0.02), 2))
ROUNDS = 3
MIN_SITES = 40  # graded sites of a block, below which it stays uncalibrated


@dataclass(frozen=True)
class TuningSites:
    """Visible sites of one block on tuning films. log_seen (n, g), damage (n,) of the site's film, grade (n,)
    truth, weight (n,), reading (n,) which patient visit, kind (n,) of place (``H.MCP2``).
    """

    log_seen: np.ndarray
    damage: np.ndarray
    grade: np.ndarray
    weight: np.ndarray
    reading: np.ndarray
    kind: np.ndarray


@dataclass(frozen=True)
class SeenFilm:
    """A labelled film and what the network says of its visible sites."""

    film: GradedFilm
    seen: Seen

    def truth(self) -> list[int]:
        """The true grade of each site of ``seen``, in order; -1 where there is none."""
        at = {unit: i for i, unit in enumerate(self.film.units)}
        pairs = zip(self.seen.units, self.seen.features, strict=True)
        return [int(self.film.grades[feature][at[unit]]) for unit, feature in pairs]


def see_all(grader: JointGrader, films: Sequence[GradedFilm]) -> list[SeenFilm]:
    """What the network says of labelled films, places as a site finder with errors would give them."""
    rng = np.random.default_rng(0)
    return [SeenFilm(film, grader.see(film.as_film(), film.places(rng, JITTER_MM))) for film in films]


def tuning_sites(films: Sequence[SeenFilm], weights: Sequence[float]) -> dict[str, TuningSites]:
    """The visible sites of labelled films by block."""
    rows: dict[str, list[tuple]] = {block: [] for block in BLOCKS}
    for one, weight in zip(films, weights, strict=True):
        damage, key = one.seen.damage, f"{one.film.patient} {one.film.visit}"
        sites = zip(one.seen.units, one.seen.features, one.seen.log_seen, one.truth(), strict=True)
        for unit, feature, log_seen, grade in sites:
            if grade >= 0:
                rows[BLOCK_OF[unit, feature]].append((log_seen, damage, grade, weight, key, unit[1:]))
    return {block: _joined(found, MAXIMUM[block] + 1) for block, found in rows.items()}


def _joined(rows: list[tuple], grades: int) -> TuningSites:
    log_seen, damage, grade, weight, reading, kind = zip(*rows, strict=True) if rows else ((),) * 6
    return TuningSites(
        np.array(log_seen).reshape(-1, grades),
        np.array(damage, float),
        np.array(grade, int),
        np.array(weight, float),
        np.array(reading, str),
        np.array(kind, str),
    )


def tune(sites: Mapping[str, TuningSites], plain: Mapping[str, BlockRule]) -> dict[str, BlockRule]:
    """Calibrated rules with thresholds for the total; a block with too few sites keeps its plain rule."""
    rules = {
        block: calibrate(sites[block]) if len(sites[block].grade) >= MIN_SITES else plain[block]
        for block in BLOCKS
    }
    return choose_thresholds(sites, rules)


def calibrate(sites: TuningSites) -> BlockRule:
    """Sharpness, tilt, offsets and shifts by penalised maximum likelihood."""
    count = sites.log_seen.shape[1]
    rows, steps = np.arange(len(sites.grade)), np.arange(count)
    log_seen = np.maximum(sites.log_seen, -15.0)
    kinds, place = np.unique(sites.kind, return_inverse=True)
    chosen = np.eye(count)[sites.grade]

    def cost(values: np.ndarray) -> tuple[float, np.ndarray]:
        sharpness, tilt, offset, shift = values[0], values[1], values[2 : count + 1], values[count + 1 :]
        slope = tilt * sites.damage + shift[place]
        logits = sharpness * log_seen + np.append(0.0, offset) + slope[:, None] * steps
        logits = logits - logits.max(axis=1, keepdims=True)
        total = np.log(np.exp(logits).sum(axis=1))
        loss = -(sites.weight * (logits[rows, sites.grade] - total)).sum()
        pull = sites.weight[:, None] * (np.exp(logits - total[:, None]) - chosen)
        bends = np.diff(np.append(0.0, offset), 2)  # offsets are held to a straight line
        back = np.zeros(count)
        for i, bend in enumerate(bends):
            back[i : i + 3] += RIDGE * bend * np.array([1.0, -2.0, 1.0])
        along = pull @ steps
        gradient = np.concatenate(
            [
                [(pull * log_seen).sum() + RIDGE * (sharpness - 1), along @ sites.damage],
                (pull.sum(axis=0) + back)[1:] + 0.1 * offset,
                np.bincount(place, along, minlength=len(kinds)) + SHIFT_RIDGE * shift,
            ]
        )
        penalty = 0.5 * RIDGE * ((sharpness - 1) ** 2 + (bends**2).sum()) + 0.05 * (offset**2).sum()
        return float(loss + penalty + 0.5 * SHIFT_RIDGE * (shift**2).sum()), gradient

    start = np.concatenate([[1.0, 0.0], np.zeros(count - 1 + len(kinds))])
    tilt = TILT_SHARE * minimize(cost, start, jac=True, method="L-BFGS-B").x[1]
    bounds = [(tilt, tilt) if i == 1 else (None, None) for i in range(len(start))]
    start[1] = tilt
    best = np.round(minimize(cost, start, jac=True, method="L-BFGS-B", bounds=bounds).x, 5)
    offset = (0.0, *(float(v) for v in best[2 : count + 1]))
    shift = {str(kind): float(v) for kind, v in zip(kinds, best[count + 1 :], strict=True)}
    return BlockRule(float(best[0]), offset, float(best[1]), shift=shift)


def choose_thresholds(
    sites: Mapping[str, TuningSites], rules: Mapping[str, BlockRule]
) -> dict[str, BlockRule]:
    """The threshold of each block for the least error of sums, block by block and then over again."""
    readings = np.unique(np.concatenate([one.reading for one in sites.values()]))
    weight = np.ones(len(readings))
    error: dict[str, dict[float, np.ndarray]] = {}
    for block, one in sites.items():
        place = np.searchsorted(readings, one.reading)
        weight[place] = one.weight
        chance = rules[block].probabilities(one.log_seen, one.damage, one.kind)
        error[block] = {}
        for threshold in THRESHOLDS:
            given = replace(rules[block], threshold=threshold).grades(chance)
            error[block][threshold] = np.bincount(place, given - one.grade, minlength=len(readings))
    chosen = {block: _least(error[block], np.zeros(len(readings)), weight) for block in BLOCKS}
    for _ in range(ROUNDS):
        for block in BLOCKS:
            others = sum(error[b][chosen[b]] for b in BLOCKS if b != block)
            chosen[block] = _least(error[block], np.asarray(others), weight)
    return {block: replace(rules[block], threshold=float(chosen[block])) for block in BLOCKS}


def _least(error: Mapping[float, np.ndarray], others: np.ndarray, weight: np.ndarray) -> float:
    """The threshold whose sums, alone and with the other blocks', err least."""

    def cost(threshold: float) -> float:
        own, total = error[threshold], error[threshold] + others
        bias = abs(np.average(own, weights=weight)) + abs(np.average(total, weights=weight))
        off = np.average(np.abs(own) + np.abs(total), weights=weight)
        return float(off + bias + 0.2 * abs(threshold - 0.46))

    return min(error, key=cost)
