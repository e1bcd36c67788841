"""Long bones as tables of cross-sections along their length, with the shapes of their two ends."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from data.phantom.hands import ray_kernels as k
from data.phantom.hands.skeleton.anatomy import WIDTHS

ROWS = 48


@dataclass(frozen=True)
class Bone:
    """A long bone in its own frame. bites: rows of ``kernel.BITE`` numbers."""

    name: str
    kind: str
    table: np.ndarray
    parameters: np.ndarray
    bites: tuple[tuple[float, ...], ...] = field(default=())

    @property
    def length(self) -> float:
        return float(self.parameters[k.LENGTH])

    @property
    def base_width(self) -> float:
        """Half width at the base, mm."""
        return float(self.at(1.0)[k.A])

    @property
    def head_width(self) -> float:
        """Half width of the head, mm."""
        return float(max(self.at(self.length - 0.1 * self.length)[k.A], self.at(self.length - 2.0)[k.A]))

    @property
    def cup(self) -> float:
        """How far the middle of the base lies above its rim."""
        p = self.parameters
        return float(p[k.BASE_CV] + p[k.BASE_CW] - p[k.RIDGE])

    @property
    def turn(self) -> float:
        """Distance from the tip of the head to the point that it turns about."""
        return float(self.parameters[k.HEAD_DV] if self.parameters[k.BALL] else 0.75 * self.head_width)

    def at(self, u: float) -> np.ndarray:
        """The table's row at ``u`` mm from the base."""
        x = (u + k.MARGIN) / (self.length + 2 * k.MARGIN) * (ROWS - 1)
        return np.array([np.interp(x, np.arange(ROWS), self.table[:, i]) for i in range(self.table.shape[1])])

    def with_bites(self, rows: list[tuple[float, ...]]) -> Bone:
        return replace(self, bites=self.bites + tuple(rows))


_SHAFT = {  # knots along the length: share of base, shaft, head in the half width
    "MC": ((0, .93, 0, 0), (.05, 1, 0, 0), (.13, .93, .04, 0), (.24, .35, .62, 0), (.36, .04, .97, 0),
           (.52, 0, .96, 0), (.68, 0, 1.0, 0.02), (.79, 0, .62, .36), (.865, 0, 0, 1.0), (.92, 0, 0, .985),
           (.96, 0, 0, .95), (1, 0, 0, .9)),
    "PP": ((0, .70, 0, 0), (.018, .88, 0, 0), (.05, 1, 0, 0), (.12, .95, .02, 0), (.24, .52, .45, 0),
           (.40, .14, .88, 0), (.58, 0, 1.0, 0), (.74, 0, .86, .12), (.84, 0, .35, .65), (.90, 0, 0, 1.0),
           (.95, 0, 0, .94), (1, 0, 0, .78)),
    "DP": ((0, .92, 0, 0), (.07, 1, 0, 0), (.17, .80, .12, 0), (.33, .28, .72, 0), (.52, 0, 1.0, .03),
           (.68, 0, .72, .32), (.80, 0, 0, .98), (.90, 0, 0, 1.0), (1, 0, 0, .85)),
}  # fmt: skip
_PROFILE = {
    "MC": "MC", "MC1": "MC", "PP": "PP", "MP": "PP", "DP": "DP", "DP1": "DP", "MT": "MC", "MT1": "MC",
    "TP": "PP", "TP1": "PP", "TM": "PP", "TD": "DP", "TD1": "DP",
}  # fmt: skip


def make_bone(
    name: str, kind: str, length: float, girth: float, rng: np.random.Generator, *, mineral: float = 1.0,
    thin_ends: float = 0.0, spur: tuple[float, float] = (0.0, 0.0),
) -> Bone:  # fmt: skip
    """A bone of this kind. thin_ends: 0 to 1, loss of bone beside the joints. spur: osteophytes (base,
    head) in mm of added rim."""
    base, shaft, head, base_d, shaft_d, head_d, shell = (girth * np.array(WIDTHS[kind])) * rng.normal(
        1, 0.022, 7
    )
    u = np.linspace(-k.MARGIN, length + k.MARGIN, ROWS)
    t = np.clip(u / length, 0, 1)
    profile = _PROFILE[kind]
    a = _along(profile, t, base, shaft, head) + spur[0] * np.exp(-((u / 1.6) ** 2))
    a += spur[1] * np.exp(-(((length - u - 1.2) / 1.8) ** 2))
    b = _along(profile, t, base_d, shaft_d, head_d)
    table = np.zeros((ROWS, 7))
    table[:, k.A], table[:, k.B] = a, b
    headness = np.clip((t - 0.72) / 0.2, 0, 1)
    table[:, k.K] = (0.26 if profile == "MC" else 0.10) * headness + 0.03
    table[:, k.OV] = rng.normal(0, 0.012) * length * np.sin(np.pi * t)
    bow = 0.035 if profile == "MC" else 0.03
    table[:, k.OW] = -bow * length * np.sin(np.pi * t) * rng.uniform(0.7, 1.3)
    middle = np.exp(-(((t - 0.52) / 0.24) ** 2))
    end = 0.34 * (1 - 0.35 * thin_ends)
    table[:, k.SHELL] = (end + (shell * mineral**0.7 - end) * middle) * (1 - 0.12 * thin_ends)
    near_end = np.clip(1 - np.minimum(t, 1 - t) / 0.30, 0, 1)
    core = (
        0.20
        + 0.9 * np.exp(-np.maximum(u - 1.0, 0) / 2.0) * (profile != "MC")
        + 0.70 * near_end
        + 0.30 * near_end**3
    )
    table[:, k.CORE] = core * mineral * (1 - 0.5 * thin_ends * near_end)
    return Bone(name, kind, table, _ends(kind, length, a, b, rng, mineral * (1 - 0.3 * thin_ends)))


def _along(profile: str, t: np.ndarray, base: float, shaft: float, head: float) -> np.ndarray:
    from scipy.interpolate import PchipInterpolator

    knots = np.array(_SHAFT[profile])
    values = knots[:, 1] * base + knots[:, 2] * shaft + knots[:, 3] * head
    return PchipInterpolator(knots[:, 0], values)(t)


def _ends(kind: str, length: float, a, b, rng, mineral: float) -> np.ndarray:
    p = np.zeros(k.PARAMETERS)
    base, head = float(a[4]), float(a[-6])
    base_b, head_b = float(b[4]), float(b[-6])
    p[k.LENGTH] = length
    p[k.ROUND] = 0.36 * base
    p[k.HEAD_PLATE] = 0.36 * mineral**0.5
    p[k.BASE_PLATE] = 1.05 * mineral**0.5 * rng.uniform(0.85, 1.15)
    profile = _PROFILE[kind]
    p[k.PIT] = {"MC": 0.30, "PP": 0.26, "DP": 0.0}[profile] * rng.uniform(0.7, 1.25)
    if profile == "MC":
        p[k.BALL], p[k.HEAD_DV] = 1, 0.95 * head
        p[k.HEAD_EA], p[k.HEAD_EB] = 0.84 * head, 1.02 * head_b
        p[k.BASE_CV], p[k.BASE_CW] = -0.9 * rng.uniform(0.4, 1.3), -0.4
        p[k.SLANT], p[k.BASE_PLATE] = rng.normal(0, 0.8), 0.55
        if kind == "MC1":
            p[k.BASE_CV], p[k.BASE_CW], p[k.SLANT] = 1.1, -0.8, -1.2
    elif profile == "PP":
        p[k.HEAD_DV], p[k.HEAD_EA] = 0.55 * head, 1.25 * head
        p[k.HEAD_DW], p[k.HEAD_EB] = 0.72 * head_b, 1.04 * head_b
        p[k.NOTCH] = 0.055 * head * rng.uniform(0.6, 1.6)
    else:
        p[k.HEAD_DV], p[k.HEAD_EA] = 0.9 * head, 1.05 * head
        p[k.HEAD_DW], p[k.HEAD_EB] = 0.8 * head_b, 1.1 * head_b
        p[k.NOTCH] = -0.05 * head
        p[k.ROUND] = 0.5
    if kind in ("PP", "TP", "TP1"):
        p[k.BASE_CV], p[k.BASE_CW] = 0.30 * base, 0.22 * base_b
    if kind in ("MP", "DP", "DP1", "TM", "TD", "TD1"):
        p[k.BASE_CV], p[k.BASE_CW] = 0.15 * base, 0.22 * base_b
        p[k.RIDGE] = 0.08 * base * rng.uniform(0.6, 1.3)
    return p
