"""Keyed hashes of a delivered file's name, so that a map file can find the film later; the name is not kept.

One hash for each end of the name (``film.dcm``, ``S1/film.dcm``, ``site03/S1/film.dcm``), because a map file
may name a file by its end. Who has the cohort without its key cannot tell a name from them.
"""

from __future__ import annotations

import json

from data.dicom.pseudonyms import CohortKey
from data.ingest.image_map import composed

MAX_FOLDERS = 8  # parts of a name, from its end, that can be compared
LETTERS = 24


def marks_of(name: str, key: CohortKey) -> str:
    """JSON list of the marks of a file's name, the shortest end first."""
    parts = composed(name).split("/")[-MAX_FOLDERS:]
    return json.dumps([mark("/".join(parts[at:]), key) for at in range(len(parts) - 1, -1, -1)])


def mark(name: str, key: CohortKey) -> str:
    """The mark of one name as a map file writes it."""
    text = composed(name).encode("utf-8", "surrogatepass").hex()  # names may hold bytes that are no text
    return key.digest("file name", text).hex()[:LETTERS]
