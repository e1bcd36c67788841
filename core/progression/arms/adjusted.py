"""Arms compared with the reference within randomisation strata and at equal covariates, with multiplicity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.agreement.estimate import number
from core.progression.annualise import change_per_year
from core.progression.arms.joint_ancova import JointAncova, joint_ancova
from core.progression.arms.mantel_haenszel import cmh_test, common_risk_difference, tables
from core.progression.arms.multiplicity import WORDS, adjusted_p, check_adjust, dunnett_p
from core.progression.arms.patient_columns import as_columns, stratum_of
from core.progression.arms.rank_ancova import rank_ancova
from core.progression.arms.standardised_risk import StandardisedRisk, standardised_risk
from core.progression.arms.van_elteren import van_elteren
from core.progression.progressors import STANDARD, Cutoff, progressed

PATIENTS_PER_TERM = 5
SHOWN = 6  # strata named one by one
TESTS = ("ancova", "van_elteren", "rank_ancova")


@dataclass(frozen=True)
class AdjustedOptions:
    """strata, covariates: names of columns of patients. cutoffs: of progressors.

    adjust: for several arms, one of ``METHODS`` or None. order: of arms, for ``fixed``; else as they stand.
    """

    strata: Sequence[str] = ()
    covariates: Sequence[str] = ()
    cutoffs: Sequence[Cutoff] = STANDARD
    adjust: str | None = None
    order: Sequence[str] = ()


@dataclass(frozen=True)
class _Patients:
    """Those who are compared, one entry each; arm: codes, 0 the reference; x: columns of all covariates."""

    arms: list[str]
    arm: np.ndarray
    change: np.ndarray
    per_year: np.ndarray
    stratum: np.ndarray
    ranked: np.ndarray
    x: np.ndarray
    limit: np.ndarray | None

    def pair(self, code: int) -> np.ndarray:
        return np.asarray((self.arm == code) | (self.arm == 0))


def adjusted_comparison(
    rows: pd.DataFrame, patients: pd.DataFrame, options: AdjustedOptions, limit: np.ndarray | None = None
) -> dict[str, Any]:
    """Every arm against the reference: ANCOVA, van Elteren, rank ANCOVA, and shares of progressors.

    rows: one a patient, ``subject, arm`` (a factor, the reference first)``, baseline, change, years``, as
    ``regression.rows.change_rows``. patients: strata and covariates by subject (``patient_columns``); who
    lacks one is left out and named. limit: the SDC of each row, None where the study has none.
    ANCOVA and the adjusted risk difference are models of all arms with baseline, strata and covariates; van
    Elteren and Cochran-Mantel-Haenszel go by stratum, rank ANCOVA by stratum with baseline and covariates.
    What cannot be computed is None with its reason under ``notes``. Raises InputError for an unknown arm or
    method.
    """
    check_adjust(options.adjust, options.order, list(map(str, rows["arm"].cat.categories[1:])))
    chosen, left_out = _chosen(rows, patients, options, limit)
    comparisons = [_comparison(chosen, code) for code in range(1, len(chosen.arms))]
    notes = {} if comparisons else {"comparisons": "two arms with patients are needed"}
    notes |= _lonely_strata(chosen) | _few(chosen)
    joint = joint_ancova(chosen.change, chosen.arm, chosen.x) if comparisons else None
    for place, row in enumerate(comparisons):
        row["ancova"] = _ancova(joint, place)
    if comparisons and joint is None:
        notes["ancova"] = "too few patients, no spread of change, or arms that follow from other terms"
    notes |= _progressors(chosen, comparisons, options)
    if options.adjust:
        notes |= _adjust(comparisons, joint, options)
    return {
        "reference_arm": chosen.arms[0] if chosen.arms else None,
        "strata": list(options.strata),
        "covariates": list(options.covariates),
        "n": len(chosen.arm),
        "left_out": left_out,
        "stratum_sizes": _sizes(chosen) if options.strata else {},
        "adjust": options.adjust,
        "adjust_words": WORDS[options.adjust] if options.adjust else None,
        "comparisons": comparisons,
        "notes": notes,
    }


def _chosen(
    rows: pd.DataFrame, patients: pd.DataFrame, options: AdjustedOptions, limit: np.ndarray | None
) -> tuple[_Patients, list[dict[str, Any]]]:
    """The patients with every stratum and covariate, and who is left out."""
    own = patients.reindex(rows["subject"].astype(str))
    stratum = stratum_of(own, options.strata)
    covariates = own[list(dict.fromkeys(options.covariates))]
    lacking = covariates.isna().to_numpy()
    without = np.array([one is None for one in stratum], bool) | lacking.any(axis=1)
    without |= rows["arm"].isna().to_numpy()
    left_out = [
        {"subject": str(name), "reason": _reason(row, options)} for name, row in own[without].iterrows()
    ]
    kept = ~without
    used, covariates = rows[kept], covariates[kept]
    present = [str(name) for name in rows["arm"].cat.categories if (used["arm"] == name).any()]
    base = pd.DataFrame({"baseline": used["baseline"].to_numpy(float)})
    ranked = np.column_stack([as_columns(base), as_columns(covariates)])
    by_stratum = as_columns(pd.DataFrame({"stratum": stratum[kept].astype(object)}))
    per_year = change_per_year(used["change"], used["years"] * 365.25)
    return _Patients(
        present,
        pd.Categorical(used["arm"].astype(object), categories=present).codes.astype(int),
        used["change"].to_numpy(float),
        np.asarray(per_year, float),
        stratum[kept].astype(str),
        ranked,
        np.column_stack([ranked, by_stratum]),
        None if limit is None else np.asarray(limit, float)[kept],
    ), left_out


def _reason(row: pd.Series, options: AdjustedOptions) -> str:
    missing = [name for name in (*options.strata, *options.covariates) if pd.isna(row[name])]
    return f"no {', '.join(missing)}" if missing else "no arm"


def _comparison(chosen: _Patients, code: int) -> dict[str, Any]:
    """The two rank tests of an arm against the reference."""
    pair = chosen.pair(code)
    change, second, stratum = chosen.change[pair], chosen.arm[pair] == code, chosen.stratum[pair]
    elteren = van_elteren(change, second, stratum)
    ranks = rank_ancova(change, chosen.ranked[pair], second, stratum)
    return {
        "a": chosen.arms[code],
        "b": chosen.arms[0],
        "n_a": int(second.sum()),
        "n_b": int((~second).sum()),
        "ancova": None,
        "van_elteren": {name: _plain(getattr(elteren, name)) for name in ("z", "p", "strata", "n")},
        "rank_ancova": {name: _plain(getattr(ranks, name)) for name in ("z", "p", "strata", "n")},
        "progressors": {},
    }


def _plain(value: Any) -> Any:
    return value if isinstance(value, int) else number(value)


def _ancova(joint: JointAncova | None, place: int) -> dict[str, Any]:
    from scipy import special

    if joint is None:
        return dict.fromkeys(("estimate", "se", "df", "p")) | {"ci": [None, None]}
    value, se = float(joint.differences[place]), float(joint.errors[place])
    half = float(special.stdtrit(joint.df, 0.975)) * se
    p = float(2 * special.stdtr(joint.df, -abs(value) / se))
    return {"estimate": value, "se": se, "df": joint.df, "p": p, "ci": [value - half, value + half]}


def _progressors(
    chosen: _Patients, comparisons: list[dict[str, Any]], options: AdjustedOptions
) -> dict[str, str]:
    """Adds the shares by definition to every comparison; what to say of them."""
    notes = {}
    for rule in options.cutoffs:
        judged = progressed(rule, chosen.change, chosen.per_year, chosen.limit)
        if judged is None:
            notes[rule.name] = "the study has no SDC; it needs two readers and two patients"
            continue
        flag, known = judged
        present = np.unique(chosen.arm[known])
        whole = len(present) == len(chosen.arms)
        model = standardised_risk(flag[known], chosen.arm[known], chosen.x[known]) if whole else None
        if comparisons and model is None:
            notes[rule.name] = (
                "no adjusted risk difference: too few progressed or did not, or arms follow from other terms"
            )
        elif model and model.is_penalised:
            notes[rule.name] = (
                "a term separates progressors from others: the adjusted risk difference is from Firth's "
                "penalised logistic model"
            )
        for code, row in enumerate(comparisons, start=1):
            used = chosen.pair(code) & known
            row["progressors"][rule.name] = _shares(chosen, flag, used, code) | {
                "adjusted_risk_difference": _risk(model, code - 1)
            }
    return notes


def _shares(chosen: _Patients, flag: np.ndarray, used: np.ndarray, code: int) -> dict[str, Any]:
    counts = tables(flag[used], chosen.arm[used] == code, chosen.stratum[used])
    test = cmh_test(counts)
    cmh = {name: _plain(getattr(test, name)) for name in ("chi_square", "p", "exact_p", "strata", "n")}
    return {"cmh": cmh, "risk_difference": common_risk_difference(counts)}


def _risk(model: StandardisedRisk | None, place: int) -> dict[str, Any]:
    if model is None:
        return dict.fromkeys(("estimate", "se", "p", "method")) | {"ci": [None, None]}
    found = model.differences[place]
    method = "Firth" if model.is_penalised else "maximum likelihood"
    return {
        "estimate": found.estimate, "se": found.se, "p": number(found.p), "method": method,
        "ci": [number(found.low), number(found.high)],
    }  # fmt: skip


def _adjust(
    comparisons: list[dict[str, Any]], joint: JointAncova | None, options: AdjustedOptions
) -> dict[str, str]:
    """Adds ``p_adjusted`` beside every p; Dunnett's for the ANCOVA alone."""
    assert options.adjust is not None
    if options.adjust == "dunnett":
        if joint is not None:
            found = dunnett_p(joint.differences / joint.errors, joint.correlation, joint.df)
            for row, of_means in zip(comparisons, found, strict=True):
                row["ancova"]["p_adjusted"] = of_means
        return {
            "adjust": "Dunnett's test is of means (ANCOVA); p-values by ranks and of progressors stay raw"
        }
    order = [row["a"] for row in comparisons]
    given = [order.index(name) for name in options.order] if options.order else list(range(len(order)))
    families: list[list[dict[str, Any]]] = [[row[name] for row in comparisons] for name in TESTS]
    for rule in comparisons[0]["progressors"] if comparisons else ():
        for name in ("cmh", "adjusted_risk_difference"):
            families.append([row["progressors"][rule][name] for row in comparisons])
    for family in families:
        values = adjusted_p([family[place]["p"] for place in given], options.adjust)
        for place, value in zip(given, values, strict=True):
            family[place]["p_adjusted"] = value
    return {"adjust": "over arms, within each test and definition; not over tests, definitions or visits"}


def _few(chosen: _Patients) -> dict[str, str]:
    """That the models have many terms for so few patients."""
    terms = 1 + chosen.x.shape[1] + len(chosen.arms) - 1
    if len(chosen.arm) >= PATIENTS_PER_TERM * terms or len(chosen.arms) < 2:
        return {}
    said = f"{len(chosen.arm)} patients for {terms} coefficients of ANCOVA and the logistic model"
    return {"few patients": f"{said}: leave strata or covariates out, or take their estimates as rough"}


def _lonely_strata(chosen: _Patients) -> dict[str, str]:
    """Strata that hold no patient of the reference, or of it alone: they add nothing to tests by stratum."""
    lonely = [
        name for name in np.unique(chosen.stratum)
        if len(np.unique(chosen.arm[chosen.stratum == name])) < len(chosen.arms)
    ]  # fmt: skip
    if not lonely or len(chosen.arms) < 2:
        return {}
    more = f" and {len(lonely) - SHOWN} more" if len(lonely) > SHOWN else ""
    return {
        "strata": f"not every arm has patients in {', '.join(map(str, lonely[:SHOWN]))}{more}: tests by "
        "stratum compare there only those arms that have"
    }


def _sizes(chosen: _Patients) -> dict[str, dict[str, int]]:
    """Patients by stratum and arm."""
    return {
        str(name): {
            arm: int(((chosen.stratum == name) & (chosen.arm == code)).sum())
            for code, arm in enumerate(chosen.arms)
        }
        for name in np.unique(chosen.stratum)
    }
