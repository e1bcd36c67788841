"""Which readings a page shows: one campaign of the people, first reads, one label a reader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count

import pandas as pd

from core.domain import ReaderKind
from core.markdown import md
from core.names import plain

MODEL_PAIRED = "model-paired"  # campaign in which a model reads all films of a patient together
MAX_LETTERS, MAX_NUMBER = 4, 1000  # of a reader's name that is short enough, and of a number in a short name
KIND_ORDER = {ReaderKind.HUMAN: 0, ReaderKind.MODEL: 1, ReaderKind.CONSENSUS: 2}


def people_campaigns(readers: pd.DataFrame) -> list[str]:
    """Campaigns in which people read, the one with most patients first, ties by name.

    readers: columns ``kind, campaign, patients``.
    """
    people = readers[readers["kind"] == ReaderKind.HUMAN]
    most = people.groupby("campaign")["patients"].max().reset_index()
    return most.sort_values(["patients", "campaign"], ascending=[False, True])["campaign"].tolist()


def shown_readings(frame: pd.DataFrame, campaign: str) -> pd.DataFrame:
    """The rows of people in this campaign, and of models and the truth in theirs, with one label a reader.

    frame: columns ``reader, kind, campaign``; with a column ``read``, only first reads stay.
    A model that read patients' films together is shown by these reads; what it made of each film alone is
    exported when asked for: as reads of change it is the worse of two answers, since its errors at
    two visits are independent.
    Adds ``label``: the reader, with the campaign where a model or the truth has several. Changes are never
    formed across campaigns: a label names one of them.
    """
    kept = frame[(frame["kind"] != ReaderKind.HUMAN) | (frame["campaign"] == campaign)]
    is_model = kept["kind"] == ReaderKind.MODEL
    together = set(kept.loc[is_model & (kept["campaign"] == MODEL_PAIRED), "reader"])
    if together:
        kept = kept[~(is_model & kept["reader"].isin(together) & (kept["campaign"] != MODEL_PAIRED))]
    if "read" in kept.columns:
        kept = kept[kept["read"] == 1]
    pairs = kept[["reader", "campaign"]].drop_duplicates()
    several = set(pairs.loc[pairs["reader"].duplicated(keep=False), "reader"])
    label = kept["reader"].where(
        ~kept["reader"].isin(several), kept["reader"] + " (" + kept["campaign"] + ")"
    )
    return kept.assign(label=label.astype("object"))


def display_name(label: str) -> str:
    """A label as a page or a figure shows it: "model:NAME" as "model NAME"."""
    return label.replace("model:", "model ", 1) if label.startswith("model:") else label


def md_name(label: str) -> str:
    """``display_name`` as Markdown that shows it as it is."""
    return md(display_name(label))


def label_kinds(readings: pd.DataFrame) -> dict[str, str]:
    """Label -> kind, people first, then models, then the truth, each by the alphabet."""
    labels = readings["label"].astype(str).tolist()
    kinds = dict(zip(labels, readings["kind"].astype(str).tolist(), strict=True))
    return dict(sorted(kinds.items(), key=lambda pair: (KIND_ORDER[ReaderKind(pair[1])], pair[0])))


def people(kinds: dict[str, str]) -> list[str]:
    return [label for label, kind in kinds.items() if kind == ReaderKind.HUMAN]


def models(kinds: dict[str, str]) -> list[str]:
    return [label for label, kind in kinds.items() if kind == ReaderKind.MODEL]


def truths(kinds: dict[str, str]) -> list[str]:
    return [label for label, kind in kinds.items() if kind == ReaderKind.CONSENSUS]


def short_names(kinds: dict[str, str]) -> dict[str, str]:
    """Label -> a few letters for narrow columns: R1, M for the model, T for the truth.

    A human reader of up to four letters keeps the name. No two are equal, none is the name of another reader,
    and a number in it is the reader's own, or no other's: R10 and R12 beside R1 never become R12 and R13.
    """
    short: dict[str, str] = {}
    for label, kind in kinds.items():
        others = [other for other in kinds if other != label]
        taken = {plain(name) for name in (*others, *short.values())}
        numbers = {number for other in others if kinds[other] == kind for number in _numbers(other)}
        short[label] = next(
            text for text in _candidates(label, kind, numbers) if text and plain(text) not in taken
        )
    return short


def _candidates(label: str, kind: str, numbers: set[int]) -> Iterator[str]:
    """Short names for a label, the best first, without end. numbers: those of the other labels."""
    reader = label.partition(" (")[0]
    own = _numbers(reader)
    number = str(own[0]) if own and own[0] < MAX_NUMBER else ""
    letter = {ReaderKind.MODEL: "M", ReaderKind.CONSENSUS: "T"}.get(ReaderKind(kind))
    if letter is None and len(reader) <= MAX_LETTERS:
        yield reader
    letters = letter or "".join(char for char in reader if char.isalpha())[:2] or reader.strip()[:1]
    if letter is None and number:
        yield f"{letters[:1]}{number}"
        yield f"{letters}{number}"
    if letter is not None or not own:
        yield letters
    if number:
        yield f"{letters}{number}"
        yield from (f"{letters}{number}{mark}" for mark in "bcdefgh")
    yield from (f"{letters}{counter}" for counter in count(2) if counter not in numbers)


def _numbers(label: str) -> list[int]:
    """Whole numbers in a label."""
    return [int(text) for text in re.findall(r"[0-9]{1,9}", label)]


def pair_kind(first: str, second: str, kinds: dict[str, str]) -> str:
    """What a pair of readers is: with the truth, with the model, or of people."""
    both = {kinds.get(first, ReaderKind.HUMAN), kinds.get(second, ReaderKind.HUMAN)}
    for kind in (ReaderKind.CONSENSUS, ReaderKind.MODEL):
        if kind in both:
            return kind
    return ReaderKind.HUMAN
