"""How one network is trained, whichever patients are left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from core.errors import InputError
from models.synovitis.augment import view
from models.synovitis.losses import ORDINAL, class_weights, draws, loss_of
from models.synovitis.networks import PIXELS, ResNet18, as_input, build
from models.synovitis.pictures import Source
from models.synovitis.start import begin_from
from models.synovitis.tasks import GRADE, TASKS, classes_of, truth_of
from models.training.loop import Batch, Descent, Fitted, Recipe
from models.training.network import Batches, NetworkTraining

GRADE_RECIPE = Recipe(epochs=16, batch=16, images=1280, learning_rate=1e-3, weight_decay=5e-3, average=0.99)
DIAGNOSIS_RECIPE = Recipe(epochs=4, batch=32, images=640, learning_rate=4e-4, weight_decay=1e-2, average=0.95)
EARLY, EARLY_PIXELS = 0.6, 96  # of the epochs of grades, in which pictures are smaller: cheaper by 2.8 times


@dataclass(frozen=True)
class Plan:
    """What networks are trained on. left_out: patients that they must not see. loss: one of ``LOSSES``.

    imagenet: file that all begin from. folder: where the network of grades is filed, from which those of
    diagnoses begin where ``imagenet`` is not given.
    """

    source: Source
    folder: Path
    size: str = "demo"
    left_out: frozenset[str] = frozenset()
    loss: str = ORDINAL
    imagenet: Path | None = None

    def start(self, task: str) -> Path | None:
        """The file that the network of a task begins from, None for random weights."""
        own = None if task == GRADE else self.folder / f"synovitis-{self.size}-{GRADE}.safetensors"
        return self.imagenet or own


@dataclass(frozen=True)
class Samples:
    """Pictures of one task with the places of their right classes.

    start: file of weights to begin from. keeps_first_half: up to ``layer2`` these are not trained any more.
    """

    task: str
    pictures: np.ndarray
    truth: np.ndarray
    patients: int
    loss: str
    start: Path | None
    keeps_first_half: bool = False

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def chance(self) -> np.ndarray:
        """(n,) chance of each picture to be the next one drawn."""
        often = draws(torch.from_numpy(self.truth), len(classes_of(self.task))).double().numpy()
        return np.asarray(often / often.sum())

    @property
    def class_weight(self) -> torch.Tensor:
        """(classes,) weights that, with how often a class is drawn, even out how often it is there."""
        truth, classes = torch.from_numpy(self.truth), len(classes_of(self.task))
        often = torch.ones(classes).scatter(0, truth, draws(truth, classes))
        return class_weights(truth, classes) / often


def samples_of(task: str, plan: Plan, seed: int) -> Samples:
    """The pictures that a task asks about. Raises InputError where they are all of one class."""
    found = plan.source.material()
    about = found.about
    pairs = zip(about["grade"], about["disease"], strict=True)
    truth = [truth_of(task, int(grade), disease) for grade, disease in pairs]
    asked = np.array([one is not None for one in truth], bool)
    asked &= ~about["patient"].isin(plan.left_out).to_numpy()
    right = np.array([-1 if one is None else one for one in truth], np.int64)[asked]
    if len(set(right.tolist())) < 2:
        raise InputError(f"{len(right)} pictures for {task}", "two classes are needed", "give more patients")
    patients = about["patient"][asked].nunique()
    keeps = task != GRADE and plan.imagenet is None
    return Samples(task, found.pictures[asked], right, patients, plan.loss, plan.start(task), keeps)


def batches(samples: Samples, recipe: Recipe, network: Any) -> Batches:
    """Views of pictures, drawn by their chance. Those of grades begin small (progressive resizing, as in Tan
    and Le 2021, arXiv:2104.00298).
    """
    weight, chance = samples.class_weight, samples.chance
    steps = recipe.steps(len(samples))

    def of_epoch(epoch: int) -> Iterator[Batch]:
        rng = np.random.default_rng([recipe.seed, epoch])
        drawn = rng.choice(len(samples), (steps, recipe.batch), p=chance)
        is_small = samples.task == GRADE and epoch < EARLY * recipe.epochs
        for picks in drawn:
            pictures = (samples.pictures[place] for place in picks)
            views = np.stack([view(smaller(one) if is_small else one, rng) for one in pictures])
            truth = torch.from_numpy(samples.truth[picks])
            yield Batch(as_input(views), {"truth": truth, "weight": weight, "loss": samples.loss})

    return of_epoch


def smaller(picture: np.ndarray) -> np.ndarray:
    """The picture with ``EARLY_PIXELS`` a side."""
    side = (EARLY_PIXELS, EARLY_PIXELS)
    return np.asarray(cv2.resize(picture, side, interpolation=cv2.INTER_AREA))


def _loss(raw: torch.Tensor, targets: dict[str, Any]) -> torch.Tensor:
    return loss_of(targets["loss"], targets["weight"])(raw, targets["truth"])


def prepare(network: ResNet18, samples: Samples) -> None:
    """Weights to begin from, where the plan names any; the first half may keep what grades taught it."""
    if samples.start is not None:
        begin_from(network, samples.start)
    if samples.keeps_first_half:
        for part in (network.conv1, network.bn1, network.layer1, network.layer2):
            part.requires_grad_(False)


def about(samples: Samples, fitted: Fitted, recipe: Recipe) -> dict[str, Any]:
    """What the card says of the network beside its file."""
    return {
        "classes": list(classes_of(samples.task)),
        "pixels": PIXELS,
        "patients": samples.patients,
        "pictures": len(samples),
        "of_class": np.bincount(samples.truth).tolist(),
        "loss": samples.loss,
        "first_half_kept": samples.keeps_first_half,
        "begun_from": "random weights" if samples.start is None else samples.start.name,
        "views": fitted.images,
        "seconds": round(fitted.seconds),
        "final_loss": round(fitted.loss, 4),
        "recipe": recipe.as_card(),
    }


def network_training(task: str) -> NetworkTraining:
    """The training of the network of a task."""
    return NetworkTraining(
        name=task,
        build=partial(build, task),
        samples=partial(samples_of, task),
        batches=batches,
        descent=lambda network: Descent(_loss),
        recipe=GRADE_RECIPE if task == GRADE else DIAGNOSIS_RECIPE,
        prepare=prepare,
        about=about,
        stored_as=torch.float16,
    )


NETWORKS = tuple(map(network_training, TASKS))
