"""Names of MRI sequences and spinal regions, and whether a scorer of marrow oedema may read a stack."""

from __future__ import annotations

from dataclasses import dataclass

from core.imaging.series import Stack

STIR, TIRM = "STIR", "TIRM"
T1, T2, PD, T2_STAR = "T1", "T2", "PD", "T2*"
FLAIR, DIFFUSION = "FLAIR", "diffusion"
T2_FS, T1_FS, PD_FS = "T2 fat-suppressed", "T1 fat-suppressed", "PD fat-suppressed"
T2_WATER, T1_WATER, FAT_IMAGE = "Dixon water", "T1 Dixon water", "Dixon fat"
OPPOSED = "opposed phase"
SEQUENCES = (
    STIR, TIRM, T2_FS, T2_WATER, T1, T2, PD, T1_FS, PD_FS, T1_WATER, FAT_IMAGE, OPPOSED, T2_STAR, FLAIR,
    DIFFUSION,
)  # fmt: skip
OEDEMA = frozenset({STIR, TIRM, T2_FS, T2_WATER})  # marrow oedema is bright, fat is dark

CERVICAL, THORACIC, LUMBAR, WHOLE = "cervical", "thoracic", "lumbar", "whole spine"
REGIONS = (CERVICAL, THORACIC, LUMBAR, WHOLE)
SPINE = frozenset({"spine", "cervical spine", "thoracic spine", "lumbar spine", "whole spine"})
FROM_TAGS, AS_STATED = "from tags", "as stated"  # by a map file


@dataclass(frozen=True)
class Shown:
    """What a stack shows, ``""`` where it is not known. part: of the body."""

    modality: str = ""
    sequence: str = ""
    region: str = ""
    part: str = ""


@dataclass(frozen=True)
class Needs:
    """What a scorer needs of a stack; the default is that of spinal marrow oedema.

    A region or body part that is not known stands against nothing: the scorer must find out itself.
    """

    sequences: frozenset[str] = OEDEMA
    plane: str = "sagittal"
    parts: frozenset[str] = SPINE
    min_slices: int = 3


def why_not(stack: Stack, shown: Shown, needs: Needs | None = None) -> tuple[str, ...]:
    """What stands against reading a stack, each in plain words; nothing where a scorer may read it."""
    asked = needs or Needs()
    found = [problem.words for problem in stack.problems if problem.stops]
    if shown.modality != "MR":
        return (*found, f"is {shown.modality or 'of unknown modality'}, not MR")
    if shown.part and shown.part not in asked.parts:
        found.append(f"shows the {shown.part}, not the spine")
    if stack.plane != asked.plane:
        found.append(f"is {stack.plane or 'of unknown direction'}, not {asked.plane}")
    if shown.sequence not in asked.sequences:
        found.append(f"its sequence is {shown.sequence or 'not known'}; {_listed(asked.sequences)} is needed")
    if len(stack.slices) < asked.min_slices:
        few = f"{len(stack.slices)} slice" + "s" * (len(stack.slices) > 1)
        found.append(f"has {few}; {asked.min_slices} or more are needed")
    return tuple(found)


def _listed(names: frozenset[str]) -> str:
    *first, last = sorted(names)
    return f"{', '.join(first)} or {last}" if first else last
