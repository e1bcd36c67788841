"""The five questions that a network each answers: the grade of a joint, and four of the disease behind it.

S003 (EULAR 2025, POS1322) trains five separate networks: grades 0 to 3, and each pair of diagnoses below.
"""

from __future__ import annotations

from dataclasses import dataclass

GRADE = "grade"
GRADES = ("0", "1", "2", "3")
RA_POSITIVE, RA_NEGATIVE, PSA, SPA = DISEASES = ("RA+", "RA-", "PsA", "SpA")


@dataclass(frozen=True)
class Question:
    """Which of two groups of diseases a patient belongs to. first: the one whose chance is told."""

    first: str
    second: str
    first_diseases: tuple[str, ...]
    second_diseases: tuple[str, ...]

    def place(self, disease: str) -> int | None:
        """1 for a disease of the first group, 0 for one of the second, None for any other."""
        if disease in self.first_diseases:
            return 1
        return 0 if disease in self.second_diseases else None


DIAGNOSES = {
    "ra_v_spa": Question("RA", "SpA/PsA", (RA_POSITIVE, RA_NEGATIVE), (PSA, SPA)),
    "rapos_v_raneg": Question("RA+", "RA-", (RA_POSITIVE,), (RA_NEGATIVE,)),
    "rapos_v_spa": Question("RA+", "SpA/PsA", (RA_POSITIVE,), (PSA, SPA)),
    "raneg_v_spa": Question("RA-", "SpA/PsA", (RA_NEGATIVE,), (PSA, SPA)),
}
TASKS = (GRADE, *DIAGNOSES)


def classes_of(task: str) -> tuple[str, ...]:
    """What the places of a task's probabilities stand for: grades, or second and first group of diseases."""
    if task == GRADE:
        return GRADES
    question = DIAGNOSES[task]
    return question.second, question.first


def truth_of(task: str, grade: int, disease: str) -> int | None:
    """Place of the right answer among the classes of a task; None where the patient is not asked about."""
    return grade if task == GRADE else DIAGNOSES[task].place(disease)
