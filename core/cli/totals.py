"""``sharpline totals``: site scores to totals, no cohort needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from core.cli.options.table import read, say_notes, table_options
from core.cli.output import emit, json_option, note, visit_order_option, warn_look_alikes, where_option
from core.scores import listed

if TYPE_CHECKING:
    import pandas as pd

    from core.scores.engine.totals import TotalsResult
    from core.visit_order import VisitOrder
    from data.tables.formats.options import TableOptions

COLUMNS = ("subject", "visit", "reader", "site", "grade")
SHOWN = 40  # refused rows and queries that the text names one by one


@click.command()
@click.argument("file", type=click.Path())
@click.option("--system", required=True, help=f"{listed()}.")
@click.option("--rule", help="How missing sites count; the system's default if left out.")
@click.option(
    "--set", "given", multiple=True, metavar="NAME=VALUE", help="A setting of the system (repeatable)."
)
@table_options
@visit_order_option
@where_option
@json_option
def command(
    file: str,
    system: str,
    rule: str | None,
    given: tuple[str, ...],
    visit_order: str | None,
    where: tuple[str, ...],
    as_json: bool,
    reading: TableOptions,
) -> int:
    """Totals of the site scores in FILE (CSV, XLSX, Parquet or SAS).

    Columns: subject, visit, reader, site, grade, and feature if there is one; others are ignored. An empty
    grade is a site that could not be scored. Refused rows are numbered from the first row under the header.
    The order of visits says which is baseline and what the other visit of a rule is; rows may stand anyhow.
    """
    from core import scores
    from core.scores.engine.companions import companions
    from core.scores.engine.totals import compute
    from core.visit_order import order_of_table, parse_names
    from data.tables.values import located

    used = scores.get(system)
    settings, asked = dict(_setting(text) for text in given), parse_names(visit_order)
    used.rule(rule), used.choices(settings)  # wrong ones are refused before a large file is read
    frame, problems = read(file, reading, where, COLUMNS, ("grade",))
    say_notes(frame, problems)
    order = order_of_table(frame, "visit", asked)
    result = compute(frame, used, rule, settings, visits=order.names)
    if result.uses_order:
        order.certain(f"rule {result.rule.name}")
    counts = companions(frame, used, settings, visits=order.names)
    _warn(result, frame)
    warnings = warn_look_alikes(frame, {"subject": "subject", "visit": "visit", "reader": "reader"})
    refused = located(_records(result.refused), frame, {name: name for name in (*COLUMNS, "feature")})
    for text in order.said:
        note(text)
    answer = _as_json(result, counts, refused) | {"warnings": warnings, "visit_order": _order(order)}
    emit(answer, as_json=as_json, text=lambda: _as_text(result, refused))
    return 1 if len(result.refused) else 0


def _order(order: VisitOrder) -> dict[str, Any]:
    return {"visits": order.names, "source": order.source, "notes": order.said}


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"--set {text}: NAME=VALUE is needed")
    return name, value


def _warn(result: TotalsResult, frame: pd.DataFrame) -> None:
    """Note what probably went wrong when many rows are refused for one reason."""
    from core.scores.engine.reads import TWO_ROWS

    has_duplicates = (result.refused["reason"] == TWO_ROWS).any()
    several = [name for name in ("campaign", "read", "system") if name in frame and frame[name].nunique() > 1]
    if has_duplicates and several:
        note(
            f"some sites occur twice, and the table has several values of {', '.join(several)}: "
            "choose one with --where"
        )
    if len(result.queries):
        note(f"{len(result.queries)} queries: grades that a reader should look at")


def _as_json(result: TotalsResult, counts: pd.DataFrame, refused: list[dict[str, Any]]) -> dict[str, Any]:
    names = [component.name for component in result.system.components]
    keys = ["subject", "visit", "reader"]
    extra = [name for name in counts.columns if name not in keys]
    totals = []
    for row, count in zip(_records(result.totals), _records(counts), strict=True):
        entry = {name: row[name] for name in [*keys, "total"]}
        entry["components"] = {name: row[name] for name in names}
        entry |= {name: row[name] for name in ("scored_sites", "imputed_sites", "missing_reason")}
        if result.totals["dropped_sites"].any():
            entry["dropped_sites"] = row["dropped_sites"]
        if row["chosen"]:
            entry["chosen"] = row["chosen"].split()
        if extra:
            entry["counts"] = {name: count[name] for name in extra}
        totals.append(entry)
    return {
        "system": result.system.name,
        "rule": result.rule.name,
        "rule_verified": result.rule.is_verified,
        "settings": result.settings,
        "totals": totals,
        "refused": refused,
        "queries": _records(result.queries),
    }


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dictionaries with None for missing."""
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def _as_text(result: TotalsResult, refused: list[dict[str, Any]]) -> str:
    import pandas as pd

    names = [component.name for component in result.system.components]
    table = result.totals[
        ["subject", "visit", "reader", "total", *names, "scored_sites", "imputed_sites", "missing_reason"]
    ].rename(columns={"scored_sites": "scored", "imputed_sites": "imputed", "missing_reason": "why no total"})
    head = f"{result.system.title}, rule {result.rule.name}" + (
        "" if result.rule.is_verified else " (not verified against the primary paper)"
    )
    settings = "".join(f"\n{name} = {value}" for name, value in result.settings.items())
    imputed = int(result.totals["imputed_sites"].sum())
    scored = int(result.totals["scored_sites"].sum())
    parts = [
        head + settings,
        table.to_string(index=False, na_rep="", float_format=lambda value: f"{value:g}"),
        f"{len(table)} readings, {int(table['total'].notna().sum())} with a total; "
        f"{scored} {result.system.site_title} scored, {imputed} imputed",
    ]
    for title, rows in (("refused", pd.DataFrame(refused)), ("queries", result.queries)):
        if len(rows):
            more = f"\n... and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
            parts.append(f"{len(rows)} {title}\n{rows.head(SHOWN).to_string(index=False, na_rep='')}{more}")
    return "\n\n".join(parts)
