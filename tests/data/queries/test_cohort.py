"""Queries of the Cohort page on films that a study did not ask for."""

import pandas as pd
import pytest

from core.domain import CohortFilter, Viewer
from data.queries import cohort
from data.store.cohort import CohortStore

VISITS = ("BL", "W52", "W104")


@pytest.fixture
def store(tmp_path):
    """Twelve patients, three visits, two films each; P01 lacks a lumbar film and sent a hand once."""
    store = CohortStore.open(tmp_path / "c.duckdb")
    patients = [f"P{number:02d}" for number in range(1, 13)]
    with store.write("test", "build") as tx:
        tx.insert("subject", pd.DataFrame({"subject": patients}))
        visits = [
            {"subject": subject, "visit": visit, "visit_order": order}
            for subject in patients
            for order, visit in enumerate(VISITS, 1)
        ]
        tx.insert("visit", pd.DataFrame(visits))
        films = [
            {"image": f"{row['subject']}-{row['visit']}-{part}", "body_part": part, **row}
            for row in visits
            for part in ("cervical spine", "lumbar spine")
        ]
        films = [film for film in films if film["image"] != "P01-W52-lumbar spine"]
        films.append(
            {"image": "stray", "body_part": "hand", "subject": "P01", "visit": "W52", "visit_order": 2}
        )
        tx.insert("image", pd.DataFrame(films).drop(columns="visit_order"))
    return store


def test_a_stray_hand_film_asks_for_no_other(store):
    gaps = cohort.without_film(store, Viewer(), CohortFilter())
    gaps = getattr(gaps, "frame", gaps)
    assert gaps[["subject", "visit", "body_part"]].to_numpy().tolist() == [["P01", "W52", "lumbar spine"]]
