"""The finger joints that the two detectors look for, and what each of them can say about a joint."""

from __future__ import annotations

from core.scores.mtss import FINGERS

SIDES = ("R", "L")
ANKYLOSIS = "ankylosis"
LUXATION = "luxation"  # subluxation or dislocation, as in the paper: the degree stays unspecified
DETECTORS = (ANKYLOSIS, LUXATION)

JOINTS = FINGERS  # of one hand: thumb IP, four PIP, five MCP
UNITS = tuple(f"{side}H.{joint}" for side in SIDES for joint in JOINTS)  # 20, for ankylosis
LUXATION_UNITS = tuple(unit for unit in UNITS if not unit.endswith("IP1"))  # 18: without the thumbs' IP
UNITS_OF = {ANKYLOSIS: UNITS, LUXATION: LUXATION_UNITS}
POSITIVE = {ANKYLOSIS: frozenset({"ankylosis"}), LUXATION: frozenset({"subluxation", "luxation"})}

BACKGROUND, PLAIN, AFFECTED = 0, 1, 2  # classes of each detector
CLASSES = 3
CLASS_NAMES = ("background", "joint", "joint with the finding")
