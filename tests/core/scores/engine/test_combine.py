import numpy as np
import pandas as pd
import pytest

from core.scores import get
from core.scores.engine.combine import combined, looked_up

SYSTEM = get("synovitis")


@pytest.mark.parametrize("rows", range(4))
@pytest.mark.parametrize("columns", range(4))
def test_one_look_up_is_that_of_whole_readings(rows, columns):
    at = {site.code: place for place, site in enumerate(SYSTEM.sites)}
    grades = np.full((1, len(SYSTEM.sites)), np.nan)
    grades[0, at["R.MCP2.GS"]], grades[0, at["R.MCP2.PD"]] = rows, columns
    whole = combined(SYSTEM, SYSTEM.combination, grades)[0][0, at["R.MCP2.CS"]]
    one = looked_up(SYSTEM.combination, np.int64(rows), float(columns))
    assert (one is None and np.isnan(whole)) or one == whole


@pytest.mark.parametrize("missing", [None, pd.NA, np.nan])
def test_a_grade_that_lacks_gives_none(missing):
    assert looked_up(SYSTEM.combination, missing, 1) is None
    assert looked_up(SYSTEM.combination, 1, missing) is None
