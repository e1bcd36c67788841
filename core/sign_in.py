"""Who may use a served dashboard, and as what: the file that the operator writes for ``serve --sign-in``.

A TOML file that only its owner can read. ``[auth]`` is what Streamlit's login needs of the OpenID Connect
provider; ``[people]`` gives each person a role; ``[sign_in]`` may name another claim or other hours::

    [auth]
    redirect_uri = "https://sharpline.example.org/oauth2callback"
    cookie_secret = "at least 32 random letters"
    client_id = "sharpline"
    client_secret = "from the provider"
    server_metadata_url = "https://login.example.org/.well-known/openid-configuration"

    [people]
    "ann@example.org" = "data manager"
    "ben@example.org" = "reader R1"
"""

from __future__ import annotations

import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.domain import Role, Viewer
from core.errors import InputError

VARIABLE = "SHARPLINE_SIGN_IN"
LOCAL = ("localhost", "127.0.0.1", "::1")
CALLBACK = "/oauth2callback"
NEEDED = ("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url")
MIN_SECRET = 32
HOURS = 12.0
SEE = "see docs/security.md"


@dataclass(frozen=True)
class Person:
    """Somebody who signed in. name: what the audit trail holds."""

    name: str
    viewer: Viewer


@dataclass(frozen=True)
class SignIn:
    """What the file says.

    origin: where browsers reach the dashboard, such as ``https://sharpline.example.org``. people: identity ->
    viewer. claim: which claim of the provider is the identity. hours: for how long a sign-in holds.
    trusts_email: an e-mail address counts without the provider's word that it was verified.
    """

    origin: str
    people: Mapping[str, Viewer]
    claim: str = "email"
    hours: float = HOURS
    trusts_email: bool = False

    @property
    def host(self) -> str:
        return urlsplit(self.origin).hostname or ""

    def person(self, claims: Mapping[str, Any], *, now: float | None = None) -> Person | None:
        """Who these claims of the provider stand for; None where nobody of the list, or too long ago."""
        identity = str(claims.get(self.claim) or "").strip()
        viewer = self.people.get(identity.casefold())
        if viewer is None or not self._holds(claims, time.time() if now is None else now):
            return None
        if self.claim == "email" and not self.trusts_email and claims.get("email_verified") is not True:
            return None
        name = str(claims.get("name") or "").strip()
        return Person(f"{name} <{identity}>" if name and name != identity else identity, viewer)

    def _holds(self, claims: Mapping[str, Any], now: float) -> bool:
        since = claims.get("iat")
        return isinstance(since, int | float) and now - since < 3600 * self.hours


def parse_viewer(text: str) -> Viewer:
    """A viewer written as ``analyst``, ``clinician``, ``data manager``, ``reader R1`` or ``reader:R1``.

    Raises InputError for anything else; nothing stands for the analyst by default, and no reader is nameless.
    """
    first, _, name = text.strip().replace(":", " ", 1).partition(" ")
    if first.casefold() == Role.READER:
        return reader(name)
    for role in Role:
        if text.strip().casefold() == role.value:
            return Viewer(role)
    others = ", ".join(role.value for role in Role if role is not Role.READER)
    raise InputError(
        f"the role '{text}'",
        f"one of {others} or 'reader NAME' is needed",
        "write one of these",
    )


def reader(name: str) -> Viewer:
    """A blinded reader. Raises InputError for a name that is empty or blank."""
    if not name.strip():
        raise InputError(
            "a reader without a name", "the name of a reader is needed", "check that the variable is set"
        )
    return Viewer(Role.READER, name.strip())


def read_sign_in(path: Path) -> SignIn:
    """The file, checked. Raises InputError for one that is open to others or does not fit.

    Read at every call: its time of change cannot tell a file from the same file half written.
    """
    try:
        mode, content = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} ({error.strerror})", "a sign-in file is needed", SEE) from None
    if mode & 0o077:
        raise InputError(f"{path.name}", "it holds secrets and others can read it", f"run: chmod 600 {path}")
    return _checked(content, path)


@lru_cache(maxsize=2)
def _checked(content: bytes, path: Path) -> SignIn:
    try:
        said = tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} ({error})", "a TOML file is needed", SEE) from None
    auth, options, people = (_section(said, name, path) for name in ("auth", "sign_in", "people"))
    _check_auth(auth, path)
    redirect = urlsplit(auth["redirect_uri"])
    if not people:
        raise InputError(f"{path.name} without people", "[people] with at least one person is needed", SEE)
    return SignIn(
        origin=f"{redirect.scheme}://{redirect.netloc}",
        people={str(name).strip().casefold(): parse_viewer(str(role)) for name, role in people.items()},
        claim=str(options.get("claim", "email")),
        hours=float(options.get("hours", HOURS)),
        trusts_email=options.get("trusts_email") is True,
    )


def _section(said: Mapping[str, Any], name: str, path: Path) -> dict[str, Any]:
    section = said.get(name, {})
    if not isinstance(section, dict):
        raise InputError(f"{path.name}, {name}", f"a section [{name}] is needed", SEE)
    return section


def _check_auth(auth: Mapping[str, Any], path: Path) -> None:
    lacking = [name for name in NEEDED if not isinstance(auth.get(name), str) or not auth[name].strip()]
    if lacking:
        raise InputError(f"{path.name}, [auth]", f"it lacks {', '.join(lacking)}", SEE)
    if len(auth["cookie_secret"]) < MIN_SECRET:
        raise InputError(
            f"{path.name}, cookie_secret",
            f"at least {MIN_SECRET} letters are needed: whoever guesses it can sign in as anybody",
            "make one with: openssl rand -hex 32",
        )
    for name in ("redirect_uri", "server_metadata_url"):
        address = urlsplit(auth[name])
        if address.scheme != "https" and not (address.scheme == "http" and address.hostname in LOCAL):
            raise InputError(
                f"{path.name}, {name} {auth[name]}",
                "an https address is needed",
                "use https, by a proxy with TLS",
            )
    if urlsplit(auth["redirect_uri"]).path != CALLBACK:
        raise InputError(
            f"{path.name}, redirect_uri {auth['redirect_uri']}", f"it must end with {CALLBACK}", "write it so"
        )
