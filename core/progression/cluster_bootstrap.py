"""Intervals of a change analysis where several subjects belong to one patient (``--cluster``).

Sides, joints or other parts of one patient are not independent: patients are drawn with replacement, with all
their subjects, and every interval is made of percentiles of the draws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.agreement.bootstrap import DRAWS, SEED, draw_counts, percentiles
from core.agreement.estimate import number
from core.agreement.icc import FORMS, forms, mean_squares
from core.arms import pairs_of_arms
from core.errors import InputError
from core.progression.change import Changes
from core.progression.progressors import Cutoff, beyond, progressed
from core.progression.sdc import reader_bias, smallest_detectable_change

Path = tuple[str | int, ...]


def patients_of(subjects: Sequence[str], clusters: Mapping[str, str]) -> np.ndarray:
    """The patient of each subject as codes. Raises InputError for a subject without one."""
    lost = [name for name in subjects if not clusters.get(name)]
    if lost:
        raise InputError(
            f"subject {lost[0]}", "every subject needs a patient", "fill the column of --cluster"
        )
    return np.unique([clusters[name] for name in subjects], return_inverse=True)[1]


def resample(
    result: dict[str, Any],
    change: Changes,
    cutoffs: Sequence[Cutoff],
    clusters: Mapping[str, str],
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> dict[str, Any]:
    """The result of ``progression`` with every interval replaced, and ``bootstrap``.

    clusters: subject -> patient. Bands of the SDC by size and the groups keep their borders and members.
    The SDC and ICC of a pool of readers, and what they judge, have no interval then. ``bootstrap`` holds
    ``patients, draws, seed`` and ``lost``, the largest number of draws in which some number had no value.
    """
    patient = patients_of(list(change.table["subject"]), clusters)
    patients = int(patient.max()) + 1 if len(patient) else 0
    order = np.argsort(patient, kind="stable")
    sizes = np.bincount(patient, minlength=patients)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(int)
    members = [order[start : start + size] for start, size in zip(starts, sizes, strict=True)]
    arrays = _Arrays(change, cutoffs, result)
    rows = []
    for counts in draw_counts(patients, draws=draws, seed=seed):
        drawn = np.repeat(np.arange(patients), counts)
        rows.append(arrays.values(np.concatenate([members[one] for one in drawn]) if patients else order))
    paths = arrays.paths
    limits, lost = percentiles(np.array(rows)) if rows and paths else (np.zeros((2, 0)), np.zeros(0))
    if result["sdc95"] is not None and not arrays.has_sdc:
        result = result | _without_limits(result)
    for place, path in enumerate(paths):
        _put(result, path, [number(limits[0][place]), number(limits[1][place])])
    about = {"patients": patients, "draws": draws, "seed": seed, "lost": int(np.max(lost, initial=0))}
    return result | {"bootstrap": about}


def _without_limits(result: dict[str, Any]) -> dict[str, Any]:
    """SDC and ICC of a pool without limits: its mixed model takes subjects as patients."""
    none: list[None] = [None, None]
    why = "no interval with --cluster: the mixed model of a pool takes subjects as independent"
    return {
        "sdc95_ci": dict.fromkeys(result["sdc95_ci"], none),
        "change_icc": {form: value | {"ci": none} for form, value in result["change_icc"].items()},
        "notes": result["notes"] | {"sdc95_ci": why},
    }


def _put(result: dict[str, Any], path: Path, interval: list[float | None]) -> None:
    """Set the interval at the end of the path, where there is one."""
    place: Any = result
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = interval


class _Arrays:
    """The numbers with an interval, as functions of which subjects were drawn."""

    def __init__(self, change: Changes, cutoffs: Sequence[Cutoff], result: dict[str, Any]) -> None:
        table = change.table
        self.mean, self.per_year = change.mean, table["annualised"].to_numpy(float)
        self.status = {side: table[f"{side}_mean"].to_numpy(float) for side in ("from", "to")}
        self.readers, self.complete = change.per_reader, change.is_complete
        self.cutoffs = [rule for rule in cutoffs if rule.name in result["progressor_shares"]]
        arm = table["arm"].to_numpy()
        names = list(result["summary"])
        masks = [np.ones(len(arm), bool), *(arm == one for one in change.arms)]
        self.groups = dict(zip(names, masks, strict=True))
        self.edges = result["sdc_by_size"]["edges"]
        self.bands = len(result["sdc_by_size"]["bands"])
        self.has_sdc = result["sdc95"] is not None and len(change.complete) > 1
        self.paths: list[Path] = list(self._named(np.arange(len(arm))))

    def values(self, drawn: np.ndarray) -> np.ndarray:
        found = self._named(drawn)
        return np.array([found.get(path, np.nan) for path in self.paths])

    def _named(self, drawn: np.ndarray) -> dict[Path, float]:
        return self._means(drawn) | self._shares(drawn) | self._error(drawn)

    def _pick(self, drawn: np.ndarray) -> dict[str, np.ndarray]:
        return {name: drawn[mask[drawn]] for name, mask in self.groups.items()}

    def _means(self, drawn: np.ndarray) -> dict[Path, float]:
        groups = self._pick(drawn)
        found: dict[Path, float] = {}
        for name, rows in groups.items():
            found["summary", name, "ci"] = _mean(self.mean[rows])
            for side, values in self.status.items():
                found["status_summary", side, name, "ci"] = _mean(values[rows])
        for place, (a, b) in enumerate(pairs_of_arms(list(groups)[1:])):
            gap = found["summary", a, "ci"] - found["summary", b, "ci"]
            found["arm_differences", place, "ci"] = gap
        return found

    def _shares(self, drawn: np.ndarray) -> dict[Path, float]:
        groups = self._pick(drawn)
        limit = self._sdc(drawn)
        arms = pairs_of_arms(list(groups)[1:])
        found: dict[Path, float] = {}
        for rule in self.cutoffs:
            flags = progressed(rule, self.mean, self.per_year, limit)
            for name, rows in groups.items():
                value = np.nan if flags is None else _mean(flags[0][rows][flags[1][rows]])
                found["progressor_shares", rule.name, name, "share", "ci"] = value
            for place, (a, b) in enumerate(arms):
                shares = [found["progressor_shares", rule.name, name, "share", "ci"] for name in (a, b)]
                found["progressor_differences", rule.name, place, "ci"] = shares[0] - shares[1]
        for name, rows in groups.items():
            values = self.mean[rows]
            net = beyond(values, ">", 0.0).astype(float) - beyond(values, "<", 0.0)
            found["net_progression_interval", name, "ci"] = _mean(net)
        for place, (a, b) in enumerate(arms):
            nets = [found["net_progression_interval", name, "ci"] for name in (a, b)]
            found["net_progression_differences", place, "ci"] = nets[0] - nets[1]
        return found

    def _sdc(self, drawn: np.ndarray) -> float | None:
        found = smallest_detectable_change(self.readers[drawn[self.complete[drawn]]])
        return found.limit(self.readers.shape[1]) if found else None

    def _error(self, drawn: np.ndarray) -> dict[Path, float]:
        if not self.has_sdc:
            return {}
        rows = self.readers[drawn[self.complete[drawn]]]
        found: dict[Path, float] = {("bias", "ci"): reader_bias(rows)[0]}
        found |= _limits(("sdc95_ci",), rows)
        if len(rows) > 1:
            squares = mean_squares(rows)
            known = forms(squares) if squares.subjects or squares.within else {}
            found |= {("change_icc", form, "ci"): known.get(form, np.nan) for form in FORMS}
        band = np.digitize(np.abs(rows.mean(axis=1)) + 1e-9, self.edges)
        for place in range(self.bands):
            found |= _limits(("sdc_by_size", "bands", place, "sdc95_ci"), rows[band == place])
            found["sdc_by_size", "bands", place, "bias", "ci"] = reader_bias(rows[band == place])[0]
        return found


def _limits(path: Path, rows: np.ndarray) -> dict[Path, float]:
    found = smallest_detectable_change(rows)
    if found is None:
        return {}
    return {(*path, "one_reader"): found.limit(1), (*path, "mean_of_readers"): found.limit(rows.shape[1])}


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else np.nan
