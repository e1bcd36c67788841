"""Readers against themselves: which reads are compared, and the numbers."""

import numpy as np
import pandas as pd
import pytest

from core.agreement.icc import icc
from core.agreement.rereads import AGAIN, FIRST, repeats, within_reader

MODES = {"main": "paired", "again": "paired", "in order": "chronological"}


def totals():
    rng = np.random.default_rng(4)
    rows = []
    for reader in ("R1", "R2"):
        for visit in ("BL", "W104"):
            for number in range(8):
                truth = 3.0 * number + (2 if visit == "W104" else 0)
                for campaign, read in (("main", 1), ("main", 2), ("again", 1), ("in order", 1)):
                    if (campaign, read) != ("main", 1) and (reader == "R2" or number >= 5):
                        continue
                    rows.append((f"P{number}", visit, "total", reader, "human", campaign, read,
                                 truth + rng.integers(-1, 2)))  # fmt: skip
    columns = ["subject", "visit", "component", "reader", "kind", "campaign", "read", "total"]
    frame = pd.DataFrame(rows, columns=columns)
    model = frame[frame["campaign"] == "main"].assign(reader="m", kind="model")
    return pd.concat([frame, model], ignore_index=True)


def test_a_further_read_is_another_number_or_another_campaign():
    twice = repeats(totals(), "main", MODES)
    assert set(twice["reader"]) == {"R1"}
    assert set(twice["occasion"]) == {"read 2", "again", "in order (chronological)"}
    assert set(twice["read_as"]) == {FIRST, AGAIN}
    assert twice.groupby(["occasion", "read_as"]).size().eq(10).all()


def test_status_and_change_are_the_plain_statistics():
    frame = totals()
    found = within_reader(repeats(frame, "main", MODES), [("BL", "W104")])
    here = frame[(frame["reader"] == "R1") & frame["subject"].isin([f"P{n}" for n in range(5)])]
    wide = here.pivot_table(index="subject", columns=["campaign", "read", "visit"], values="total")
    first = wide["main", 1, "W104"] - wide["main", 1, "BL"]
    other = wide["again", 1, "W104"] - wide["again", 1, "BL"]
    expected = icc(np.column_stack([first, other]))["forms"]["ICC(A,1)"]
    row = found[(found["occasion"] == "again") & (found["panel"] == "change")]
    row = row[row["statistic"] == "ICC(A,1)"]
    assert row["estimate"].item() == pytest.approx(expected["estimate"], abs=1e-12)
    assert row["n"].item() == row["patients"].item() == 5
    status = found[(found["occasion"] == "again") & (found["panel"] == "status")]
    bias = status[status["statistic"] == "bland_altman.bias"]
    both = [np.r_[wide["main", 1, v] - wide["again", 1, v]] for v in ("BL", "W104")]
    assert bias["estimate"].item() == pytest.approx(np.concatenate(both).mean(), abs=1e-12)
    assert bias["n"].item() == 10 and bias["patients"].item() == 5
    assert set(status["interval"]) == {"patient bootstrap"}


def test_nobody_read_twice():
    frame = totals()
    once = frame[(frame["campaign"] == "main") & (frame["read"] == 1)]
    found = within_reader(repeats(once, "main", MODES), [("BL", "W104")])
    assert found.empty and "estimate" in found.columns
