"""One plain sentence for each agreement figure, for a clinician; numbers as in the result, nothing judged.

Cut-offs such as "good" or "excellent" are left out on purpose: the same ICC is high or low with the spread of
the patients, so the sentence says what the number is a proportion of, and the figure shows readers beside it.
"""

from __future__ import annotations

from typing import Any

from core.agreement.estimate import Estimate
from core.ties import TIE

FEW_PATIENTS = 10  # below it numbers stand with their intervals, and nothing is concluded from them


def icc_sentence(form: str, value: Estimate, *, what: str) -> str:
    """What an ICC says. what: the ratings, such as "change of the total, baseline to W104"."""
    if value["estimate"] is None:
        return f"{form} of {what} cannot be computed."
    share = f"{max(value['estimate'], 0):.0%}"
    consistency = form.startswith("ICC(C")
    rest = "error, a constant difference between readers left out" if consistency else "readers and error"
    return (
        f"{form} {_with_interval(value)}: {share} of the variance of {what} is difference between patients,"
        f" the rest is {rest}."
    )


def limits_sentence(block: dict[str, Any], first: str, second: str, unit: str) -> str:
    """What bias and limits of agreement say. block: ``bland_altman`` of an agreement result."""
    bias, loa = block["bias"]["estimate"], block["loa"]
    if bias is None or loa["lower"]["estimate"] is None:
        return f"{first} and {second} share too few patients for limits of agreement."
    low, high = block["bias"]["ci"]
    sure = "" if low is None or low <= 0 <= high else " (significant)"
    more = (
        "the same as"
        if abs(bias) < 0.005
        else f"{abs(bias):.2f} {unit} {'more' if bias > 0 else 'less'} than"
    )
    if block["n"] < FEW_PATIENTS:
        return f"On average {first} gives {more} {second}; {too_few(block['n'])} for limits of agreement."
    return (
        f"On average {first} gives {more} {second}{sure}; 95% limits of agreement"
        f" {_signed(loa['lower']['estimate'])} to {_signed(loa['upper']['estimate'])} {unit}."
    )


def kappa_sentence(value: Estimate, exact: float | None, near: float | None) -> str:
    """What a quadratic kappa says, with the plain proportions beside it."""
    if exact is None or near is None:
        return "No site was graded by both."
    shares = f"The same grade in {exact:.0%}, at most one apart in {near:.0%}"
    if value["estimate"] is None:
        return f"{shares}; kappa cannot be computed where both always give one grade."
    return f"{shares}; quadratic kappa {_with_interval(value)}."


def index_sentence(found: dict[str, Any], unit: str) -> str:
    """What the interchangeability index says; a verdict only against a preset margin."""
    index = found["index"]
    if index["estimate"] is None:
        return "Whether the model is as good as a reader is unknown: " + _reason(found, "index") + "."
    if found["subjects"] < FEW_PATIENTS:
        what = f"Index {_with_interval(index)} in squared {unit}: {too_few(found['subjects'])} for a verdict"
        return f"{what}; there is no interval." if index["ci"][0] is None else f"{what}."
    side, high = index_side(index), index["ci"][1]
    if high is None:
        what = (
            f"In these {found['subjects']:,} patients the model is {side}: index {_signed(index['estimate'])}"
        )
        return f"{what} in squared {unit}. No verdict: {no_interval(found)}."
    text = f"The model is {side}: index {_with_interval(index)} in squared {unit}"
    if found["margin"] is None:
        return f"{text}. No margin was preset, so there is no verdict."
    if found["equivalent"] is None:
        return f"{text}. No verdict: {_reason(found, 'equivalent')}."
    verdict = "within" if found["equivalent"] else "not shown to be within"
    caution = found["notes"].get("equivalent", "")
    more = f" {caution[0].upper()}{caution[1:]}." if caution and found["equivalent"] else ""
    return f"{text}: {verdict} the preset margin of {found['margin']:g}.{more}"


def index_side(index: Estimate) -> str:
    """How far the model is from the readers, beside how far they are from each other. index: the estimate."""
    if abs(index["estimate"]) < TIE:
        return "as far from the readers as they are from each other"
    side = "further from" if index["estimate"] > 0 else "nearer to"
    low, high = index["ci"]
    sure = " (not significant)" if low is not None and high is not None and low <= 0 <= high else ""
    return f"{side} the readers than they are to each other{sure}"


def no_interval(found: dict[str, Any]) -> str:
    """Why an interchangeability index has no interval."""
    return f"there is no interval, since {found['notes'].get('index', 'none was asked for')}"


def false_change_sentence(found: dict[str, Any]) -> str:
    """How often the model sees a change that no reader sees, beside the readers' own rate."""
    model = found["model"]
    if not model["cases"]:
        return "In no case did all readers see no change, so false changes cannot be counted."
    rates = [value["false_change"]["estimate"] for value in found["readers"].values()]
    known = sorted(rate for rate in rates if rate is not None)
    own = "" if not known else f"; readers against each other {_range(known)}"
    cases = f"{model['cases']:,} {'case' if model['cases'] == 1 else 'cases'}"
    return (
        f"Of {cases} in which no reader sees a change the model sees one in"
        f" {_count(model, 'false_change')} (an improvement in {_count(model, 'false_improvement')}){own}."
    )


def _count(model: dict[str, Any], what: str) -> str:
    return f"{round(model[what]['estimate'] * model['cases']):,}"


def too_few(patients: int) -> str:
    """That so many patients say nothing yet."""
    one = "patient is" if patients == 1 else "patients are"
    return f"{patients} {one} too few ({FEW_PATIENTS} are needed)"


def _with_interval(value: Estimate) -> str:
    low, high = value["ci"]
    if low is None or high is None:
        return f"{value['estimate']:.2f} (no interval)".replace("-", "−")
    return f"{value['estimate']:.2f} (95% CI {low:.2f} to {high:.2f})".replace("-", "−")


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _range(rates: list[float]) -> str:
    low, high = f"{rates[0]:.0%}", f"{rates[-1]:.0%}"
    return low if low == high else f"{low} to {high}"


def _reason(found: dict[str, Any], key: str) -> str:
    return str(found["notes"].get(key, "there is nothing to compare"))
