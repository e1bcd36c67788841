"""The reads of a multi-reader multi-case study as arrays, checked read by read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.cells import labels, numbers
from core.errors import InputError

NAMED = 20  # missing reads that a message names
REFUSE, ALLOW, COMPLETE = "refuse", "allow", "complete"
POLICIES = (ALLOW, COMPLETE, REFUSE)


@dataclass(frozen=True)
class Study:
    """Ratings of every case by every reader under every modality.

    ratings: shape (modalities, readers, cases), NaN where there is no read. truth: shape (cases,). patient:
    number of each case's patient; cases are a patient's sites where there are any. modalities: the reference
    first. missing: ``modality, reader, case`` of reads that are not there. refused: ``row, reason``.
    """

    modalities: list[str]
    readers: list[str]
    cases: list[str]
    patient: np.ndarray
    truth: np.ndarray
    ratings: np.ndarray
    missing: pd.DataFrame
    refused: pd.DataFrame
    dropped_cases: int = 0

    @property
    def patients(self) -> int:
        return len(np.unique(self.patient))

    @property
    def has_clusters(self) -> bool:
        return self.patients < len(self.cases)


def collect(
    frame: pd.DataFrame,
    *,
    reference: str | None = None,
    policy: str = ALLOW,
    problems: pd.Series | None = None,
) -> Study:
    """The study of a long table ``subject, reader, modality, rating, truth`` and perhaps ``site``.

    Refused rows: without a subject, reader or modality, without a number for the truth, text for a rating,
    both of two reads of one case by one reader under one modality, all rows of a case with two truths. An
    empty rating is a missing read. policy: ``allow`` missing reads, ``complete`` keeps the cases that all
    read, ``refuse`` raises InputError with their names. Raises InputError for fewer than two modalities, two
    cases, or a reference that is not there.
    """
    case, cases, patient = _cases(frame)
    reader, readers = labels(frame["reader"])
    modality, modalities = labels(frame["modality"])
    rating, _, rating_is_text = numbers(frame["rating"])
    truth, _, _ = numbers(frame["truth"])
    key = pd.DataFrame({"case": case, "reader": reader, "modality": modality})
    placed = (key >= 0).all(axis=1).to_numpy()
    twice = placed & key.duplicated(keep=False).to_numpy()
    reason = np.full(len(frame), None, object)
    for mask, text in (
        (_two_truths(case, truth), "this case has two truths"),
        (twice, "two reads of one case by one reader under one modality"),
        (np.isnan(truth), "truth is empty or no number"),
        (rating_is_text, "rating is no number"),
        (modality < 0, "modality is empty"),
        (reader < 0, "reader is empty"),
        (case < 0, "subject is empty"),
    ):
        reason[mask] = text
    if problems is not None:
        known = problems.notna().to_numpy(bool)
        reason[known] = problems.to_numpy(object)[known]
    fine = np.array([one is None for one in reason], bool)
    refused = pd.DataFrame({"row": frame.index[~fine], "reason": reason[~fine]})
    order = _in_order([str(name) for name in modalities], reference)
    ratings = np.full((len(modalities), len(readers), len(cases)), np.nan)
    ratings[modality[fine], reader[fine], case[fine]] = rating[fine]
    truths = np.full(len(cases), np.nan)
    truths[case[fine]] = truth[fine]
    study = Study(
        [str(modalities[place]) for place in order], [str(name) for name in readers], cases, patient, truths,
        ratings[order], pd.DataFrame(), refused,
    )  # fmt: skip
    return _by_policy(study, policy)


def _cases(frame: pd.DataFrame) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Number of each row's case, names of cases, and the patient of each case."""
    subject, subjects = labels(frame["subject"])
    if "site" not in frame.columns:
        return subject, [str(name) for name in subjects], np.arange(len(subjects))
    site, sites = labels(frame["site"])
    pair = np.where((subject < 0) | (site < 0), -1, subject * max(len(sites), 1) + site)
    known, first = np.unique(pair[pair >= 0], return_index=True)
    known = known[np.argsort(first)]
    place = {value: number for number, value in enumerate(known)}
    names = [f"{subjects[value // len(sites)]} {sites[value % len(sites)]}" for value in known]
    case = np.array([place.get(value, -1) for value in pair], int)
    return case, names, known // max(len(sites), 1)


def _two_truths(case: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Rows of cases whose truth is not one number."""
    rows = pd.DataFrame({"case": case, "truth": truth})[case >= 0].dropna().drop_duplicates()
    twice = rows.loc[rows["case"].duplicated(), "case"]
    return np.asarray(np.isin(case, twice))


def _in_order(names: list[str], reference: str | None) -> list[int]:
    if reference is None:
        return list(range(len(names)))
    if reference not in names:
        raise InputError(
            f"--reference {reference}", f"modalities are {', '.join(names)}", "name one of these"
        )
    first = names.index(reference)
    return [first, *(place for place in range(len(names)) if place != first)]


def _by_policy(study: Study, policy: str) -> Study:
    """The study with missing reads refused, left out by case, or left as they are."""
    has_truth = ~np.isnan(study.truth)
    seen = has_truth & ~np.isnan(study.ratings).all(axis=(0, 1))
    absent = np.argwhere(np.isnan(study.ratings) & seen)
    missing = pd.DataFrame(
        [(study.modalities[m], study.readers[r], study.cases[c]) for m, r, c in absent],
        columns=["modality", "reader", "case"],
    )
    if policy == REFUSE and len(missing):
        named = "; ".join(
            f"{row.case} by {row.reader}, {row.modality}" for row in missing.head(NAMED).itertuples()
        )
        more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
        raise InputError(
            f"{len(missing)} reads are missing: {named}{more}",
            "every reader has to read every case under every modality",
            "add them, or choose --missing-reads allow or complete",
        )
    kept = seen & ~np.isnan(study.ratings).any(axis=(0, 1)) if policy == COMPLETE else seen
    found = Study(
        study.modalities, study.readers, [study.cases[place] for place in np.flatnonzero(kept)],
        study.patient[kept], study.truth[kept], study.ratings[:, :, kept], missing, study.refused,
        int(seen.sum() - kept.sum()),
    )  # fmt: skip
    if len(found.modalities) < 2 or len(found.cases) < 2:
        raise InputError(
            f"{len(found.modalities)} modalities and {len(found.cases)} cases",
            "two of each are needed",
            "check the columns and the missing reads",
        )
    return found
