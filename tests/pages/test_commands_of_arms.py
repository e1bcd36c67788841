"""The commands on the Progression page give its adjusted comparison of arms and its estimands."""

import json
import shlex

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from core import scores
from core.cli import cli
from core.domain import CohortFilter, Viewer
from core.errors import InputError
from core.figures.style import LIGHT
from data.store.cohort import CohortStore
from data.tables.export import export
from data.tables.import_reads import ReadsRequest, import_reads
from data.tables.import_subjects import import_subjects
from pages.common.page import Page
from pages.common.progression.commands import ESTIMAND_KEY, NO_EVENT, Chosen, commands
from pages.common.progression.estimands.compute import estimands_of
from pages.common.progression.fitting import adjusted
from pages.common.progression.question import Question

VISITS = {"BL": 0, "W52": 364, "W104": 728}
ASKED = Question(CohortFilter(campaign="main"), "BL", "W104", (0.0, 728.0))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """40 patients on two arms, with strata, a covariate and a rescue; three lack the last film."""
    found = CohortStore.open(tmp_path_factory.mktemp("arms") / "cohort.duckdb")
    with found.write("x", "unblind") as transaction:
        transaction.set_meta("blinded", "false")
    names = [f"P{number:02d}" for number in range(40)]
    subjects = pd.DataFrame(
        {
            "subject": names,
            "arm": ["Placebo", "Active"] * 20,
            "region of site": ["north", "north", "south", "south"] * 10,
            "CRP": [2.5 + number % 9 for number in range(40)],
            "rescue": [300 + number if number % 10 in (2, 3) else None for number in range(40)],
        },
        index=range(1, 41),
    )
    plan = pd.DataFrame({"visit": list(VISITS), "planned_day": list(VISITS.values())}, index=range(1, 4))
    done = import_subjects(found, subjects, plan, actor="x")
    assert not done.ignored, done.ignored
    sites, rng = scores.get("msasss").codes, np.random.default_rng(4)
    for reader in ("R1", "R2"):
        rows = []
        for place, name in enumerate(names):
            for step, visit in enumerate(VISITS):
                if visit == "W104" and place in (4, 9, 13):
                    continue
                grades = [int(rng.random() < 0.1 + 0.05 * step * (1 + place % 3)) for _ in sites]
                rows.append((name, visit, *grades, None))
        table = pd.DataFrame(rows, columns=["subject", "visit", *sites, "x"], index=range(1, len(rows) + 1))
        request = ReadsRequest("msasss", reader, campaign="main", read_mode="paired")
        import_reads(found, table.drop(columns="x"), request, actor="x")
    return found


@pytest.fixture
def page(store):
    return Page(
        str(store.path), {"version": store.version(), "blinded": False, "phantom": True, "last_writes": {}},
        Viewer(), LIGHT,
    )  # fmt: skip


def answer(page, chosen, folder, monkeypatch):
    """What the first export and ``progression`` on the page give."""
    monkeypatch.chdir(folder)
    for line in commands(page, ASKED, ["R1", "R2"], chosen).splitlines()[:2]:
        given = shlex.split(line)[1:]
        result = CliRunner().invoke(cli, ["--cohort", page.path, *given, "--json"], catch_exceptions=False)
        assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_strata_and_covariates_of_the_page_are_those_of_the_command(page, tmp_path, monkeypatch):
    strata, covariates = ("region of site",), ("CRP",)
    shown = adjusted._comparison(page, ASKED, strata, covariates, "holm")
    found = answer(page, Chosen(strata, covariates, "holm"), tmp_path, monkeypatch)["adjusted"]
    assert found["n"] == shown["n"] == 37 and found["reference_arm"] == shown["reference_arm"]
    one, two = found["comparisons"][0], shown["comparisons"][0]
    assert one["ancova"]["estimate"] == pytest.approx(two["ancova"]["estimate"])
    assert one["ancova"]["ci"] == pytest.approx(two["ancova"]["ci"])
    assert one["van_elteren"]["p"] == pytest.approx(two["van_elteren"]["p"])
    assert one["ancova"]["p_adjusted"] == pytest.approx(two["ancova"]["p_adjusted"])


@pytest.mark.parametrize("strategy", ["treatment-policy", "hypothetical", "composite", "while-on-treatment"])
def test_estimand_of_the_page_is_that_of_the_command(page, tmp_path, monkeypatch, strategy):
    shown = estimands_of(page, ASKED, "rescue", strategy, ("j2r",), ">0")["results"][0]
    chosen = Chosen(strategy=strategy, event="rescue", assumptions=("j2r",), rule=">0")
    found = answer(page, chosen, tmp_path, monkeypatch)["estimands"]
    row = found["results"][0]
    assert [one["affected"] for one in found["affected"]] != [0, 0]
    if "assumptions" in shown:
        assert len(row["tipping"]) == len(shown["tipping"]) == 2
        assert row["tipping"][0]["delta"] == pytest.approx(shown["tipping"][0]["delta"])
    both = [one.get("assumptions", [one])[0]["differences"][0] for one in (row, shown)]
    assert both[0]["estimate"] == pytest.approx(both[1]["estimate"])
    assert both[0]["ci"] == pytest.approx(both[1]["ci"])


def test_choices_are_read_from_the_widgets_of_the_page():
    state = {"progression_strata": ["sex"], f"{ESTIMAND_KEY}event": NO_EVENT}
    state[f"{ESTIMAND_KEY}strategy"] = "composite"
    found = Chosen.of(state)
    assert found.properties == ["sex"] and found.options == ["--strata sex"]
    assert Chosen.of({}) == Chosen() and not Chosen().options


def test_a_property_that_nobody_has_is_refused_with_those_there_are(store, tmp_path):
    with pytest.raises(InputError, match=r"property height.*centre, CRP"):
        export(store, "totals", tmp_path / "t.csv", properties=["height"])
    with pytest.raises(InputError, match="property arm"):
        export(store, "totals", tmp_path / "t.csv", properties=["arm"])
    with pytest.raises(InputError, match="belongs to totals"):
        export(store, "images", tmp_path / "t.csv", properties=["CRP"])


def test_properties_leave_rows_and_their_order_as_they_are(store, tmp_path):
    export(store, "totals", tmp_path / "plain.csv", system="msasss")
    export(store, "totals", tmp_path / "more.csv", system="msasss", properties=["sex", "region of site"])
    plain, more = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("plain", "more"))
    assert list(more.columns) == [*plain.columns, "sex", "region of site"]
    pd.testing.assert_frame_equal(plain, more[plain.columns])
    assert set(more["region of site"]) == {"north", "south"}
