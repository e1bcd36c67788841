"""What the two papers print, to stand beside our figures. Nothing here is computed but what says so.

STIR detection: attention U-Net on 330 patients, tested on 60 (30 of them without inflammation), 2024.
SPARCC: two attention U-Nets on 330 patients, three readers (RMD Open, 2026; abstract).
"""

from __future__ import annotations

IMAGE_COUNTS = {"tp": 181, "fn": 45, "fp": 294, "tn": 2489}  # confusion matrix of the test images
IMAGES = {"sensitivity": "0.80", "specificity": "0.88", "auc": "0.87", "dice": "0.55"}
SEGMENTS = {
    "all": ("0.85", "0.73"),
    "cervical": ("0.75", "0.81"),
    "thoracic": ("0.91", "0.62"),
    "lumbar": ("0.82", "0.74"),
}
IMAGE_READER, SEGMENT_READER = ("0.82", "0.87"), ("0.87", "0.70")  # sensitivity, specificity
INFLAMED_PATIENTS = 300 / 330  # of the cohort that was trained and tested on
TRAINING_IMAGES = (2665, 11807)  # with, without oedema: all of inflamed patients

SPARCC_ICC, SPARCC_PEARSON = "0.80", "0.82"  # form of the ICC and rule of the score not stated
INFLAMMATION = ("0.90", "0.84")  # sensitivity, specificity; of what is not stated
DICE = {"body": "0.81", "disc": "0.80"}
UNIT_KAPPA, UNIT_AGREEMENT = "0.46-0.47", "0.74-0.77"  # of experts, any oedema in a unit (2025)
