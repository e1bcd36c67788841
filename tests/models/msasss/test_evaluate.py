"""How well corners are found and named: counted by hand on small tables and films."""

import numpy as np
import pandas as pd
import pytest

from core.domain import Abstained, Box, Finding, Scored
from models.evaluation.run import Outcome
from models.msasss.evaluate import blocks, corners_found, sections, test_image
from models.msasss.labels import Corner, LabelledFilm


def film(name="A", corners=("C2I", "C3S"), hidden=()):
    placed = tuple(Corner(site, 100.0, 50.0, 20, 20, 1, site not in hidden) for site in corners)
    return LabelledFilm(name, name, "cervical", (0.2, 0.2), placed, visit="BL", kind="good")


def scored(*places):
    """Findings of sites, so many pixels to the right of their place."""
    boxes = {site: Box(90 + off, 40, 110 + off, 60) for site, off in places}
    return Outcome(Scored(tuple(Finding(s, "corner", 1, (0, 1, 0, 0), 1.0, b) for s, b in boxes.items())))


def test_a_film_without_corners_is_to_be_refused_and_hidden_corners_are_told():
    assert test_image(film(corners=())).is_wrong
    image = test_image(film(hidden=("C3S",)))
    assert (image.subject, image.visit, image.kind, image.is_wrong) == ("A", "BL", "good", False)
    assert (image.sites, image.hidden) == ({"C2I", "C3S"}, {"C3S"})


def test_detection_needs_the_place_and_the_name():
    images = [test_image(film("A", ("C2I", "C3S", "C3I", "C4S"), hidden=("C4S",))), test_image(film("B"))]
    outcomes = [scored(("C2I", 0), ("C3S", 16)), Outcome(Abstained("blurred"))]  # 16 pixels are 3.2 mm
    found = sections(images, outcomes, pd.DataFrame())["corners"]
    assert found["visible"] == 5  # C3I has no name, C4S is hidden
    assert found["found_scored_images"]["estimate"] == pytest.approx(1 / 3)
    assert found["found_all_images"]["estimate"] == pytest.approx(1 / 5)
    assert found["median_distance_mm"] == pytest.approx(1.6)


def test_all_corners_found_have_wilson_limits_over_patients():
    rows = pd.DataFrame({"subject": list("ABCD" * 3), "scored": True, "distance_mm": np.zeros(12)})
    found = corners_found(rows, draws=20)
    assert found["found_all_images"]["ci"] == pytest.approx([0.5101, 1.0], abs=1e-4)
    (table,) = blocks({"corners": found})
    assert "| on all images to be scored | 100.0% (51.0 to 100.0) |" in table.markdown()
