"""The header of a table: names without blanks, each once, and no value without a name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def named(frame: pd.DataFrame, header: Sequence[str], path: Path) -> pd.DataFrame:
    """The frame under its header; nameless columns are dropped where empty and refused where not.

    Raises InputError also for two columns of one name, and where no column has one.
    """
    names = [str(name).strip() for name in header]
    nameless = [number for number, name in enumerate(names) if not name]
    for number in nameless:
        if frame.iloc[:, number].notna().any():
            raise InputError(
                f"{path.name}: column {number + 1} has no name", "each needs one", "write the header"
            )
    frame = frame.iloc[:, [number for number in range(len(names)) if names[number]]]
    kept = [name for name in names if name]
    frame.columns = kept
    duplicates = sorted({name for name in kept if kept.count(name) > 1})
    if duplicates:
        raise InputError(
            f"{path.name} has two columns {', '.join(duplicates)}", "one of each is needed", "rename one"
        )
    if not kept:
        raise no_names(path)
    return frame


def no_names(path: Path) -> InputError:
    return InputError(f"{path.name}", "its first line holds no column name", "write the header")


def no_rows(path: Path) -> InputError:
    return InputError(f"{path.name}", "it has a header and no rows", "write rows under the header")
