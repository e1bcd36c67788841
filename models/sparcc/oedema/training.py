"""Training of the network of marrow oedema on phantom stacks and real volumes, and of its operating point.

python -m models.sparcc.oedema.training --stacks DIR --phantom 64 --out DIR --bodies DIR --data DIR
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from safetensors.torch import load_file

from core.learned_from import Step
from data.phantom.seeds import StudyRole
from models import cards
from models.sparcc.anatomy.segment import NAME as BODIES
from models.sparcc.anatomy.segment import build_segmenter
from models.sparcc.anatomy.training import FOLDS
from models.sparcc.learned import BODIES as BODIES_PART
from models.sparcc.learned import OEDEMA, before, learned_steps, with_part
from models.sparcc.oedema.finder import NAME, Point, finder_of
from models.sparcc.oedema.network import MM, build, loss
from models.sparcc.oedema.operating import Looks, choose, see
from models.sparcc.oedema.real import Real, real_volumes, with_real
from models.sparcc.oedema.region import ColumnFinder
from models.sparcc.oedema.samples import Choice, Samples, batches, samples_of
from models.sparcc.rendered import TO_TUNE_ON, Patients, Stack, rendered
from models.training.loop import Descent, Fitted, Recipe
from models.training.network import NetworkTraining
from models.training.pipeline import train_into

NOTE = "marrow oedema on sagittal STIR of the spine, trained on phantom stacks alone; research only"
RECIPE = Recipe(
    epochs=1000, batch=8, images=80, learning_rate=2e-3, seconds=1560, average=0.99, half_precision=True
)


def about(samples: Samples, fitted: Fitted, recipe: Recipe) -> dict[str, Any]:
    """What the card says of the network beside its file."""
    slices = samples.slices
    real = {name for name, sample in samples.stacks.items() if sample.is_real}
    seen = {"real_stacks": len(real), "real_share": samples.choice.real} if real else {}
    return seen | {
        "classes": ["oedema"],
        "mm_per_pixel": MM,
        "edge": str(samples.choice.edge),
        "negative_patients": samples.choice.negative_patients,
        "stacks": len({one.stack for one in slices}),
        "slices": len(slices),
        "positive_slices": sum(one.positive for one in slices),
        "images": fitted.images,
        "seconds": round(fitted.seconds),
        "loss": round(fitted.loss, 4),
        "recipe": recipe.as_card(),
    }


def network_training(choice: Choice | None = None, real: Real | None = None) -> NetworkTraining:
    """The training with a choice of slices, with real volumes or without."""

    def samples(stacks: Iterable[Stack], seed: int) -> Samples:
        found = samples_of(stacks, choice)
        return with_real(found, real) if real else found

    return NetworkTraining(
        name=NAME,
        build=build,
        samples=samples,
        batches=batches,
        descent=lambda network: Descent(loss),
        recipe=RECIPE,
        about=about,
    )


TRAINING = network_training()


def begun_from_bodies(folder: Path, size: str, out: Path) -> Path:
    """The weights of bodies and discs in ``folder`` with another last layer; in ``out``, to begin from."""
    about = cards.read_card("sparcc", size, folder)["networks"][BODIES]
    kept = load_file(folder / about["file"])
    network = build(size)
    own = {name: value for name, value in network.state_dict().items() if name.startswith("head.")}
    network.load_state_dict(kept | own)
    cards.save(network, out / f"sparcc-{size}-{NAME}.safetensors")
    return out


def with_oedema(
    card: dict[str, Any],
    entry: dict[str, Any],
    point: Point,
    figures: dict[str, Any],
    patients: Iterable[str],
    real: Sequence[str] = (),
    steps: Sequence[Step] | None = None,
) -> dict[str, Any]:
    """A card with the network and its operating point beside what it has. real: patients of real volumes.
    steps: what it learned from, where that is more than these patients.
    """
    phantoms = sorted(patients)
    seen = {"phantom_patients": phantoms} | ({"oedema_real_patients": sorted(real)} if real else {})
    own = steps or learned_steps(OEDEMA, real=len(real), phantoms=len(phantoms))
    training = with_part(card.get("training", {}) | seen, OEDEMA, own)
    networks = card.get("networks", {}) | {NAME: entry | point.as_card()}
    return card | {"networks": networks, "training": training, "tuning": {NAME: figures}}


@click.command()
@click.option(
    "--stacks", type=click.Path(path_type=Path), required=True, help="Folder in which stacks are kept."
)
@click.option("--phantom", type=int, default=64, show_default=True, help="Patients to train on.")
@click.option("--tuning", type=int, default=20, show_default=True, help="Patients to tune on.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Its card is kept and added to.")
@click.option("--bodies", type=click.Path(path_type=Path), help="Folder of weights of bodies and discs.")
@click.option("--data", type=click.Path(path_type=Path), help="Real volumes to train on as well.")
@click.option("--fold", type=click.IntRange(0, FOLDS - 1), default=0, help="Fold of their patients held out.")
@click.option("--init", type=click.Path(path_type=Path), help="Folder of weights to begin from.")
@click.option("--size", type=click.Choice(["demo", "full"]), default="demo")
@click.option("--seconds", type=float, default=RECIPE.seconds, help="Longest training.")
def main(
    stacks: Path, phantom: int, tuning: int, out: Path, bodies: Path | None, data: Path | None, fold: int,
    init: Path | None, size: str, seconds: float,
) -> None:  # fmt: skip
    """Train, choose the operating point, and write weights and card."""
    import torch

    torch.set_num_threads(1)
    training = Patients(phantom)
    others = Patients(tuning, role=StudyRole.TUNE, populations=TO_TUNE_ON, whole=5)
    start = init or (begun_from_bodies(bodies, size, out / "start") if bodies else None)
    real = real_volumes(data, fold) if data else None
    recipe = replace(RECIPE, seconds=seconds)
    entry = train_into(
        out,
        "sparcc",
        network_training(real=real),
        rendered(training, stacks / "training"),
        recipe,
        size,
        init=start,
        checkpoint=out / "oedema.checkpoint",
    )
    finder = finder_of({"networks": {NAME: entry}}, size, out)
    looks: Looks = ColumnFinder(build_segmenter(size, bodies), finder) if bodies else finder
    point, figures = choose(see(looks, rendered(others, stacks / "tuning")))
    known = cards.card_path("sparcc", size, out).is_file()
    card = cards.read_card("sparcc", size, out) if known else {"note": NOTE}
    subjects = [one.subject for one in training.people()]
    seen = real.patients if real else ()
    steps = learned_steps(OEDEMA, real=len(seen), phantoms=phantom)
    if bodies and not init:
        steps[-1] = {**steps[-1], "begun_from": BODIES_PART}
    steps = before(OEDEMA, size, init, steps)
    card = with_oedema(card, entry, point, figures, subjects, seen, steps)
    cards.write_card(card, "sparcc", size, out)
    (out / "oedema.checkpoint").unlink(missing_ok=True)


if __name__ == "__main__":
    main()
