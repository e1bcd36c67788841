"""SPARCC spine score of bone marrow oedema on STIR, 23 units, 0-108 for six, 0-414 for all."""

from __future__ import annotations

from core.scores.system import (
    Assumption,
    Choose,
    Component,
    Feature,
    Needs,
    Rule,
    ScoreSystem,
    Site,
)

REGIONS = {
    "cervical": ("C2C3", "C3C4", "C4C5", "C5C6", "C6C7", "C7T1"),
    "thoracic": tuple(f"T{upper}T{upper + 1}" for upper in range(1, 12)),
    "lumbar": ("T12L1", "L1L2", "L2L3", "L3L4", "L4L5", "L5S1"),
}
SLICES = ("s1", "s2", "s3")
ITEMS = {
    "UA": ("oedema", "upper anterior quadrant"),
    "UP": ("oedema", "upper posterior quadrant"),
    "LA": ("oedema", "lower anterior quadrant"),
    "LP": ("oedema", "lower posterior quadrant"),
    "INT": ("intensity", "as bright as CSF"),
    "DEP": ("depth", "1 cm deep or more"),
}


def _item(region: str, unit: str, cut: str, item: str) -> Site:
    feature, name = ITEMS[item]
    return Site(
        code=f"{unit}.{cut}.{item}",
        name=f"{unit} slice {cut[1]}, {name}",
        feature=feature,
        maximum=1,
        block=unit,
        unit=unit,
        region=region,
        group=f"{unit}.{cut}",
    )


_CHOICE = "a unit with any of its 18 items missing cannot be chosen; ties go to the most cranial unit."

SPARCC = ScoreSystem(
    name="sparcc",
    title="SPARCC",
    long_name="Spondyloarthritis Research Consortium of Canada MRI index, spine",
    aliases=(),
    sites=tuple(
        _item(region, unit, cut, item)
        for region, units in REGIONS.items()
        for unit in units
        for cut in SLICES
        for item in ITEMS
    ),
    features=(
        Feature("oedema", "oedema in a quadrant", ("absent", "present"), ("edema", "bmo", "quadrant")),
        Feature("intensity", "intense signal", ("no", "as bright as CSF"), ("int", "intense")),
        Feature("depth", "deep lesion", ("no", "1 cm or more from the endplate"), ("dep", "deep")),
    ),
    components=tuple(
        Component(region, f"{region} spine (0-{18 * len(units)})", units) for region, units in REGIONS.items()
    ),
    total_blocks=tuple(unit for units in REGIONS.values() for unit in units),
    rules=(
        Rule(
            name="sparcc.six_worst_each_visit",
            title="Six worst units of each visit",
            text=f"The reader's six most abnormal units, chosen anew at each visit; {_CHOICE}",
            source="SPARCC spine index; tie rule ours",
            is_verified=True,
            choose=Choose.WORST_EACH_VISIT,
            count=6,
        ),
        Rule(
            name="sparcc.all_23",
            title="All 23 units",
            text="The sum of all 23 units; missing where a unit is not scorable.",
            source="SPARCC spine index, all units",
            is_verified=True,
        ),
        Rule(
            name="sparcc.same_six_as_baseline",
            title="The six worst units of baseline",
            text=f"The reader's six most abnormal units at baseline, the same at every visit; {_CHOICE} "
            "Missing where one of them is not scorable later.",
            source="SPARCC spine index; tie rule ours",
            is_verified=True,
            choose=Choose.WORST_AT_BASELINE,
            count=6,
        ),
    ),
    assumptions=(
        Assumption(
            "sparcc.unit",
            "A discovertebral unit is the lower half of the upper vertebra, the disc and the upper half of "
            "the lower vertebra.",
        ),
        Assumption("sparcc.points", "Quadrants, intensity and depth count one point each in each slice."),
    ),
    needs=Needs(("intensity", "depth"), needed="oedema", reason="no quadrant of its slice has oedema"),
    block_title="unit",
    site_title="items",
    cutoffs=(">=5", "<=-5", ">SDC", "<-SDC"),
    relatives=("SPARCC of the sacroiliac joints (0-72)",),
    films="marrow oedema of the spine on sagittal STIR",
    of_stacks=True,
    measures="inflammation",
)
