"""What a system declares of one network to have it trained, and the training itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from models.training.loop import Batch, Descent, Fitted, Recipe, Report, fit, loss_on, silent

Batches = Callable[[int], Iterable[Batch]]


def nothing_to_add(samples: Any, fitted: Fitted, recipe: Recipe) -> dict[str, Any]:
    """No entries of the card beside the file's."""
    return {}


def as_it_is(network: Any, samples: Any) -> None:
    """A network that is trained as it was built."""


@dataclass(frozen=True)
class NetworkTraining:
    """How one network of a system is trained.

    build: of a size, with random weights. samples: of the system's training films and a seed. batches: of
    samples, recipe and network, gives the batches of an epoch by its number. descent: of a network, how it
    goes down its loss. prepare: sets what the network takes from the samples before it is trained. about:
    entries of the network's card beside those of its file. report_steps: steps between reports, None for one
    an epoch. stored_as: precision of the numbers in the file, as they are trained unless given.
    """

    name: str
    build: Callable[[str], Any]
    samples: Callable[[Any, int], Any]
    batches: Callable[[Any, Recipe, Any], Batches]
    descent: Callable[[Any], Descent]
    recipe: Recipe
    prepare: Callable[[Any, Any], None] = as_it_is
    about: Callable[[Any, Fitted, Recipe], dict[str, Any]] = nothing_to_add
    report_steps: int | None = None
    stored_as: torch.dtype | None = None

    def train(
        self,
        samples: Any,
        recipe: Recipe | None = None,
        *,
        size: str = "demo",
        start: dict[str, torch.Tensor] | None = None,
        checkpoint: Path | None = None,
        report: Report = silent,
        held_out: Any = None,
    ) -> Fitted:
        """The network trained on samples. start: weights to begin from instead of random ones. held_out:
        samples of other patients, by whose loss the best epoch is told where the recipe has patience.
        """
        recipe = recipe or self.recipe
        torch.manual_seed(recipe.seed)
        network = self.build(size)
        if start is not None:
            network.load_state_dict(start)
        self.prepare(network, samples)
        network.to(memory_format=torch.channels_last)
        descent = self.descent(network)
        watch = None
        if held_out is not None and recipe.patience is not None:
            views = self.batches(held_out, replace(recipe, images=None), network)

            def watch(network: torch.nn.Module) -> float:
                return loss_on(network, descent, views(0))

        return fit(
            network,
            descent,
            self.batches(samples, recipe, network),
            recipe,
            steps_per_epoch=recipe.steps(len(samples)),
            checkpoint=checkpoint,
            report=report,
            report_steps=self.report_steps,
            watch=watch,
        )
