"""What an ultrasound picture may show: joints by their codes, modes, and views, as all parts spell them."""

from __future__ import annotations

JOINTS = {
    **{f"MCP{number}": "hand" for number in range(1, 6)},
    **{f"PIP{number}": "hand" for number in range(2, 6)},
    "IP1": "hand",
    **{f"DIP{number}": "hand" for number in range(2, 6)},
    **dict.fromkeys(("WR", "RC", "IC", "DRU"), "wrist"),
    "ELB": "elbow",
    "KNEE": "knee",
    "TTJ": "ankle",
    **{f"MTP{number}": "foot" for number in range(1, 6)},
}
GREY_SCALE, POWER_DOPPLER = "B", "PD"
MODES = (GREY_SCALE, POWER_DOPPLER)
MODE_NAMES = {GREY_SCALE: "grey scale", POWER_DOPPLER: "power Doppler"}
SURFACES = ("dorsal", "volar")
PLANES = ("longitudinal", "transverse")
VIEWS = (*(f"{surface} {plane}" for surface in SURFACES for plane in PLANES), *SURFACES, *PLANES)
SIDES = ("R", "L")
STATED = {"joint": tuple(JOINTS), "side": SIDES, "mode": MODES, "view": VIEWS}  # by a person, of a picture
