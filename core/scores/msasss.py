"""mSASSS: modified Stoke Ankylosing Spondylitis Spinal Score, 24 anterior corners, 0-72."""

from __future__ import annotations

from core.scores.set_sites import SetSites, front_corners
from core.scores.system import (
    Assumption,
    Companion,
    Component,
    Counted,
    Feature,
    Fill,
    Lesion,
    Partner,
    Rule,
    ScoreSystem,
    Site,
)

LEVELS = {
    "cervical": ("C2C3", "C3C4", "C4C5", "C5C6", "C6C7", "C7T1"),
    "lumbar": ("T12L1", "L1L2", "L2L3", "L3L4", "L4L5", "L5S1"),
}


def _vertebrae(unit: str) -> tuple[str, str]:
    """Upper and lower vertebra of a disc level: ``T12L1`` is ``T12`` and ``L1``."""
    cut = next(place for place in range(1, len(unit)) if unit[place].isalpha())
    return unit[:cut], unit[cut:]


def _corner(vertebra: str, edge: str, unit: str, segment: str) -> Site:
    word = {"I": "inferior", "S": "superior"}[edge]
    return Site(
        code=vertebra + edge,
        name=f"{vertebra} {word} anterior corner",
        feature="corner",
        maximum=3,
        block=segment,
        unit=unit,
        region=segment,
        aliases=(f"{vertebra} {word}", f"{vertebra} {word[:3]}", f"{vertebra} {word} anterior corner"),
        anatomy="Sacrum" if vertebra == "S1" else f"{vertebra}Vertebra",
    )


def _sites() -> tuple[Site, ...]:
    return tuple(
        _corner(vertebra, edge, unit, segment)
        for segment, units in LEVELS.items()
        for unit in units
        for vertebra, edge in zip(_vertebrae(unit), "IS", strict=True)
    )


SETS: tuple[tuple[str, SetSites], ...] = (
    (
        "csxa",
        front_corners(("C2",), {"bottom": "I"}, side="left")
        + front_corners((f"C{n}" for n in range(3, 8)), {"top": "S", "bottom": "I"}, side="left"),
    ),
    (
        "buu-lspine",
        front_corners((f"L{n}" for n in range(1, 6)), {"top": "S", "bottom": "I"})
        + front_corners(("S1",), {"top": "S"}),
    ),
)

MSASSS = ScoreSystem(
    name="msasss",
    title="mSASSS",
    long_name="modified Stoke Ankylosing Spondylitis Spinal Score",
    aliases=(),
    sites=_sites(),
    features=(
        Feature(
            "corner",
            "corner grade",
            ("normal", "erosion, sclerosis or squaring", "syndesmophyte", "complete bony bridge"),
            ("grade", "score", "msasss", "msasss grade", "vertebral corner", "vc"),
        ),
    ),
    components=(
        Component("cervical", "cervical spine (0-36)", ("cervical",)),
        Component("lumbar", "lumbar spine (0-36)", ("lumbar",)),
    ),
    total_blocks=("cervical", "lumbar"),
    rules=(
        Rule(
            name="msasss.seg_mean",
            title="Segment mean",
            text="Up to 3 missing corners of a segment take the mean of its scored corners, same reader and "
            "visit; with more than 3 missing the segment and the total are missing.",
            source="OASIS/ASAS practice",
            is_verified=False,
            fill=Fill.BLOCK_MEAN,
            max_missing=3,
        ),
        Rule(
            name="msasss.paired_nochange",
            title="Other visit, no change",
            text="A missing corner takes the reader's grade of the nearest earlier visit, else of the "
            "nearest later one; a corner that was scored at no visit leaves the segment missing.",
            source="paired reading practice",
            is_verified=False,
            fill=Fill.OTHER_VISIT,
        ),
        Rule(
            name="msasss.paired_meanchange",
            title="Other visit plus mean change",
            text="As “Other visit, no change”, plus the mean change of the segment's corners that were "
            "scored at both visits, from the other visit to this one; kept within 0-3.",
            source="paired reading practice",
            is_verified=False,
            fill=Fill.OTHER_VISIT_PLUS_CHANGE,
        ),
        Rule(
            name="msasss.complete_only",
            title="Complete only",
            text="A segment with a missing corner is missing, and so is the total.",
            source="complete case",
            is_verified=False,
        ),
    ),
    assumptions=(
        Assumption("msasss.grade_1_sclerosis", "Grade 1 counts sclerosis beside erosion and squaring."),
        Assumption(
            "msasss.bridge_partner_query",
            "A bridge spans both corners of a disc level: grade 3 at one and less at the other is a query.",
        ),
        Assumption("msasss.shoulder_gap", "Most missing corners are C7I and T1S, behind the shoulders."),
    ),
    partner=Partner(grade=3, reason="grade 3 on one side of the disc only"),
    lesions=(Lesion("syndesmophyte", "corner", grade=2),),
    companions=(
        Companion("syndesmophytes", ("corner",), grade=2),
        Companion("bridges", ("corner",), grade=3),
        Companion("at_risk", ("corner",), grade=2, counted=Counted.AT_RISK),
        Companion("new_syndesmophytes", ("corner",), grade=2, counted=Counted.NEW),
        Companion("new_bridges", ("corner",), grade=3, counted=Counted.NEW),
    ),
    block_title="segment",
    site_title="corners",
    cutoffs=(">0", ">0.5", ">=2", ">SDC"),
    article="an",
    films="lateral films of the cervical and lumbar spine",
    sets=SETS,
    relatives=(
        "RASSS (adds T10-T12, leaves out cervical squaring and erosions)",
        "CASSS (adds C2-C7 facet joints, 0-87)",
        "extended mSASSS (adds AP lumbar, 0-144)",
        "CTSS (CT, 0-552)",
        "ASspiMRI (MRI, 0-69)",
    ),
)
