"""The toy's scorer, from the weights in the folder that ``TOY_WEIGHTS`` names, and why it gave a grade."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from core.domain import Abstained, Box, Finding, Image, Scored
from core.scores import get
from models import cards
from models.explain.cam import WEIGHTINGS, heat_map
from models.explain.explanation import Explanation, Map
from models.explain.question import spread
from models.system import reader_name
from tests.toy.model.system import MODEL
from tests.toy.model.training import build as build_network
from tests.toy.model.training import tiles_of
from tests.toy.pictures import CORNERS, SIDE, TILE


def folder() -> Path:
    return Path(os.environ["TOY_WEIGHTS"])


def identity(size: str) -> tuple[str, str]:
    """Reader and weights hash."""
    return reader_name("toyknee", size), cards.weights_hash(cards.read_card("toyknee", size, folder()))


class ToyScorer:
    """Grades the four squares of a picture of 64 x 64 pixels."""

    def __init__(self, network: torch.nn.Module, size: str) -> None:
        self.network = network.eval()
        self.reader, self.weights_hash = identity(size)

    def score(self, images: list[Image]) -> list[Scored | Abstained]:
        """One result per image."""
        return [self._one(image.pixels) for image in images]

    def probabilities(self, pixels: np.ndarray) -> np.ndarray:
        """(4, 3) of the sites' grades."""
        with torch.inference_mode():
            return self.network(torch.from_numpy(tiles_of(pixels))).softmax(dim=1).double().numpy()

    def _one(self, pixels: np.ndarray) -> Scored | Abstained:
        if pixels.shape != (SIDE, SIDE):
            rows, columns = pixels.shape
            return Abstained(f"a picture of both knees has 64 x 64 pixels, not {rows} x {columns}")
        return Scored(
            tuple(
                Finding(
                    site, "osteophyte", int(row.argmax()), tuple(row / row.sum()), 1.0,
                    Box(left, top, left + TILE, top + TILE),
                )
                for (site, (top, left)), row in zip(CORNERS.items(), self.probabilities(pixels), strict=True)
            )
        )  # fmt: skip


def build(*, size: str = "demo", device: str = "cpu", threads: int = 0) -> ToyScorer:
    """The scorer with its weights."""
    network = build_network(size)
    cards.load_into(network, cards.read_card("toyknee", size, folder()), "grader", folder())
    return ToyScorer(network, size)


def explain(image: Image, stored: pd.Series, size: str) -> Explanation:
    """Where the network saw the stored finding."""
    scorer, method = build(size=size), MODEL.explanations.methods["grader"]
    place, grade = list(CORNERS).index(stored["site"]), int(stored["grade"])
    tile = tiles_of(image.pixels)[place : place + 1]
    coarse = heat_map(
        scorer.network,
        scorer.network[method.layer],
        torch.from_numpy(tile),
        lambda logits: logits[0, grade],
        WEIGHTINGS[method.weighting],
    )
    return Explanation(
        headline=f"grade {grade}",
        grade=grade,
        labels=get("toyknee").features[0].grades,
        probabilities=tuple(scorer.probabilities(image.pixels)[place]),
        tile=tile[0, 0],
        box=np.array([8, 8, 24, 24]),
        mm_per_pixel=1.0,
        maps=(Map("grader", "Speaks for the grade", method.name, spread(coarse, (TILE, TILE))),),
        rule="the most probable grade",
    )
