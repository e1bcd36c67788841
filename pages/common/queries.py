"""Questions to the cohort, kept as long as the tables they read, the viewer and what was asked stay the same.

A write makes only those answers old that were made from a table that it changed. What several sessions ask
at the same time is worked out once, and the others wait for it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import streamlit as st

from data.queries.answer import Together
from pages.common import session_keys
from pages.common.page import Page

Query = Callable[..., pd.DataFrame]
MAX_ANSWERS = 256  # answers kept


@dataclass(frozen=True)
class Kept:
    """An answer, and what it was made from: table -> the last event that had changed it then."""

    answer: Any
    made_from: Mapping[str, int]

    def holds(self, last_writes: Mapping[str, int]) -> bool:
        """Whether nothing was written since to a table that it was made from."""
        return all(last_writes.get(table, 0) == event for table, event in self.made_from.items())


@dataclass
class Shelf:
    """The answers used last, of all sessions; rows go out as copies that share their values until changed."""

    kept: OrderedDict[Hashable, Kept] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    busy: dict[Hashable, threading.Lock] = field(default_factory=dict)

    def get(self, key: Hashable, last_writes: Mapping[str, int]) -> Kept | None:
        """The answer, None where there is none or it is old."""
        with self.lock:
            kept = self.kept.get(key)
            if kept is None or not kept.holds(last_writes):
                return None
            self.kept.move_to_end(key)
        return Kept(_shared(kept.answer), kept.made_from)

    def put(self, key: Hashable, kept: Kept) -> None:
        with self.lock:
            self.kept[key] = kept
            self.kept.move_to_end(key)
            while len(self.kept) > MAX_ANSWERS:
                self.kept.popitem(last=False)

    def has(self, page: Page, work: Callable[..., Any], arguments: tuple[Any, ...]) -> bool:
        """Whether ``computed`` would find its result here."""
        return self.get(_work_key(page, work, arguments), _last_writes(page)) is not None

    @contextmanager
    def alone(self, key: Hashable) -> Iterator[None]:
        """Inside, nobody else works on the same question."""
        with self.lock:
            turn = self.busy.setdefault(key, threading.Lock())
        with turn:
            try:
                yield
            finally:
                with self.lock:
                    self.busy.pop(key, None)


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
        return page.path, page.as_of, page.viewer, name, self.arguments, self.options


def asking(query: Query, *arguments: Any, **options: Any) -> Request:
    return Request(query, arguments, tuple(sorted(options.items())))


def ask(page: Page, query: Query, *arguments: Any, **options: Any) -> pd.DataFrame:
    """The rows of a named query for this page's viewer and cohort version."""
    return fetch(page, asking(query, *arguments, **options))[0]


def fetch(page: Page, *requests: Request) -> list[pd.DataFrame]:
    """The rows of several queries; those that are not known yet are asked in one opening of the file."""
    keys = [request.key(page) for request in requests]
    found = {key: shelf().get(key, _last_writes(page)) for key in keys}
    wanted = [(key, request) for key, request in zip(keys, requests, strict=True) if found[key] is None]
    if wanted:
        with shelf().alone(tuple(key for key, _ in wanted)):
            found |= {key: shelf().get(key, _last_writes(page)) for key, _ in wanted}
            wanted = [(key, request) for key, request in wanted if found[key] is None]
            found |= _asked(page, wanted) if wanted else {}
    answers = [found[key] for key in keys]
    for kept in answers:
        _note(kept.made_from)
    return [kept.answer for kept in answers]


def _asked(page: Page, wanted: Sequence[tuple[Hashable, Request]]) -> dict[Hashable, Kept]:
    answers: dict[Hashable, Kept] = {}
    last_writes = _last_writes(page)  # from before the rows are read: an answer may be newer, never older
    with page.store.look(page.viewer, as_of=page.as_of) as look:
        opened: Any = Together(look, page.viewer)
        for key, request in wanted:
            look.named = {"meta"}
            rows = request.query(opened, page.viewer, *request.arguments, **dict(request.options))
            answers[key] = Kept(rows, {table: last_writes.get(table, 0) for table in look.named})
    for key, kept in answers.items():
        shelf().put(key, kept)
    return {key: Kept(_shared(kept.answer), kept.made_from) for key, kept in answers.items()}


def computed(page: Page, work: Callable[..., Any], *arguments: Any) -> Any:
    """The result of ``work(page, *arguments)``, kept like the answers that it is made from.

    work must ask the cohort for its rows by ``ask`` and ``fetch``; what it is given must be small and
    hashable. All sessions get the same result: figures, tables and what holds them are shown as they are,
    never changed. Films and the session have no place in it: neither makes the result old.
    """
    key = _work_key(page, work, arguments)
    kept = shelf().get(key, _last_writes(page))
    if kept is None:
        with shelf().alone(key):
            kept = shelf().get(key, _last_writes(page)) or _worked_out(page, key, work, arguments)
    _note(kept.made_from)
    return _shared(kept.answer)


def _worked_out(page: Page, key: Hashable, work: Callable[..., Any], arguments: tuple[Any, ...]) -> Kept:
    with _noting() as made_from:
        answer = work(page, *arguments)
    kept = Kept(answer, made_from)
    shelf().put(key, kept)
    return kept


def _work_key(page: Page, work: Callable[..., Any], arguments: tuple[Any, ...]) -> Hashable:
    name = (work.__module__, work.__qualname__)
    return (page.path, page.as_of, page.viewer, page.sees_arm, page.look.dark, name, arguments)


def _last_writes(page: Page) -> Mapping[str, int]:
    found: Mapping[str, int] = page.state["last_writes"]
    return found


# -- what is being made from what --------------------------------------------------------------------------

_thread = threading.local()


@contextmanager
def _noting() -> Iterator[dict[str, int]]:
    """Collects what the answers that this thread gets inside were made from."""
    stack: list[dict[str, int]] = _thread.__dict__.setdefault("stack", [])
    made_from: dict[str, int] = {}
    stack.append(made_from)
    try:
        yield made_from
    finally:
        stack.pop()


def _note(made_from: Mapping[str, int]) -> None:
    stack: list[dict[str, int]] = _thread.__dict__.setdefault("stack", [])
    if stack:
        stack[-1].update(made_from)
    if session_keys.MADE_FROM in st.session_state:
        st.session_state[session_keys.MADE_FROM].update(made_from)


def _shared(answer: Any) -> Any:
    return answer.copy(deep=False) if isinstance(answer, pd.DataFrame) else answer
