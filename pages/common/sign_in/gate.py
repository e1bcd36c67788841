"""In front of every address: right host, right origin, signed in; and headers on every answer.

Streamlit checks a sign-in only inside a page. Films and downloads (``/media``), uploads, the stream of the
session and the program's own files are addresses of their own, so this middleware asks at each of them.
"""

from __future__ import annotations

import base64
import hashlib
import posixpath
import re
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any

import streamlit
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from streamlit.auth_util import encode_provider_token
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME
from streamlit.web.server.starlette.starlette_websocket import (
    _get_signed_cookie_with_chunks,
    _parse_decoded_user_cookie,
    is_host_allowed,
)

from core.domain import Role
from pages.common.sign_in import sign_in_pages
from pages.common.sign_in.who import local_viewer, sign_in

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

ALIVE = "/_stcore/health"  # says "ok" and nothing else: for whatever watches the server
CLOSED = ("/_stcore/metrics", "/_stcore/script-health-check", "/_stcore/agent")
SIGN_IN, LOGIN, LOGOUT, CALLBACK = "/sign-in", "/auth/login", "/auth/logout", "/oauth2callback"
UPLOAD = "/_stcore/upload_file"
INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


@cache
def content_policy() -> str:
    """The Content-Security-Policy: everything from this server, in nobody's frame."""
    page = Path(streamlit.__file__).with_name("static") / "index.html"
    inline = INLINE_SCRIPT.findall(page.read_bytes())
    digests = (base64.b64encode(hashlib.sha256(text).digest()).decode() for text in inline)
    scripts = " ".join(f"'sha256-{digest}'" for digest in digests)
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' blob: 'wasm-unsafe-eval' {scripts}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "media-src 'self' data: blob:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "frame-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class Gate:
    """Middleware: lets a request pass, answers it, or refuses it."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        answer = self._answer(scope)
        if answer is None and scope["type"] == "http":
            await self.app(scope, receive, _with_headers(send))
        elif answer is None:
            await self.app(scope, _without_cache_clearing(receive), send)
        elif scope["type"] == "http":
            await answer(scope, receive, _with_headers(send))
        else:
            await send({"type": "websocket.close", "code": 1008})

    def _answer(self, scope: Scope) -> Response | None:
        """The gate's own answer, None where the request may pass."""
        path = posixpath.normpath(scope["path"])
        if path == ALIVE:
            return None
        headers = Headers(scope=scope)
        if not is_host_allowed(headers.get("host")):
            return PlainTextResponse("This address is not one of the dashboard's.", 400)
        if _is_foreign(scope, headers):
            return PlainTextResponse("Requests of other sites are refused.", 403)
        if path.startswith(CLOSED):
            return PlainTextResponse("Not found", 404)
        people = sign_in()
        if people is None:
            role = local_viewer().role
        elif path in (LOGIN, LOGOUT, CALLBACK):
            return None
        elif path == SIGN_IN:
            return RedirectResponse(f"{LOGIN}?provider={encode_provider_token('default')}", 302)
        else:
            claims = _claims(headers, people.origin)
            person = people.person(claims)
            if person is None:
                return _sign_in_first(scope, claims)
            role = person.viewer.role
        if role is Role.READER and path.startswith(UPLOAD):
            return PlainTextResponse("A reader uploads nothing.", 403)
        return None


def _is_foreign(scope: Scope, headers: Headers) -> bool:
    """Whether a page of another site sent this: by its origin, or as what it would embed."""
    people = sign_in()
    own = people.origin if people else f"http://{headers.get('host')}"
    origin = headers.get("origin")
    if origin is not None and origin != own:
        return True
    is_visit = headers.get("sec-fetch-mode") == "navigate" and scope.get("method") == "GET"
    return headers.get("sec-fetch-site") in ("cross-site", "same-site") and not is_visit


def _claims(headers: Headers, origin: str) -> dict[str, Any]:
    """What the provider said about whoever signed in with this browser; empty without a valid cookie."""
    try:
        cookies = {name: one.value for name, one in SimpleCookie(headers.get("cookie", "")).items()}
        signed = _get_signed_cookie_with_chunks(cookies, USER_COOKIE_NAME)
    except (CookieError, UnicodeError, ValueError):
        return {}
    return _parse_decoded_user_cookie(signed, origin) if signed else {}


def _sign_in_first(scope: Scope, claims: dict[str, Any]) -> Response:
    """The sign-in page for a person who opens a page, a bare refusal for everything else."""
    wants_page = scope["type"] == "http" and "text/html" in Headers(scope=scope).get("accept", "")
    if not wants_page:
        return PlainTextResponse("Sign in first.", 401)
    html = sign_in_pages.not_on_the_list(claims) if claims else sign_in_pages.welcome()
    return HTMLResponse(html, 403 if claims else 401, headers={"Cache-Control": "no-store"})


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in (HEADERS | {"Content-Security-Policy": content_policy()}).items():
                headers[name] = value
            people = sign_in()
            if people is not None and people.origin.startswith("https:"):
                _secure_cookies(message)
        await send(message)

    return sending


def _secure_cookies(message: Message) -> None:
    """Cookies of a dashboard behind TLS never travel without it."""
    message["headers"] = [
        (name, value + b"; Secure" if name == b"set-cookie" and b"secure" not in value.lower() else value)
        for name, value in message["headers"]
    ]


def _without_cache_clearing(receive: Receive) -> Receive:
    """The messages of a session but for "clear the caches", which would slow down everybody."""

    async def receiving() -> Message:
        while True:
            message = await receive()
            if not _clears_caches(message):
                return message

    return receiving


def _clears_caches(message: Message) -> bool:
    data = message.get("bytes")
    if message["type"] != "websocket.receive" or not data:
        return False
    try:
        return bool(BackMsg.FromString(data).WhichOneof("type") == "clear_cache")
    except Exception:  # not a message of Streamlit's: it refuses that itself
        return False
