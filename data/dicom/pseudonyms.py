"""The secret of a cohort: old identifiers to new ones, always the same way, and not back without the secret.

The key lies beside the cohort file (``<cohort>.key``, readable by its owner only) and not in it, so that
handing the cohort to an analyst does not hand over the means to look up a patient number.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import StoreError
from data.store.secret_file import make_once

KEY_BYTES = 32
SHORTEST_SHIFT, LONGEST_SHIFT = 366, 3650  # days, always to the past


@dataclass(frozen=True)
class CohortKey:
    """Keyed hashes (HMAC-SHA256) of identifiers."""

    secret: bytes = field(repr=False)

    def digest(self, purpose: str, text: str) -> bytes:
        return hmac.new(self.secret, f"{purpose}\0{text}".encode(), hashlib.sha256).digest()

    @property
    def mark(self) -> str:
        """What the cohort notes of its key, to know it again."""
        return self.digest("mark", "").hex()[:16]

    def uid(self, old: str) -> str:
        """The new UID of an old one: 2.25 and 128 bits of the keyed hash."""
        return f"2.25.{int.from_bytes(self.digest('uid', old)[:16], 'big')}"

    def pseudonym(self, patient: str) -> str:
        """What stands for a patient number in stored files and rows."""
        return "P-" + self.digest("patient", patient.strip()).hex()[:16]

    def days_back(self, patient: str) -> int:
        """By how many days the dates of this patient or subject move to the past.

        The same for every way of writing the number (case, spaces and signs do not count).
        """
        span = LONGEST_SHIFT - SHORTEST_SHIFT + 1
        return SHORTEST_SHIFT + int.from_bytes(self.digest("dates", _plain(patient))[:8], "big") % span

    def dates_of(self, patient: str) -> str:
        """A name for whose shift was used: dates with the same name can be compared."""
        return "D-" + self.digest("dates of", _plain(patient)).hex()[:16]

    def fingerprint(self, content: bytes) -> str:
        """What a delivered file is recognised by when it comes again."""
        return hmac.new(self.secret, content, hashlib.sha256).hexdigest()


def _plain(name: str) -> str:
    return re.sub(r"[^0-9a-z]+", "", name.casefold()) or name


def key_file(cohort: Path) -> Path:
    return cohort.with_name(cohort.name + ".key")


def open_key(cohort: Path, *, may_create: bool) -> CohortKey:
    """The key of a cohort; made on first use.

    may_create: False once films are stored, because a new key would give them other names.
    Raises StoreError where the key of a cohort with films is missing or damaged.
    """
    path = key_file(cohort)
    if may_create:
        make_once(path, secrets.token_bytes(KEY_BYTES))
    try:
        secret = path.read_bytes()
    except FileNotFoundError:
        raise StoreError(
            f"the key {path} is missing",
            "films of this cohort were stored under it, and later deliveries are recognised by it",
            f"put {path.name} back from a backup",
        ) from None
    if len(secret) != KEY_BYTES:
        raise StoreError(
            f"the key {path} has {len(secret)} bytes", f"{KEY_BYTES} are needed", "put it back from a backup"
        )
    return CohortKey(secret)
