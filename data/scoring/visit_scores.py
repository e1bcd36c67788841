"""Site scores of a visit from the findings on all its films."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from core.scores import get

ABSTAINED_SITE = "the model abstained: "
NOT_SEEN = "hidden or off the film"


def visit_scores(
    found: pd.DataFrame, system: str, unscorable: Mapping[tuple[str, str], str] | None = None
) -> list[dict[str, Any]]:
    """One row per site and finding there: site, feature, grade, reason, image.

    found: the findings of one visit (image, body_part, site, feature, grade, abstained). Where two films
    show the same region, each site is taken from the film with more graded sites, then from the first by
    name, with what that film shows there beside the grade (an ankylosis). A site of a shown region that no
    film has gets no grade, with its reason in ``unscorable`` ((image, site) -> reason), else ``NOT_SEEN``. A
    film on which the model abstained gives its region empty grades with the reason, unless another film shows
    that region.
    """
    regions = {site.code: site.region for site in get(system).sites}
    features = {site.code: site.feature for site in get(system).sites}
    best = _best(found, features)
    rows: list[dict[str, Any]] = [
        {
            "site": row["site"],
            "feature": row["feature"],
            "grade": int(row["grade"]),
            "reason": None,
            "image": row["image"],
        }
        for row in best.to_dict("records")
    ]
    film_of = {regions[str(row["site"])]: row["image"] for row in rows}
    seen = {str(row["site"]) for row in rows if row["feature"] == features[str(row["site"])]}
    why = unscorable or {}
    rows += [
        _no_grade(site, features[site], film_of[region], why.get((film_of[region], site), NOT_SEEN))
        for site, region in regions.items()
        if region in film_of and site not in seen
    ]
    shown = set(film_of)
    for film in found[found["site"].isna()].itertuples():
        open_regions = [region for region in dict.fromkeys(regions.values()) if region not in shown]
        stated = [region for region in open_regions if region and region in str(film.body_part)]
        region = stated[0] if stated else (open_regions[0] if len(open_regions) == 1 else None)
        if region is None:
            continue
        shown.add(region)
        rows += [
            _no_grade(site, features[site], str(film.image), ABSTAINED_SITE + str(film.abstained))
            for site, of in regions.items()
            if of == region
        ]
    return rows


def _best(found: pd.DataFrame, features: Mapping[str, str]) -> pd.DataFrame:
    """The findings with which each site counts, those of one film; the strength of a film is its graded
    sites.
    """
    graded = found[found["grade"].notna()].copy()
    is_grade = graded["feature"] == graded["site"].map(features)
    sites = graded["image"].map(graded[is_grade].groupby("image").size())
    graded["strength"] = -sites.astype("float64").fillna(0)  # of no film at all, the column would be text
    graded = graded.sort_values(["site", "strength", "image", "feature"])
    return graded[graded["image"] == graded.groupby("site")["image"].transform("first")]


def _no_grade(site: str, feature: str, image: str, reason: str) -> dict[str, Any]:
    return {"site": site, "feature": feature, "grade": None, "reason": reason, "image": image}
