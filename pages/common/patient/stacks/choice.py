"""Which stacks of a patient are shown: of a region, by sequence, at one visit or two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from core.imaging.sequences import OEDEMA, WHOLE

UNKNOWN = "sequence not known"


@dataclass(frozen=True)
class Pane:
    """One stack to show: None where the visit has none of this sequence, or its name."""

    visit: str
    sequence: str
    name: str | None


def of_region(slices: pd.DataFrame, region: str) -> pd.DataFrame:
    """One row a stack that shows a region, or may do so: ``stack, visit, sequence, slices, why_not``.

    slices: see ``data.queries.stacks.slices``. Those that a scorer may read come first, then the largest.
    """
    open_ = slices[slices["is_open"].astype(bool) & slices.apply(_may_show, axis=1, args=(region,))]
    rows = open_.groupby(["visit", "stack"], sort=False).agg(
        sequence=("sequence", "first"), slices=("image", "size"), why_not=("why_not", "first"),
        region=("region", "first"),
    )  # fmt: skip
    rows = rows.reset_index()
    rows["sequence"] = rows["sequence"].replace("", UNKNOWN)
    rows["elsewhere"] = rows["region"] != region
    rows["not_read"] = rows["why_not"] != ""
    ordered = rows.sort_values(
        ["not_read", "elsewhere", "slices"], ascending=[True, True, False], kind="stable"
    )
    return ordered.drop(columns=["elsewhere", "not_read"]).reset_index(drop=True)


def _may_show(row: pd.Series, region: str) -> bool:
    known = row["region"]
    if known:
        return bool(known in (region, WHOLE))
    part = str(row["part"])
    return part.startswith(region) or part in ("", "spine", "whole spine")


def sequences(stacks: pd.DataFrame) -> list[str]:
    """The sequences that there are, those of marrow oedema first."""
    found = sorted(stacks["sequence"].unique(), key=lambda name: (name not in OEDEMA, name == UNKNOWN, name))
    return [str(name) for name in found]


def views(stacks: pd.DataFrame, visits: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """What can be shown side by side: words -> (visit, sequence) of each pane.

    A sequence at both visits, and the first two sequences of a visit beside each other.
    """
    names = sequences(stacks)
    found = {name: [(visit, name) for visit in visits] for name in names}
    for visit in reversed(visits):
        here = sequences(stacks[stacks["visit"] == visit])
        if len(here) > 1:
            found[f"{visit}: {here[0]}, {here[1]}"] = [(visit, here[0]), (visit, here[1])]
    return found


def candidates(stacks: pd.DataFrame, visit: str, sequence: str) -> pd.DataFrame:
    """The stacks of a visit and sequence, the one that is shown first."""
    return stacks[(stacks["visit"] == visit) & (stacks["sequence"] == sequence)]
