"""The mSASSS model reads all films of a patient together, order blinded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from core.domain import Abstained, Scored, ScoredPaired
from core.errors import ModelError
from models import cards
from models.msasss.together import Prior, read_paired


class Together:
    """Reads a patient's films together from what the same model saw on each of them; needs no network."""

    def __init__(self, prior: Prior) -> None:
        self.prior = prior

    def read(self, films: Sequence[Scored | Abstained]) -> ScoredPaired:
        """Results of all films, in the order given, which the reading does not look at."""
        return read_paired(films, self.prior)


def card_prior(size: str = "demo", folder: Path = cards.FOLDER) -> Prior | None:
    """What the model's card says for reading films together, None where it reads single films only."""
    card = cards.read_card("msasss", size, folder).get("together")
    return None if card is None else Prior.from_card(card)


def identity(size: str) -> str | None:
    """A hash of how films are read together, None where they are not. Raises ModelError without weights."""
    prior = card_prior(size)
    if prior is None:
        return None
    text = json.dumps(prior.as_card(), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def build_together(size: str = "demo") -> Together:
    """The reader of films together. Raises ModelError where the card says nothing about it."""
    prior = card_prior(size)
    if prior is None:
        raise ModelError(
            f"msasss in size {size} reads single films only",
            "its card has no entry 'together'",
            "train on patients with films of two visits",
        )
    return Together(prior)
