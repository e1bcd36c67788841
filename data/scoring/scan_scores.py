"""Site scores of a visit from the findings on its ultrasound scans, each of one joint in one mode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from core.scores import get
from data.scoring.visit_scores import ABSTAINED_SITE, graded_rows, no_grade


def scan_scores(
    found: pd.DataFrame, system: str, unscorable: Mapping[tuple[str, str], str]
) -> list[dict[str, Any]]:
    """One row per site that a scan of the visit shows: site, feature, grade, reason, image.

    found: the findings of one visit (image, site, feature, grade, confidence, abstained). Of several scans of
    a site the highest grade counts, of equal ones that of which the model is surest, then the first by name;
    what the others show stays with their findings. A site that scans show but none could be graded on has the
    reason, (image, site) -> reason in ``unscorable``, of the first by name. A site that no scan shows has no
    row.
    """
    features = {site.code: site.feature for site in get(system).sites}
    graded = found[found["grade"].notna()]
    order = graded.sort_values(
        ["site", "grade", "confidence", "image"], ascending=[True, False, False, True], kind="stable"
    )
    rows = graded_rows(order.drop_duplicates("site"))
    seen = set(order["site"])
    told: dict[str, tuple[str, str]] = {}
    for (image, site), reason in sorted(unscorable.items()):
        if site not in seen:
            told.setdefault(site, (image, ABSTAINED_SITE + reason))
    return rows + [no_grade(site, features[site], *why) for site, why in told.items()]
