"""``sharpline progression``: change, SDC and progressors of a table, no cohort needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from core.cli.options.arms import adjusted, arm_options, check_order, is_asked
from core.cli.options.estimands import (
    OPTION_OF,
    add_estimands,
    check_estimands,
    estimand_options,
    is_partial,
)
from core.cli.options.table import (
    given_range,
    keep_rows,
    range_options,
    say_notes,
    say_refused,
    table_options,
)
from core.cli.output import emit, json_option, note, reference_option, where_option
from core.cli.progression_text import lines_of
from core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from core.progression.totals_table import Readings
    from data.tables.values import Problems

COLUMNS = ("subject", "reader", "days", "total")
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
@click.option(
    "--bands", metavar="X,X...", help="Borders of the SDC by size of change; thirds of the sizes if left out."
)
@click.option(
    "--impute",
    type=click.Choice(["observed", "linear", "locf", "interpolation", "multiple"]),
    help="Also the result with missing films put in by this method (observed: without them).",
)
@click.option(
    "--min-interval",
    type=click.FloatRange(min=0),
    default=84,
    show_default=True,
    metavar="DAYS",
    help="Shortest time from baseline to a film whose rate linear extrapolation lets go on.",
)
@click.option(
    "--sensitivity", is_flag=True, help="The result under every such method, and every rule in the file."
)
@click.option(
    "--g-study",
    is_flag=True,
    help="Also variance components of status and change, and SDC and ICC by number of readers.",
)
@click.option(
    "--model",
    "models",
    type=click.Choice(["compare", "mixed", "gee", "logistic", "negbin", "hurdle", "time"]),
    multiple=True,
    help="Also fit this model (repeatable).",
)
@click.option(
    "--progressor",
    default=">0",
    show_default=True,
    metavar="CUTOFF",
    help="Who counts as a progressor in the logistic and time models, such as '>SDC' or '>=5/y'.",
)
@click.option(
    "--correlation",
    type=click.Choice(["exchangeable", "ar1"]),
    default="exchangeable",
    show_default=True,
    help="Working correlation of the gee model.",
)
@click.option("--imputations", type=click.IntRange(min=2), default=20, show_default=True)
@click.option("--seed", type=int, default=20240229, show_default=True, help="Of imputations and resampling.")
@click.option(
    "--intervals",
    type=click.Choice(["change", "textbook"]),
    default="change",
    show_default=True,
    help="Of SDC and ICC of change: those that hold best on change scores, or chi-square and F alone.",
)
@click.option("--cluster", metavar="C", help="Column of the patient: intervals then resample patients.")
@arm_options
@estimand_options
@range_options
@table_options
@reference_option
@where_option
@json_option
def command(file: str, **options: Any) -> int:
    """Change between two visits, the smallest detectable change, and who progressed.

    FILE is CSV, XLSX, Parquet or SAS with one row per subject, reader and visit: subject, reader, days (from
    baseline), total, and arm if there is one; CDISC names (USUBJID, AVAL, ADY, TRT01P ...) are understood.
    Change is formed within a reader and averaged over readers.
    """
    from core.progression.day_units import visit_doubts
    from core.progression.totals_table import collect
    from data.tables.values import located

    _check(options)
    table, problems = _table(file, options)
    tables = _by_rule(table, file) if options["sensitivity"] else {}
    table = _one_of_each(next(iter(tables.values()), table), file)
    _say_kinds(table)
    for doubt in visit_doubts(table):
        note(doubt)
    readings = collect(
        table,
        readers=_names(options["readers"]),
        reference=options["reference"],
        problems=problems.series(table.index),
    )
    _check_any(readings, len(table))
    result = _analysis(readings, table, options)
    usable = {
        rule: one[~one.index.isin(list(problems.reasons))]
        for rule, one in (tables or {_rule(table): table}).items()
    }
    result |= _imputed(usable, result, options)
    result |= _models(readings, result, options)
    result |= adjusted(readings, table, result, options)
    result |= add_estimands(readings, table, result, options)
    result |= _generalisability(readings, result, options)
    result["refused"] = located(result["refused"], table, {name: name for name in COLUMNS})
    say_refused(result["refused"])
    for warning in result["warnings"]:
        note(warning)
    emit(result, as_json=options["as_json"], text=lambda: lines_of(result))
    return 1 if result["refused"] or is_partial(result) else 0


def _table(file: str, options: dict[str, Any]) -> tuple[pd.DataFrame, Problems]:
    """The rows that are wanted under our names, and what cannot be among their values."""
    from data.tables.adam import as_totals, has_totals
    from data.tables.files import check_values, need_columns, read_table
    from data.tables.limits import limits_of
    from data.tables.values import prepared, refuse_codes, refuse_days, refuse_outside

    table = read_table(file, options["reading"], has_totals)
    table, notes = as_totals(keep_rows(table, options["where"]), file)
    table = _totals_only(need_columns(table, COLUMNS, file))
    check_values(table, [name for name in ("subject", "reader", "arm") if name in table])
    table, problems = prepared(table, ("total", "days"), options["reading"], with_codes=("total",))
    problems.notes += notes
    limit = given_range(options["limits"]) or limits_of(table, "total", options["system"], is_change=False)
    if limit is not None:
        refuse_outside(table, "total", limit, problems)
    if not options["limits"]:
        refuse_codes(table, "total", problems)
    refuse_days(table, "days", problems)
    say_notes(table, problems)
    return table, problems


def readings_of(file: str, options: dict[str, Any]) -> Readings:
    """The accepted rows of a table of totals, for other commands that begin with one."""
    from core.progression.totals_table import collect

    table, problems = _table(file, options)
    table = _one_of_each(table, file)
    reasons = problems.series(table.index)
    readings = collect(
        table, readers=_names(options["readers"]), reference=options["reference"], problems=reasons
    )
    _check_any(readings, len(table))
    return readings


def _check_any(readings: Readings, rows: int) -> None:
    """Raises InputError with the first reason where no row with a total is left."""
    if len(readings.refused) and not readings.rows["total"].notna().any():
        first = readings.refused.sort_values("row").iloc[0]
        raise InputError(
            f"{len(readings.refused)} of {rows} rows are refused, row {first['row']}: {first['reason']}",
            "rows with a day and a total are needed",
            "fix them, or check the columns and --where",
        )


def _check(options: dict[str, Any]) -> None:
    from core.progression.progressors import cutoff

    check_order(options)
    check_estimands(options)
    asked = ("impute", "sensitivity", "models", "estimands", "assumptions", "tipping", "g_study")
    extra = [name for name in asked if options[name]]
    extra += ["strata, --covariate and --adjust"] if is_asked(options) else []
    if options["cluster"] and extra:
        option = OPTION_OF.get(extra[0], extra[0].rstrip("s").replace("_", "-"))
        raise click.UsageError(f"--cluster with --{option}: intervals there take subjects as independent")
    try:
        cutoff(options["progressor"])
    except ValueError as error:
        raise click.UsageError(
            f"--progressor {options['progressor']}: write >0, >=2, >SDC or >=5/y"
        ) from error


def _names(text: str | None) -> list[str] | None:
    return [name.strip() for name in text.split(",") if name.strip()] if text else None


def _analysis(readings: Readings, table: pd.DataFrame, options: dict[str, Any]) -> dict[str, Any]:
    """What the contract promises."""
    from core.progression.analysis import Options, progression

    clusters = _clusters(table, options["cluster"]) if options["cluster"] else None
    visits = options["from_days"], options["to_days"], options["window"]
    chosen = Options(
        *visits,
        bands=_bands(options["bands"]),
        clusters=clusters,
        has_intervals=options["intervals"] == "change",
        has_probability=True,
    )
    result = progression(readings, chosen)
    return result | ({"cluster": options["cluster"]} if clusters else {})


def _bands(text: str | None) -> list[float] | None:
    if text is None:
        return None
    try:
        borders = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise click.UsageError(f"--bands {text}: numbers are needed, such as 0.5,2") from error
    if borders != sorted(set(borders)) or borders[0] <= 0:
        raise click.UsageError(f"--bands {text}: rising numbers above 0 are needed, such as 0.5,2")
    return borders


def _clusters(table: pd.DataFrame, column: str) -> dict[str, str]:
    """Subject -> patient."""
    from core.cells import labels

    if column not in table.columns:
        raise InputError(
            f"--cluster {column}",
            f"the table has the columns {', '.join(map(str, table.columns))}",
            "name one",
        )
    subject, names = labels(table["subject"])
    patient, patients = labels(table[column])
    found: dict[str, str] = {}
    for one, other in zip(subject, patient, strict=True):
        if one < 0 or other < 0:
            continue
        known = found.setdefault(str(names[one]), str(patients[other]))
        if known != patients[other]:
            raise InputError(
                f"subject {names[one]} is of {known} and of {patients[other]}",
                f"one {column} per subject is needed",
                "fix the table",
            )
    return found


def _rule(table: pd.DataFrame) -> str:
    values = list(table["rule"].dropna().unique()) if "rule" in table else []
    return str(values[0]) if values else "as given"


def _by_rule(table: pd.DataFrame, file: str) -> dict[str, pd.DataFrame]:
    """Totals of each missing-site rule in the file, in order of appearance."""
    if "rule" not in table or table["rule"].nunique() < 2:
        return {_rule(table): table}
    rules = [str(rule) for rule in table["rule"].dropna().unique()]
    note(f"{file} has the rules {', '.join(rules)}; change and models use {rules[0]}")
    return {rule: _one_of_each(table[table["rule"].astype(str) == rule], file) for rule in rules}


def _imputed(
    tables: dict[str, pd.DataFrame], result: dict[str, Any], options: dict[str, Any]
) -> dict[str, Any]:
    """Rows of the panel, under ``imputed`` and ``sensitivity``."""
    if not (options["impute"] or options["sensitivity"]):
        return {}
    from core.progression.missing.methods import BY_NAME, METHODS
    from core.progression.missing.sensitivity import SensitivityOptions, sensitivity

    chosen = METHODS if options["sensitivity"] else (BY_NAME[options["impute"]],)
    days = result["from_days"], result["to_days"], options["window"], _names(options["readers"])
    names = ("imputations", "seed", "reference", "min_interval")
    asked = SensitivityOptions(*days, chosen, **{name: options[name] for name in names})
    panel = sensitivity(tables, asked)
    rows = panel.astype(object).where(panel.notna(), None).to_dict("records")
    first = next(iter(tables))
    one = [row for row in rows if row["method"] == options["impute"] and row["rule"] == first]
    return ({"imputed": one} if options["impute"] else {}) | (
        {"sensitivity": rows} if options["sensitivity"] else {}
    )


def _models(readings: Readings, result: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """Fitted models by name."""
    if not options["models"]:
        return {}
    from core.progression.regression.fit import ModelOptions, fit_model

    asked = ModelOptions(
        result["from_days"],
        result["to_days"],
        options["window"],
        rule=options["progressor"],
        correlation=options["correlation"],
        seed=options["seed"],
    )
    found = {}
    for name in dict.fromkeys(options["models"]):
        note(f"fitting {name}")
        found[name] = fit_model(readings, name, asked).as_dict()
    return {"models": found}


def _generalisability(readings: Readings, result: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """The G and D study of the two films."""
    if not options["g_study"]:
        return {}
    from core.progression.generalisability import generalisability
    from core.progression.pairing import Interval

    interval = Interval(result["from_days"], result["to_days"], result["window"])
    return {"generalisability": generalisability(readings, interval)}


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
