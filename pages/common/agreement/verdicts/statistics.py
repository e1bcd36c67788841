"""What the section on verdicts computes: equivalence, non-inferiority and drift, when they are looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.agreement.bootstrap import DRAWS, SEED
from core.agreement.comparison import TOTAL
from core.agreement.reader_model import Bootstrap
from core.agreement.verdicts.bias import bias_equivalence
from core.agreement.verdicts.non_inferiority import non_inferiority
from core.agreement.verdicts.rounds import drifts
from core.reader_labels import display_name
from data.queries.grades.repeated_grades import repeated_grades
from pages.common.agreement.question import Question, codes_of, comparison
from pages.common.agreement.site_statistics import rated_sites, too_many_grades
from pages.common.page import Page
from pages.common.queries import ask, computed


@dataclass(frozen=True)
class Margins:
    """Of a bias in score units, of ICC(A,1) and of quadratic kappa; None for no verdict."""

    bias: float | None = None
    icc: float | None = None
    kappa: float | None = None


def verdicts(
    page: Page, question: Question, panel: str, model: str, margins: Margins
) -> list[dict[str, Any]]:
    """Rows of ``tost`` and ``non_inferiority`` with ``what`` and ``margin``; model: "" for none."""
    found: list[dict[str, Any]] = computed(page, _verdicts, question, panel, model, margins)
    return found


def _verdicts(
    page: Page, question: Question, panel: str, model: str, margins: Margins
) -> list[dict[str, Any]]:
    compared = comparison(page, question)
    who = compared.readings.people
    names = [*who, model] if model else who
    table = compared.table(panel)[names].dropna().to_numpy(dtype=float)
    rows: list[dict[str, Any]] = []
    if margins.bias is not None and len(names) > 1:
        found = bias_equivalence(table, names, margin=margins.bias, model=model)
        rows += [
            {"what": f"bias, {display_name(row['first'])} minus {row['second']}", "margin": margins.bias}
            | row
            for row in found["rows"]
        ]
    if not model:
        return rows
    if margins.icc is not None:
        how = Bootstrap(None, DRAWS, SEED)
        one = non_inferiority(
            table[:, :-1], table[:, -1], margin=margins.icc, statistic="ICC(A,1)", bootstrap=how
        )
        rows.append({"what": f"ICC(A,1), {display_name(model)} minus readers"} | one)
    if margins.kappa is not None and not too_many_grades(page, question):
        rows.append(_kappa(page, question, panel, who, model, margins.kappa))
    return rows


def _kappa(
    page: Page, question: Question, panel: str, who: list[str], model: str, margin: float
) -> dict[str, Any]:
    """Of the grades of all sites that all readers and the model graded."""
    rated = rated_sites(page, question, "")[panel]
    keys = [name for name in ("subject", "visit", "site") if name in rated]
    wide = rated.pivot(index=keys, columns="label", values="grade").reindex(columns=[*who, model])
    grades = wide.astype("float64").dropna()
    table, patients = grades.to_numpy(), grades.index.get_level_values("subject").to_numpy()
    how = Bootstrap(patients, DRAWS, SEED)
    found = non_inferiority(
        table[:, :-1], table[:, -1], margin=margin, statistic="kappa.quadratic", bootstrap=how
    )
    return {"what": f"kappa of sites, {display_name(model)} minus readers"} | found


def drift_of_readers(page: Page, question: Question) -> dict[str, Any]:
    """``core.agreement.verdicts.rounds.drifts`` of site grades from the chosen campaign's first read on."""
    found: dict[str, Any] = computed(page, _drift_of_readers, question)
    return found


def _drift_of_readers(page: Page, question: Question) -> dict[str, Any]:
    grades = ask(page, repeated_grades, question.chosen)
    if question.component != TOTAL:
        grades = grades[grades["site"].isin(codes_of(question))]
    first = question.chosen.campaign
    is_first = (grades["campaign"] == first) & (grades["read"] == 1)
    named = grades["campaign"] + ", read " + grades["read"].astype(str)
    frame = pd.DataFrame(
        {
            "subject": grades["subject"] + "\x1f" + grades["visit"] + "\x1f" + grades["site"],
            "cluster": grades["subject"],
            "rater": grades["reader"],
            "rating": grades["grade"].astype("float64"),
            "round": np.where(is_first, f"{first}, read 1", named),
        }
    )
    return drifts(frame, seed=SEED, first=f"{first}, read 1")
