"""Maps of the mTSS networks: what speaks for a special finding of a joint in one of the two detectors (Sci
Rep 2024;14:7696).

Grad-CAM at Conv7 and at Conv9-2, on the window of 300 x 300 pixels around the joint. The target is the
finding's score in default boxes of that layer or of a later one over the joint
(:mod:`models.mtss.explain.detector_target`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.domain import Box, Image
from core.errors import InputError, ModelError
from core.scores.mtss import MTSS
from models.common.frames import Frame
from models.explain.box_target import own_copy
from models.explain.cam import WEIGHTINGS, heat_map
from models.explain.explanation import Explanation, Map
from models.explain.question import Picture, Question, spread
from models.explain.verdict import of_network
from models.mtss.detectors import network as networks
from models.mtss.detectors.joints import AFFECTED, ANKYLOSIS, LUXATION
from models.mtss.detectors.read import HandDetectors, build
from models.mtss.detectors.windows import SIDE, cut
from models.mtss.explain.detector_target import ClassScores, boxes_over, finding_score, layer_of
from models.mtss.explain.grader import explain_grade
from models.mtss.film_scale import HALF_SIZE_MM, half_size, to_half_size
from models.mtss.grader.grade import FEATURES
from models.mtss.system import MAPS
from models.system import Method

DETECTOR_OF = {  # feature of a finding -> the detector that calls it
    "ankylosis": ANKYLOSIS,
    "luxation": LUXATION,
    "subluxation": LUXATION,
    "luxation_unspecified": LUXATION,
}
IN_CODE = {"Conv7": "conv7", "Conv9-2": "conv9_2"}
HEAD = ("head.classification_head",)
STAGES = {
    "last layer": HEAD,
    "head": ("head.",),
    "deep half": ("head.", "backbone.extra."),
    "all": ("",),
}
SHIFTS_MM = ((1.5, -1.0), (-1.0, 2.0))


@dataclass(frozen=True)
class SmallFilm:
    """A film at half size, grey in [0, 1], and the factors (x, y) by which it was made smaller."""

    grey: np.ndarray
    factors: tuple[float, float]

    @classmethod
    def of(cls, film: Image) -> SmallFilm:
        return cls(*half_size(film.pixels, film.spacing_mm))

    @property
    def spacing_mm(self) -> tuple[float, float]:
        """Millimetres (row, column) of a pixel of the film itself."""
        return HALF_SIZE_MM * self.factors[1], HALF_SIZE_MM * self.factors[0]


class DetectorExplainer:
    """Maps of the two detectors, from copies of their networks. Names are those of ``MAPS``."""

    def __init__(self, detectors: HandDetectors) -> None:
        self.detectors = detectors
        copies = {finding: own_copy(network) for finding, network in detectors.networks.items()}
        self.networks: Mapping[str, Any] = {
            name: copies[of_network(name)] for name in MAPS if of_network(name) in copies
        }
        self.stages = dict.fromkeys(self.networks, STAGES)
        self.shifts_mm = dict.fromkeys(self.networks, SHIFTS_MM)

    def about_joint(
        self, small: SmallFilm, name: str, joint: np.ndarray, shift_mm: tuple[float, float] = (0.0, 0.0)
    ) -> Question:
        """Why a joint is called affected. name: of ``MAPS``. joint (4,): its box on the half-size film.
        shift_mm: moves the window on the film."""
        shift = np.round(np.array(shift_mm) / HALF_SIZE_MM).astype(int)
        origin = np.round((joint[:2] + joint[2:]) / 2 - SIDE / 2).astype(int) + shift
        frame = Frame(origin * HALF_SIZE_MM, np.array([HALF_SIZE_MM, 0.0]), np.array([0.0, HALF_SIZE_MM]))
        picture = Picture(cut(small.grey, origin), frame, small.spacing_mm, False)
        return Question(name, "joint", ((picture, np.asarray(joint, float) - np.tile(origin, 2)),), AFFECTED)

    def again(self, film: Image, reading: Any, asked: Question, shift_mm: tuple[float, float]) -> Question:
        """The same joint in a window that is moved. reading: the film at half size."""
        corner = np.round(asked.picture.frame.origin / HALF_SIZE_MM)
        return self.about_joint(reading, asked.network, asked.box + np.tile(corner, 2), shift_mm)

    def fresh(self, name: str, size: str) -> Any:
        """A detector with random weights, as the trained one lies in memory."""
        return networks.fused(networks.detector(size))

    def targets(self, question: Question, method: Method | None = None) -> Any:
        """The finding's score in the default boxes of the layer, or of later ones, over the joint."""
        chosen = method or MAPS[question.network]
        network = self.networks[question.network]
        return finding_score(boxes_over(network, question.box, IN_CODE[str(chosen.layer)]))

    def heat(
        self, question: Question, method: Method | None = None, *, targets: Any = None, network: Any = None
    ) -> np.ndarray:
        """The map on the window, float32, largest value 1 (all 0 where nothing speaks for it)."""
        chosen = method or MAPS[question.network]
        used = network or self.networks[question.network]
        view = question.picture
        pixels = view.tensor.expand(-1, networks.channels(used), -1, -1)
        asked = targets or self.targets(question, chosen)
        layer = layer_of(used, IN_CODE[str(chosen.layer)])
        found = heat_map(ClassScores(used).eval(), layer, pixels, asked, WEIGHTINGS[chosen.weighting])
        return spread(found, view.grey.shape)


def explain_stored(film: Image, stored: pd.Series, size: str) -> Explanation:
    """Why a joint has its grade, or why a detector calls it ankylosed or luxated. stored: the finding's row,
    with its box.

    Raises InputError for a feature without a map, ModelError where the finding has no box.
    """
    feature, box = str(stored["feature"]), stored["box"]
    if feature in FEATURES:
        return explain_grade(film, stored, size)
    if feature not in DETECTOR_OF:
        kinds = ", ".join((*FEATURES, *DETECTOR_OF))
        raise InputError(f"{feature} at {stored['site']}", f"maps of {kinds} exist", "see docs/explain.md")
    if not isinstance(box, Box):
        raise ModelError(f"{feature} at {stored['site']}", "the finding has no box", "score the film again")
    used, small = DetectorExplainer(build(size=size, threads=1)), SmallFilm.of(film)
    corners = to_half_size(np.array([[box.x0, box.y0, box.x1, box.y1]]), small.factors)[0]
    detector = DETECTOR_OF[feature]
    questions = {
        name: used.about_joint(small, name, corners) for name in MAPS if of_network(name) == detector
    }
    maps = tuple(
        Map(
            name,
            f"What speaks for it at {MAPS[name].layer}",
            MAPS[name].name,
            used.heat(asked),
        )
        for name, asked in questions.items()
    )
    first = next(iter(questions.values()))
    state = next(one for one in MTSS.states if one.code == feature)
    place = MTSS.by_code[str(stored["site"])].name.partition(",")[0]
    given = stored["grade_probabilities"]
    sure = float(given[-1]) if given is not None and len(given) else float(stored["confidence"])
    return Explanation(
        headline=f"{place}: {state.name}",
        grade=1,
        labels=("absent", "present"),
        probabilities=(1 - sure, sure),
        tile=first.picture.grey,
        box=first.box,
        mm_per_pixel=HALF_SIZE_MM,
        maps=maps,
        rule=f"Present: the {detector} detector's surest box of this joint is called so, above 0.9",
        notes=(
            "the map asks the default boxes of its layer or later over the joint; a small joint is found by "
            "boxes of an earlier layer",
        ),
    )
