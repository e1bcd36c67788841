"""A fifth system, from two entry points of another package: it trains, scores, is evaluated and explained,
and stands on every page, in the report and in exports, with no file of the product touched.
"""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from core import scores
from core.cli import main
from models import registry
from tests.helpers.paths import ROOT
from tests.helpers.small_films import film, save
from tests.toy.model.training import VISITS
from tests.toy.pictures import CORNERS, grades_of, picture

PATIENTS = 12
ENTRIES = """[sharpline.scores]
toyknee = tests.toy.score:TOY

[sharpline.models]
toyknee = tests.toy.model.system:MODEL
"""


def forget():
    scores.systems.cache_clear()
    registry.models.cache_clear()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder on the path, in which the package's entry points lie; the toy is known while tests run."""
    folder = tmp_path_factory.mktemp("toy")
    about = folder / "toyknee-0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: toyknee\nVersion: 0\n")
    (about / "entry_points.txt").write_text(ENTRIES)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setenv("PYTHONPATH", os.pathsep.join((str(folder), str(ROOT))))
        patch.setenv("TOY_WEIGHTS", str(folder / "weights"))
        forget()
        yield folder
    forget()


def sharpline(*arguments):
    """The command; its status."""
    with pytest.raises(SystemExit) as end:
        main([str(one) for one in arguments])
    return end.value.code


@pytest.fixture(scope="module")
def weights(place):
    assert sharpline("train", "toyknee", "--phantom", 40, "--out", place / "weights", "--json") == 0
    return place / "weights"


@pytest.fixture(scope="module")
def cohort(place, weights):
    """Twelve patients in two arms at two visits, two readers, scored by the model; one film it refuses."""
    films = place / "films"
    films.mkdir()
    reads = []
    rng = np.random.default_rng(3)
    for number in range(PATIENTS):
        for order, visit in enumerate(VISITS):
            grades = grades_of(number, order)
            tags = {"ClinicalTrialSubjectID": f"K{number:02d}", "ClinicalTrialTimePointID": visit}
            tags |= {"BodyPartExamined": "KNEE", "PatientID": f"H{number}", "PatientName": f"Anon{number}"}
            pixels = picture(grades, 100 * number + order)
            save(film(pixels, bits=12, **tags), films / f"{number}-{order}.dcm")
            for reader in ("R1", "R2"):
                off = {site: int(rng.choice([-1, 0, 1], p=(0.05, 0.9, 0.05))) for site in grades}
                given = {site: int(np.clip(grade + off[site], 0, 2)) for site, grade in grades.items()}
                reads.append({"subject": f"K{number:02d}", "visit": visit, "reader": reader} | given)
    large = film(bits=12, BodyPartExamined="KNEE", PatientID="H99", PatientName="Anon99")
    save(large, films / "large.dcm")
    arms = [{"subject": f"K{n:02d}", "arm": ("Active", "Placebo")[n % 2]} for n in range(PATIENTS)]
    days = [
        {"subject": arm["subject"], "visit": visit, "day": 364 * order, "visit_order": order}
        for arm in arms
        for order, visit in enumerate(VISITS)
    ]
    for name, rows in (("arms", arms), ("visits", days), ("reads", reads)):
        pd.DataFrame(rows).to_csv(place / f"{name}.csv", index=False)
    path = place / "cohort.duckdb"
    tables = ("subjects", place / "arms.csv", "--visits", place / "visits.csv")
    assert sharpline("--cohort", path, *tables) == 0
    assert sharpline("--cohort", path, "ingest", films) == 0
    assert sharpline("--cohort", path, "reads", place / "reads.csv", "--system", "toyknee") == 0
    assert sharpline("--cohort", path, "score") == 0
    return path


def rows_of(cohort, table, place, *options):
    out = place / f"{table}.csv"
    assert sharpline("--cohort", cohort, "export", "--table", table, "--out", out, *options) == 0
    return pd.read_csv(out)


def test_it_is_trained(weights):
    card = json.loads((weights / "toyknee-demo.json").read_text())
    assert card["system"] == "toyknee"
    assert card["networks"]["grader"]["file"] == "toyknee-demo-grader.safetensors"
    assert "phantom" in card["note"]


def test_it_is_evaluated(weights, capsys):
    capsys.readouterr()
    asked = ("--patients", 10, "--domain", "first", "--processes", 1, "--json")
    assert sharpline("evaluate", "toyknee", *asked) == 0
    found = json.loads(capsys.readouterr().out)
    (one,) = found["sets"]
    assert (found["system"], one["patients"], one["images"], one["real"]) == ("toyknee", 10, 20, False)
    assert one["status"]["total"]["model"]["icc_a1"]["estimate"] > 0.9
    assert set(one["status"]["total"]) == {"model", "R1", "R2"}
    assert one["change"]["total"]["model"]["n"] == 10
    assert one["sections"] == {}


def test_its_films_are_scored_and_the_wrong_one_is_refused(cohort, place):
    found = rows_of(cohort, "site_scores", place)
    model = found[found["reader"] == "model:toyknee-demo"]
    assert len(model) == PATIENTS * len(VISITS) * len(CORNERS)
    truth = [grades_of(int(row.subject[1:]), VISITS.index(row.visit))[row.site] for row in model.itertuples()]
    assert np.mean(model["grade"] == truth) > 0.95
    findings = rows_of(cohort, "findings", place)
    assert findings["abstained"].dropna().tolist() == [
        "a picture of both knees has 64 x 64 pixels, not 48 x 40"
    ]


def test_its_totals_are_exported(cohort, place):
    totals = rows_of(cohort, "totals", place)
    assert set(totals["component"]) == {"right", "left", "total"}
    assert set(totals["rule"]) == {"toyknee.complete_only"}
    assert set(totals["reader"]) == {"R1", "R2", "model:toyknee-demo"}


def test_its_findings_are_explained(cohort, place, capsys):
    images = rows_of(cohort, "images", place)
    image = images.loc[images["subject"].notna(), "image"].iloc[0]
    out = place / "why.png"
    asked = ("--image", image, "--site", "RK.MED", "--out", out)
    assert sharpline("--cohort", cohort, "explain", *asked) == 0
    assert out.stat().st_size > 1000
    assert "this map has not been tested with these weights" in capsys.readouterr().out


def test_it_has_a_report(cohort, place):
    out = place / "report.html"
    assert sharpline("--cohort", cohort, "report", "--system", "toyknee", "--out", out) == 0
    assert "Toy knee" in out.read_text(encoding="utf-8")


def words(at):
    """All that a page says."""
    kinds = ("title", "markdown", "caption", "dataframe", "metric", "selectbox", "segmented_control")
    return " ".join(
        " ".join(map(str, (element.value, getattr(element, "label", ""), getattr(element, "options", ""))))
        for kind in kinds
        for element in at.get(kind)
    )


@pytest.fixture
def open_page(cohort, monkeypatch):
    """Opens a page over the toy's cohort."""
    from streamlit.testing.v1 import AppTest

    def opened(page):
        monkeypatch.chdir(ROOT)
        monkeypatch.setenv("SHARPLINE_COHORT", str(cohort))
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=240)
        at.query_params["system"] = "toyknee"
        return at.run().switch_page(page).run()

    return opened


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("pages/1_Cohort.py", "Toy knee"),
        ("pages/2_Patient.py", "Toy knee"),
        ("pages/3_Agreement.py", "Toy knee"),
        ("pages/4_Progression.py", "Toy knee"),
    ],
)
def test_it_is_on_every_page(open_page, page, shown):
    at = open_page(page)
    assert not at.exception
    assert shown in words(at)


def test_its_model_can_be_run_on_the_import_page(open_page):
    at = open_page("pages/5_Import.py")
    at.get("segmented_control")[0].set_value("Run the model").run()
    assert not at.exception
    assert "Toy knee" in words(at)


def test_a_process_of_its_own_knows_it(place, weights):
    done = subprocess.run(
        [sys.executable, "-c", "from models.registry import models; print(list(models()))"],
        capture_output=True, text=True, check=True, cwd=place,
    )  # fmt: skip
    assert "toyknee" in done.stdout
