"""How far the people of a cohort err at a site, from their grades of the same sites."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from core.agreement.grades.benchmark import DRAWS, compared
from core.agreement.reader_errors.latent import Fitted, Grades, expected_kappa, fit_errors, shown
from core.agreement.reader_errors.patient import patient_spread
from core.domain import CohortFilter, ReaderKind, Viewer
from core.errors import InputError
from core.scores.system import ScoreSystem
from data.queries.scores import site_grades
from data.store.cohort import CohortStore

KEYS = ["subject", "visit", "site"]
LEAST_STEPS = 2  # a grade of yes or no does not tell a large error from a rare one


def reader_errors(
    store: CohortStore, system: ScoreSystem, *, campaign: str = "", draws: int = DRAWS
) -> dict[str, Any]:
    """Shift and spread of each reader, the part that is the same over a patient, and the quadratic kappa of
    each two readers beside the one that these errors make.

    campaign: whose reads; where it is left out, the one in which most sites have two readers.
    Raises InputError where two people did not grade the same sites, or a site has two grades only.
    """
    grades = _grades(store, system)
    campaign = campaign or _fullest(grades, system)
    own = grades[grades["campaign"] == campaign]
    readers = sorted(own["reader"].unique())
    if len(readers) < 2:
        raise InputError(
            f"{system.title} reads of campaign {campaign}",
            f"those of two people are needed, {len(readers)} read in it",
            f"name one of {', '.join(sorted(grades['campaign'].unique()))}",
        )
    tables = _tables(own, system, readers)
    if not tables:
        raise InputError(
            f"{system.title}", "grades of more than yes and no are needed", "choose another system"
        )
    fitted = fit_errors(tables)
    return {
        "system": system.name,
        "campaign": campaign,
        "sites": fitted.sites,
        "patients": fitted.patients,
        "features": {name: table.maximum for name, table in tables.items()},
        "readers": shown(fitted, readers),
        "same_over_a_patient": patient_spread(fitted, tables),
        "frequency": {name: share.tolist() for name, share in fitted.frequency.items()},
        "kappa": _kappas(fitted, tables, readers, draws),
    }


def _grades(store: CohortStore, system: ScoreSystem) -> pd.DataFrame:
    grades = site_grades(store, Viewer(), CohortFilter(system=system.name))
    own = grades["site"].map({site.code: site.feature for site in system.sites})
    kept = grades[grades["grade"].notna() & (grades["feature"] == own) & (grades["kind"] == ReaderKind.HUMAN)]
    if kept.empty:
        raise InputError(
            f"{system.title} grades of the cohort", "those of two people are needed", "import their reads"
        )
    return kept


def _fullest(grades: pd.DataFrame, system: ScoreSystem) -> str:
    readers = grades.groupby(["campaign", *KEYS])["reader"].nunique()
    shared = (readers >= 2).groupby("campaign").sum().sort_values(ascending=False, kind="stable")
    if not shared.iloc[0]:
        raise InputError(
            f"{system.title} reads of the cohort",
            "no site was graded by two people",
            "import a second reader's",
        )
    return str(shared.index[0])


def _tables(own: pd.DataFrame, system: ScoreSystem, readers: list[str]) -> dict[str, Grades]:
    """Feature -> grades of its sites. Of sites with different maxima those with the lowest: a higher one is a
    sum of several places, with the errors of all.
    """
    found = {}
    for feature in dict.fromkeys(site.feature for site in system.sites):
        sites = [site for site in system.sites if site.feature == feature]
        lowest = min(site.maximum for site in sites)
        if lowest < LEAST_STEPS:
            continue
        codes = {site.code for site in sites if site.maximum == lowest}
        rows = own[own["site"].isin(codes)].drop_duplicates([*KEYS, "reader"])
        wide = rows.pivot(index=KEYS, columns="reader", values="grade").reindex(columns=readers)
        if len(wide):
            given = wide.to_numpy(dtype=float, na_value=np.nan)
            found[feature] = Grades(given, wide.index.get_level_values("subject").to_numpy(), lowest)
    return found


def _kappas(
    fitted: Fitted, tables: dict[str, Grades], readers: list[str], draws: int
) -> list[dict[str, Any]]:
    rows = []
    for feature in fitted.frequency:
        table = tables[feature]
        for one, other in combinations(range(len(readers)), 2):
            pair = table.given[:, [one, other]]
            both = ~np.isnan(pair).any(axis=1)
            if not both.any():
                continue
            frame = pd.DataFrame(pair[both], columns=["given", "true"]).assign(subject=table.patients[both])
            seen = compared(frame, table.maximum + 1, draws=draws)
            rows.append(
                {
                    "feature": feature,
                    "readers": [readers[one], readers[other]],
                    "sites": int(both.sum()),
                    "observed": seen["kappa_quadratic"],
                    "fitted": expected_kappa(fitted, feature, one, other),
                }
            )
    return rows
