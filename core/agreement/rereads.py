"""A reader against himself or herself: the same films read again."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from core.agreement.compare import Columns, change_between, compare

STATISTICS = ("ICC(A,1)", "bland_altman.bias", "bland_altman.sd", "mdc95")
FIRST, AGAIN = "first read", "read again"
KEYS = ["reader", "occasion", "component"]


def repeats(totals: pd.DataFrame, campaign: str, modes: dict[str, str]) -> pd.DataFrame:
    """Totals that a person gave twice: ``reader, occasion, component, subject, visit, read_as, total``.

    totals: columns ``subject, visit, component, reader, kind, campaign, read, total``. The first read is read
    1 of ``campaign``; a further read is another read number of it, or read 1 of another campaign. modes:
    campaign -> read mode; ``occasion`` names the further read, with its mode where that differs: such a
    comparison is then of modes as well.
    """
    people = totals[(totals["kind"] == "human") & totals["total"].notna()]
    is_first = (people["campaign"] == campaign) & (people["read"] == 1)
    first, others = people[is_first], people[~is_first]
    parts = []
    for key, rows in others.groupby(["reader", "campaign", "read"], sort=True):
        reader, other, read = str(key[0]), str(key[1]), int(str(key[2]))
        own = first[first["reader"] == reader]
        keys = ["component", "subject", "visit"]
        both = own.merge(rows[keys], on=keys)
        if both.empty:
            continue
        again = rows.merge(both[keys], on=keys)
        name = _occasion(other, read, campaign, modes)
        for part, read_as in ((both, FIRST), (again, AGAIN)):
            parts.append(part.assign(reader=reader, occasion=name, read_as=read_as))
    wanted = [*KEYS, "subject", "visit", "read_as", "total"]
    return pd.concat(parts, ignore_index=True)[wanted] if parts else pd.DataFrame(columns=wanted)


def within_reader(
    twice: pd.DataFrame, spans: Sequence[tuple[str, str]], statistics: Sequence[str] = STATISTICS
) -> pd.DataFrame:
    """Agreement of each reader with himself or herself, status and change.

    twice: of ``repeats``. spans: (first visit, last visit) of the changes. Status takes all visits together
    and resamples patients; a change stands once for each patient. Returns rows of ``compare`` with
    ``reader, occasion, component, panel, span``.
    """
    if twice.empty:
        return pd.DataFrame(
            columns=[*KEYS, "panel", "span", "statistic", "estimate", "low", "high", "n", "patients"]
        )
    rated = twice.assign(rated=twice["subject"] + "\x1f" + twice["visit"])
    columns = Columns("rated", "read_as", "total")
    pair = [(FIRST, AGAIN)]
    parts = [
        compare(rated, by=KEYS, columns=columns, pairs=pair, cluster="subject", statistics=statistics).assign(
            panel="status", span="all visits"
        )
    ]
    for before, after in spans:
        change = change_between(twice, before, after, keys=(*KEYS, "subject", "read_as"), rating="total")
        if len(change):
            found = compare(
                change,
                by=KEYS,
                columns=Columns("subject", "read_as", "total"),
                pairs=pair,
                statistics=statistics,
            )
            parts.append(found.assign(panel="change", span=f"{before} to {after}"))
    return pd.concat(parts, ignore_index=True)


def _occasion(other: str, read: int, campaign: str, modes: dict[str, str]) -> str:
    if other == campaign:
        return f"read {read}"
    name = other if read == 1 else f"{other}, read {read}"
    here, there = modes.get(campaign, ""), modes.get(other, "")
    return name if here == there else f"{name} ({there or 'mode not stated'})"
