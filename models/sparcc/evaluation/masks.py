"""Bodies, discs and names of a stack against the true ones of the phantom, and what was not scored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.agreement.bootstrap import DRAWS
from data.phantom.mri.anatomy import BODY_LABEL, DISC_LABEL
from models.evaluation.intervals import mean_by_patient, ratio

if TYPE_CHECKING:
    from models.sparcc.anatomy.segment import Segmented

MIN_OVERLAP = 0.5  # of a true body that a found one must cover to be the same
FATES = ("right", "wrong", "unnamed", "missed")


@dataclass(frozen=True)
class StackMasks:
    """One stack. abstained: why it was not looked at, ``""`` where it was. dice: of ``body``, ``disc`` and
    ``oedema``, NaN where neither mask has any. bodies: true bodies by what became of them. unnamed: why no
    body has a name.
    """

    view: str
    abstained: str = ""
    dice: dict[str, float] = field(default_factory=dict)
    bodies: dict[str, int] = field(default_factory=dict)
    unnamed: str = ""


def dice(found: np.ndarray, wanted: np.ndarray) -> float:
    """Dice of two masks, NaN where both are empty."""
    both = int(found.sum()) + int(wanted.sum())
    return 2 * int((found & wanted).sum()) / both if both else float("nan")


def masks_of(
    view: str, anatomy: Segmented, oedema: np.ndarray, structures: np.ndarray, wanted: np.ndarray
) -> StackMasks:
    """A stack that was looked at. structures, wanted: the true masks of bodies and discs, and of oedema."""
    number = len(anatomy.bodies)
    is_body = (anatomy.labels > 0) & (anatomy.labels <= number)
    true_body = np.isin(structures, list(BODY_LABEL.values()))
    true_disc = np.isin(structures, list(DISC_LABEL.values()))
    return StackMasks(
        view,
        dice={
            "body": dice(is_body, true_body),
            "disc": dice(anatomy.labels > number, true_disc),
            "oedema": dice(oedema > 0, wanted > 0),
        },
        bodies=fates(np.where(is_body, anatomy.labels, 0), anatomy.levels, structures),
        unnamed=getattr(anatomy.named, "reason", ""),
    )


def fates(labels: np.ndarray, levels: dict[int, str], structures: np.ndarray) -> dict[str, int]:
    """True bodies that were named rightly, wrongly, not at all, or not found. labels: of bodies found."""
    counts = dict.fromkeys(FATES, 0)
    for name, value in BODY_LABEL.items():
        true = structures == value
        if not true.any():
            continue
        numbers = np.bincount(labels[true])
        numbers[0] = 0
        if numbers.max() < MIN_OVERLAP * true.sum():
            counts["missed"] += 1
            continue
        said = levels.get(int(numbers.argmax()))
        counts["unnamed" if said is None else "right" if said == name else "wrong"] += 1
    return counts


def summed(stacks: Sequence[tuple[str, StackMasks]], *, draws: int = DRAWS) -> dict[str, Any]:
    """Segment of the spine (and ``all``) -> stacks, Dice with intervals by patient, bodies by what became of
    them, and reasons. stacks: patient and stack.
    """
    views = list(dict.fromkeys(one.view for _, one in stacks))
    groups = {view: [pair for pair in stacks if pair[1].view == view] for view in views}
    if len(views) > 1:
        groups["all"] = list(stacks)
    return {view: _summed(group, draws) for view, group in groups.items()}


def _summed(stacks: Sequence[tuple[str, StackMasks]], draws: int) -> dict[str, Any]:
    looked = [(subject, one) for subject, one in stacks if not one.abstained]
    subjects = np.array([subject for subject, _ in looked], str)
    found: dict[str, Any] = {
        "stacks": len(stacks),
        "patients": len({subject for subject, _ in stacks}),
        "abstained": dict(Counter(one.abstained for _, one in stacks if one.abstained)),
        "without_names": dict(Counter(one.unnamed for _, one in looked if one.unnamed)),
        "dice": {},
    }
    for part in ("body", "disc", "oedema"):
        values = np.array([one.dice[part] for _, one in looked], float)
        there = ~np.isnan(values)
        found["dice"][part] = mean_by_patient(values[there], subjects[there], draws=draws)
    counts = pd.DataFrame([one.bodies for _, one in looked], columns=list(FATES)).fillna(0)
    found["bodies"] = {name: int(counts[name].sum()) for name in FATES}
    named = counts["right"] + counts["wrong"]
    found["names_right"] = ratio(counts["right"], named, subjects, is_proportion=True, draws=draws)
    return found
