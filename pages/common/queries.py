"""Cached questions to the cohort: the key holds path, version, viewer and everything asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from core.domain import Viewer
from data.store import CohortStore
from pages.common.opening import Page

Query = Callable[..., pd.DataFrame]


def ask(page: Page, query: Query, *arguments: Any, **options: Any) -> pd.DataFrame:
    """The rows of a named query of ``data.queries`` for this page's viewer and cohort version."""
    name = f"{query.__module__}.{query.__qualname__}"
    return _asked(name, page.path, page.version, page.viewer, arguments, options, query)


@st.cache_data(show_spinner=False, max_entries=256)
def _asked(
    name: str,
    path: str,
    version: int,
    viewer: Viewer,
    arguments: tuple[Any, ...],
    options: dict[str, Any],
    _query: Query,
) -> pd.DataFrame:
    return _query(CohortStore(path), viewer, *arguments, **options)


def worked_out(page: Page, work: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """The result of ``work(page, ...)``, kept as long as cohort version, viewer and arguments stay the same.

    work must ask the cohort for its rows itself; what it is given must be small and hashable.
    """
    name = f"{work.__module__}.{work.__qualname__}"
    return _worked(name, page.path, page.version, page.viewer, arguments, options, work, page)


@st.cache_data(show_spinner=False, max_entries=128)
def _worked(
    name: str,
    path: str,
    version: int,
    viewer: Viewer,
    arguments: tuple[Any, ...],
    options: dict[str, Any],
    _work: Callable[..., Any],
    _page: Page,
) -> Any:
    return _work(_page, *arguments, **options)
