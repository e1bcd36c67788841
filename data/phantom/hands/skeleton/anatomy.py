"""Bones of a hand and a forefoot in numbers: lengths, widths, where they lie. Millimetres of an adult.

Frame of a hand: right hand seen from the back (PA film), ``x`` to the ulnar side, ``y`` towards the forearm,
origin in the capitate, third metacarpal along -y. Lengths as in anatomical tables (Buryanov 2010), widths,
carpal outlines and positions after the real film of ``hand-radiograph`` (0.115 mm a pixel; MIT and BSD).
"""

from __future__ import annotations

import numpy as np

FINGERS = (1, 2, 3, 4, 5)
# length of metacarpal, proximal, middle, distal phalanx
LENGTHS = {
    1: (44.0, 32.0, 0.0, 22.5),
    2: (66.0, 43.0, 25.2, 17.6),
    3: (65.0, 47.4, 29.8, 19.0),
    4: (56.5, 44.4, 28.7, 19.0),
    5: (52.0, 35.2, 20.6, 17.0),
}
# base of each metacarpal and its direction (degrees clockwise from -y) in a hand with closed fingers
METACARPALS = {
    1: ((-27.0, -4.5), -31.0),
    2: ((-13.2, -13.2), -7.0),
    3: ((-0.4, -12.0), 0.5),
    4: ((11.2, -13.4), 8.5),
    5: ((21.4, -10.0), 17.0),
}
GIRTH = {1: 1.0, 2: 1.0, 3: 1.02, 4: 0.94, 5: 0.84}
# half widths base, shaft, head and half depths base, shaft, head, cortical shell of the shaft
WIDTHS = {
    "MC": (6.6, 4.1, 7.2, 6.6, 4.3, 7.0, 2.35),
    "MC1": (7.6, 5.4, 7.2, 6.8, 4.4, 6.4, 2.0),
    "PP": (7.7, 4.75, 5.8, 5.4, 3.6, 4.1, 1.9),
    "MP": (6.6, 3.85, 5.1, 4.5, 3.0, 3.3, 1.35),
    "DP": (5.1, 2.4, 3.1, 3.5, 2.2, 2.4, 0.95),
    "DP1": (6.6, 3.4, 4.2, 4.0, 2.4, 2.2, 0.95),
    "MT": (6.4, 3.9, 6.0, 7.2, 3.8, 6.6, 1.9),
    "MT1": (9.6, 6.6, 10.2, 10.5, 6.6, 9.6, 2.4),
    "TP": (5.6, 2.6, 3.9, 4.6, 2.5, 2.9, 1.1),
    "TP1": (9.4, 5.6, 8.0, 7.6, 4.8, 5.2, 1.8),
    "TM": (4.2, 2.9, 3.8, 3.2, 2.4, 2.6, 0.8),
    "TD": (3.7, 1.9, 2.6, 2.6, 1.6, 1.6, 0.6),
    "TD1": (8.6, 4.6, 5.6, 5.0, 3.2, 2.8, 1.2),
}
GAPS = {"MCP": 1.65, "PIP": 1.15, "DIP": 0.95, "IP1": 1.15, "CMC": 1.2, "MTP": 1.9, "FIP": 1.3}

_PX = 0.115
_AT = (757.0, 465.0)
_TURN = np.radians(4.4)
# outlines in pixels of the real film's wrist, in the order around the bone
_OUTLINES = {
    "capitate": (
        (712, 384), (735, 370), (780, 372), (808, 384), (811, 425), (807, 475), (803, 520), (793, 546),
        (768, 557), (742, 551), (723, 530), (713, 490), (705, 450), (704, 412),
    ),
    "hamate": (
        (827, 374), (858, 367), (898, 374), (928, 396), (944, 418), (934, 436), (902, 446), (888, 472),
        (870, 508), (850, 538), (828, 541), (816, 522), (820, 470), (823, 420),
    ),
    "trapezoid": (
        (630, 386), (655, 372), (684, 381), (694, 410), (693, 448), (668, 460), (638, 468), (617, 446),
        (613, 410),
    ),
    "trapezium": (
        (557, 452), (563, 427), (583, 398), (600, 374), (618, 356), (637, 364), (640, 400), (648, 438),
        (638, 470), (620, 494), (586, 493), (562, 478),
    ),
    "scaphoid": (
        (614, 518), (640, 492), (680, 476), (698, 475), (705, 492), (711, 530), (730, 560), (757, 584),
        (769, 602), (766, 625), (743, 634), (714, 629), (684, 610), (657, 590), (641, 568), (630, 549),
        (613, 540),
    ),
    "lunate": (
        (783, 578), (802, 561), (840, 557), (872, 562), (893, 586), (904, 610), (894, 628), (860, 635),
        (816, 631), (799, 618), (785, 598),
    ),
    "triquetrum": (
        (882, 536), (901, 492), (925, 462), (950, 444), (975, 452), (990, 472), (984, 490), (962, 502),
        (958, 540), (954, 570), (940, 592), (920, 590), (900, 568),
    ),
    "pisiform": (
        (949, 540), (962, 515), (990, 503), (1012, 516), (1019, 545), (1004, 574), (984, 586),
        (961, 574),
    ),
    "radius": (
        (628, 640), (645, 625), (662, 625), (684, 642), (718, 656), (750, 660), (800, 652), (850, 645),
        (903, 640), (917, 652), (921, 690), (916, 730), (918, 780), (928, 850), (948, 920),
        (970, 1000), (1000, 1110), (1040, 1260), (940, 1260), (880, 1130), (812, 1000), (782, 940),
        (742, 870), (692, 800), (646, 730), (626, 692),
    ),
    "ulna": (
        (936, 660), (950, 634), (984, 620), (1014, 613), (1025, 602), (1029, 586), (1045, 580),
        (1060, 591), (1080, 616), (1095, 650), (1110, 710), (1138, 790), (1168, 870), (1202, 935),
        (1250, 1040), (1300, 1160), (1345, 1260), (1270, 1260), (1190, 1130), (1130, 1000),
        (1090, 890), (1050, 812), (1002, 744), (960, 714), (938, 692),
    ),
}  # fmt: skip
CARPALS = ("scaphoid", "lunate", "triquetrum", "pisiform", "trapezium", "trapezoid", "capitate", "hamate")
FOREARM = ("radius", "ulna")


def outline(bone: str) -> np.ndarray:
    """Outline (n, 2) of a carpal or forearm bone in the frame of the hand, mm."""
    xy = (np.array(_OUTLINES[bone], float) - _AT) * _PX
    sin, cos = np.sin(_TURN), np.cos(_TURN)
    return np.stack([xy[:, 0] * cos + xy[:, 1] * sin, xy[:, 1] * cos - xy[:, 0] * sin], axis=1)


# which bones face each other at the wrist's narrowing sites; metacarpals are named MC3 ...
FACING = {
    "CMC3": (("MC3", "capitate"),),
    "CMC4": (("MC4", "hamate"),),
    "CMC5": (("MC5", "hamate"),),
    "MNA": (("trapezium", "scaphoid"), ("trapezoid", "scaphoid")),
    "CNL": (("capitate", "scaphoid"), ("capitate", "lunate")),
    "RC": (("radius", "scaphoid"), ("radius", "lunate")),
}
ERODES = {"MUL": ("trapezium", "trapezoid"), "NAV": ("scaphoid",), "LUN": ("lunate",), "RAD": ("radius",),
          "ULN": ("ulna",)}  # fmt: skip
