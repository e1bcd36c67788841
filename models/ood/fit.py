"""Fit the check of unknown images of a model, and count the images that it refuses and should not.

    python -m models.ood.fit --system SYSTEM          # writes models/weights/SYSTEM-demo-ood.json
    python -m models.ood.fit --system SYSTEM --train 120 --films DIR   # films rendered already

Fitted on training patients, its limit set on tuning patients, its false alarms counted on test patients of
both domains; all of them phantoms. The second domain is never fitted to. Films are rendered one by one, which
takes about two seconds each, and kept in the temporary folder.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import click
import numpy as np

from core.errors import InputError
from models import cards
from models.ood import check as ood
from models.registry import model_of
from models.system import named

DRAWS = 1000  # of the bootstrap
TEST_SETS = {"first domain": ("test", "first"), "second domain": ("test", "second")}


@dataclass(frozen=True)
class CheckedImage:
    """One image as the check sees it. scored: whether the model would score it without the check."""

    patient: str
    view: str
    scored: bool
    features: ood.Features


class Source(Protocol):
    """Where the films of a system come from; made with a size of the weights."""

    def patient(self, role: str, number: int, domain: str) -> list[CheckedImage]:
        """The films of one phantom patient of a role (``train``, ``tune`` or ``test``)."""


def images_of(system: str) -> str:
    """What names the ``Source`` of a system. Raises InputError where its model has no such check."""
    found = model_of(system).unknown_images
    if found is None:
        raise InputError(
            f"system {system}", "its model has no check of unknown images", "name another --system"
        )
    return found


def checked_images(
    source: Source, system: str, weights_hash: str, role: str, patients: int, domain: str
) -> Iterator[CheckedImage]:
    """The films of so many patients, kept from run to run."""
    module = Path(import_module(images_of(system).partition(":")[0]).__file__ or "")
    content = b"".join(
        path.read_bytes() for path in (*sorted(module.parent.rglob("*.py")), Path(ood.__file__))
    )
    name = hashlib.sha256(weights_hash.encode() + content).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"sharpline-ood-{system}-{name}"
    folder.mkdir(exist_ok=True)
    for number in range(1, patients + 1):
        path = folder / f"{role}-{domain}-{number}.npz"
        if not path.exists():
            _keep(source.patient(role, number, domain), path)
        yield from _kept(path)


def _keep(films: Sequence[CheckedImage], path: Path) -> None:
    arrays: dict[str, Any] = {}
    for place, film in enumerate(films):
        arrays[f"{place}/about"] = np.array([film.patient, film.view, str(int(film.scored))])
        for name, values in film.features.items():
            if isinstance(values, ood.Sites):
                arrays[f"{place}/kinds/{name}"] = np.array(values.kinds, dtype=str)
                values = values.values
            arrays[f"{place}/part/{name}"] = values
    part = path.with_suffix(".part.npz")
    np.savez(part, **arrays)
    part.rename(path)


def _kept(path: Path) -> Iterator[CheckedImage]:
    with np.load(path, allow_pickle=False) as stored:
        for place in range(sum(name.endswith("/about") for name in stored.files)):
            patient, view, scored = (str(value) for value in stored[f"{place}/about"])
            begin = f"{place}/part/"
            names = [name.removeprefix(begin) for name in stored.files if name.startswith(begin)]
            parts = {name: _part(stored, place, name) for name in names}
            yield CheckedImage(patient, view, scored == "1", parts)


def _part(stored: Any, place: int, name: str) -> np.ndarray | ood.Sites:
    values, kinds = stored[f"{place}/part/{name}"], f"{place}/kinds/{name}"
    return ood.Sites(tuple(map(str, stored[kinds])), values) if kinds in stored.files else values


def scorable(films: Sequence[CheckedImage]) -> list[CheckedImage]:
    """Films that the model would score, so that all parts are there."""
    return [film for film in films if film.scored]


def false_alarms(check: ood.Check, films: Sequence[CheckedImage]) -> dict[str, Any]:
    """How many of the films that the model would score the check refuses, and over which part.

    share: proportion refused, intervals resample patients. abstained: the same of all films, those that the
    model would not score anyway among them.
    """
    from models.evaluation.intervals import mean_by_patient

    scored = scorable(films)
    refused = np.array([bool(check.reason(film.features)) for film in scored])
    patients = [film.patient for film in scored]
    lost = np.array([not film.scored or bool(check.reason(film.features)) for film in films])

    def share(true: np.ndarray, whose: Sequence[str]) -> dict[str, Any]:
        return mean_by_patient(true, whose, is_proportion=True, draws=DRAWS)

    beyond = [check.beyond(film.features) for film in scored]
    parts = {name: sum(name in one for one in beyond) for name in check.parts}
    return {
        "films": len(scored),
        "patients": len(set(patients)),
        "refused": int(refused.sum()),
        "share": share(refused, patients),
        "abstained": share(lost, [film.patient for film in films]),
        "by_part": parts,
        "not_scored_anyway": len(films) - len(scored),
    }


def fitted(
    source: Source, system: str, weights_hash: str, counts: tuple[int, int, int], alarm: float
) -> tuple[ood.Check, dict[str, Any]]:
    """The check and what is stored with it. counts: training, tuning and test patients (of each domain)."""
    train, tune, test = counts

    def films(role: str, count: int, domain: str = "first") -> list[CheckedImage]:
        return list(checked_images(source, system, weights_hash, role, count, domain))

    learned, tuned = scorable(films("train", train)), scorable(films("tune", tune))
    check = ood.fit([(f.view, f.features) for f in learned], [f.features for f in tuned], alarm)
    about = {
        "system": system,
        "note": "phantom films, research only",
        "weights_hash": weights_hash,
        "fitted": {"films": len(learned), "patients": train},
        "tuned": {"films": len(tuned), "patients": tune},
        "measured": {
            name: false_alarms(check, films(role, test, domain)) for name, (role, domain) in TEST_SETS.items()
        },
    }
    return check, about


@click.command()
@click.option("--system", required=True, help="Whose model.")
@click.option("--size", type=click.Choice(["demo", "full"]), default="demo", show_default=True)
@click.option("--train", default=60, show_default=True, help="Patients that it is fitted on.")
@click.option("--tune", default=60, show_default=True, help="Patients that set the limit.")
@click.option("--test", default=40, show_default=True, help="Patients of each domain.")
@click.option(
    "--alarm", default=ood.ALARM, show_default=True, help="Share of known films that it may refuse."
)
@click.option(
    "--films",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    help="COCO folder of the same phantom films, read instead of rendered.",
)
def main(
    system: str, size: str, train: int, tune: int, test: int, alarm: float, films: tuple[Path, ...]
) -> None:
    """Fit a model's check on phantom films and store it beside the weights."""
    source: Source = named(images_of(system))(size, films)
    weights_hash = cards.weights_hash(cards.read_card(system, size))
    check, about = fitted(source, system, weights_hash, (train, tune, test), alarm)
    path = ood.write_check(check, about, ood.check_path(system, size))
    for name, found in about["measured"].items():
        click.echo(
            f"{name}: refused {found['refused']} of {found['films']} films ({found['patients']} patients)"
        )
    click.echo(str(path))


if __name__ == "__main__":
    main()
