"""Maps of the joint grader: what speaks for a grade of erosion or narrowing on the tile of its joint.

Like the grade, a map is the mean over the shifted tiles that the grader reads. The score is the log
probability of the grade less that of grade 0, so it tells what speaks for the grade rather than for a healthy
joint (for grade 0: rather than for grade 1).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from core.domain import Abstained, Image
from core.errors import ModelError
from core.scores.mtss import MTSS
from models.explain.box_target import own_copy
from models.explain.cam import WEIGHTINGS, heat_map
from models.explain.explanation import Explanation, Map
from models.explain.question import Picture, Question, laid_on, spread
from models.mtss.grader import network as grader_net
from models.mtss.grader import tiles
from models.mtss.grader.grade import VIEWS_MM, JointGrader
from models.mtss.grader.network import JointNetwork
from models.mtss.places import Places
from models.mtss.scorer import build
from models.mtss.system import MAPS
from models.system import Method

NAME = "grader"
HEAD = ("out.", "join.", "look.", "scale.", "where.", "kind.")
STAGES = {
    "last layer": ("out.",),
    "head": HEAD,
    "deep half": (*HEAD, *(f"trunk.{number}." for number in range(12, 17))),
    "all": ("",),
}
SHIFTS_MM = ((0.4, -0.3), (-0.3, 0.5), (0.6, 0.6))


class Graded(nn.Module):
    """The grader as a plain network: tiles (n, 1, 128, 128) -> log probabilities of one feature's grades."""

    def __init__(self, network: JointNetwork, kind: int, feature: str) -> None:
        super().__init__()
        self.network, self.kind, self.feature = network, kind, feature

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        kind = torch.full((len(pixels),), self.kind, device=pixels.device)
        found: torch.Tensor = self.network.heads(self.network(pixels)["maps"], kind)[self.feature]
        return found


class GraderExplainer:
    """Maps of a grader, from a copy of its network."""

    def __init__(self, grader: JointGrader) -> None:
        self.grader = grader
        self.networks: dict[str, Any] = {NAME: own_copy(grader.network)}
        self.stages, self.shifts_mm = {NAME: STAGES}, {NAME: SHIFTS_MM}

    def about_site(
        self, film: Image, places: Places, site: str, grade: int, shift_mm: tuple[float, float] = (0.0, 0.0)
    ) -> Question:
        """Why this grade at a site (``LH.J.MCP2``). places: of its film, the unit among them. shift_mm: moves
        the tile on the film."""
        unit = MTSS.by_code[site].unit
        base = tiles.moved(tiles.frames(places)[unit], shift_mm)
        mm = places.mm_per_pixel
        grey = np.asarray(film.pixels, dtype=np.float32)
        marked = self.grader.box(unit, places.units[unit], mm)
        views = []
        for shift in VIEWS_MM:
            frame = tiles.moved(base, shift)
            picture = Picture(tiles.cut(grey, [frame], mm)[0], frame, (mm, mm), False)
            corners = np.array([[x, y] for x in (marked.x0, marked.x1) for y in (marked.y0, marked.y1)]) * mm
            on_tile = frame.to_tile(corners)
            views.append((picture, np.concatenate([on_tile.min(axis=0), on_tile.max(axis=0)])))
        return Question(NAME, site, tuple(views), grade)

    def again(self, film: Image, reading: Places, asked: Question, shift_mm: tuple[float, float]) -> Question:
        """The same site on a tile that is moved."""
        return self.about_site(film, reading, asked.name, asked.column, shift_mm)

    def fresh(self, name: str, size: str) -> JointNetwork:
        """A network of the same definition with random weights."""
        return grader_net.grader(size)

    def targets(self, question: Question, method: Method | None = None) -> Callable[..., torch.Tensor]:
        """The score that is explained; the same whatever the weights."""
        return self.score(question, method or MAPS[NAME])

    def score(self, question: Question, method: Method) -> Callable[[torch.Tensor], torch.Tensor]:
        """What is explained of the log probabilities."""
        against = 0 if question.column else 1

        def target(log_probabilities: torch.Tensor) -> torch.Tensor:
            found = log_probabilities[0, question.column]
            return found - log_probabilities[0, against] if method.contrast else found

        return target

    def heat(
        self, question: Question, method: Method | None = None, *, targets: Any = None, network: Any = None
    ) -> np.ndarray:
        """The map on the first tile, float32, largest value 1 (all 0 where nothing speaks for it)."""
        chosen = method or MAPS[NAME]
        used = network or self.networks[NAME]
        site = MTSS.by_code[question.name]
        asked = Graded(used, tiles.KIND_INDEX[site.unit[1:]], site.feature).eval()
        layer = used.trunk[int(chosen.layer)]
        target, weigh = targets or self.targets(question, chosen), WEIGHTINGS[chosen.weighting]
        total = np.zeros(question.picture.grey.shape, np.float32)
        for view, _ in question.views:
            fine = spread(heat_map(asked, layer, view.tensor, target, weigh), view.grey.shape)
            total += laid_on(fine, view, question.picture)
        top = float(total.max())
        return total / top if top > 0 else total


def explain_grade(film: Image, stored: pd.Series, size: str) -> Explanation:
    """Why the model gave its grade of erosion or narrowing: the film is read again by the same weights.

    stored: row of the finding. Raises ModelError where the site is no longer found.
    """
    site, scorer = str(stored["site"]), build(size=size, threads=1)
    reading = scorer.read(film)
    if isinstance(reading, Abstained) or site not in reading.grades:
        raise ModelError(
            f"site {site} of film {film.image[:12]}", "it is no longer found on the film", "verify the cohort"
        )
    given = reading.grades[site]
    used, method, place = GraderExplainer(scorer.grader), MAPS[NAME], MTSS.by_code[site]
    question = used.about_site(film, reading.places, site, given.grade)
    words = MTSS.by_feature[place.feature].grades
    labels = tuple(_label(grade, words, place.maximum) for grade in range(len(given.probabilities)))
    return Explanation(
        headline=f"{place.name}: grade {labels[given.grade]}",
        grade=given.grade,
        labels=labels,
        probabilities=given.probabilities,
        tile=question.picture.grey,
        box=question.box,
        mm_per_pixel=question.picture.frame.mm_per_pixel,
        maps=(
            Map(
                f"{NAME}, {place.feature}",  # each feature has a verdict of its own
                title_of(given.grade, method),
                method.name,
                used.heat(question),
            ),
        ),
        rule="Grade: calibrated probabilities, cut by the rule of the weights card for its block of sites",
        notes=_again(int(stored["grade"]), given.grade),
    )


def _label(grade: int, words: tuple[str, ...], maximum: int) -> str:
    """A grade with its meaning, where the site has one for each (a foot joint's erosion is a sum)."""
    return f"{grade} {words[grade]}" if maximum == len(words) - 1 else str(grade)


def title_of(grade: int, method: Method) -> str:
    """What a map of a grade shows, in words."""
    against = f" rather than {0 if grade else 1}" if method.contrast else ""
    return f"What speaks for grade {grade}{against}"


def _again(stored: int, now: int) -> tuple[str, ...]:
    return () if stored == now else (f"stored grade {stored}, read again now {now}",)
