"""An OpenID Connect provider on this machine: discovery, authorisation code with PKCE, signed tokens, keys.

Its sign-in page has a link for each of its accounts instead of a password.
"""

import base64
import hashlib
import secrets
import socket
import threading
import time
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.routing import Route

CLIENT, SECRET = "sharpline", "client-secret"


class Provider:
    """Accounts: identity -> claims. age: seconds since the accounts signed in, at the time of a token."""

    def __init__(self, accounts):
        self.accounts, self.age = accounts, 0
        self._codes, self._tokens = {}, {}
        self._key = RSAKey.generate_key(2048, parameters={"kid": "1", "use": "sig", "alg": "RS256"})
        with socket.socket() as probe:
            probe.bind(("localhost", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://localhost:{self.port}"
        routes = [
            Route("/.well-known/openid-configuration", self._discovery),
            Route("/authorize", self._authorize),
            Route("/token", self._token, methods=["POST"]),
            Route("/userinfo", self._userinfo),
            Route("/keys", self._keys),
        ]
        config = uvicorn.Config(Starlette(routes=routes), port=self.port, log_level="error")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self):
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return self

    def __exit__(self, *_):
        self._server.should_exit = True
        self._thread.join()

    async def _discovery(self, request):
        return JSONResponse(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "userinfo_endpoint": f"{self.url}/userinfo",
                "jwks_uri": f"{self.url}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
                "scopes_supported": ["openid", "email", "profile"],
            }
        )

    async def _authorize(self, request):
        asked = dict(request.query_params)
        account = asked.pop("account", None)
        if account is None:
            links = (
                f'<li><a href="?{urlencode(asked | {"account": one})}">{one}</a></li>'
                for one in self.accounts
            )
            return HTMLResponse(f"<h1>Who are you?</h1><ul>{''.join(links)}</ul>")
        assert asked["client_id"] == CLIENT and asked["code_challenge_method"] == "S256"
        code = secrets.token_hex(8)
        self._codes[code] = (account, asked)
        answer = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{answer}", 302)

    async def _token(self, request):
        form = dict(await request.form())
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        assert request.headers.get("authorization") == f"Basic {basic}" or form.get("client_secret") == SECRET
        account, asked = self._codes.pop(form["code"])
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == asked["code_challenge"]
        now = int(time.time()) - self.age
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "iat": now,
            "exp": now + self.age + 600,
            "nonce": asked.get("nonce"),
        }
        signed = jwt.encode({"alg": "RS256", "kid": "1"}, claims | self.accounts[account], self._key)
        token = secrets.token_hex(8)
        self._tokens[token] = account
        return JSONResponse(
            {"access_token": token, "token_type": "Bearer", "expires_in": 600, "id_token": signed}
        )

    async def _userinfo(self, request):
        return JSONResponse(self.accounts[self._tokens[request.headers["authorization"].split()[1]]])

    async def _keys(self, request):
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})


def account(email, name, **more):
    """The claims of one account."""
    return {"sub": f"id-{email}", "email": email, "email_verified": True, "name": name, **more}


def sign_in_file(path, provider, port, people, **options):
    """A sign-in file for a dashboard on a port of this machine."""
    lines = [
        "[auth]",
        f'redirect_uri = "http://localhost:{port}/oauth2callback"',
        f'cookie_secret = "{"s" * 40}"',
        f'client_id = "{CLIENT}"',
        f'client_secret = "{SECRET}"',
        f'server_metadata_url = "{provider.url}/.well-known/openid-configuration"',
        "[sign_in]",
        *(f"{name} = {value}" for name, value in options.items()),
        "[people]",
        *(f'"{identity}" = "{role}"' for identity, role in people.items()),
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    path.chmod(0o600)
    return path
