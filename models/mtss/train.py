"""All that scores hands and feet, trained in one go: site finder, joint grader, detectors fold by fold.

Each part that is there already stays as it is, so a training that was stopped goes on where it was. The
detectors that are filed beside finder and grader are those of the first fold; all five lie in ``fold0`` and
on, with what they find on their test patients in ``evaluation.json``.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from data.phantom.hands.labels import write_coco
from data.phantom.seeds import StudyRole
from models import cards
from models.common.coco import ANNOTATIONS
from models.mtss.detectors.joints import DETECTORS
from models.mtss.detectors.labels import LabelledHands, read_folder
from models.mtss.detectors.train import BUDGET, run_folds
from models.mtss.finder.train import FinderRecipe, train_finder
from models.mtss.grader.train import RECIPE, train_grader
from models.mtss.phantom import Patients, limb_films
from models.mtss.tune_paired import phantom_courses
from models.training.folds import FOLDS

VIEWS = ("hands", "feet")
VISITS = (0, 2)
FINDER_MM = 0.6  # pixel of films that only the finder is shown
ODD = {  # kinds of film that the finder must know, patients of each in a hundred, and the views they are of
    "overlap": (5, ("hands",)), "cut_edge": (3, VIEWS), "rotated": (2, VIEWS),
    "missing_finger": (4, ("hands",)),
    "one_hand": (4, ("hands",)), "soft": (1, VIEWS), "underexposed": (1, VIEWS), "chest": (3, ("hands",)),
    "blank": (1, ("hands",)),
}  # fmt: skip
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Folders:
    """Labelled films, COCO folders of hands and feet. plain: of the population that is scored; damaged: of
    long-standing disease, trained on only; odd: of all kinds, for the finder alone; tuning: of others.
    """

    plain: Path
    damaged: tuple[Path, ...] = ()
    odd: tuple[Path, ...] = ()
    tuning: tuple[Path, ...] = ()
    is_phantom: bool = False

    @property
    def training(self) -> list[Path]:
        return [self.plain, *self.damaged]


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
    return Folders(out / "plain", (out / "damaged",), (out / "odd",), (out / "tuning",), is_phantom=True)


def odd_patients(first: int, patients: int) -> Iterator[Patients]:
    """Small films of further patients: ordinary ones, then those of ``ODD``, plain and damaged."""
    for damaged in (False, True):
        kinds = {None: (50, VIEWS)} | ODD
        for kind, (share, views) in kinds.items():
            count = max(1, round(share * patients / 100))
            yield Patients(first, count, (1,), damaged, spacing=FINDER_MM, views=views, kind=kind)
            first += count


def train_all(folders: Folders, out: Path, *, size: str = "demo", seed: int = 0, tell: Tell = print) -> dict:
    """Train what is not there yet; returns the card, with the folds' figures under ``folds``."""
    out.mkdir(parents=True, exist_ok=True)
    card = begun(out, size, seed, folders)
    if "finder" not in card["networks"]:
        tell("training the site finder")
        recipe = replace(FinderRecipe(), seed=seed)
        card["networks"]["finder"] = train_finder([*folders.training, *folders.odd], recipe, out, size=size)
        cards.write_card(card, "mtss", size, out)
    if "grader" not in card["networks"]:
        tell("training the joint grader")
        made = train_grader(
            folders.training, replace(RECIPE, seed=seed), out, tuning=folders.tuning, size=size,
            courses=phantom_courses() if folders.is_phantom else None,
        )  # fmt: skip
        card["networks"] |= made.pop("networks")
        card |= made
        cards.write_card(card, "mtss", size, out)
    tell(f"training the joint detectors, {FOLDS} folds")
    figures = train_detectors(folders, out, size=size, seed=seed)
    for finding in DETECTORS:
        card["networks"][finding] = first_fold(finding, out, size)
    cards.write_card(card, "mtss", size, out)
    return card | {"folds": figures}


def begun(out: Path, size: str, seed: int, folders: Folders) -> dict[str, Any]:
    """The card of an earlier start in this folder, or a new one."""
    if cards.card_path("mtss", size, out).is_file():
        return cards.read_card("mtss", size, out)
    films = "phantom films" if folders.is_phantom else "labelled films"
    note = f"trained on {films}, research only"
    return {"system": "mtss", "size": size, "note": note, "training": {"seed": seed}, "networks": {}}


def train_detectors(folders: Folders, out: Path, *, size: str, seed: int) -> dict[str, Any]:
    """Both detectors over all folds of the plain patients; damaged ones are trained on only."""
    extra = [film for folder in folders.damaged for film in hands_in(folder)]
    recipe = replace(BUDGET, seed=seed)
    return run_folds(list(hands_in(folders.plain)), extra, range(FOLDS), recipe, out, size=size)


def hands_in(folder: Path) -> Iterator[LabelledHands]:
    """The films of a folder that show finger joints."""
    return (film for film in read_folder(folder) if film.units)


def first_fold(finding: str, out: Path, size: str) -> dict[str, Any]:
    """A detector of the first fold filed beside the other networks; its entry of the card."""
    entry: dict[str, Any] = cards.read_card("mtss", size, out / "fold0")["networks"][finding]
    shutil.copyfile(out / "fold0" / entry["file"], out / entry["file"])
    return entry | {"fold": 0}
