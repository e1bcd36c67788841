"""``sharpline reads``: what a reader scored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.cli.options.table import table_options
from core.cli.output import emit, json_option, note
from core.domain import ReaderKind, ReadMode
from core.scores import listed

if TYPE_CHECKING:
    from data.tables.formats.options import TableOptions
    from data.tables.plan import Result

KINDS = click.Choice([ReaderKind.HUMAN.value, ReaderKind.CONSENSUS.value])
BLANKS = ("not-scorable", "leave-out")
MODES = click.Choice([mode.value for mode in ReadMode])


@click.command(short_help="Import a table of reader scores.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--system", required=True, help=f"{listed()}.")
@click.option("--reader", default="", help="Who scored; may be left out where the table has a column for it.")
@click.option("--campaign", default="", help="Reading campaign; default: the table's column, else 'main'.")
@click.option("--read-mode", type=MODES, help="How the films were shown; default: the campaign's.")
@click.option("--read", type=click.IntRange(min=1), help="1, 2 ... for re-reads; default: column, else 1.")
@click.option("--kind", default=ReaderKind.HUMAN.value, type=KINDS, show_default=True)
@click.option("--visit", default="", help="The visit of all rows, for a table without such a column.")
@click.option("--map", "mapping", multiple=True, metavar="COLUMN=NAME", help="What a column is (repeatable).")
@click.option(
    "--correct", default="", metavar="REASON", help="Replace grades that differ; the old ones stay."
)
@click.option(
    "--blank-cells",
    type=click.Choice(BLANKS),
    default=BLANKS[0],
    show_default=True,
    help="What an empty grade without a reason is.",
)
@click.option("--dry-run", is_flag=True, help="Show what would happen; store nothing.")
@table_options
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    file: Path,
    system: str,
    reader: str,
    campaign: str,
    read_mode: str | None,
    read: int | None,
    kind: str,
    visit: str,
    mapping: tuple[str, ...],
    correct: str,
    blank_cells: str,
    dry_run: bool,
    as_json: bool,
    reading: TableOptions,
) -> int:
    """Import reader scores from CSV, XLSX, Parquet or SAS.

    Long tables have columns subject, visit, site, grade (feature, reason, image); wide ones have one row a
    subject and visit and a column for each site. An empty grade is a site that could not be scored.
    A grade that differs from a stored one is refused unless --correct says why.
    """
    from data.store.cohort import CohortStore
    from data.tables.columns import parse_mapping
    from data.tables.import_reads import ReadsRequest, import_reads, preview_reads

    request = ReadsRequest(
        system=system,
        reader=reader,
        campaign=campaign,
        read=read,
        visit=visit,
        read_mode=read_mode or "",
        kind=kind,
        correct=correct,
        mapping=parse_mapping(mapping),
        reading=reading,
        skips_blanks=blank_cells == BLANKS[1],
    )
    store = CohortStore.open(ctx.obj["cohort"])
    result = preview_reads(store, file, request) if dry_run else import_reads(store, file, request)
    for text in result.notes:
        note(f"note: {text}")
    emit(_as_json(result), as_json=as_json, text=lambda: _as_text(result))
    from core.cli.subjects import status

    return status(result)


def _as_json(result: Result) -> dict[str, object]:
    return {
        "rows": result.rows,
        "stored": result.stored.get("site_score", 0),
        "unchanged": result.unchanged,
        "refused": result.refused,
        "columns": result.columns,
        "ignored": result.ignored,
        "blank": result.blank,
        "new_subjects": result.new_subjects,
    }


def _as_text(result: Result) -> str:
    from core.cli.subjects import refused_lines, used_lines

    head = (
        f"{result.rows} rows, {result.stored.get('site_score', 0)} grades stored, "
        f"{result.unchanged} were there already"
    )
    said = [head]
    if result.blank:
        said.append(
            f"empty cells: {result.blank}, stored as not scorable (--blank-cells leave-out: not read)"
        )
    if result.new_subjects:
        said.append(f"subjects that the cohort did not know: {', '.join(result.new_subjects)}")
    return "\n".join([*said, *used_lines(result), *refused_lines(result)])
