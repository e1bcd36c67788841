"""A fifth system comes from a package of its own: no file of ours is touched."""

import pytest

from core import scores
from core.domain import CohortFilter
from core.errors import InputError
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
