"""``sharpline export``: one tidy table of the cohort."""

from __future__ import annotations

from pathlib import Path

import click

from core.cli.output import emit, json_option
from core.scores import get, names

EXAMPLE = get(names()[0]).rules[-1].name
TABLES = ("totals", "site_scores", "findings", "images", "series", "subjects")


@click.command(short_help="One tidy table of the cohort.")
@click.option("--table", required=True, type=click.Choice(TABLES))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A .csv, .parquet or .xlsx file.")
@click.option("--system", default="", help="Only this scoring system.")
@click.option("--rule", default="", help=f"Totals under this rule, such as {EXAMPLE}.")
@click.option(
    "--campaign",
    "campaigns",
    multiple=True,
    help="Only scores and findings of this campaign (repeatable) [default: all, but for a model's reads of "
    "single films where it also read them together].",
)
@click.option(
    "--property",
    "properties",
    multiple=True,
    metavar="NAME",
    help="Also this property of the patients, as a column of totals, for --strata, --covariate and --event "
    "of progression (repeatable).",
)
@click.option("--unblinded", is_flag=True, help="Insist on arms; refused while the cohort is blinded.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    table: str,
    out: Path,
    system: str,
    rule: str,
    campaigns: tuple[str, ...],
    properties: tuple[str, ...],
    unblinded: bool,
    as_json: bool,
) -> int:
    """Write one table of the cohort as CSV, Parquet or XLSX; the same cohort gives the same bytes.

    The arm is empty while the study is blinded. site_scores can be fed to 'sharpline totals', and totals to
    'agreement' and 'progression' with --where.
    """
    from data.store.cohort import CohortStore
    from data.tables.export import export

    done = export(
        CohortStore(ctx.obj["cohort"]),
        table,
        out,
        system=system,
        rule=rule,
        unblinded=unblinded,
        campaigns=campaigns,
        properties=properties,
    )
    emit(
        {
            "rows": done.rows,
            "path": str(done.path),
            "table": table,
            "columns": done.columns,
            "cohort_version": done.version,
            "blinded": done.blinded,
            "head": done.head,
        },
        as_json=as_json,
        text=lambda: (
            f"{done.rows} rows in {done.path} (cohort version {done.version}, "
            f"head of the audit trail {done.head})"
        ),
    )
    return 0
