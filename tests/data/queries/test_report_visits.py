"""A visit counts with the images that the score is read from, not with those of other scores."""

import pandas as pd
import pytest

from core.domain import CohortFilter, Viewer
from data.queries import report
from data.store.cohort import CohortStore
from models.registry import own_images

IMAGES = [  # visit, modality, body part, whether it has places
    ("W0", "CR", "lumbar spine", False),
    ("W0", "DX", "hand", False),
    ("W0", "MR", "lumbar spine", True),
    ("W12", "MR", "lumbar spine", True),
    ("W12", "US", "hand", False),
    ("W24", "US", "hand", False),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    found = CohortStore.open(tmp_path_factory.mktemp("own") / "c.duckdb")
    visits = pd.DataFrame({"visit": ["W0", "W12", "W24"], "visit_order": [0, 1, 2]}).assign(subject="S1")
    rows = [
        {
            "image": f"{number:064x}", "subject": "S1", "visit": visit, "modality": modality,
            "body_part": part, "series_uid": f"1.{number}",
            "positions_mm": [0.0, 0.0, 0.0] if placed else None,
        }
        for number, (visit, modality, part, placed) in enumerate(IMAGES)
    ]  # fmt: skip
    with found.write("test", "make") as tx:
        tx.insert("subject", pd.DataFrame({"subject": ["S1"]}))
        tx.insert("visit", visits)
        tx.insert("image", pd.DataFrame(rows))
    return found


@pytest.mark.parametrize(
    ("system", "films"),
    [("msasss", [1, 0, 0]), ("mtss", [1, 0, 0]), ("svdh", [1, 0, 0]), ("sparcc", [1, 1, 0])],
)
def test_a_visit_with_images_of_other_scores_alone_has_none(store, system, films):
    chosen = CohortFilter(system=system)
    found = report.visits(store, Viewer(), chosen, own_images(system))
    assert found["films"].tolist() == films


def test_without_a_model_all_images_count(store):
    found = report.visits(store, Viewer(), CohortFilter(system="msasss"))
    assert found["films"].tolist() == [3, 2, 1]


def test_scans_are_those_of_ultrasound(store):
    found = report.visits(store, Viewer(), CohortFilter(system="msasss"), report.OwnImages("scans"))
    assert found["films"].tolist() == [0, 1, 1]
