"""Phantom films of hands and feet on which abstention is counted (:mod:`models.ood.abstention`)."""

from __future__ import annotations

from core.domain import Image
from data.phantom.seeds import StudyRole
from models.mtss.ood_films import PLAIN, VIEWS
from models.mtss.phantom import Patients, limb_films
from models.ood.real_images import Group

WRONG = {
    "one_hand": "one hand only, to be refused",
    "foot_as_hand": "feet filed as hands, to be scored as feet",
    "mirrored": "flipped film of hands, to be scored or refused",
    "chest": "chest, to be refused",
    "blank": "blank film, to be refused",
}
FIRST_WRONG = 5000  # before the first test patient whose films are wrong


def control(patients: int) -> Group:
    """Films to be scored: hands and feet of test patients."""
    who = Patients(PLAIN + 1, patients, (0,), role=StudyRole.TEST, spacing=None, views=VIEWS)
    return Group("control: phantom films of hands and feet, to be scored", _films(who))


def wrong(patients: int) -> list[Group]:
    """One film of each wrong kind of test patients."""
    return [
        Group(
            name,
            _films(Patients(FIRST_WRONG + 1, patients, (0,), role=StudyRole.TEST, spacing=None, kind=kind)),
        )
        for kind, name in WRONG.items()
    ]


def _films(who: Patients) -> tuple[Image, ...]:
    return tuple(
        Image(f"{subject}_{visit}_{drawn.view}_{drawn.kind}", drawn.pixels, drawn.shown_spacing_mm, "DX")
        for subject, visit, drawn in limb_films(who)
    )
