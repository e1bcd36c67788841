"""Generators of other packages draw films for systems of their own."""

import pytest

from core.errors import InputError
from data.phantom import generators
from data.phantom.seeds import STREAMS, StudySeed
from tests.helpers.installed import make_package

OURS = generators.systems()
MODULE = """
from dataclasses import replace
from data.phantom.spine.generator import GENERATOR
TOY = replace(GENERATOR, system="toy", views=("knee",), tag="_toy", labels="knees")
SAME_VIEWS = replace(TOY, views=GENERATOR.views)
SAME_SYSTEM = replace(TOY, system=GENERATOR.system)
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    generators.generators.cache_clear()
    yield lambda what: make_package(tmp_path, f"phantoms_{what.lower()}", MODULE, {generators.GROUP: what})
    generators.generators.cache_clear()


def test_a_generator_of_another_package_stands_behind_ours(install):
    install("TOY")
    assert generators.systems() == (*OURS, "toy")
    assert generators.of_view("knee").system == "toy"
    assert {generators.of_view(view).system for view in ("cervical", "lumbar")} == {OURS[0]}


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("SAME_VIEWS", "of the package phantoms_same_views; another one has the view cervical"),
        ("SAME_SYSTEM", f"another one has the system {OURS[0]}"),
    ],
)
def test_generators_that_clash_are_refused(install, what, message):
    install(what)
    with pytest.raises(InputError, match=message):
        generators.systems()


def test_a_generator_makes_up_streams_of_its_own():
    study = StudySeed(seed=3)
    ours = {study.rng(1, stream).integers(2**62) for stream in STREAMS}
    toy = study.rng(1, "toy:reader").integers(2**62)
    assert toy == study.rng(1, "toy:reader").integers(2**62)
    assert toy not in ours and toy != study.rng(1, "toy:course").integers(2**62)
    with pytest.raises(ValueError, match="not in tuple"):
        study.rng(1, "reader")
