"""Sharp/van der Heijde score of hands and feet, mTSS, 86 sites, 0-448."""

from __future__ import annotations

from core.scores.hand_and_foot import hand_and_foot
from core.scores.set_sites import SetSites, by_centres, by_experts, of_wrists
from core.scores.system import (
    Assumption,
    Companion,
    Component,
    Feature,
    Fill,
    Lesion,
    Rule,
    ScoreSystem,
    Setting,
    Site,
    State,
)

FINGERS = ("IP1", "PIP2", "PIP3", "PIP4", "PIP5", "MCP1", "MCP2", "MCP3", "MCP4", "MCP5")
TOES = ("MTP1", "MTP2", "MTP3", "MTP4", "MTP5", "IP1")
BLOCK_SITES = {
    "hand erosion": (*FINGERS, "MC1", "MUL", "NAV", "LUN", "RAD", "ULN"),
    "hand jsn": (*FINGERS[1:], "CMC3", "CMC4", "CMC5", "MNA", "CNL", "RC"),
    "foot erosion": TOES,
    "foot jsn": TOES,
}
MAXIMUM = {"hand erosion": 5, "hand jsn": 4, "foot erosion": 10, "foot jsn": 4}
NAMES = {
    "MC1": "base of first metacarpal",
    "MUL": "multangular (trapezium and trapezoid)",
    "NAV": "scaphoid (navicular)",
    "LUN": "lunate",
    "RAD": "distal radius",
    "ULN": "distal ulna",
    "CMC3": "carpometacarpal 3",
    "CMC4": "carpometacarpal 4",
    "CMC5": "carpometacarpal 5",
    "MNA": "multangular-navicular",
    "CNL": "capitate-navicular-lunate",
    "RC": "radiocarpal",
}
DREAM_WRIST = {"LUN": "lunate", "RAD": "radius", "ULN": "ulna", "CNL": "capnlun", "RC": "radcar"}
ANATOMY = {  # SNOMED CT where DICOM names the joint or bone, else the part that it belongs to
    **dict.fromkeys(FINGERS, "FingerJoint"),
    **dict.fromkeys(("LUN", "MUL", "MNA", "CNL"), "Carpus"),
    **dict.fromkeys(("CMC3", "CMC4", "CMC5"), "Hand"),
    **dict.fromkeys(("MTP1", "MTP2", "MTP3", "MTP4", "MTP5"), "Foot"),
    "NAV": "Scaphoid",
    "RAD": "DistalRadius",
    "ULN": "DistalUlna",
    "MC1": "Metacarpal",
    "RC": "WristJoint",
}
SIDES = {"R": "right", "L": "left"}


def _dream(side: str, limb: str, letter: str, site: str) -> str:
    """The site's column name in the RA2-DREAM tables: ``LH_wrist_J__capnlun`` is our ``LH.J.CNL``."""
    prefix = f"{side}{limb}_"
    if site == "IP1":
        return f"{prefix}{'mcp' if limb == 'H' else 'mtp'}_{letter}__ip"
    if site[:3] in ("PIP", "MCP", "MTP"):
        return f"{prefix}{site[:3].lower()}_{letter}__{site[3:]}"
    return f"{prefix}wrist_{letter}__{DREAM_WRIST.get(site, site.lower())}"


def _site(block: str, side: str, site: str) -> Site:
    region, feature = block.split()
    limb, letter = region[0].upper(), feature[0].upper()
    joint = NAMES.get(site, site)
    if site == "IP1":
        joint = "thumb IP" if region == "hand" else "hallux IP"
    return Site(
        code=f"{side}{limb}.{letter}.{site}",
        name=f"{SIDES[side]} {joint}, {'erosion' if feature == 'erosion' else 'joint space narrowing'}",
        feature=feature,
        maximum=MAXIMUM[block],
        block=block,
        unit=f"{side}{limb}.{site}",
        region=region,
        side=side,
        aliases=(_dream(side, limb, letter, site),),
        anatomy="Toe" if limb + site == "FIP1" else ANATOMY[site],
    )


SITES = tuple(
    _site(block, side, site) for block, sites in BLOCK_SITES.items() for side in SIDES for site in sites
)
SETS: tuple[tuple[str, SetSites], ...] = (
    ("ram-h1200", by_centres()),
    ("ram-w600", of_wrists()),
    ("ra2-dream", tuple((site.aliases[0], site.code) for site in SITES)),
    ("arise-2025", by_experts(site.code for site in SITES)),
)

MTSS = ScoreSystem(
    name="mtss",
    title="SvdH",
    long_name="Sharp/van der Heijde score of hands and feet (mTSS)",
    aliases=("svdh",),
    sites=SITES,
    features=(
        Feature(
            "erosion",
            "erosion",
            (
                "none",
                "discrete",
                "larger",
                "crosses the midline of the bone",
                "erosions that add up to 4",
                "complete collapse",
            ),
            ("E", "ero", "bone erosion", "erosion score"),
            note="feet 0-10, two sides of the joint together",
        ),
        Feature(
            "jsn",
            "joint space narrowing",
            (
                "normal",
                "focal or doubtful",
                "general, more than half of the space left",
                "general, less than half left, or subluxation",
                "bony ankylosis or complete luxation",
            ),
            ("J", "narrowing", "joint_space_narrowing", "JSN score"),
            short="narrowing",
        ),
    ),
    components=(
        Component("erosion", "erosion (0-280)", ("hand erosion", "foot erosion")),
        Component("jsn", "joint space narrowing (0-168)", ("hand jsn", "foot jsn")),
        Component("hands", "hands (0-280)", ("hand erosion", "hand jsn")),
        Component("feet", "feet (0-168)", ("foot erosion", "foot jsn")),
    ),
    total_blocks=("hand erosion", "hand jsn", "foot erosion", "foot jsn"),
    rules=(
        Rule(
            name="mtss.block_mean",
            title="Block mean",
            text="Where at least half of a block's sites (both sides together) are scored, the others take "
            "their mean; otherwise the block and the total are missing.",
            source="trial protocols, half of the block scored",
            is_verified=False,
            fill=Fill.BLOCK_MEAN,
            min_share=0.5,
        ),
        Rule(
            name="mtss.drop_joint",
            title="Drop the site",
            text="A site that the reader could not score at a visit is left out at all visits of "
            "the subject.",
            source="trial protocols",
            is_verified=False,
            fill=Fill.DROP_SITE,
        ),
        Rule(
            name="mtss.carry",
            title="Carry the other visit",
            text="A missing site takes the reader's grade of the nearest earlier visit, else of the nearest "
            "later one (zero change); a site scored at no visit leaves the block missing.",
            source="trial protocols, zero change",
            is_verified=False,
            fill=Fill.OTHER_VISIT,
        ),
        Rule(
            name="mtss.complete_only",
            title="Complete only",
            text="A block with a missing site is missing, and so is the total.",
            source="complete case",
            is_verified=False,
        ),
    ),
    settings=(
        Setting(
            "mtss.ankylosis_erosion",
            ("max", "as_seen"),
            "max",
            "An ankylosed joint has the largest erosion grade (max, Keio convention), or the one that the "
            "reader saw (as_seen, original guide). Joint space narrowing is 4 either way.",
            is_verified=False,
        ),
        Setting(
            "mtss.after_surgery",
            ("last_before", "maximum"),
            "last_before",
            "From surgery on a joint keeps its last grade before, or has the largest grade.",
            is_verified=False,
        ),
    ),
    assumptions=(
        Assumption("mtss.erosions_add_up", "Several erosions of one joint add up, at most 5."),
        Assumption("mtss.foot_erosion_sides", "Foot erosion is metatarsal 0-5 plus phalangeal side 0-5."),
        Assumption(
            "mtss.foot_ankylosis", "Under ankylosis_erosion = max an ankylosed foot joint has erosion 10."
        ),
        Assumption("mtss.luxation_unspecified", "Luxation of unknown degree counts as JSN 3 until resolved."),
    ),
    states=(
        State(
            "ankylosis",
            "bony ankylosis",
            lifts=(("jsn", 4),),
            setting="mtss.ankylosis_erosion",
            value="max",
            lifts_under=(("erosion", -1),),
            aliases=("ankylosed",),
        ),
        State("subluxation", "subluxation", lifts=(("jsn", 3),), aliases=("subluxed",)),
        State("luxation", "complete luxation", lifts=(("jsn", 4),), aliases=("luxated", "dislocation")),
        State("luxation_unspecified", "luxation, degree unknown", lifts=(("jsn", 3),), is_query=True),
        State("surgery", "joint surgery", is_surgery=True, aliases=("joint_surgery", "operated")),
    ),
    lesions=(Lesion("erosion", "erosion", grade=1, component="erosion", patient="newly eroded patient"),),
    companions=(
        Companion("eroded", ("erosion",), grade=1),
        Companion("narrowed", ("jsn",), grade=1),
        Companion("sens", ("erosion", "jsn"), grade=1),
    ),
    block_title="block",
    site_title="sites",
    cutoffs=(">0", ">0.5", ">SDC", ">=5/y"),
    article="an",
    films="films of hands and feet",
    drawing=hand_and_foot(),
    sets=SETS,
    relatives=("Genant-modified Sharp (erosion 0-3.5 in steps of 0.5, fewer joints)",),
)
