"""Where on a film the finding at one site shows: the pixels that would look different without it.

The same bones are rendered with the site's state and without it, free of noise, and compared. Unlike the
label boxes this is the finding itself: the missing bone of an erosion, the new bone of a syndesmophyte or
bridge.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from data.phantom.spine.body import Body
from data.phantom.spine.canvas import Canvas
from data.phantom.spine.conditions import Conditions
from data.phantom.spine.lesions import State, add_new_bone, units
from data.phantom.spine.placement import Placement, place
from data.phantom.spine.render import CORTICAL, TRABECULAR
from data.phantom.spine.vertebra import add_vertebral_body

LEAST = 0.25  # of the largest change in attenuation: weaker changes are not drawn as part of the finding
NONE: State = (0, 0.0)


def changed_by(body: Body, conditions: Conditions, states: Mapping[str, State], site: str) -> np.ndarray:
    """The finding at a site as a boolean mask of the film, (rows, columns); all False at a normal corner.

    A bridge belongs to both corners of its unit, so both states are taken away.
    """
    gone = {site}
    if states.get(site, NONE)[0] == 3:
        gone |= {name for pair in units(conditions.view) if site in pair for name in pair}
    without = {name: NONE if name in gone else state for name, state in states.items()}
    placement = place(body, conditions)
    change = np.abs(_bone(placement, states, gone) - _bone(placement, without, gone))
    top = float(change.max())
    return change >= LEAST * top if top > 0 else np.zeros(change.shape, dtype=bool)


def _bone(placement: Placement, states: Mapping[str, State], sites: set[str]) -> np.ndarray:
    """Attenuation of the vertebrae of these sites and of all new bone."""
    canvas = Canvas.empty(placement.conditions)
    for level in sorted({site[:-1] for site in sites}):
        add_vertebral_body(canvas, placement, level, placement.frames[level], states)
    add_new_bone(canvas.cortical, canvas.trabecular, canvas.pixel, placement, states)
    return np.asarray(canvas.cortical * CORTICAL + canvas.trabecular * TRABECULAR)
