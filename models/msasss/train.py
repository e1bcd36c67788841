"""A whole training: samples, both networks side by side, tuning, weights and card."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.domain import Abstained
from core.errors import InputError
from models import cards
from models.msasss import batches, networks, pixels, samples, tune, tune_paired
from models.msasss import scorer as infer
from models.msasss.grading import PLAIN
from models.msasss.labels import LabelledFilm, read_folder, split_patients
from models.msasss.sites import ALL_UNITS, GRADE_NAMES

TUNING_SHARE = 0.15
FIRST_TUNING = 101  # number of the first phantom patient for tuning
COURSES = 2000  # training patients whose course, as numbers, gives the prior of a corner over visits
CARD_NOTE = "research only, not a medical device"


@dataclass(frozen=True)
class Plan:
    """What a training run is asked for. init: folder of weights of the same size to start from."""

    size: str
    out: Path
    epochs: int
    finder_epochs: int
    seed: int = 0
    learning_rate: float = 2e-3
    init: Path | None = None
    half_precision: bool = True


def train_from_folder(data: Path, plan: Plan, tell: Callable[[str], None]) -> dict[str, Any]:
    """Train on labelled films of a COCO or YOLO folder; a share of its patients is kept for tuning."""
    films = read_folder(data)
    training, tuning = split_patients(films, TUNING_SHARE, plan.seed)
    tell(f"{len(training)} films for training, {len(tuning)} for tuning")
    plan.out.mkdir(parents=True, exist_ok=True)
    path = plan.out / "samples" / "all.npz"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        samples.save(samples.prepare_all(training), path)
    about = {"source": "labelled films", "films": len(training), "phantom": False}
    return run([path], tuning, plan, about, tell, tune_paired.labelled_courses(films))


def train_on_phantoms(
    patients: int, plan: Plan, tell: Callable[[str], None], *, first: int = 1, processes: int = 1
) -> dict[str, Any]:
    """Train on rendered patients ``first`` and following; a fifth as many others, drawn from the plain
    population, filmed at baseline and at week 104 and with one film each that must be refused, serve for
    tuning.
    """
    from data.phantom.seeds import StudyRole
    from models.msasss.phantom import ENRICHED, PLAIN, Patients, grade_courses, render_samples, write_coco

    training = Patients(StudyRole.TRAIN, first, patients, shifts=ENRICHED)
    tuning = Patients(
        StudyRole.TUNE,
        FIRST_TUNING,
        max(4, patients // 5),
        shifts=PLAIN,
        visits=(0, 2),
        wrong=0.0,
        extra_wrong=True,
        poor=0.1,
    )
    tell(f"rendering {patients} training and {tuning.count} tuning patients")
    files = render_samples(training, plan.out / "samples", processes=processes)
    if not (plan.out / "tuning" / "annotations.json").exists():
        write_coco(tuning, plan.out / "tuning", processes=processes)
    about = {
        "source": "data.phantom, first domain",
        "phantom": True,
        "command": f"sharpline train msasss --phantom {patients} --first-patient {first} --size {plan.size} "
        f"--epochs {plan.epochs} --finder-epochs {plan.finder_epochs} --seed {plan.seed} --out DIR",
        "render_seed": training.seed,
        "severity_shifts": list(training.shifts),
        "films": 2 * patients,
    }
    return run(files, read_folder(plan.out / "tuning"), plan, about, tell, grade_courses(COURSES))


def run(
    sample_files: Sequence[Path],
    tuning: Sequence[LabelledFilm],
    plan: Plan,
    about: dict[str, Any],
    tell: Callable[[str], None],
    grades: Sequence[np.ndarray] = (),
) -> dict[str, Any]:
    """Train both networks on sample files, tune on labelled films, write weights and card; returns the card.

    grades: true grades of corners over visits, which give the prior of paired reading;
    where none has two visits, the model reads single films only.
    Raises InputError where a patient is on both sides.
    """
    trained_on = {patient for path in sample_files for patient in samples.load(path).patients}
    tuned_on = {film.patient for film in tuning}
    if both := sorted(trained_on & tuned_on):
        raise InputError(
            f"{len(both)} patients for training and for tuning ({both[0]} ...)",
            "a patient may be on one side only",
            "split the films by patient",
        )
    train_networks(sample_files, plan, tell)
    card = first_card(plan, about, sorted(trained_on), sorted(tuned_on))
    return finish(card, tuning, plan, tell, grades)


def train_networks(sample_files: Sequence[Path], plan: Plan, tell: Callable[[str], None]) -> None:
    """Finder and grader, each in a process of its own with one thread.

    Two lean processes use two cores better than one process with two threads, which wait for each other
    whenever something else needs a core.
    """
    context = get_context("spawn")
    lines = context.Queue()
    jobs = [
        context.Process(target=_train_one, args=(name, list(sample_files), plan, lines))
        for name in ("finder", "grader")
    ]
    for job in jobs:
        job.start()
    open_jobs = len(jobs)
    while open_jobs:
        line = lines.get()
        open_jobs -= line is None
        if line is not None:
            tell(line)
    for job in jobs:
        job.join()
        if job.exitcode:
            raise InputError(
                "training stopped early", "both networks must finish", "run the same command again"
            )


def _train_one(name: str, sample_files: list[Path], plan: Plan, lines: Any) -> None:
    torch.set_num_threads(1)
    try:
        lines.put(f"{name}: {_fit(name, sample_files, plan, lines)}")
    finally:
        lines.put(None)


def _fit(name: str, sample_files: list[Path], plan: Plan, lines: Any) -> str:
    path = weight_file(plan, name)
    if path.exists():
        return f"{path} is there already"
    recipe = replace(
        batches.FINDER_RECIPE if name == "finder" else batches.GRADER_RECIPE,
        epochs=plan.finder_epochs if name == "finder" else plan.epochs,
        seed=plan.seed,
        learning_rate=plan.learning_rate,
        half_precision=plan.half_precision,
    )
    checkpoint = plan.out / f"{name}.checkpoint"

    def report(epoch: int, loss: float, seconds: float) -> None:
        lines.put(f"{name} epoch {epoch + 1}/{recipe.epochs} loss {loss:.3f} {seconds:.0f} s")

    start = _start(name, plan)
    loaded = [samples.load(part) for part in sample_files]
    if name == "finder":
        films = [sample for part in loaded for sample in part.finder]
        network = batches.train_finder(
            films, size=plan.size, recipe=recipe, checkpoint=checkpoint, report=report, start=start
        )
    else:
        tiles = [sample for part in loaded for sample in part.tiles]
        network = batches.train_grader(
            tiles, size=plan.size, recipe=recipe, checkpoint=checkpoint, report=report, start=start
        )
    cards.save(network, path)
    checkpoint.unlink(missing_ok=True)
    return f"weights in {path}"


def weight_file(plan: Plan, name: str) -> Path:
    return plan.out / f"msasss-{plan.size}-{name}.safetensors"


def _start(name: str, plan: Plan) -> dict[str, torch.Tensor] | None:
    """Weights to start from, or None for random ones."""
    if plan.init is None:
        return None
    from safetensors.torch import load_file

    return load_file(plan.init / f"msasss-{plan.size}-{name}.safetensors")


def first_card(
    plan: Plan, about: dict[str, Any], trained_on: list[str], tuned_on: list[str]
) -> dict[str, Any]:
    """The card before tuning: what the networks are and what they have seen."""
    entries = {}
    for name in ("finder", "grader"):
        path = weight_file(plan, name)
        network = networks.finder(plan.size) if name == "finder" else networks.grader(plan.size)
        entries[name] = {
            "file": path.name,
            "sha256": cards.sha256(path),
            "bytes": path.stat().st_size,
            "parameters": sum(p.numel() for p in network.parameters()),
            "definition": f"{name}.yaml",
        }
    entries["finder"] |= {"classes": list(ALL_UNITS), "mm_per_pixel": pixels.FINDER_MM}
    entries["grader"] |= {
        "classes": list(GRADE_NAMES),
        "mm_per_pixel": {region: shape.mm_per_pixel for region, shape in pixels.TILES.items()},
        "tile_pixels": {region: [shape.rows, shape.columns] for region, shape in pixels.TILES.items()},
    }
    return {
        "system": "msasss",
        "size": plan.size,
        "note": CARD_NOTE + (", trained on phantom films" if about.get("phantom") else ""),
        "read_mode": "single",
        "networks": entries,
        "training": about
        | {
            "seed": plan.seed,
            "finder_epochs": plan.finder_epochs,
            "grader_epochs": plan.epochs,
            "learning_rate": plan.learning_rate,
            "patients": trained_on,
            "tuning_patients": tuned_on,
            "software": {"python": platform.python_version(), "torch": torch.__version__},
        },
    }


def finish(
    card: dict[str, Any],
    tuning: Sequence[LabelledFilm],
    plan: Plan,
    tell: Callable[[str], None],
    grades: Sequence[np.ndarray] = (),
) -> dict[str, Any]:
    """Fit grading rule, limits and paired reading on tuning films and write the card."""
    torch.set_num_threads(max(1, torch.get_num_threads()))
    scorer = _scorer(card, plan)
    tell(f"tuning on {len(tuning)} films")
    readings = tune.read_all(scorer, tuning)
    good = [(film, reading) for film, reading in zip(tuning, readings, strict=True) if film.corners]
    wrong = [reading for film, reading in zip(tuning, readings, strict=True) if not film.corners]
    settings = tune.choose_limits([reading for _, reading in good], wrong, infer.Settings())
    settings = tune.choose_least_corner([f for f, _ in good], [r for _, r in good], settings)
    found = tune.corners([f for f, _ in good], [r for _, r in good], [1.0] * len(good))
    if len(found.grade) < 8:
        tell("too few corners were found on the tuning films: grades are left uncalibrated")
        rule = PLAIN
    else:
        rule = tune.fit_rule(found)
    card |= {"settings": settings.as_card(), "grading": rule.as_card()}
    scorer.settings, scorer.rule = settings, rule
    card["tuning"] = summary(scorer, [f for f, _ in good], [r for _, r in good], wrong)
    results = [r if isinstance(r, Abstained) else scorer.judge(r) for _, r in good]
    if paired := tune_paired.fit([f for f, _ in good], results, found.grade, grades):
        card["paired"] = paired
    cards.write_card(card, "msasss", plan.size, plan.out)
    return card


def _scorer(card: dict[str, Any], plan: Plan) -> infer.MsasssScorer:
    made = {"finder": networks.finder(plan.size), "grader": networks.grader(plan.size)}
    for name, network in made.items():
        cards.load_into(network, card, name, plan.out)
    return infer.MsasssScorer(
        made["finder"], made["grader"], PLAIN, infer.Settings(), size=plan.size, weights_hash=""
    )


def summary(
    scorer: infer.MsasssScorer,
    films: Sequence[LabelledFilm],
    readings: Sequence[infer.Reading | Abstained],
    wrong: Sequence[infer.Reading | Abstained],
) -> dict[str, Any]:
    """A few figures on the tuning films; the model's evaluation is on test patients."""
    judged = [r if isinstance(r, Abstained) else scorer.judge(r) for r in readings]
    refused = [r if isinstance(r, Abstained) else scorer.judge(r) for r in wrong]
    pairs = [
        (finding.grade, corner.grade)
        for film, result in zip(films, judged, strict=True)
        if not isinstance(result, Abstained)
        for finding in result.findings
        for corner in film.corners
        if corner.site == finding.site and corner.visible
    ]
    visible = sum(corner.visible for film in films for corner in film.corners)
    table = [[sum(p == (given, true) for p in pairs) for true in range(4)] for given in range(4)]
    return {
        "films": len(films),
        "abstained_good": sum(isinstance(r, Abstained) for r in judged),
        "wrong_films": len(wrong),
        "abstained_wrong": sum(isinstance(r, Abstained) for r in refused),
        "visible_corners": visible,
        "graded_corners": len(pairs),
        "table_given_by_true": table,
    }


def card_without_patients(card: dict[str, Any]) -> dict[str, Any]:
    """The card for printing: patient lists as counts."""
    training = card["training"]
    short = {key: len(training[key]) for key in ("patients", "tuning_patients")}
    return card | {"training": training | short}
