"""``sharpline progression``: change, SDC and progressors of a table, no cohort needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from core.cli.output import emit, json_option, keep_where, note, where_option
from core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 20  # refused rows named one by one
ONE_VALUE = ("campaign", "read_mode", "system", "rule", "read")  # change from different ones is not pooled


@click.command()
@click.argument("file", type=click.Path())
@click.option("--from-days", type=float, help="Day of the first visit; day 0 if left out.")
@click.option("--to-days", type=float, help="Day of the second visit; the last day in the file if left out.")
@click.option(
    "--window",
    type=click.FloatRange(min=0),
    default=90,
    show_default=True,
    help="Days that a film may be away.",
)
@click.option("--readers", metavar="R,R...", help="Only these readers.")
@where_option
@json_option
def command(
    file: str,
    from_days: float | None,
    to_days: float | None,
    window: float,
    readers: str | None,
    where: tuple[str, ...],
    as_json: bool,
) -> int:
    """Change between two visits, the smallest detectable change, and who progressed.

    FILE is CSV, XLSX or Parquet with one row per subject, reader and visit: subject, reader, days (from
    baseline), total, and arm if there is one. Change is formed within a reader and averaged over readers.
    """
    from core.cli.tables import need_columns, read_table
    from core.progression.analysis import Options, progression
    from core.progression.readings import collect

    table = need_columns(read_table(file), ("subject", "reader", "days", "total"), file)
    table = _one_of_each(_totals_only(keep_where(table, where)), file)
    _say_kinds(table)
    names = [name.strip() for name in readers.split(",") if name.strip()] if readers else None
    result = progression(collect(table, readers=names), Options(from_days, to_days, window))
    for problem in result["refused"][:SHOWN]:
        note(f"row {problem['row']} refused: {problem['reason']}")
    if len(result["refused"]) > SHOWN:
        note(f"... and {len(result['refused']) - SHOWN} more rows refused")
    for warning in result["warnings"]:
        note(warning)
    emit(result, as_json=as_json, text=lambda: _text(result))
    return 1 if result["refused"] else 0


def _totals_only(table: pd.DataFrame) -> pd.DataFrame:
    """Of an export with components the rows of the total, unless one was chosen."""
    if (
        "component" not in table
        or table["component"].nunique() < 2
        or not (table["component"] == "total").any()
    ):
        return table
    note("the table has components; using component=total (choose another with --where)")
    return table[table["component"] == "total"]


def _one_of_each(table: pd.DataFrame, file: str) -> pd.DataFrame:
    """The table, if change may be pooled over it."""
    if not len(table):
        raise InputError(f"{file}", "no row is left under --where", "check the values")
    for name in (*ONE_VALUE, "component"):
        values = sorted(map(str, table[name].dropna().unique())) if name in table else []
        if len(values) > 1:
            raise InputError(
                f"{file} has several values of {name}: {', '.join(values)}",
                "an SDC belongs to one of them",
                f"choose one, for example --where {name}={values[0]}",
            )
    return table


def _say_kinds(table: pd.DataFrame) -> None:
    """A note where people, models and consensus would be averaged as if they were alike."""
    kinds = sorted(map(str, table["reader_kind"].dropna().unique())) if "reader_kind" in table else []
    if len(kinds) > 1:
        note(
            f"readers of several kinds ({', '.join(kinds)}): "
            f"choose with --where reader_kind={kinds[0]} or --readers"
        )


def _text(result: dict[str, Any]) -> str:
    lines = [
        f"Change from day {result['from_days']:g} to day {result['to_days']:g} "
        f"(films within {result['window']:g} days)",
        f"{result['subjects']} subjects, readers {', '.join(result['readers'])}; "
        f"{len(result['left_out'])} left out, {result['partial_readers']} without every reader",
        "",
    ]
    for name, row in result["summary"].items():
        spread = f"median {_number(row['median'])} (IQR {_number(row['q1'])} to {_number(row['q3'])})"
        mean = f"mean {_number(row['mean'])} {_interval(row['ci'])}  sd {_number(row['sd'])}"
        lines.append(f"{name:<16} n {row['n']:<6} {mean}  {spread}")
    for row in result["arm_differences"]:
        lines.append(f"{row['a']} minus {row['b']}: {_number(row['estimate'])} {_interval(row['ci'])}")
    lines += ["", *_error_lines(result), "", *_progressor_lines(result)]
    lines += ["", *[f"note, {name}: {why}" for name, why in result["notes"].items()]]
    lines += [f"left out: {row['subject']}, {row['reason']}" for row in result["left_out"][:SHOWN]]
    return "\n".join(lines).rstrip()


def _error_lines(result: dict[str, Any]) -> list[str]:
    if not result["sdc95"]:
        return ["SDC95: not available"]
    readers = len(result["readers"])
    icc = result["change_icc"]["ICC(A,1)"]
    one, mean = result["sdc95"]["one_reader"], result["sdc95"]["mean_of_readers"]
    limits = result["sdc95_ci"]["mean_of_readers"]
    return [
        f"SDC95, one reader {_number(one)}; mean of {readers} readers {_number(mean)} {_interval(limits)} "
        f"({result['sdc_subjects']} subjects)",
        f"bias, {result['readers'][0]} minus {result['readers'][1]}: {_number(result['bias']['estimate'])} "
        f"{_interval(result['bias']['ci'])}",
        f"ICC(A,1) of change {_number(icc['estimate'])} {_interval(icc['ci'])}",
    ]


def _progressor_lines(result: dict[str, Any]) -> list[str]:
    lines = []
    for name, groups in result["progressor_shares"].items():
        parts = [
            f"{group} {row['count']}/{row['n']} {_interval(row['share']['ci'], percent=True)}"
            for group, row in groups.items()
        ]
        lines.append(f"change {name:<6} {'; '.join(parts)}")
    return [*lines, f"net progression {result['net_progression']} (above 0 minus below 0)"]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _interval(limits: list[float | None], *, percent: bool = False) -> str:
    low, high = limits
    if low is None or high is None:
        return ""
    return f"({low:.0%} to {high:.0%})" if percent else f"({low:.3g} to {high:.3g})"
