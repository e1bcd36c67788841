"""Where the films of a cohort come from, where it was made from an open data set."""

from __future__ import annotations

import json
from collections.abc import Mapping

SOURCE = "data_set"  # the set's name, title, version, source, licence and notice, in the cohort's settings


def data_set_of(meta: Mapping[str, str]) -> dict[str, str] | None:
    """What is known of the set that a cohort was made from, None for other studies.

    ``notice`` is the sentence that figures, tables and reports made from it carry. meta: the settings.
    """
    return dict(json.loads(meta[SOURCE])) if meta.get(SOURCE) else None


def notice_of(meta: Mapping[str, str]) -> str:
    """That sentence, ``""`` for other studies."""
    return (data_set_of(meta) or {}).get("notice", "")
