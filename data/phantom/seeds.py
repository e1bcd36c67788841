"""Which random numbers belong to which patient: training, tuning, test and demo patients never mix.

Every study has a role and a seed. A patient is (role, seed, number); every stream of random numbers that has
to do with the patient (course, body, each reader) is spawned from that triple, so patient 7 is the same
person whether the study has 8 patients or 800, and no two roles can ever share a stream, whatever their
seeds.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

import numpy as np


class StudyRole(StrEnum):
    """What a phantom study is for."""

    TRAIN = "train"
    TUNE = "tune"
    TEST = "test"
    DEMO = "demo"


PREFIX = {StudyRole.TRAIN: "TR", StudyRole.TUNE: "TU", StudyRole.TEST: "TE", StudyRole.DEMO: "P"}
DIGITS = {StudyRole.TRAIN: 5, StudyRole.TUNE: 5, StudyRole.TEST: 5, StudyRole.DEMO: 3}
STREAMS = (
    "course",
    "arm",
    "conduct",
    "film",
    "R1",
    "R2",
    "R1 read 2",
    "R2 read 2",
    "hands",
    "hands R1",
    "hands R2",
    "hands conduct",
    "hands R1 read 2",
    "hands R2 read 2",
)


@dataclass(frozen=True)
class StudySeed:
    """The role and seed of one phantom study."""

    role: StudyRole = StudyRole.DEMO
    seed: int = 0

    def subject(self, number: int) -> str:
        """Code of patient ``number`` (from 1): P001 in a demo, TR00001 in a training study."""
        return f"{PREFIX[self.role]}{number:0{DIGITS[self.role]}d}"

    def rng(self, number: int, stream: str) -> np.random.Generator:
        """The random numbers of one patient (or block, for ``arm``) for one purpose.

        stream: one of ``STREAMS``, or with a colon (``toy:reader``) one that a generator makes up for itself.
        """
        return np.random.default_rng(self._sequence(number, stream))

    def reader_rng(self, number: int, stream: str) -> np.random.Generator:
        """The random numbers of a reader for one patient: whatever the reader is called."""
        return self.rng(number, stream if stream in STREAMS else f"reader:{stream}")

    def film_seed(self) -> int:
        """Seed (63 bits) that bodies and films of this study are drawn from, another one in every role."""
        return int(self._sequence(0, "film").generate_state(1, np.uint64)[0] >> np.uint64(1))

    def _sequence(self, number: int, stream: str) -> np.random.SeedSequence:
        own = ":" in stream
        place = len(STREAMS) + derived_seed(stream) if own else STREAMS.index(stream)
        key = (list(StudyRole).index(self.role), place, number)
        return np.random.SeedSequence(self.seed, spawn_key=key)


def derived_seed(*parts: object) -> int:
    """A 32-bit seed that depends on all parts and on nothing else."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def split(seed: int) -> dict[StudyRole, StudySeed]:
    """The four studies of one seed, disjoint by construction in patients, bodies, films and readers."""
    return {role: StudySeed(role, seed) for role in StudyRole}
