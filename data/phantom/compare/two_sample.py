"""Are phantoms told from real pictures? A classifier two-sample test, by patient.

Where no classifier does better than chance on patients it has not seen, the two are alike as far as that
classifier can see (Lopez-Paz and Oquab 2017, arXiv:1610.06545). Two are asked: a logistic regression of the
plain numbers of ``measures``, and one of what fixed random filters answer, which sees texture that has no
name. An area near 0.5, or under it, is not told apart (held-out scores of like samples lie a little under
0.5), 1 is always told apart. The interval is that of the patients, not of the folds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from core.agreement.diagnostics.auc import auc

FOLDS, SEED = 5, 2026
FILTERS, SIDE, SCALES = 24, 7, (1, 2, 4)


def told_apart(features: np.ndarray, is_real: Sequence[bool], patients: Sequence[str]) -> dict[str, Any]:
    """AUC of patients held out, with a patient bootstrap.

    features: shape (pictures, numbers), NaN where a picture has none. A patient is in one fold only. Raises
    ValueError with fewer patients of a kind than folds.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    labels, groups = np.asarray(is_real, dtype=bool), np.asarray(patients)
    few = min(len(set(groups[labels])), len(set(groups[~labels])))
    if few < FOLDS:
        raise ValueError(f"{few} patients of a kind: {FOLDS} or more are needed")
    scores = np.full(len(labels), np.nan)
    for train, test in StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED).split(
        features, labels, groups
    ):
        model = make_pipeline(
            SimpleImputer(keep_empty_features=True),
            StandardScaler(),
            LogisticRegression(C=0.1, max_iter=2000),
        )
        model.fit(features[train], labels[train])
        scores[test] = model.decision_function(features[test])
    return auc(labels, scores, clusters=groups)


def random_filters(picture: np.ndarray) -> np.ndarray:
    """Mean and SD of what each of 24 random filters answers at three scales, shape (144,), in logarithms.

    picture: uint8 (rows, columns). The mean grey does not count, contrast does.
    """
    filters = np.random.default_rng(SEED).normal(size=(FILTERS, SIDE, SIDE)).astype(np.float32)
    filters -= filters.mean(axis=(1, 2), keepdims=True)
    found: list[float] = []
    for scale in SCALES:
        small = cv2.resize(picture, None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_AREA)
        for one in filters:
            answer = np.abs(cv2.filter2D(small.astype(np.float32), -1, one))
            found += [float(answer.mean()), float(answer.std())]
    return np.log1p(np.array(found))
