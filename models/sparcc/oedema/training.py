"""Training of the network of marrow oedema on phantom stacks, and the choice of its operating point.

python -m models.sparcc.oedema.training --stacks DIR --phantom 64 --tuning 20 --out DIR --bodies DIR
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from safetensors.torch import load_file

from data.phantom.seeds import StudyRole
from models import cards
from models.sparcc.anatomy.segment import NAME as BODIES
from models.sparcc.oedema.finder import NAME, Point, finder_of
from models.sparcc.oedema.network import MM, build, loss
from models.sparcc.oedema.operating import choose, see
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
    return {
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


def network_training(choice: Choice | None = None) -> NetworkTraining:
    """The training with a choice of slices."""

    def samples(stacks: Iterable[Stack], seed: int) -> Samples:
        return samples_of(stacks, choice)

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
) -> dict[str, Any]:
    """A card with the network and its operating point beside what it has."""
    training = card.get("training", {}) | {"phantom_patients": sorted(patients)}
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
@click.option("--size", type=click.Choice(["demo", "full"]), default="demo")
@click.option("--seconds", type=float, default=RECIPE.seconds, help="Longest training.")
def main(
    stacks: Path, phantom: int, tuning: int, out: Path, bodies: Path | None, size: str,
    seconds: float,
) -> None:  # fmt: skip
    """Train, choose the operating point, and write weights and card."""
    import torch

    torch.set_num_threads(1)
    training = Patients(phantom)
    others = Patients(tuning, role=StudyRole.TUNE, populations=TO_TUNE_ON, whole=5)
    start = begun_from_bodies(bodies, size, out / "start") if bodies else None
    recipe = replace(RECIPE, seconds=seconds)
    entry = train_into(
        out,
        "sparcc",
        TRAINING,
        rendered(training, stacks / "training"),
        recipe,
        size,
        init=start,
        checkpoint=out / "oedema.checkpoint",
    )
    finder = finder_of({"networks": {NAME: entry}}, size, out)
    point, figures = choose(see(finder, rendered(others, stacks / "tuning")))
    known = cards.card_path("sparcc", size, out).is_file()
    card = cards.read_card("sparcc", size, out) if known else {"note": NOTE}
    card = with_oedema(card, entry, point, figures, [one.subject for one in training.people()])
    cards.write_card(card, "sparcc", size, out)
    (out / "oedema.checkpoint").unlink(missing_ok=True)


if __name__ == "__main__":
    main()
