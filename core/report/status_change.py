"""Sections on status and change side by side: agreement of every pair, and the readers' own error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from core.agreement.comparison import CHANGE, PANELS, STATUS, TOTAL, Readings
from core.agreement.limits.bland_altman import bland_altman
from core.agreement.plain_words import icc_sentence, limits_sentence
from core.domain import ReaderKind
from core.figures.agreement import pairs as figures
from core.figures.agreement.forest import forest
from core.figures.style import Look
from core.report import formatting
from core.report.blocks import Beside, Block, Figure, Heading, Section, Table, Text

ICC = "ICC(A,1)"
MAX_PAIRS = 8  # pairs shown patient by patient


def status_and_change(readings: Readings, found: pd.DataFrame, errors: list[dict[str, Any]]) -> Section:
    """ICC, bias and measurement error for every component and interval, status beside change."""
    blocks: list[Block] = [Text(_why_both(readings))]
    for component in readings.components:
        blocks += _component(readings, found, component)
    blocks += [
        Heading("Measurement error of the readers"),
        *_error_tables(readings, errors),
        Text(ERROR_NOTE),
    ]
    return Section(
        "status-change",
        "Status and change, side by side",
        tuple(blocks),
        ("data.queries.scores.totals", "core.agreement.compare.compare", "core.progression.sdc"),
    )


ERROR_NOTE = (
    "SDC95 is the smallest change of one patient that exceeds the readers' error, from their changes "
    "(1.96 √(EMS/k)); MDC95 is its counterpart from status scores (1.96 √2 SEM/√k) and is larger, since "
    "films compared side by side share errors that cancel in the change. k is the number of readers whose "
    "mean is reported. Neither contains a constant difference between readers: that is the bias beside them."
)


def _why_both(readings: Readings) -> str:
    if CHANGE not in readings.panels:
        return (
            f"The study has one visit, {readings.main.last}: there is status, and no change to agree about."
        )
    return (
        "Patients differ from each other more than they change, so agreement about status looks good even "
        "where two readings see different changes. A reading that is to measure progression must agree about "
        "change."
    )


def _component(readings: Readings, found: pd.DataFrame, component: str) -> list[Block]:
    here = found[found["component"] == component]
    shown = here[(here["statistic"] == ICC) & (here["kind"] != ReaderKind.CONSENSUS)]
    name = "Total" if component == TOTAL else component.capitalize()
    blocks: list[Block] = [Heading(f"{name} ({readings.unit})")]
    if shown["estimate"].notna().any():
        blocks.append(_forest(readings, shown, component))
    blocks.append(_pair_table(readings, here, component))
    return blocks


def _forest(readings: Readings, rows: pd.DataFrame, component: str) -> Figure:
    rows = rows.assign(label=rows["span"])

    def draw(on: Look) -> Any:
        return forest(rows, axis=f"{ICC}, 95% interval", panels=PANELS, on=on)

    what = "the total" if component == TOTAL else f"the {component} score"
    said = "Status is that of the later visit. " + _main_sentence(readings, rows, component)
    return Figure(
        f"agreement_{component}",
        draw,
        f"{ICC} of {what} for every pair and interval, status and change",
        said,
    )


def _main_sentence(readings: Readings, rows: pd.DataFrame, component: str) -> str:
    """Reader with reader about the last panel of the longest interval, in words."""
    panel = readings.panels[-1]
    here = rows[(rows["panel"] == panel) & (rows["span"] == readings.main.label)]
    here = here[here["kind"] == ReaderKind.HUMAN]
    if len(here) != 1:
        return ""
    row = here.iloc[0]
    part = "" if component == TOTAL else f"{component} "
    what = f"{readings.unit} {part}{readings.main.what(panel)}, {row['first']} with {row['second']}"
    value = {"estimate": _plain(row["estimate"]), "ci": [_plain(row["low"]), _plain(row["high"])]}
    return icc_sentence(ICC, value, what=what)


def _plain(value: float) -> float | None:
    return None if pd.isna(value) else float(value)


def _pair_table(readings: Readings, found: pd.DataFrame, component: str) -> Table:
    """A row per interval and pair; for each panel n, ICC, bias, and what measures error."""
    cells = {(row.span, row.first, row.second, row.panel, row.statistic): row for row in found.itertuples()}
    rows = []
    for interval in readings.intervals:
        for first, second in readings.pairs:
            row: list[str] = [interval.label, f"{first} – {second}"]
            for panel in readings.panels:
                row += _pair_cells(lambda name, p=panel, i=interval, a=first, b=second: cells[
                    (i.label, a, b, p, name)])  # fmt: skip
            rows.append(tuple(row))
    heads = [
        f"{panel}: {name}" for panel in readings.panels for name in ("n", ICC, "bias", "SD of difference")
    ]
    note = (
        ""
        if not readings.truths
        else (" Pairs with the truth are possible only because the films were drawn from it.")
    )
    part = "the total" if component == TOTAL else f"the {component} part"
    return Table(
        ("Interval", "Pair", *heads),
        tuple(rows),
        f"{readings.unit}, {part}. Status at the later visit. Bias and SD are of first minus second, in "
        f"score units. 95% intervals from formulas: one rating a patient in each row.{note}",
        words=2,
        folded="All pairs: ICC, bias and SD of the difference with intervals",
    )


def _pair_cells(at: Callable[..., Any]) -> list[str]:
    icc, bias, spread = at(ICC), at("bland_altman.bias"), at("bland_altman.sd")
    return [
        formatting.count(icc.n),
        formatting.with_interval([icc.estimate, icc.low, icc.high]),
        formatting.with_interval([bias.estimate, bias.low, bias.high], signed=True),
        formatting.number(spread.estimate),
    ]


def _error_tables(readings: Readings, errors: list[dict[str, Any]]) -> list[Block]:
    """SDC from change beside its bias, then MDC from status beside its own."""
    k, people = errors[0]["averaged"] if errors else len(readings.people), len(readings.people)
    modes = formatting.listed(errors[0]["modes"]) if errors and errors[0]["modes"] else "not stated"
    who = f"{readings.unit}, {people} {'reader' if people == 1 else 'readers'}, read mode {modes}."
    pool = next((row["pool"] for row in errors if row["pool"]), None)
    caption = f"{who} {pool_caption(k, pool) if pool else ERROR_CAPTION}"
    tables: list[Block] = []
    if CHANGE in readings.panels:
        heads = ("n", "SDC95, one reader", f"SDC95, mean of {k}", f"SDC80, mean of {k}", "bias of change")
        rows = [(row["component"], row["interval"], *_limits(row[CHANGE], "mean80")) for row in errors]
        tables.append(Table(("Part", "Interval", *heads), tuple(rows), caption, words=2))
    heads_of_status = ("n", "MDC95, one reader", f"MDC95, mean of {k}", "bias of status")
    status = {(row["component"], row["visit"]): _limits(row[STATUS]) for row in errors}
    rows_of_status = tuple((*key, *cells) for key, cells in status.items())
    return [*tables, Table(("Part", "Visit", *heads_of_status), rows_of_status, caption, words=2)]


def _limits(found: dict[str, Any], *more: str) -> list[str]:
    """n, the limit of one reader and of the mean of all, further limits, bias."""
    limits = [formatting.with_interval(found.get(name)) for name in ("one", "mean", *more)]
    return [formatting.count(found["n"]), *limits, formatting.with_interval(found["bias"], signed=True)]


ERROR_CAPTION = (
    "Intervals by bootstrap-t on a log scale, of patients and for change also of a fitted model, the wider; "
    "in simulated studies those of change held less often than 95% where error grows with change. "
    "Bias is the first reader minus the second, with its t interval."
)


def pool_caption(averaged: int, pool: dict[str, list[float | None]]) -> str:
    """What the error of a pool of readers is, with the ICC of every panel."""
    said = ", ".join(f"{panel} {formatting.with_interval(value)}" for panel, value in pool.items())
    return (
        f"Every patient is read by some of the readers, usually {averaged}: errors come from mixed models of "
        f"all scores (REML, chi-square limits), ICC(A,1) from readers as a sample of a pool ({said}). Two "
        "readers' bias needs patients whom both read."
    )


def patient_by_patient(readings: Readings) -> Section:
    """Bland-Altman of every pair of human readers and of each model with each of them, status beside
    change.
    """
    pairs = [pair for pair in readings.pairs if readings.kind(*pair) != ReaderKind.CONSENSUS]
    blocks: list[Block] = []
    for first, second in pairs[:MAX_PAIRS]:
        figures_of_pair = [_bland_altman(readings, panel, first, second) for panel in readings.panels]
        shown = tuple(figure for figure in figures_of_pair if figure is not None)
        if shown:
            blocks.append(Beside(shown, f"{first} – {second}"))
    if not blocks:
        blocks.append(Text("No pair of readings shares two patients."))
    if len(pairs) > MAX_PAIRS:
        blocks.append(Text(f"{len(pairs) - MAX_PAIRS} more pairs stand in the tables above.", "note"))
    return Section(
        "patients",
        f"Patient by patient: total, {readings.main.label}",
        tuple(blocks),
        ("data.queries.scores.totals", "core.agreement.limits.bland_altman.bland_altman"),
    )


def _bland_altman(readings: Readings, panel: str, first: str, second: str) -> Figure | None:
    table = readings.table(panel)
    rows = table[[first, second]].dropna().reset_index()
    rows = rows.set_axis(["subject", "first", "second"], axis=1)
    if len(rows) < 2:
        return None
    limits = bland_altman(rows["first"].to_numpy(dtype=float), rows["second"].to_numpy(dtype=float))
    pair = figures.Pair(first, second, readings.unit, readings.kind(first, second))

    def draw(on: Look) -> Any:
        return figures.bland_altman(rows, limits, pair, keys=("subject",), on=on)

    what = readings.main.what(panel)
    return Figure(
        f"bland_altman_{panel}_{first}_{second}",
        draw,
        f"Difference of {first} and {second} over their mean, {what}",
        limits_sentence(limits, first, second, readings.unit),
        title=what[0].upper() + what[1:],
    )
