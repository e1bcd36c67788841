"""How many patients meet published cuts of remission or activity at a visit, and how many sums fell or rose.

Inflammation may fall and rise, so both are counted; a missing joint is in no sum. A patient counts at a visit
where at least one of the readings asked for could be judged; several readings decide by more than half of
those that could, and a tie is not met.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from core.agreement.proportion import wilson
from core.patient.joint_sums import cuts
from core.scores.system import ScoreSystem

ALL = "all"


def met(rows: pd.DataFrame, system: ScoreSystem) -> pd.DataFrame:
    """``subject, visit, cut, is_met, joints``, a row a patient, visit and cut that could be judged.

    rows: of ``core.patient.joint_sums.sums`` with ``subject``, of the readings that decide. joints: mean over
    the readings.
    """
    judged = [
        (row["subject"], row["visit"], cut.name, cut.is_met, cut.joints)
        for _, row in rows.iterrows()
        for cut in cuts(row, system)
        if cut.is_met is not None
    ]
    frame = pd.DataFrame(judged, columns=["subject", "visit", "cut", "is_met", "joints"])
    keys = ["subject", "visit", "cut"]
    shares = frame.astype({"is_met": float, "joints": float}).groupby(keys, sort=False, as_index=False).mean()
    return shares.assign(is_met=shares["is_met"] > 0.5)


def counted(
    judged: pd.DataFrame, system: ScoreSystem, visits: Sequence[str], arms: Mapping[str, str | None]
) -> pd.DataFrame:
    """``cut, visit, arm, met, n, share, low, high, joints``: patients who meet each cut, of those judged.

    judged: of ``met``. arms: of each subject; with any, a row for each arm before that of all. low, high: 95%
    Wilson interval. joints: fewest and most, in words.
    """
    known = judged.assign(arm=judged["subject"].map(dict(arms)))
    groups = [*sorted(set(known["arm"].dropna())), ALL]
    rows = []
    for cut in (one.name for one in system.remission):
        for visit in visits:
            here = known[(known["cut"] == cut) & (known["visit"] == visit)]
            for arm in groups:
                own = here if arm == ALL else here[here["arm"] == arm]
                if len(own):
                    rows.append((cut, visit, arm, *_share(own)))
    return pd.DataFrame(rows, columns=["cut", "visit", "arm", "met", "n", "share", "low", "high", "joints"])


def _share(own: pd.DataFrame) -> tuple[int, int, float, float, float, str]:
    count, n = int(own["is_met"].sum()), len(own)
    fewest, most = f"{own['joints'].min():.0f}", f"{own['joints'].max():.0f}"
    joints = fewest if fewest == most else f"{fewest} to {most}"
    return count, n, count / n, *wilson(count, n), joints


def falls_and_rises(grades: pd.DataFrame, system: ScoreSystem, first: str, last: str) -> pd.DataFrame:
    """``component, n, fell, same, rose, left_out``: patients by the change of each sum over the joints that a
    reading graded at both visits, mean of the readings.

    grades: combined ones beside their parts, ``subject, visit, label, site, feature, grade``. left_out: sites
    of readings that were graded at one of the visits only.
    """
    rows = []
    for component in system.components:
        sites = {site.code for site in system.sites if site.block in component.blocks}
        own = grades[grades["site"].isin(sites) & grades["grade"].notna()]
        wide = own[own["visit"].isin([first, last])].pivot_table(
            index=["subject", "label", "site"], columns="visit", values="grade", aggfunc="first"
        )
        both = wide.reindex(columns=[first, last]).astype(float)
        paired = both.dropna()
        change = (paired[last] - paired[first]).groupby(["subject", "label"]).sum().groupby("subject").mean()
        signs = np.sign(change.to_numpy())
        counts = [int((signs == sign).sum()) for sign in (-1, 0, 1)]
        rows.append((component.title, len(signs), *counts, len(both) - len(paired)))
    return pd.DataFrame(rows, columns=["component", "n", "fell", "same", "rose", "left_out"])
