"""``sharpline srm``: standardised response means of scorers or scores, compared over the same patients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from core.cli.options.table import range_options, table_options
from core.cli.output import emit, json_option, reference_option, where_option
from core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


@click.command()
@click.argument("file", type=click.Path())
@click.option(
    "--by",
    default="reader",
    show_default=True,
    metavar="C",
    help="Column of what is compared: reader, component, system, rule ...; of others than reader the mean of "
    "the readers.",
)
@click.option("--from-days", type=float, help="Day of the first visit; day 0 if left out.")
@click.option("--to-days", type=float, help="Day of the second visit; the last day in the file if left out.")
@click.option("--window", type=click.FloatRange(min=0), default=90, show_default=True)
@click.option("--readers", metavar="R,R...", help="Only these readers.")
@click.option("--draws", type=click.IntRange(min=200), default=2000, show_default=True)
@click.option("--seed", type=int, default=20240229, show_default=True)
@range_options
@table_options
@reference_option
@where_option
@json_option
def command(file: str, **options: Any) -> int:
    """Standardised response means (mean change over its SD) and their paired differences.

    FILE is a table of totals as progression reads it. Intervals draw patients; a difference is that over
    the patients who have a change from both.
    """
    from core.progression.responsiveness.srm import responses

    table = _changes(file, options)
    result = responses(
        table.to_numpy(float), list(map(str, table.columns)), draws=options["draws"], seed=options["seed"]
    )
    result = {"by": options["by"], "subjects": len(table)} | result
    emit(result, as_json=options["as_json"], text=lambda: _text(result))
    return 0


def _changes(file: str, options: dict[str, Any]) -> pd.DataFrame:
    """Change by patient (rows) and by what is compared (columns)."""
    import pandas as pd

    from core.cli.progression import readings_of
    from core.progression.change import changes
    from core.progression.pairing import interval_of

    days = options["from_days"], options["to_days"], options["window"]
    if options["by"] == "reader":
        readings = readings_of(file, options)
        found = changes(readings, interval_of(readings.rows, *days))
        return pd.DataFrame(found.per_reader, columns=found.readers, index=found.table["subject"])
    columns = {}
    for value in _values(file, options):
        readings = readings_of(file, options | {"where": (*options["where"], f"{options['by']}={value}")})
        found = changes(readings, interval_of(readings.rows, *days))
        columns[value] = pd.Series(found.mean, index=found.table["subject"])
    return pd.DataFrame(columns)


def _values(file: str, options: dict[str, Any]) -> list[str]:
    """What is compared, in order of appearance."""
    from core.cli.output import keep_where
    from data.tables.files import read_table

    table = keep_where(read_table(file, options["reading"]), options["where"])
    by = options["by"]
    if by not in table.columns:
        names = ", ".join(map(str, table.columns))
        raise InputError(f"--by {by}", f"the table has the columns {names}", "name one of these")
    return list(dict.fromkeys(str(value) for value in table[by].dropna() if str(value)))


def _text(result: dict[str, Any]) -> str:
    lines = [f"{result['by']:<24}{'n':>5}{'mean':>9}{'sd':>9}{'SRM':>8}  95% interval"]
    for row in result["srm"]:
        lines.append(
            f"{row['name']:<24}{row['n']:>5}{_number(row['mean']):>9}{_number(row['sd']):>9}"
            f"{_number(row['estimate']):>8}  {_interval(row['ci'])}"
        )
    lines += [
        f"{row['a']} minus {row['b']}: {_number(row['estimate'])} {_interval(row['ci'])} (n {row['n']}, "
        f"{_number(row['srm_a'])} and {_number(row['srm_b'])})"
        for row in result["differences"]
    ]
    about = f"{result['method']}, {result['draws']} draws, seed {result['seed']}"
    return "\n".join([*lines, f"intervals: {about}; {result['note']}"])


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _interval(limits: list[float | None]) -> str:
    low, high = limits
    return "-" if low is None or high is None else f"{low:.3g} to {high:.3g}"
