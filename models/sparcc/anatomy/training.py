"""Training of the network of bodies and discs: labelled volumes, a fold of patients held out, and phantoms.

python -m models.sparcc.anatomy.training --data DIR --stacks DIR --phantom 64 --out DIR --fold 0
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from safetensors.torch import load_file

from models import cards
from models.sparcc.anatomy.network import build, loss
from models.sparcc.anatomy.samples import DRAWN, MM, PHANTOM, AnySample, batches, drawn_samples, sample_of
from models.sparcc.anatomy.targets import CHANNELS
from models.sparcc.anatomy.volumes import LabelledStack, read_folder, without_copies
from models.sparcc.learned import BODIES, before, learned_steps, with_part
from models.sparcc.rendered import Patients, Stack, rendered
from models.training.folds import keep_apart
from models.training.loop import Descent, Fitted, Recipe
from models.training.network import NetworkTraining
from models.training.pipeline import train_into

NAME = "anatomy"
FOLDS = 3
HEAD = ("head.weight", "head.bias")
RARE = -4.0  # score of a map that says nothing yet
NOTE = (
    "bodies, discs, L5 and C2 on sagittal MRI, trained on real lumbar volumes and on phantom stacks; "
    "research only"
)
SOURCES = {
    "repository": "JonathanRamos/fastcleverseg, folder ImageDatasets, licence GPL-3.0",
    "cite": "VB1 doi:10.1111/cgf.12343, VB2 doi:10.1371/journal.pone.0143327, "
    "VB3 doi:10.1186/s12891-019-2528-x, IVD doi:10.21037/qims.2016.08.01",
    "labels": "manual masks of bodies or of discs; discs between labelled bodies drawn by rule, weight 0.5",
}
RECIPE = Recipe(
    epochs=1000, batch=8, images=400, learning_rate=3e-3, seconds=1200, average=0.995, half_precision=True
)


@dataclass(frozen=True)
class Material:
    """What is trained on: labelled volumes and phantom stacks, either of which may be missing."""

    volumes: Sequence[LabelledStack] = ()
    stacks: Iterable[Stack] = ()


def samples_of(material: Material, seed: int) -> list[AnySample]:
    """Samples of volumes and of both sequences of stacks."""
    drawn = [sample for stack in material.stacks for sample in drawn_samples(stack)]
    return [*(sample_of(stack) for stack in material.volumes), *drawn]


def _about(samples: Sequence[AnySample], fitted: Fitted, recipe: Recipe) -> dict[str, Any]:
    return {
        "classes": list(CHANNELS),
        "mm_per_pixel": MM,
        "phantom_stacks": sum(sample.source == PHANTOM for sample in samples),
        "phantom_share": DRAWN,
        "images": fitted.images,
        "seconds": round(fitted.seconds),
        "loss": round(fitted.loss, 4),
        "recipe": recipe.as_card(),
    }


TRAINING = NetworkTraining(
    name=NAME,
    build=build,
    samples=samples_of,
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


def widened(folder: Path, size: str, out: Path) -> Path:
    """The weights in ``folder`` with the maps that they lack, which say nothing yet; in ``out``."""
    about = cards.read_card("sparcc", size, folder)["networks"][NAME]
    kept = load_file(folder / about["file"])
    network = build(size)
    there = len(about["classes"])
    weight, bias = (network.state_dict()[name].clone() for name in HEAD)
    weight[there:], bias[there:] = 0.0, RARE
    weight[:there], bias[:there] = (kept[name] for name in HEAD)
    network.load_state_dict(kept | dict(zip(HEAD, (weight, bias), strict=True)))
    cards.save(network, out / about["file"])
    return out


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--stacks", type=click.Path(path_type=Path), help="Folder in which phantom stacks are kept.")
@click.option("--phantom", type=int, default=64, show_default=True, help="Phantom patients, with --stacks.")
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--fold", type=click.IntRange(0, FOLDS - 1), default=0, help="Fold of patients held out.")
@click.option("--size", type=click.Choice(["demo", "full"]), default="demo")
@click.option("--seconds", type=float, default=RECIPE.seconds, help="Longest training.")
@click.option("--init", type=click.Path(path_type=Path), help="Folder of weights to begin from.")
def main(
    data: Path, stacks: Path | None, phantom: int, out: Path, fold: int, size: str, seconds: float,
    init: Path | None,
) -> None:  # fmt: skip
    """Train on all patients but those of one fold, and write weights and card."""
    import torch

    torch.set_num_threads(1)
    volumes = read_folder(data)
    fold_of = folds_of(volumes)
    volumes = without_copies(volumes)
    training = [stack for stack in volumes if fold_of[stack.patient] != fold]
    held_out = sorted({stack.patient for stack in volumes if fold_of[stack.patient] == fold})
    keep_apart((stack.patient for stack in training), held_out, "test")
    recipe = replace(RECIPE, seconds=seconds)
    drawn = rendered(Patients(phantom), stacks) if stacks else ()
    start = widened(init, size, out / "start") if init else None
    entry = train_into(
        out, "sparcc", TRAINING, Material(training, drawn), recipe, size, init=start,
        checkpoint=out / "anatomy.checkpoint",
    )  # fmt: skip
    patients = {stack.patient for stack in training}
    seen = learned_steps(BODIES, real=len(patients), volumes=len(training), phantoms=phantom if stacks else 0)
    about = {
        "films": len(training),
        "patients": sorted(patients),
        "test_patients": held_out,
        "seed": recipe.seed,
        "fold": fold,
        "sources": SOURCES,
    }
    about = with_part(about, BODIES, before(BODIES, size, init, seen))
    card = {"note": NOTE, "networks": {NAME: entry}, "training": about}
    cards.write_card(card, "sparcc", size, out)
    (out / "anatomy.checkpoint").unlink(missing_ok=True)


if __name__ == "__main__":
    main()
