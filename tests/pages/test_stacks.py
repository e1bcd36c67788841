"""Stacks of slices on the Patient page: which are shown, how slices are linked, what is marked on them."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from core import scores
from core.domain import Viewer
from core.scores.display.words import definition_words, of_rule, worsened
from data.queries.stacks import slices
from data.store.cohort import CohortStore
from pages.common.patient.stacks import choice, pair
from pages.common.patient.stacks.outlines import middles, on_frames, polygons, shift_of
from tests.helpers import mri_cohort

SYSTEM = scores.get("sparcc")
PATIENT = {"patient": "P2", "system": "sparcc", "site": "T11T12.s2.UA", "first": "BL", "last": "W24"}


@pytest.fixture(scope="module")
def mri_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("mri") / "mri.duckdb"
    mri_cohort.build(path)
    return path


@pytest.fixture
def viewed(monkeypatch):
    """What the viewer is given, run by run."""
    seen = []
    monkeypatch.setattr(pair, "film_viewer", lambda films, **more: seen.append((films, more)))
    return seen


def opened(open_app, path, **changed):
    at = open_app("pages/2_Patient.py", cohort=path, **(PATIENT | changed))
    assert not at.exception
    return at


def test_both_visits_of_a_sequence_are_shown_with_places_from_one_middle(open_app, mri_file, viewed):
    at = opened(open_app, mri_file)
    films, more = viewed[-1]
    assert [film.title for film in films] == ["BL · STIR", "W24 · STIR"]
    assert [film.places_mm for film in films] == [mri_cohort.PLACES, mri_cohort.PLACES]
    assert films[0].pixels.shape[0] == 5 and films[0].frame_word == "slice"
    assert films[0].frame_notes[2] == "at the middle"
    assert more["thing"] == "stack" and more["focus"] == "T11T12.s2.UA"
    said = " ".join(one.value for one in at.caption)
    assert "slices go together by their place, counted from the middle of each stack" in said


def test_only_the_chosen_unit_is_listed_with_its_grades(open_app, mri_file, viewed):
    opened(open_app, mri_file)
    films, _ = viewed[-1]
    sites = [site for site, _ in films[0].unplaced]
    assert len(sites) == 18 and all(site.startswith("T11T12.") for site in sites)
    cells = dict(films[0].unplaced)["T11T12.s2.UA"]
    assert [text for text, _ in cells] == ["1", "1", "1", "1"]


def test_two_sequences_of_a_visit_can_stand_beside_each_other(mri_file):
    rows = slices(CohortStore(mri_file), Viewer(), "P2")
    views = choice.views(choice.of_region(rows, "thoracic"), ["BL", "W24"])
    assert list(views) == ["STIR", "T1", "W24: STIR, T1", "BL: STIR, T1"]
    assert views["W24: STIR, T1"] == [("W24", "STIR"), ("W24", "T1")]


def test_a_stack_that_a_scorer_may_read_comes_first_and_a_whole_spine_shows_every_region():
    rows = pd.DataFrame(
        [("cut", "BL", "lumbar", "lumbar spine", "STIR", 9, "a slice is missing"),
         ("whole", "BL", "whole spine", "spine", "STIR", 15, ""),
         ("own", "BL", "lumbar", "lumbar spine", "STIR", 12, ""),
         ("neck", "BL", "cervical", "cervical spine", "STIR", 20, ""),
         ("odd", "BL", "", "", "", 5, "sequence not known")],
        columns=["stack", "visit", "region", "part", "sequence", "count", "why_not"],
    )  # fmt: skip
    table = rows.loc[rows.index.repeat(rows["count"])].assign(is_open=True, image="i")
    found = choice.of_region(table, "lumbar")
    assert found["stack"].tolist() == ["own", "whole", "cut", "odd"]
    assert choice.sequences(found) == ["STIR", choice.UNKNOWN]


def square(x, y, size):
    return [[x, y], [x + size, y], [x + size, y + size], [x, y + size]]


def test_slices_of_two_visits_are_matched_by_the_bodies_that_both_name():
    """The body is seen on slices 1 to 3 of the first stack and 2 to 4 of the second."""

    def drawn(frames):
        rows = [("i", frame, "body", "L3", square(0, 0, 10)) for frame in frames]
        return pd.DataFrame(rows, columns=["image", "frame", "structure", "name", "polygon"])

    frames = {("i", frame): frame for frame in range(6)}
    places = np.arange(6) * 4.0
    one, two = (middles(on_frames(drawn(at), frames), places) for at in ((1, 2, 3), (2, 3, 4)))
    assert one["L3"].place == pytest.approx(8) and two["L3"].centre == pytest.approx((5, 5))
    assert shift_of(one, two) == pytest.approx(-4)
    assert shift_of(one, {}) is None


@pytest.fixture
def outlined_file(mri_file, tmp_path):
    """With an outline of oedema on each slice of the thoracic STIR stacks of P2."""
    path = shutil.copy(mri_file, tmp_path / "drawn.duckdb")
    shutil.copytree(CohortStore(mri_file).folder, CohortStore(path).folder, dirs_exist_ok=True)
    store = CohortStore(path)
    rows = slices(store, Viewer(), "P2")
    images = rows.loc[(rows["region"] == "thoracic") & (rows["sequence"] == "STIR"), "image"].unique()
    outlines = pd.DataFrame(
        [("r", image, 0, "oedema", "", json.dumps(square(5, 5, 6)), 1) for image in images],
        columns=["run", "image", "frame", "structure", "name", "polygon", "part"],
    )
    with store.write("test", "outline") as tx:
        tx.insert("outline", outlines)
    return path


def test_outlines_of_a_stack_are_read_once_however_often_it_is_shown(
    open_app, outlined_file, viewed, monkeypatch
):
    read = []
    monkeypatch.setattr(
        pair, "polygons", lambda rows, system: read.append(len(rows)) or polygons(rows, system)
    )
    at = opened(open_app, outlined_file)
    assert read == [5, 5]  # one stack of each visit
    shapes = [film.shapes for film in viewed[-1][0]]
    at.session_state[pair.SHOWN] = "W24: STIR, T1"
    at.run()
    assert not at.exception and read == [5, 5, 0]  # nothing is drawn on T1
    at.session_state[pair.SHOWN] = "STIR"
    at.run()
    assert read == [5, 5, 0] and [film.shapes for film in viewed[-1][0]] == shapes


def test_a_blinded_reader_sees_stacks_and_no_outline_of_a_model(open_app, outlined_file, viewed):
    path = outlined_file
    opened(open_app, path)
    films, more = viewed[-1]
    assert [layer.short for layer in more["structures"]] == ["Oedema"]
    assert sorted(shape.frame for shape in films[0].shapes) == [0, 1, 2, 3, 4]
    at = open_app("pages/2_Patient.py", cohort=path, viewer="reader:R1", patient="P2", system="sparcc")
    assert not at.exception
    films, more = viewed[-1]
    assert films[0].pixels is not None and not films[0].shapes and not more["structures"]


SECTION = {"section": "From total to pixels"}


def test_every_page_of_a_score_of_stacks_opens_and_speaks_of_stacks(open_app, mri_file, viewed):
    for page in ("1_Cohort", "2_Patient", "3_Agreement", "4_Progression"):
        at = open_app(f"pages/{page}.py", cohort=mri_file, system="sparcc")
        assert not at.exception
        said = [one.value for kind in (at.markdown, at.caption) for one in kind]
        if page == "1_Cohort":
            assert "## Stacks per visit" in said
            assert next(one for one in at.metric if one.label == "Stacks").value == "24"
        if page == "4_Progression":
            assert any(text.startswith("## Who worsened or improved") for text in said)
            table = next(one.value for one in at.dataframe if "definition" in one.value)
            assert table["definition"].tolist()[:2] == ["≥5 (worse)", "≤−5 (better)"]
            assert {">SDC (worse)", "<−SDC (better)"} <= set(table["definition"])
            assert any("observed stacks only" in str(one.options) for one in at.selectbox)
            assert any("; better 0 of 1 in Placebo" in text for text in said)
            assert (
                next(one for one in at.selectbox if one.label == "Rule").options[0]
                == "Six worst units of each visit"
            )
            assert not any("progressed" in text for text in said)


def test_a_total_goes_to_units_slices_and_items(open_app, mri_file, viewed):
    at = opened(open_app, mri_file, **SECTION)
    tables = [one.value for one in at.dataframe]
    units = next(table for table in tables if "unit" in table)
    assert units.columns.tolist() == ["unit", "adds", "slice 1", "slice 2", "slice 3"]
    items = next(table for table in tables if "T11T12" in table)
    assert items["T11T12"].tolist()[0] == "upper anterior quadrant" and len(items) == 6
    assert items.loc[0, "slice 2"] == "▸ 1"


def test_a_rejected_stack_says_why_on_its_picture_and_is_counted(open_app, mri_file, tmp_path, viewed):
    path = shutil.copy(mri_file, tmp_path / "rejected.duckdb")
    shutil.copytree(CohortStore(mri_file).folder, CohortStore(path).folder, dirs_exist_ok=True)
    rows = slices(CohortStore(path), Viewer(), "P2")
    stack = rows[(rows["region"] == "thoracic") & (rows["sequence"] == "STIR") & (rows["visit"] == "W24")]
    finding = {"finding": "f", "run": "r", "image": stack["image"].iloc[2], "system": "sparcc"}
    model = {"run": "r", "system": "sparcc", "reader": "model:m", "campaign": "single"}
    with CohortStore(path).write("test", "score") as tx:
        tx.insert("reader", pd.DataFrame([{"reader": "model:m", "kind": "model"}]))
        tx.insert("run", pd.DataFrame([model]))
        tx.insert("finding", pd.DataFrame([finding | {"abstained": "no row of bodies"}]))
    at = opened(open_app, path, **SECTION)
    films, _ = viewed[-1]
    assert films[1].subtitle.endswith("rejected by the model: no row of bodies")
    assert not films[0].subtitle.endswith("bodies")
    assert any("1 rejected" in one.label for one in at.expander)


def test_a_total_of_a_part_of_the_units_says_so(open_app, mri_file, tmp_path, viewed):
    path = shutil.copy(mri_file, tmp_path / "partly.duckdb")
    shutil.copytree(CohortStore(mri_file).folder, CohortStore(path).folder, dirs_exist_ok=True)
    rows = mri_cohort.site_grades()
    rows = rows[(rows["subject"] == "P2") & (rows["visit"] == "W24") & (rows["reader"] == "R1")]
    cervical = rows["site"].map(lambda code: SYSTEM.by_code[code].region) == "cervical"
    keys = ["subject", "visit", "system", "reader", "campaign", "read"]
    with CohortStore(path).write("test", "reads") as tx:
        tx.supersede("site_score", rows[keys].drop_duplicates())
        tx.insert("site_score", rows.assign(grade=rows["grade"].mask(cervical), reason="off the film"))
    at = opened(open_app, path)
    said = next(one.value for one in at.warning)
    assert said.startswith("R1, W24: 306 of 414 sites read. 1 total is the worst units among those")
    assert not opened(open_app, mri_file).warning
    for page in ("3_Agreement", "4_Progression"):
        at = open_app(f"pages/{page}.py", cohort=path, system="sparcc")
        assert any("1 total is the worst units" in one.value for one in at.warning)


@pytest.mark.parametrize("name, rose, words", [
    ("msasss", "progressed", {">0": ">0", "net progression": "net progression"}),
    ("sparcc", "worsened", {"≥5": "≥5 (worse)", "≤−5": "≤−5 (better)", "net progression": "net worsening"}),
])  # fmt: skip
def test_a_score_that_may_fall_has_words_for_both_directions(name, rose, words):
    system = scores.get(name)
    assert worsened(system) == rose
    assert {given: definition_words(system, given) for given in words} == words
    rule = "Missing sites were handled by the rule “X”."
    assert of_rule(system, rule) == (rule if name == "msasss" else "Totals were made by the rule “X”.")
