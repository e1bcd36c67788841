"""Training of the toy's one network, from rendered patients or a folder of labelled pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from core.domain import Image
from models.training.folds import split_patients
from models.training.loop import Batch, Descent, Recipe
from models.training.network import NetworkTraining
from models.training.pipeline import Films, Training
from tests.toy.pictures import CORNERS, TILE, grades_of, picture

VISITS = ("BL", "W52")
BRIGHTEST = 2000.0


@dataclass(frozen=True)
class Labelled:
    """A picture with its grades."""

    patient: str
    visit: str
    pixels: np.ndarray
    grades: dict[str, int]

    def as_film(self) -> Image:
        return Image(f"{self.patient}-{self.visit}", self.pixels, modality="DX", body_part="knee")


def rendered(patients: int, first: int) -> list[Labelled]:
    """Pictures of so many patients at both visits."""
    return [
        Labelled(f"T{number}", code, picture(grades, 10 * number + visit), grades)
        for number in range(first, first + patients)
        for visit, code in enumerate(VISITS)
        for grades in [grades_of(number, visit)]
    ]


def read_folder(folder: Path) -> list[Labelled]:
    """Pictures of a folder: labels.csv (patient, visit, file, one column a site) and .npy files."""
    rows = pd.read_csv(folder / "labels.csv", dtype={"patient": str, "visit": str}).to_dict("records")
    return [
        Labelled(row["patient"], row["visit"], np.load(folder / row["file"]), {s: row[s] for s in CORNERS})
        for row in rows
    ]


def tiles_of(pixels: np.ndarray) -> np.ndarray:
    """(4, 1, 32, 32) float32: the four squares in the order of the sites."""
    cut = [pixels[top : top + TILE, left : left + TILE] for top, left in CORNERS.values()]
    return np.stack(cut)[:, None].astype(np.float32) / BRIGHTEST


def build(size: str) -> torch.nn.Sequential:
    """(b, 1, 32, 32) -> (b, 3) logits of the grades."""
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(8, 3),
    )


def samples(films: list[Labelled], seed: int) -> list[tuple[np.ndarray, int]]:
    """A tile and its grade for every site of every picture."""
    return [
        (tile, film.grades[site])
        for film in films
        for tile, site in zip(tiles_of(film.pixels), CORNERS, strict=True)
    ]


def batches(tiles, recipe, network):
    def of_epoch(epoch):
        order = np.random.default_rng([recipe.seed, epoch]).permutation(len(tiles))
        for start in range(0, recipe.steps(len(tiles)) * recipe.batch, recipe.batch):
            picked = [tiles[i] for i in order[start : start + recipe.batch]]
            pixels = torch.from_numpy(np.stack([tile for tile, _ in picked]))
            yield Batch(pixels, torch.tensor([grade for _, grade in picked]))

    return of_epoch


def labelled(request, tell):
    return as_films(*split_patients(read_folder(request.data), request.seed), is_phantom=False)


def phantom(request, tell):
    return as_films(rendered(request.phantom, request.first), rendered(6, 500), is_phantom=True)


def as_films(training, tuning, *, is_phantom):
    patients = [frozenset(film.patient for film in films) for films in (training, tuning)]
    return Films(training, tuning, *patients, is_phantom=is_phantom)


GRADER = NetworkTraining(
    "grader",
    build=build,
    samples=samples,
    batches=batches,
    descent=lambda network: Descent(torch.nn.functional.cross_entropy),
    recipe=Recipe(epochs=40, batch=16, learning_rate=0.03, average=0.9, half_precision=False),
)
TRAINING = Training(networks=(GRADER,), labelled=labelled, phantom=phantom, options={"epochs": ("grader",)})
