"""``sharpline evaluate stir``: slices and segments with marrow oedema, in the layout of the STIR paper.

The reference is the true mask of the phantom. A slice that shows oedema is found by ``any_pixel`` where the
mask found is not empty, by ``overlap`` where it meets the reference. Slices of stacks that the model abstains
on are in no figure, and their number is stated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from core.domain import Abstained, Image, Scored
from core.errors import InputError
from models.evaluation.intervals import mean_by_patient
from models.evaluation.run import Evaluation, Outcome, Tell
from models.evaluation.test_set import TestImage, TestSet
from models.sparcc.drawn.test_set import AS_IS, UNTOUCHED, drawn_set
from models.sparcc.evaluation import detection, free_response, published
from models.sparcc.evaluation.files import stacks_in
from models.sparcc.evaluation.free_response import Marked, marked
from models.sparcc.evaluation.rendered import test_folder
from models.sparcc.evaluation.stir_tables import blocks
from models.sparcc.oedema.decisions import ImageRule, positive_images

POPULATION, WEEKS = "mixed", (0,)
CLINICS = (0.1, 0.5, published.INFLAMED_PATIENTS)  # shares of patients with inflammation


class Labelled(Protocol):
    """A stack with its reference mask. view: the segment of the spine. bodies: mask of vertebral bodies, None
    where they are not labelled.
    """

    @property
    def view(self) -> str: ...

    @property
    def called(self) -> tuple[bool, ...]: ...

    def image(self) -> Image: ...

    def mask(self, name: str) -> np.ndarray: ...

    def bodies(self) -> np.ndarray | None: ...


@dataclass(frozen=True)
class StackSeen:
    """What was found on a stack, slices in the order of their place. score: highest chance of each slice.

    dice: of slices whose mask meets the reference, else NaN. in_bodies: whether the mask has a pixel in a
    labelled body, None where none is labelled. marked: parts of any confidence; in_mask: those of the mask
    found.
    """

    truth: np.ndarray
    any_pixel: np.ndarray
    overlap: np.ndarray
    score: np.ndarray
    dice: np.ndarray
    in_bodies: np.ndarray | None
    marked: Marked
    in_mask: Marked


def look(finder: Any, label: Labelled) -> Outcome:
    """What the finder makes of a stack; one without a row of bodies is abstained on."""
    image = label.image()
    try:
        chances = finder.chances(image)
    except InputError as error:
        return Outcome(Abstained(str(error)))
    found = finder.masks_of(chances, image.spacing_mm)
    seen = see(chances, found, label.mask("oedema"), label.bodies(), finder.point.extent)
    return Outcome(Scored(()), seen)


def see(
    chances: np.ndarray, found: np.ndarray, reference: np.ndarray, bodies: np.ndarray | None, extent: float
) -> StackSeen:
    """Chances, the mask found, reference and bodies of a stack, all (frames, rows, columns), in short.

    extent: chance above which pixels belong to a part that is found at some confidence.
    """
    wanted = reference > 0
    both = (found & wanted).sum(axis=(1, 2))
    sizes = found.sum(axis=(1, 2)) + wanted.sum(axis=(1, 2))
    return StackSeen(
        truth=positive_images(wanted),
        any_pixel=positive_images(found),
        overlap=positive_images(found, ImageRule.OVERLAP, wanted),
        score=chances.max(axis=(1, 2)).astype(float),
        dice=np.where(both > 0, 2 * both / np.maximum(sizes, 1), np.nan),
        in_bodies=None if bodies is None else positive_images(found & bodies),
        marked=marked(chances, extent, wanted),
        in_mask=marked(np.where(found, chances, 0), 0.0, wanted),
    )


def slices_of(images: Sequence[TestImage], outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """A row a slice of the stacks that were read: keys, slice, truth, decisions, score and Dice."""
    parts = []
    for image, outcome in zip(images, outcomes, strict=True):
        seen = outcome.seen
        if not isinstance(seen, StackSeen):
            continue
        called = image.label.called or (None,) * len(seen.truth)
        about = {"subject": image.subject, "visit": image.visit, "region": image.label.view}
        columns = {
            "slice": np.arange(len(seen.truth)),
            "truth": seen.truth,
            "any_pixel": seen.any_pixel,
            "overlap": seen.overlap,
            "radiologist": pd.array(called, dtype="boolean"),
            "score": seen.score,
            "dice": seen.dice,
        }
        parts.append(pd.DataFrame(columns).assign(**about))
    empty = pd.DataFrame(columns=[*detection.KEYS, "slice", "truth", *detection.DECISIONS, "score", "dice"])
    return pd.concat(parts, ignore_index=True) if parts else empty


def sections(images: Sequence[TestImage], outcomes: Sequence[Outcome], grades: pd.DataFrame) -> dict:
    """All figures of a test set, of stacks with lesions and of those that nothing was drawn into; empty where
    no stack was read.
    """
    pairs = list(zip(images, outcomes, strict=True))
    clean = [(one, out) for one, out in pairs if one.kind in (UNTOUCHED, AS_IS)]
    rest = [(one, out) for one, out in pairs if one.kind not in (UNTOUCHED, AS_IS)]
    found: dict[str, Any] = {}
    if any(out.seen is not None for _, out in rest):
        chosen, seen = [one for one, _ in rest], [out for _, out in rest]
        found["stir"] = figures(slices_of(chosen, seen), chosen, seen)
    if clean:
        found["false_alarms"] = alarms([one for one, _ in clean], [out for _, out in clean])
    return found


def alarms(images: Sequence[TestImage], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """False alarms on stacks without any lesion: ``groups`` by sequence and by what was done, and
    ``not_drawn``, why nothing was drawn into which files.
    """
    groups: dict[str, list[tuple[TestImage, Outcome]]] = {}
    for image, outcome in zip(images, outcomes, strict=True):
        groups.setdefault(f"{image.label.sequence.split(' (')[0]}, {image.kind}", []).append((image, outcome))
    reasons: dict[str, list[str]] = {}
    for image in images:
        if image.label.why_not:
            reasons.setdefault(image.label.why_not, []).append(image.label.file)
    return {"groups": {name: _alarms(group) for name, group in groups.items()}, "not_drawn": reasons}


def _alarms(group: Sequence[tuple[TestImage, Outcome]]) -> dict[str, Any]:
    read = [(image.subject, outcome.seen) for image, outcome in group if outcome.seen is not None]
    subjects = [subject for subject, seen in read for _ in seen.any_pixel]
    alarmed = np.concatenate([seen.any_pixel for _, seen in read]) if read else np.zeros(0, bool)
    marks = np.array([len(seen.in_mask.marks) for _, seen in read], float)
    who = [subject for subject, _ in read]
    labelled = [(subject, seen.in_bodies) for subject, seen in read if seen.in_bodies is not None]
    in_bodies = np.concatenate([flags for _, flags in labelled]) if labelled else np.zeros(0, bool)
    of_bodies = [subject for subject, flags in labelled for _ in flags]
    return {
        "stacks": len(read),
        "left_out": len(group) - len(read),
        "patients": len(set(who)),
        "slices": len(alarmed),
        "slices_alarmed": mean_by_patient(alarmed, subjects, is_proportion=True),
        "slices_alarmed_in_bodies": mean_by_patient(in_bodies, of_bodies, is_proportion=True),
        "stacks_alarmed": mean_by_patient(marks > 0, who, is_proportion=True),
        "marks_a_stack": mean_by_patient(marks, who),
    }


def figures(slices: pd.DataFrame, images: Sequence[TestImage], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Slices, segments, regions, areas under the curve, Dice, free response, and what a mark is worth."""
    segments = detection.segments_of(slices)
    read = [(one, out.seen) for one, out in zip(images, outcomes, strict=True) if out.seen is not None]
    return {
        "left_out": {"stacks": len(images) - len(read)},
        "images": detection.images(slices),
        "segments": detection.images(segments),
        "regions": detection.by_region(slices, segments),
        "auc": {"images": detection.area(slices), "segments": detection.area(segments)},
        "dice": detection.dice_of_hits(slices),
        "free_response": free_response.curve(
            [seen.marked for _, seen in read],
            [seen.in_mask for _, seen in read],
            [one.subject for one, _ in read],
        ),
        "ppv": worth(slices),
    }


def worth(slices: pd.DataFrame) -> list[dict[str, Any]]:
    """PPV of an image by decision: of patients of a clinic, and at the prevalence of the paper's test set."""
    counts = published.IMAGE_COUNTS
    paper = (counts["tp"] + counts["fn"]) / sum(counts.values())
    known = [name for name in detection.DECISIONS if slices[name].notna().all()]
    rows: list[dict[str, Any]] = [
        {"inflamed_patients": round(share, 4), "images": None}
        | {name: detection.ppv_in_clinic(slices, share, name) for name in known}
        for share in CLINICS
    ]
    at_paper = {name: detection.ppv_at(slices, paper, name) for name in known}
    return [*rows, {"inflamed_patients": None, "images": round(paper, 4)} | at_paper]


def test_images(folder: Path) -> list[TestImage]:
    """The stacks of a folder of phantom MRI."""
    return [TestImage(one, one.name, one.subject, one.visit) for one in stacks_in(folder)]


test_images.__test__ = False  # type: ignore[attr-defined]


def read_folder(folder: Path) -> TestSet:
    """A folder of phantom MRI, or of real volumes, which are drawn lesions into."""
    if (folder / "index.csv").is_file():
        return drawn_set(folder)
    return TestSet(folder.name, test_images(folder), pd.DataFrame(), pd.DataFrame(), real=False)


def render(domain: str, patients: int, *, processes: int, tell: Tell) -> TestSet:
    """Cervical, thoracic and lumbar stacks of test patients, half of them without inflammation."""
    folder = test_folder(domain, patients, POPULATION, WEEKS, processes=processes, tell=tell)
    images = test_images(folder)
    return TestSet(f"{domain} domain", images, pd.DataFrame(), pd.DataFrame(), domain, real=False)


def summary(found: Mapping[str, Any]) -> dict[str, Any]:
    """What of it stands on the card: image and segment figures of the model."""
    if "stir" not in found:
        return {}
    own = found["stir"]
    kept = {
        f"{level}_{name}": own[level]["overlap"][name]
        for level in ("images", "segments")
        for name in ("sensitivity", "specificity")
    }
    return kept | {"images_auc": own["auc"]["images"], "dice": own["dice"]}


EVALUATION = Evaluation(
    render,
    read_folder,
    look,
    sections,
    blocks,
    summary,
    name="stir",
    title="Marrow oedema on STIR",
    reader="models.sparcc.oedema.region:build_column_finder",
    has_grades=False,
    item="stack",
    patients=12,
)
