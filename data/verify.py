"""Checks a cohort against its audit trail: events, rows, settings, what rows are summed to, and films."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data.cohort_key import key_fault
from data.ingest.mending import fault_of
from data.store import audit, heads
from data.store.cohort import CohortStore
from data.store.migrate import available
from data.store.session import Session
from data.store.transaction import KEYS


@dataclass(frozen=True)
class Verdict:
    """What was checked, and what is wrong.

    broken: ``event`` (None where it belongs to none) and ``reason`` of each fault.
    films: how many stored films were read again, None where they were left out.
    heads: how the heads that are kept outside the file compare with the chain.
    """

    events: int
    rows: int
    head: str
    broken: list[dict[str, Any]]
    films: int | None = None
    heads: heads.HeadsChecked = field(default_factory=heads.HeadsChecked)


def verify(
    store: CohortStore,
    *,
    head: str = "",
    kept_heads: Path | None = None,
    public_keys: Sequence[str] = (),
    films: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Verdict:
    """Whether events, rows, settings and totals are what the writes left.

    head: hash of the last event at an earlier check; it must still be in the chain.
    kept_heads: file of signed heads; the one that belongs to the cohort where None. public_keys: keys (hex)
    that may have signed them, beside those that this account trusts.
    films: read every stored film as well, and compare it with its hash; ``progress`` gets films done and all.
    Rows are read in one opening and totals in another, each one state of the cohort; writers wait meanwhile
    (24 million scores: about half a minute on 2 cores).
    """
    with store.reading() as session:
        lacking = _lacking_tables(session)
        if lacking:
            return Verdict(0, 0, "", lacking)
        events = session.query("SELECT * FROM main.event ORDER BY event, hash")
        stored = session.digests(older=audit.events_with_sums(events))
        meta = session.query("SELECT key, value FROM main.meta ORDER BY key")
        settings = dict(zip(meta["key"], meta["value"], strict=True))
        trusted = [*heads.trusted_keys(), *public_keys]
        kept = heads.check(kept_heads or heads.heads_file(store.path), events["hash"].tolist(), trusted)
        broken = audit.faults(
            audit.broken_chain(events),
            audit.broken_rows(events, stored),
            audit.broken_meta(events, settings),
            _lost_head(events["hash"].tolist(), head),
            [audit.fault(event, reason) for event, reason in kept.faults],
            [audit.fault(None, reason) for reason in session.foreign_objects()],
        )
    with store.reading() as session:
        broken += _wrong_totals(session)
    wrong_key = key_fault(store)
    broken += [audit.fault(None, wrong_key)] if wrong_key else []
    seen = None
    if films:
        seen, changed = _changed_films(store, progress)
        broken = audit.faults(broken, changed)
    rows = sum(roles.get("inserted", [0])[0] for tables in stored.values() for roles in tables.values())
    return Verdict(len(events), int(rows), audit.head(events), broken, seen, kept)


def _changed_films(
    store: CohortStore, progress: Callable[[int, int], None]
) -> tuple[int, list[dict[str, Any]]]:
    """How many films there are, and those whose film or preview is gone or is not what was written."""
    current = store.query("SELECT * FROM main.image WHERE superseded_by IS NULL ORDER BY image")
    rows = current.astype(object).where(current.notna(), None).to_dict("records")
    faults = []
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(
            lambda row: fault_of(store.folder, row["image"], row.get("preview_hash")).words, rows
        )
        for done, (reason, row) in enumerate(zip(found, rows, strict=True), start=1):
            if reason:
                faults.append(audit.fault(int(row["event"]), f"film {row['image'][:12]}: {reason}"))
            progress(done, len(rows))
    return len(rows), faults


def _lacking_tables(session: Session) -> list[dict[str, Any]]:
    """Tables or migrations that are gone; nothing else can be checked then."""
    needed = (*KEYS, "total", "event", "meta", "migration", "refused")
    there = session.tables().keys() | session.not_made_yet()
    gone = [name for name in needed if name not in there]
    if gone:
        return [audit.fault(None, f"the table {name} is missing") for name in gone]
    applied = session.query("SELECT name FROM main.migration ORDER BY name")["name"].tolist()
    if not applied or applied != available()[: len(applied)]:  # fewer: nothing was written to it since
        return [audit.fault(None, f"tables are of version {applied[-1:]}, {available()[-1]} is needed")]
    return []


def _wrong_totals(session: Session) -> list[dict[str, Any]]:
    return [audit.fault(None, reason) for reason in session.wrong_totals()]


def _lost_head(hashes: list[str], head: str) -> list[dict[str, Any]]:
    if head and head not in hashes:
        return [audit.fault(None, "the head of the earlier check is not in the chain: history was rewritten")]
    return []
