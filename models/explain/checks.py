"""Is a map any good? For one case: where the heat lies, what is left of the map when weights are randomised,
and whether it stays where it is when the picture moves a little.

Sources: pointing game, Zhang et al. 2018, Int J Comput Vis 126:1084; randomisation test, Adebayo et al. 2018,
NeurIPS, "Sanity checks for saliency maps"; both are compared with chance and with the box that the model
gives anyway, because a map that says no more than the box explains nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
import torch

from core.domain import Image
from models.explain.question import Question, laid_on
from models.system import Method

TOLERANCE_MM = 1.0  # a hottest point this near the finding counts as on it, for the map and for its rivals
RANDOM_SEEDS = (1, 2, 3, 4, 5)  # one draw of random weights can be lucky: 0.48 to 0.60 for one map
CELL = 4  # maps are compared after averaging over cells of this many pixels
Stages = Mapping[str, Sequence[str]]  # what is random -> how the names of its weights begin; ``""``: all


@dataclass(frozen=True)
class Case:
    """One question with its true answer. truth: share of each pixel of the picture that belongs to it. film,
    reading: what the question is asked again from when the picture moves."""

    patient: str
    question: Question
    truth: np.ndarray
    true_grade: int
    given_grade: int
    film: Image
    reading: Any


class Explainer(Protocol):
    """What the tests need of a system's explainer.

    networks: by the names of ``METHODS``. stages, shifts_mm: by the same names; how a network is made random
    step by step, the last stage all of it, and how far the picture is moved.
    """

    networks: Mapping[str, Any]
    stages: Mapping[str, Stages]
    shifts_mm: Mapping[str, Sequence[tuple[float, float]]]

    def fresh(self, name: str, size: str) -> Any:
        """A network of the same definition with random weights."""

    def targets(self, question: Question, method: Method) -> Any:
        """The scores that are explained, chosen with the trained weights."""

    def heat(
        self, question: Question, method: Method, *, targets: Any = None, network: Any = None
    ) -> np.ndarray:
        """The map on the picture; of ``network`` where one is given."""

    def again(self, film: Image, reading: Any, asked: Question, shift_mm: tuple[float, float]) -> Question:
        """The same question about the picture moved on the film."""


def randomised(explainer: Explainer, name: str, size: str = "demo") -> dict[str, list[Any]]:
    """Copies of a network with the weights of each stage random.

    The stage that leaves nothing of the training is drawn with every seed of ``RANDOM_SEEDS``, the others
    with the first.
    """
    made: dict[str, list[Any]] = {}
    for seed in RANDOM_SEEDS:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            fresh = explainer.fresh(name, size).state_dict()
        for stage, begins in explainer.stages[name].items():
            if "" in begins or seed == RANDOM_SEEDS[0]:
                copied = deepcopy(explainer.networks[name])
                kept = copied.state_dict()
                copied.load_state_dict(
                    {key: fresh[key] if key.startswith(tuple(begins)) else kept[key] for key in kept}
                )
                made.setdefault(stage, []).append(copied.eval())
    return made


def place(heat: np.ndarray, case: Case) -> dict[str, float]:
    """Pointing game and share of heat, for the map, for chance and for the box itself.

    share, point: of the map. area, chance_point: of heat spread over the whole picture, of a random point on
    it. box_share, box_point: the same for the model's box. centre_point: for the middle of the box.
    """
    truth, near = case.truth, _grown(case)
    box = _box_mask(case)
    hottest = np.unravel_index(int(np.argmax(heat)), heat.shape)
    x0, y0, x1, y1 = case.question.box
    rows, columns = heat.shape
    middle = int(np.clip((y0 + y1) / 2, 0, rows - 1)), int(np.clip((x0 + x1) / 2, 0, columns - 1))
    total, inside = float(heat.sum()), float(box.sum())
    return {
        "share": float((heat * truth).sum()) / total if total else 0.0,
        "area": float(truth.mean()),
        "box_share": float((box * truth).sum()) / inside if inside else 0.0,
        "point": float(near[hottest]) if total else 0.0,
        "chance_point": float(near.mean()),
        "box_point": float((box * near).sum()) / inside if inside else 0.0,
        "centre_point": float(near[middle]),
        "empty": float(total == 0),
    }


def similarity(one: np.ndarray, other: np.ndarray, *, ranks: bool = False) -> float:
    """Correlation of two maps over cells of ``CELL`` pixels; of their ranks for Spearman's. 0 where one of
    them is constant."""
    from scipy.stats import rankdata

    shape = (max(1, one.shape[1] // CELL), max(1, one.shape[0] // CELL))
    flat = [cv2.resize(map_, shape, interpolation=cv2.INTER_AREA).ravel() for map_ in (one, other)]
    a, b = (rankdata(values) if ranks else values.astype(float) for values in flat)
    if a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def random_likeness(
    explainer: Explainer, case: Case, heat: np.ndarray, method: Method, stages: Mapping[str, Any]
) -> dict[str, float]:
    """Spearman's correlation of the map with those of randomised networks, for the same anchors; the mean
    where a stage has several."""
    targets = explainer.targets(case.question, method)

    def likeness(network: Any) -> float:
        other = explainer.heat(case.question, method, targets=targets, network=network)
        return similarity(heat, other, ranks=True)

    return {
        f"random {stage}": float(np.mean([likeness(one) for one in drawn])) for stage, drawn in stages.items()
    }


def repeatability(explainer: Explainer, case: Case, heat: np.ndarray, method: Method) -> float:
    """Mean correlation of the map with maps of the picture moved by the explainer's shifts, laid back."""
    asked = case.question
    found = []
    for shift in explainer.shifts_mm[asked.network]:
        again = explainer.again(case.film, case.reading, asked, shift)
        back = laid_on(explainer.heat(again, method), again.picture, asked.picture)
        edge = int(np.ceil(max(map(abs, shift)) / asked.picture.frame.mm_per_pixel))
        kept = (slice(edge, heat.shape[0] - edge), slice(edge, heat.shape[1] - edge))
        found.append(similarity(heat[kept], back[kept]))
    return float(np.mean(found))


def check(explainer: Explainer, case: Case, stages: Mapping[str, Any], method: Method) -> dict[str, Any]:
    """All figures of one case as a row of a table."""
    heat = explainer.heat(case.question, method)
    return {
        "patient": case.patient,
        "network": case.question.network,
        "name": case.question.name,
        "true": case.true_grade,
        "given": case.given_grade,
        "method": method.name,
        **place(heat, case),
        **random_likeness(explainer, case, heat, method, stages),
        "repeat": repeatability(explainer, case, heat, method),
    }


def _grown(case: Case) -> np.ndarray:
    """The truth with a margin of ``TOLERANCE_MM``, 0 or 1."""
    radius = max(1, round(TOLERANCE_MM / case.question.picture.frame.mm_per_pixel))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.asarray(cv2.dilate((case.truth >= 0.5).astype(np.float32), kernel))


def _box_mask(case: Case) -> np.ndarray:
    rows, columns = case.truth.shape
    x0, y0, x1, y1 = case.question.box
    x, y = np.arange(columns) + 0.5, np.arange(rows) + 0.5
    return np.asarray(((y > y0) & (y < y1))[:, None] & ((x > x0) & (x < x1))[None, :], dtype=np.float32)
