"""What a training learned from, as its card keeps it: labels tell whose films they are, earlier weights what
they had learned before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core.errors import ModelError
from core.learned_from import KEY, PHANTOM, REAL, UNSTATED, Step
from models import cards
from models.common.coco import ANNOTATIONS

SAID = ("data_set", "title", "source", "version", "licence", "notice")  # by the labels of an open set


def learned_from(card: Mapping[str, Any]) -> list[Step]:
    """The steps that a card tells; of an older card, which tells none, whether they were phantoms."""
    training = card.get("training", {})
    if KEY in training:
        return list(training[KEY])
    is_phantom = training.get("phantom", "phantom" in str(card.get("note", "")))
    known = training.get("patients")
    patients = {"patients": len(known)} if isinstance(known, list) else {}
    return [{"kind": PHANTOM if is_phantom else UNSTATED, **patients}]


def steps_of(
    system: str, size: str, *, data: Path | None, patients: frozenset[str], init: Path | None = None
) -> list[Step]:
    """The steps of a new training: those of the weights it begins from, then its own.

    data: folder of labelled films, None where they were rendered. patients: that were trained on.
    """
    before = [] if init is None else _before(system, size, init)
    rendered: list[Step] = [{"kind": PHANTOM, "patients": len(patients)}]
    return [*before, *(rendered if data is None else of_labels(data, patients))]


def _before(system: str, size: str, init: Path) -> list[Step]:
    try:
        return learned_from(cards.read_card(system, size, init))
    except ModelError:  # weights may lie there without a card
        return [{"kind": UNSTATED}]


def of_labels(folder: Path, patients: frozenset[str]) -> list[Step]:
    """A step for each file of labels in a folder. patients: that were trained on, without those kept for
    tuning.
    """
    steps: list[Step] = []
    for info, images in _annotations(folder):
        told = {name: info[name] for name in SAID if info.get(name)}
        own = [str(image["patient"]) for image in images if str(image.get("patient")) in patients]
        kind = PHANTOM if info.get("phantom") is True else REAL if "data_set" in told else UNSTATED
        steps.append({"kind": kind, "patients": len(set(own)), "films": len(own), **told})
    if sum(step["patients"] for step in steps):
        return steps
    return [{"kind": UNSTATED, "patients": len(patients)}]


def _annotations(folder: Path) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """``info`` and ``images`` of each COCO file of a folder; of YOLO labels there is none."""
    for path in sorted(folder.rglob(ANNOTATIONS)):
        content = json.loads(path.read_text(encoding="utf-8"))
        yield dict(content.get("info") or {}), list(content.get("images") or [])
