"""The model of the SPARCC spine score, as the rest of the house sees it."""

from core.imaging.sequences import Needs
from models.system import Explanations, Method, SystemModel

NEEDS = Needs()
GATES = "Attention gate"  # deepest first: ``gates.3`` is that of whole detail
MAPS = {"oedema": Method("gates.3", GATES)}

MODEL = SystemModel(
    system="sparcc",
    body_parts=tuple(sorted(NEEDS.parts)),
    networks=("anatomy", "oedema"),
    scorer="models.sparcc.scorer:build",
    training="models.sparcc.train:TRAINING",
    evaluation="models.sparcc.evaluation.sparcc:EVALUATION",
    evaluations={"stir": "models.sparcc.evaluation.stir:EVALUATION"},
    explanations=Explanations(
        explainer="models.sparcc.explain.stored:explain_stored",
        methods=MAPS,
        candidates={"oedema": tuple(Method(f"gates.{number}", GATES) for number in range(4))},
        tests={"models.sparcc.explain.cases": ("oedema",)},
    ),
    stacks=NEEDS,
)
