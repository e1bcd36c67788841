"""How many patients a trial needs, under every test that its numbers allow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from core.errors import InputError
from core.progression.planning import means
from core.progression.planning.ranks import (
    ARE_NORMAL,
    EFFECT_WORDS,
    EFFECTS,
    Arms,
    are_power,
    rank_power,
    simulated,
    skewed,
    under_treatment,
)
from core.progression.planning.reading import error_of_one, sd_with, true_sd
from core.progression.planning.responders import exact_share_power, share_power
from core.progression.planning.search import Size, enrolled, smallest, treated_for

SHORT = {"t": "t test", "ancova": "ANCOVA", "mmrm": "MMRM", "rank": "rank test", "responders": "progressors"}
TESTS = {
    "t": "t test of change",
    "ancova": "ANCOVA of change, baseline as covariate",
    "mmrm": "MMRM, difference at the last visit",
    "rank": "rank test (Wilcoxon)",
    "responders": "progressors (chi-square)",
}
READERS_SHOWN = (1, 2, 3, 4)


@dataclass(frozen=True)
class Design:
    """What is planned. Numbers that are None are not known; tests that need them are left out with a note.

    sd: of change, of the mean of ``sd_readers`` readers. sdc: SDC95 of one reader. readers: of the trial.
    difference: mean change of controls minus treated. mean: mean change of controls. reduction: the
    difference as a share of ``mean``. changes: observed changes of controls. zeros: share without change, of
    a skewed distribution in their place. correlation: of change with baseline. between_visits, retention:
    for MMRM. are: efficiency of the rank test where there is no distribution.
    """

    sd: float | None = None
    sd_readers: int = 1
    sdc: float | None = None
    readers: int | None = None
    difference: float | None = None
    mean: float | None = None
    reduction: float | None = None
    changes: np.ndarray | None = None
    zeros: float | None = None
    effect: str = EFFECTS[0]
    cutoff: float | None = None
    progressors: float | None = None
    progressors_treated: float | None = None
    correlation: float | None = None
    between_visits: np.ndarray | None = None
    retention: np.ndarray | None = None
    are: float = ARE_NORMAL
    alpha: float = 0.05
    power: float = 0.9
    allocation: float = 1.0
    dropout: float = 0.0
    sources: dict[str, str] = field(default_factory=dict)

    @property
    def planned_difference(self) -> float | None:
        if self.difference is not None:
            return self.difference
        return None if self.mean is None or self.reduction is None else self.mean * self.reduction

    def check(self) -> None:
        """Raises InputError for numbers that no trial has."""
        for name, low, high in (("alpha", 0, 1), ("power", 0, 1), ("reduction", 0, 1.0001)):
            value = getattr(self, name)
            if value is not None and not low < value < high:
                raise InputError(f"{name} {value:g}", "a number between 0 and 1 is needed", "change it")
        if not 0 <= self.dropout < 1 or self.allocation <= 0:
            raise InputError(
                f"dropout {self.dropout:g}, allocation {self.allocation:g}",
                "a dropout from 0 to below 1 and an allocation above 0 are needed",
                "change them",
            )
        if self.correlation is not None and not -1 < self.correlation < 1:
            raise InputError(f"correlation {self.correlation:g}", "between -1 and 1 is needed", "change it")
        planned = self.planned_difference
        if planned is not None and planned <= 0:
            raise InputError(
                f"a mean change of {self.mean:.3g} in the control arm"
                if self.difference is None
                else "a difference",
                f"a difference above 0 is needed, this one is {planned:.3g}",
                "give the difference itself",
            )
        if self.sd is not None and self.sd <= 0:
            raise InputError(f"an SD of {self.sd:g}", "an SD above 0 is needed", "give --sd")


def plan(design: Design, tests: tuple[str, ...] = tuple(TESTS)) -> dict[str, Any]:
    """Patients to enrol under each test, what was assumed, and how readers change it.

    Returns ``design, difference, sd, tests, by_readers, notes, assumptions``; a test that cannot be planned
    is in ``notes`` with the reason. Raises InputError for impossible numbers, or where no test is possible.
    """
    design.check()
    spread, notes = _spread(design)
    powers, why, arms = _powers(design, spread["planned"])
    notes |= {name: text for name, text in why.items() if name in tests}
    found = [_row(name, design, powers[name], arms, notes) for name in tests if name in powers]
    rows = [row for row in found if row is not None]
    if not rows:
        reasons = "; ".join(dict.fromkeys(notes.values())) or "no number was given"
        raise InputError("no test can be planned", reasons, "give --difference and --sd, or --from a table")
    return {
        "design": _plain(design),
        "difference": design.planned_difference,
        "sd": spread,
        "tests": rows,
        "by_readers": _by_readers(design, spread, tests),
        "notes": notes,
        "assumptions": _assumptions(design, spread, [row["test"] for row in rows]),
    }


def _plain(design: Design) -> dict[str, Any]:
    names = (
        "alpha", "power", "allocation", "dropout", "readers", "mean", "reduction", "effect", "correlation",
        "cutoff", "zeros", "sources",
    )  # fmt: skip
    plain = {name: getattr(design, name) for name in names}
    plain["retention"] = None if design.retention is None else design.retention.tolist()
    return plain | {"changes": None if design.changes is None else len(design.changes)}


def _spread(design: Design) -> tuple[dict[str, Any], dict[str, str]]:
    """The SD of change as read, without reading error, and as planned."""
    spread: dict[str, Any] = {
        "as_read": design.sd, "readers": design.sd_readers, "error_one_reader": None, "true": None,
        "planned": design.sd,
    }  # fmt: skip
    notes: dict[str, str] = {}
    if design.sd is None:
        return spread, notes
    if design.sdc is None:
        if design.readers not in (None, design.sd_readers):
            notes["readers"] = "without an SDC the SD of other numbers of readers is not known: as read"
        return spread, notes
    error = error_of_one(design.sdc)
    try:
        true = true_sd(design.sd, error, design.sd_readers)
    except ValueError as problem:
        notes["readers"] = f"{problem}: SD as read"
        return spread | {"error_one_reader": error}, notes
    planned = sd_with(design.readers or design.sd_readers, true, error)
    return spread | {"error_one_reader": error, "true": true, "planned": planned}, notes


Power = Callable[[int, int], float]


def _powers(design: Design, sd: float | None) -> tuple[dict[str, Power], dict[str, str], Arms | None]:
    """Power of each test by patients per arm, and why others have none."""
    difference = design.planned_difference
    powers: dict[str, Power] = {}
    why: dict[str, str] = {}
    arms = _arms(design, why)
    if difference is None or not difference or sd is None:
        lacking = "an SD" if difference else "a difference above 0 (or a mean and a reduction)"
        why |= dict.fromkeys(("t", "ancova", "mmrm"), f"{lacking} is needed")
    else:
        common = {"difference": difference, "sd": sd, "alpha": design.alpha}
        powers["t"] = lambda a, b: means.t_test(a, b, **common)
        _adjusted(design, common, powers, why)
        if arms is None:
            powers["rank"] = lambda a, b: are_power(a, b, are=design.are, **common)
    if arms is not None:
        powers["rank"] = lambda a, b: rank_power(a, b, arms, design.alpha)
    elif "rank" not in powers:
        why.setdefault("rank", why.get("t", "no distribution"))
    _responders(design, arms, powers, why)
    return powers, why, arms


def _adjusted(
    design: Design, common: dict[str, float], powers: dict[str, Power], why: dict[str, str]
) -> None:
    """ANCOVA and MMRM, where their correlations are known."""
    if design.correlation is None:
        why["ancova"] = "the correlation of change with baseline is needed"
    else:
        with_baseline = common | {"correlation": design.correlation}
        powers["ancova"] = lambda a, b: means.ancova(a, b, **with_baseline)
    if design.between_visits is None or design.retention is None:
        why["mmrm"] = "visits, and the correlation between them, are needed"
        return
    repeated: dict[str, Any] = common | {"correlation": design.correlation or 0.0}
    repeated |= {"between_visits": design.between_visits, "retention": design.retention}
    powers["mmrm"] = lambda a, b: means.mmrm(a, b, **repeated)


def _arms(design: Design, why: dict[str, str]) -> Arms | None:
    """Both arms' changes under the planned difference; None without a distribution."""
    difference = design.planned_difference
    if difference is None:
        return None
    try:
        if design.changes is not None and len(design.changes):
            return under_treatment(design.changes, difference, design.effect)
        if design.zeros is not None and design.mean is not None and design.sd is not None:
            values, weight = skewed(design.mean, design.sd, design.zeros)
            return under_treatment(values, difference, design.effect, weight)
    except ValueError as problem:
        why["rank"] = f"{problem}; by the efficiency of {design.are:.3f} instead"
    return None


def _responders(design: Design, arms: Arms | None, powers: dict[str, Power], why: dict[str, str]) -> None:
    """The comparison of progressors: by given shares, else by those of the distribution."""
    shares = _shares(design, arms)
    if shares is None:
        why["responders"] = "shares of progressors, or a distribution and a cut-off, are needed"
    elif abs(shares[0] - shares[1]) < 1e-9:
        why["responders"] = f"both arms have {shares[0]:.0%} progressors under this effect"
    else:
        first, second = shares
        powers["responders"] = lambda a, b: share_power(
            a, b, p_control=first, p_treated=second, alpha=design.alpha
        )


def _shares(design: Design, arms: Arms | None) -> tuple[float, float] | None:
    if design.progressors is not None:
        treated = design.progressors_treated
        if treated is None and design.reduction is not None:
            treated = design.progressors * (1 - design.reduction)
        return None if treated is None else (design.progressors, treated)
    if arms is None or design.cutoff is None:
        return None
    return arms.share_above(design.cutoff)


def _row(
    name: str, design: Design, power_of: Power, arms: Arms | None, notes: dict[str, str]
) -> dict[str, Any] | None:
    """Patients under one test, with and without dropout; None, and a note, where no number is enough."""
    size = smallest(power_of, design.power, design.allocation)
    if size is None:
        notes[name] = "a million patients are not enough for this difference"
        return None
    lost = 0.0 if name == "mmrm" else design.dropout
    control, treated = enrolled(size.control, lost), enrolled(size.treated, lost)
    row: dict[str, Any] = {
        "test": name,
        "title": TESTS[name],
        "enrol": {"control": control, "treated": treated, "total": control + treated},
        "with_result": _with_result(name, size, design),
        "power": size.power,
    }
    return row | _checked(name, design, size, arms)


def _with_result(name: str, size: Size, design: Design) -> dict[str, int]:
    kept = float(design.retention[-1]) if name == "mmrm" and design.retention is not None else 1.0
    control, treated = (round(count * kept) for count in (size.control, size.treated))
    return {"control": control, "treated": treated, "total": control + treated}


def _checked(name: str, design: Design, size: Size, arms: Arms | None) -> dict[str, Any]:
    """The power of this size found in another way: simulated, or every table counted."""
    if name in ("t", "rank") and arms is not None and size.total <= 20_000:
        found = simulated(size.control, size.treated, arms, design.alpha)
        return {"checked": {"power": found[name], "how": f"{found['draws']:.0f} simulated trials"}}
    if name == "responders":
        first, second = _shares(design, arms) or (0.0, 0.0)
        exact = exact_share_power(
            size.control, size.treated, p_control=first, p_treated=second, alpha=design.alpha
        )
        shares = {"progressors": {"control": first, "treated": second}}
        return shares | ({"checked": {"power": exact, "how": "every table counted"}} if exact else {})
    return {}


def _by_readers(design: Design, spread: dict[str, Any], tests: tuple[str, ...]) -> list[dict[str, Any]]:
    """Patients to enrol with one to four readers, for the tests that the SD decides."""
    if spread["true"] is None:
        return []
    rows = []
    for readers in READERS_SHOWN:
        one = replace(design, readers=readers, changes=None, zeros=None, progressors=None, cutoff=None)
        planned = _spread(one)[0]["planned"]
        powers = _powers(one, planned)[0]
        sizes = {
            name: smallest(powers[name], design.power, design.allocation) for name in tests if name in powers
        }
        rows.append({"readers": readers, "sd": planned, "enrol": _totals(design, sizes)})
    return rows


def _totals(design: Design, sizes: dict[str, Size | None]) -> dict[str, int | None]:
    """Patients to enrol in all by test; not of the rank test, whose distribution includes its readers."""
    return {
        name: None
        if size is None
        else sum(enrolled(n, 0.0 if name == "mmrm" else design.dropout) for n in (size.control, size.treated))
        for name, size in sizes.items()
        if name != "rank"
    }


def _assumptions(design: Design, spread: dict[str, Any], planned: list[str]) -> list[str]:
    """What has to be true for these numbers, one sentence each."""
    said = [
        f"Two-sided alpha {design.alpha:g}, wanted power {design.power:.0%}, {design.allocation:g} treated "
        f"per control, {design.dropout:.0%} without a result; who drops out does not depend on the outcome.",
        "The same SD of change in both arms; patients independent; one comparison, no adjustment for others.",
    ]
    if spread["true"] is not None:
        said.append(
            f"Reading error {spread['error_one_reader']:.3g} (SD of one reader, SDC95 / 1.96) is independent "
            f"between readers and the same for all changes; without it the SD is {spread['true']:.3g}, with "
            f"{design.readers or design.sd_readers} readers {spread['planned']:.3g}. Every patient is read "
            "by all of them, so that a constant difference between readers cancels."
        )
    said += [_SAID[name] for name in planned if name in _SAID]
    if "rank" in planned:
        said.append(_of_rank(design))
    return said


def _of_rank(design: Design) -> str:
    if design.changes is None and design.zeros is None:
        return (
            f"Rank test: as a t test with {design.are:.3f} times as many patients (3/pi for normal changes)."
        )
    source = (
        f"the {len(design.changes)} changes of the table, as read by its readers"
        if design.changes is not None
        else f"{design.zeros:.0%} zeros and a lognormal tail"
    )
    return f"Rank test: controls change as {source}; {EFFECT_WORDS[design.effect]}."


_SAID = {
    "t": "t test: means of changes are normal, which many zeros and a long tail spoil in small trials.",
    "ancova": "ANCOVA: the change is linear in the baseline value, with the same slope in both arms.",
    "mmrm": "MMRM: missing at random, once gone never back, the same correlations and retention in both "
    "arms; degrees of freedom from the patients at the last visit.",
    "responders": "Progressors: chi-square test without continuity correction, no covariates.",
}


def power_curve(design: Design, tests: list[str], totals: list[int]) -> pd.DataFrame:
    """``test, title, patients, power``: power of each test by patients enrolled in both arms."""
    powers = _powers(design, _spread(design)[0]["planned"])[0]
    rows = []
    for name in (name for name in tests if name in powers):
        kept = 1.0 if name == "mmrm" else 1 - design.dropout
        for total in totals:
            control = round(total * kept / (1 + design.allocation))
            if control > 1:
                found = powers[name](control, treated_for(control, design.allocation))
                rows.append({"test": name, "title": SHORT[name], "patients": total, "power": found})
    return pd.DataFrame(rows, columns=["test", "title", "patients", "power"])
