"""The dashboard: start to first page, click to film, the data of each page (design 6: 3 s, 0.5 s, 0.3 s).

Start and film need Chromium (``SHARPLINE_CHROMIUM``, else the one on the path); without it they are left out.
The film is 2010 x 1670 of 16 bits. Page data: the named queries that a page asks, over a cohort of made-up
patients, as a page asks them again after a change elsewhere (opening of the file included).
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
PATIENTS = int(os.environ.get("BENCH_PATIENTS", "2000"))
TIMES = 7
ROWS, COLUMNS = 2010, 1670


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        _page_data(Path(place) / "many.duckdb")
        _browser(Path(place) / "films.duckdb")


# -- page data ---------------------------------------------------------------------------------------------


def _page_data(path: Path) -> None:
    from core.domain import CohortFilter, Viewer
    from data.queries import cohort, patient, scores, systems

    store, viewer, everybody = _many(path), Viewer(), CohortFilter()
    asked = {
        "Home": lambda: (
            cohort.state(store),
            cohort.counts(store, viewer),
            scores.readers(store, viewer, "msasss"),
            *(
                query(store, viewer, everybody)
                for query in (systems.held, systems.films_of, systems.film_states)
            ),
        ),
        "Cohort": lambda: [
            query(store, viewer, everybody)
            for query in (
                cohort.subjects,
                cohort.films_by_visit,
                cohort.films,
                cohort.baseline,
                scores.totals,
            )
        ],
        "Patient": lambda: [
            scores.totals(store, viewer, everybody, subject="P00007"),
            scores.site_grades(store, viewer, everybody, subject="P00007"),
            patient.films(store, viewer, "P00007"),
            patient.findings(store, viewer, "P00007", "msasss"),
        ],
        "Agreement, Progression": lambda: scores.totals(store, viewer, everybody),
    }
    print(f"data of a page, {PATIENTS:,} patients, {PATIENTS * 2 * 24 * 3:,} site scores (target 300 ms):")
    for name, ask in asked.items():
        times = [_seconds(ask) for _ in range(TIMES)]
        print(f"  {name}: {1000 * np.median(times):.0f} ms (worst of {TIMES}: {1000 * max(times):.0f} ms)")


def _seconds(work: Any) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _many(path: Path) -> Any:
    from core import scores
    from data.store.cohort import CohortStore

    store = CohortStore.open(path)
    rng = np.random.default_rng(1)
    patients = [f"P{number:05d}" for number in range(PATIENTS)]
    sites, readers, visits = scores.get("msasss").codes, ("R1", "R2", "truth"), ("BL", "W104")
    grid = pd.MultiIndex.from_product(
        [patients, visits, sites, readers], names=["subject", "visit", "site", "reader"]
    )
    rows = grid.to_frame(index=False)
    rows = rows.assign(
        system="msasss", feature="corner", campaign="paired", read=1,
        grade=pd.array(rng.choice(4, len(rows), p=[0.8, 0.1, 0.07, 0.03]), dtype="Int32"),
    )  # fmt: skip
    with store.write("bench", "build") as tx:
        tx.set_meta("blinded", "false")
        tx.insert("subject", pd.DataFrame({"subject": patients, "arm": rng.choice(["A", "B"], PATIENTS)}))
        tx.insert("visit", pd.DataFrame(
            [(p, v, place, 728 * place) for p in patients for place, v in enumerate(visits)],
            columns=["subject", "visit", "visit_order", "planned_day"]))  # fmt: skip
        tx.insert("reader", pd.DataFrame({"reader": readers, "kind": ["human", "human", "consensus"]}))
        tx.insert("site_score", rows)
    return store


# -- browser -----------------------------------------------------------------------------------------------


def _browser(path: Path) -> None:
    from tests.helpers.app_in_browser import FLAGS, Server, Visitor, chromium_path

    chromium = chromium_path()
    if chromium is None:
        print("start and film: left out, no Chromium here")
        return
    from playwright.sync_api import sync_playwright

    _with_large_films(path)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        server = Server(path)
        began = time.monotonic()
        visitor = Visitor(browser.new_page(viewport={"width": 1366, "height": 768}), server.url)
        visitor.page.goto(server.url)
        visitor.wait_for("Which arm progressed more?")
        shown = time.monotonic() - began
        print(
            f"'sharpline serve' to its address {server.seconds:.1f} s, first page {shown:.1f} s later (3 s)"
        )
        _films(visitor)
        server.stop()
        browser.close()


def _with_large_films(path: Path) -> None:
    from tests.helpers import small_cohort

    small_cohort.SHAPE = (ROWS, COLUMNS)
    small_cohort.build(path)


def _films(visitor: Any) -> None:
    """From the click that asks for two other films to both drawn, by the browser's clock."""
    visitor.open("Patient?patient=P1")
    visitor.films_drawn()
    times = []
    for turn in range(TIMES):
        region = ("lumbar", "cervical")[turn % 2]
        button = visitor.page.get_by_test_id("stMain").get_by_text(region, exact=True).first
        visitor.page.evaluate("globalThis.__sharpline_films.clear()")
        clicked = visitor.page.evaluate("performance.timeOrigin + performance.now()")
        button.click()
        visitor.wait_for(f"{region}, 12 sites found")
        visitor.films_drawn()
        drawn = visitor.page.evaluate(DRAWN)
        times.append((drawn - clicked) / 1000)
    print(
        f"two films of {ROWS} x {COLUMNS}, click to both drawn: median {np.median(times):.2f} s, "
        f"worst {max(times):.2f} s (target 0.5 s for one)"
    )


DRAWN = (
    "() => Math.max(...[...document.querySelectorAll('div')].flatMap(host => host.shadowRoot ? "
    "[...host.shadowRoot.querySelectorAll('.film')] : []).map(film => Number(film.dataset.at)))"
)
