"""Site scores of a visit from the findings on all its stacks, whose images are slices."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from core.imaging.sequences import WHOLE
from core.scores import get
from core.scores.system import Site
from data.scoring.visit_scores import ABSTAINED_SITE, graded_rows, no_grade

NOT_SHOWN = "no stack of the visit shows it"


def stack_scores(
    found: pd.DataFrame,
    system: str,
    unscorable: Mapping[tuple[str, str], str],
    stacks: Mapping[str, str],
) -> list[dict[str, Any]]:
    """One row per site: site, feature, grade, reason, image (the slice).

    found: the findings of one visit (image, body_part, region, site, feature, grade, abstained). stacks: the
    stack of each image. All sites of a unit come from one stack, as its slices are one look at the unit: from
    the stack with more graded sites of that unit, then in all, then from the first by name. Of a region of
    which a unit is graded every site has a row. A site without a grade has its reason in ``unscorable``, that
    of its unit's own stack where it has one, else ``NOT_SHOWN``; a region of which nothing is graded has that
    of a stack on which the model abstained and which names the region or shows the whole spine.
    """
    sites = get(system).sites
    unit_of, stack_of = {site.code: site.unit for site in sites}, dict(stacks)
    found = found.assign(stack=[stack_of.get(image, image) for image in found["image"]])
    best = _best_of_units(found[found["grade"].notna()], unit_of)
    rows = graded_rows(best)
    own = dict(zip(best["site"].map(unit_of), best["stack"], strict=True))
    told = _told(unscorable, stack_of, own, unit_of)
    shown = {site.region for site in sites if site.unit in own}
    first = {site.region: image for site, image in _first_images(best, sites)}
    refused = _refused_regions(found[found["site"].isna()], [site.region for site in sites], shown)
    seen = set(best["site"])
    for site in sites:
        if site.code in seen:
            continue
        if site.code in told:
            rows.append(no_grade(site.code, site.feature, *told[site.code]))
        elif site.region in shown:
            rows.append(no_grade(site.code, site.feature, first[site.region], NOT_SHOWN))
        elif site.region in refused:
            rows.append(no_grade(site.code, site.feature, *refused[site.region]))
    return rows


def _best_of_units(graded: pd.DataFrame, unit_of: Mapping[str, str]) -> pd.DataFrame:
    """The graded findings of the stack with which each unit counts."""
    graded = graded.assign(unit=graded["site"].map(unit_of))
    counts = graded.groupby(["unit", "stack"]).size().rename("of_unit").reset_index()
    in_all = graded.groupby("stack").size()
    counts = counts.assign(in_all=counts["stack"].map(in_all))
    counts = counts.sort_values(["unit", "of_unit", "in_all", "stack"], ascending=[True, False, False, True])
    chosen = counts.drop_duplicates("unit")[["unit", "stack"]]
    best = graded.merge(chosen, on=["unit", "stack"]).sort_values(["site", "image", "feature"])
    return best.drop_duplicates(["site", "feature"])


def _told(
    unscorable: Mapping[tuple[str, str], str],
    stack_of: Mapping[str, str],
    own: Mapping[str, str],
    unit_of: Mapping[str, str],
) -> dict[str, tuple[str, str]]:
    """Site -> image and reason: of the stack from which its unit is taken, else of the first by name."""
    ordered = sorted(
        unscorable.items(),
        key=lambda one: (stack_of.get(one[0][0], one[0][0]) != own.get(unit_of[one[0][1]]), one[0]),
    )
    told: dict[str, tuple[str, str]] = {}
    for (image, site), reason in ordered:
        told.setdefault(site, (image, reason))
    return told


def _first_images(best: pd.DataFrame, sites: Sequence[Site]) -> list[tuple[Site, str]]:
    """Site and slice of the graded sites, from the last to the first of the system."""
    image = dict(zip(best["site"].astype(str), best["image"].astype(str), strict=True))
    return [(site, image[site.code]) for site in reversed(sites) if site.code in image]


def _refused_regions(
    stacks: pd.DataFrame, regions: Sequence[str], shown: Collection[str]
) -> dict[str, tuple[str, str]]:
    """Region of which nothing is graded -> the first stack that should show it, and why it was refused."""
    refused: dict[str, tuple[str, str]] = {}
    for row in stacks.sort_values("image").itertuples():
        said = next((str(value) for value in (row.region, row.body_part) if isinstance(value, str)), "")
        why = str(row.image), ABSTAINED_SITE + str(row.abstained)
        for region in dict.fromkeys(regions):
            if region not in shown and (region in said or WHOLE in said):
                refused.setdefault(region, why)
    return refused
