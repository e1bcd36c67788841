"""Training of the network of marrow oedema."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from models.sparcc.oedema.network import MM, build, loss
from models.sparcc.oedema.samples import Choice, Samples, batches, samples_of
from models.sparcc.rendered import Stack
from models.training.loop import Descent, Fitted, Recipe
from models.training.network import NetworkTraining

NAME = "oedema"
RECIPE = Recipe(
    epochs=1000, batch=8, images=800, learning_rate=3e-3, seconds=1380, average=0.995, half_precision=True
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
