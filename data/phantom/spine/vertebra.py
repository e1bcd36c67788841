"""A vertebral body as attenuation along the rays: shell, trabeculae and the relief of its end plates."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from data.phantom.spine import cervical, lumbar, pelvis, posterior
from data.phantom.spine.body import Vertebra
from data.phantom.spine.canvas import Canvas
from data.phantom.spine.lesions import State, add_new_bone, body_lesions
from data.phantom.spine.placement import Placement
from data.phantom.spine.ray_kernels import add_body, trabecular_texture

TEXTURE_STEP = 0.12


def spine_attenuation(p: Placement, states: Mapping[str, State]) -> Canvas:
    """Everything that the beam of a lateral film passes."""
    canvas = Canvas.empty(p.conditions)
    for level, frame in p.frames.items():
        add_vertebral_body(canvas, p, level, frame, states)
    add_new_bone(canvas.cortical, canvas.trabecular, canvas.pixel, p, states)
    if p.conditions.view == "lumbar":
        posterior.add_posterior_elements(canvas, p)
        pelvis.add_pelvis(canvas, p)
        lumbar.add_ribs(canvas, p)
        lumbar.add_aorta(canvas, p)
        if p.body.clips:
            lumbar.add_clips(canvas, p)
        lumbar.add_soft_tissue(canvas, p)
    else:
        cervical.add_posterior_elements(canvas, p)
        cervical.add_head(canvas, p)
        cervical.add_shoulder_girdle(canvas, p)
        cervical.add_soft_tissue(canvas, p)
    return canvas


def body_shape(v: Vertebra, level: str) -> np.ndarray:
    """Parameters of ``ray_kernels.add_body``: heights, half depth and width, waists, concavities, saddle,
    lip, shell, plate, inward bend of the posterior wall, density of the core's middle, roughness, share of
    the plate above and below, radius of the corners, how far the pedicles open the posterior wall."""
    neck, sacral = level.startswith("C"), level.startswith("S")
    upper, lower = (v.upper_plate, v.lower_plate)
    return np.array(
        [v.anterior, v.posterior, v.depth, v.width, v.waist_anterior, v.waist_posterior, v.waist_side,
         v.concavity_upper, v.concavity_lower, v.saddle, v.lip, v.shell, v.endplate, 0.05 if neck else 0.12,
         0.75 if neck else 0.66, 1.0, upper, lower, v.corner, 0.4 if sacral else 0.72]
    )  # fmt: skip


def body_relief(v: Vertebra, level: str) -> np.ndarray:
    """Unevenness of the two endplates, shape (2, 10): slope along the beam, twist, and two waves
    (amplitude mm,
    wave numbers in a and l, phase)."""
    rng = np.random.default_rng([v.texture, 3])
    size = 0.75 if level.startswith("C") else 1.0
    relief = np.zeros((2, 10))
    for j in range(2):
        relief[j, 0] = rng.normal(0, 0.03)
        relief[j, 1] = rng.normal(0, 0.012)
        for k, (height, length) in enumerate(((0.22, 22.0), (0.10, 8.0))):
            angle = rng.uniform(0, 2 * np.pi)
            number = 2 * np.pi / (length * size * rng.uniform(0.7, 1.4))
            relief[j, 2 + 4 * k] = height * size * rng.uniform(0.5, 1.2)
            relief[j, 3 + 4 * k] = number * np.cos(angle)
            relief[j, 4 + 4 * k] = number * np.sin(angle)
            relief[j, 5 + 4 * k] = rng.uniform(0, 2 * np.pi)
    return relief


@lru_cache(maxsize=24)
def _texture(seed: int) -> np.ndarray:
    return trabecular_texture(seed)


def add_vertebral_body(canvas: Canvas, p: Placement, level: str, frame, states) -> None:
    c, v = p.conditions, frame.vertebra
    shape = body_shape(v, level)
    shape[11:13] *= p.body.bone**0.6
    rng = np.random.default_rng(v.texture)
    at = rng.uniform(0, 512, 2)
    texture = _texture(p.body.seed % 8) * np.float32(0.25)
    trabecular = np.zeros_like(canvas.trabecular)
    add_body(
        canvas.cortical, trabecular, canvas.pixel, canvas.pixel / 2, canvas.pixel / 2,
        frame.centre[0], frame.centre[1], np.ascontiguousarray(frame.axes), frame.beam[0], frame.beam[1],
        frame.magnification, frame.distance, shape, body_relief(v, level), body_lesions(p.body, c.view,
        level, states),
        texture, TEXTURE_STEP, at, 30 if c.view == "lumbar" else 24,
    )  # fmt: skip
    canvas.trabecular += trabecular * np.float32(1.7 if level.startswith("C") else 1.0)
