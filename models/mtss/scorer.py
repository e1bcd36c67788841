"""Films of hands and feet to findings: sites found, finger joints detected, every site graded.

A film is scored as what its pixels show, hands or feet. Special findings come from the two detectors and are
findings of their own beside the grades; the score's rules let them override. What was trained
on phantom films only is outside its training domain on any real film.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from core.domain import Abstained, Box, Finding, Image, Scored
from core.scores.mtss import MTSS
from models import cards
from models.common.modality import is_radiograph
from models.mtss.detectors.read import HandDetectors, HandReading
from models.mtss.detectors.read import build as build_detectors
from models.mtss.detectors.special import special_findings
from models.mtss.finder.locate import SiteFinder, build_finder
from models.mtss.fuse import fuse
from models.mtss.grader.grade import JointGrader, SiteGrade, build_grader
from models.mtss.places import Places
from models.ood import check as ood
from models.system import reader_name

NOT_FOUND = "the joint was not found"
MIN_SHARE = 0.5  # of a film's sites that must be found; with fewer the score's own rule has no total either


@dataclass(frozen=True)
class LimbReading:
    """What the networks see of one film. places: pixels of the film. grades: site code -> grade. hands: of a
    film of hands, what the joint detectors see; boxes: unit -> index of its joint there.
    """

    places: Places
    grades: dict[str, SiteGrade]
    hands: HandReading | None = None
    boxes: dict[str, int] = field(default_factory=dict)


class MtssScorer:
    """Scores films of both hands and of both feet, one at a time (read mode ``single``)."""

    def __init__(
        self,
        finder: SiteFinder,
        detectors: HandDetectors,
        grader: JointGrader,
        *,
        size: str,
        weights_hash: str,
        check: ood.Check | None = None,
    ) -> None:
        """check: of the films that these weights know; None where it was never fitted."""
        self.check = check
        self.finder, self.detectors, self.grader = finder, detectors, grader
        self.reader, self.weights_hash = reader_name("mtss", size), weights_hash

    def score(self, films: Sequence[Image]) -> list[Scored | Abstained]:
        """One result per film: findings with boxes in its pixels, or an abstention with its reason."""
        return [self.score_one(film) for film in films]

    def score_one(self, film: Image) -> Scored | Abstained:
        reading = self.read(film)
        return reading if isinstance(reading, Abstained) else judge(reading)

    def read(self, film: Image) -> LimbReading | Abstained:
        """Sites, joints and grades of one film, or why it is not scored."""
        if not is_radiograph(film.modality):
            return Abstained(f"modality {film.modality} is no radiograph")
        places = self.finder.find(film)
        if isinstance(places, Abstained):
            return places
        if self.check is not None and (reason := self.check.reason(places.ood_features)):
            return Abstained(reason)
        if places.view != "hands":
            return LimbReading(places, self.grader.grade(film, places))
        hands = self.detectors.scan(film)
        fused = fuse(hands.joints, hands.named, places)
        return LimbReading(fused.places, self.grader.grade(film, fused.places), hands, fused.boxes)

    def ood_features(self, film: Image) -> dict[str, np.ndarray]:
        """All parts of the check where limbs were found, else those that need none."""
        return self.finder.see(film).ood_features()


def judge(reading: LimbReading) -> Scored | Abstained:
    """Findings in the order of the score, special ones after the grades, and what could not be scored."""
    sites = [site for site in MTSS.sites if site.unit[1] == ("H" if reading.places.view == "hands" else "F")]
    graded = [site for site in sites if site.code in reading.grades]
    if len(graded) < MIN_SHARE * len(sites):
        return Abstained(f"only {len(graded)} of {len(sites)} sites of the {reading.places.view} can be seen")
    findings = [_finding(site.code, site.feature, site.unit, reading) for site in graded]
    missing = {
        site.code: reading.places.missing.get(site.unit, NOT_FOUND) for site in sites if site not in graded
    }
    return Scored((*findings, *_special(reading)), missing)


def _finding(code: str, feature: str, unit: str, reading: LimbReading) -> Finding:
    given = reading.grades[code]
    confidence = reading.places.units[unit].confidence
    return Finding(code, feature, given.grade, given.probabilities, confidence, given.box)


def _special(reading: LimbReading) -> list[Finding]:
    """Ankylosis and luxation where the detectors called them, with the detector's box."""
    if reading.hands is None:
        return []
    joints = reading.hands.joints
    rows = special_findings(joints, reading.boxes)
    found = []
    for site, feature in zip(rows["site"].astype(str), rows["feature"].astype(str), strict=True):
        place = reading.boxes[MTSS.by_code[site].unit]
        sure = float(joints.scores[place])
        corners = [float(edge) for edge in joints.boxes[place]]
        found.append(Finding(site, feature, 1, (1 - sure, sure), sure, Box(*corners)))
    return found


def build(
    *, size: str = "demo", device: str = "cpu", threads: int = 0, folder: Path = cards.FOLDER
) -> MtssScorer:
    """The scorer with its weights. Raises ModelError where they are absent or damaged."""
    if threads:
        torch.set_num_threads(threads)
    card = cards.read_card("mtss", size, folder)
    return MtssScorer(
        build_finder(size=size, device=device, folder=folder),
        build_detectors(size=size, device=device, folder=folder),
        build_grader(size=size, device=device, folder=folder),
        size=size,
        weights_hash=cards.weights_hash(card),
        check=ood.read_check("mtss", size, folder),
    )
