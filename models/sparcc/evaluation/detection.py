"""Sensitivity, specificity and what goes with them, of slices and of segments, with intervals by patient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from core.agreement.bootstrap import DRAWS, draw_counts, percentiles
from core.agreement.diagnostics.auc import auc
from core.agreement.diagnostics.two_by_two import diagnostic
from core.agreement.estimate import Estimate, estimate
from models.evaluation.intervals import mean_by_patient, predictive_value, proportion
from models.sparcc.oedema.decisions import SegmentRule, confusion

DECISIONS = ("any_pixel", "overlap", "radiologist")
KEYS = ["subject", "visit", "region"]
RULE = SegmentRule()


def table_figures(decided: Any, truth: Any, subjects: Any, *, draws: int = DRAWS) -> dict[str, Any]:
    """Confusion matrix of decisions (n,) against the truth (n,), and its figures.

    Sensitivity, specificity, accuracy, PPV, NPV and prevalence have intervals that draw patients; F1 and
    kappa are of the whole table, without one.
    """
    decided, truth = np.asarray(decided, bool), np.asarray(truth, bool)
    counts = confusion(decided, truth)
    tp, fn = counts.true_positive, counts.false_negative
    whole = diagnostic(tp, fn, counts.false_positive, counts.true_negative)
    every = np.ones(len(truth), bool)
    shares = {
        "sensitivity": (decided, truth),
        "specificity": (~decided, ~truth),
        "accuracy": (decided == truth, every),
        "ppv": (truth, decided),
        "npv": (~truth, ~decided),
        "prevalence": (truth, every),
    }
    found = {name: proportion(hit, of, subjects, draws=draws) for name, (hit, of) in shares.items()}
    plain = {name: estimate(whole[name]["estimate"]) for name in ("f1", "kappa")}
    patients = len(set(np.asarray(subjects, str)))
    return found | plain | {"counts": whole["counts"], "n": len(truth), "patients": patients}


def images(slices: pd.DataFrame, *, draws: int = DRAWS) -> dict[str, Any]:
    """Decision -> the figures of slices. slices: a row a slice with ``subject``, ``truth`` and the decisions,
    of which the radiologist's may be missing.
    """
    known = {name: slices[slices[name].notna()] for name in DECISIONS}
    return {
        name: table_figures(rows[name].astype(bool), rows["truth"], rows["subject"], draws=draws)
        for name, rows in known.items()
        if len(rows)
    }


def segments_of(slices: pd.DataFrame, rule: SegmentRule = RULE) -> pd.DataFrame:
    """A row a segment: keys, ``truth``, the decisions by the segment rule, and ``score``, above which a limit
    of slices would make it positive.

    slices: in the order of their place. A decision is missing where one of its slices is.
    """
    rows = []
    for key, one in slices.groupby(KEYS, sort=False):
        row: dict[str, Any] = dict(zip(KEYS, key, strict=True)) | {
            "truth": rule.is_positive(one["truth"].to_numpy(bool))
        }
        for name in DECISIONS:
            seen = one[name]
            row[name] = rule.is_positive(seen.to_numpy(bool)) if seen.notna().all() else None
        ranked = np.sort(one["score"].to_numpy(float))[::-1]
        row["score"] = float(ranked[rule.min_slices - 1]) if len(ranked) >= rule.min_slices else 0.0
        rows.append(row)
    return pd.DataFrame(rows, columns=[*KEYS, "truth", *DECISIONS, "score"])


def by_region(slices: pd.DataFrame, segments: pd.DataFrame, *, draws: int = DRAWS) -> dict[str, Any]:
    """Region -> figures of its slices and its segments."""
    return {
        str(region): {
            "images": images(rows, draws=draws),
            "segments": images(segments[segments["region"] == region], draws=draws),
        }
        for region, rows in slices.groupby("region", sort=False)
    }


def area(rows: pd.DataFrame, *, draws: int = DRAWS) -> dict[str, Any]:
    """Area under the ROC curve of ``score``, its interval by patient."""
    found = auc(rows["truth"], rows["score"], clusters=rows["subject"].to_numpy(str), draws=draws)
    return {name: found[name] for name in ("estimate", "ci", "method", "n_positive", "n_negative")}


def dice_of_hits(slices: pd.DataFrame, *, draws: int = DRAWS) -> dict[str, Any]:
    """Dice of the slices found by ``overlap``: mean with interval by patient, and the SD over slices."""
    hits = slices[slices["overlap"].astype(bool) & slices["truth"]]
    mean = mean_by_patient(hits["dice"], hits["subject"], draws=draws)
    return mean | {"sd": float(hits["dice"].std()) if len(hits) > 1 else None, "n": len(hits)}


# -- positive predictive value where another share of patients is inflamed -----------------------------------


def ppv_in_clinic(
    slices: pd.DataFrame, inflamed: float, decision: str = "any_pixel", *, draws: int = DRAWS
) -> Estimate:
    """Positive predictive value of an image where the share ``inflamed`` of patients has any oedema.

    Patients with and without are weighed to that share, so the false alarms of both kinds count as often as
    they would there. Draws are of patients of each kind. None without patients of one of the kinds that are
    needed, or without a positive image.
    """
    rows = slices[slices[decision].notna()]
    decided, truth = rows[decision].astype(bool).to_numpy(), rows["truth"].to_numpy(bool)
    sums = pd.DataFrame({"subject": rows["subject"], "hit": decided & truth, "alarm": decided, "ill": truth})
    by_patient = sums.groupby("subject").sum()
    whole, drawn = np.zeros(2), np.zeros((draws, 2))
    kinds = ((inflamed, by_patient["ill"] > 0), (1 - inflamed, by_patient["ill"] == 0))
    for number, (share, kind) in enumerate(kinds):
        part = by_patient.loc[kind, ["hit", "alarm"]].to_numpy(float)
        if not share:
            continue
        if not len(part):
            return estimate(None)
        whole += share * part.mean(axis=0)
        drawn += share * (draw_counts(len(part), draws=draws, block=number) @ part) / len(part)
    if not whole[1]:
        return estimate(None)
    with np.errstate(divide="ignore", invalid="ignore"):
        limits, _ = percentiles(drawn[:, 0] / drawn[:, 1])
    return estimate(whole[0] / whole[1], *limits)


def ppv_at(
    slices: pd.DataFrame, prevalence: float, decision: str = "any_pixel", *, draws: int = DRAWS
) -> Estimate:
    """Positive predictive value at a prevalence of images, from sensitivity and specificity (Bayes)."""
    rows = slices[slices[decision].notna()]
    decided = rows[decision].astype(bool)
    return predictive_value(decided, rows["truth"], rows["subject"], prevalence, draws=draws)
