"""The model of mSASSS, as the rest of the house sees it."""

from models.paired.reader import Paired
from models.system import Explanations, Method, SystemModel

MAPS = {"grader": Method(4, "HiResCAM", contrast=True), "finder": Method(17, "HiResCAM")}
PAIRED_READING = Paired("msasss", {"corner": ("cervical", "lumbar")})

MODEL = SystemModel(
    system="msasss",
    body_parts=("cervical spine", "thoracic spine", "lumbar spine", "spine", "neck", "abdomen"),
    networks=("finder", "grader"),
    scorer="models.msasss.scorer:build",
    paired=PAIRED_READING,
    evaluation="models.msasss.evaluate:EVALUATION",
    training="models.msasss.train:TRAINING",
    unknown_images="models.msasss.ood_films:Source",
    control_images="models.msasss.ood_films",
    explanations=Explanations(
        explainer="models.msasss.explain:explain_stored",
        methods=MAPS,
        candidates={
            "grader": (
                Method(2, "HiResCAM"),
                Method(4, "HiResCAM"),
                Method(4, "HiResCAM", contrast=True),
                Method(11, "HiResCAM", contrast=True),
                Method(4, "Grad-CAM"),
                Method(12, "Grad-CAM"),
            ),
            "finder": (Method(6, "HiResCAM"), Method(17, "HiResCAM"), Method(17, "Grad-CAM")),
        },
        tests={"models.msasss.explain_cases": ("grader", "finder")},
    ),
)
