"""Crops of 300 x 300 pixels around annotated joints, with the paper's augmentation.

Sci Rep 2024;14:7696: colour, crop and resize, rotation, flip, each with probability 0.5. A flip is
harmless: a detector does not say which hand it sees. A crop may be shifted so that the joint lies anywhere
in it, as in a window.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from models.mtss.detectors.joints import AFFECTED, PLAIN, UNITS_OF
from models.mtss.detectors.labels import LabelledHands
from models.mtss.detectors.windows import SIDE
from models.mtss.film_scale import half_size, to_half_size
from models.training import augment

CHANCE = 0.5
MIN_PROPORTION = 0.6  # of a box's area that must lie in the crop for its joint to count
DEGREES = 12.0
ZOOM = (0.85, 1.2)


@dataclass(frozen=True)
class HandSample:
    """A half-size film (rows, columns) as bytes with boxes (n, 4) and labels (n,) of one detector."""

    name: str
    patient: str
    image: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray


def prepare(film: LabelledHands, finding: str) -> HandSample:
    """The film as a detector of ``finding`` is trained on it: its joints that can be seen."""
    small, factors = half_size(film.load(), film.spacing_mm)
    wanted = film.visible & np.array([unit in UNITS_OF[finding] for unit in film.units], dtype=bool)
    return HandSample(
        film.name,
        film.patient,
        np.round(small * 255).astype(np.uint8),
        to_half_size(film.boxes[wanted], factors),
        np.where(film.affected(finding)[wanted], AFFECTED, PLAIN).astype(np.int64),
    )


def crop(
    sample: HandSample, joint: int, rng: np.random.Generator, *, augment: bool = True
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A crop around one joint: float32 (300, 300) in [0, 1], boxes (k, 4) in it and labels (k,).

    Without augmentation the joint is in the middle. What lies beyond the film is zero.
    """
    centre = (sample.boxes[joint, :2] + sample.boxes[joint, 2:]) / 2
    turn = zoom = 0.0
    flip = False
    if augment:
        centre = centre + rng.uniform(-120, 120, size=2)
        zoom = float(np.log(rng.uniform(*ZOOM))) if rng.random() < CHANCE else 0.0
        turn = float(np.radians(rng.uniform(-DEGREES, DEGREES))) if rng.random() < CHANCE else 0.0
        flip = bool(rng.random() < CHANCE)
    matrix = _matrix(centre, turn, np.exp(zoom), flip)
    grey = cv2.warpAffine(sample.image, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR).astype(np.float32) / 255
    boxes, keep = _moved(sample.boxes, matrix)
    if augment and rng.random() < CHANCE:
        grey = colour(grey, rng)
    return grey, boxes[keep], sample.labels[keep]


def _matrix(centre: np.ndarray, turn: float, zoom: float, flip: bool) -> np.ndarray:
    """(2, 3) from the film to the crop, whose middle shows ``centre``."""
    rotation = augment.turn(turn, zoom)
    if flip:
        rotation = np.diag([-1.0, 1.0]) @ rotation
    return augment.about(rotation, centre, np.array([SIDE, SIDE]) / 2)


def _moved(boxes: np.ndarray, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boxes in the crop, cut at its edge, and which of them lie in it far enough.

    A turned box keeps its sides: a joint's box does not grow because the hand is turned.
    """
    middle = augment.moved((boxes[:, :2] + boxes[:, 2:]) / 2, matrix)
    half = (boxes[:, 2:] - boxes[:, :2]) / 2 * np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    whole = np.concatenate([middle - half, middle + half], axis=1)
    inside = np.clip(whole, 0, SIDE)
    share = np.prod(inside[:, 2:] - inside[:, :2], axis=1) / np.maximum(np.prod(2 * half, axis=1), 1e-9)
    return inside, share >= MIN_PROPORTION


def colour(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another exposure of the same picture: gamma, contrast, brightness, noise."""
    grey = augment.contrast(augment.gamma(grey, 0.4, rng), (0.8, 1.2), 0.08, rng)
    grey = grey + np.float32(rng.uniform(0, 0.04)) * rng.standard_normal(grey.shape, dtype=np.float32)
    return np.asarray(np.clip(grey, 0, 1))


def drawing_weights(samples: list[HandSample]) -> tuple[np.ndarray, np.ndarray]:
    """(n, 2) film and joint of every crop's middle, and (n,) the probability that it is drawn.

    A joint with the finding is drawn so often that one crop in three is around one.
    """
    pairs = np.array([(i, j) for i, one in enumerate(samples) for j in range(len(one.labels))], dtype=int)
    rare = np.array([samples[i].labels[j] == AFFECTED for i, j in pairs], dtype=bool)
    weight = np.ones(len(pairs))
    if rare.any() and not rare.all():
        weight[rare] = max(1.0, (~rare).sum() / (2 * rare.sum()))
    return pairs, weight / weight.sum()
