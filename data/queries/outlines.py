"""What models drew on slices: outlines of bodies, discs and oedema."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from core.domain import Viewer
from data.queries.answer import answer
from data.store.cohort import CohortStore

BODY, DISC, OEDEMA = STRUCTURES = ("body", "disc", "oedema")


def outlines(store: CohortStore, viewer: Viewer, images: Sequence[str]) -> pd.DataFrame:
    """``run, image, frame, structure, name, polygon, reader``: one row a closed outline on a slice.

    frame: within that image, 0 for a file of one slice. structure: one of ``STRUCTURES``. name: level of a
    body, unit of a disc, ``""`` where it has none. polygon: JSON list of [x, y] in pixels of the slice. A
    structure in several pieces has a row a piece. Readers see none, as they see no model.
    """
    sql = """
        SELECT o.run, o.image, o.frame, o.structure, o.name, o.polygon, u.reader
        FROM outline o JOIN image i USING (image) LEFT JOIN run u ON u.run = o.run
        WHERE list_contains($images, o.image)
        ORDER BY o.run, o.image, o.frame, o.structure, o.name, o.part
    """
    return answer(store, viewer, sql, values={"images": list(images)})
