"""The whole analysis of a study: figures of merit, covariances, and what differs between modalities."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from core.agreement.diagnostics.auc import rank_limits
from core.agreement.estimate import Z95, estimate, number
from core.agreement.mrmc.figures_of_merit import (
    AUC,
    DELONG,
    JACKKNIFE,
    METRICS,
    UNBIASED,
    delong,
    jackknife,
    unbiased,
)
from core.agreement.mrmc.obuchowski_rockette import (
    BOTH,
    READERS_FIXED,
    analyses,
    by_reader,
    components,
    modality_means,
)
from core.agreement.mrmc.study import NAMED, Study
from core.errors import InputError

FEW_READERS = 4
LEVEL = (
    "in simulated studies of two readers without a difference the test for random readers and cases was "
    "significant in 5 to 10%, in 1 to 7% of those of five or eight"
)
FEW_CASES = 10  # of each kind


def analyse(
    study: Study, metric: str, *, covariance: str | None = None, positive: float | None = None
) -> dict[str, Any]:
    """What the modalities differ by in ``metric``, for random and fixed readers and cases.

    covariance: one of COVARIANCES; without it DeLong for AUC of one case a patient, else the jackknife over
    patients. positive: cases whose truth is at least this are positive (AUC); not needed for two truths.
    Raises InputError where the metric of a reader is not defined, or the covariance does not go with it.
    """
    method = _method(study, metric, covariance)
    threshold = None
    if metric == AUC:
        threshold = _threshold(study, positive)
        study = replace(study, truth=(study.truth >= threshold - 1e-9).astype(float))
    theta, matrix = _figures(study, metric, method)
    _check(study, metric, theta)
    part = components(theta, matrix)
    found = analyses(theta, matrix, study.modalities)
    return {
        "metric": metric,
        "title": METRICS[metric],
        "better": "smaller" if metric == "error" else "larger",
        "modalities": study.modalities,
        "readers": study.readers,
        "cases": len(study.cases),
        "patients": study.patients,
        "positive_from": threshold,
        "positives": int(study.truth.sum()) if metric == AUC else None,
        "covariance": method,
        "missing_reads": len(study.missing),
        "missing": study.missing.to_dict("records"),
        "dropped_cases": study.dropped_cases,
        "cells": _cells(study, metric, theta, matrix),
        "means": modality_means(theta, matrix, study.modalities),
        "analyses": found,
        "by_reader": by_reader(theta, matrix, study.modalities, study.readers),
        "components": {name: number(value) for name, value in asdict(part).items()},
        "refused": study.refused.to_dict("records"),
        "notes": _notes(study, metric) | _odd_error(found),
    }


def _method(study: Study, metric: str, asked: str | None) -> str:
    if asked is None:
        return DELONG if metric == AUC and not study.has_clusters else JACKKNIFE
    if asked != JACKKNIFE and metric != AUC:
        raise InputError(
            f"covariances by {asked} of {METRICS[metric]}", "they are of AUC alone", "use jackknife"
        )
    if asked != JACKKNIFE and study.has_clusters:
        raise InputError(
            f"covariances by {asked} of several cases a patient",
            "they take cases as independent",
            "use jackknife, which leaves out patients",
        )
    return asked


def _threshold(study: Study, positive: float | None) -> float:
    """The truth from which on a case is positive."""
    levels = np.unique(study.truth)
    if positive is None and len(levels) != 2:
        raise InputError(
            f"the truth has {len(levels)} different values",
            "AUC needs positive and negative cases",
            "say from where a case is positive with --positive",
        )
    return float(levels[1]) if positive is None else positive


def _figures(study: Study, metric: str, method: str) -> tuple[np.ndarray, np.ndarray]:
    t, r, n = study.ratings.shape
    cells = study.ratings.reshape(t * r, n)
    if method == JACKKNIFE:
        theta, matrix = jackknife(metric, cells, study.truth, study.patient)
    else:
        theta, matrix = {DELONG: delong, UNBIASED: unbiased}[method](cells, study.truth > 0)
    return theta.reshape(t, r), matrix


def _check(study: Study, metric: str, theta: np.ndarray) -> None:
    undefined = np.argwhere(np.isnan(theta))
    if len(undefined):
        m, r = undefined[0]
        raise InputError(
            f"the {METRICS[metric]} of {study.readers[r]}, {study.modalities[m]}",
            "reads of positive and negative cases, or of grades that differ, are needed",
            "leave the reader out, or add reads",
        )


def _cells(study: Study, metric: str, theta: np.ndarray, matrix: np.ndarray) -> list[dict[str, Any]]:
    t, r = theta.shape
    errors = np.sqrt(np.maximum(np.diag(matrix), 0)).reshape(t, r)
    return [
        {"modality": study.modalities[m], "reader": study.readers[j], "se": number(errors[m, j])}
        | {"n": int((~np.isnan(study.ratings[m, j])).sum())}
        | estimate(theta[m, j], *_cell_limits(study, metric, (m, j), theta[m, j], errors[m, j]))
        for m in range(t)
        for j in range(r)
    ]


def _cell_limits(
    study: Study, metric: str, cell: tuple[int, int], value: float, error: float
) -> tuple[float, float]:
    """Normal limits; where no case differs, so that there is no spread: for AUC by ranks, else none."""
    if error > 1e-12:
        return value - Z95 * error, value + Z95 * error
    if metric != AUC:
        return np.nan, np.nan
    there = ~np.isnan(study.ratings[cell])
    kinds = (there & (study.truth > 0), there & (study.truth <= 0))
    positive, negative = (len(np.unique(study.patient[kind])) for kind in kinds)
    return rank_limits(value, positive, negative)


def _notes(study: Study, metric: str) -> dict[str, str]:
    notes = {}
    if len(study.readers) == 1:
        notes["readers"] = "one reader: only this reader's difference can be judged"
    elif len(study.readers) < FEW_READERS:
        notes["readers"] = f"{len(study.readers)} readers say little about readers in general; {LEVEL}"
    smallest = len(study.cases)
    if metric == AUC:
        smallest = int(min(study.truth.sum(), len(study.cases) - study.truth.sum()))
    if smallest < FEW_CASES:
        notes["cases"] = (
            f"{smallest} cases{' of one kind' if metric == AUC else ''}: large-sample errors are rough"
        )
    if len(study.missing):
        named = "; ".join(
            f"{row.case} by {row.reader}, {row.modality}" for row in study.missing.head(NAMED).itertuples()
        )
        more = f" and {len(study.missing) - NAMED} more" if len(study.missing) > NAMED else ""
        what = "taken as missing by chance" if not study.dropped_cases else "their cases are left out for all"
        notes["missing"] = f"{len(study.missing)} reads are missing ({what}): {named}{more}"
    return notes


def _odd_error(found: list[dict[str, Any]]) -> dict[str, str]:
    """A note where the error for readers in general came out below that for these readers."""
    errors = {one["analysis"]: one["differences"][0]["se"] for one in found}
    both, fixed = errors.get(BOTH), errors[READERS_FIXED]
    if both is None or fixed is None or both >= fixed:
        return {}
    return {
        "random": "the error for random readers and cases came out below that for these readers alone, which "
        "happens by chance where readers are few: the wider interval, that of fixed readers, is the safer one"
    }
