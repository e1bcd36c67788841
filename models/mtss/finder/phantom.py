"""Phantom films for training the finder beside full-size ones: small, and many of them special.

    python -m models.mtss.finder.phantom --out DIR --first 5001

The shipped finder was trained on the films of ``--first 5001`` and ``--first 6001`` beside 120 patients at
full size (:mod:`models.mtss.phantom`, plain from 1001 and ``--damaged`` from 2001, 60 each, visits 0 and
2, hands and feet).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import click

from data.phantom.hands.labels import write_coco
from data.phantom.seeds import StudyRole
from models.mtss.finder.network import INPUT_MM
from models.mtss.phantom import Patients, limb_films

ORDINARY = 60  # patients, plain and as many damaged
DAMAGED_FROM, SPECIAL_FROM = 200, 400  # added to the first patient's number
SPECIAL = {
    "overlap": 30, "cut_edge": 18, "rotated": 12, "missing_finger": 24, "one_hand": 24, "soft": 6,
    "underexposed": 6, "chest": 18, "blank": 6,
}  # fmt: skip
BOTH_VIEWS = ("cut_edge", "rotated", "soft", "underexposed")


def plan(first: int, role: StudyRole = StudyRole.TRAIN) -> Iterator[Patients]:
    """The patients of one set, numbered from ``first``: ordinary films, then special ones, half of the
    patients with long-standing disease.
    """
    views = ("hands", "feet")
    yield Patients(first, ORDINARY, (0,), spacing=INPUT_MM, views=views, role=role)
    yield Patients(
        first + DAMAGED_FROM, ORDINARY, (2,), damaged=True, spacing=INPUT_MM, views=views, role=role
    )
    number = first + SPECIAL_FROM
    for kind, count in SPECIAL.items():
        for damaged in (False, True):
            shown = views if kind in BOTH_VIEWS else ("hands",)
            yield Patients(number, count // 2, (1,), damaged, role, spacing=INPUT_MM, views=shown, kind=kind)
            number += count // 2


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--first", type=int, default=5001, show_default=True)
@click.option("--role", type=click.Choice([role.value for role in StudyRole]), default=StudyRole.TRAIN.value)
def main(out: Path, first: int, role: str) -> None:
    """Write a COCO folder of small phantom films, special ones among them."""
    films = chain.from_iterable(limb_films(who) for who in plan(first, StudyRole(role)))
    click.echo(f"films in {write_coco(films, out)}")


if __name__ == "__main__":
    main()
