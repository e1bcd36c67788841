"""Test pictures of the toy, with two simulated readers who are wrong at one site in ten."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from models.evaluation.run import Evaluation
from models.evaluation.test_set import TestImage, TestSet, is_real
from tests.toy.model.training import Labelled, read_folder, rendered


def truth_of(films: list[Labelled]) -> pd.DataFrame:
    rows = [(f.patient, f.visit, site, grade) for f in films for site, grade in f.grades.items()]
    return pd.DataFrame(rows, columns=["subject", "visit", "site", "grade"])


def read_by(truth: pd.DataFrame, reader: str, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    off = np.where(rng.random(len(truth)) < 0.1, rng.choice([-1, 1], len(truth)), 0)
    return truth.assign(reader=reader, grade=(truth["grade"] + off).clip(0, 2))


def test_set(name: str, films: list[Labelled], domain: str = "", real: bool | None = False) -> TestSet:
    images = [TestImage(film, f"{film.patient}-{film.visit}", film.patient, film.visit) for film in films]
    truth = truth_of(films)
    reads = pd.concat([read_by(truth, "R1", 1), read_by(truth, "R2", 2)], ignore_index=True)
    return TestSet(name, images, truth, reads, domain, real=real)


test_set.__test__ = False


def render(domain: str, patients: int, *, processes: int, tell) -> TestSet:
    return test_set(f"{domain} domain", rendered(patients, 900), domain)


def of_folder(folder: Path) -> TestSet:
    return test_set(folder.name, read_folder(folder), real=is_real(folder))


EVALUATION = Evaluation(render=render, read_folder=of_folder, draws=100)
