"""A film of both hands in, finger joints with their special findings out, named or with the reason why not.

Nothing above this file sees a tensor. What comes out is no grade of erosion or narrowing: it is which joint
is ankylosed or luxated, for the score's rules to override a reader's grade with.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torchvision.models.detection.ssd import SSD

from core.domain import Abstained, Image
from models import cards
from models.mtss.detectors import network as networks
from models.mtss.detectors.detections import MOST, Detections, joints_of
from models.mtss.detectors.ensemble import Joints, ensemble
from models.mtss.detectors.joints import ANKYLOSIS, DETECTORS, LUXATION
from models.mtss.detectors.naming import Named
from models.mtss.detectors.overlapping import with_overlapping
from models.mtss.detectors.scan import proposals
from models.mtss.detectors.special import special_findings
from models.mtss.film_scale import HALF_SIZE_MM, half_size, to_film

OTHER_VIEWS = frozenset({"FOOT", "CHEST", "SPINE", "CSPINE", "LSPINE", "KNEE", "PELVIS", "SKULL"})


@dataclass(frozen=True)
class HandReading:
    """What the two detectors see of a film of both hands.

    single: finding -> that detector's boxes; joints: the ensemble's and those that the hand model found
    missing; both in pixels of the film. named: which joint is which, or why that cannot be said. findings:
    rows site, feature, grade of the findings present; empty where joints have no name. paper: the ensemble's
    joints alone, as Sci Rep 2024;14:7696 has them; None where that is all.
    """

    single: dict[str, Detections]
    joints: Joints
    named: Named | Abstained
    findings: pd.DataFrame = field(repr=False)
    paper: Joints | None = field(default=None, repr=False)


@dataclass(frozen=True)
class HandDetectors:
    """The two detectors, ready to scan."""

    networks: dict[str, SSD]

    def read(self, film: Image) -> HandReading | Abstained:
        """Joints and special findings of one film of both hands."""
        reason = not_hands(film)
        return Abstained(reason) if reason else self.scan(film)

    def scan(self, film: Image) -> HandReading:
        """What is seen on the pixels, whatever the file says of them."""
        small, factors = half_size(film.pixels, film.spacing_mm)
        seen = {finding: proposals(self.networks[finding], small) for finding in DETECTORS}
        found = {finding: joints_of(seen[finding], MOST[finding]) for finding in DETECTORS}
        paper = ensemble(found[ANKYLOSIS], found[LUXATION])
        joints, named = with_overlapping(paper, seen, HALF_SIZE_MM if film.spacing_mm else None)
        units = {} if isinstance(named, Abstained) else named.units
        return HandReading(
            {finding: on_film(one, factors) for finding, one in found.items()},
            joints_on_film(joints, factors),
            named,
            special_findings(joints, units),
            joints_on_film(paper, factors),
        )


def not_hands(film: Image) -> str:
    """Why a film need not be looked at: its tags say that it shows something else, or nothing is on it."""
    if film.body_part.upper() in OTHER_VIEWS:
        return f"the file says body part {film.body_part}; both hands are needed"
    if min(film.pixels.shape) < 64:
        return f"a grey film of at least 64 x 64 pixels is needed, this one is {film.pixels.shape}"
    if int(film.pixels.max()) == int(film.pixels.min()):
        return "the film is of one grey"
    return ""


def on_film(found: Detections, factors: tuple[float, float]) -> Detections:
    """Boxes of the half-size film in pixels of the film."""
    return Detections(to_film(found.boxes, factors), found.scores, found.affected)


def joints_on_film(joints: Joints, factors: tuple[float, float]) -> Joints:
    """Joints of the half-size film in pixels of the film."""
    everything = joints.pick(np.arange(len(joints)))
    return Joints(
        to_film(everything.boxes, factors),
        everything.scores,
        everything.ankylosis,
        everything.luxation,
        everything.by_ankylosis,
        everything.by_luxation,
    )


def build(
    *, size: str = "demo", device: str = "cpu", threads: int = 0, folder: Path = cards.FOLDER
) -> HandDetectors:
    """The two detectors with their weights. Raises ModelError where they are absent or damaged."""
    if threads:
        torch.set_num_threads(threads)
    card = cards.read_card("mtss", size, folder)
    ready = {}
    for finding in DETECTORS:
        network = networks.detector(size)
        cards.load_into(network, card, finding, folder)
        ready[finding] = networks.fused(network).to(device)
    return HandDetectors(ready)
