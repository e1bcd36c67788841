"""The toy's model, as the rest of the house sees it."""

from models.system import Explanations, Method, SystemModel

MODEL = SystemModel(
    system="toyknee",
    body_parts=("knee",),
    networks=("grader",),
    scorer="tests.toy.model.scorer:build",
    identity="tests.toy.model.scorer:identity",
    training="tests.toy.model.training:TRAINING",
    evaluation="tests.toy.model.evaluation:EVALUATION",
    explanations=Explanations(
        explainer="tests.toy.model.scorer:explain", methods={"grader": Method(1, "HiResCAM")}
    ),
)
