"""The model of the SPARCC spine score, as the rest of the house sees it."""

from core.imaging.sequences import Needs
from models.system import SystemModel

NEEDS = Needs()

MODEL = SystemModel(
    system="sparcc",
    body_parts=tuple(sorted(NEEDS.parts)),
    networks=("anatomy", "oedema"),
    scorer="models.sparcc.scorer:build",
    training="models.sparcc.train:TRAINING",
    evaluation="models.sparcc.evaluation.sparcc:EVALUATION",
    evaluations={"stir": "models.sparcc.evaluation.stir:EVALUATION"},
    stacks=NEEDS,
)
