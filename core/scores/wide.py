"""Wide tables (one column a site) to long ones (one row a site)."""

from __future__ import annotations

import pandas as pd

from core.errors import InputError
from core.scores.system import ScoreSystem


def site_columns(frame: pd.DataFrame, system: ScoreSystem) -> dict[str, str]:
    """Columns whose name is a site of the system, in any spelling, with the site's code.

    Raises InputError where two columns name the same site.
    """
    found = {str(name): code for name in frame.columns if (code := system.recognise(str(name))) is not None}
    codes = list(found.values())
    doubled = sorted(name for name, code in found.items() if codes.count(code) > 1)
    if doubled:
        raise InputError(
            f"columns {', '.join(doubled)}", "one column for each site is needed", "remove or rename one"
        )
    return found


def wide_to_long(frame: pd.DataFrame, system: ScoreSystem) -> pd.DataFrame:
    """One row per row and site of the frame, with ``site`` and ``grade`` behind the other columns.

    The index repeats the row number of the wide table; sites stand in the order of the columns. Columns that
    name no site are kept as they are. Raises InputError where no column names a site.
    """
    found = site_columns(frame, system)
    if not found:
        raise InputError(
            f"the table has the columns {', '.join(map(str, frame.columns))}",
            f"none is {system.article} {system.title} site such as {', '.join(system.codes[:3])}",
            "name the site columns",
        )
    rest = [name for name in frame.columns if name not in found]
    long = frame.melt(rest, list(found), "site", "grade", ignore_index=False)
    long["site"] = long["site"].map(found)
    return long.sort_index(kind="stable")
