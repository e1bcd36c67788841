"""Patients with a latent course of spinal damage, and the mSASSS grades that follow from it.

One latent number a corner, drawn at baseline with correlation within patient, region and unit, rises and
never
falls: real healing of a corner is taken as negligible. Thresholds turn it into a grade and into how far the
corner has advanced within the grade. A bridge belongs to the unit: when the mean of its two facing corners
passes the threshold, bone has grown across and both are grade 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.phantom.seeds import StudySeed
from data.phantom.spine.population import OASIS, REGIONS, SITES, UNITS, Population

ARMS = ("Placebo", "Active")
CENTRES = ("Centre 1", "Centre 2", "Centre 3", "Centre 4")
WEEKS_BETWEEN_VISITS = 52
BLOCK = 4  # patients of a randomisation block, half of them on each arm
START_YEAR = 2019
MEDIAN_CRP = 9.0  # mg/l
LEVEL = np.array([0.2, -0.05, 0.0, 0.15, 0.1, -0.4, 0.35, 0.25, 0.0, -0.1, -0.1, -0.4])  # unit, cranial first
REGION = np.repeat([0, 1], UNITS // 2)
NEAR = 0.45  # latent distance below the first threshold at which a normal corner has 1/e of its extent left
REACH = 0.6  # latent distance over which a syndesmophyte, or a bridge, gains 63% of its extent


@dataclass(frozen=True)
class Course:
    """The study as numbers, before anybody took or read a film.

    subjects: subject, arm, sex (F, M), birth_year, centre.
    visits: subject, visit, visit_order (from 1), planned_day, day (days from baseline).
    covariates: subject, visit (NA: a property of the subject), name, number, text, unit.
    truth: subject, visit, site, grade (0..3), extent (0 to below 1, how far advanced within the grade).
    severity: grade + extent as an array, shape (patients, visits, 24 corners).
    """

    subjects: pd.DataFrame
    visits: pd.DataFrame
    covariates: pd.DataFrame
    truth: pd.DataFrame
    severity: np.ndarray


def simulate(
    study: StudySeed, patients: int, visits: int = 3, population: Population = OASIS, *, first: int = 1
) -> Course:
    """The course of patients ``first`` to ``first + patients - 1`` over visits 52 weeks apart.

    A patient does not depend on how many others there are, nor an earlier visit on later ones.
    """
    numbers = range(first, first + patients)
    draws = stack([draw_patient(study, number, visits, population) for number in numbers])
    severity = severity_course(draws, population)
    names = [study.subject(number) for number in numbers]
    return Course(
        subjects=_subjects(names, draws),
        visits=_visits(names, draws),
        covariates=_covariates(names, draws),
        truth=truth_frame(names, visit_codes(visits), severity),
        severity=severity,
    )


def visit_codes(visits: int) -> list[str]:
    """BL, W52, W104 ..."""
    return ["BL"] + [f"W{WEEKS_BETWEEN_VISITS * order}" for order in range(1, visits)]


def truth_frame(subjects: list[str], visits: list[str], severity: np.ndarray) -> pd.DataFrame:
    """Severity as rows: subject, visit, site, grade, extent."""
    patients, orders, corners = severity.shape
    grade = np.minimum(np.floor(severity), 3).astype(np.int64)
    return pd.DataFrame(
        {
            "subject": np.repeat(subjects, orders * corners),
            "visit": np.tile(np.repeat(visits, corners), patients),
            "site": np.tile(SITES, patients * orders),
            "grade": grade.ravel(),
            "extent": (severity - grade).ravel(),
        }
    )


def draw_patient(study: StudySeed, number: int, visits: int, population: Population) -> dict[str, np.ndarray]:
    """All random numbers of one patient, in a fixed order: first the person, then visit by visit."""
    rng = study.rng(number, "course")
    growth = population.growth
    drawn: dict[str, object] = {
        "arm": arm_of(study, number),
        "centre": rng.integers(len(CENTRES)),
        "male": rng.random() < population.male_share,
        "b27": rng.random() < population.b27_share,
        "onset_age": np.clip(rng.normal(27.0, 7.0), 14.0, 45.0),
        "duration": np.clip(rng.gamma(2.2, 6.5), 0.5, 42.0),
        "log_crp": rng.normal(np.log(MEDIAN_CRP), 1.0),
        "patient": rng.normal(),
        "region": rng.normal(size=len(REGIONS)),
        "unit": rng.normal(size=UNITS),
        "corner": rng.normal(size=len(SITES)),
        "pace": rng.normal(),
    }
    per_visit: list[dict[str, np.ndarray]] = [
        {
            "crp_noise": np.asarray(rng.normal(0.0, 0.5)),
            "day_noise": np.asarray(rng.normal(0.0, 7.0)),
            "burst": np.asarray(rng.gamma(growth.burst) / growth.burst),
            "unit_burst": rng.gamma(growth.unit_burst, size=UNITS) / growth.unit_burst,
            "corner_burst": rng.gamma(growth.corner_burst, size=len(SITES)) / growth.corner_burst,
        }
        for _ in range(visits)
    ]
    later = {name: np.stack([visit[name] for visit in per_visit]) for name in per_visit[0]}
    return {name: np.asarray(value) for name, value in drawn.items()} | later


def stack(draws: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The draws of all patients, first axis patients."""
    return {name: np.stack([one[name] for one in draws]) for name in draws[0]}


def arm_of(study: StudySeed, number: int) -> int:
    """Index into ARMS by permuted blocks, so that arms stay balanced however many patients there are."""
    block, place = divmod(number - 1, BLOCK)
    return int(study.rng(block, "arm").permutation(BLOCK)[place] % len(ARMS))


def severity_course(draws: dict[str, np.ndarray], population: Population) -> np.ndarray:
    """Severity (grade + extent), shape (patients, visits, corners); never falls over visits."""
    latent = baseline_latent(draws, population)
    visits = draws["burst"].shape[1]
    course = [severity_of(latent, population)]
    crp = log_crp(draws)
    for order in range(1, visits):
        latent = latent + _rise(course[-1], draws, crp, order, population)
        course.append(np.maximum(severity_of(latent, population), course[-1]))
    return np.stack(course, axis=1)


def baseline_latent(draws: dict[str, np.ndarray], population: Population) -> np.ndarray:
    """Latent severity at the first visit, shape (patients, corners)."""
    base = population.baseline
    known = (
        base.male * (draws["male"] - population.male_share)
        + base.duration * _standard(np.log(draws["duration"]), 2.4, 0.75)
        + base.b27 * (draws["b27"] - population.b27_share)
        + base.crp * (draws["log_crp"] - np.log(MEDIAN_CRP))
    )
    unknown = np.sqrt(max(0.05, 1.0 - base.male**2 / 4 - base.duration**2 - base.b27**2 / 8 - base.crp**2))
    patient = known + unknown * draws["patient"]
    unit = (
        np.sqrt(base.patient) * patient[:, None]
        + np.sqrt(base.region) * draws["region"][:, REGION]
        + np.sqrt(base.unit) * _neighbours(draws["unit"], base.neighbour)
        + LEVEL
    )
    rest = np.sqrt(1.0 - base.patient - base.region - base.unit)
    return base.shift + np.repeat(unit, 2, axis=1) + rest * draws["corner"]


def severity_of(latent: np.ndarray, population: Population) -> np.ndarray:
    """Severity from 0 to below 4 of latent values, shape (patients, corners)."""
    base = population.baseline
    erosion, syndesmophyte = (_per_corner(cut) for cut in (base.erosion, base.syndesmophyte))
    bridge = np.asarray(base.bridge)[REGION]
    normal = np.exp(np.minimum(latent - erosion, 0.0) / NEAR) * 0.999
    eroded = 1.0 + np.clip((latent - erosion) / (syndesmophyte - erosion), 0.0, 0.999)
    grown = 2.0 + 0.999 * (1.0 - np.exp(-np.maximum(latent - syndesmophyte, 0.0) / REACH))
    open_unit = np.where(latent < erosion, normal, np.where(latent < syndesmophyte, eroded, grown))
    pair = latent.reshape(len(latent), UNITS, 2)
    middle = pair.mean(axis=2) - bridge
    across = (middle > 0.0) & (pair > erosion.reshape(UNITS, 2)).all(axis=2)
    bridged = 3.0 + 0.999 * (1.0 - np.exp(-np.maximum(middle, 0.0) / REACH))
    return np.where(np.repeat(across, 2, axis=1), np.repeat(bridged, 2, axis=1), open_unit)


def log_crp(draws: dict[str, np.ndarray]) -> np.ndarray:
    """Logarithm of CRP (mg/l), shape (patients, visits); active treatment halves it after baseline."""
    treated = np.asarray(np.where(draws["arm"] == ARMS.index("Active"), np.log(0.5), np.log(0.9)))
    change = treated[:, None] * (np.arange(draws["crp_noise"].shape[1]) > 0)
    noise = draws["crp_noise"].copy()
    noise[:, 0] = 0.0
    return draws["log_crp"][:, None] + change + noise


def _rise(
    severity: np.ndarray, draws: dict[str, np.ndarray], crp: np.ndarray, order: int, population: Population
) -> np.ndarray:
    """Rise of the latent severity before visit ``order``, shape (patients, corners), never negative."""
    growth = population.growth
    pace = np.exp(
        growth.rate
        + growth.male * draws["male"]
        + growth.crp * ((crp[:, order - 1] + crp[:, order]) / 2 - np.log(MEDIAN_CRP))
        + growth.syndesmophytes * np.log1p((severity >= 2.0).sum(axis=1))
        + growth.patient * draws["pace"]
    )
    pace = (
        pace * np.where(draws["arm"] == ARMS.index("Active"), growth.active, 1.0) * draws["burst"][:, order]
    )
    relative = np.select([severity < 1.0, severity < 2.0], [growth.clean, growth.eroded], 1.0)
    local = np.repeat(draws["unit_burst"][:, order], 2, axis=1) * draws["corner_burst"][:, order]
    return pace[:, None] * relative * local


def _per_corner(cut: tuple[tuple[float, float], tuple[float, float]]) -> np.ndarray:
    """Thresholds per region and corner of a pair, spread over the 24 corners."""
    return np.concatenate([np.tile(pair, UNITS // 2) for pair in cut])


def _standard(values: np.ndarray, mean: float, spread: float) -> np.ndarray:
    return np.clip((values - mean) / spread, -3.0, 3.0)


def _neighbours(independent: np.ndarray, correlation: float) -> np.ndarray:
    """First-order autoregression along the units of each region, variance kept at 1."""
    linked = independent.copy()
    for unit in range(1, UNITS):
        if REGION[unit] == REGION[unit - 1]:
            linked[:, unit] = (
                correlation * linked[:, unit - 1] + np.sqrt(1 - correlation**2) * linked[:, unit]
            )
    return linked


def _subjects(names: list[str], draws: dict[str, np.ndarray]) -> pd.DataFrame:
    age = draws["onset_age"] + draws["duration"]
    return pd.DataFrame(
        {
            "subject": names,
            "arm": np.array(ARMS)[draws["arm"]],
            "sex": np.where(draws["male"], "M", "F"),
            "birth_year": (START_YEAR - age).astype(np.int64),
            "centre": np.array(CENTRES)[draws["centre"]],
        }
    )


def _visits(names: list[str], draws: dict[str, np.ndarray]) -> pd.DataFrame:
    patients, visits = draws["day_noise"].shape
    order = np.arange(visits)
    planned = order * WEEKS_BETWEEN_VISITS * 7
    day = planned + np.rint(np.clip(draws["day_noise"], -20, 20)) * (order > 0)
    return pd.DataFrame(
        {
            "subject": np.repeat(names, visits),
            "visit": np.tile(visit_codes(visits), patients),
            "visit_order": np.tile(order + 1, patients),
            "planned_day": np.tile(planned, patients),
            "day": day.astype(np.int64).ravel(),
        }
    )


def _covariates(names: list[str], draws: dict[str, np.ndarray]) -> pd.DataFrame:
    patients, visits = draws["crp_noise"].shape
    of_subject = pd.concat(
        [
            _covariate(names, "HLA-B27", text=np.where(draws["b27"], "positive", "negative")),
            _covariate(names, "symptom duration", number=np.round(draws["duration"], 1), unit="years"),
            _covariate(names, "age", number=np.floor(draws["onset_age"] + draws["duration"]), unit="years"),
        ]
    )
    crp = _covariate(
        list(np.repeat(names, visits)), "CRP", number=np.round(np.exp(log_crp(draws)), 1).ravel(), unit="mg/l"
    )
    crp["visit"] = np.tile(visit_codes(visits), patients)
    return pd.concat([of_subject, crp], ignore_index=True)


def _covariate(
    names: list[str],
    name: str,
    *,
    number: np.ndarray | None = None,
    text: np.ndarray | None = None,
    unit: str | None = None,
) -> pd.DataFrame:
    """Rows of one covariate of subjects, the visit left empty."""
    frame = pd.DataFrame({"subject": names, "visit": pd.NA, "name": name})
    frame["number"] = np.nan if number is None else number
    frame["text"] = pd.NA if text is None else text
    frame["unit"] = pd.NA if unit is None else unit
    return frame
