"""How the model of mSASSS is trained: on labelled films of a folder, or on phantom films."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.domain import Abstained
from models import cards
from models.msasss import networks, samples, scorer, tune, tune_paired
from models.msasss.batches import FINDER, GRADER
from models.msasss.grading import PLAIN
from models.msasss.labels import LabelledFilm, read_folder
from models.training.beside import Tell
from models.training.folds import split_patients
from models.training.pipeline import Films, Training, TrainRequest

FIRST_TUNING = 101  # number of the first phantom patient for tuning
COURSES = 2000  # training patients whose course, as numbers, gives the prior of a corner over visits
CARD_NOTE = "research only, not a medical device"


@dataclass(frozen=True)
class TuningFilms:
    """Films to tune on, those without corners to be refused. grades: true grades of corners over visits, from
    which the prior of paired reading is fitted; where none has two visits, the model reads single films only.
    """

    films: Sequence[LabelledFilm]
    grades: Sequence[np.ndarray]


def _films(files: Sequence[Path], tuning: TuningFilms, about: dict[str, Any]) -> Films:
    return Films(
        training=tuple(files),
        tuning=tuning,
        trained_on=frozenset(patient for path in files for patient in samples.load(path).patients),
        tuned_on=frozenset(film.patient for film in tuning.films),
        is_phantom=about["phantom"],
        about=about,
    )


def labelled(request: TrainRequest, tell: Tell) -> Films:
    """Films of a COCO or YOLO folder; some of its patients are kept for tuning."""
    assert request.data is not None
    films = read_folder(request.data)
    training, tuning = split_patients(films, request.seed)
    tell(f"{len(training)} films for training, {len(tuning)} for tuning")
    path, held_out = request.out / "samples" / "all.npz", request.out / "samples" / "held_out.npz"
    for file, those in ((path, training), (held_out, tuning)):
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            samples.save(samples.prepare_all(those), file)
    about = {"source": "labelled films", "films": len(training), "phantom": False}
    made = _films([path], TuningFilms(tuning, tune_paired.labelled_courses(films)), about)
    return replace(made, held_out=(held_out,))


def phantom(request: TrainRequest, tell: Tell) -> Films:
    """Films of rendered patients; a fifth as many others, drawn from the plain population, at baseline and at
    week 104 and with one film each that must be refused, serve for tuning.
    """
    from data.phantom.seeds import StudyRole
    from models.msasss.phantom import ENRICHED, PLAIN, Patients, grade_courses, render_samples, write_coco

    assert request.phantom is not None
    training = Patients(StudyRole.TRAIN, request.first, request.phantom, shifts=ENRICHED)
    tuning = Patients(
        StudyRole.TUNE,
        FIRST_TUNING,
        max(4, request.phantom // 5),
        shifts=PLAIN,
        visits=(0, 2),
        wrong=0.0,
        extra_wrong=True,
        poor=0.1,
    )
    tell(f"rendering {training.count} training and {tuning.count} tuning patients")
    files = render_samples(training, request.out / "samples", processes=request.processes)
    if not (request.out / "tuning" / "annotations.json").exists():
        write_coco(tuning, request.out / "tuning", processes=request.processes)
    about = {
        "source": "data.phantom, first domain",
        "phantom": True,
        "command": f"sharpline train msasss --phantom {request.phantom} --first-patient {request.first} "
        f"--size {request.size} --epochs {request.recipe(GRADER).epochs} "
        f"--finder-epochs {request.recipe(FINDER).epochs} --seed {request.seed} --out DIR",
        "render_seed": training.seed,
        "severity_shifts": list(training.shifts),
        "films": 2 * request.phantom,
    }
    tuned_on = read_folder(request.out / "tuning")
    return _films(files, TuningFilms(tuned_on, grade_courses(COURSES)), about)


def first_card(request: TrainRequest, films: Films) -> dict[str, Any]:
    """What the card says before the networks: what they are shown, and how."""
    return {
        "note": CARD_NOTE + (", trained on phantom films" if films.is_phantom else ""),
        "read_mode": "single",
        "training": {
            **films.about,
            "seed": request.seed,
            "finder_epochs": request.recipe(FINDER).epochs,
            "grader_epochs": request.recipe(GRADER).epochs,
            "learning_rate": request.recipe(GRADER).learning_rate,
            "patients": sorted(films.trained_on),
            "tuning_patients": sorted(films.tuned_on),
            "software": {"python": platform.python_version(), "torch": torch.__version__},
        },
    }


class SpineTuner:
    """Grading rule, limits and prior of paired reading, fitted to what the networks see on tuning films."""

    def __init__(self, card: dict[str, Any], films: Films, request: TrainRequest) -> None:
        made = {"finder": networks.finder(request.size), "grader": networks.grader(request.size)}
        for name, network in made.items():
            cards.load_into(network, card, name, request.out)
        self.scorer = scorer.MsasssScorer(
            made["finder"], made["grader"], PLAIN, scorer.Settings(), size=request.size, weights_hash=""
        )
        self.grades = films.tuning.grades
        seen = zip(films.tuning.films, tune.read_all(self.scorer, films.tuning.films), strict=True)
        self.films: list[LabelledFilm] = []
        self.readings: list[scorer.Reading | Abstained] = []
        self.wrong: list[scorer.Reading | Abstained] = []  # of films without corners
        for film, reading in seen:
            if film.corners:
                self.films.append(film)
                self.readings.append(reading)
            else:
                self.wrong.append(reading)
        self.corners = tune.corners(self.films, self.readings, [1.0] * len(self.films))

    def tune(self) -> dict[str, Any]:
        """``settings``, ``grading`` and ``tuning``. With hardly a corner found, grades stay uncalibrated."""
        settings = tune.choose_limits(self.readings, self.wrong, scorer.Settings())
        settings = tune.choose_least_corner(self.films, self.readings, settings)
        rule = tune.fit_rule(self.corners) if len(self.corners.grade) >= 8 else PLAIN
        self.scorer.settings, self.scorer.rule = settings, rule
        return {"settings": settings.as_card(), "grading": rule.as_card(), "tuning": self.summary()}

    def judged(self, readings: Sequence[scorer.Reading | Abstained]) -> list[Any]:
        """Readings as scores."""
        return [one if isinstance(one, Abstained) else self.scorer.judge(one) for one in readings]

    def summary(self) -> dict[str, Any]:
        """A few figures on the tuning films; the model's evaluation is on test patients."""
        judged, refused = self.judged(self.readings), self.judged(self.wrong)
        pairs = [
            (finding.grade, corner.grade)
            for film, result in zip(self.films, judged, strict=True)
            if not isinstance(result, Abstained)
            for finding in result.findings
            for corner in film.corners
            if corner.site == finding.site and corner.visible
        ]
        visible = sum(corner.visible for film in self.films for corner in film.corners)
        table = [[sum(p == (given, true) for p in pairs) for true in range(4)] for given in range(4)]
        return {
            "films": len(self.films),
            "abstained_good": sum(isinstance(r, Abstained) for r in judged),
            "wrong_films": len(self.wrong),
            "abstained_wrong": sum(isinstance(r, Abstained) for r in refused),
            "visible_corners": visible,
            "graded_corners": len(pairs),
            "table_given_by_true": table,
        }

    def paired(self) -> dict[str, Any]:
        """``paired``; empty where no corner is known at two visits."""
        results = self.judged(self.readings)
        fitted = tune_paired.fit(self.films, results, self.corners.grade, self.grades)
        return {"paired": fitted} if fitted else {}


TRAINING = Training(
    networks=(FINDER, GRADER),
    labelled=labelled,
    phantom=phantom,
    card=first_card,
    tuner=SpineTuner,
    tuned=("settings", "grading", "tuning"),
    options={
        "epochs": ("grader",),
        "finder-epochs": ("finder",),
        "learning-rate": ("finder", "grader"),
        "init": ("finder", "grader"),
    },
    side_by_side=True,
)
