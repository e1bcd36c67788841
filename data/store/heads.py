"""Signed heads of the audit chain, kept outside the cohort file.

Whoever can write the cohort file can also write a new history with a chain that fits. So every write leaves
one line in ``<cohort>.heads`` beside the file, or in the folder that ``SHARPLINE_HEADS`` names (best one to
which lines can be added but not changed)::

    {"event": 12, "hash": "…", "cohort": "…", "at": "2026-…Z", "key": "…", "signature": "…"}

``hash`` is the hash of the event, ``cohort`` that of the first event, ``key`` the Ed25519 public key and
``signature`` its signature of event, hash and cohort. The secret half lies outside the store, in the account
that writes: ``SHARPLINE_SIGNING_KEY``, else ``~/.config/sharpline/signing.key``.

Who has the file but not the key cannot sign a new history; who also has the key can, unless a copy of the
heads lies where he or she cannot write (docs/security.md).
"""

from __future__ import annotations

import base64
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from core.errors import StoreError
from data.store.secret_file import make_once

logger = logging.getLogger(__name__)
SEED_BYTES = 32
TRUST = (
    "give it with --public-key, or put it into trusted.keys beside the signing key, if you know whose it is"
)


@dataclass(frozen=True)
class Head:
    """The end of the chain after one write: number and hash of the event, hash of the first event."""

    event: int
    hash: str
    cohort: str

    @property
    def signed(self) -> bytes:
        """What a signature is made of."""
        return f"sharpline head\n{self.cohort}\n{self.event}\n{self.hash}\n".encode()


@dataclass
class HeadsChecked:
    """How the kept heads compare with the chain.

    file: where they lie. kept: how many. signed: how many of them by a key that is trusted here. last: the
    event of the newest. faults: event (or None) and reason.
    """

    file: str = ""
    kept: int = 0
    signed: int = 0
    last: int = 0
    faults: list[tuple[int | None, str]] = field(default_factory=list)


def heads_file(cohort: Path) -> Path:
    """Where the heads of a cohort are kept."""
    folder = os.environ.get("SHARPLINE_HEADS", "")
    return (Path(folder).expanduser() if folder else cohort.parent) / f"{cohort.stem}.heads"


def key_file() -> Path:
    """Where the signing key of this account lies."""
    named = os.environ.get("SHARPLINE_SIGNING_KEY", "")
    if named:
        return Path(named).expanduser()
    config = os.environ.get("XDG_CONFIG_HOME", "") or "~/.config"
    return Path(config).expanduser() / "sharpline" / "signing.key"


def public_key() -> str:
    """The public key of this account as 64 hex digits, ``""`` where it has none yet."""
    try:
        return _public(_signing_key(may_create=False))
    except (OSError, ValueError):
        return ""


def keep(cohort: Path, head: Head) -> None:
    """Adds a signed head to the file, and waits until it is on the disk.

    The write that it belongs to is done by then: where no head can be kept, a warning is logged, and
    ``verify`` says up to which event heads are kept.
    """
    try:
        key = _signing_key(may_create=True)
        line = _line(head, key)
        path = heads_file(cohort)
        _append(path, line)
    except (OSError, ValueError) as error:
        logger.warning("no head was kept for event %d of %s: %s", head.event, cohort.name, error)


def set_aside(cohort: Path) -> None:
    """Renames the heads of an earlier cohort of this name: a new one begins."""
    path = heads_file(cohort)
    if not path.exists():
        return
    number = 1
    while (older := path.with_name(f"{path.name}.{number}")).exists():
        number += 1
    path.rename(older)


def trusted_keys() -> list[str]:
    """The public keys that this account trusts: its own, and those in ``trusted.keys`` beside it."""
    own, others = public_key(), key_file().with_name("trusted.keys")
    return [*([own] if own else []), *(read_keys(str(others)) if others.is_file() else [])]


def check(file: Path, hashes: Sequence[str], trusted: Sequence[str] = ()) -> HeadsChecked:
    """Compares the kept heads with the chain, and their signatures with the keys that are trusted.

    hashes: of all events of the chain, in order. trusted: public keys (hex); without any, signatures are
    only checked against the key that each line names.
    """
    found = HeadsChecked(file=str(file))
    if not file.is_file():
        return found
    place = {text: number for number, text in enumerate(hashes, start=1)}
    for number, text in enumerate(_lines(file), start=1):
        head, key, fault = _read(text)
        if head is None or fault:
            found.faults.append((head.event if head else None, f"line {number} of {file.name}: {fault}"))
            continue
        found.kept += 1
        found.last = max(found.last, head.event)
        found.signed += key in trusted
        reasons = [_difference(head, place, hashes)]
        if trusted and key not in trusted:
            reasons.append(f"the head is signed by {key}, which is not trusted here: {TRUST}")
        found.faults += [
            (head.event, f"{reason} (line {number} of {file.name})") for reason in reasons if reason
        ]
    return found


def _difference(head: Head, place: dict[str, int], hashes: Sequence[str]) -> str:
    if not hashes or head.cohort != hashes[0]:
        return "the head is of a cohort that began otherwise: this one was replaced, or its history rewritten"
    if place.get(head.hash) == head.event:
        return ""
    if head.event > len(hashes):
        return "this write was there and is gone: the cohort is older than its heads, or was cut off"
    return "the event that was signed is not the one in the chain: history was rewritten"


def read_keys(text: str) -> list[str]:
    """Public keys from an option: 64 hex digits, or the path of a file with one on each line.

    Raises StoreError for anything else.
    """
    path = Path(text).expanduser()
    words = path.read_text().split() if path.is_file() else [text]
    for word in words:
        if len(word) != 2 * SEED_BYTES or not set(word.casefold()) <= set("0123456789abcdef"):
            raise StoreError(
                f"the public key {word[:80]}",
                "64 hex digits are needed, or a file that holds them",
                "copy it from the line 'key' of 'sharpline verify' in the account that writes",
            )
    return [word.casefold() for word in words]


# -- lines and keys ----------------------------------------------------------------------------------------


def _line(head: Head, key: Ed25519PrivateKey) -> str:
    return json.dumps(
        {
            "event": head.event,
            "hash": head.hash,
            "cohort": head.cohort,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "key": _public(key),
            "signature": base64.b64encode(key.sign(head.signed)).decode(),
        }
    )


def _read(text: str) -> tuple[Head | None, str, str]:
    """Head, key and fault of a line."""
    try:
        said: dict[str, Any] = json.loads(text)
        head = Head(int(said["event"]), str(said["hash"]), str(said["cohort"]))
        key = str(said["key"])
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        public.verify(base64.b64decode(said["signature"]), head.signed)
    except InvalidSignature:
        return head, key, "its signature does not fit what it says"
    except (ValueError, KeyError, TypeError):
        return None, "", "it cannot be read"
    return head, key, ""


def _lines(file: Path) -> list[str]:
    return [line for line in file.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]


def _append(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, f"{line}\n".encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def _signing_key(*, may_create: bool) -> Ed25519PrivateKey:
    path = key_file()
    if may_create and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        make_once(path, Ed25519PrivateKey.generate().private_bytes_raw())
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())


def _public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()
