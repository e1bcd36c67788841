"""How a named query is asked: the filter's patients, the statement, and the statement kept with the rows."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from inspect import cleandoc
from typing import Any

import pandas as pd

from core.domain import CohortFilter, Viewer
from core.errors import StoreError
from data.store import access
from data.store.cohort import CohortStore
from data.store.viewer_session import Look


def answer(
    store: CohortStore,
    viewer: Viewer,
    sql: str,
    *,
    chosen: CohortFilter | None = None,
    values: Mapping[str, Any] | None = None,
    own_events: bool = False,
) -> pd.DataFrame:
    """The rows of one statement; ``attrs["sql"]`` holds it.

    sql: may hold ``{patients}``, which becomes the SELECT of the patients that ``chosen`` selects.
    values: parameters by name (``$name``). own_events: whether the statement takes of the table of events
    only those of the rows that it reads. They came with these rows and never change, so the answer is not
    made from that table: it stays when somebody else writes.
    Raises NotAllowed for a filter that this viewer may not use.
    """
    statement = cleandoc(sql)
    with store.look(viewer) as look:
        parameters = dict(values or {})
        if chosen is not None:
            patients, selected = access.selection(chosen, look.allowed)
            statement = statement.replace("{patients}", patients)
            parameters |= selected
        named = set(look.named)
        frame = look.query(
            statement, {name: parameters[name] for name in parameters if f"${name}" in statement}
        )
        if own_events:
            look.named -= {"event"} - named
    frame.attrs["sql"] = statement
    return frame


class Together:
    """Stands for the store in named queries that are asked one after the other through one opening."""

    def __init__(self, look: Look, viewer: Viewer) -> None:
        self._look, self._viewer = look, viewer

    def look(self, viewer: Viewer) -> AbstractContextManager[Look]:
        """The opening that is there; it was made for one viewer, who must be the one who asks."""
        if viewer != self._viewer:
            raise StoreError("a query for another viewer", "one viewer an opening", "open the store again")
        return nullcontext(self._look)
