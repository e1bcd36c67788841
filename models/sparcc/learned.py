"""What the networks learned from, as the card tells it: each from images of its own, all of them MRI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import ModelError
from core.learned_from import KEY, PHANTOM, REAL, UNSTATED, Step
from models import cards

BODIES, OEDEMA = "bodies and discs", "marrow oedema"
THINGS = "MRI"
REAL_SET = {
    "title": "JonathanRamos/fastcleverseg",
    "licence": "GPL-3.0",
    "notice": "Lumbar MRI of JonathanRamos/fastcleverseg; the authors of its sets ask to be cited: VB1 "
    "doi:10.1111/cgf.12343, VB2 doi:10.1371/journal.pone.0143327, VB3 doi:10.1186/s12891-019-2528-x, "
    "IVD doi:10.21037/qims.2016.08.01.",
}


def learned_steps(part: str, *, real: int = 0, volumes: int | None = None, phantoms: int = 0) -> list[Step]:
    """The steps of one part, learned from both kinds at once. real, phantoms: patients; volumes: theirs."""
    own: dict[str, Any] = {"part": part, "things": THINGS}
    steps: list[Step] = []
    if real:
        steps.append({"kind": REAL, "patients": real, "volumes": volumes, **REAL_SET, **own})
    if phantoms:
        beside = {"together": True} if steps else {}
        steps.append({"kind": PHANTOM, "patients": phantoms, **own, **beside})
    return steps


def before(part: str, size: str, init: Path | None, others: Sequence[Step]) -> list[Step]:
    """What the weights of a part had learned before, from the card beside them; ``others`` comes after.

    init: folder of the weights, None where none were begun from. Steps of the same images are told once.
    """
    if init is None:
        return list(others)
    try:
        kept = part_of(cards.read_card("sparcc", size, init), part)
    except ModelError:  # weights may lie there without a card
        kept = []
    known = kept or [{"kind": UNSTATED, "part": part, "things": THINGS}]
    return [*(step for step in known if not _among(step, others)), *others]


def part_of(card: Mapping[str, Any], part: str) -> list[Step]:
    """The steps of one part in a card; empty where the card tells none."""
    return [step for step in card.get("training", {}).get(KEY, ()) if step.get("part") == part]


def with_part(training: Mapping[str, Any], part: str, steps: Sequence[Step]) -> dict[str, Any]:
    """The card's entry ``training`` with these steps of a part beside those of the other."""
    kept = [step for step in training.get(KEY, ()) if step.get("part") != part]
    return {**training, KEY: [*kept, *steps]}


def _among(step: Step, others: Sequence[Step]) -> bool:
    """Whether as many patients of the same kind and set are among other steps."""
    same = ("kind", "title", "patients")
    return any(all(step.get(name) == other.get(name) for name in same) for other in others)
