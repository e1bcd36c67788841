"""Special findings as the score's rules take them: they lift narrowing and, by the rule setting, erosion.

The override itself is in core: narrowing is the larger of the two grades, never a sum, and the erosion of an
ankylosed joint is 5 or as seen by ``mtss.ankylosis_erosion``.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from core.scores.mtss import MTSS
from models.mtss.detectors.ensemble import Joints

UNSPECIFIED = "luxation_unspecified"  # subluxation or dislocation: a person resolves it
_SITE = {
    unit: next(site.code for site in MTSS.sites if site.unit == unit) for unit in {s.unit for s in MTSS.sites}
}


def special_findings(joints: Joints, names: Mapping[str, int]) -> pd.DataFrame:
    """Rows site, feature, grade 1 for each finding present. names: unit (``LH.MCP2``) -> index of its joint.

    Luxation never counts at a thumb's IP joint, which has no narrowing site.
    """
    rows = []
    for unit, place in sorted(names.items()):
        if joints.ankylosis[place]:
            rows.append((_SITE[unit], "ankylosis", 1))
        if joints.luxation[place] and not unit.endswith("IP1"):
            rows.append((_SITE[unit], UNSPECIFIED, 1))
    return pd.DataFrame(rows, columns=["site", "feature", "grade"])
