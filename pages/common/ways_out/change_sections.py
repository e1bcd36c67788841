"""What each section of an analysis of change did, in sentences for a paper; nothing that was not done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.progression.arms.multiplicity import WORDS
from core.progression.estimands.strategies import STRATEGY, VARIANCE
from core.report.formatting import definition, listed

MODELS = {
    "compare": "Two arms were compared by mean change, ANCOVA, the Hodges-Lehmann shift, van Elteren's test "
    "and rank ANCOVA",
    "mixed": "Slopes per year were estimated by a mixed model",
    "gee": "Slopes per year were estimated by generalised estimating equations with robust errors",
    "logistic": "Progressors were analysed by logistic regression",
    "negbin": "Steps of change were analysed by negative binomial regression",
    "hurdle": "Any change, and its size where there was any, were analysed by a hurdle model",
    "time": "Time to first progression was analysed as interval-censored",
}


def adjusted_methods(found: Mapping[str, Any], *, has_p: bool) -> str:
    """The comparison of arms within strata and at equal covariates.

    found: ``arms.adjusted_readings``. has_p: p-values are given, as for the full set of patients alone.
    """
    terms = [*found["strata"], *found["covariates"]]
    within = f" within strata of {listed(found['strata'])}" if found["strata"] else ""
    terms_said = listed(["arm", "baseline", *terms])
    also = f" and {listed(found['covariates'])}" if found["covariates"] else ""
    said = [
        f"Arms were compared with {found['reference_arm']} by ANCOVA of change with "
        f"{terms_said}"
        + (f", by van Elteren's test{within} and by rank ANCOVA cleared of baseline{also}" if has_p else "")
        + f" (n = {found['n']}, {len(found['left_out'])} left out for a missing value).",
        f"Proportions of progressors were compared by the Mantel-Haenszel risk difference{within} with score "
        "intervals"
        + (" and the Cochran-Mantel-Haenszel test" if has_p else "")
        + f", and by a logistic model with {terms_said}, standardised to all patients.",
    ]
    if not found["strata"]:
        said.append("No strata were used.")
    if found["adjust"] and has_p:
        said.append(f"P-values allow for several arms by {WORDS[found['adjust']].partition(':')[0]}.")
    if not has_p:
        said.append("Patients are a subset, so no p-value is given.")
    return " ".join(said)


def model_methods(fitted: Mapping[str, Mapping[str, Any]], *, has_p: bool) -> str:
    """The models that were fitted, by name; one that failed is said as such."""
    said = [_mmrm(result) if name == "mmrm" else _model(name, result) for name, result in fitted.items()]
    if said and not has_p:
        said.append("Patients are a subset, so no p-value is given.")
    return " ".join(said)


def _mmrm(result: Mapping[str, Any]) -> str:
    if "failed" in result:
        return f"An MMRM was not fitted: {result['failed']}."
    adjust = (
        f"; p-values adjusted by {result['adjust_words'].partition(':')[0]}" if result.get("adjust") else ""
    )
    return (
        f"Change at every visit was analysed by an MMRM ({result['formula']}; "
        f"{result['covariance_structure']} covariance, REML, Kenward-Roger degrees of freedom{adjust}; "
        f"{result['n_subjects']} patients)."
    )


def _model(name: str, result: Mapping[str, Any]) -> str:
    if "failed" in result:
        return f"{MODELS[name]}: not fitted, {result['failed']}."
    return f"{MODELS[name]} ({result['formula']}; {result['method']}; {result['n_subjects']} patients)."


def estimand_methods(event: str, strategy: str, rule: str, result: Mapping[str, Any]) -> str:
    """The estimand: event, strategy, and what missing films were taken to be.

    event: column of the intercurrent event, "" for none. rule: of progression, for the composite. result: of
    the strategy, see ``core.progression.estimands.analysis.estimands``.
    """
    named = STRATEGY[strategy]
    of = f" for the intercurrent event “{event}”" if event else "; no intercurrent event was named"
    said = [f"The estimand is {named.title}{of}: {named.text}"]
    if strategy == "composite":
        said.append(
            f"Progression is {definition(rule)}, or the event; proportions have Wilson intervals, their "
            "differences Newcombe's, and arms are compared in ranks with the event as worst."
        )
    elif strategy == "while-on-treatment":
        said.append("Means have t intervals, differences of arms Welch intervals.")
    else:
        taken = "; ".join(one["title"] for one in result["assumptions"])
        tipping = ", with a tipping point of each arm" if result["tipping"] else ""
        said.append(f"Missing films were taken as: {taken}{tipping}. Variance: {VARIANCE}.")
    return " ".join(said)


def subgroup_methods(second: str, first: str, properties: Sequence[str]) -> str:
    """The difference of two arms in subgroups; properties: that make the subgroups."""
    return (
        f"{second} minus {first} was estimated within subgroups of {listed(properties)}, numbers split at "
        "their median, with Welch intervals, not adjusted for the number of subgroups and without p-values."
    )


def sensitivity_methods(rules: Sequence[str], methods: Sequence[str]) -> str:
    """Every rule for missing sites with every method for missing films, by their titles."""
    return (
        f"The result was recomputed under {len(rules)} rules for missing sites ({listed(rules)}) with each "
        f"of {len(methods)} methods for missing films ({listed(methods)}); values imputed once count as "
        "observed."
    )


def part_methods(rule: str) -> str:
    """The same change in every part of the score; rule: the definition of progression."""
    return (
        f"The change was analysed in every part of the score; progression was {definition(rule)}, each part "
        "by its own SDC95."
    )


def response_methods(what: str, result: Mapping[str, Any]) -> str:
    """Standardised response means; what: that are compared. result: ``responsiveness.srm.responses``."""
    return (
        f"{what} were compared by the standardised response mean, mean change over the SD of change, all "
        f"arms together ({result['method']}, {result['draws']:,} draws)."
    )
