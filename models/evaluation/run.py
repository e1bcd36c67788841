"""The evaluation of a model: images whose truth is known are scored, single and (where it can) paired, and
compared with the truth beside readers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
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
from models.evaluation.markdown import Block, counted
from models.evaluation.test_set import TestImage, TestSet
from models.paired.reader import PairedReader
from models.registry import models
from models.system import SystemModel, named

DOMAINS = ("first", "second")
TOLD_EVERY = 20  # images
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """What a model makes of one image. seen: what else the sections of its system need."""

    result: Scored | Abstained
    seen: Any = None


Sections = Callable[[Sequence[TestImage], Sequence[Outcome], pd.DataFrame], dict[str, Any]]


def as_given(grades: pd.DataFrame) -> pd.DataFrame:
    """All grades count."""
    return grades


def no_stored(size: str) -> list[dict[str, Any]]:
    """No set but those that are scored now."""
    return []


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


def no_summary(sections: Mapping[str, Any]) -> dict[str, Any]:
    """Nothing of them on the card."""
    return {}


@dataclass(frozen=True)
class Evaluation:
    """What a system declares in order to be evaluated.

    render: its test patients. read_folder: the test set of a folder of labelled images. look: (scorer, label)
    -> what the model makes of one image; it runs in processes of its own. sections: what only this system
    has, from images, outcomes and the long grades of all readers. blocks: these sections as text and tables,
    summary: what of them the card keeps. draws: of the bootstrap.
    name, title: of an evaluation of a part of the model, such as its detector; that of the system itself has
    none. reader: ``module:name``, called with a size, makes what ``look`` is given where that is not the
    system's scorer. has_grades: False where only ``sections`` compare anything. item: what a labelled image
    is called. patients: test patients of each domain where nobody says how many. chosen: which of the joined
    grades are compared, where not all of them can be. stored: sets of figures that need no image to be read,
    of a size, such as those of predictions that training left; they come first.
    """

    render: Render
    read_folder: Callable[[Path], TestSet]
    look: Callable[[Any, Any], Outcome] = look
    sections: Sections = no_sections
    blocks: Callable[[Mapping[str, Any]], list[Block]] = no_blocks
    summary: Callable[[Mapping[str, Any]], dict[str, Any]] = no_summary
    draws: int = DRAWS
    name: str = ""
    title: str = ""
    reader: str = ""
    has_grades: bool = True
    item: str = "image"
    patients: int = 40
    chosen: Callable[[pd.DataFrame], pd.DataFrame] = as_given
    stored: Callable[[str], list[dict[str, Any]]] = no_stored


def evaluations() -> dict[str, tuple[SystemModel, str]]:
    """Name -> model and ``module:name`` of what can be evaluated: systems, and parts under names of their
    own.
    """
    found = {}
    for system, model in models().items():
        if model.evaluation is not None:
            found[system] = model, model.evaluation
        found |= {name: (model, path) for name, path in model.evaluations.items()}
    return found


def model_to_evaluate(name: str) -> tuple[SystemModel, Evaluation]:
    """The model of a system (by any of its names) or of an evaluation, and how it is evaluated.

    Raises InputError where there is no such evaluation.
    """
    able = evaluations()
    for known, (model, path) in able.items():
        if name == known or (known == model.system and name in get(known).aliases):
            return model, named(path)
    first = next(iter(able), "")
    raise InputError(
        f"system {name}", f"{' and '.join(able)} can be evaluated", f"write: sharpline evaluate {first}"
    )


def evaluate(
    model: SystemModel,
    about: Evaluation,
    sets: Iterable[TestSet],
    *,
    size: str = "demo",
    processes: int = 2,
    with_stored: bool = False,
    tell: Tell = lambda text: None,
) -> dict[str, Any]:
    """All validation tables of each test set, after those that are stored with the model, if wanted.

    Raises ModelError where there are no weights of this size.
    """
    _, weights = model.identify(size)
    found = about.stored(size) if with_stored else []
    found += [_of_set(model, about, one, size, processes, tell) for one in sets]
    return {"system": about.name or model.system, "size": size, "weights": weights, "sets": found}


def _of_set(
    model: SystemModel, about: Evaluation, one: TestSet, size: str, processes: int, tell: Tell
) -> dict[str, Any]:
    tell(f"{one.name}: {counted(len(one.images), about.item)}")
    build = partial(_reader_of, model, about.reader, size)
    outcomes = []
    for outcome in read_all(build, about.look, one.images, processes):
        outcomes.append(outcome)
        if len(outcomes) % TOLD_EVERY == 0:
            tell(f"{len(outcomes)} of {counted(len(one.images), about.item)} read")
    if not about.has_grades:
        return _without_grades(one, outcomes, about)
    paired = model.paired
    reader = paired.build(size) if paired is not None and paired.identify(size) is not None else None
    system = get(model.system)
    return set_figures(
        system, one, outcomes, reader, sections=about.sections, draws=about.draws, chosen=about.chosen
    )


def _reader_of(model: SystemModel, reader: str, size: str) -> Any:
    """What looks at images, on one thread: the system's scorer, or what the evaluation names."""
    if not reader:
        return model.build(size=size, threads=1)
    import torch

    torch.set_num_threads(1)
    return named(reader)(size)


def _without_grades(one: TestSet, outcomes: Sequence[Outcome], about: Evaluation) -> dict[str, Any]:
    """The figures of a test set that only sections compare with the truth."""
    results = [outcome.result for outcome in outcomes]
    empty: dict[str, Any] = {
        name: {} for name in ("status", "change", "grades", "site_change", "sdc_readers")
    }
    own = about.sections(one.images, outcomes, pd.DataFrame(columns=COLUMNS))
    return _head(one, results, about.draws) | empty | {"sections": own}


def _head(one: TestSet, results: Sequence[Scored | Abstained], draws: int) -> dict[str, Any]:
    """What a set is, and what was abstained on."""
    return {
        "set": one.name,
        "domain": one.domain,
        "real": one.real,
        "patients": len({image.subject for image in one.images}),
        "images": len(one.images),
        "abstention": abstention(one.images, results, draws=draws),
        **({"origin": one.origin} if one.origin else {}),
    }


def set_figures(
    system: ScoreSystem,
    one: TestSet,
    outcomes: Sequence[Outcome],
    paired: PairedReader | None = None,
    *,
    sections: Sections = no_sections,
    draws: int = DRAWS,
    chosen: Callable[[pd.DataFrame], pd.DataFrame] = as_given,
) -> dict[str, Any]:
    """The figures of a test set from what the model made of its images, in order."""
    results = [outcome.result for outcome in outcomes]
    parts = [one.truth.assign(reader=TRUTH), one.reads, grades_of(one.images, results, MODEL)]
    if paired is not None:
        parts.append(grades_of(one.images, read_patients(one.images, results, paired), PAIRED))
    grades = joined(parts, system)
    compared = figures(chosen(grades), system, draws=draws)
    own = sections(one.images, outcomes, grades)
    return _head(one, results, draws) | compared | {"sections": own}


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
    build: Callable[[], Any],
    how: Callable[[Any, Any], Outcome],
    images: Sequence[TestImage],
    processes: int,
) -> Iterator[Outcome]:
    """What the model makes of every image, in order, in a few processes. build: makes the model in each."""
    labels = [image.label for image in images]
    if processes <= 1 or len(labels) < 2:
        scorer = build()
        yield from (how(scorer, label) for label in labels)
        return
    with ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=_start, initargs=(build, how)
    ) as pool:
        yield from pool.map(_look, labels, chunksize=2)


_worker: dict[str, tuple[Any, Callable[[Any, Any], Outcome]]] = {}


def _start(build: Callable[[], Any], how: Callable[[Any, Any], Outcome]) -> None:
    end_with_parent()
    _worker["reader"] = build(), how


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
