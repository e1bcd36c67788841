"""What the tests of the maps said, stored as JSON beside the weights; nothing here imports a network.

A map of weights that were not tested, or that failed, is shown struck through with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models import cards

BEYOND_BOX = 0.0  # lower limit of heat (and of hits) inside the finding minus that of the box itself
MAX_RANDOM = 0.5  # upper limit of the likeness to the map of random weights
MIN_REPEAT = 0.7  # lower limit of the likeness to the map of a shifted picture


@dataclass(frozen=True)
class Verdict:
    """Whether the maps of one network can be trusted. tested: with its very weights, layer and weighting."""

    tested: bool
    passed: bool
    reasons: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """One sentence for a caption."""
        if not self.tested:
            return "this map has not been tested with these weights; do not rely on it"
        if self.passed:
            return "the maps of this network passed their tests on phantoms"
        return "the maps of this network FAILED their tests: " + "; ".join(self.reasons)


def judge(figures: Mapping[str, Any]) -> Verdict:
    """The verdict on the figures of one network: estimates ``{"estimate", "ci"}`` by name."""
    reasons = []

    def limits(name: str) -> tuple[float, float]:
        low, high = figures[name]["ci"]
        return (-1.0 if low is None else low), (1.0 if high is None else high)

    if figures.get("empty_maps", 0) > figures.get("cases", 0) / 2:
        reasons.append("most maps have no heat at all")
    if limits("share_beyond_box")[0] <= BEYOND_BOX:
        reasons.append("no more of the heat lies in the true finding than of the box itself")
    if limits("point_beyond_box")[0] <= BEYOND_BOX:
        reasons.append("the hottest point hits the true finding no more often than a random point of the box")
    if limits("random all")[1] >= MAX_RANDOM:
        reasons.append("a network with random weights gives a similar map")
    if limits("repeat")[0] < MIN_REPEAT:
        reasons.append("the map moves when the picture is shifted a little")
    return Verdict(True, not reasons, tuple(reasons))


def result_path(system: str, size: str, folder: Path = cards.FOLDER) -> Path:
    """Where the tests of a model's maps are stored: beside its card."""
    return folder / f"{system}-{size}-explain.json"


def of_network(name: str) -> str:
    """The network in the card that maps of this name come from: ``ankylosis, Conv7`` -> ``ankylosis``."""
    return name.partition(",")[0]


def read_results(system: str, size: str, folder: Path = cards.FOLDER) -> dict[str, Any] | None:
    """What the tests of a model's maps found; None where they never ran."""
    path = result_path(system, size, folder)
    if not path.is_file():
        return None
    stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return stored


def read_verdict(system: str, size: str, network: str, method: str, folder: Path = cards.FOLDER) -> Verdict:
    """The stored verdict, untested where there is none for this network's weights and this method. network:
    a name in the results, or with a feature behind it (``grader, jsn``): then that feature's maps must pass
    as well."""
    stored = read_results(system, size, folder)
    every = stored["networks"] if stored else {}
    base, _, feature = network.partition(", ")
    alone = network not in every and base in every
    found = every.get(base if alone else network)
    if found is None or found["method"] != method:
        return Verdict(False, False)
    about = cards.read_card(system, size, folder)["networks"].get(of_network(network), {})
    if found["sha256"] != about.get("sha256"):
        return Verdict(False, False)
    whole = Verdict(True, bool(found["passed"]), tuple(found["reasons"]))
    if not alone or not whole.passed:
        return whole
    figures = found.get("by_feature", {}).get(feature)
    return judge(figures) if figures else Verdict(False, False)
