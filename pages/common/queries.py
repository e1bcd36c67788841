"""Questions to the cohort, kept as long as its version, the viewer and what was asked stay the same."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import streamlit as st

from data.queries.answer import Together
from pages.common.page import Page

Query = Callable[..., pd.DataFrame]
MAX_ANSWERS = 256  # answers kept


@dataclass
class Shelf:
    """The answers used last, of all sessions; rows go out as copies that share their values until changed."""

    kept: OrderedDict[Hashable, Any] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: Hashable) -> Any:
        """The answer, None where there is none."""
        with self.lock:
            if key not in self.kept:
                return None
            self.kept.move_to_end(key)
            return _shared(self.kept[key])

    def put(self, key: Hashable, answer: Any) -> None:
        with self.lock:
            self.kept[key] = answer
            while len(self.kept) > MAX_ANSWERS:
                self.kept.popitem(last=False)

    def has(self, page: Page, work: Callable[..., Any], arguments: tuple[Any, ...]) -> bool:
        """Whether ``computed`` would find its result here."""
        with self.lock:
            return _work_key(page, work, arguments) in self.kept


@st.cache_resource(show_spinner=False)
def shelf() -> Shelf:
    return Shelf()


@dataclass(frozen=True)
class Request:
    """A named query of ``data.queries`` with what it is asked."""

    query: Query
    arguments: tuple[Any, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()

    def key(self, page: Page) -> Hashable:
        name = (self.query.__module__, self.query.__qualname__)
        return page.path, page.version, page.viewer, name, self.arguments, self.options


def asking(query: Query, *arguments: Any, **options: Any) -> Request:
    return Request(query, arguments, tuple(sorted(options.items())))


def ask(page: Page, query: Query, *arguments: Any, **options: Any) -> pd.DataFrame:
    """The rows of a named query for this page's viewer and cohort version."""
    return fetch(page, asking(query, *arguments, **options))[0]


def fetch(page: Page, *requests: Request) -> list[pd.DataFrame]:
    """The rows of several queries; those that are not known yet are asked in one opening of the file."""
    keys = [request.key(page) for request in requests]
    found = {key: shelf().get(key) for key in keys}
    wanted = [(key, request) for key, request in zip(keys, requests, strict=True) if found[key] is None]
    if wanted:
        found |= _asked(page, wanted)
    return [found[key] for key in keys]


def _asked(page: Page, wanted: Sequence[tuple[Hashable, Request]]) -> dict[Hashable, pd.DataFrame]:
    with page.store.look(page.viewer, as_of=page.as_of) as look:
        opened: Any = Together(look, page.viewer)
        answers = {
            key: request.query(opened, page.viewer, *request.arguments, **dict(request.options))
            for key, request in wanted
        }
    for key, answer in answers.items():
        shelf().put(key, answer)
    return {key: _shared(answer) for key, answer in answers.items()}


def computed(page: Page, work: Callable[..., Any], *arguments: Any) -> Any:
    """The result of ``work(page, *arguments)``, kept like the answers that it is made from.

    work must ask the cohort for its rows itself; what it is given must be small and hashable.
    """
    key = _work_key(page, work, arguments)
    found = shelf().get(key)
    if found is None:
        found = (work(page, *arguments),)
        shelf().put(key, found)
    return _shared(found[0])


def _work_key(page: Page, work: Callable[..., Any], arguments: tuple[Any, ...]) -> Hashable:
    name = (work.__module__, work.__qualname__)
    return (page.path, page.version, page.viewer, page.sees_arm, page.look.dark, name, arguments)


def _shared(answer: Any) -> Any:
    return answer.copy(deep=False) if isinstance(answer, pd.DataFrame) else answer
