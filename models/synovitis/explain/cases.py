"""What maps of the grades are tested on: phantom scans on which the synovium is known to the pixel.

A case is a scan with synovitis (or flow in it) that the model graded 1 or more; the truth is the synovium.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.domain import Abstained
from data.phantom.seeds import StudyRole, StudySeed
from data.phantom.ultrasound.cases import TISSUES, ScanCase, scan_case
from data.phantom.ultrasound.patients import make_patient
from data.phantom.ultrasound.scans import MODES
from models.explain.checks import Case
from models.synovitis.explain.explainer import SynovitisExplainer, build_explainer
from models.synovitis.explain.tissues import parts_of
from models.synovitis.scorer import SynovitisScorer, build
from models.synovitis.tasks import GRADE

SEED = 31  # the patients of ``sharpline evaluate``
ABSTAINED = "scans that the model would not grade"
MISSED = "scans with synovitis that it called normal"
TRACELESS = "scans whose synovium is less than a pixel"


class Tools(SynovitisExplainer):
    """The explainer, and the scorer whose grades are asked about."""

    def __init__(self, explainer: SynovitisExplainer, scorer: SynovitisScorer) -> None:
        super().__init__({GRADE: explainer.networks[GRADE]}, explainer.size)
        self.scorer = scorer


def tools(size: str) -> Tools:
    """The explainer whose maps are tested."""
    return Tools(build_explainer(size), build(size=size, threads=1))


def cases_of_patient(
    explainer: Tools, number: int, domain: str, tuning: bool, left_out: dict[str, int]
) -> Iterator[Case]:
    """All cases of one patient at baseline. left_out: counts of what gives no case, added to."""
    for word in (ABSTAINED, MISSED, TRACELESS):
        left_out.setdefault(word, 0)
    patient = make_patient(
        StudySeed(StudyRole.TUNE if tuning else StudyRole.TEST, SEED), number, domain=domain
    )
    for side, joint in patient.joints:
        for mode in MODES:
            case = scan_case(patient, side, joint, 0, mode)
            if case.grade:
                yield from _case(explainer, case, left_out)


def _case(explainer: Tools, case: ScanCase, left_out: dict[str, int]) -> Iterator[Case]:
    reading = explainer.scorer.read(case.image)
    if isinstance(reading, Abstained):
        left_out[ABSTAINED] += 1
        return
    if not reading.grade:
        left_out[MISSED] += 1
        return
    truth = parts_of(case.image, case.tissue, TISSUES)["synovium"]
    if truth.sum() < 1:
        left_out[TRACELESS] += 1
        return
    question = explainer.about(case.image, GRADE, reading.grade, reading.frame)
    yield Case(case.subject, question, truth, case.grade, reading.grade, case.image, reading.frame)
