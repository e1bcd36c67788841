"""The map of a stored grade: the scan is read again by the same weights."""

from __future__ import annotations

import pandas as pd

from core.domain import Abstained, Image
from core.errors import ModelError
from core.scores.synovitis import SYNOVITIS
from models.explain.explanation import Explanation, Map
from models.synovitis.explain.explainer import METHOD, SynovitisExplainer
from models.synovitis.networks import load
from models.synovitis.scorer import build
from models.synovitis.tasks import GRADE

RULE = "Grade: the largest of class weight x probability"
MACHINE = "a network may have learned the machine: see where such heat lies (docs/synovitis-evaluation.md)"


def explain_stored(image: Image, stored: pd.Series, size: str) -> Explanation:
    """Why the model gave its grade to a scan.

    stored: row of the finding. Raises ModelError where the scan is no longer read, or for another site.
    """
    site, scorer = str(stored["site"]), build(size=size, threads=1)
    reading = scorer.read(image)
    if isinstance(reading, Abstained) or reading.site != site:
        raise ModelError(
            f"site {site} of image {image.image[:12]}", "it is no longer read there", "verify the cohort"
        )
    explainer = SynovitisExplainer({GRADE: load(GRADE, size).network}, size)
    question = explainer.about(image, GRADE, reading.grade, reading.frame)
    place, given = SYNOVITIS.by_code[site], int(stored["grade"])
    words = SYNOVITIS.by_feature[place.feature].grades
    again = () if given == reading.grade else (f"stored grade {given}, read again now {reading.grade}",)
    of_cine = (f"frame {reading.frame + 1} of {len(image.frames)}",) if len(image.frames) > 1 else ()
    return Explanation(
        headline=f"{place.name}: grade {reading.grade}, {words[reading.grade]}",
        grade=reading.grade,
        labels=tuple(f"{number} {word}" for number, word in enumerate(words)),
        probabilities=tuple(float(chance) for chance in reading.probabilities),
        tile=question.picture.grey,
        box=question.box,
        mm_per_pixel=question.picture.frame.mm_per_pixel,
        maps=(Map(GRADE, _title(reading.grade), METHOD.name, explainer.heat(question)),),
        rule=RULE,
        notes=(*again, *of_cine, MACHINE),
    )


def _title(grade: int) -> str:
    return f"What speaks for grade {grade} rather than {0 if grade else 1}"
