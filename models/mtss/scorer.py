"""Films of hands and feet to findings: sites found, finger joints detected, every site graded.

A film is scored as what its pixels show, hands or feet, both of them or one (:mod:`models.mtss.one_limb`).
Special findings come from the two detectors and are findings of their own beside the grades; the score's
rules let them override. What was trained on phantom films only is outside its training domain on any real
film.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from core.domain import Abstained, Box, Finding, Image, Scored
from core.scores.mtss import MTSS
from models import cards
from models.common.modality import is_radiograph
from models.mtss.detectors.read import HandDetectors, HandReading
from models.mtss.detectors.read import build as build_detectors
from models.mtss.detectors.special import special_findings
from models.mtss.finder import locate
from models.mtss.finder.locate import WORDS, OneLimb, SiteFinder, build_finder
from models.mtss.fuse import Fused, fuse
from models.mtss.grader.grade import JointGrader, SiteGrade, build_grader
from models.mtss.one_limb import NOUNS, beside_its_mirror, offset, own_joints, own_places, side_of
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
    """Scores films of hands and of feet, both or one of them, one at a time (read mode ``single``)."""

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
        if isinstance(places, OneLimb):
            return self._read_one(film, places)
        if isinstance(places, Abstained):
            return places
        return self._unlike(film, places) or self._read_both(film, places)

    def _read_both(self, film: Image, places: Places) -> LimbReading:
        if places.view != "hands":
            return LimbReading(places, self.grader.grade(film, places))
        hands, fused = self._joints(film, places)
        return LimbReading(fused.places, self.grader.grade(film, fused.places), hands, fused.boxes)

    def _read_one(self, film: Image, one: OneLimb) -> LimbReading | Abstained:
        """A film of one limb: found beside its mirror image, graded as it is."""
        side = side_of(one, film)
        if isinstance(side, Abstained):
            return side
        two, columns = beside_its_mirror(film, one), offset(film, one)
        both = self.finder.find_unmarked(two)
        if isinstance(both, Abstained):
            return Abstained(f"one {NOUNS[one.looks[1]]} only; beside its mirror image {both.reason}")
        if unlike := self._unlike(two, both):
            return unlike
        if both.view != "hands":
            places = own_places(both, one.looks, columns)
            return LimbReading(places, self.grader.grade(film, places))
        hands, fused = self._joints(two, both)
        places = own_places(fused.places, one.looks, columns)
        boxes = {unit: box for unit, box in fused.boxes.items() if unit[:2] == one.looks}
        hands = replace(hands, joints=own_joints(hands.joints, columns))
        return LimbReading(places, self.grader.grade(film, places), hands, boxes)

    def _joints(self, film: Image, places: Places) -> tuple[HandReading, Fused]:
        hands = self.detectors.scan(film)
        return hands, fuse(hands.joints, hands.named, places)

    def _unlike(self, film: Image, places: Places) -> Abstained | None:
        """Why the film is none of those that the model knows."""
        if self.check is None:
            return None
        reason = self.check.reason(self.features_of(film, places))
        return Abstained(reason) if reason else None

    def features_of(self, film: Image, places: Places) -> ood.Features:
        """All parts of the check of a film whose limbs were found."""
        return {**places.ood_features, **self.grader.ood_features(film, places)}

    def ood_features(self, film: Image) -> ood.Features:
        """All parts of the check where limbs were found, else those that need none. One limb counts beside
        its mirror image."""
        look = self.finder.see(film)
        places = locate.judge(look, stated=film.spacing_mm is not None)
        if isinstance(places, OneLimb):
            film = beside_its_mirror(film, places)
            look = self.finder.see(film)
            places = locate.judge(replace(look, letters=()), stated=True)
        return look.ood_features() if isinstance(places, Abstained) else self.features_of(film, places)


def judge(reading: LimbReading) -> Scored | Abstained:
    """Findings in the order of the score, special ones after the grades, and what could not be scored."""
    places = reading.places
    letter = "H" if places.view == "hands" else "F"
    of_view = [site for site in MTSS.sites if site.unit[1] == letter]
    sites = [site for site in of_view if site.side in places.sides]
    graded = [site for site in sites if site.code in reading.grades]
    if len(graded) < MIN_SHARE * len(sites):
        return Abstained(f"only {len(graded)} of {len(sites)} sites of the {places.view} can be seen")
    findings = [_finding(site.code, site.feature, site.unit, reading) for site in graded]
    missing = {site.code: places.missing.get(site.unit, NOT_FOUND) for site in sites if site not in graded}
    shown = (
        f"the film shows the {' and the '.join(WORDS[side] for side in places.sides)} {NOUNS[letter]} only"
    )
    missing |= {site.code: shown for site in of_view if site not in sites}
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
