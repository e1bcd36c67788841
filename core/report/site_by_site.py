"""Section on agreement at single sites: the map of sites, and all sites together."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core.agreement.comparison import CHANGE, STATUS
from core.figures.agreement.sites import site_grid
from core.figures.style import Look
from core.patient.changes import confirmed_share
from core.reader_labels import short_names
from core.report import formatting
from core.report.blocks import Beside, Block, Figure, Heading, Section, Table, Text
from core.report.inputs import ReportInputs
from core.report.statistics import Sites
from core.scores.display.layout import SiteLayout, layout
from core.ties import in_order

KAPPA = "kappa.quadratic"
MAX_ACROSS = 9  # columns of squares of a map that stands beside another


def site_by_site(inputs: ReportInputs, found: Sites | None) -> Section:
    """Agreement about every site, patients resampled."""
    if found is None or found.by_site.empty:
        none: tuple[Block, ...] = (Text("No site was graded by two readings."),)
        return Section("sites", "Site by site", none)
    blocks: list[Block] = [Text(_what(inputs))]
    where = layout(inputs.system)
    panels = [panel for panel in (STATUS, CHANGE) if (found.by_site["panel"] == panel).any()]
    maps = tuple(_map(inputs, found.by_site, panel, where) for panel in panels)
    across = len(where.columns) * len(found.by_site[["first", "second"]].drop_duplicates())
    blocks += [Beside(maps)] if across <= MAX_ACROSS else list(maps)
    blocks += [Heading("All sites pooled"), _pooled(inputs, found.pooled)]
    blocks += _confirmed(inputs)
    blocks.append(_table(found.by_site, list(where.places)))
    sources = (
        "data.queries.scores.site_grades",
        "core.agreement.compare.compare",
        "core.patient.changes.confirmed_share",
    )
    return Section("sites", "Site by site", tuple(blocks), sources)


def _what(inputs: ReportInputs) -> str:
    main = inputs.readings.main
    change = f" Change is from {main.first} to {main.last}." if main.first else ""
    return (
        f"Status pools all visits: one row is a patient at a visit.{change} Several rows belong to "
        "one patient, so every interval resamples patients. Where both readings give one and the same grade "
        "throughout, kappa has no value (×), however well they agree, and where only "
        "one of them does, it is 0: see the exact agreement in the table below."
    )


def _map(inputs: ReportInputs, rows: pd.DataFrame, panel: str, where: SiteLayout) -> Figure:
    here = rows[(rows["panel"] == panel) & (rows["statistic"] == KAPPA)]
    short = short_names(inputs.readings.kinds)

    def draw(on: Look) -> Any:
        return site_grid(here, where, axis="quadratic kappa", names=short, on=on)

    what = "Status, all visits" if panel == STATUS else f"Change, {inputs.readings.main.label}"
    known = here["estimate"].notna()
    said = f"{int(known.sum())} of {len(here)} squares have a value."
    if known.any():
        worst = here[known].iloc[in_order(here.loc[known, "estimate"])[0]]
        said += (
            f" The lowest is {formatting.number(worst['estimate'])} at {worst['site']} "
            f"({worst['first']} – {worst['second']})."
        )
    return Figure(f"sites_{panel}", draw, f"Quadratic kappa of every site and pair, {what}", said, title=what)


def _pooled(inputs: ReportInputs, rows: pd.DataFrame) -> Table:
    wide: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in rows.itertuples():
        wide.setdefault((str(row.panel), str(row.first), str(row.second)), {})[str(row.statistic)] = row
    return Table(
        ("Panel", "Pair", "site grades", "patients", "quadratic kappa", "same grade", "within one grade"),
        tuple(
            (panel, f"{first} – {second}", formatting.count(cells[KAPPA].n),
             formatting.count(cells[KAPPA].patients), *_cells(cells))
            for (panel, first, second), cells in wide.items()
        ),
        f"Grades of all {len(inputs.system.sites)} sites; intervals resample patients. For change, "
        "\"same grade\" means the same change of grade.",
        words=2,
    )  # fmt: skip


def _cells(cells: dict[str, Any]) -> list[str]:
    kappa = cells[KAPPA]
    shares = [cells[name] for name in ("exact_agreement", "within_one")]
    return [
        formatting.with_interval([kappa.estimate, kappa.low, kappa.high]),
        *(formatting.with_interval([share.estimate, share.low, share.high], 3) for share in shares),
    ]


def _confirmed(inputs: ReportInputs) -> list[Block]:
    main, who = inputs.readings.main, inputs.readings.people
    if not main.first or len(who) < 2:
        return []
    people = confirmed_share(inputs.grades, main.first, main.last, who)
    said = [_share("one reader", "another reader", people)]
    for model in inputs.readings.models:
        both = [confirmed_share(inputs.grades, main.first, main.last, [reader, model]) for reader in who]
        pooled = (sum(part[0] for part in both), sum(part[1] for part in both))
        said.append(_share(f"a reader or {model}", "the other of the two", pooled))
    return [Text(" ".join(said) + " A change at a single site is mostly within the error of reading.")]


def _share(one: str, other: str, found: tuple[int, int]) -> str:
    confirmed, seen = found
    if not seen:
        return f"No change at a site was seen by {one}."
    return (
        f"Of {seen:,} changes at a site seen by {one}, {confirmed:,} ({confirmed / seen:.0%}) were seen in "
        f"the same direction by {other}."
    )


def _table(rows: pd.DataFrame, sites: list[str]) -> Table:
    wide: dict[tuple[str, str, str, str], dict[str, Any]] = {}
    for row in rows.itertuples():
        key = (str(row.panel), str(row.site), str(row.first), str(row.second))
        wide.setdefault(key, {})[str(row.statistic)] = row
    place = {site: number for number, site in enumerate(sites)}
    keys = sorted(wide, key=lambda key: (key[0] == CHANGE, place.get(key[1], len(place))))
    body = tuple(
        (
            panel,
            site,
            f"{a} – {b}",
            formatting.count(wide[panel, site, a, b][KAPPA].n),
            *_cells(wide[panel, site, a, b]),
        )
        for panel, site, a, b in keys
    )
    return Table(
        ("Panel", "Site", "Pair", "n", "quadratic kappa", "same grade", "within one grade"),
        body,
        words=3,
        folded="Every site: kappa and agreement with intervals",
    )
