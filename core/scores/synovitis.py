"""OMERACT-EULAR ultrasound synovitis, grey scale and power Doppler 0-3 a joint
(D'Agostino/Terslev 2017)."""

from __future__ import annotations

from core.scores.joint_drawing import scanned_joints
from core.scores.system import (
    Assumption,
    Combination,
    Component,
    Feature,
    Fill,
    Remission,
    Rule,
    ScoreSystem,
    Setting,
    Site,
)

JOINTS = {
    **{f"MCP{number}": "hand" for number in range(1, 6)},
    **{f"PIP{number}": "hand" for number in range(2, 6)},
    "IP1": "hand",
    **{f"DIP{number}": "hand" for number in range(2, 6)},
    "WR": "wrist",
    "RC": "wrist",
    "IC": "wrist",
    "DRU": "wrist",
    "ELB": "elbow",
    "KNEE": "knee",
    "TTJ": "ankle",
    **{f"MTP{number}": "foot" for number in range(1, 6)},
}
NAMES = {
    "IP1": "thumb IP",
    "WR": "wrist",
    "RC": "wrist, radiocarpal",
    "IC": "wrist, intercarpal",
    "DRU": "wrist, distal radioulnar",
    "ELB": "elbow",
    "KNEE": "knee",
    "TTJ": "tibiotalar joint",
}
MODES = {"GS": "gs", "PD": "pd", "CS": "combined"}
MODE_NAMES = {"GS": "grey scale", "PD": "power Doppler", "CS": "combined"}
SIDES = {"R": "right", "L": "left"}


def _site(mode: str, side: str, joint: str) -> Site:
    recess = (
        (f"{side}.WR{joint}.{mode}", f"{side}.WR({joint}).{mode}") if joint in ("RC", "IC", "DRU") else ()
    )
    return Site(
        code=f"{side}.{joint}.{mode}",
        name=f"{SIDES[side]} {NAMES.get(joint, joint)}, {MODE_NAMES[mode]}",
        feature=MODES[mode],
        maximum=3,
        block=MODES[mode],
        unit=f"{side}.{joint}",
        region=JOINTS[joint],
        side=side,
        aliases=recess,
    )


SYNOVITIS = ScoreSystem(
    name="synovitis",
    title="synovitis",
    long_name="OMERACT-EULAR ultrasound synovitis",
    aliases=("gloess",),
    sites=tuple(_site(mode, side, joint) for mode in MODES for side in SIDES for joint in JOINTS),
    features=(
        Feature(
            "gs",
            "grey scale synovial hypertrophy",
            (
                "none",
                "minimal, up to the line joining the bone surfaces",
                "moderate, beyond the line",
                "severe, beyond the line, capsule distended",
            ),
            ("greyscale", "grey scale", "gray scale", "synovial hypertrophy", "b mode"),
        ),
        Feature(
            "pd",
            "power Doppler signal",
            ("none", "up to three single spots", "up to half of the area", "more than half of the area"),
            ("power doppler", "doppler"),
        ),
        Feature("combined", "combined score", ("none", "minimal", "moderate", "severe"), ("cs",)),
    ),
    components=(
        Component("gs", "grey scale sum", ("gs",)),
        Component("pd", "power Doppler sum", ("pd",)),
        Component("combined", "combined sum (GLOESS)", ("combined",)),
    ),
    total_blocks=("combined",),
    rules=(
        Rule(
            name="synovitis.scored_joints",
            title="Scored joints",
            text="The sum over joints with both grey scale and power Doppler; no pro-rating, the number of "
            "joints is given beside it.",
            source="D'Agostino/Terslev 2017 (combined score)",
            is_verified=True,
            fill=Fill.GRADED_ONLY,
        ),
        Rule(
            name="synovitis.pro_rate",
            title="Pro-rated",
            text="The sum over scored joints times joints in the set over joints scored; the set is "
            "the joints that have a row, or the named joint set.",
            source="protocol choice",
            is_verified=False,
            fill=Fill.PRO_RATE,
        ),
    ),
    settings=(
        Setting(
            "synovitis.joint_set",
            (),
            "as_scored",
            "Joints that count: as_scored (every joint with a row), mcp2_5 (MCP2-5 of both sides, GLOESS "
            "0-24), or a list such as MCP2+MCP3+WR (both sides), for the published sets of 9 and 22 pairs.",
            is_verified=True,
        ),
    ),
    assumptions=(
        Assumption("synovitis.grade_2_surface", "Grey scale 2 has a flat or concave upper surface."),
        Assumption("synovitis.no_effusion", "The grey scale grade of 2017 leaves effusion out."),
    ),
    combination=Combination(
        feature="combined",
        rows="gs",
        columns="pd",
        table=((0, None, None, None), (1, 1, 2, 3), (2, 2, 2, 3), (3, 3, 3, 3)),
    ),
    joint_sets=(("mcp2_5", ("MCP2", "MCP3", "MCP4", "MCP5")),),  # GLOESS 0-24
    block_title="sum",
    site_title="joints",
    cutoffs=(">0", "<0", ">SDC", "<-SDC"),
    measures="inflammation",
    films="joint ultrasound",
    of_scans=True,
    drawing=scanned_joints(),
    remission=(
        Remission("PD sum 0", "pd", at_most=0),
        Remission("GLOESS at most 1", "combined", at_most=1),
        Remission("PD 2 or more in a joint", "pd", joint_at_least=2),
    ),
    relatives=("older scales that grade effusion and hypertrophy together",),
)
