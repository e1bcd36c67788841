"""Names in a table, brought to the way in which the study writes them; see ``core.names`` for the rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

import pandas as pd

from core.names import (
    Names,
    is_occasion,
    look_alike_warnings,
    look_alikes,
    name_without_occasion,
    plain,
    tidy,
)
from data.tables.merge import Refused
from data.tables.subjects import Subjects

ALIKE = "{what} {given} looks like {other}: write them alike if they are one{else_}"
IF_TWO = {
    "subject": ", else import the table of subjects first",
    "reader": ", else give one of them another name",
}


@dataclass(frozen=True)
class Known:
    """What the cohort holds already; names are checked against a list only where a list was imported.

    stored_visits: ``subject, visit, day`` of the table of visits.
    """

    subjects: frozenset[str] = frozenset()
    visits: tuple[str, ...] = ()
    subjects_are_listed: bool = False
    visits_are_listed: bool = False
    readers: tuple[str, ...] = ()
    stored_visits: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=["subject", "visit", "day"])
    )

    def occasions(self) -> dict[tuple[str, str], list[str]]:
        """(subject, plain name) -> the several visits of that name."""
        found: dict[tuple[str, str], list[str]] = {}
        for subject, visit in zip(self.stored_visits["subject"], self.stored_visits["visit"], strict=True):
            if is_occasion(visit):
                found.setdefault((subject, plain(name_without_occasion(visit))), []).append(visit)
        return found


NOTHING = Known()


@dataclass
class Spelling:
    """Given name -> the study's, and of those that cannot be used, why not."""

    names: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def spell(
    given: Iterable[str], names: Iterable[str], what: str, *, is_listed: bool, unknown: str = ""
) -> Spelling:
    """How the study writes the given names.

    what: ``subject``, ``visit`` or ``reader``. is_listed: a name that is not among ``names`` is refused;
    otherwise it is new, unless it looks like one of them or like another new one. unknown: what is said of a
    name that is not listed.
    """
    are_visits = what == "visit"
    index, found, new = Names(names, are_visits=are_visits), Spelling(), []
    for text in given:
        match = index.find(text)
        if match.is_ambiguous or (match.name is None and is_listed):
            found.refused[text] = match.why_not(what, text, unknown)
        elif match.name is None:
            new.append(text)
            found.names[text] = text
            if match.others:
                found.notes.append(match.why_not(what, text, "is new"))
        elif match.is_loose and not (is_listed or are_visits):
            found.refused[text] = ALIKE.format(what=what, given=text, other=match.name, else_=IF_TWO[what])
        else:
            found.names[text] = match.name
            if match.is_rewritten and not are_visits:
                found.notes.append(f"{what} {text} is taken for {match.name} of the study")
    if are_visits:
        found.notes += look_alike_warnings("visit", new, are_visits=True)
        return found
    for group in look_alikes(new):
        for text in group:
            other = " and ".join(name for name in group if name != text)
            found.refused[text] = ALIKE.format(what=what, given=text, other=other, else_=IF_TWO[what])
    return found


def spell_reads(frame: pd.DataFrame, known: Known) -> tuple[Refused, list[str]]:
    """Bring ``subject, visit, reader`` of a long frame to the study's spelling, in place.

    Returns refused rows (``at``, an index label, and ``reason``) and notes.
    """
    refused: Refused = []
    notes: list[str] = []
    asked = (
        ("subject", known.subjects, known.subjects_are_listed, "is not in the cohort"),
        ("visit", known.visits, known.visits_are_listed, "is not among the visits of the cohort"),
        ("reader", known.readers, False, ""),
    )
    for name, names, is_listed, unknown in asked:
        tidied = {text: tidy(text) for text in frame[name].dropna().unique()}
        given = list(dict.fromkeys(text for text in tidied.values() if text))
        found = spell(given, sorted(names), name, is_listed=is_listed, unknown=unknown)
        refused += _rows(frame, frame[name].map(tidied), found.refused)
        notes += found.notes
        spelt = {text: found.names.get(tidy_, tidy_) or None for text, tidy_ in tidied.items()}
        frame[name] = frame[name].map(spelt).astype("str")
    return refused + _one_of_several(frame, known), notes


def _rows(frame: pd.DataFrame, key: pd.Series, reasons: Mapping[str, str]) -> Refused:
    bad = key.isin(list(reasons))
    return [{"at": at, "reason": reasons[text]} for at, text in zip(frame.index[bad], key[bad], strict=True)]


def _one_of_several(frame: pd.DataFrame, known: Known) -> Refused:
    """Rows of a visit that the subject has several times, where the row does not say which."""
    occasions = known.occasions()
    if not occasions:
        return []
    refused: Refused = []
    stored = set(zip(known.stored_visits["subject"], known.stored_visits["visit"], strict=True))
    pairs = pd.Series(list(zip(frame["subject"], frame["visit"], strict=True)), index=frame.index)
    for pair, rows in pairs.groupby(pairs).groups.items():
        subject, visit = cast(tuple[str, str], pair)
        several = [] if (subject, visit) in stored else occasions.get((subject, plain(visit)), [])
        if several:
            may_be = f"may be {' or '.join(several)}; write the one that is meant"
            refused += [{"at": at, "reason": f"visit {visit} of subject {subject} {may_be}"} for at in rows]
    return refused


def spell_subjects(found: Subjects, known: Known) -> Subjects:
    """The subjects of a table under the names that the cohort has for them.

    A name that differs in case or blanks alone is the cohort's, unless the table has that one too; one that
    looks like another stays, with a note.
    """
    given = found.rows["subject"].tolist()
    index = Names(sorted(known.subjects))
    matches = {text: index.find(text) for text in given}
    renamed = {
        text: match.name
        for text, match in matches.items()
        if match.name is not None and not match.is_loose and match.name != text and match.name not in given
    }
    twice = {name for name in renamed.values() if list(renamed.values()).count(name) > 1}
    renamed = {text: name for text, name in renamed.items() if name not in twice}
    reasons = {
        text: match.why_not("subject", text, "") for text, match in matches.items() if match.is_ambiguous
    }
    refused = [
        {"row": row, "reason": reasons[text]}
        for row, text in zip(found.rows.index.tolist(), given, strict=True)
        if text in reasons
    ]
    rows = found.rows[~found.rows["subject"].isin(list(reasons))]
    covariates = found.covariates[~found.covariates["subject"].isin(list(reasons))]
    here = {renamed.get(text, text) for text in given}
    alike = [group for group in look_alikes(sorted(known.subjects | here)) if here & set(group)]
    return replace(
        found,
        rows=rows.assign(subject=rows["subject"].replace(renamed)),
        covariates=covariates.assign(subject=covariates["subject"].replace(renamed)),
        is_estimated=found.is_estimated.loc[rows.index],
        refused=found.refused + refused,
        notes=[
            *found.notes,
            *[f"subject {text} is the cohort's {name}" for text, name in renamed.items()],
            *look_alike_warnings("subject", [name for group in alike for name in group]),
        ],
    )
