"""Names and words: what is done with films after an event, and what missing films are taken to be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Strategy:
    """For an intercurrent event. name: as in options. title: for people. text: the estimand, ICH E9(R1)."""

    name: str
    title: str
    text: str


@dataclass(frozen=True)
class Assumption:
    """For films that are missing. name: as in options. title: for people. text: what is assumed."""

    name: str
    title: str
    text: str


STRATEGIES = (
    Strategy(
        "treatment-policy",
        "treatment policy",
        "Change at the visit whether or not the event occurred: all films count, those after it as well.",
    ),
    Strategy(
        "hypothetical",
        "hypothetical",
        "Change at the visit had the event not occurred: films after it are set aside and modelled from the "
        "films before it.",
    ),
    Strategy(
        "composite",
        "composite",
        "The event is part of the outcome: a patient with the event up to the visit has progressed, and in "
        "the ranks does worse than every patient without it (the earlier event the worse).",
    ),
    Strategy(
        "while-on-treatment",
        "while on treatment",
        "Change up to the event: the last film before it counts, so patients are followed for different "
        "times; the change per year stands beside it.",
    ),
)
STRATEGY = {one.name: one for one in STRATEGIES}

MAR = Assumption(
    "mar",
    "missing at random",
    "A patient without the film goes on like patients of the same arm with the same baseline and the same "
    "earlier films (missing at random).",
)
ASSUMPTIONS = (
    MAR,
    Assumption(
        "j2r",
        "jump to reference (J2R)",
        "After the last film the mean change is that of the reference arm: all benefit so far is lost.",
    ),
    Assumption(
        "cr",
        "copy reference (CR)",
        "The patient is taken to be one of the reference arm all along: benefit at the last film fades as a "
        "deviation from the reference arm does.",
    ),
    Assumption(
        "cir",
        "copy increments in reference (CIR)",
        "After the last film change goes on in parallel to the reference arm: benefit so far stays and no "
        "more comes.",
    ),
)
WEIGHTED = Assumption(
    "weighted",
    "missing at random, weighted",
    "As missing at random, and patients who stayed weigh for those like them who left: right also where only "
    "the model of leaving (by the last change seen, and arm) is. It does better than imputation where "
    "patients left after a large change.",
)
ASSUMPTION = {one.name: one for one in (*ASSUMPTIONS, WEIGHTED)}

VARIANCE = (
    "conditional mean imputation, interval from the jackknife (each patient left out in turn): how the "
    "estimate would vary from study to study. Rubin's rules beside it are the usual ones of multiple "
    "imputation; under reference-based assumptions they overstate that variance (Seaman, White and Leacy "
    "2014), and some want them so (information-anchored: Cro, Carpenter and Kenward 2019)"
)
