"""What the paper prints, to stand beside our figures (EULAR 2025, POS1322; abstract).

340 patients, 2478 scans of two devices, five folds by patient, three blinded readers; how their grades were
made one is not stated. Mean (SD) over folds.
"""

from __future__ import annotations

GRADE = {"auc": "0.83 (0.02)", "balanced_accuracy": "0.54 (0.03)", "spearman": "0.64 (0.02)"}
DIAGNOSIS = {"auc": "0.65-0.67", "balanced_accuracy": "0.62-0.63"}  # range over the four tasks
GRADE_COUNTS = (2081, 433, 374, 78)
SCANS = 2478  # what the grades are said to be of; their counts sum to 2966
PATIENTS = {"RA+": 146, "RA-": 68, "PsA": 121, "SpA": 5}
KAPPA = {"gs": "0.87", "pd": "0.79", "combined": "0.86"}  # of readers, standardised scans of MCP joints
KAPPA_DAILY = {"gs": "0.30-0.70", "pd": "0.53-1.0"}  # of readers, scans that are not standardised


def always_zero() -> tuple[float, float]:
    """Accuracy and balanced accuracy of who answers grade 0 always, from the paper's counts."""
    return GRADE_COUNTS[0] / sum(GRADE_COUNTS), 1 / len(GRADE_COUNTS)


def prevalence(first: tuple[str, ...], second: tuple[str, ...]) -> float:
    """Share of patients of the first group of diseases among both, from the paper's counts."""
    one, other = (sum(PATIENTS[disease] for disease in group) for group in (first, second))
    return one / (one + other)
