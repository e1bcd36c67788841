"""Bones of a forefoot in numbers, mm of an adult.

Right foot from above: ``x`` to the little toe, ``y`` to the heel; origin: base of the second metatarsal.
Lengths as in anatomical tables; outlines of the tarsus drawn for this phantom.
"""

from __future__ import annotations

import numpy as np

TOES = (1, 2, 3, 4, 5)
# length of metatarsal, proximal, middle, distal phalanx
LENGTHS = {
    1: (60.0, 32.0, 0.0, 23.0),
    2: (71.0, 27.5, 13.5, 10.0),
    3: (67.0, 25.5, 11.5, 10.0),
    4: (66.0, 23.5, 9.5, 9.8),
    5: (64.0, 21.5, 8.0, 9.2),
}
# base of each metatarsal, its direction and that of the toe (degrees clockwise from -y), tilt to the sole
METATARSALS = {
    1: ((-16.5, 4.5), -7.5, 3.0, 9.0),
    2: ((0.0, 0.0), -2.0, -1.0, 8.0),
    3: ((10.5, 3.2), 2.5, -2.0, 7.0),
    4: ((20.5, 8.0), 6.5, -3.5, 6.0),
    5: ((29.5, 14.0), 11.5, -5.0, 4.0),
}
GIRTH = {1: 1.0, 2: 0.98, 3: 0.93, 4: 0.94, 5: 0.96}
BOXES = {"MTP1": (27.0, 27.0), "MTP": (19.5, 21.0), "IP1": (21.0, 21.0), "PIP": (13.0, 13.0)}

_OUTLINES = {
    "mcuneiform": (
        (-25, 8), (-18, 5), (-9, 6), (-8, 14), (-8.5, 26), (-16, 30), (-25, 28), (-28, 18),
    ),
    "icuneiform": (
        (-7, 2), (-2, 1), (4.5, 2), (5, 11), (3.5, 23), (-2, 25), (-7, 25), (-7.5, 14),
    ),
    "lcuneiform": (
        (5.5, 5), (11, 4), (16.5, 7), (18, 15), (14.5, 29), (9, 30), (4.5, 27), (5.5, 15),
    ),
    "cuboid": (
        (18, 12), (23, 10), (31, 15), (39, 20), (41, 26), (34, 36), (25, 44), (15.5, 41), (14.5, 32),
        (18, 22),
    ),
    "navicular": (
        (-27, 33), (-15, 31.5), (-1, 27), (9.5, 31), (11, 36), (2, 42), (-12, 45.5), (-27, 44),
        (-31, 38),
    ),
    "talus": (
        (-28, 50), (-20, 48), (-10, 47.5), (1, 44), (7.5, 45), (12, 55), (11, 72), (12, 140),
        (-24, 140), (-27, 90), (-29, 60),
    ),
    "calcaneus": (
        (13, 46), (24, 47), (33, 40), (38, 46), (38.5, 60), (37, 80), (35, 140), (5, 140), (5, 95),
        (10, 65),
    ),
}  # fmt: skip
TARSALS = tuple(_OUTLINES)


def outline(bone: str) -> np.ndarray:
    """Outline (n, 2) of a tarsal bone in the frame of the foot, mm."""
    return np.array(_OUTLINES[bone], float)
