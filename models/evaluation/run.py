"""The evaluation of a model: images whose truth is known are scored, single and (where it can) paired, and
compared with the truth beside readers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from core.agreement.bootstrap import DRAWS
from core.domain import Abstained, Scored
from core.errors import InputError
from core.helper_process import end_with_parent
from core.scores import get
from core.scores.system import ScoreSystem
from models.evaluation.agreement import COLUMNS, MODEL, PAIRED, TRUTH, figures
from models.evaluation.intervals import proportion
from models.evaluation.markdown import Block
from models.evaluation.test_set import TestImage, TestSet
from models.paired.reader import PairedReader
from models.registry import models
from models.system import Scorer, SystemModel, named

DOMAINS = ("first", "second")
TOLD_EVERY = 20  # images
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """What a model makes of one image. seen: what else the sections of its system need."""

    result: Scored | Abstained
    seen: Any = None


Sections = Callable[[Sequence[TestImage], Sequence[Outcome], pd.DataFrame], dict[str, Any]]


class Render(Protocol):
    """Renders a test set: phantom patients that no model was trained or tuned on."""

    def __call__(self, domain: str, patients: int, *, processes: int, tell: Tell) -> TestSet: ...


def look(scorer: Any, label: Any) -> Outcome:
    """A labelled image scored."""
    return Outcome(scorer.score([label.as_film()])[0])


def no_sections(images: Sequence[TestImage], outcomes: Sequence[Outcome], grades: pd.DataFrame) -> dict:
    """A system without figures of its own."""
    return {}


def no_blocks(sections: Mapping[str, Any]) -> list[Block]:
    """Nothing to show of them."""
    return []


@dataclass(frozen=True)
class Evaluation:
    """What a system declares in order to be evaluated.

    render: its test patients. read_folder: the test set of a folder of labelled images. look: (scorer, label)
    -> what the model makes of one image; it runs in processes of its own. sections: what only this system
    has, from images, outcomes and the long grades of all readers. blocks: these sections as text and tables.
    draws: of the bootstrap.
    """

    render: Render
    read_folder: Callable[[Path], TestSet]
    look: Callable[[Any, Any], Outcome] = look
    sections: Sections = no_sections
    blocks: Callable[[Mapping[str, Any]], list[Block]] = no_blocks
    draws: int = DRAWS


def model_to_evaluate(system: str) -> tuple[SystemModel, Evaluation]:
    """The model of a system, by its name or another name of it, and how it is evaluated.

    Raises InputError where it has no model or no evaluation.
    """
    able = {name: model for name, model in models().items() if model.evaluation is not None}
    for name, model in able.items():
        if system == name or system in get(name).aliases:
            return model, named(str(model.evaluation))
    first = next(iter(able), "")
    raise InputError(
        f"system {system}", f"{' and '.join(able)} can be evaluated", f"write: sharpline evaluate {first}"
    )


def evaluate(
    model: SystemModel,
    about: Evaluation,
    sets: Iterable[TestSet],
    *,
    size: str = "demo",
    processes: int = 2,
    tell: Tell = lambda text: None,
) -> dict[str, Any]:
    """All validation tables of each test set. Raises ModelError where there are no weights of this size."""
    _, weights = model.identify(size)
    found = [_of_set(model, about, one, size, processes, tell) for one in sets]
    return {"system": model.system, "size": size, "weights": weights, "sets": found}


def _of_set(
    model: SystemModel, about: Evaluation, one: TestSet, size: str, processes: int, tell: Tell
) -> dict[str, Any]:
    tell(f"{one.name}: {len(one.images)} images")
    outcomes = []
    for outcome in read_all(model, about.look, one.images, size, processes):
        outcomes.append(outcome)
        if len(outcomes) % TOLD_EVERY == 0:
            tell(f"{len(outcomes)} of {len(one.images)} images read")
    paired = model.paired
    reader = paired.build(size) if paired is not None and paired.identify(size) is not None else None
    system = get(model.system)
    return set_figures(system, one, outcomes, reader, sections=about.sections, draws=about.draws)


def set_figures(
    system: ScoreSystem,
    one: TestSet,
    outcomes: Sequence[Outcome],
    paired: PairedReader | None = None,
    *,
    sections: Sections = no_sections,
    draws: int = DRAWS,
) -> dict[str, Any]:
    """The figures of a test set from what the model made of its images, in order."""
    results = [outcome.result for outcome in outcomes]
    parts = [one.truth.assign(reader=TRUTH), one.reads, grades_of(one.images, results, MODEL)]
    if paired is not None:
        parts.append(grades_of(one.images, read_patients(one.images, results, paired), PAIRED))
    grades = joined(parts, system)
    return {
        "set": one.name,
        "domain": one.domain,
        "real": one.real,
        "patients": len({image.subject for image in one.images}),
        "images": len(one.images),
        "abstention": abstention(one.images, results, draws=draws),
        **figures(grades, system, draws=draws),
        "sections": sections(one.images, outcomes, grades),
    }


def joined(parts: Sequence[pd.DataFrame], system: ScoreSystem) -> pd.DataFrame:
    """One long table of all readers: a feature that is not named is that of the site, what is not said to be
    hidden is visible.
    """
    frame = pd.concat([part for part in parts if len(part)], ignore_index=True)
    frame = frame.reindex(columns=[*COLUMNS, "visible"])
    own = frame["site"].map({site.code: site.feature for site in system.sites})
    visible = frame["visible"].astype("boolean").fillna(True)
    return frame.assign(feature=frame["feature"].fillna(own), visible=visible)


def read_all(
    model: SystemModel,
    how: Callable[[Any, Any], Outcome],
    images: Sequence[TestImage],
    size: str,
    processes: int,
) -> Iterator[Outcome]:
    """What the model makes of every image, in order, in a few processes."""
    labels = [image.label for image in images]
    if processes <= 1 or len(labels) < 2:
        scorer = model.build(size=size, threads=1)
        yield from (how(scorer, label) for label in labels)
        return
    with ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=_start, initargs=(model, how, size)
    ) as pool:
        yield from pool.map(_look, labels, chunksize=2)


_worker: dict[str, tuple[Scorer, Callable[[Any, Any], Outcome]]] = {}


def _start(model: SystemModel, how: Callable[[Any, Any], Outcome], size: str) -> None:
    end_with_parent()
    _worker["reader"] = model.build(size=size, threads=1), how


def _look(label: Any) -> Outcome:
    scorer, how = _worker["reader"]
    return how(scorer, label)


def grades_of(
    images: Sequence[TestImage], results: Sequence[Scored | Abstained], reader: str
) -> pd.DataFrame:
    """Long grades of one reader from the results of images, and whether each site is ``visible``; sites that
    were not graded have no row, images to be refused none at all.
    """
    rows = [
        (image.subject, image.visit, reader, finding.site, finding.feature, finding.grade,
         finding.site not in image.hidden)
        for image, result in zip(images, results, strict=True)
        if isinstance(result, Scored) and not image.is_wrong
        for finding in result.findings
        if image.sites is None or finding.site in image.sites
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=[*COLUMNS, "visible"])


def read_patients(
    images: Sequence[TestImage], results: Sequence[Scored | Abstained], paired: PairedReader
) -> list[Scored | Abstained]:
    """The results of all images, those of each patient read side by side."""
    places: dict[str, list[int]] = {}
    for place, image in enumerate(images):
        places.setdefault(image.subject, []).append(place)
    found = list(results)
    for of_patient in places.values():
        read = paired.read([results[place] for place in of_patient]).results
        for place, result in zip(of_patient, read, strict=True):
            found[place] = result
    return found


def abstention(
    images: Sequence[TestImage], results: Sequence[Scored | Abstained], *, draws: int = DRAWS
) -> dict[str, Any]:
    """How many images are to be scored (good, or poor but readable) and to be refused (wrong), the proportion
    of each that was abstained on, and these images with the reason.
    """
    wrong = np.array([image.is_wrong for image in images], bool)
    refused = np.array([isinstance(result, Abstained) for result in results], bool)
    subjects = np.array([image.subject for image in images], str)
    return {
        "good": int((~wrong).sum()),
        "wrong": int(wrong.sum()),
        "good_abstained": proportion(refused, ~wrong, subjects, draws=draws),
        "wrong_abstained": proportion(refused, wrong, subjects, draws=draws),
        "images": [
            {"image": image.name, "kind": image.kind, "is_wrong": image.is_wrong, "reason": result.reason}
            for image, result in zip(images, results, strict=True)
            if isinstance(result, Abstained)
        ],
    }
