"""The dashboard under load: many sessions that open pages, while somebody corrects a grade now and then.

Sessions speak the app's own protocol, without a browser: each opens a page, waits, opens the next one, asks
for the cohort's version as the page does. A run is counted from the request to its end. ``BENCH_SESSIONS``,
``BENCH_SECONDS`` and ``BENCH_COHORT`` (a scored cohort, copied first) change what is tried.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

SESSIONS = int(os.environ.get("BENCH_SESSIONS", "20"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "170"))
WRITE_EVERY = 5.0  # seconds
THINK = 6.0  # seconds between the end of a run and the next page
PAGES = ("", "Cohort", "Patient", "Agreement", "Progression")


def main() -> None:
    from tests.helpers import small_cohort
    from tests.helpers.app_in_browser import Server

    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "cohort.duckdb"
        given = os.environ.get("BENCH_COHORT", "")
        if given:
            shutil.copy(given, path)
        else:
            small_cohort.build(path)
        server = Server(path)
        try:
            runs, writes = asyncio.run(_crowd(server.port, path))
        finally:
            server.stop()
    print(f"{SESSIONS} sessions, a write every {WRITE_EVERY:g} s, {SECONDS:g} s, {len(writes)} writes:")
    for name, times in sorted(runs.items()):
        print(f"  {name or 'Home'}: {len(times)} runs, {_spread(times)}")
    print(f"  all pages: {_spread([time for times in runs.values() for time in times])} (target p95 3 s)")
    if writes:
        print(f"  writes: {_spread(writes)}")


def _spread(times: list[float]) -> str:
    return f"p50 {np.median(times):.2f} s, p95 {np.percentile(times, 95):.2f} s, worst {max(times):.2f} s"


async def _crowd(port: int, path: Path) -> tuple[dict[str, list[float]], list[float]]:
    runs: dict[str, list[float]] = defaultdict(list)
    writes: list[float] = []
    end = time.monotonic() + SECONDS
    people = [_session(port, end, runs, random.Random(number)) for number in range(SESSIONS)]
    await asyncio.gather(_writer(path, end, writes), *people)
    return runs, writes


async def _writer(path: Path, end: float, writes: list[float]) -> None:
    number = 0
    while time.monotonic() < end:
        await asyncio.sleep(WRITE_EVERY)
        began = time.monotonic()
        await asyncio.to_thread(_correct, path, number)
        writes.append(time.monotonic() - began)
        number += 1


def _correct(path: Path, number: int) -> None:
    """Another grade at one site of a human reader."""
    from data.store.cohort import CohortStore

    store = CohortStore(path)
    keys = ["subject", "visit", "system", "site", "feature", "reader", "campaign", "read"]
    rows = store.query(
        "SELECT s.* FROM main.site_score s JOIN main.reader r USING (reader) WHERE s.superseded_by IS NULL "
        "AND r.superseded_by IS NULL AND r.kind = 'human' AND grade IS NOT NULL "
        f"ORDER BY ALL LIMIT 1 OFFSET {number}"
    ).drop(columns=["event", "superseded_by"])
    with store.write("bench", "reads", "a corrected grade") as transaction:
        transaction.supersede("site_score", rows[keys])
        transaction.insert("site_score", rows.assign(grade=(rows["grade"] + 1) % 2))


async def _session(port: int, end: float, runs: dict[str, list[float]], chance: random.Random) -> None:
    import websockets

    address = f"ws://localhost:{port}/_stcore/stream"
    await asyncio.sleep(chance.uniform(0, THINK))
    async with websockets.connect(address, max_size=None, origin=f"http://localhost:{port}") as socket:  # type: ignore[arg-type]
        inbox = _Inbox(socket)
        listening = asyncio.create_task(inbox.listen())
        while time.monotonic() < end:
            page = chance.choice(PAGES)
            began = time.monotonic()
            await inbox.open(page)
            runs[page].append(time.monotonic() - began)
            await asyncio.sleep(chance.uniform(0.5, 1.5) * THINK)
        inbox.stop_timers()
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening


class _Inbox:
    """One session: what the server sends, and the fragments that ask for themselves again and again."""

    def __init__(self, socket: Any) -> None:
        self.socket, self.finished, self.timers = socket, asyncio.Event(), {}
        self.page = ""

    async def open(self, page: str) -> None:
        """Open a page and wait until it has run."""
        self.page = page
        self.stop_timers()
        self.finished.clear()
        await self._rerun()
        await self.finished.wait()

    async def _rerun(self, fragment: str = "") -> None:
        from streamlit.proto.BackMsg_pb2 import BackMsg

        message = BackMsg()
        message.rerun_script.page_name = self.page
        if fragment:
            message.rerun_script.fragment_id = fragment
            message.rerun_script.is_auto_rerun = True
        await self.socket.send(message.SerializeToString())

    async def listen(self) -> None:
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        async for content in self.socket:
            message = ForwardMsg()
            message.ParseFromString(content)
            kind = message.WhichOneof("type")
            if kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                self.finished.set()
            elif kind == "auto_rerun":
                fragment, interval = message.auto_rerun.fragment_id, message.auto_rerun.interval
                if fragment in self.timers:
                    self.timers[fragment].cancel()
                self.timers[fragment] = asyncio.create_task(self._again(fragment, interval))

    async def _again(self, fragment: str, interval: float) -> None:
        from websockets.exceptions import ConnectionClosed

        with suppress(ConnectionClosed):  # the session ended
            while True:
                await asyncio.sleep(interval)
                await self._rerun(fragment)

    def stop_timers(self) -> None:
        """No fragment asks for itself any more."""
        for timer in self.timers.values():
            timer.cancel()
        self.timers.clear()
