"""Parquet files to a frame: columns keep the type they have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError
from data.tables.formats.headers import named

if TYPE_CHECKING:
    import pandas as pd

MAX_CELLS = 200_000_000


def read_parquet(path: Path) -> pd.DataFrame:
    """The table in the file; a named index becomes columns. Raises InputError for nested columns."""
    from pyarrow import parquet, types

    file = parquet.ParquetFile(path)
    schema = file.schema_arrow
    cells = file.metadata.num_rows * len(schema)
    if cells > MAX_CELLS:
        raise InputError(f"{path.name} has {cells} cells", f"at most {MAX_CELLS} are read", "split it")
    nested = [field.name for field in schema if types.is_nested(field.type)]
    if nested:
        raise InputError(
            f"{path.name}: column {nested[0]} holds lists or records",
            "one value a cell is needed",
            "flatten it",
        )
    frame = file.read().to_pandas()
    frame = frame.reset_index(drop=frame.index.names == [None])
    return named(frame, [str(name) for name in frame.columns], path)
