"""Tissues of one scan as a picture: what lies where between probe and bone, and what each does to sound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from data.phantom.ultrasound.anatomy import STEP, Joint
from data.phantom.ultrasound.synovium import Synovium

TISSUES = (
    "background", "synovium", "tendon", "bone", "furniture", "cartilage", "soft tissue", "effusion", "gel",
    "tendon sheath", "fat",
)  # fmt: skip
CODE = {name: number for number, name in enumerate(TISSUES)}
# Scattering in dB beside skin, attenuation in dB per cm and MHz.
ECHO = {
    "background": -34.0, "synovium": -24.0, "tendon": -14.0, "bone": -70.0, "furniture": -70.0,
    "cartilage": -40.0, "soft tissue": -13.0, "effusion": -46.0, "gel": -62.0, "tendon sheath": -27.0,
    "fat": -17.0,
}  # fmt: skip
LOSS = {
    "background": 7.0, "synovium": 0.45, "tendon": 0.8, "bone": 0.0, "furniture": 0.0,
    "cartilage": 0.5, "soft tissue": 0.6, "effusion": 0.05, "gel": 0.05, "tendon sheath": 0.3, "fat": 0.5,
}  # fmt: skip
CAPSULE = 0.3  # mm between synovium and what lies on it


@dataclass(frozen=True)
class Layers:
    """Depths below the probe in mm, by ``Joint.x``: surfaces between tissues. sheath: mm of tenosynovitis
    around the tendon. bone: surface of bones, or the bottom of a cleft where not solid.
    """

    skin: np.ndarray
    tendon_top: np.ndarray
    tendon_bottom: np.ndarray
    sheath: np.ndarray
    fluid_top: np.ndarray
    synovium_top: np.ndarray
    synovium_bottom: np.ndarray
    cartilage_top: np.ndarray
    bone: np.ndarray
    solid: np.ndarray
    line: np.ndarray


def layers(joint: Joint, synovium: Synovium, *, gel: float, sheath: float = 0.0) -> Layers:
    """Everything above a swollen joint is pushed up; the probe stays ``gel`` mm away from the skin."""
    fluid_top = synovium.top - synovium.effusion
    above = np.minimum(joint.line, fluid_top)
    bottom = gaussian_filter1d(np.minimum(joint.line - joint.lift, above - CAPSULE), 1.8 / STEP)
    bottom = np.minimum(bottom, gaussian_filter1d(above, 0.5 / STEP) - 0.2) - sheath
    top = bottom - joint.tendon
    skin = gaussian_filter1d(np.minimum(0.0, top - sheath - joint.skin - 0.35), 2.5 / STEP)
    shift = gel - float(skin[np.abs(joint.x) < 12].min())
    return Layers(
        skin=skin + shift,
        tendon_top=top + shift,
        tendon_bottom=bottom + shift,
        sheath=np.exp(-((joint.x / 7.0) ** 4)) * sheath,
        fluid_top=fluid_top + shift,
        synovium_top=synovium.top + shift,
        synovium_bottom=synovium.bottom + shift,
        cartilage_top=joint.cleft - joint.cartilage + shift,
        bone=joint.cleft + shift,
        solid=~np.isnan(joint.bone),
        line=joint.line + shift,
    )


def tissue_map(joint: Joint, cut: Layers, z: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Code of the tissue at each depth and column, shape (len(z), len(x))."""

    def at(values: np.ndarray) -> np.ndarray:
        return np.asarray(np.interp(x, joint.x, values))[None]

    depth = z[:, None]
    solid = at(cut.solid.astype(float)) > 0.5
    low, high, around = at(cut.tendon_top), at(cut.tendon_bottom), at(cut.sheath)
    lining, bone = at(cut.synovium_bottom), at(cut.bone)
    found = np.full((len(z), len(x)), CODE["soft tissue"], np.uint8)
    found[depth < low - around] = CODE["fat"]
    found[depth < at(cut.skin) + joint.skin] = CODE["soft tissue"]
    found[depth < at(cut.skin)] = CODE["gel"]
    found[(depth >= low - around) & (depth < high + around) & (around > 0.05)] = CODE["tendon sheath"]
    found[(depth >= low) & (depth < high)] = CODE["tendon"]
    found[(depth >= at(cut.fluid_top)) & (depth < lining)] = CODE["effusion"]
    found[(depth >= at(cut.synovium_top)) & (depth < lining)] = CODE["synovium"]
    found[(depth >= np.where(solid, at(cut.cartilage_top), lining)) & (depth < bone)] = CODE["cartilage"]
    found[(depth >= bone) & ~solid] = CODE["background"]
    found[(depth >= bone) & solid] = CODE["bone"]
    return found
