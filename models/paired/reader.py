"""How any model reads all images of a patient, order blinded, from what it saw on each of them alone.

A system declares its scales only: sets of sites whose grades mean the same. Each has a prior in the weights
card; findings beside the grade of a site have none and stay as each image alone says. No network is needed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.domain import Abstained, Finding, Scored, ScoredPaired
from core.errors import ModelError
from core.reader_labels import MODEL_PAIRED
from core.scores import get
from models import cards
from models.paired.posterior import Prior, read_paired

FIRST_NAMES = {new: old for old, new in cards.NAMES_NOW.items()}


class PairedReader:
    """Reads a patient's images together: results in the order given, which the reading does not look at."""

    def __init__(self, priors: Mapping[str, Prior], scale_of: Mapping[tuple[str, str], str]) -> None:
        """priors: scale -> prior. scale_of: (site, feature) -> scale."""
        self.priors, self.scale_of = dict(priors), scale_of

    def read(self, results: Sequence[Scored | Abstained]) -> ScoredPaired:
        """results: of each image alone."""
        return read_paired(results, self.prior_of)

    def prior_of(self, finding: Finding) -> Prior | None:
        """The prior of a finding's site; None for a finding that is no grade of a site."""
        scale = self.scale_of.get((finding.site, finding.feature))
        return None if scale is None else self.priors[scale]


@dataclass(frozen=True)
class Paired:
    """The paired reading of a system's model, and how these reads are filed.

    system: name of its ``ScoreSystem``. scales: name of a scale -> blocks of the score whose sites it holds.
    """

    system: str
    scales: Mapping[str, Sequence[str]]
    campaign: str = MODEL_PAIRED

    @property
    def scale_of(self) -> dict[tuple[str, str], str]:
        """(site, feature) -> its scale."""
        of_block = {block: scale for scale, blocks in self.scales.items() for block in blocks}
        return {(site.code, site.feature): of_block[site.block] for site in get(self.system).sites}

    @property
    def grades(self) -> dict[str, int]:
        """Scale -> number of its grades."""
        sites = get(self.system).sites
        return {
            scale: 1 + max(site.maximum for site in sites if site.block in blocks)
            for scale, blocks in self.scales.items()
        }

    def priors(self, size: str, folder: Path | None = None) -> dict[str, Prior] | None:
        """Scale -> prior in the model's card, None where this size reads single images only.

        Raises ModelError without weights.
        """
        card = cards.read_card(self.system, size, folder or cards.FOLDER).get("paired")
        return {scale: Prior.from_card(card[scale]) for scale in self.scales} if card else None

    def identify(self, size: str) -> str | None:
        """A hash of how this size reads images together, None where it does not.

        Runs in a cohort are named after it, so what is hashed never changes: the names of version 0.1.0, and
        the prior alone where there is one scale. Raises ModelError without weights.
        """
        priors = self.priors(size)
        if priors is None:
            return None
        content = {
            scale: {FIRST_NAMES.get(name, name): value for name, value in prior.as_card().items()}
            for scale, prior in priors.items()
        }
        text = json.dumps(content if len(content) > 1 else next(iter(content.values())), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def build(self, size: str) -> PairedReader:
        """The reader. Raises ModelError where the card says nothing about paired reading."""
        priors = self.priors(size)
        if priors is None:
            raise ModelError(
                f"{self.system} in size {size} reads single films only",
                "its card has no entry 'paired'",
                "train on patients with films of two visits",
            )
        return PairedReader(priors, self.scale_of)
