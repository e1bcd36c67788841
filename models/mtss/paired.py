"""The mTSS model as a reader of all films of a patient together, order blinded.

Erosion of hands and of feet and narrowing have a prior each, in the card's entry ``together``. Special
findings have none: they stay as each film alone says.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.domain import Abstained, Finding, Scored, ScoredPaired
from core.errors import ModelError
from core.scores.mtss import MTSS
from models import cards
from models.paired.posterior import Prior, read_paired

SCALES = ("hand erosion", "foot erosion", "jsn")  # sets of sites whose grades mean the same
SCALE_OF = {(site.code, site.feature): "jsn" if site.feature == "jsn" else site.block for site in MTSS.sites}
GRADES = {"hand erosion": 6, "foot erosion": 11, "jsn": 5}


class Together:
    """Reads a patient's films together from what the same model saw on each of them; needs no network."""

    def __init__(self, prior: Mapping[str, Prior]) -> None:
        self.prior = dict(prior)

    def read(self, films: Sequence[Scored | Abstained]) -> ScoredPaired:
        """Results of all films, in the order given, which the reading does not look at."""
        return read_paired(films, self.of)

    def of(self, finding: Finding) -> Prior | None:
        """The prior of a finding's site; None for findings that are no grade of a site."""
        scale = SCALE_OF.get((finding.site, finding.feature))
        return None if scale is None else self.prior[scale]


def priors(size: str = "demo", folder: Path = cards.FOLDER) -> dict[str, Prior] | None:
    """What the model's card says for reading films together, None where it reads single films only."""
    card = cards.read_card("mtss", size, folder).get("together")
    return None if card is None else {scale: Prior.from_card(card[scale]) for scale in SCALES}


def identity(size: str) -> str | None:
    """A hash of how films are read together, None where they are not. Raises ModelError without weights."""
    prior = priors(size)
    if prior is None:
        return None
    text = json.dumps({scale: one.as_card() for scale, one in prior.items()}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def build_together(size: str = "demo") -> Together:
    """The reader of films together. Raises ModelError where the card says nothing about it."""
    prior = priors(size)
    if prior is None:
        raise ModelError(
            f"mtss in size {size} reads single films only",
            "its card has no entry 'together'",
            "train on patients with films of two visits",
        )
    return Together(prior)
