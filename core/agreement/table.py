"""The agreement result: every statistic of a complete table, in the shape of the command's JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.agreement.batch.comparisons import agree
from core.agreement.bootstrap import DRAWS, SEED
from core.agreement.correlation import concordance, pearson, spearman
from core.agreement.estimate import number
from core.agreement.grades.confusion import MAX_LEVELS, confusion, exact_agreement, within_one
from core.agreement.grades.gwet import gwet
from core.agreement.grades.kappa import CONSTANT, WEIGHTS, kappas
from core.agreement.grades.kendall import kendall_w
from core.agreement.grades.many_raters import many_raters
from core.agreement.grades.two_categories import two_categories
from core.agreement.icc import icc
from core.agreement.intervals.beside import better_intervals
from core.agreement.limits.bland_altman import bland_altman
from core.agreement.limits.ratio_and_rank import percentile_limits, ratio_limits
from core.agreement.limits.regression import regression_limits
from core.agreement.limits.repeated import repeated_limits
from core.agreement.long_table import Ratings
from core.agreement.mixed import mixed_icc
from core.agreement.reader_model import Bootstrap, false_change, interchangeability, leave_one_out
from core.agreement.reader_pool import is_pool, pool_icc
from core.agreement.sem import standard_errors
from core.agreement.verdicts.bias import bias_equivalence
from core.agreement.verdicts.non_inferiority import STATISTICS, non_inferiority
from core.errors import InputError

NOT_GRADES = f"ratings are not whole numbers with at most {MAX_LEVELS} levels: kappas are for grades"
NO_ORDER = "three subjects rated by all are needed, and a rater who tells them apart"


@dataclass(frozen=True)
class Choices:
    """What may be chosen about an agreement result.

    loa_ci: ``exact`` or ``approximate``. draws, seed: of the patient bootstrap.
    model: the rater who is the model, "" for none. margin: preset, for the interchangeability index.
    changes: whether the ratings are changes, so that false change can be counted.
    scale: the grades that could have been given, rising; those that were by default.
    textbook: leave out the intervals that hold better than the textbook forms.
    bias_margin: in score units, for the equivalence of biases. icc_margin, kappa_margin: largest loss of ICC
    and of quadratic kappa that a model may have.
    """

    loa_ci: str = "exact"
    draws: int = DRAWS
    seed: int = SEED
    model: str = ""
    margin: float | None = None
    changes: bool = False
    scale: tuple[float, ...] | None = None
    textbook: bool = False
    bias_margin: float | None = None
    icc_margin: float | None = None
    kappa_margin: float | None = None


def agreement(ratings: Ratings, choices: Choices = Choices()) -> dict[str, Any]:
    """The result of ``sharpline agreement`` for these ratings; with patients named, intervals resample them.

    Raises InputError where ``choices.model`` is not among the raters.
    """
    table = ratings.complete
    n, k = table.shape
    result, notes = _all_raters(table)
    if k == 2:
        two, more = _two_raters(table[:, 0], table[:, 1], choices.loa_ci, choices.scale)
        result, notes = result | two, notes | more
        result["two_categories"] = two_categories(
            table[:, 0], table[:, 1], choices.scale, ratings.clusters, draws=choices.draws, seed=choices.seed
        )
    elif k > 2:
        many, more = _many_raters(ratings, choices)
        result, notes = result | many, notes | more
    result = {"subjects": n, "raters": ratings.raters, "dropped_subjects": ratings.dropped} | result
    if ratings.dropped:
        result["icc_mixed"] = _mixed(ratings)
        if ratings.clusters is not None:
            _without_limits(result["icc_mixed"])
    if ratings.clusters is not None:
        notes |= _resampled(result, table, ratings.clusters, choices)
    if choices.model:
        result["model_as_reader"] = _model(ratings, choices)
    result |= _verdicts(ratings, choices)
    result["intervals"] = None if choices.textbook else _better(result, ratings, choices)
    if not n:
        notes["subjects"] = _no_subject(ratings)
    return result | {"notes": notes, "refused": ratings.refused}


def flat_pair(first: np.ndarray, second: np.ndarray, *, loa_ci: str = "exact") -> dict[str, dict[str, Any]]:
    """Every statistic of two raters as {estimate, ci} by one flat name, such as ``bland_altman.loa.upper``.

    The names are those of ``core.agreement.batch.comparisons``; the intervals come from formulas.
    """
    table = np.column_stack([first, second])
    all_raters, _ = _all_raters(table)
    two, _ = _two_raters(first, second, loa_ci)
    flat: dict[str, dict[str, Any]] = dict(all_raters.pop("icc"))
    _flatten(all_raters | two, "", flat)
    return flat


def _flatten(block: dict[str, Any], prefix: str, flat: dict[str, dict[str, Any]]) -> None:
    """Blocks with an estimate, and bare numbers with the limits beside them, by dotted name."""
    for name, value in block.items():
        if isinstance(value, dict) and "estimate" in value:
            flat[prefix + name] = {"estimate": value["estimate"], "ci": value["ci"]}
        elif isinstance(value, dict) and "slope" in value:
            flat[prefix + name] = {"estimate": value["slope"], "ci": value.get("ci", [None, None])}
        elif isinstance(value, dict):
            _flatten(value, f"{prefix}{name}.", flat)
        elif isinstance(value, float) or value is None:
            flat[prefix + name] = {"estimate": value, "ci": block.get(f"{name}_ci", [None, None])}


def _all_raters(table: np.ndarray) -> tuple[dict[str, Any], dict[str, str]]:
    n, k = table.shape
    found = icc(table)
    squares = found["mean_squares"]
    result = {
        "icc": found["forms"],
        "variance_components": found["variance_components"],
        "mean_squares": squares,
        **standard_errors(squares["EMS"], squares["WMS"], n, k),
    }
    return result, dict(found["notes"])


def _many_raters(ratings: Ratings, choices: Choices) -> tuple[dict[str, Any], dict[str, str]]:
    """What grades of three raters or more have in place of the kappas of two; every rating counts."""
    table = ratings.with_gaps()
    clusters = None if ratings.clusters is None else ratings.gap_clusters
    found = many_raters(table, choices.scale, clusters, draws=choices.draws, seed=choices.seed)
    order = kendall_w(ratings.complete)
    notes = {"kendall_w": NO_ORDER} if order["estimate"] is None else {}
    if clusters is not None:
        order |= {"ci": [None, None], "p": None}
    if found is None:
        blank = dict.fromkeys(("fleiss", "conger", "krippendorff", "gwet", "grades"))
        return blank | {"kendall_w": order}, notes | {"fleiss": NOT_GRADES}
    size = {name: found.pop(name) for name in ("levels", "subjects", "ratings")}
    if found["fleiss"]["unweighted"]["estimate"] is None:
        notes["fleiss"] = "no subject has two ratings, or all grades are one: agreement by chance is 1"
    return found | {"grades": size, "kendall_w": order}, notes


def _two_raters(
    first: np.ndarray, second: np.ndarray, loa_ci: str, scale: tuple[float, ...] | None = None
) -> tuple[dict[str, Any], dict[str, str]]:
    limits = bland_altman(first, second, loa_ci=loa_ci)
    notes = limits.pop("notes")
    graded = kappas(first, second)
    same, near = exact_agreement(first, second), within_one(first, second)
    result: dict[str, Any] = {
        "pearson": pearson(first, second),
        "spearman": spearman(first, second),
        "ccc": concordance(first, second),
        "bland_altman": limits,
        "regression_limits": regression_limits(first, second),
        "percentile_limits": percentile_limits(first, second),
        "kappa": graded and {name: graded[name] for name in WEIGHTS},
        "gwet": gwet(first, second, levels=scale),
        "exact_agreement": same["estimate"],
        "exact_agreement_ci": same["ci"],
        "within_one": near["estimate"],
        "within_one_ci": near["ci"],
    }
    if len(first) and min(first.min(), second.min()) > 0:
        result["ratio_limits"] = ratio_limits(first, second, loa_ci=loa_ci)
        del result["ratio_limits"]["notes"]
    if graded:
        table, levels = confusion(first, second)
        result["confusion"] = {"levels": levels.tolist(), "counts": table.tolist()}
    return result, notes | _pair_notes(result, len(first))


def _pair_notes(result: dict[str, Any], n: int) -> dict[str, str]:
    notes = {}
    if result["kappa"] is None:
        notes["kappa"] = NOT_GRADES
    elif result["kappa"]["unweighted"]["estimate"] is None:
        notes["kappa"] = CONSTANT
    for name in ("pearson", "spearman"):
        if result[name]["estimate"] is None:
            notes[name] = (
                "a rater gave one and the same rating throughout" if n > 1 else "two subjects are needed"
            )
        elif result[name]["ci"][0] is None:
            notes[name] = "an interval needs four subjects"
    if result["ccc"]["estimate"] is None:
        notes["ccc"] = "all ratings are equal" if n else "no subject was rated by both"
    elif result["ccc"]["ci"][0] is None:
        notes["ccc"] = "an interval needs three subjects and two raters who vary together"
    if n == 0:
        notes["exact_agreement"] = "no subject was rated by both"
    return notes


def _mixed(ratings: Ratings) -> dict[str, Any]:
    table = ratings.with_gaps()
    found = pool_icc(table) if is_pool(table) else mixed_icc(table)
    forms = found.pop("forms")
    return forms | found


def _without_limits(block: dict[str, Any]) -> None:
    """Take the limits away that hold for independent subjects only."""
    for value in block.values():
        if isinstance(value, dict) and "ci" in value:
            value["ci"] = [None, None]
    block["notes"] = block["notes"] | {"ci": "no interval with --cluster: the model takes subjects apart"}


def _no_subject(ratings: Ratings) -> str:
    there = np.bincount(ratings.codes[1], minlength=len(ratings.raters))
    empty = [name for name, count in zip(ratings.raters, there, strict=True) if not count]
    if empty:
        return f"no usable rating by {', '.join(empty)}: leave them out with --raters"
    return "no subject was rated by all raters"


def _resampled(
    result: dict[str, Any], table: np.ndarray, clusters: np.ndarray, choices: Choices
) -> dict[str, str]:
    """Put patient-bootstrap limits in the place of all others; returns notes."""
    if table.shape[1] < 2 or not len(table):
        return {}
    batch = agree(table[None], clusters, draws=choices.draws, seed=choices.seed)
    patients = int(batch.patients[0])
    enough = patients > 1
    for name in batch.estimate:
        low, high = batch.interval[name][0] if enough else (None, None)
        _set_interval(result, name, [number(low), number(high)])
    result["bootstrap"] = {
        "patients": patients,
        "draws": batch.draws,
        "seed": batch.seed,
        "draws_without_value": {name: int(lost[0]) for name, lost in batch.lost.items() if lost[0]},
    }
    if choices.scale and table.shape[1] == 2:
        found = many_raters(table, choices.scale, clusters, draws=choices.draws, seed=choices.seed)
        result["gwet"] = found and found["gwet"]
    _forget_independence(result)
    if table.shape[1] == 2 and patients < len(table):
        result["repeated_limits"] = repeated_limits(clusters, table[:, 0], table[:, 1])
    if not enough:
        return {"bootstrap": "one patient: there is nothing to resample"}
    lost = [
        name for name, count in result["bootstrap"]["draws_without_value"].items() if count == batch.draws
    ]
    if "spearman" in lost and result["spearman"]["estimate"] is not None:
        return {"spearman": "no interval: too many different ratings to rank in every draw"}
    return {}


def _set_interval(result: dict[str, Any], name: str, limits: list[float | None]) -> None:
    """Into the block's ``ci``; a bare number's limits stand beside it, as ``mdc95_ci``."""
    name = f"icc.{name}" if name.startswith("ICC") else name
    found = _at(result, name)
    if isinstance(found, dict):
        found["ci"] = limits
        return
    path, _, last = name.rpartition(".")
    place = _at(result, path) if path else result
    if isinstance(place, dict):
        place[f"{last}_ci"] = limits


def _at(result: dict[str, Any], name: str) -> Any:
    """What stands at a dotted place, None where nothing does."""
    found: Any = result
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _forget_independence(result: dict[str, Any]) -> None:
    """Take away what assumes independent rows and was not replaced: standard errors and p values."""
    if "bland_altman" not in result:
        return
    result["bland_altman"]["loa_ci_method"] = "patient bootstrap"
    result["bland_altman"]["proportional_bias"] |= {"p": None, "se": None}
    for name in ("regression_limits", "ratio_limits"):
        result.pop(name, None)
    for block in ("kappa", "gwet"):
        for value in (result[block] or {}).values():
            value.pop("se", None)
            value.pop("se_null", None)


def _better(result: dict[str, Any], ratings: Ratings, choices: Choices) -> dict[str, Any] | None:
    sizes = {"mdc95": result["mdc95"], "sem.consistency": result["sem"]["consistency"]}
    if "bland_altman" in result:
        sizes["bland_altman.sd"] = result["bland_altman"]["sd"]
    return better_intervals(
        ratings.complete, sizes, ratings.clusters, changes=choices.changes, seed=choices.seed
    )


def _verdicts(ratings: Ratings, choices: Choices) -> dict[str, Any]:
    """What has a margin: equivalence of biases; no inferior ICC, no inferior kappa of the model."""
    found: dict[str, Any] = {}
    if choices.bias_margin is not None:
        found["bias_equivalence"] = bias_equivalence(
            ratings.complete,
            ratings.raters,
            margin=choices.bias_margin,
            model=choices.model,
            clusters=ratings.clusters,
        )
    margins = dict(zip(STATISTICS, (choices.icc_margin, choices.kappa_margin), strict=True))
    if choices.model and any(margin is not None for margin in margins.values()):
        place = ratings.raters.index(choices.model)
        readers, model = np.delete(ratings.complete, place, axis=1), ratings.complete[:, place]
        how = Bootstrap(ratings.clusters, choices.draws, choices.seed)
        found["non_inferiority"] = {
            name: non_inferiority(readers, model, margin=margin, statistic=name, bootstrap=how)
            for name, margin in margins.items()
            if margin is not None
        }
    return found


def _model(ratings: Ratings, choices: Choices) -> dict[str, Any]:
    if choices.model not in ratings.raters:
        raise InputError(
            f"--model {choices.model}", f"the raters are {', '.join(ratings.raters)}", "name one of these"
        )
    place = ratings.raters.index(choices.model)
    names = [name for name in ratings.raters if name != choices.model]
    readers, model = np.delete(ratings.complete, place, axis=1), ratings.complete[:, place]
    how = Bootstrap(ratings.clusters, choices.draws, choices.seed)
    found = {
        "model": choices.model,
        "readers": names,
        "interchangeability": interchangeability(readers, model, margin=choices.margin, bootstrap=how),
        "leave_one_out": leave_one_out(readers, model, names, bootstrap=how),
    }
    if choices.changes:
        found["false_change"] = false_change(readers, model, names, bootstrap=how)
    return found
