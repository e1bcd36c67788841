"""A fifth system comes from a package of its own: no file of ours is touched."""

import pandas as pd
import pytest

from core import scores
from core.domain import CohortFilter
from core.errors import InputError
from data.store.cohort import CohortStore
from data.tables.export import export
from data.tables.import_reads import ReadsRequest, import_reads
from tests.helpers.installed import make_package

OURS = scores.names()
MODULE = """
from core.scores.system import Component, Feature, Rule, ScoreSystem, Site
SYSTEM = ScoreSystem(
    name="{name}", title="Toy", long_name="toy score", aliases=("plaything",),
    sites=(Site("K", "knee", "swelling", 3, "knee", "K", "knee"),),
    features=(Feature("swelling", "swelling", ("none", "some", "more", "most")),),
    components=(Component("knee", "knee (0-3)", ("knee",)),), total_blocks=("knee",),
    rules=(Rule("{name}.complete", "Complete", "No gaps.", "ours", False),),
)
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    scores.systems.cache_clear()
    yield lambda name, package, what="SYSTEM": make_package(
        tmp_path, package, MODULE.format(name=name), {scores.GROUP: what}
    )
    scores.systems.cache_clear()


def test_a_system_of_another_package_stands_behind_ours(install):
    install("toy", "toy_knees")
    assert scores.names() == (*OURS, "toy")
    assert scores.get("Plaything").maximum == 3
    assert scores.listed().endswith("toy (plaything)")
    assert CohortFilter().system == OURS[0]


def test_a_system_of_another_package_is_imported_summed_and_exported(install, tmp_path):
    install("toy", "toy_cohort")
    store = CohortStore.open(tmp_path / "c.duckdb")
    reads = pd.DataFrame(
        {"subject": ["P1", "P1"], "visit": ["BL", "W52"], "reader": "R1", "site": "k", "grade": [1, 3]}
    )
    assert import_reads(store, reads, ReadsRequest("plaything")).refused == []
    export(store, "totals", tmp_path / "totals.csv", system="toy")
    totals = pd.read_csv(tmp_path / "totals.csv")
    assert totals[["component", "rule", "total"]].values.tolist() == [
        [component, "toy.complete", total] for total in (1.0, 3.0) for component in ("knee", "total")
    ]


def test_a_name_that_is_taken_is_refused(install):
    install(OURS[0], "toy_clash")
    with pytest.raises(InputError, match=f"of the package toy_clash; the name {OURS[0]} is taken"):
        scores.names()


def test_an_alias_that_another_package_took_is_refused(install):
    install("toy", "toy_first")
    install("other", "toy_second")
    with pytest.raises(InputError, match="system other of the package toy_second; the name plaything"):
        scores.names()


@pytest.mark.parametrize(
    ("what", "message"),
    [("Site", "a ScoreSystem is needed"), ("NOTHING", "it cannot be imported")],
)
def test_an_entry_that_is_no_system_is_said(install, what, message):
    install("toy", f"toy_{what.lower()}", what)
    with pytest.raises(InputError, match=message):
        scores.names()
