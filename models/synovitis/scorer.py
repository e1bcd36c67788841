"""Scans of joints to grades: grey scale of a B picture, power Doppler of a PD picture, diagnoses apart.

A network grades the scale of its picture; the combined grade comes from the table of the score
(``core.scores.synovitis``), never from a network. Each image has a finding of its own; of several images of a
joint and mode the highest grade counts at the visit (``data.scoring.scan_scores``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.domain import Abstained, Finding, Image, Scored
from core.imaging.ultrasound import ScanArea, pictures_for_network, scan_area
from core.scores.synovitis import JOINTS, MODES, NAMES, SIDES
from models import cards
from models.ood.check import Check, Features, read_check
from models.synovitis.networks import PIXELS, SYSTEM, Classifier, folded, of_card
from models.synovitis.tasks import DIAGNOSES, GRADE
from models.synovitis.unlike import features_of
from models.system import reader_name

GRADED = {"B": "GS", "PD": "PD"}  # mode of a picture -> of the site that is graded on it
NEIGHBOURS = 3  # frames of a cine that are seen as one: a flash lasts one
TOGETHER = 64  # pictures looked at together, whole images at least


@dataclass(frozen=True)
class ScanReading:
    """What is seen of one image.

    site: that it is graded for. frame: that gave the grade. picture: uint8 (size, size, 3), that frame as the
    networks see it. grade, probabilities (4): of it, of a cine averaged with its neighbours. chances: of the
    first group of each diagnosis. features: what the check of unknown images looks at.
    """

    site: str
    area: ScanArea
    frame: int
    picture: np.ndarray
    grade: int
    probabilities: np.ndarray
    chances: dict[str, float]
    features: Features


class SynovitisScorer:
    """Grades the scans of a visit together, in batches (read mode ``single``: each visit for itself).

    classifiers: of every task. joints: that the networks have learned. check: of unknown images.
    """

    def __init__(
        self,
        classifiers: dict[str, Classifier],
        joints: Sequence[str] = tuple(JOINTS),
        check: Check | None = None,
        *,
        size: str = "demo",
        weights_hash: str = "",
    ) -> None:
        self.classifiers, self.joints, self.check = classifiers, frozenset(joints), check
        self.reader, self.weights_hash = reader_name(SYSTEM, size), weights_hash

    def score(self, images: Sequence[Image]) -> list[Scored | Abstained]:
        """One result per image, in the order given."""
        return [
            reading if isinstance(reading, Abstained) else self._judged(image, reading)
            for image, reading in zip(images, self.read_visit(images), strict=True)
        ]

    def read(self, image: Image) -> ScanReading | Abstained:
        """What is seen of one image alone, or why it is not looked at."""
        return self.read_visit([image])[0]

    def read_visit(self, images: Sequence[Image]) -> list[ScanReading | Abstained]:
        """The same of several, looked at together. The check of unknown images is not asked here."""
        found: list[ScanReading | Abstained] = []
        for batch in _batches([_prepared(image, self.joints) for image in images]):
            found += self._seen(batch)
        return found

    def ood_features(self, image: Image) -> Features:
        """What the check looks at in an image, whatever it shows."""
        pictures = pictures_for_network(image, [len(image.frames) // 2], PIXELS)
        return features_of(pictures, *self._graded(pictures)[1:])[0]

    def _judged(self, image: Image, reading: ScanReading) -> Scored | Abstained:
        reason = self.check.reason(reading.features) if self.check else ""
        if reason:
            return Abstained(reason, sites=(reading.site,))
        finding = Finding(
            site=reading.site,
            feature=MODES[reading.site.rpartition(".")[2]],
            grade=reading.grade,
            grade_probabilities=tuple(float(value) for value in reading.probabilities),
            confidence=float(reading.probabilities[reading.grade]),
            box=reading.area.box,
            frame=reading.frame,
        )
        return Scored((finding,), chances=reading.chances)

    def _graded(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities (n, 4) of grades, and what the deepest but one layer makes of each picture."""
        return self.classifiers[GRADE].predict_and_pool(pictures)

    def _seen(self, batch: Sequence[_Prepared | Abstained]) -> list[ScanReading | Abstained]:
        """Readings of some images; their networks run over all frames of all of them at once."""
        free = [one for one in batch if isinstance(one, _Prepared)]
        if not free:
            return [one for one in batch if isinstance(one, Abstained)]
        chances, pooled = self._graded(np.concatenate([one.pictures for one in free]))
        ends = np.cumsum([len(one.pictures) for one in free])
        chosen = []
        for one, of_frames in zip(free, np.split(chances, ends[:-1]), strict=True):
            smooth = over_neighbours(of_frames)
            chosen.append((one, *self._highest(smooth)))
        shown = np.stack([one.pictures[frame] for one, frame, _, _ in chosen])
        places = [
            end - len(one.pictures) + frame for end, (one, frame, _, _) in zip(ends, chosen, strict=True)
        ]
        diagnoses = {task: self.classifiers[task].predict(shown)[:, 1] for task in DIAGNOSES}
        features = features_of(shown, pooled[places])
        readings = iter(
            ScanReading(
                one.site, one.area, frame, shown[place], grade, seen,
                {task: float(values[place]) for task, values in diagnoses.items()}, features[place],
            )
            for place, (one, frame, grade, seen) in enumerate(chosen)
        )  # fmt: skip
        return [next(readings) if isinstance(one, _Prepared) else one for one in batch]

    def _highest(self, probabilities: np.ndarray) -> tuple[int, int, np.ndarray]:
        """Frame, grade and probabilities of the highest grade, of equal ones where it is surest."""
        grades = self.classifiers[GRADE].answers(probabilities)
        grade = int(grades.max())
        frame = int(np.argmax(np.where(grades == grade, probabilities[:, grade], -1)))
        return frame, grade, probabilities[frame]


@dataclass(frozen=True)
class _Prepared:
    """An image that is looked at: its site, where its scan is, all its frames as networks see them."""

    site: str
    area: ScanArea
    pictures: np.ndarray


def _prepared(image: Image, joints: frozenset[str]) -> _Prepared | Abstained:
    if why := why_not_looked_at(image, joints):
        return Abstained(why, sites=tuple(filter(None, [site_of(image)])))
    area = scan_area(image)
    if area is None:
        return Abstained("no scan is found in the picture", sites=(site_of(image),))
    return _Prepared(site_of(image), area, pictures_for_network(image, range(len(image.frames)), PIXELS))


def _batches(images: Sequence[_Prepared | Abstained]) -> Iterator[list[_Prepared | Abstained]]:
    """The images in order, so many together that they have ``TOGETHER`` frames or more."""
    batch: list[_Prepared | Abstained] = []
    for one in images:
        batch.append(one)
        if sum(len(other.pictures) for other in batch if isinstance(other, _Prepared)) >= TOGETHER:
            yield batch
            batch = []
    if batch:
        yield batch


def site_of(image: Image) -> str:
    """Code of the site that a scan is graded for, ``""`` where joint, side or mode are not known."""
    if (
        image.modality == "US"
        and image.joint in JOINTS
        and image.laterality in SIDES
        and image.mode in GRADED
    ):
        return f"{image.laterality}.{image.joint}.{GRADED[image.mode]}"
    return ""


def why_not_looked_at(image: Image, joints: frozenset[str] = frozenset(JOINTS)) -> str:
    """What stands against looking at an image at all, whoever hands it over; ``""`` where nothing does."""
    if image.modality != "US":
        return f"is {image.modality}, not ultrasound" if image.modality else "is not known to be ultrasound"
    if not image.joint:
        return "which joint it shows is not known; state it in a map file"
    if image.joint not in JOINTS:
        return f"its joint {image.joint} is none of the score"
    if image.joint not in joints:
        return f"the model has not learned this joint ({NAMES.get(image.joint, image.joint)})"
    if image.laterality not in SIDES:
        return "whether it is the right or the left side is not known; state it in a map file"
    if image.mode not in GRADED:
        return "whether it is grey scale or power Doppler is not known; state it in a map file"
    return ""


def over_neighbours(probabilities: np.ndarray) -> np.ndarray:
    """(frames, classes) probabilities, each frame's averaged with those before and after it."""
    if len(probabilities) < NEIGHBOURS:
        return probabilities
    ends = np.pad(probabilities, ((1, 1), (0, 0)), mode="edge")
    return np.asarray(
        sum(ends[first : first + len(probabilities)] for first in range(NEIGHBOURS)) / NEIGHBOURS
    )


def build(
    *, size: str = "demo", device: str = "cpu", threads: int = 0, folder: Path = cards.FOLDER
) -> SynovitisScorer:
    """The scorer with its weights. Raises ModelError where they are absent or damaged."""
    if threads:
        torch.set_num_threads(threads)
    card: dict[str, Any] = cards.read_card(SYSTEM, size, folder)
    classifiers = {task: folded(of_card(card, task, size, folder)) for task in (GRADE, *DIAGNOSES)}
    joints = card.get("settings", {}).get("joints", tuple(JOINTS))
    check = read_check(SYSTEM, size, folder)
    return SynovitisScorer(classifiers, joints, check, size=size, weights_hash=cards.weights_hash(card))
