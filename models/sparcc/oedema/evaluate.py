"""How well marrow oedema is found on phantom stacks of patients that no network saw, slice by slice.

python -m models.sparcc.oedema.evaluate --stacks DIR --patients 12 --domain second
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.errors import InputError
from models.evaluation.intervals import mean_by_patient, proportion
from models.sparcc.oedema.decisions import ImageRule, SegmentRule, positive_images
from models.sparcc.oedema.finder import OedemaFinder
from models.sparcc.oedema.region import ColumnFinder, build_column_finder
from models.sparcc.on_phantoms import measuring
from models.sparcc.rendered import Stack


def rows_of(stacks: Iterable[Stack], finder: OedemaFinder | ColumnFinder) -> pd.DataFrame:
    """A row a slice: patient, view, whether it shows oedema (``positive``), the decision by each rule, and
    Dice of slices on which oedema was met. Stacks that are abstained on are left out.
    """
    parts = []
    for stack in stacks:
        try:
            masks, reference = finder.masks(stack.image()), stack.oedema > 0
        except InputError:
            continue
        met = (masks & reference).sum(axis=(1, 2))
        both = masks.sum(axis=(1, 2)) + reference.sum(axis=(1, 2))
        part = {"patient": stack.patient, "view": stack.view, "positive": positive_images(reference)}
        part |= {str(rule): positive_images(masks, rule, reference) for rule in ImageRule}
        dice = np.divide(2.0 * met, both, out=np.full(len(met), np.nan), where=met > 0)
        parts.append(pd.DataFrame(part | {"dice": dice}))
    return pd.concat(parts, ignore_index=True)


def figures(rows: pd.DataFrame) -> dict[str, Any]:
    """Sensitivity and specificity of slices by both rules and of stacks (two slices or more), Dice of true
    positive slices; 95% intervals over patients.
    """
    found: dict[str, Any] = {
        "patients": int(rows["patient"].nunique()),
        "slices": len(rows),
        "positive_slices": int(rows["positive"].sum()),
    }
    for rule in ImageRule:
        found[str(rule)] = _diagnostic(rows, str(rule))
    stacks = rows.groupby(["patient", "view"], as_index=False)[["positive", ImageRule.OVERLAP]].sum()
    for column in ("positive", str(ImageRule.OVERLAP)):
        stacks[column] = stacks[column] >= SegmentRule().min_slices
    found["stacks"] = {"n": len(stacks), "positive": int(stacks["positive"].sum())}
    found["stacks"] |= _diagnostic(stacks, str(ImageRule.OVERLAP))
    met = rows[rows["dice"].notna()]
    dice = mean_by_patient(met["dice"].to_numpy(), met["patient"].to_numpy())
    found["dice"] = [*_limits(dice), len(met)]
    return found


def _diagnostic(rows: pd.DataFrame, rule: str) -> dict[str, list[float | None]]:
    said, true = (rows[name].to_numpy(bool) for name in (rule, "positive"))
    who = rows["patient"].to_numpy()
    return {
        "sensitivity": _limits(proportion(said, true, who)),
        "specificity": _limits(proportion(~said, ~true, who)),
    }


def _limits(found: Any) -> list[float | None]:
    return [None if one is None else round(one, 3) for one in (found["estimate"], *found["ci"])]


def _rows(stacks: Iterable[Stack], size: str, weights: Path) -> pd.DataFrame:
    return rows_of(stacks, build_column_finder(size, weights))


main = measuring(_rows, figures)


if __name__ == "__main__":
    main()
