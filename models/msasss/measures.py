"""The figures of an evaluation, from tables of corners, films and totals; patients are resampled for
intervals.

Columns. corners: subject, visit, site, true (0..3), visible, given (0..3, NA where the model gave none),
distance_mm (of the named corner to its true place, NA where none was named). films: subject, visit, view,
is_wrong, abstained. totals: subject, visit, truth and one column per reader.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from models.evaluation.intervals import DRAWS, Rows, icc_a1, resampled, share
from models.msasss.sites import GRADE_NAMES
from models.msasss.tune import quadratic_kappa

NEAR_MM = 3.0


def grading(corners: pd.DataFrame, *, draws: int = DRAWS) -> dict[str, Any]:
    """Sensitivity, specificity and accuracy of each class against the rest, kappa and exact agreement.

    Over visible corners that were given a grade.
    """
    graded = corners[corners["visible"].astype(bool) & corners["given"].notna()]
    true, given = graded["true"].to_numpy(int), graded["given"].to_numpy(int)

    def statistics(rows: Rows) -> dict[str, float]:
        t, g = true[rows], given[rows]
        found = {
            "kappa_quadratic": quadratic_kappa(g, t) if len(t) else float("nan"),
            "exact": share(t == g, np.ones_like(t)),
            "within_one": share(np.abs(t - g) <= 1, np.ones_like(t)),
        }
        for grade, name in enumerate(GRADE_NAMES):
            is_true, is_given = t == grade, g == grade
            found[f"{name}.sensitivity"] = share(is_true & is_given, is_true)
            found[f"{name}.specificity"] = share(~is_true & ~is_given, ~is_true)
            found[f"{name}.accuracy"] = share(is_true == is_given, np.ones_like(t))
        return found

    shares = {name: np.ones(len(true), dtype=bool) for name in ("exact", "within_one")}
    for grade, name in enumerate(GRADE_NAMES):
        shares |= {f"{name}.sensitivity": true == grade, f"{name}.specificity": true != grade}
        shares[f"{name}.accuracy"] = shares["exact"]
    flat = resampled(graded["subject"], statistics, shares=shares, draws=draws)
    table = [[int(((given == g) & (true == t)).sum()) for t in range(4)] for g in range(4)]
    return {
        "corners": len(graded),
        "per_class": {
            name: {
                "n": int((true == grade).sum()),
                **{key: flat[f"{name}.{key}"] for key in ("sensitivity", "specificity", "accuracy")},
            }
            for grade, name in enumerate(GRADE_NAMES)
        },
        "kappa_quadratic": flat["kappa_quadratic"],
        "exact_agreement": flat["exact"],
        "within_one": flat["within_one"],
        "table_given_by_true": table,
    }


def detection(corners: pd.DataFrame, films: pd.DataFrame, *, draws: int = DRAWS) -> dict[str, Any]:
    """Visible corners found within 3 mm under their right name: on films that were scored, and on all good
    films (a film on which the model abstained counts as not found)."""
    visible = corners[corners["visible"].astype(bool)]
    abstained = films.loc[films["abstained"] & ~films["is_wrong"], ["subject", "visit", "view"]]
    keys = set(abstained.itertuples(index=False, name=None))
    on_scored = np.array(
        [key not in keys for key in visible[["subject", "visit", "view"]].itertuples(index=False, name=None)]
    )
    found = (visible["distance_mm"].to_numpy(float) <= NEAR_MM) & visible["given"].notna().to_numpy()

    def statistics(rows: Rows) -> dict[str, float]:
        scored, hit = on_scored[rows], found[rows]
        return {"scored_films": share(hit & scored, scored), "all_good_films": share(hit, np.ones_like(hit))}

    distance = visible["distance_mm"].to_numpy(float)
    return {
        "visible_corners": len(visible),
        **resampled(
            visible["subject"],
            statistics,
            shares={"scored_films": on_scored, "all_good_films": np.ones(len(found), dtype=bool)},
            draws=draws,
        ),
        "median_distance_mm": float(np.nanmedian(distance)) if np.isfinite(distance).any() else None,
    }


def abstention(films: pd.DataFrame, *, draws: int = DRAWS) -> dict[str, Any]:
    """Share of good (and poor, but readable) films and of wrong films on which the model abstained."""
    wrong = films["is_wrong"].to_numpy(bool)
    abstained = films["abstained"].to_numpy(bool)

    def statistics(rows: Rows) -> dict[str, float]:
        w, a = wrong[rows], abstained[rows]
        return {"good_films": share(a & ~w, ~w), "wrong_films": share(a & w, w)}

    return {
        "good": int((~wrong).sum()),
        "wrong": int(wrong.sum()),
        **resampled(
            films["subject"], statistics, shares={"good_films": ~wrong, "wrong_films": wrong}, draws=draws
        ),
    }


def status(totals: pd.DataFrame, reader: str, *, draws: int = DRAWS) -> dict[str, Any]:
    """Totals of a reader against the truth: ICC(A,1), mean absolute error, bias, over patient visits."""
    both = totals[totals[reader].notna() & totals["truth"].notna()]
    pairs = both[[reader, "truth"]].to_numpy(float)

    def statistics(rows: Rows) -> dict[str, float]:
        difference = pairs[rows, 0] - pairs[rows, 1]
        return {
            "icc_a1": icc_a1(pairs[rows]),
            "mean_absolute_error": float(np.abs(difference).mean()) if len(rows) else float("nan"),
            "bias": float(difference.mean()) if len(rows) else float("nan"),
        }

    left_out = int(totals["truth"].notna().sum() - len(both))
    return {"n": len(both), "left_out": left_out, **resampled(both["subject"], statistics, draws=draws)}


def change(totals: pd.DataFrame, reader: str, *, draws: int = DRAWS) -> dict[str, Any]:
    """Change from the first to the last visit of a reader against the true change.

    sdc95_against_truth: 1.96 x the SD of (reader - truth) changes / sqrt(2), the SDC of one reader in the
    form of Bruynesteyn 2005 with the truth as the other. false_change: share of patients whose reader's
    change is not 0 among those whose true change is 0; false_improvement: share below 0 among the same.
    """
    visits = list(dict.fromkeys(totals["visit"]))
    wide = totals.pivot(index="subject", columns="visit", values=[reader, "truth"])
    seen = wide[reader][visits[-1]] - wide[reader][visits[0]]
    true = wide["truth"][visits[-1]] - wide["truth"][visits[0]]
    pairs = pd.DataFrame({"seen": seen, "true": true}).astype(float).dropna()
    table = pairs.to_numpy()

    unchanged = np.abs(table[:, 1]) < 1e-9

    def statistics(rows: Rows) -> dict[str, float]:
        s, t, still = table[rows, 0], table[rows, 1], unchanged[rows]
        spread = float(np.std(s - t, ddof=1)) if len(rows) > 1 else float("nan")
        return {
            "icc_a1": icc_a1(table[rows]),
            "sdc95_against_truth": 1.96 * spread / np.sqrt(2),
            "false_change": share(still & (np.abs(s) > 1e-9), still),
            "false_improvement": share(still & (s < -1e-9), still),
        }

    return {
        "n": len(pairs),
        "unchanged": int(unchanged.sum()),
        "true_mean": float(table[:, 1].mean()) if len(table) else None,
        **resampled(
            pd.Series(pairs.index.astype(str)),
            statistics,
            shares={"false_change": unchanged, "false_improvement": unchanged},
            draws=draws,
        ),
    }


def corner_change(corners: pd.DataFrame, *, draws: int = DRAWS) -> dict[str, Any]:
    """Share of corners without a true change that the model changes, and that it improves, from first to
    last visit; and share of corners with a true change that it changes the same way.
    """
    visits = list(dict.fromkeys(corners["visit"]))
    graded = corners[corners["given"].notna()]
    wide = graded.pivot(index=["subject", "site"], columns="visit", values=["given", "true"]).dropna()
    if not {visits[0], visits[-1]} <= set(wide["given"].columns):
        return {"corners": 0}
    given = (wide["given"][visits[-1]] - wide["given"][visits[0]]).to_numpy(float)
    true = (wide["true"][visits[-1]] - wide["true"][visits[0]]).to_numpy(float)
    still = true == 0
    same_way = ~still & (np.sign(given) == np.sign(true))

    def statistics(rows: Rows) -> dict[str, float]:
        return {
            "false_change": share(still[rows] & (given[rows] != 0), still[rows]),
            "false_improvement": share(still[rows] & (given[rows] < 0), still[rows]),
            "true_change_found": share(same_way[rows], ~still[rows]),
        }

    subjects = pd.Series(wide.index.get_level_values("subject").astype(str))
    shares = {"false_change": still, "false_improvement": still, "true_change_found": ~still}
    counts = {"corners": int(still.sum()), "changed_corners": int((~still).sum())}
    return counts | resampled(subjects, statistics, shares=shares, draws=draws)
