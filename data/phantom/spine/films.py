"""Films of a study: body and conditions follow from (study seed, subject, visit, view)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from data.phantom.seeds import derived_seed
from data.phantom.spine.body import Body, make_body
from data.phantom.spine.conditions import Conditions, draw_conditions, draw_kind
from data.phantom.spine.lesions import State
from data.phantom.spine.render import RenderedFilm, render_film


def film_conditions(
    study_seed: int,
    subject: str,
    visit: str,
    view: str,
    domain: str = "first",
    *,
    poor: float = 0.12,
    wrong: float = 0.0,
    kind: str | None = None,
) -> tuple[Body, Conditions]:
    """The patient and how this film is taken. ``kind`` fixes what ``poor`` and ``wrong`` would draw."""
    body = make_body(derived_seed(study_seed, subject, "body"), domain=domain)
    rng = np.random.default_rng(derived_seed(study_seed, subject, visit, view, "conditions"))
    drawn = draw_kind(rng, poor=poor, wrong=wrong)
    return body, draw_conditions(rng, view, domain, kind=drawn if kind is None else kind)


def make_film(
    study_seed: int,
    subject: str,
    visit: str,
    view: str,
    states: Mapping[str, State],
    domain: str = "first",
    *,
    poor: float = 0.12,
    wrong: float = 0.0,
    kind: str | None = None,
) -> RenderedFilm:
    """Render the film of one visit and view. ``states``: site -> (grade, extent)."""
    body, conditions = film_conditions(
        study_seed, subject, visit, view, domain, poor=poor, wrong=wrong, kind=kind
    )
    return render_film(body, states, conditions, derived_seed(study_seed, subject, visit, view, "noise"))
