"""Errors of readers from their grades: known ones are found again, and figures by hand."""

import numpy as np
import pytest
from scipy.stats import norm

from core.agreement.bootstrap import SEED
from core.agreement.grades.kappa import kappa
from core.agreement.reader_errors.latent import (
    Fitted,
    Grades,
    expected_kappa,
    fit_errors,
    grade_chances,
    shown,
    slopes,
)
from core.agreement.reader_errors.patient import patient_spread
from core.agreement.reader_model import Bootstrap
from core.errors import InputError

SHIFT, SPREAD = (0.1, -0.04, -0.06), (0.35, 0.5, 0.4)


def drawn(
    seed: int,
    *,
    patients: int = 150,
    sites: int = 42,
    shift: tuple[float, ...] = SHIFT,
    spread: tuple[float, ...] = SPREAD,
    patient: float = 0.15,
    maximum: int = 5,
) -> Grades:
    """Half of the sites have nothing, the others a severity that is not uniform."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(patients), sites)
    severity = np.where(rng.random(len(who)) < 0.5, 0, rng.gamma(1.2, 1.2, len(who)))
    severity = np.minimum(severity, maximum + 0.99)
    given = []
    for bias, width in zip(shift, spread, strict=True):
        own = rng.normal(0, patient, patients)[who] if patient else 0.0
        error = own + rng.normal(0, np.sqrt(width**2 - patient**2), len(who))
        given.append(np.clip(np.floor(severity + bias + error), 0, maximum))
    return Grades(np.array(given).T, who, maximum)


def test_shifts_and_spreads_are_found_again():
    tables = {"erosion": drawn(1), "jsn": drawn(2, maximum=4)}
    found = shown(fit_errors(tables), ["R1", "R2", "R3"])
    for name, shift, spread in zip(found, SHIFT, SPREAD, strict=True):
        assert found[name]["shift"]["estimate"] == pytest.approx(shift, abs=0.03)
        assert found[name]["spread"]["estimate"] == pytest.approx(spread, abs=0.04)
        low, high = found[name]["spread"]["ci"]
        assert low < found[name]["spread"]["estimate"] < high and high - low < 0.1


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    hits = []
    for seed in range(40):
        fitted = fit_errors({"erosion": drawn(seed, patients=40, sites=20)})
        low, high = fitted.intervals["spread"]
        hits += [(low <= SPREAD) & (np.array(SPREAD) <= high)]
        low, high = fitted.intervals["shift"]
        hits += [(low <= SHIFT) & (np.array(SHIFT) <= high)]
    assert 0.87 < np.mean(hits) <= 1


def test_the_gradient_is_that_of_the_likelihood():
    from core.agreement.reader_errors.latent import _loss, _Part

    parts = [_Part.of("erosion", drawn(3, patients=10)), _Part.of("jsn", drawn(4, patients=10, maximum=4))]
    at = np.concatenate([[0.1, -0.2], np.log(SPREAD), *[part.start() for part in parts]])
    _, slope = _loss(at, parts)
    for place in range(len(at)):
        step = np.zeros(len(at))
        step[place] = 1e-5
        numeric = (_loss(at + step, parts)[0] - _loss(at - step, parts)[0]) / 2e-5
        assert slope[place] == pytest.approx(numeric, abs=1e-6)


@pytest.mark.parametrize("patient", [0.0, 0.1, 0.25])
def test_what_is_the_same_over_a_patient_is_found_again(patient):
    tables = {"erosion": drawn(5, patient=patient)}
    found = patient_spread(fit_errors(tables), tables)
    assert found["estimate"] == pytest.approx(patient, abs=0.035)
    low, high = found["ci"]
    assert low - 0.005 <= patient <= high


def test_two_readers_have_one_spread():
    table = drawn(6, shift=(0.05, -0.05), spread=(0.4, 0.4))
    fitted = fit_errors({"erosion": table})
    assert fitted.spread[0] == fitted.spread[1]
    assert fitted.spread[0] == pytest.approx(0.4, abs=0.04)
    assert fitted.shift.sum() == pytest.approx(0)


def test_a_site_that_one_reader_left_out_counts_for_the_others():
    table = drawn(7)
    gaps = table.given.copy()
    gaps[::2, 0] = np.nan
    gaps[1::4, 1] = np.nan
    fitted = fit_errors({"erosion": Grades(gaps, table.patients, 5)})
    assert fitted.spread == pytest.approx(SPREAD, abs=0.06)
    assert fitted.sites == len(gaps)
    gaps[:, 1] = np.where(np.isnan(gaps[:, 0]), np.nan, gaps[:, 1])
    assert fit_errors({"erosion": Grades(gaps, table.patients, 5)}).sites < len(gaps)


def test_the_kappa_of_the_errors_is_the_one_that_is_seen():
    table = drawn(8, patients=300)
    fitted = fit_errors({"erosion": table})
    for one, other in ((0, 1), (0, 2), (1, 2)):
        counts = np.zeros((6, 6))
        np.add.at(counts, (table.given[:, one].astype(int), table.given[:, other].astype(int)), 1)
        seen = kappa(counts, np.arange(6), "quadratic")["estimate"]
        assert expected_kappa(fitted, "erosion", one, other) == pytest.approx(seen, abs=0.01)


def test_chances_of_grades_by_hand():
    chance = grade_chances(np.array([0.5]), 0.2, 0.4, 2)[0]
    below_one, below_two = norm.cdf((1 - 0.7) / 0.4), norm.cdf((2 - 0.7) / 0.4)
    assert chance == pytest.approx([below_one, below_two - below_one, 1 - below_two])
    rise = (
        grade_chances(np.array([0.5]), 0.2 + 1e-5, 0.4, 2)
        - grade_chances(np.array([0.5]), 0.2 - 1e-5, 0.4, 2)
    ) @ [0, 1, 2]
    assert slopes(np.array([0.5]), 0.2, 0.4, 2)[0] == pytest.approx(rise[0] / 2e-5)


def test_what_cannot_be_fitted_is_said():
    who = np.arange(6)
    alone = np.column_stack([np.arange(6.0) % 3, np.full(6, np.nan)])
    with pytest.raises(InputError, match="two readers graded"):
        fit_errors({"erosion": Grades(alone, who, 5)})
    third = np.column_stack([np.arange(6.0) % 3, np.arange(6.0) % 2, np.full(6, np.nan)])
    with pytest.raises(InputError, match="reader 3"):
        fit_errors({"erosion": Grades(third, who, 5)})
    with pytest.raises(InputError, match="all grades are equal"):
        fit_errors({"erosion": Grades(np.zeros((6, 2)), who, 5)})
    with pytest.raises(InputError, match="0 to 5"):
        fit_errors({"erosion": Grades(np.full((6, 2), 7.0), who, 5)})


def test_no_interval_of_one_patient_and_no_patient_part_without_two_sites():
    table = drawn(9, patients=1, sites=200, patient=0.0)
    found = shown(fit_errors({"erosion": table}), ["R1", "R2", "R3"])
    assert found["R1"]["spread"]["ci"] == [None, None]
    scattered = Grades(table.given, np.arange(200), 5)
    fitted = fit_errors({"erosion": scattered})
    assert patient_spread(fitted, {"erosion": scattered})["estimate"] is None


def test_the_same_numbers_whatever_the_order():
    table = drawn(10, patients=30)
    mixed = np.random.default_rng(SEED).permutation(len(table.given))
    other = Grades(table.given[mixed], table.patients[mixed], 5)
    one, two = (fit_errors({"erosion": each}) for each in (table, other))
    assert isinstance(one, Fitted)
    assert one.spread == pytest.approx(two.spread, abs=1e-4)
    bootstrap = Bootstrap(draws=200)
    first = patient_spread(one, {"erosion": table}, bootstrap=bootstrap)
    second = patient_spread(two, {"erosion": other}, bootstrap=bootstrap)
    assert first["estimate"] == pytest.approx(second["estimate"], abs=1e-3)
