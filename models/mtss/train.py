"""How all that scores hands and feet is trained: site localiser, joint grader, detectors fold by fold.

The detectors that are filed beside the other networks are those of the first fold; all five lie in ``fold0``
and on, with what they find on their test patients in ``evaluation.json``.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from data.phantom.hands.labels import write_coco
from data.phantom.seeds import StudyRole
from models import cards
from models.common.coco import ANNOTATIONS
from models.mtss import tune_paired
from models.mtss.detectors.batches import BUDGET
from models.mtss.detectors.joints import DETECTORS
from models.mtss.detectors.labels import hands_in
from models.mtss.detectors.train import run_folds
from models.mtss.finder.train import FINDER
from models.mtss.grader.grade import JointGrader
from models.mtss.grader.network import grader
from models.mtss.grader.rule import BLOCKS, plain_rule
from models.mtss.grader.train import GRADER
from models.mtss.grader.tune import JITTER_MM, see_all, tune, tuning_sites
from models.mtss.labels import read_all
from models.mtss.phantom import Patients, limb_films
from models.training.beside import Tell
from models.training.folds import FOLDS, kept_patients
from models.training.pipeline import Films, Training, TrainRequest

VIEWS = ("hands", "feet")
VISITS = (0, 2)
FINDER_MM = 0.6  # pixel of films that only the finder is shown
ODD = {  # kinds of film that the finder must know, patients of each in a hundred, and the views they are of
    "overlap": (5, ("hands",)), "cut_edge": (3, VIEWS), "rotated": (2, VIEWS),
    "missing_finger": (4, ("hands",)),
    "one_hand": (4, ("hands",)), "soft": (1, VIEWS), "underexposed": (1, VIEWS), "chest": (3, ("hands",)),
    "blank": (1, ("hands",)),
}  # fmt: skip


@dataclass(frozen=True)
class Folders:
    """Labelled films, COCO folders of hands and feet. plain: of the population that is scored; damaged: of
    long-standing disease, trained on only; odd: of all kinds, for the site localiser alone. kept: patients of
    these folders that the grader is tuned on.
    """

    plain: Path
    damaged: tuple[Path, ...] = ()
    odd: tuple[Path, ...] = ()
    kept: frozenset[str] = frozenset()

    @property
    def training(self) -> list[Path]:
        return [self.plain, *self.damaged]


def labelled(request: TrainRequest, tell: Tell) -> Films:
    """The films of a folder; some of its patients are kept for tuning the grader."""
    assert request.data is not None
    films = read_all([request.data])
    kept = kept_patients((film.patient for film in films), request.seed)
    tuning = [film for film in films if film.patient in kept]
    trained_on = {film.patient for film in films} - kept
    folders = Folders(request.data, kept=frozenset(kept))
    held_out = Folders(request.data, kept=frozenset(trained_on))
    return Films(folders, tuning, frozenset(trained_on), frozenset(kept), held_out=held_out)


def phantom(request: TrainRequest, tell: Tell) -> Films:
    """The films of rendered patients, and of a third as many others for tuning."""
    assert request.phantom is not None
    out = request.out / "films"
    folders = render(request.phantom, out, first=request.first, tell=tell)
    tuning = read_all([out / "tuning"])
    trained_on = {film.patient for film in read_all(folders.training)}
    tuned_on = {film.patient for film in tuning}
    return Films(folders, tuning, frozenset(trained_on), frozenset(tuned_on), is_phantom=True)


def render(patients: int, out: Path, *, first: int = 1, tell: Tell = print) -> Folders:
    """Rendered training and tuning patients under ``out``; a folder that is whole is not rendered again."""
    full = Patients(first, patients, VISITS, views=VIEWS, spacing=None)
    parts = {
        "plain": [full],
        "damaged": [replace(full, first=first + patients, damaged=True)],
        "odd": list(odd_patients(first + 2 * patients, patients)),
        "tuning": [replace(full, count=max(4, patients // 3), role=StudyRole.TUNE)],
    }
    for name, who in parts.items():
        if not (out / name / ANNOTATIONS).is_file():
            tell(f"rendering hands and feet of {sum(one.count for one in who)} patients ({name})")
            write_coco(chain.from_iterable(limb_films(one) for one in who), out / name)
    return Folders(out / "plain", (out / "damaged",), (out / "odd",))


def odd_patients(first: int, patients: int) -> Iterator[Patients]:
    """Small films of further patients: ordinary ones, then those of ``ODD``, plain and damaged."""
    for damaged in (False, True):
        kinds = {None: (50, VIEWS)} | ODD
        for kind, (share, views) in kinds.items():
            count = max(1, round(share * patients / 100))
            yield Patients(first, count, (1,), damaged, spacing=FINDER_MM, views=views, kind=kind)
            first += count


class JointTuner:
    """Grading rules and priors of paired reading, fitted to what the grader sees on tuning films."""

    def __init__(self, card: dict[str, Any], films: Films, request: TrainRequest) -> None:
        network = grader(request.size)
        cards.load_into(network, card, "grader", request.out)
        rules = {block: plain_rule(block) for block in BLOCKS}
        plain = JointGrader(network.eval(), rules, card["networks"]["grader"]["box_mm"])
        self.seen = see_all(plain, films.tuning)
        self.rules = tune(tuning_sites(self.seen, [1.0] * len(self.seen)), rules)
        self.courses = true_courses(films)

    def tune(self) -> dict[str, Any]:
        """``grading`` and ``tuning``."""
        about = {
            "patients": len({one.film.patient for one in self.seen}),
            "films": len(self.seen),
            "jitter_mm": JITTER_MM,
        }
        return {"grading": {block: rule.as_card() for block, rule in self.rules.items()}, "tuning": about}

    def paired(self) -> dict[str, Any]:
        """``paired``, from true courses of phantom patients, or else from those of the tuning labels."""
        fitted = tune_paired.fit(self.seen, self.rules, self.courses)
        return {"paired": fitted} if fitted else {}


def true_courses(films: Films) -> tune_paired.Courses | None:
    """True grades of phantom patients over visits; None where films are real, whose labels must do."""
    return tune_paired.phantom_courses() if films.is_phantom else None


def train_detectors(card: dict[str, Any], films: Films, request: TrainRequest, tell: Tell) -> dict[str, Any]:
    """Both detectors over all folds of the plain patients; damaged ones are trained on only. Those of the
    first fold go into the card, the figures of all are returned under ``folds``.
    """
    tell(f"training the joint detectors, {FOLDS} folds")
    hands, extra = hands_in([films.training.plain]), hands_in(films.training.damaged)
    recipe = replace(BUDGET, seed=request.seed)
    figures = run_folds(
        hands, extra, range(FOLDS), recipe, request.out,
        size=request.size, processes=request.processes, tell=tell,
    )  # fmt: skip
    for finding in DETECTORS:
        card["networks"][finding] = first_fold(finding, request.out, request.size)
    return {"folds": figures}


def first_fold(finding: str, out: Path, size: str) -> dict[str, Any]:
    """A detector of the first fold filed beside the other networks; its entry of the card."""
    entry: dict[str, Any] = cards.read_card("mtss", size, out / "fold0")["networks"][finding]
    shutil.copyfile(out / "fold0" / entry["file"], out / entry["file"])
    return entry | {"fold": 0}


TRAINING = Training(
    networks=(FINDER, GRADER),
    labelled=labelled,
    phantom=phantom,
    tuner=JointTuner,
    tuned=("grading", "tuning"),
    further=train_detectors,
    options={"epochs": ("grader",)},
)
