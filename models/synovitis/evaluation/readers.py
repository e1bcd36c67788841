"""Readers beside the model: agreement with each other and with the truth, by scale."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from core.agreement.bootstrap import DRAWS
from core.agreement.estimate import Estimate
from core.agreement.grades.benchmark import compared
from core.scores.synovitis import SYNOVITIS
from models.evaluation.agreement import MODEL, TRUTH, agreement_of
from models.synovitis.evaluation.figures import Answers, figures

LEVELS = 4
SCALES = ("gs", "pd", "combined")
KEYS = ["subject", "visit", "site"]


def with_combined(grades: pd.DataFrame) -> pd.DataFrame:
    """Long grades ``subject, visit, reader, site, grade`` and ``scale`` (gs, pd or combined).

    The combined grade of a joint is the table's of the reader's two; none where one is missing, or where it
    asks (no synovium, but flow in it).
    """
    rows = grades[grades["grade"].notna()].copy()
    parts = rows["site"].str.rsplit(".", n=1, expand=True)
    rows = rows.assign(joint=parts[0], scale=parts[1].str.lower(), grade=rows["grade"].astype(float))
    rows = rows[rows["scale"].isin(SCALES[:2])]
    wide = rows.pivot(index=["subject", "visit", "reader", "joint"], columns="scale", values="grade")
    wide = wide.reindex(columns=list(SCALES[:2])).dropna().reset_index()
    both = wide.assign(grade=_looked_up(wide), scale=SCALES[2], site=wide["joint"] + ".CS")
    kept = ["subject", "visit", "reader", "site", "scale", "grade"]
    return pd.concat([rows[kept], both.loc[both["grade"].notna(), kept]], ignore_index=True)


def _looked_up(wide: pd.DataFrame) -> np.ndarray:
    combination = SYNOVITIS.combination
    assert combination is not None
    table = np.array([[np.nan if cell is None else cell for cell in line] for line in combination.table])
    return np.asarray(table[wide["gs"].to_numpy(int), wide["pd"].to_numpy(int)])


def pairs(grades: pd.DataFrame, *, draws: int = DRAWS) -> dict[str, Any]:
    """Scale -> ``readers``, ``model with readers`` -> mean over pairs of kappa with quadratic and with linear
    weights, exact agreement and agreement within one grade, the pairs themselves with intervals, and joints
    of the smallest pair.

    grades: long, of all readers but the truth.
    """
    rows = with_combined(grades[grades["reader"] != TRUTH])
    found: dict[str, Any] = {}
    for scale in SCALES:
        wide = rows[rows["scale"] == scale].pivot(index=KEYS, columns="reader", values="grade")
        people = [name for name in wide.columns if not str(name).startswith(MODEL)]
        groups = {"readers": list(combinations(people, 2))}
        if MODEL in wide.columns:
            groups["model with readers"] = [(MODEL, name) for name in people]
        found[scale] = {name: _of_pairs(wide, chosen, draws) for name, chosen in groups.items() if chosen}
    return found


def _of_pairs(wide: pd.DataFrame, chosen: list[tuple[str, str]], draws: int) -> dict[str, Any]:
    each = {}
    for one, other in chosen:
        both = wide[[one, other]].dropna().reset_index()
        both.columns = [*KEYS, "given", "true"]
        each[f"{one} and {other}"] = compared(both, LEVELS, draws=draws) | _linear(both, draws)
    names = {
        "kappa": "kappa_quadratic", "kappa_linear": "kappa_linear", "exact": "accuracy",
        "within_one": "within_one",
    }  # fmt: skip
    means = {name: _mean([one[key]["estimate"] for one in each.values()]) for name, key in names.items()}
    shown = {
        pair: {"n": one["n"], **{name: one[key] for name, key in names.items()}} for pair, one in each.items()
    }
    return means | {"n": min(one["n"] for one in each.values()), "pairs": shown}


def _linear(both: pd.DataFrame, draws: int) -> dict[str, Estimate]:
    """Kappa with linear weights, its interval over patients."""
    ratings, subjects = both[["given", "true"]].to_numpy(float), both["subject"].to_numpy(str)
    return agreement_of(ratings, subjects, {"kappa_linear": "kappa.linear"}, draws)


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def against_truth(grades: pd.DataFrame, chances: dict[tuple[str, str, str], Any], *, draws: int = DRAWS
                  ) -> dict[str, Any]:  # fmt: skip
    """Scale (``all`` for both) -> reader -> figures in the paper's terms. chances: (subject, visit, site) ->
    the model's probabilities, from which its area is.
    """
    rows = grades[grades["grade"].notna()]
    wide = rows.pivot(index=KEYS, columns="reader", values="grade").astype(float)
    scale = wide.index.get_level_values("site").str.rsplit(".", n=1).str[-1].str.lower()
    found: dict[str, Any] = {}
    for name in ("all", *SCALES[:2]):
        part = wide if name == "all" else wide[scale == name]
        found[name] = {
            str(reader): _figures(part[[reader, TRUTH]].dropna(), reader, chances, draws)
            for reader in sorted(part.columns, key=lambda who: (who != MODEL, str(who)))
            if reader != TRUTH
        }
    return found


def _figures(both: pd.DataFrame, reader: Any, chances: dict[tuple[str, str, str], Any], draws: int) -> Any:
    known = [chances.get(key) for key in both.index] if reader == MODEL else []
    whole = bool(known) and all(one is not None for one in known)
    said = Answers(
        both[TRUTH].to_numpy(int), both[reader].to_numpy(int),
        both.index.get_level_values("subject").to_numpy(str), LEVELS,
        np.array(known, float) if whole else None,
    )  # fmt: skip
    return figures(said, draws=draws)


def alike(grades: pd.DataFrame) -> pd.DataFrame:
    """The joints that everybody could grade on both scales, and combine: sums over other joints are no sums
    of the same.
    """
    rows = with_combined(grades)
    whole = rows[rows["scale"] == SCALES[2]]
    joint = whole["site"].str.rsplit(".", n=1).str[0]
    counted = whole.assign(joint=joint).groupby(["subject", "visit", "joint"])["reader"].nunique()
    kept = counted[counted == grades["reader"].nunique()].index
    own = pd.MultiIndex.from_arrays(
        [grades["subject"], grades["visit"], grades["site"].str.rsplit(".", n=1).str[0]]
    )
    return grades[own.isin(kept)].reset_index(drop=True)
