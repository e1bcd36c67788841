"""The model of ultrasound synovitis, as the rest of the house sees it."""

from models.synovitis.tasks import DIAGNOSES, GRADE, TASKS
from models.system import Explanations, Method, SystemModel

MAPS = {GRADE: Method("layer2", "Grad-CAM", contrast=True)}  # 20 x 20 places

MODEL = SystemModel(
    system="synovitis",
    body_parts=("hand", "wrist"),
    networks=TASKS,
    scorer="models.synovitis.scorer:build",
    training="models.synovitis.train:TRAINING",
    evaluation="models.synovitis.evaluation.synovitis:EVALUATION",
    evaluations={"diagnosis": "models.synovitis.evaluation.diagnosis:EVALUATION"},
    explanations=Explanations(
        explainer="models.synovitis.explain.stored:explain_stored",
        methods=MAPS,
        candidates={
            GRADE: (
                Method("layer2", "Grad-CAM", contrast=True),
                Method("layer3", "Grad-CAM", contrast=True),
                Method("layer4", "Grad-CAM", contrast=True),
                Method("layer2", "HiResCAM", contrast=True),
                Method("layer3", "HiResCAM", contrast=True),
            )
        },
        tests={"models.synovitis.explain.cases": (GRADE,)},
    ),
    unknown_images="models.synovitis.ood_scans:Source",
    scans=True,
    diagnoses={task: (question.first, question.second) for task, question in DIAGNOSES.items()},
)
