"""Labelled phantom films of hands and feet for training and for folds, as a labelling tool exports them.

    python -m models.mtss.phantom --out DIR --patients 30 --first 1 --visits 0,1 --views hands,feet

Patients are (role, seed, number) of :mod:`data.phantom.seeds`. ``--damaged`` draws patients with
long-standing disease only, so that rare findings are seen often enough in training.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click

from data.phantom.hands.course import TRIAL, simulate_hands
from data.phantom.hands.films import make_hand_film
from data.phantom.hands.labels import write_coco
from data.phantom.hands.render import LimbFilm
from data.phantom.seeds import StudyRole, StudySeed
from data.phantom.spine.conditions import DOMAINS
from models.mtss.film_scale import HALF_SIZE_MM

SEED = 2026
POOR = 0.08


@dataclass(frozen=True)
class Patients:
    """A range of phantom patients and the films taken of them.

    visits: orders of the visits filmed, 0 is baseline. damaged: all have long-standing disease.
    spacing: mm a pixel at which films are rendered; None is the detector's own (about 2010 x 1670).
    views: of ``hands`` and ``feet``. kind: what the films are like, such as ``one_hand``; by chance if None.
    """

    first: int
    count: int
    visits: tuple[int, ...] = (0, 1)
    damaged: bool = False
    role: StudyRole = StudyRole.TRAIN
    seed: int = SEED
    poor: float = POOR
    spacing: float | None = HALF_SIZE_MM
    views: tuple[str, ...] = ("hands",)
    domain: str = "first"
    kind: str | None = None


def limb_films(patients: Patients) -> Iterator[tuple[str, str, LimbFilm]]:
    """(subject, visit, film) of every patient, visit and view, in order."""
    study = StudySeed(patients.role, patients.seed)
    population = replace(TRIAL, severe=(1.0, TRIAL.severe[1])) if patients.damaged else TRIAL
    last = max(patients.visits) + 1
    for number in range(patients.first, patients.first + patients.count):
        course = simulate_hands(study, 1, last, population, first=number)
        for order in patients.visits:
            visit, subject = course.visits[order], course.subjects[0]
            for view in patients.views:
                film = make_hand_film(
                    study.film_seed(),
                    subject,
                    visit,
                    view,
                    course.states(0, order),
                    patients.domain,
                    poor=patients.poor,
                    kind=patients.kind,
                    spacing=patients.spacing,
                )
                yield subject, visit, film


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--patients", "count", type=int, required=True)
@click.option("--first", type=int, default=1)
@click.option("--visits", default="0,1")
@click.option("--views", default="hands", help="hands, feet or hands,feet")
@click.option("--role", type=click.Choice([role.value for role in StudyRole]), default=StudyRole.TRAIN.value)
@click.option("--domain", type=click.Choice(list(DOMAINS)), default="first")
@click.option("--damaged", is_flag=True)
@click.option("--full-size", is_flag=True, help="Render at the detector's own pixel size.")
def main(
    out: Path, count: int, first: int, visits: str, views: str, role: str, domain: str, damaged: bool,
    full_size: bool,
) -> None:  # fmt: skip
    """Write a COCO folder of phantom films."""
    patients = Patients(
        first,
        count,
        tuple(int(text) for text in visits.split(",")),
        damaged,
        StudyRole(role),
        spacing=None if full_size else HALF_SIZE_MM,
        views=tuple(views.split(",")),
        domain=domain,
    )
    click.echo(f"films in {write_coco(limb_films(patients), out)}")


if __name__ == "__main__":
    main()
