"""All that is said about change between two visits, as one dictionary: what ``progression --json`` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.agreement.crossed import DRAWS, SEED
from core.agreement.estimate import LIMITS_80, MISSING, estimate, number
from core.agreement.icc import FORMS, icc
from core.agreement.intervals.change_error import METHOD as METHOD_OF_CHANGE
from core.agreement.intervals.change_error import change_intervals
from core.agreement.intervals.measured import ICC, SPREAD, coverage
from core.agreement.reader_pool import METHOD, pool_icc
from core.arms import pairs_of_arms
from core.names import look_alike_warnings, look_alikes
from core.progression.change import Changes, changes
from core.progression.cluster_bootstrap import resample
from core.progression.day_units import unit_doubts
from core.progression.pairing import WINDOW_DAYS, interval_of
from core.progression.probability import BAND_WORDS, cumulative_probability, probability_bands
from core.progression.probability_of_change.posterior import plain, true_change
from core.progression.progressors import STANDARD, Cutoff, beyond, net_progression, progressed, share
from core.progression.sdc import Sdc, reader_bias, study_sdc
from core.progression.sdc_by_size import sdc_by_size
from core.progression.shares import hybrid, net_share, share_difference
from core.progression.summary import difference_of_means, summary
from core.progression.totals_table import Readings

COMPLETE = "analysis of variance of the subjects that all readers cover"
POOL = "mixed model of all changes (REML, reader fixed, subject random)"


@dataclass(frozen=True)
class Options:
    """Which visits, and which definitions of progression. Days None: first and last, see ``interval_of``.

    bands: inner borders of the SDC by size of change, thirds if None. clusters: subject -> patient, where
    several subjects belong to one: every interval is then a bootstrap of patients. sdc: of the reading
    campaign that these subjects are a selection of; estimated from them if None, and with clusters.
    has_intervals: whether SDC and ICC of change also get the intervals that hold best on change scores
    (``intervals``), which take a tenth of a second; not with the SDC of other subjects. has_probability:
    whether the probability of true worsening is given by subject.
    """

    from_days: float | None = None
    to_days: float | None = None
    window: float = WINDOW_DAYS
    cutoffs: Sequence[Cutoff] = STANDARD
    bands: Sequence[float] | None = None
    clusters: Mapping[str, str] | None = None
    sdc: Sdc | None = None
    has_intervals: bool = False
    has_probability: bool = False


def progression(readings: Readings, options: Options | None = None) -> dict[str, Any]:
    """Change, summaries, SDC, agreement on change, progressors and the cumulative probability plot.

    What cannot be computed is None with its reason under ``notes``. Raises InputError where there is no
    total, or the days do not follow each other.
    """
    options = options or Options()
    interval = interval_of(readings.rows, options.from_days, options.to_days, options.window)
    change = changes(readings, interval)
    sdc = study_sdc(change.per_reader)
    result = _result(readings, change, sdc, options)
    if options.has_probability:
        found = true_change(change.per_reader)
        result["probability_worsened"] = plain(found, change.table["subject"].tolist())
    if options.clusters is None:
        wanted = options.has_intervals and options.sdc in (None, sdc)
        return result | {"intervals": _intervals(change, sdc) if wanted else None}
    return {"intervals": None} | resample(result, change, options.cutoffs, options.clusters)


def _result(readings: Readings, change: Changes, own: Sdc | None, options: Options) -> dict[str, Any]:
    """own: the SDC from these subjects."""
    interval = change.interval
    sdc = options.sdc or own
    return {
        "from_days": interval.from_days,
        "to_days": interval.to_days,
        "window": interval.window,
        "subjects": len(change.table),
        "readers": change.readers,
        "reference_arm": change.arms[0] if change.arms else None,
        "partial_readers": int((~change.is_complete).sum()),
        "left_out": _left_out(readings, change),
        "change": _entries(change),
        "summary": _summaries(change, "mean_change"),
        "status_summary": {"from": _summaries(change, "from_mean"), "to": _summaries(change, "to_mean")},
        "arm_differences": _arm_differences(change),
        **_error(change, sdc, options.bands),
        "change_icc": _change_icc(change, own),
        **_progressors(change, sdc, options.cutoffs),
        "cumulative_probability": _points(change),
        "cumulative_probability_bands": _bands(change),
        "refused": readings.refused.to_dict("records"),
        "notes": _notes(change, own) | _given(options.sdc),
        "warnings": [
            *_look_alikes(readings),
            *(_warnings(change, own) if options.sdc is None else []),
            *unit_doubts(readings.rows),
        ],
    }


def _left_out(readings: Readings, change: Changes) -> list[dict[str, Any]]:
    """Who was left out and why, with the subject whose films these may be."""
    alike = {name: group for group in look_alikes(readings.subjects) for name in group}
    rows = [{str(key): value for key, value in row.items()} for row in change.left_out.to_dict("records")]
    for row in rows:
        others = [name for name in alike.get(row["subject"], ()) if name != row["subject"]]
        if others:
            row["reason"] += f"; {' and '.join(others)} looks like the same subject"
    return rows


def _look_alikes(readings: Readings) -> list[str]:
    """Names that look like one and count as two: their change is lost, or made twice."""
    names: dict[str, list[str]] = {
        "subject": readings.subjects,
        "reader": readings.readers,
        "arm": readings.arms,
    }
    return [text for what, those in names.items() for text in look_alike_warnings(what, those)]


def _entries(change: Changes) -> list[dict[str, Any]]:
    """One entry a subject; whole columns at once, as a large study has thousands."""
    table = change.table
    per_reader = _or_none(change.per_reader)
    columns = {
        "subject": table["subject"].tolist(),
        "arm": table["arm"].tolist(),
        "mean_change": table["mean_change"].tolist(),
        "per_reader": [dict(zip(change.readers, values, strict=True)) for values in per_reader],
        "annualised": _or_none(table["annualised"].to_numpy(float)),
        **{name: table[name].tolist() for name in ("from_day", "to_day", "from_mean", "to_mean")},
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _or_none(values: np.ndarray) -> list[Any]:
    """The numbers as nested lists, None where missing."""
    filled = values.astype(object)
    filled[np.isnan(values)] = None
    return list(filled.tolist())


def _key(arm: str) -> str:
    """The arm's name beside ``all``, which stands for everyone."""
    return "arm all" if arm == "all" else arm


def _groups(change: Changes) -> dict[str, np.ndarray]:
    """Masks of everyone and of each arm."""
    arm = change.table["arm"].to_numpy()
    return {"all": np.ones(len(arm), bool)} | {_key(name): arm == name for name in change.arms}


def _summaries(change: Changes, column: str) -> dict[str, Any]:
    values = change.table[column].to_numpy(float)
    return {name: summary(values[mask]) for name, mask in _groups(change).items()}


def _arm_differences(change: Changes) -> list[dict[str, Any]]:
    """Mean change of one arm minus another's, for every pair, with the Welch interval."""
    arm = change.table["arm"].to_numpy()
    return [
        {"a": a, "b": b, **difference_of_means(change.mean[arm == a], change.mean[arm == b])}
        for a, b in pairs_of_arms(change.arms)
    ]


def _error(change: Changes, sdc: Sdc | None, bands: Sequence[float] | None) -> dict[str, Any]:
    """SDC at 95% and 80%, bias between readers and agreement on change, from complete subjects."""
    bias, low, high = reader_bias(change.complete)
    readers = sdc.averaged if sdc else len(change.readers)
    return {
        "sdc95": _limits(sdc, readers) if sdc else None,
        "sdc80": _limits(sdc, readers, LIMITS_80) if sdc else None,
        "sdc95_ci": {
            "one_reader": list(sdc.interval()),
            "mean_of_readers": list(sdc.interval(readers)),
        }
        if sdc
        else None,
        "sdc_by_size": sdc_by_size(change.complete, bands),
        "sdc_subjects": sdc.subjects if sdc else len(change.complete),
        "sdc_readers": readers,
        "sdc_method": None if sdc is None else POOL if sdc.is_pool else COMPLETE,
        "bias": estimate(bias, low, high) if len(change.readers) > 1 else None,
    }


def _intervals(change: Changes, sdc: Sdc | None) -> dict[str, Any] | None:
    """The intervals that hold best on change scores, beside the textbook ones; None for a pool of readers."""
    found = None if sdc is None or sdc.is_pool else change_intervals(change.complete)
    if found is None or sdc is None:
        return None
    n = len(change.complete)
    return {
        "method": METHOD_OF_CHANGE,
        "sdc95": {"one_reader": found.around(sdc.limit()), "mean_of_readers": found.around(sdc.usual)},
        "change_icc": {form: found.of_form(form) for form in FORMS},
        "coverage": {name: coverage(name, n).plain() for name in (SPREAD, ICC)},
        "draws": found.draws,
        "seed": found.seed,
    }


def _change_icc(change: Changes, sdc: Sdc | None) -> dict[str, Any] | None:
    """ICC of change: of the complete subjects, or of the pool (no one-way form there)."""
    if sdc is None:
        return None
    found = (pool_icc(change.per_reader) if sdc.is_pool else icc(change.complete))["forms"]
    return {form: _plain(found.get(form, MISSING)) for form in FORMS}


def _limits(sdc: Sdc, readers: int, *multiplier: float) -> dict[str, float]:
    return {"one_reader": sdc.limit(1, *multiplier), "mean_of_readers": sdc.limit(readers, *multiplier)}


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    return {"estimate": value["estimate"], "ci": value["ci"]}


def _progressors(change: Changes, sdc: Sdc | None, cutoffs: Sequence[Cutoff]) -> dict[str, Any]:
    limit = sdc.limits_of(change.table["readers"].to_numpy()) if sdc else None
    per_year = change.table["annualised"].to_numpy()
    judged = {rule.name: progressed(rule, change.mean, per_year, limit) for rule in cutoffs}
    groups = _groups(change)
    shares = {
        name: {group: share(flags[0][mask], flags[1][mask]) for group, mask in groups.items()}
        for name, flags in judged.items()
        if flags
    }
    net = {name: net_progression(change.mean[mask]) for name, mask in groups.items()}
    net_shares = {name: _net(change.mean[mask]) for name, mask in groups.items()}
    return {
        "progressors": {name: int(flags[0].sum()) if flags else None for name, flags in judged.items()},
        "progressor_shares": shares,
        "progressor_differences": {
            name: [_share_gap(row, a, b) for a, b in pairs_of_arms(list(groups)[1:])]
            for name, row in shares.items()
        },
        "net_progression": net["all"],
        "net_progression_share": {
            name: number(count / groups[name].sum()) if groups[name].any() else None
            for name, count in net.items()
        },
        "net_progression_interval": net_shares,
        "net_progression_differences": [
            {"a": a, "b": b, **_net_gap(net_shares[a], net_shares[b])}
            for a, b in pairs_of_arms(list(groups)[1:])
        ],
    }


def _share_gap(row: dict[str, Any], a: str, b: str) -> dict[str, Any]:
    """Share of progressors in one arm minus another's, with Newcombe's interval."""
    first, second = row[a], row[b]
    return {"a": a, "b": b, **share_difference(first["count"], first["n"], second["count"], second["n"])}


def _net(values: np.ndarray) -> dict[str, Any]:
    """Net progression as a share, with Tango's interval."""
    worse, better = (int(beyond(values, sign, 0.0).sum()) for sign in (">", "<"))
    return net_share(worse, better, len(values))


def _net_gap(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    if a["estimate"] is None or b["estimate"] is None:
        return estimate(None)
    return hybrid((a["estimate"], *a["ci"]), (b["estimate"], *b["ci"]))


def _points(change: Changes) -> list[dict[str, Any]]:
    points = cumulative_probability(change.table["subject"], change.table["arm"], change.mean)
    columns = [points[name].tolist() for name in ("subject", "arm", "x", "y")]
    return [
        {"subject": subject, "arm": arm if isinstance(arm, str) else None, "x": x, "y": y}
        for subject, arm, x, y in zip(*columns, strict=True)
    ]


def _bands(change: Changes) -> dict[str, Any]:
    """95% bands of the curves, simultaneous and pointwise, with what each says."""
    points = cumulative_probability(change.table["subject"], change.table["arm"], change.mean)
    found: dict[str, Any] = {"says": BAND_WORDS}
    for kind in BAND_WORDS:
        bands = probability_bands(points, kind).astype(object)
        found[kind] = bands.where(bands.notna(), None).to_dict("records")
    return found


def _notes(change: Changes, sdc: Sdc | None) -> dict[str, str]:
    if sdc is not None and sdc.is_pool:
        return _pool_notes(change, sdc)
    if sdc is not None:
        return icc(change.complete)["notes"]
    if len(change.readers) < 2:
        why = "one reader: error cannot be separated from change"
    else:
        why = f"{len(change.complete)} subjects have a change from every reader, 2 are needed"
    return {"sdc95": why, "change_icc": why, ">SDC": why}


def _given(sdc: Sdc | None) -> dict[str, str]:
    """That the SDC is that of the campaign, not of the subjects at hand."""
    if sdc is None:
        return {}
    text = f"of all {sdc.subjects} subjects of the reading campaign"
    return {"sdc95": text, ">SDC": text}


def _pool_notes(change: Changes, sdc: Sdc) -> dict[str, str]:
    few = f"{len(change.complete)} subjects have a change from all {len(change.readers)} readers"
    return {
        "sdc95": f"{few}: {POOL}; {sdc.averaged} readers a subject as usual",
        ">SDC": "each subject is judged by the SDC of as many readers as it has",
        "change_icc": f"{few}: {METHOD.format(draws=DRAWS, seed=SEED)}",
        "bias": f"{few}: the bias of two readers needs subjects read by all",
        "sdc_by_size": f"{few}: bands need subjects read by all",
    }


def _warnings(change: Changes, sdc: Sdc | None) -> list[str]:
    """Readers who cover less than half of the subjects: they cut the SDC down to what they read."""
    if sdc is not None and sdc.is_pool:
        return [f"a pool of readers: SDC and ICC of change from {sdc.subjects} subjects by mixed model"]
    covered = (~np.isnan(change.per_reader)).sum(axis=0)
    return [
        f"reader {name} covers {count} of {len(change.table)} subjects; the SDC uses {len(change.complete)} "
        "subjects that all readers cover: choose with --readers"
        for name, count in zip(change.readers, covered, strict=True)
        if count < len(change.table) / 2
    ]
