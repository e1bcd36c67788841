"""Chances of diagnoses, image by image. They are no scores, and no table of scores holds them."""

from __future__ import annotations

import pandas as pd

from core.domain import Viewer
from data.queries.answer import answer
from data.store.cohort import CohortStore


def chances_of_patient(store: CohortStore, viewer: Viewer, subject: str) -> pd.DataFrame:
    """``run, reader, image, visit, visit_order, joint, side, mode, task, probability``: one row an image and
    question, by visit.

    probability: of the group of diseases that the task names first (``SystemModel.diagnoses``). joint, side,
    mode: of the image, ``""`` where not known. Readers see none, as they see no model.
    """
    sql = """
        SELECT c.run, u.reader, c.image, i.visit, v.visit_order, coalesce(i.joint, '') AS joint,
            coalesce(i.laterality, '') AS side, coalesce(i.mode, '') AS mode, c.task, c.probability
        FROM diagnosis_chance c JOIN image i USING (image) LEFT JOIN run u ON u.run = c.run
            LEFT JOIN visit v ON v.subject = i.subject AND v.visit = i.visit
        WHERE i.subject = $subject
        ORDER BY c.run, v.visit_order, i.visit, c.image, c.task
    """
    return answer(store, viewer, sql, values={"subject": subject})


def count_by_task(store: CohortStore, viewer: Viewer) -> pd.DataFrame:
    """``run, reader, task, images, patients``: how many images have a chance of each task."""
    sql = """
        SELECT c.run, u.reader, c.task, count(*) AS images, count(DISTINCT i.subject) AS patients
        FROM diagnosis_chance c JOIN image i USING (image) LEFT JOIN run u ON u.run = c.run
        GROUP BY ALL ORDER BY ALL
    """
    return answer(store, viewer, sql)
