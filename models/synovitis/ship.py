"""File the networks of one fold beside each other as the model that is used.

    python -m models.synovitis.ship OUT --fold 0 --to models/weights

They have figures on patients whom they had not learned from, which networks of everybody have not.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from core.learned_from import KEY
from models import cards
from models.synovitis.folds import FOLDS
from models.synovitis.networks import SYSTEM
from models.synovitis.predictions import FOLDS_SCHEME, read_predictions, table_path
from models.training.sources import learned_from


def ship(out: Path, fold: int, to: Path, size: str = "demo") -> Path:
    """Weights and calibration of a fold, with the table of all folds and the rest of the card.

    out: folder of a training. Raises ModelError where it holds no card, no such fold or no table.
    """
    whole, own = cards.read_card(SYSTEM, size, out), cards.read_card(SYSTEM, size, out / f"fold{fold}")
    table = read_predictions(size, out)
    held = table[(table["scheme"] == FOLDS_SCHEME) & (table["part"] == str(fold))]["patient"]
    patients = [one for one in whole["training"]["patients"] if one not in set(held)]
    to.mkdir(parents=True, exist_ok=True)
    for entry in own["networks"].values():
        shutil.copyfile(out / f"fold{fold}" / entry["file"], to / entry["file"])
    shutil.copyfile(table_path(size, out), table_path(size, to))
    steps = [{**step, "patients": len(patients)} for step in learned_from(whole)]
    training = whole["training"] | {"patients": patients, "fold": fold, KEY: steps}
    card = whole | {
        "networks": {name: entry | {"fold": fold} for name, entry in own["networks"].items()},
        "training": training,
        "grading": own["grading"],
    }
    return cards.write_card(card, SYSTEM, size, to)


@click.command()
@click.argument("out", type=click.Path(path_type=Path, exists=True))
@click.option("--fold", type=click.IntRange(0, FOLDS - 1), default=0, show_default=True)
@click.option("--to", type=click.Path(path_type=Path), default=cards.FOLDER, show_default="models/weights")
@click.option("--size", type=click.Choice(["demo", "full"]), default="demo")
def main(out: Path, fold: int, to: Path, size: str) -> None:
    """File the networks of a fold of the training in OUT as the model."""
    click.echo(str(ship(out, fold, to, size)))


if __name__ == "__main__":
    main()
