"""The limits of the rule. What the papers leave open is a number here, with its reason."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum

from core.imaging.stacks import WIDE_GAP


class Slices(StrEnum):
    """Which three consecutive slices of a unit are read."""

    MOST_OEDEMA = "most_oedema"  # those with the largest area of oedema in the unit, else the middle ones
    GIVEN = "given"  # those that lie where the slices of another visit do


@dataclass(frozen=True)
class Settings:
    """Limits of the rule; lengths in mm, areas in mm2.

    min_oedema: a quadrant has oedema from this area on: less is a pixel or two of noise.
    as_bright: share of the way from normal marrow to CSF from which a signal is as bright as CSF; noise and
    partial volume keep it below 1. bright_area: the brightest pixels of a lesion that give its signal.
    deep: SPARCC's 1 cm. deep_width: a lesion must be so deep over this width. at_plate: it begins this near
    the end plate. layer, homogeneous: of its layers so thick from there to 1 cm, the darkest is this share
    as far above marrow as the brightest. bridged: a gap in depth that is not one.
    csf_band: behind the body's posterior wall, where the canal lies. csf_reach: slices this near to the
    body's middle show the canal. csf_contrast: CSF is brighter than marrow by this factor, else the image
    shows no CSF.
    normal_centre: share of oedema up to which the centre of a body is normal.
    min_body: share of a body's largest slice below which a slice does not show it.
    wide_gap: slices further apart than this many times the usual distance are not consecutive.
    """

    min_oedema: float = 5.0
    as_bright: float = 0.9
    bright_area: float = 10.0
    deep: float = 10.0
    deep_width: float = 2.0
    at_plate: float = 3.0
    layer: float = 2.0
    homogeneous: float = 0.4
    bridged: float = 2.0
    csf_band: tuple[float, float] = (2.0, 18.0)
    csf_reach: float = 6.0
    csf_contrast: float = 1.5
    normal_centre: float = 0.05
    min_body: float = 0.4
    wide_gap: float = WIDE_GAP

    def as_card(self) -> dict[str, object]:
        """As plain values."""
        return asdict(self)
