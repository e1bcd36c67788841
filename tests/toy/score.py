"""The score: osteophytes of four knee compartments, each 0 to 2."""

from core.scores.system import Component, Feature, Fill, Rule, ScoreSystem, Site

SIDES = {"R": "right", "L": "left"}
COMPARTMENTS = {"MED": "medial", "LAT": "lateral"}

TOY = ScoreSystem(
    name="toyknee",
    title="Toy knee",
    long_name="Toy knee score, for tests",
    aliases=("tk",),
    sites=tuple(
        Site(
            code=f"{side}K.{compartment}",
            name=f"{SIDES[side]} {COMPARTMENTS[compartment]} compartment",
            feature="osteophyte",
            maximum=2,
            block=f"{SIDES[side]} knee",
            unit=f"{side}K.{compartment}",
            region="knee",
            side=side,
        )
        for side in SIDES
        for compartment in COMPARTMENTS
    ),
    features=(Feature("osteophyte", "osteophyte", ("none", "small", "large")),),
    components=(
        Component("right", "right knee (0-4)", ("right knee",)),
        Component("left", "left knee (0-4)", ("left knee",)),
    ),
    total_blocks=("right knee", "left knee"),
    rules=(
        Rule(
            name="toyknee.complete_only",
            title="Complete only",
            text="A knee with a missing compartment has no sum, and there is no total.",
            source="made up for tests",
            is_verified=True,
            fill=Fill.NOTHING,
        ),
    ),
    block_title="knee",
    site_title="compartments",
    films="one picture of both knees",
)
