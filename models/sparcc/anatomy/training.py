"""Training of the network of bodies and discs on a folder of labelled volumes, a fold of patients held out.

python -m models.sparcc.anatomy.training --data DIR --out DIR --fold 0
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from models import cards
from models.sparcc.anatomy.network import build, loss
from models.sparcc.anatomy.samples import MM, Sample, batches, sample_of
from models.sparcc.anatomy.targets import CHANNELS
from models.sparcc.anatomy.volumes import LabelledStack, read_folder, without_copies
from models.training.folds import keep_apart
from models.training.loop import Descent, Fitted, Recipe
from models.training.network import NetworkTraining
from models.training.pipeline import train_into

NAME = "anatomy"
FOLDS = 3
NOTE = "bodies, discs and L5 on sagittal MRI, trained on real lumbar volumes; gives no score, research only"
SOURCES = {
    "repository": "JonathanRamos/fastcleverseg, folder ImageDatasets, licence GPL-3.0",
    "cite": "VB1 doi:10.1111/cgf.12343, VB2 doi:10.1371/journal.pone.0143327, "
    "VB3 doi:10.1186/s12891-019-2528-x, IVD doi:10.21037/qims.2016.08.01",
    "labels": "manual masks of bodies or of discs; discs between labelled bodies drawn by rule, weight 0.5",
}
RECIPE = Recipe(
    epochs=1000, batch=8, images=400, learning_rate=3e-3, seconds=1200, average=0.995, half_precision=True
)


def _about(samples: Sequence[Sample], fitted: Fitted, recipe: Recipe) -> dict[str, Any]:
    return {
        "classes": list(CHANNELS),
        "mm_per_pixel": MM,
        "images": fitted.images,
        "seconds": round(fitted.seconds),
        "loss": round(fitted.loss, 4),
        "recipe": recipe.as_card(),
    }


TRAINING = NetworkTraining(
    name=NAME,
    build=build,
    samples=lambda stacks, seed: [sample_of(stack) for stack in stacks],
    batches=batches,
    descent=lambda network: Descent(loss),
    recipe=RECIPE,
    about=_about,
)


def folds_of(stacks: Sequence[LabelledStack], count: int = FOLDS, seed: int = 0) -> dict[str, int]:
    """Patient -> fold from 0, the patients of each source dealt out evenly."""
    found: dict[str, int] = {}
    for number, source in enumerate(sorted({stack.source for stack in stacks})):
        patients = sorted({stack.patient for stack in stacks if stack.source == source})
        order = np.random.default_rng([seed, number]).permutation(len(patients))
        found |= {patients[place]: rank % count for rank, place in enumerate(order)}
    return found


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--fold", type=click.IntRange(0, FOLDS - 1), default=0, help="Fold of patients held out.")
@click.option("--size", type=click.Choice(["demo", "full"]), default="demo")
@click.option("--seconds", type=float, default=RECIPE.seconds, help="Longest training.")
def main(data: Path, out: Path, fold: int, size: str, seconds: float) -> None:
    """Train on all patients but those of one fold, and write weights and card."""
    from dataclasses import replace

    import torch

    torch.set_num_threads(1)
    stacks = read_folder(data)
    fold_of = folds_of(stacks)
    stacks = without_copies(stacks)
    training = [stack for stack in stacks if fold_of[stack.patient] != fold]
    held_out = sorted({stack.patient for stack in stacks if fold_of[stack.patient] == fold})
    keep_apart((stack.patient for stack in training), held_out, "test")
    recipe = replace(RECIPE, seconds=seconds)
    entry = train_into(out, "sparcc", TRAINING, training, recipe, size, checkpoint=out / "anatomy.checkpoint")
    about = {
        "films": len(training),
        "patients": sorted({stack.patient for stack in training}),
        "test_patients": held_out,
        "seed": recipe.seed,
        "fold": fold,
        "sources": SOURCES,
    }
    card = {"note": NOTE, "networks": {NAME: entry}, "training": about}
    cards.write_card(card, "sparcc", size, out)
    (out / "anatomy.checkpoint").unlink(missing_ok=True)


if __name__ == "__main__":
    main()
