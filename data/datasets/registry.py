"""The open data sets that can be read, by name."""

from __future__ import annotations

from collections.abc import Mapping

from core.errors import InputError
from core.scores import get as score_of
from core.scores import systems
from core.scores.system import ScoreSystem
from data.datasets import unlabelled
from data.datasets.frame import DataSet
from data.datasets.hands import arise_2025, ra2_dream, ram_h1200, ram_w600
from data.datasets.spine import buu_lspine, csxa, spider, spondylolisthesis
from data.datasets.ultrasound import msk_us
from data.study.source import data_set_of

MODULES = (
    ram_h1200,
    ram_w600,
    ra2_dream,
    arise_2025,
    csxa,
    buu_lspine,
    spondylolisthesis,
    spider,
    msk_us,
    unlabelled,
)
SETS: dict[str, DataSet] = {module.SET.name: module.SET for module in MODULES}


def get(name: str) -> DataSet:
    """The set of this name, any case. Raises InputError."""
    found = SETS.get(name.strip().casefold().replace("_", "-"))
    if found is None:
        raise InputError(f"data set {name}", f"one of {', '.join(SETS)} is needed", "choose one of them")
    return found


def system_of(name: str) -> ScoreSystem | None:
    """The scoring system whose sites the set's words are, None where it has none."""
    return next((system for system in systems().values() if system.sites_of_set(name)), None)


def system_asked(meta: Mapping[str, str], asked: str, command: str) -> ScoreSystem:
    """The system that a command was asked for, else that of the cohort's data set.

    meta: the cohort's settings. Raises InputError where neither says one.
    """
    source = data_set_of(meta)
    own = system_of(source["name"]) if source and source["name"] in SETS else None
    found = score_of(asked) if asked else own
    if found is None:
        raise InputError(f"{command} without --system", "the scoring system is needed", "add --system")
    return found
