"""Phantom films of hands and feet for the check of films that the model does not know
(:mod:`models.ood.fit`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from core.domain import Abstained, Image
from data.phantom.seeds import StudyRole, StudySeed
from models.common.coco import grey_pixels, read_coco
from models.mtss.finder.locate import judge
from models.mtss.phantom import Patients, limb_films
from models.mtss.scorer import build
from models.ood.fit import CheckedImage
from models.ood.real_images import Group

VISITS = (0, 2)
VIEWS = ("hands", "feet")
PLAIN, DAMAGED, SECOND = 1000, 2000, 3000  # before the first patient of each population
ONE_DAMAGED_OF = 4  # training and tuning patients: so many have long-standing disease


class Source:
    """Films of hands and feet as the model's localiser and grader see them."""

    def __init__(self, size: str, folders: Sequence[Path] = ()) -> None:
        """folders: written by :mod:`models.mtss.phantom`; a patient found there is not rendered anew."""
        self.scorer = build(size=size, threads=1)
        self.folders = [read_coco(folder) for folder in folders]

    def patient(self, role: str, number: int, domain: str) -> list[CheckedImage]:
        """The films of one patient at two visits, good and poor ones; scored: two limbs are found."""
        who = patients(role, number, domain)
        return [self._checked(name, view, film) for name, view, film in self.films(who)]

    def films(self, who: Patients) -> Iterator[tuple[str, str, Image]]:
        """(patient, view, film) of one patient, from a folder that has them or as they are rendered."""
        subject = subject_of(who)
        for folder in self.folders:
            own = [image for image in folder.images if image["patient"] == subject]
            for image in own:
                stated = image["shown_spacing_mm"]
                pixels = grey_pixels(folder.file_of(image))
                yield (
                    subject,
                    image["view"],
                    Image(image["file_name"], pixels, tuple(stated) if stated else None),
                )
            if own:
                return
        for name, visit, drawn in limb_films(who):
            film = Image(f"{name}_{visit}_{drawn.view}.png", drawn.pixels, drawn.shown_spacing_mm)
            yield name, drawn.view, film

    def _checked(self, patient: str, view: str, film: Image) -> CheckedImage:
        look = self.scorer.finder.see(film)
        places = judge(look, stated=film.spacing_mm is not None)
        if isinstance(places, Abstained):
            return CheckedImage(patient, view, False, look.ood_features())
        return CheckedImage(patient, view, True, self.scorer.features_of(film, places))


def patients(role: str, number: int, domain: str) -> Patients:
    """One patient of a role; of those for training and tuning one in four has long-standing disease, test
    patients are as they come."""
    who = StudyRole(role)
    damaged = who != StudyRole.TEST and number % ONE_DAMAGED_OF == 0
    if domain == "second":
        first = SECOND + number
    elif damaged:
        first = DAMAGED + number // ONE_DAMAGED_OF
    else:
        first = PLAIN + number - (0 if who == StudyRole.TEST else number // ONE_DAMAGED_OF)
    return Patients(first, 1, VISITS, damaged, who, spacing=None, views=VIEWS, domain=domain)


def subject_of(who: Patients) -> str:
    """Code of the first of these patients."""
    return StudySeed(who.role, who.seed).subject(who.first)


WRONG = {
    "one_hand": "one hand only, to be scored as one or refused",
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
