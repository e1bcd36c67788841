"""Trained folds into the repository: weights as float16, their cards, and one fold as the shipped detectors.

    python -m models.mtss.detectors.ship --trained DIR --shipped 0

Half precision halves the files; ``load_into`` casts them back to float32 before anything is computed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from models import cards
from models.mtss.detectors.evaluate import STORED, trained_folds
from models.mtss.detectors.joints import DETECTORS

MEASURED = "mtss-folds/evaluation.json: all five folds, and held-out patients with old disease"


def store_fold(source: Path, target: Path, *, size: str = "demo") -> dict[str, Any]:
    """The fold's networks as float16 and its card in ``target``. Returns the card.

    Raises ModelError where a file of ``source`` is absent or not that of its card.
    """
    from models.mtss.detectors.network import detector

    card = cards.read_card("mtss", size, source)
    target.mkdir(parents=True, exist_ok=True)
    for finding in DETECTORS:
        network = detector(size)
        cards.load_into(network, card, finding, source)
        path = target / f"mtss-{size}-{finding}.safetensors"
        card["networks"][finding] |= cards.save(network.half(), path) | {"stored": "float16"}
    cards.write_card(card, "mtss", size, target)
    return card


def ship_fold(fold: Path, folder: Path = cards.FOLDER, *, size: str = "demo") -> dict[str, Any]:
    """The detectors of a stored fold as those that the package reads with; other networks of the card stay.

    Returns the card.
    """
    stored = cards.read_card("mtss", size, fold)
    card = cards.read_card("mtss", size, folder)
    for finding in DETECTORS:
        about = stored["networks"][finding]
        (folder / about["file"]).write_bytes((fold / about["file"]).read_bytes())
        card["networks"][finding] = about
    card["training"] = stored["training"] | {"measured": MEASURED}
    cards.write_card(card, "mtss", size, folder)
    return card


@click.command()
@click.option("--trained", type=click.Path(path_type=Path, exists=True), required=True)
@click.option(
    "--shipped", type=int, help="Number of the fold, from 0, whose detectors the package reads with."
)
@click.option("--size", type=click.Choice(["demo", "full"]), default="demo")
def main(trained: Path, shipped: int | None, size: str) -> None:
    """Store every trained fold, and ship one."""
    for fold in trained_folds(trained, size):
        store_fold(trained / f"fold{fold}", STORED / f"fold{fold}", size=size)
        click.echo(f"fold {fold + 1} stored")
    if shipped is not None:
        ship_fold(STORED / f"fold{shipped}", size=size)
        click.echo(f"fold {shipped + 1} shipped")


if __name__ == "__main__":
    main()
