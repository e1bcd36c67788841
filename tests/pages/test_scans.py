"""Images of joints on the Patient page: which are shown, in colour, cines with the graded frame, sums."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from models.scoring.run import score_cohort
from pages.common.patient.scans import diagnosis as disease
from pages.common.patient.scans import pair
from pages.common.patient.sections import DISEASE, JOINTS
from pages.common.viewer import stored_scans
from tests.helpers import scan_cohort
from tests.helpers.toy_scans import TOY

PATIENT = {"patient": "P1", "system": "synovitis", "first": "BL", "last": "W24"}


@pytest.fixture(scope="module")
def scan_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("scans") / "scans.duckdb"
    scan_cohort.build(path)
    return path


@pytest.fixture
def viewed(monkeypatch):
    seen = []
    monkeypatch.setattr(pair, "film_viewer", lambda films, **more: seen.append((films, more)))
    return seen


def opened(open_app, path, section="", **changed):
    at = open_app("pages/2_Patient.py", cohort=path, section=section, **(PATIENT | changed))
    assert not at.exception
    return at


def test_a_joint_is_shown_at_both_visits_in_the_mode_of_the_site(open_app, scan_file, viewed):
    at = opened(open_app, scan_file, site="R.MCP2.PD")
    films, more = viewed[-1]
    assert [film.title for film in films] == ["BL · power Doppler", "W24 · power Doppler"]
    assert all(film.is_colour for film in films)
    assert (films[0].side, films[0].view, films[0].spacing_mm) == ("right", "dorsal longitudinal", (0.1, 0.1))
    assert "no mark of the probe" in films[0].subtitle
    assert more["thing"] == "image" and not more["can_subtract"]
    assert "1 image says no joint or side" in " ".join(one.value for one in at.caption)


def test_grey_scale_is_shown_for_its_sites(open_app, scan_file, viewed):
    opened(open_app, scan_file, site="R.MCP2.GS")
    films, _ = viewed[-1]
    assert [film.title for film in films] == ["BL · grey scale", "W24 · grey scale"]
    assert not films[0].is_colour and films[0].pixels.dtype == np.uint16


def test_a_cine_has_its_times_and_says_which_frame_was_graded(open_app, scan_file, viewed):
    opened(open_app, scan_file, site="R.MCP2.PD")
    _, cine = viewed[-1][0]
    assert cine.pixels.shape == (scan_cohort.FRAMES, 120, 160, 3)
    assert cine.times_ms == (0, 40, 80, 120, 160) and cine.frame_notes[1] == "40 ms"
    assert cine.graded == (scan_cohort.GRADED,)
    assert "cine, 5 frames" in cine.subtitle
    (box,) = cine.boxes
    assert (box.site, box.frame, box.x0) == ("R.MCP2.PD", None, 20)


@pytest.fixture
def scored_file(tmp_path):
    """The images scored by a run of a model, which sees its grade on the last frame."""
    store = scan_cohort.build(tmp_path / "scored.duckdb", is_scored=False)
    assert score_cohort(store, "synovitis", processes=1, model=TOY).scored == 4
    return tmp_path / "scored.duckdb"


def test_a_scored_cine_opens_on_the_frame_of_its_grade_and_the_scan(
    open_app, scored_file, viewed, monkeypatch
):
    monkeypatch.setattr(disease.registry, "models", lambda: {"synovitis": TOY})
    at = opened(open_app, scored_file, section=DISEASE, site="R.MCP2.PD")
    before, cine = viewed[-1][0]
    assert cine.graded == (scan_cohort.FRAMES - 1,)
    assert before.graded == (), "one frame needs no word on which was graded"
    assert cine.area == before.area == scan_cohort.SCREEN.scan
    table = next(one.value for one in at.dataframe if "question" in one.value)
    assert table["question"].tolist() == ["RA, not SpA/PsA"] and table["images"].tolist() == [2]


def test_a_long_cine_is_sent_smaller_and_says_so(open_app, scan_file, viewed, monkeypatch):
    monkeypatch.setattr(stored_scans, "LARGEST", 100_000)
    stored_scans.shown_scan.clear()
    opened(open_app, scan_file, site="R.MCP2.PD")
    _, cine = viewed[-1][0]
    stored_scans.shown_scan.clear()
    assert cine.pixels.shape == (scan_cohort.FRAMES, 60, 80, 3)
    assert cine.spacing_mm == pytest.approx((0.2, 0.2))
    assert "shown 2 times smaller" in cine.subtitle
    assert cine.boxes[0].x0 == 10


def test_the_joint_map_shows_combined_grades_and_the_sums_say_of_how_many_joints(open_app, scan_file, viewed):
    at = opened(open_app, scan_file, section=JOINTS)
    table = next(one.value for one in at.dataframe if "queries" in one.value)
    first = table[(table["reading"] == "R1") & (table["visit"] == "BL")].iloc[0]
    assert first["combined sum (GLOESS)"] == "2 (1 joint)"
    assert (first["power Doppler sum"], first["queries"]) == ("3 (2 joints)", "1")
    assert (first["PD sum 0"], first["PD 2 or more in a joint"]) == ("no", "yes")
    last = table[(table["reading"] == "R1") & (table["visit"] == "W24")].iloc[0]
    assert (last["PD sum 0"], last["GLOESS at most 1"]) == ("yes", "yes")


def test_the_import_page_lists_what_is_not_known_of_an_image(open_app, scan_file):
    at = open_app("pages/5_Import.py", cohort=scan_file)
    assert not at.exception
    assert any("What ultrasound shows: 5 images, 1 without joint" in one.value for one in at.markdown)
    table = next(one.value for one in at.dataframe if "found" in one.value)
    assert len(table) == 1 and "joint not stated" in table["found"].iloc[0]


def test_progression_counts_cuts_of_remission_and_sums_that_fell(open_app, scan_file):
    at = open_app("pages/4_Progression.py", cohort=scan_file, system="synovitis")
    assert not at.exception
    cuts = next(one.value for one in at.dataframe if "cut" in one.value)
    found = {(row["cut"], row["visit"], row["arm"]): row["patients"] for row in cuts.to_dict("records")}
    assert found["PD sum 0", "BL", "all"].startswith("0 of 2 (0%")
    assert found["PD sum 0", "W24", "all"].startswith("2 of 2 (100%")
    moved = next(one.value for one in at.dataframe if "fell" in one.value).set_index("component")
    assert moved.loc["power Doppler sum", ["n", "fell", "rose"]].tolist() == [2, 2, 0]


def test_what_leaves_a_page_of_images_says_images(open_app, scan_file):
    for page in ("pages/4_Progression.py", "pages/3_Agreement.py"):
        at = open_app(page, cohort=scan_file, system="synovitis")
        said = [one.value for one in (*at.code, *at.caption, *at.markdown)]
        assert not at.exception and said
        assert [line for line in said if "film" in line.lower() and "sharpline" not in line] == []


def test_the_shipped_card_says_how_far_each_guess_can_be_trusted():
    measured = disease._measured("synovitis")
    assert len(measured) == 4 and all(0.5 < area < 0.8 for area in measured.values())


def test_the_panel_of_diseases_says_how_little_it_knows(open_app, scan_file, monkeypatch):
    model = SimpleNamespace(
        diagnoses={"one": ("RA", "SpA/PsA"), "two": ("RA+", "RA-"), "not asked": ("A", "B")}
    )
    card = {"evaluation": {disease.FOLDS: {"one": {"auc": {"mean": 0.57}}}}}
    monkeypatch.setattr(disease.registry, "models", lambda: {"synovitis": model})
    monkeypatch.setattr(disease.cards, "read_card", lambda system, size: card)
    rows = pd.DataFrame(
        {"task": ["one", "one", "two"], "probability": [0.4, 0.6, 0.5], "image": ["a", "b", "a"]}
    )
    measured = disease._measured("synovitis")
    table = disease.table_of(rows, model, measured)
    assert table["question"].tolist() == ["RA, not SpA/PsA", "RA+, not RA-"]
    assert table["mean chance"].tolist() == ["0.50 (0.40 to 0.60)", "0.50 (0.50 to 0.50)"]
    assert table["area under the curve"].tolist() == ["0.57", "not measured"]
    assert "0.57 to 0.57 on phantom" in disease._how_little(measured)
    assert "0.5 is a coin" in disease._how_little({})


def test_the_panel_stands_where_a_model_has_guessed_and_not_for_readers(open_app, scan_file):
    at = opened(open_app, scan_file, section=DISEASE)
    assert any("Disease, guessed" in one.value for one in at.markdown)
    reader = open_app("pages/2_Patient.py", cohort=scan_file, section=DISEASE, viewer="reader:R1", **PATIENT)
    assert not any("Disease, guessed" in one.value for one in reader.markdown)
