"""The map of a stored finding: one phantom film imported and scored with the shipped weights."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from core.cli import main
from core.errors import InputError, ModelError
from data.ingest.run import ingest
from data.phantom.dicom_out import write_dicom
from data.phantom.spine.films import make_film
from data.store.cohort import CohortStore
from models import registry
from models.explain.stored import explain
from models.scoring.run import score_cohort

SITE = "L3S"


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explain")
    store = CohortStore.open(folder / "cohort.duckdb")
    film = make_film(5, "T1", "BL", "lumbar", {SITE: (2, 0.9)}, kind="good")
    write_dicom(film, folder / "in" / "film.dcm", subject="T1", visit="BL")
    ingest(store, [folder / "in"], workers=0)
    score_cohort(store, "msasss", processes=1)
    image = store.query("SELECT image FROM image")["image"][0]
    return store, str(image)


def stored(store, image):
    rows = store.query("SELECT site, grade, grade_probabilities FROM finding WHERE image = ?", [image])
    return rows.set_index("site")


def test_map_explains_the_grade_and_probabilities_that_are_stored(cohort):
    store, image = cohort
    about = explain(store, image, SITE)
    row = stored(store, image).loc[SITE]
    row = row.iloc[0] if isinstance(row, pd.DataFrame) else row
    assert about.explanation.grade == row["grade"]
    assert about.explanation.probabilities == pytest.approx(list(row["grade_probabilities"]), abs=1e-4)
    assert not any("stored grade" in note for note in about.notes)
    (shown,) = about.maps
    assert shown.heat.shape == about.explanation.tile.shape and shown.heat.max() == pytest.approx(1)
    assert shown.title.startswith("What speaks for grade 2")


def test_command_draws_it_and_tells_the_verdict(cohort, tmp_path, capsys):
    store, image = cohort
    out = tmp_path / "map.png"
    arguments = ["explain", "--image", image[:16], "--site", SITE, "--out", str(out), "--json"]
    with pytest.raises(SystemExit) as end:
        main(["--cohort", str(store.path), *arguments])
    answer = json.loads(capsys.readouterr().out)
    assert end.value.code == 0
    assert out.read_bytes().startswith(b"\x89PNG")
    assert (answer["image"], answer["site"]) == (image, SITE)
    assert answer["passed"] == (answer["tested"] and not answer["reasons"])
    assert sum(answer["grade_probabilities"]) == pytest.approx(1)


def test_what_is_not_stored_is_named(cohort):
    store, image = cohort
    with pytest.raises(InputError, match="no model graded it there"):
        explain(store, image, "C3S")
    with pytest.raises(InputError, match="one of C2I"):
        explain(store, image, "X9", system="msasss")
    with pytest.raises(InputError, match="site 'X9'; no score has it"):
        explain(store, image, "X9")
    with pytest.raises(InputError, match="found there: corner"):
        explain(store, image, SITE, feature="ankylosis")


def test_a_system_without_maps_says_which_have_some(cohort, monkeypatch):
    store, image = cohort
    known = registry.models()
    bare = {"sparcc": replace(known["sparcc"], explanations=None)}
    monkeypatch.setattr(registry, "models", lambda: known | bare)
    with pytest.raises(InputError, match=r"msasss, mtss, synovitis can be explained"):
        explain(store, image, SITE, system="sparcc")


def test_a_finding_of_other_weights_is_not_explained(cohort):
    store, image = cohort
    with store.write("test", "other weights") as tx:
        run = tx.query("SELECT * EXCLUDE (event, superseded_by) FROM run WHERE superseded_by IS NULL")
        tx.supersede("run", run[["run"]])
        tx.insert("run", run.assign(weights_hash="0" * 64))
    with pytest.raises(ModelError, match="would explain another grade"):
        explain(store, image, SITE)
