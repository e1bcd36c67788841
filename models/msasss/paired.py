"""The mSASSS model reads all films of a patient together, order blinded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from core.domain import Abstained, Scored, ScoredTogether
from core.errors import ModelError
from models import cards
from models.msasss.together import Expectation, read_together


class Together:
    """Reads a patient's films together from what the same model saw on each of them; needs no network."""

    def __init__(self, expected: Expectation) -> None:
        self.expected = expected

    def read(self, films: Sequence[Scored | Abstained]) -> ScoredTogether:
        """Results of all films, in the order given, which the reading does not look at."""
        return read_together(films, self.expected)


def expectation(size: str = "demo", folder: Path = cards.FOLDER) -> Expectation | None:
    """What the model's card says for reading films together, None where it reads single films only."""
    card = cards.read_card("msasss", size, folder).get("together")
    return None if card is None else Expectation.from_card(card)


def identity(size: str) -> str | None:
    """A hash of how films are read together, None where they are not. Raises ModelError without weights."""
    expected = expectation(size)
    if expected is None:
        return None
    text = json.dumps(expected.as_card(), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def build_together(size: str = "demo") -> Together:
    """The reader of films together. Raises ModelError where the card says nothing about it."""
    expected = expectation(size)
    if expected is None:
        raise ModelError(
            f"msasss in size {size} reads single films only",
            "its card has no entry 'together'",
            "train on patients with films of two visits",
        )
    return Together(expected)
