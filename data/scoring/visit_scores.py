"""Site scores of a visit from the findings on all its films."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from core.scores import get

ABSTAINED_SITE = "the model abstained: "
SIDES = ("L", "R")
NOT_SEEN = "hidden or off the film"
Part = tuple[str, str]  # region and side of sites that a film shows together, or another film of the visit


def visit_scores(
    found: pd.DataFrame, system: str, unscorable: Mapping[tuple[str, str], str] | None = None
) -> list[dict[str, Any]]:
    """One row per site and finding there: site, feature, grade, reason, image.

    found: the findings of one visit (image, body_part, site, feature, grade, abstained; laterality may be
    absent). A visit may have a film of each side, or of both. Where two films show the same site, it is taken
    from the film with more graded sites, then from the first by name, with what that film shows there beside
    the grade (an ankylosis). A site of a shown side that no film has gets no grade, with its reason in
    ``unscorable`` ((image, site) -> reason), else ``NOT_SEEN``. A film on which the model abstained gives its
    region, or the side that its file states, empty grades with the reason, unless another film shows them. A
    side that no film shows takes the reason of a film of the other side.
    """
    sites = get(system).sites
    features = {site.code: site.feature for site in sites}
    part_of: dict[str, Part] = {site.code: (site.region, site.side) for site in sites}
    best = _best(found, features)
    rows = graded_rows(best)
    film_of = _films(best, part_of)
    seen = {str(row["site"]) for row in rows if row["feature"] == features[str(row["site"])]}
    why = unscorable or {}
    rows += [
        no_grade(site, features[site], film_of[part], why.get((film_of[part], site), NOT_SEEN))
        for site, part in part_of.items()
        if part in film_of and site not in seen
    ]
    refused = _refused(found[found["site"].isna()], film_of, list(dict.fromkeys(part_of.values())))
    rows += [
        no_grade(site, features[site], *refused[part]) for site, part in part_of.items() if part in refused
    ]
    return rows + _other_sides(part_of, features, {*film_of, *refused}, why)


def graded_rows(best: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of graded findings."""
    return [
        {
            "site": row["site"],
            "feature": row["feature"],
            "grade": int(row["grade"]),
            "reason": None,
            "image": row["image"],
        }
        for row in best.to_dict("records")
    ]


def _films(best: pd.DataFrame, part_of: Mapping[str, Part]) -> dict[Part, str]:
    """Part -> the film that most of its sites are taken from, the first by name of equals."""
    pairs = zip(best["site"].astype(str), best["image"].astype(str), strict=True)
    counts = Counter((part_of[site], image) for site, image in pairs)
    films: dict[Part, str] = {}
    for (part, image), _ in sorted(counts.items(), key=lambda one: (-one[1], one[0][1])):
        films.setdefault(part, image)
    return films


def _refused(
    films: pd.DataFrame, shown: Mapping[Part, str], parts: Sequence[Part]
) -> dict[Part, tuple[str, str]]:
    """Part that no film shows -> the film that should have, on which the model abstained, and why."""
    refused: dict[Part, tuple[str, str]] = {}
    for film in films.itertuples():
        left = [part for part in parts if part not in shown and part not in refused]
        region = _region_of(str(film.body_part), parts, left, (*shown, *refused))
        side = str(getattr(film, "laterality", None) or "")
        own = [part for part in left if part[0] == region and (part[1] == side or side not in SIDES)]
        why = str(film.image), ABSTAINED_SITE + str(film.abstained)
        refused |= dict.fromkeys(own, why)
    return refused


def _region_of(
    body_part: str, parts: Sequence[Part], left: Sequence[Part], taken: Collection[Part]
) -> str | None:
    """The region that an abstained film should have shown, None where that is not open or cannot be said: the
    one that its file names, else the only one of which no film shows anything."""
    still = list(dict.fromkeys(region for region, _ in left))
    named = [region for region, _ in parts if region and region in body_part]
    if named:
        return next((region for region in named if region in still), None)
    touched = {region for region, _ in taken}
    return still[0] if len(still) == 1 and still[0] not in touched else None


def _other_sides(
    part_of: Mapping[str, Part],
    features: Mapping[str, str],
    shown: Collection[Part],
    why: Mapping[tuple[str, str], str],
) -> list[dict[str, Any]]:
    """Sites of a side that no film shows: what a film of the other side says about them."""
    told = {site: (image, reason) for (image, site), reason in sorted(why.items(), reverse=True)}
    return [
        no_grade(site, features[site], *told[site])
        for site, part in part_of.items()
        if part not in shown and site in told
    ]


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


def no_grade(site: str, feature: str, image: str, reason: str) -> dict[str, Any]:
    """The row of a site without a grade."""
    return {"site": site, "feature": feature, "grade": None, "reason": reason, "image": image}
