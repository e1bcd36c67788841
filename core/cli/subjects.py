"""``sharpline subjects``: who is in the study, and when they were to come."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.cli.options.table import table_options
from core.cli.output import emit, json_option, note

if TYPE_CHECKING:
    from data.store.cohort import CohortStore
    from data.tables.formats.options import TableOptions
    from data.tables.plan import Result


@click.command(short_help="Import a table of subjects (and visits).")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--visits", type=click.Path(path_type=Path), help="A table of visits as well.")
@click.option("--map", "mapping", multiple=True, metavar="COLUMN=NAME", help="What a column is (repeatable).")
@click.option("--map-visits", multiple=True, metavar="COLUMN=NAME", help="The same for the table of visits.")
@click.option(
    "--correct", default="", metavar="REASON", help="Replace values that differ; the old ones stay."
)
@click.option("--visits-sheet", default="", metavar="NAME", help="Sheet of the workbook of visits.")
@click.option(
    "--confirm",
    "confirmed",
    multiple=True,
    metavar="COLUMN",
    help="This column does not show the treatment, so it may be a covariate of a blinded study (repeatable).",
)
@click.option("--dry-run", is_flag=True, help="Show what would happen; store nothing but that it was asked.")
@table_options
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    file: Path,
    visits: Path | None,
    mapping: tuple[str, ...],
    map_visits: tuple[str, ...],
    correct: str,
    visits_sheet: str,
    confirmed: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
    reading: TableOptions,
) -> int:
    """Import subjects: arm, sex, year of birth, centre, baseline date, and covariates.

    FILE and the table of visits are CSV, XLSX, Parquet or SAS; those in the shape of CDISC ADSL, DM and SV,
    or of any domain with VISIT, go in as they are. Visits without a subject column are the plan for all.
    Columns that are not recognised become covariates where they hold numbers or a few levels of text. While
    the study is blinded only those with a known clinical name do (age, CRP, HLA-B27 ...); the others are
    named, and --confirm lets them in.
    """
    from data.store.cohort import CohortStore
    from data.tables.columns import parse_mapping
    from data.tables.import_subjects import SubjectsRequest, import_subjects, preview_subjects

    store = CohortStore.open(ctx.obj["cohort"])
    request = SubjectsRequest(
        correct,
        parse_mapping(mapping),
        parse_mapping(map_visits),
        reading,
        replace(reading, sheet=visits_sheet),
        confirmed,
    )
    if dry_run:
        result = preview_subjects(store, file, visits, request)
    else:
        result = import_subjects(store, file, visits, request)
        _assign_films(store)
    for text in result.notes:
        note(f"note: {text}")
    emit(_as_json(result), as_json=as_json, text=lambda: _as_text(result))
    return status(result)


def _assign_films(store: CohortStore) -> None:
    """Films that came before their subjects and visits find them now."""
    with store.reading() as session:
        if not session.value("SELECT count(*) FROM main.delivery"):
            return
    from data.ingest.assign_images import assign_images

    changed = assign_images(store, actor="sharpline subjects").changed
    if changed:
        note(f"note: films assigned anew: {changed}")


def _as_json(result: Result) -> dict[str, object]:
    return {
        "subjects": result.accepted.get("subject", 0),
        "visits": result.accepted.get("visit", 0),
        "covariates": result.accepted.get("covariate", 0),
        "rows": result.rows,
        "stored": result.stored,
        "unchanged": result.unchanged,
        "refused": result.refused,
        "columns": result.columns,
        "ignored": result.ignored,
    }


def _as_text(result: Result) -> str:
    stored = result.stored
    return "\n".join(
        [
            f"{result.accepted.get('subject', 0)} subjects, {result.accepted.get('visit', 0)} visits, "
            f"{result.accepted.get('covariate', 0)} covariate values; new or changed: "
            f"{stored.get('subject', 0)}, {stored.get('visit', 0)}, {stored.get('covariate', 0)}",
            *used_lines(result),
            *refused_lines(result),
        ]
    )


def used_lines(result: Result) -> list[str]:
    """Which column was used for what, and which was left out, for a person to check."""
    used = ", ".join(f"{field} = {column}" for field, column in result.columns.items())
    left = [f"{column} ({reason})" for column, reason in result.ignored.items()]
    return [f"columns: {used}"] + ([f"not used: {', '.join(left)}"] if left else [])


def refused_lines(result: Result) -> list[str]:
    """One line a refused row."""
    lines = [f"  row {item['row']}{_place(item)}: {item['reason']}" for item in result.refused]
    return [f"refused: {len(lines)}", *lines] if lines else []


def _place(item: dict[str, Any]) -> str:
    """The column and the cell of a refused value, where they are known."""
    parts = [f"column {item['column']}" if "column" in item else "", item.get("cell", "")]
    return f" ({', '.join(part for part in parts if part)})" if any(parts) else ""


def status(result: Result) -> int:
    """0 everything imported, 1 some rows refused, 2 nothing could be imported."""
    if not result.refused:
        return 0
    return 1 if any(result.accepted.values()) else 2


__all__ = ["command", "refused_lines", "status", "used_lines"]
