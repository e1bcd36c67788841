"""Analysis of covariance of change with all arms at once: differences from the reference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.progression.regression.independent import independent_columns


@dataclass(frozen=True)
class JointAncova:
    """differences: each arm minus the reference, (arms - 1,). covariance: of them. df: residual."""

    differences: np.ndarray
    covariance: np.ndarray
    df: int

    @property
    def errors(self) -> np.ndarray:
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @property
    def correlation(self) -> np.ndarray:
        return np.asarray(self.covariance / np.outer(self.errors, self.errors))


def joint_ancova(change: np.ndarray, arm: np.ndarray, covariates: np.ndarray) -> JointAncova | None:
    """Least squares of change on arm and covariates; None where arms follow from them, or no spread is left.

    change: shape (n,). arm: codes, 0 the reference, each with a subject. covariates: (n, q), may be q = 0;
    columns that follow from others are left out.
    """
    arms = int(arm.max()) if len(arm) else 0
    plain = np.column_stack([np.ones(len(change)), covariates])
    plain = plain[:, independent_columns(plain)]
    design = np.column_stack([plain, arm[:, None] == np.arange(1, arms + 1)]).astype(float)
    df = len(change) - design.shape[1]
    if not arms or df < 1 or not independent_columns(design).all():
        return None
    inverse = np.linalg.inv(design.T @ design)
    beta = inverse @ design.T @ change
    residual = change - design @ beta
    variance = float(residual @ residual) / df
    if variance <= 1e-18 * max(1.0, float(change @ change)):
        return None
    return JointAncova(beta[-arms:], variance * inverse[-arms:, -arms:], df)
