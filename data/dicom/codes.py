"""Codes of sites, features and grades in DICOM objects: standard ones where there are any, ours otherwise.

The bone or part of a site is SNOMED CT (vertebrae: DICOM CID 7603), as its scoring system says. What no
scheme names (a corner, the site within that part, a grade of a scoring system) is coded under ``SCHEME``; its
codes are our own names: SYSTEM.SITE, SYSTEM.FEATURE.GRADE.
"""

from __future__ import annotations

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
    """The bone or part of a site: a vertebra, the sacrum, a joint or part of a limb, else our own code."""
    from pydicom.sr.codedict import codes

    name = system.by_code[site].anatomy
    found: Code = getattr(codes.SCT, name) if name else site_code(site, system)
    return found


def site_code(site: str, system: ScoreSystem) -> Code:
    """The site itself: SYSTEM.L3S, "L3 superior anterior corner"."""
    return own(f"{system.name}.{site}", system.by_code[site].name)


def laterality(site: str, system: ScoreSystem) -> Code | None:
    """Right or left, None for a site in the middle."""
    from pydicom.sr.codedict import codes

    sides: dict[str, Any] = {"R": codes.SCT.Right, "L": codes.SCT.Left}
    return sides.get(system.by_code[site].side)


def feature_code(feature: str, system: ScoreSystem) -> Code:
    """What is graded or found there: SYSTEM.corner, "corner grade"; SYSTEM.ankylosis."""
    names = {one.code: one.name for one in system.features} | {one.code: one.name for one in system.states}
    return own(f"{system.name}.{feature}", f"{system.title} {names[feature]}")


def grade_code(feature: str, grade: int, system: ScoreSystem) -> Code:
    """One grade: SYSTEM.corner.2, "grade 2: syndesmophyte"; a joint's finding is present (1) or not."""
    states = {state.code: state.name for state in system.states}
    value = f"{system.name}.{feature}.{grade}"
    if feature in states:
        return own(value, f"{states[feature]}: {'present' if grade else 'absent'}")
    words = system.by_feature[feature].grades
    word = words[grade] if grade < len(words) else ""
    return own(value, f"grade {grade}: {word}" if word else f"grade {grade}")


def label(site: str, feature: str, system: ScoreSystem) -> str:
    """How a finding is named: its site, with the feature where it stands beside the site's grade."""
    return site if feature == system.by_code[site].feature else f"{site} {feature}"


def grade_of(code: str) -> int:
    """The grade that ``grade_code`` coded."""
    return int(code.rpartition(".")[2])
