"""Who progressed in which half of a score."""

import pandas as pd

from core.progression.component_split import progressor_flags, split_progressors
from core.progression.progressors import cutoff


def change(**values):
    rows = [(name, value, value / 2) for name, value in values.items()]
    return pd.DataFrame(rows, columns=["subject", "mean_change", "annualised"])


def test_only_one_both_or_neither_by_arm():
    erosion = progressor_flags(cutoff(">0.5"), change(P1=1.0, P2=2.0, P3=0.5, P4=0.0), None)
    narrowing = progressor_flags(cutoff(">0.5"), change(P1=0.0, P2=1.0, P3=3.0, P5=9.0), None)
    arm = pd.Series({"P1": "A", "P2": "A", "P3": "B"})
    found = split_progressors(erosion, narrowing, arm, ("erosion", "narrowing"))
    count = found.set_index(["progressed in", "group"])["count"]
    assert count["erosion only", "A"] == count["both", "A"] == count["narrowing only", "B"] == 1
    assert count["neither", "all"] == 0
    assert set(found.loc[found["group"] == "all", "n"]) == {3}, "P4 and P5 lack one half"


def test_nobody_is_judged_by_an_sdc_that_is_not_known():
    flags = progressor_flags(cutoff(">SDC"), change(P1=5.0), None)
    assert flags.isna().all()
    assert progressor_flags(cutoff(">=5/y"), change(P1=10.0), None)["P1"] == 1.0
