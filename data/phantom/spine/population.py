"""Populations of the phantom study: what the latent course is drawn from.

Numbers are in the units of the latent scale of ``course`` (a standard normal over corners at baseline)
unless said otherwise; ``calibrate`` fits them, ``docs/phantom-study.md`` shows what comes out beside the
published figures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.scores.msasss import MSASSS

SITES = tuple(
    site.code for site in MSASSS.sites
)  # cranial to caudal; 2u and 2u + 1 face each other in unit u
UNITS = len(SITES) // 2
REGIONS = MSASSS.total_blocks


@dataclass(frozen=True)
class Baseline:
    """Damage at the first visit.

    shift: added to the latent severity of everybody (population with more or less damage).
    patient, region, unit: shares of the variance between patients, regions of a patient, units of a region;
    the rest is between the two corners of a unit.
    neighbour: correlation of neighbouring units of a region.
    erosion, syndesmophyte: thresholds per region and corner (upper vertebra's, lower vertebra's).
    bridge: threshold of the mean of both corners per region.
    male, duration, b27, crp: effects on the patient's severity per standard deviation (male, b27: yes
    against no).
    """

    shift: float
    patient: float
    region: float
    unit: float
    neighbour: float
    erosion: tuple[tuple[float, float], tuple[float, float]]
    syndesmophyte: tuple[tuple[float, float], tuple[float, float]]
    bridge: tuple[float, float]
    male: float = 0.45
    duration: float = 0.45
    b27: float = 0.15
    crp: float = 0.15


@dataclass(frozen=True)
class Growth:
    """How fast latent severity rises over 52 weeks.

    rate: logarithm of the rise of a corner with a syndesmophyte in a woman with median CRP, no other damage.
    clean, eroded: rate of a corner of grade 0 and 1 relative to one of grade 2.
    male, crp (per unit of the logarithm of CRP), syndesmophytes (per logarithm of 1 + their number):
    predictors.
    patient: spread of the logarithm of the rate between patients.
    burst, unit_burst, corner_burst: shapes of the gamma factors (mean 1) of a patient, unit and corner in one
    interval; the smaller, the more the course goes in jumps.
    active: rate on the active arm relative to placebo, before its effect through CRP.
    """

    rate: float
    clean: float
    eroded: float
    male: float
    crp: float
    syndesmophytes: float
    patient: float
    burst: float
    unit_burst: float
    corner_burst: float
    active: float = 0.6


@dataclass(frozen=True)
class Population:
    """A named set of parameters for the course."""

    name: str
    baseline: Baseline
    growth: Growth
    male_share: float = 0.70
    b27_share: float = 0.84


# A placebo arm that progresses as OASIS, and an active arm at half its rate; damage at baseline that of
# OASIS.
OASIS = Population(
    "oasis",
    Baseline(
        shift=0.0,
        patient=0.71,
        region=0.07,
        unit=0.12,
        neighbour=0.5,
        erosion=((0.540, 0.602), (0.552, 0.573)),
        syndesmophyte=((0.915, 1.270), (1.089, 1.093)),
        bridge=(1.825, 1.595),
    ),
    Growth(
        rate=-3.83,
        clean=0.52,
        eroded=0.7,
        male=0.35,
        crp=0.3,
        syndesmophytes=0.25,
        patient=0.72,
        burst=0.75,
        unit_burst=0.7,
        corner_burst=1.0,
        active=0.5,
    ),
)

# Published cohorts beside which the same readers are shown (docs/phantom-study.md), all treated alike.
SURPASS = replace(
    OASIS,
    name="surpass",
    baseline=replace(OASIS.baseline, shift=0.28),
    growth=replace(OASIS.growth, rate=-4.6, active=1.0),
)
GESPIC = replace(
    OASIS,
    name="gespic",
    baseline=replace(OASIS.baseline, shift=-0.75),
    growth=replace(OASIS.growth, rate=-3.55, active=1.0),
)
# Every grade in every region about as often as in the hospital set, so that a model sees enough of each.
HOSPITAL = replace(
    OASIS,
    name="hospital",
    baseline=replace(
        OASIS.baseline,
        patient=0.45,
        region=0.10,
        unit=0.20,
        erosion=((-1.659, -1.206), (-1.620, -1.438)),
        syndesmophyte=((-0.204, 0.437), (0.111, 0.130)),
        bridge=(1.201, 0.905),
    ),
)
