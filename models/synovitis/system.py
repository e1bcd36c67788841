"""The model of ultrasound synovitis, as the rest of the house sees it."""

from models.synovitis.tasks import DIAGNOSES, TASKS
from models.system import SystemModel

MODEL = SystemModel(
    system="synovitis",
    body_parts=("hand", "wrist"),
    networks=TASKS,
    scorer="models.synovitis.scorer:build",
    training="models.synovitis.train:TRAINING",
    unknown_images="models.synovitis.ood_scans:Source",
    scans=True,
    diagnoses={task: (question.first, question.second) for task, question in DIAGNOSES.items()},
)
