"""The map of a stored item: its stack is looked at again by the same weights."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.domain import Box, Image
from core.errors import InputError
from core.scores.sparcc import SPARCC
from models.explain.explanation import Explanation, Map
from models.sparcc.explain.gates import METHOD, build_explainer
from models.sparcc.oedema.finder import NAME

RULE = "The point is made by a rule from the mask that the network gave, not by the network"
TITLE = "Where the attention gate let signal through"
MEANING = (
    "A gate shows where the network let signal through on this slice, not what is diseased and not why the "
    "point was given."
)


def explain_stored(image: Image, stored: pd.Series, size: str) -> Explanation:
    """Where the gate of the network let signal through around an item of a stack.

    image: the stack. stored: row of the finding, ``frame`` its slice in the stack. Raises InputError for an
    item without a place.
    """
    site, frame, box = str(stored["site"]), int(stored["frame"]), stored["box"]
    if box is None:
        raise InputError(f"site {site}", "a finding with a place on the slice is needed", "choose another")
    explainer = build_explainer(size)
    question = explainer.about(image, frame, marked(image.frames.shape[1:], box))
    place, grade = SPARCC.by_code[site], int(stored["grade"])
    words = SPARCC.by_feature[place.feature].grades
    chances = stored["grade_probabilities"]
    return Explanation(
        headline=f"{place.name}: {grade}, {words[grade]}",
        grade=grade,
        labels=tuple(f"{number} {word}" for number, word in enumerate(words)),
        probabilities=tuple(float(one) for one in chances),
        tile=question.picture.grey,
        box=question.box,
        mm_per_pixel=question.picture.frame.mm_per_pixel,
        maps=(Map(NAME, TITLE, METHOD.name, explainer.heat(question)),),
        rule=RULE,
        notes=(f"slice {frame + 1} of {len(image.frames)}",),
        meaning=MEANING,
    )


def marked(shape: tuple[int, ...], box: Box) -> np.ndarray:
    """A box as a mask of the slice (rows, columns); at least a pixel."""
    found = np.zeros(shape, bool)
    top, left = int(box.y0), int(box.x0)
    found[top : max(int(np.ceil(box.y1)), top + 1), left : max(int(np.ceil(box.x1)), left + 1)] = True
    return found
