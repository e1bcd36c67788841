"""Codes of sites, features and grades in DICOM objects: standard ones where there are any, ours otherwise.

Vertebrae are SNOMED CT (DICOM CID 7603), the sacrum stands for S1. What no scheme names (a corner, a grade of
a scoring system) is coded under ``SCHEME``; its codes are our own names: ``msasss.L3S``, ``msasss.corner.2``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from core.scores.system import ScoreSystem

if TYPE_CHECKING:
    from pydicom.sr.coding import Code

SCHEME = "99SHARPLINE"
SCHEME_NAME = "Sharpline scoring codes"


def own(value: str, meaning: str) -> Code:
    """A code of our scheme."""
    from pydicom.sr.coding import Code

    return Code(value, SCHEME, meaning[:64])


def anatomy(site: str, system: ScoreSystem) -> Code:
    """The bone of a site: a vertebra or the sacrum, else our own code of the site."""
    from pydicom.sr.codedict import codes

    found: Any
    if re.fullmatch(r"([CTL]\d+)[IS]", site):
        found = getattr(codes.SCT, f"{site[:-1]}Vertebra")
    elif re.fullmatch(r"S1[IS]", site):
        found = codes.SCT.Sacrum
    else:
        found = site_code(site, system)
    return found  # type: ignore[no-any-return]


def site_code(site: str, system: ScoreSystem) -> Code:
    """The site itself: ``msasss.L3S``, "L3 superior anterior corner"."""
    return own(f"{system.name}.{site}", system.by_code[site].name)


def feature_code(feature: str, system: ScoreSystem) -> Code:
    """What is graded there: ``msasss.corner``, "corner grade"."""
    return own(f"{system.name}.{feature}", f"{system.title} {system.by_feature[feature].name}")


def grade_code(feature: str, grade: int, system: ScoreSystem) -> Code:
    """One grade: ``msasss.corner.2``, "grade 2: syndesmophyte"."""
    words = system.by_feature[feature].grades
    word = words[grade] if grade < len(words) else ""
    return own(f"{system.name}.{feature}.{grade}", f"grade {grade}: {word}" if word else f"grade {grade}")


def grade_of(code: str) -> int:
    """The grade that ``grade_code`` coded."""
    return int(code.rpartition(".")[2])
