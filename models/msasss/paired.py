"""The mSASSS model as a reader of pairs: both films, and all films of a patient, read together, order
blinded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.domain import Abstained, FilmPair, Scored, ScoredPair, ScoredTogether
from core.errors import ModelError
from models import weights
from models.msasss.together import Expectation, read_together

if TYPE_CHECKING:
    from models.msasss.infer import MsasssScorer


class Together:
    """Reads a patient's films together from what the same model saw on each of them; needs no network."""

    def __init__(self, expected: Expectation) -> None:
        self.expected = expected

    def read(self, films: Sequence[Scored | Abstained]) -> ScoredTogether:
        """Results of all films, in the order given, which the reading does not look at."""
        return read_together(films, self.expected)


class MsasssPairScorer:
    """Baseline and follow-up film of one view: a ``PairScorer`` (read mode ``paired``)."""

    def __init__(self, single: MsasssScorer, together: Together) -> None:
        self.single, self.together = single, together
        self.reader, self.weights_hash = single.reader, single.weights_hash

    def score_pairs(self, pairs: Sequence[FilmPair]) -> list[ScoredPair]:
        """Findings for both films, and per site that both show the probability that the grade differs."""
        return [self._pair(pair) for pair in pairs]

    def _pair(self, pair: FilmPair) -> ScoredPair:
        found = self.together.read(self.single.score([pair.first, pair.second]))
        first, second = found.films
        change = {site: by[0, 1] for site, by in found.change_probability.items() if (0, 1) in by}
        return ScoredPair(first, second, change)


def expectation(size: str = "demo", folder: Path = weights.FOLDER) -> Expectation | None:
    """What the model's card says for reading films together, None where it reads single films only."""
    card = weights.read_card("msasss", size, folder).get("together")
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


def build(*, size: str = "demo", device: str = "cpu", threads: int = 0) -> MsasssPairScorer:
    """The pair scorer with shipped weights."""
    from models.msasss.infer import build as build_single

    single = build_single(size=size, device=device, threads=threads)
    return MsasssPairScorer(single, build_together(size))
