"""The comparison of arms under named estimands: what ``progression --estimand`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.agreement.estimate import estimate, number
from core.agreement.proportion import proportion
from core.arms import pairs_of_arms
from core.errors import InputError
from core.progression.annualise import change_per_year
from core.progression.change import changes
from core.progression.courses import Courses, courses
from core.progression.estimands.affected import Affected, affected
from core.progression.estimands.composite import compare_ranks, worst_ranks
from core.progression.estimands.draws import draw_changes, pooled
from core.progression.estimands.events import Events
from core.progression.estimands.imputation import Effects, Level, effects
from core.progression.estimands.panel import Panel, films_until, panel_of
from core.progression.estimands.strategies import ASSUMPTION, MAR, STRATEGY, VARIANCE, WEIGHTED
from core.progression.estimands.tipping import reach_of, tipping_grid, tipping_point
from core.progression.estimands.weighted import weighted_effects
from core.progression.missing.methods import observed_change, observed_readers
from core.progression.missing.multiple_imputation import IMPUTATIONS, SEED, Pooled
from core.progression.pairing import WINDOW_DAYS, interval_of
from core.progression.progressors import Cutoff, cutoff, progressed
from core.progression.sdc import Sdc, study_sdc
from core.progression.shares import share_difference
from core.progression.summary import difference_of_means, summary
from core.progression.totals_table import Readings

POLICY = "treatment-policy"
ABOVE_ZERO = cutoff(">0")


@dataclass(frozen=True)
class EstimandOptions:
    """What is asked. days None as in ``interval_of``.

    strategies: names of ``STRATEGIES``. assumptions: names of ``ASSUMPTIONS`` beside missing at random, which
    is always there. rule: who has progressed, for the composite. visit_days: planned days of visits, guessed
    from the films without them. sdc: of the reading campaign; estimated from these subjects if None.
    """

    from_days: float | None = None
    to_days: float | None = None
    window: float = WINDOW_DAYS
    strategies: Sequence[str] = (POLICY,)
    assumptions: Sequence[str] = ()
    has_tipping: bool = False
    rule: Cutoff = ABOVE_ZERO
    visit_days: Sequence[float] | None = None
    imputations: int = IMPUTATIONS
    seed: int = SEED
    sdc: Sdc | None = None


def estimands(
    readings: Readings, events: Events | None = None, options: EstimandOptions | None = None
) -> dict[str, Any]:
    """Who is affected by the event, and the result under every strategy.

    A strategy that cannot be followed has ``failed`` with the reason in place of numbers.
    Raises InputError where there is no total, or a strategy needs an event and there is no column of it.
    """
    options = options or EstimandOptions()
    named = [name for name in options.strategies if name != POLICY]
    if named and events is None:
        raise InputError(
            f"estimand {named[0]}", "the column of the event is needed", "name it with --event COLUMN"
        )
    interval = interval_of(readings.rows, options.from_days, options.to_days, options.window)
    found = affected(courses(readings, interval), events)
    sdc = options.sdc or study_sdc(changes(readings, interval).per_reader)
    return {
        "event": events.column if events else None,
        "from_days": interval.from_days,
        "to_days": interval.to_days,
        "affected": found.by_arm(),
        "excluded": found.excluded,
        "variance": VARIANCE,
        "results": [_result(name, found, options, sdc) for name in options.strategies],
    }


def _result(name: str, found: Affected, options: EstimandOptions, sdc: Sdc | None) -> dict[str, Any]:
    strategy = STRATEGY[name]
    about = {"strategy": name, "title": strategy.title, "estimand": strategy.text}
    try:
        if name == "composite":
            return about | _composite(found, options.rule, sdc)
        if name == "while-on-treatment":
            return about | _while_on_treatment(found)
        kept = films_until(found.courses, found.last_day) if name == "hypothetical" else found.courses
        return about | {
            "films_set_aside": len(found.courses.films) - len(kept.films),
            **change_effects(kept, options),
        }
    except InputError as error:
        return about | {"failed": f"{error.given}: {error.needed}"}


def change_effects(kept: Courses, options: EstimandOptions) -> dict[str, Any]:
    """Mean change by arm and differences under every assumption, with tipping points where asked."""
    panel = panel_of(kept, list(options.visit_days) if options.visit_days else None)
    names = list(dict.fromkeys([MAR.name, *options.assumptions]))
    fitted = effects(panel, names) | ({WEIGHTED.name: weighted_effects(panel)} if _has_leavers(panel) else {})
    order = [MAR.name, WEIGHTED.name, *options.assumptions]
    drawn = draw_changes(panel, names, options.imputations, options.seed)
    arms = range(len(panel.arms))
    missing = [int((panel.is_missing & (panel.arm == arm)).sum()) for arm in arms]
    return {
        "visits": panel.days,
        "visits_left_out": panel.left_out,
        "patients": {panel.arms[arm]: int((panel.arm == arm).sum()) for arm in arms},
        "missing": {panel.arms[arm]: missing[arm] for arm in arms},
        "converged": all(one.converged for one in fitted.values()),
        "imputations": options.imputations,
        "seed": options.seed,
        "assumptions": [
            _under(name, panel, fitted[name], drawn.get(name)) for name in order if name in fitted
        ],
        "tipping": [row for name in names for row in _tipping(name, panel, fitted[name], missing)]
        if options.has_tipping
        else [],
    }


def _has_leavers(panel: Panel) -> bool:
    """Whether a film is missing after one that there is: else there is no change to weigh by."""
    return bool((panel.is_missing & ~np.isnan(panel.y[:, : panel.target]).all(axis=1)).any())


def _under(name: str, panel: Panel, found: Effects, drawn: np.ndarray | None) -> dict[str, Any]:
    """drawn: changes of multiple imputation for Rubin's rules, None where there is no such form."""
    means, gaps = ({}, {}) if drawn is None else pooled(panel, drawn)
    assumption = ASSUMPTION[name]
    return {
        "assumption": name,
        "title": assumption.title,
        "text": assumption.text,
        "arms": [
            {"arm": arm, **_level(found.mean(place)), "rubin": _pooled(means.get(place))}
            for place, arm in enumerate(panel.arms)
        ],
        "differences": [
            {
                "a": panel.arms[a],
                "b": panel.arms[b],
                **_level(found.difference(a, b)),
                "rubin": _pooled(gaps.get((a, b))),
            }
            for a, b in pairs_of_arms(range(len(panel.arms)))
        ],
    }


def _level(found: Level) -> dict[str, Any]:
    return estimate(found.estimate, found.low, found.high) | {
        "se": number(found.se), "df": number(found.df), "p": number(found.p),
    }  # fmt: skip


def _pooled(found: Pooled | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return estimate(found.estimate, found.low, found.high) | {
        "se": number(found.se), "df": number(found.df), "p": number(found.p),
        "missing_share": number(found.missing_share),
    }  # fmt: skip


def _tipping(name: str, panel: Panel, found: Effects, missing: list[int]) -> list[dict[str, Any]]:
    """The tipping point of every arm against the reference."""
    seen = panel.y[~panel.is_missing, panel.target]
    rows = []
    for arm in range(1, len(panel.arms)):
        point = tipping_point(found, arm, 0, (missing[arm], missing[0]))
        own = panel.y[(panel.arm == arm) & ~panel.is_missing, panel.target]
        rows.append(
            {
                "assumption": name,
                "a": panel.arms[arm],
                "b": panel.arms[0],
                "is_different": point.is_different,
                "delta": number(point.delta),
                "up": number(point.up),
                "down": number(point.down),
                "missing": list(point.missing),
                "observed_mean": number(own.mean()),
                "observed_sd": number(own.std(ddof=1)),
                "grid": tipping_grid(found, arm, 0, reach_of(point, float(seen.std(ddof=1)))),
            }
        )
    return rows


def _composite(found: Affected, rule: Cutoff, sdc: Sdc | None) -> dict[str, Any]:
    """Progressors with the event as progression, and the rank comparison with the event as worst."""
    kept = found.courses
    change, has_event = observed_change(kept), ~np.isnan(found.day)
    years = change_per_year(change, kept.patients["target_day"] - kept.patients["from_day"])
    judged = progressed(rule, change, years, sdc.limits_of(observed_readers(kept)) if sdc else None)
    if judged is None:
        raise InputError(
            rule.name, "an SDC needs two readers and two patients with both films", "choose another cut-off"
        )
    known, has_rank = has_event | judged[1], has_event | ~np.isnan(change)
    flags = has_event | judged[0]
    masks = _masks(kept)
    ranks = np.full(len(change), np.nan)
    ranks[has_rank] = worst_ranks(change[has_rank], found.day[has_rank])
    counts = {
        arm: (int((flags & mask & known).sum()), int((mask & known).sum())) for arm, mask in masks.items()
    }
    groups = {arm: ranks[mask & has_rank] for arm, mask in masks.items()}
    without = kept.patients["subject"][~has_rank].astype(str).tolist()
    pairs = pairs_of_arms(list(kept.arms))
    wins = {(a, b): compare_ranks(groups[a], groups[b]) for a, b in pairs}
    return {
        "definition": rule.name,
        "without_change": without,
        "progressors": [
            {"arm": arm, "count": count, "events": int((has_event & masks[arm]).sum()), "n": n,
             **proportion(count, n)}
            for arm, (count, n) in counts.items()
        ],
        "differences": [{"a": a, "b": b, **share_difference(*counts[a], *counts[b])} for a, b in pairs],
        "ranks": [
            {"a": a, "b": b, **wins[a, b].probability, "p": number(wins[a, b].p)} for a, b in pairs
        ],
    }  # fmt: skip


def _while_on_treatment(found: Affected) -> dict[str, Any]:
    """Change up to the last film before the event, or at the visit without an event."""
    before = films_until(found.courses, found.last_day)
    target = found.courses.interval.to_days
    has_event = ~np.isnan(found.day)
    patients = before.patients
    until = before.films[before.films["day"] <= target + before.interval.window]
    last = until.drop_duplicates("subject", keep="last").set_index("subject")
    last = last.reindex(patients["subject"])
    change = np.where(has_event, last["change"].to_numpy(float), observed_change(before))
    since = np.where(
        has_event,
        last["since"].to_numpy(float),
        (patients["target_day"] - patients["from_day"]).to_numpy(float),
    )
    years = np.asarray(change_per_year(change, since), float)
    known = ~np.isnan(change)
    masks = {arm: mask & known for arm, mask in _masks(before).items()}
    rated = {arm: years[mask & ~np.isnan(years)] for arm, mask in masks.items()}
    return {
        "without_change": patients["subject"][~known].astype(str).tolist(),
        "arms": [
            {
                "arm": arm,
                **_mean(summary(change[mask])),
                "per_year": _mean(summary(rated[arm])),
                "days": number(since[mask].mean()) if mask.any() else None,
            }
            for arm, mask in masks.items()
        ],
        "differences": [
            {
                "a": a,
                "b": b,
                **difference_of_means(change[masks[a]], change[masks[b]]),
                "per_year": difference_of_means(rated[a], rated[b]),
            }
            for a, b in pairs_of_arms(list(before.arms))
        ],
    }


def _masks(kept: Courses) -> dict[str, np.ndarray]:
    arm = kept.patients["arm"].to_numpy(object)
    return {name: arm == name for name in kept.arms} or {"all": np.ones(len(arm), bool)}


def _mean(row: dict[str, Any]) -> dict[str, Any]:
    return {"estimate": row["mean"], "ci": row["ci"], "n": row["n"], "sd": row["sd"]}
