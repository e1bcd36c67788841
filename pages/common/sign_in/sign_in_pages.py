"""What somebody sees who has not signed in: whole pages of their own, with nothing of the dashboard."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark; --ink: #1F2933; --paper: #FFFFFF; --line: #D5DBE1; --accent: #0B6E8F; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #F2F4F7; --paper: #12171D; --line: #2C3640; --accent: #4FB3D1; }
}
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--paper);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { width: min(26rem, calc(100vw - 4rem)); padding: 2rem; border: 1px solid var(--line);
  border-radius: .5rem; }
h1 { margin: 0 0 .25rem; font-size: 1.75rem; }
p { margin: .5rem 0 1.25rem; }
a { display: inline-block; padding: .5rem 1.25rem; border-radius: .35rem; background: var(--accent);
  color: var(--paper); text-decoration: none; font-weight: 600; }
small { display: block; margin-top: 1.5rem; opacity: .75; }
"""
NOT_A_DEVICE = "Research only. Not a medical device."


def welcome() -> str:
    """The page with the way to the provider."""
    return _page(
        "<p>Imaging progression in rheumatology. This study is open to the people on its list.</p>"
        '<a href="/sign-in">Sign in</a>'
    )


def not_on_the_list(claims: Mapping[str, Any]) -> str:
    """For somebody whom the provider knows and the study does not, or who signed in too long ago."""
    who = escape(str(claims.get("email") or claims.get("sub") or "this account"))
    return _page(
        f"<p>You are signed in as <b>{who}</b>. Either this account is not on the list of this study, or the "
        "sign-in has run out. Sign in again, or ask the data manager to add the account.</p>"
        '<a href="/sign-in">Sign in again</a>'
    )


def _page(content: str) -> str:
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Sharpline</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main><h1>Sharpline</h1>{content}"
        f"<small>{NOT_A_DEVICE}</small></main></body></html>"
    )
