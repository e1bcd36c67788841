"""The model of the Sharp/van der Heijde score, as the rest of the house sees it."""

from models.paired.reader import Paired
from models.system import Explanations, Method, SystemModel

_DETECTORS = tuple(
    f"{finding}, {layer}" for finding in ("ankylosis", "luxation") for layer in ("Conv7", "Conv9-2")
)


def _layer(name: str) -> str:
    return name.partition(", ")[2]


MAPS = {name: Method(_layer(name)) for name in _DETECTORS} | {"grader": Method(16, "HiResCAM", contrast=True)}
PAIRED_READING = Paired(
    "mtss",
    {
        "hand erosion": ("hand erosion",),
        "foot erosion": ("foot erosion",),
        "jsn": ("hand jsn", "foot jsn"),
    },
)

MODEL = SystemModel(
    system="mtss",
    body_parts=("hand", "wrist", "foot"),
    networks=("finder", "grader", "ankylosis", "luxation"),
    scorer="models.mtss.scorer:build",
    paired=PAIRED_READING,
    evaluation="models.mtss.evaluate:EVALUATION",
    training="models.mtss.train:TRAINING",
    unknown_images="models.mtss.ood_films:Source",
    control_images="models.mtss.ood_films",
    explanations=Explanations(
        explainer="models.mtss.explain.detectors:explain_stored",
        methods=MAPS,
        candidates={name: (Method(_layer(name)), Method(_layer(name), "HiResCAM")) for name in _DETECTORS}
        | {
            "grader": (
                Method(6, "HiResCAM", contrast=True),
                Method(11, "HiResCAM", contrast=True),
                Method(16, "HiResCAM", contrast=True),
                Method(16, "Grad-CAM", contrast=True),
            )
        },
        tests={
            "models.mtss.explain.detector_cases": ("ankylosis", "luxation"),
            "models.mtss.explain.grader_cases": ("grader",),
        },
    ),
)
