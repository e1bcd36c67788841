"""Tissues and the signal that a spin echo makes of them.

A picture is drawn as four signals: water and fat, each in the fat-suppressed and in the T1-weighted sequence.
Fat is kept apart until the end, because suppression fails in places and fat is shifted against water.
Signals are relative to that of CSF in the fat-suppressed sequence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CHANNELS = ("stir water", "stir fat", "t1 water", "t1 fat")


@dataclass(frozen=True)
class Protocol:
    """The two sequences of a visit. Times in ms.

    kind: ``STIR`` (inversion), ``SPAIR`` (spectral) or ``DIXON`` (water of a Dixon T2).
    """

    kind: str
    tr: float
    te: float
    ti: float
    t1_tr: float
    t1_te: float
    field: float  # tesla


@dataclass(frozen=True)
class Tissue:
    """Proton density (water of CSF is 1), fat fraction, relaxation times of the water in ms at 1.5 T."""

    density: float
    fat: float
    t1: float
    t2: float


FAT_T1, FAT_T2 = 270.0, 95.0
TISSUES = {
    "air": Tissue(0.0, 0.0, 1000, 10),
    "lung": Tissue(0.10, 0.0, 1200, 30),
    "bone": Tissue(0.10, 0.1, 800, 12),
    "ligament": Tissue(0.22, 0.05, 800, 18),
    "muscle": Tissue(0.86, 0.03, 900, 62),
    "fat": Tissue(0.95, 0.94, 900, 50),
    "loose fat": Tissue(0.80, 0.80, 900, 55),
    "csf": Tissue(1.0, 0.0, 2800, 1500),
    "cord": Tissue(0.82, 0.0, 950, 100),
    "brain": Tissue(0.84, 0.0, 950, 92),
    "roots": Tissue(0.82, 0.0, 950, 80),
    "nucleus": Tissue(0.95, 0.0, 760, 230),
    "annulus": Tissue(0.72, 0.0, 700, 30),
    "dry disc": Tissue(0.8, 0.0, 700, 50),
    "cartilage": Tissue(0.75, 0.0, 900, 48),
    "marrow water": Tissue(0.95, 0.0, 900, 108),
    "vessel": Tissue(0.08, 0.0, 1400, 60),
    "vein": Tissue(0.9, 0.0, 1400, 150),
    "blood": Tissue(0.30, 0.0, 1400, 80),
    "organ": Tissue(0.72, 0.06, 750, 58),
    "bowel": Tissue(0.7, 0.1, 900, 85),
    "fluid": Tissue(0.98, 0.0, 3000, 600),
    "oedema": Tissue(0.95, 0.0, 1300, 170),
}


def signals(tissue: Tissue, protocol: Protocol) -> np.ndarray:
    """The four signals of a tissue, in the order of ``CHANNELS``."""
    longer = 1.0 + 0.12 * (protocol.field - 1.5) / 1.5 * 2.0
    water, fat = tissue.density * (1 - tissue.fat), tissue.density * tissue.fat
    t1 = tissue.t1 * longer
    stir_water = water * _prepared(protocol, t1) * np.exp(-protocol.te / tissue.t2)
    stir_fat = fat * np.exp(-protocol.te / FAT_T2) * 1.15
    t1_water = water * (1 - np.exp(-protocol.t1_tr / t1)) * np.exp(-protocol.t1_te / tissue.t2)
    t1_fat = fat * (1 - np.exp(-protocol.t1_tr / FAT_T1)) * np.exp(-protocol.t1_te / FAT_T2) * 1.15
    return np.array([stir_water, stir_fat, t1_water, t1_fat], np.float32)


def _prepared(protocol: Protocol, t1: float) -> float:
    """Longitudinal magnetisation of water at the excitation, as magnitude."""
    recovered = np.exp(-protocol.tr / t1)
    if protocol.kind == "STIR":
        return float(abs(1 - 2 * np.exp(-protocol.ti / t1) + recovered))
    return float(1 - recovered)


def table(protocol: Protocol) -> dict[str, np.ndarray]:
    """Signals of every tissue; the fat-suppressed ones relative to CSF, those of T1 to pure fat."""
    found = {name: signals(tissue, protocol) for name, tissue in TISSUES.items()}
    fat = signals(Tissue(1.0, 1.0, 900, 50), protocol)
    scale = np.array([found["csf"][0], found["csf"][0], fat[3], fat[3]], np.float32)
    return {name: value / scale for name, value in (found | {"pure fat": fat}).items()}
