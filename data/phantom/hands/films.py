"""Films of hands and feet of a study: body and conditions follow from (study seed, subject, visit, view)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from data.phantom.hands.body import HandBody, make_hand_body
from data.phantom.hands.conditions import POOR_KINDS, WRONG_KINDS, LimbConditions, draw_limb_conditions
from data.phantom.hands.render import LimbFilm, film_joints, render_limbs
from data.phantom.hands.state import JointState
from data.phantom.seeds import derived_seed


def hand_conditions(
    study_seed: int, subject: str, visit: str, view: str, domain: str = "first", *, poor: float = 0.08,
    wrong: float = 0.0, kind: str | None = None,
) -> tuple[HandBody, LimbConditions]:  # fmt: skip
    """The patient and how this film is taken. ``kind`` fixes what ``poor`` and ``wrong`` would draw."""
    body = make_hand_body(derived_seed(study_seed, subject, "hand body"), domain=domain)
    rng = np.random.default_rng(derived_seed(study_seed, subject, visit, view, "hand conditions"))
    drawn, which = rng.random(), rng.random()
    chosen = "good"
    if drawn < wrong:
        chosen = WRONG_KINDS[int(which * len(WRONG_KINDS))]
    elif drawn < wrong + poor:
        chosen = POOR_KINDS[int(which * len(POOR_KINDS))]
    return body, draw_limb_conditions(rng, view, domain, kind=chosen if kind is None else kind)


def make_hand_film(
    study_seed: int, subject: str, visit: str, view: str, states: Mapping[str, JointState],
    domain: str = "first", *, poor: float = 0.08, wrong: float = 0.0, kind: str | None = None,
    spacing: float | None = None,
) -> LimbFilm:  # fmt: skip
    """Render the film of one visit and view (``hands`` or ``feet``).

    states: unit (``RH.PIP2``) -> state; a unit that is not named is healthy. spacing: mm a pixel, where a
    smaller picture of the same film is wanted; positions are in its pixels.
    """
    body, conditions = hand_conditions(
        study_seed, subject, visit, view, domain, poor=poor, wrong=wrong, kind=kind
    )
    if spacing is not None:
        conditions = replace(conditions, spacing=spacing)
    seed = derived_seed(study_seed, subject, visit, view, "hand noise")
    return render_limbs(body, states, conditions, seed)


def hand_joints(
    study_seed: int, subject: str, visit: str, view: str, states: Mapping[str, JointState],
    domain: str = "first", *, poor: float = 0.08, wrong: float = 0.0, kind: str | None = None,
) -> pd.DataFrame:  # fmt: skip
    """The labels of the film that ``make_hand_film`` makes of the same arguments, with nothing rendered."""
    body, conditions = hand_conditions(
        study_seed, subject, visit, view, domain, poor=poor, wrong=wrong, kind=kind
    )
    return film_joints(body, states, conditions)
