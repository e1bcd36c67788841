"""Where the cohort lies unless somebody says otherwise."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "SHARPLINE_COHORT"
DEFAULT = "study/cohort.duckdb"
OLD_DEFAULT = "data/cohort.duckdb"  # until version 0.1, among the code


def default_cohort() -> str:
    """The cohort of the environment variable, else the default; the old default where only that exists."""
    if given := os.environ.get(VARIABLE):
        return given
    return OLD_DEFAULT if is_at_old_place() else DEFAULT


def is_at_old_place() -> bool:
    """Whether a cohort lies at the default place of version 0.1 and none at today's."""
    return Path(OLD_DEFAULT).is_file() and not Path(DEFAULT).exists()


def how_to_move() -> str:
    """What to say to somebody whose cohort lies at the old place."""
    old, new = Path(OLD_DEFAULT).parent, Path(DEFAULT).parent
    return (
        f"the cohort {OLD_DEFAULT} is used; the default is {DEFAULT} now: "
        f"mkdir -p {new} && mv {old}/cohort.* {new}/"
    )
