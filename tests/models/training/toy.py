"""A system of a few lines: one tiny network that tells bright films from dark ones."""

from __future__ import annotations

import json

import numpy as np
import torch

from models import cards
from models.system import SystemModel
from models.training.folds import split_patients
from models.training.loop import Batch, Descent, Recipe
from models.training.network import NetworkTraining
from models.training.pipeline import Films, Training


class Film:
    def __init__(self, patient: str, pixels: np.ndarray, grade: int) -> None:
        self.patient, self.pixels, self.grade = patient, pixels.astype(np.float32), grade


def build(size: str) -> torch.nn.Module:
    """(b, 1, 8, 8) -> (b, 2) logits of the grades."""
    layers = torch.nn.Conv2d(1, 4, 3, padding=1), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
    return torch.nn.Sequential(*layers, torch.nn.Linear(4, 2))


def batches(films, recipe, network):
    def of_epoch(epoch):
        order = np.random.default_rng([recipe.seed, epoch]).permutation(len(films))
        for start in range(0, recipe.steps(len(films)) * recipe.batch, recipe.batch):
            picked = [films[i] for i in order[start : start + recipe.batch]]
            pixels = torch.from_numpy(np.stack([film.pixels for film in picked]))[:, None]
            yield Batch(pixels, torch.tensor([film.grade for film in picked]))

    return of_epoch


def simulated(patients, first=1):
    rng = np.random.default_rng(first)
    grades = [number % 2 for number in range(patients)]
    return [
        Film(f"P{first + i}", rng.random((8, 8)) / 2 + grade / 2, grade) for i, grade in enumerate(grades)
    ]


def labelled(request, tell):
    rows = json.loads((request.data / "films.json").read_text())
    films = [Film(patient, np.full((8, 8), grey), grade) for patient, grey, grade in rows]
    training, tuning = split_patients(films, request.seed)
    return as_films(training, tuning, is_phantom=False)


def phantom(request, tell):
    return as_films(simulated(request.phantom, request.first), simulated(4, 1000), is_phantom=True)


def as_films(training, tuning, *, is_phantom):
    patients = [frozenset(film.patient for film in films) for films in (training, tuning)]
    return Films(training, tuning, *patients, is_phantom=is_phantom, held_out=None if is_phantom else tuning)


class Tuner:
    def __init__(self, card, films, request):
        self.films, network = films.tuning, build(request.size)
        cards.load_into(network, card, "brightness", request.out)
        with torch.inference_mode():
            pixels = torch.from_numpy(np.stack([film.pixels for film in self.films]))[:, None]
            self.given = network.eval()(pixels).argmax(dim=1).tolist()

    def tune(self):
        right = [given == film.grade for given, film in zip(self.given, self.films, strict=True)]
        return {"grading": {"accuracy": float(np.mean(right))}}

    def paired(self):
        return {}


BRIGHTNESS = NetworkTraining(
    "brightness",
    build=build,
    samples=lambda films, seed: films,
    batches=batches,
    descent=lambda network: Descent(torch.nn.functional.cross_entropy),
    recipe=Recipe(epochs=30, batch=4, learning_rate=0.05, average=0.9, half_precision=False),
    about=lambda samples, fitted, recipe: {"images": fitted.images},
)
TRAINING = Training(
    networks=(BRIGHTNESS,),
    labelled=labelled,
    phantom=phantom,
    tuner=Tuner,
    tuned=("grading",),
    options={"epochs": ("brightness",)},
)
MODEL = SystemModel("toy", ("hand",), ("brightness",), "", training="tests.models.training.toy:TRAINING")
