"""How well bodies and discs are found and named on phantom stacks of patients that no network saw.

python -m models.sparcc.anatomy.evaluate_phantom --stacks DIR --patients 12 --domain second
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.domain import Abstained
from data.phantom.mri.anatomy import BODY_LABEL, DISC_LABEL
from models.evaluation.intervals import mean_by_patient
from models.sparcc.anatomy.across import name_across
from models.sparcc.anatomy.evaluate import MIN_OVERLAP, rounded
from models.sparcc.anatomy.segment import Segmented, Segmenter, build_segmenter
from models.sparcc.on_phantoms import measuring
from models.sparcc.rendered import Stack, visits

OUTCOMES = ("right", "wrong", "unnamed", "missed")
SEQUENCES = ("STIR", "T1")


def outcomes(stack: Stack, found: Segmented) -> dict[str, int]:
    """Bodies of a stack by what became of them. One that is cut by the edge of the field counts as well."""
    counts = dict.fromkeys(OUTCOMES, 0)
    number = len(found.bodies)
    for name, value in BODY_LABEL.items():
        where = stack.structures == value
        inside = found.labels[where]
        inside = inside[(inside > 0) & (inside <= number)]
        if not where.any():
            continue
        labels = np.bincount(inside, minlength=1)
        if labels.max() < MIN_OVERLAP * where.sum() or not len(inside):
            counts["missed"] += 1
            continue
        said = found.levels.get(int(labels.argmax()))
        counts["unnamed" if said is None else "right" if said == name else "wrong"] += 1
    return counts


def dices(stack: Stack, found: Segmented) -> dict[str, float]:
    """Dice of bodies and of discs of a whole stack."""
    number, first = len(found.bodies), min(DISC_LABEL.values())
    pairs = {
        "body": (
            (found.labels > 0) & (found.labels <= number),
            (stack.structures > 0) & (stack.structures < first),
        ),
        "disc": (found.labels > number, stack.structures >= first),
    }
    return {
        name: 2 * int((one & two).sum()) / max(int(one.sum()) + int(two.sum()), 1)
        for name, (one, two) in pairs.items()
    }


def rows_of(visit: Sequence[Stack], segmenter: Segmenter) -> Iterator[dict[str, Any]]:
    """A row a stack and sequence of a visit; names of STIR also as all STIR stacks have them together."""
    together = [(stack.image(), segmenter.segment(stack.image())) for stack in visit]
    readable = [(image, one) for image, one in together if not isinstance(one, Abstained)]
    across = iter(name_across(readable))
    for stack, (_, alone) in zip(visit, together, strict=True):
        known = {"patient": stack.patient, "view": stack.view, "transitional": stack.transitional}
        if isinstance(alone, Abstained):
            continue
        joined = {f"across_{name}": count for name, count in outcomes(stack, next(across)).items()}
        yield known | {"sequence": "STIR"} | dices(stack, alone) | outcomes(stack, alone) | joined
        t1 = segmenter.segment(stack.image("T1"))
        if not isinstance(t1, Abstained):
            yield known | {"sequence": "T1"} | dices(stack, t1) | outcomes(stack, t1)


def figures(rows: pd.DataFrame) -> dict[str, Any]:
    """By view and sequence: Dice over patients with 95% intervals, and bodies by outcome."""
    result: dict[str, Any] = {}
    for (view, sequence), some in rows.groupby(["view", "sequence"], sort=False):
        entry: dict[str, Any] = {"patients": int(some["patient"].nunique())}
        for part in ("body", "disc"):
            entry[part] = rounded(mean_by_patient(some[part].to_numpy(), some["patient"].to_numpy()))
        for prefix in ("", "across_"):
            if some.get(f"{prefix}right") is not None and some[f"{prefix}right"].notna().all():
                key = f"names {'of the visit' if prefix else 'alone'}"
                entry[key] = {name: int(some[f"{prefix}{name}"].sum()) for name in OUTCOMES}
        result[f"{view} {sequence}"] = entry
    return result


def _rows(stacks: Iterable[Stack], size: str, weights: Path) -> pd.DataFrame:
    """A row a stack of all visits."""
    segmenter = build_segmenter(size, weights)
    return pd.DataFrame(row for visit in visits(list(stacks)) for row in rows_of(visit, segmenter))


main = measuring(_rows, figures)


if __name__ == "__main__":
    main()
