"""Which readings a page shows: one campaign of the people, first reads, one label a reader."""

from __future__ import annotations

import pandas as pd

from core.domain import ReaderKind

MODEL_PAIRED = "model-paired"  # campaign in which a model reads all films of a patient together
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
    """Label -> at most two letters for narrow columns: R1, M for the model, T for the truth."""
    short: dict[str, str] = {}
    for label, kind in kinds.items():
        letter = {ReaderKind.MODEL: "M", ReaderKind.CONSENSUS: "T"}.get(ReaderKind(kind), label[:2])
        number = sum(1 for other in short.values() if other.startswith(letter))
        short[label] = letter if not number else f"{letter}{number + 1}"[:3]
    return short


def pair_kind(first: str, second: str, kinds: dict[str, str]) -> str:
    """What a pair of readers is: with the truth, with the model, or of people."""
    both = {kinds.get(first, ReaderKind.HUMAN), kinds.get(second, ReaderKind.HUMAN)}
    for kind in (ReaderKind.CONSENSUS, ReaderKind.MODEL):
        if kind in both:
            return kind
    return ReaderKind.HUMAN
