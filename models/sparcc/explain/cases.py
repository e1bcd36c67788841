"""What maps of the gates are tested on: slices of phantom STIR on which the oedema is known to the pixel.

A case is a slice with oedema that the model marked as it scores; the truth is all oedema of that slice, the
box that of the model's largest mark that meets it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy import ndimage

from core.domain import Image
from core.errors import InputError
from data.phantom.mri.population import TRIAL
from data.phantom.seeds import StudyRole
from models.explain.checks import Case
from models.explain.question import Question
from models.sparcc.anatomy.upright import upright
from models.sparcc.explain.gates import MM, SIDE, GateExplainer, explainer_of
from models.sparcc.oedema.region import ColumnFinder, build_column_finder
from models.sparcc.oedema.samples import at_network_size
from models.sparcc.rendered import Patients, Stack, rendered

SEED = 31  # of the patients, as of the other tests of maps
SLICES = 3  # of a stack at most, those with the largest marks
REFUSED = "stacks that the model would not read"
MISSED = "slices with oedema that it did not mark"
MORE = "slices beyond three of a stack"


class Tools(GateExplainer):
    """The explainer, and the finder whose marks are asked about."""

    def __init__(self, explainer: GateExplainer, finder: ColumnFinder) -> None:
        super().__init__(explainer.networks["oedema"], explainer.edge, explainer.size)
        self.finder = finder


def tools(size: str) -> Tools:
    """The explainer whose maps are tested."""
    finder = build_column_finder(size)
    return Tools(explainer_of(finder.finder, size), finder)


def cases_of_patient(
    explainer: Tools, number: int, domain: str, tuning: bool, left_out: dict[str, int]
) -> Iterator[Case]:
    """All cases of one inflamed patient at baseline. left_out: counts of what gives no case, added to."""
    for word in (REFUSED, MISSED, MORE):
        left_out.setdefault(word, 0)
    role = StudyRole.TUNE if tuning else StudyRole.TEST
    who = Patients(1, number, role=role, seed=SEED, domain=domain, populations=(TRIAL,), whole=0)
    with TemporaryDirectory() as folder:
        for stack in rendered(who, Path(folder)):
            yield from cases_of_stack(explainer, stack, left_out)


def cases_of_stack(explainer: Tools, stack: Stack, left_out: dict[str, int]) -> Iterator[Case]:
    """The cases of one stack, largest marks first."""
    image = stack.image()
    try:
        masks = explainer.finder.masks(image)
    except InputError:
        left_out[REFUSED] += 1
        return
    marks = {frame: _mark(masks[frame], stack.oedema[frame] > 0) for frame in _with_oedema(stack)}
    found = {frame: mark for frame, mark in marks.items() if mark is not None}
    left_out[MISSED] += len(marks) - len(found)
    left_out[MORE] += max(len(found) - SLICES, 0)
    for frame in sorted(found, key=lambda one: (-int(found[one].sum()), one))[:SLICES]:
        question = explainer.about(image, frame, found[frame])
        truth = on_picture(image, stack.oedema[frame] > 0, question)
        yield Case(stack.patient, question, truth, 1, 1, image, frame)


def _with_oedema(stack: Stack) -> list[int]:
    return [int(frame) for frame in np.flatnonzero(stack.oedema.any(axis=(1, 2)))]


def _mark(mask: np.ndarray, truth: np.ndarray) -> np.ndarray | None:
    """The largest part of a mask that meets the truth, None where none does."""
    labels, count = ndimage.label(mask, np.ones((3, 3), int))
    met = [label for label in range(1, count + 1) if (truth & (labels == label)).any()]
    return max((labels == label for label in met), key=np.sum, default=None)


def on_picture(image: Image, mask: np.ndarray, question: Question) -> np.ndarray:
    """A mask of a frame (rows, columns) as it lies on the picture, share of each pixel."""
    way = upright(image)
    assert not isinstance(way, str) and image.spacing_mm is not None
    stand = np.ascontiguousarray(mask[:: way.rows, :: way.columns]).astype(np.float32)
    whole = at_network_size(stand[None], image.spacing_mm)[0]
    left, top = (round(one / MM) for one in question.picture.frame.origin.tolist())
    part = whole[top : top + SIDE, left : left + SIDE]
    return np.pad(part, ((0, SIDE - part.shape[0]), (0, SIDE - part.shape[1])))
