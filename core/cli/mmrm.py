"""``sharpline mmrm``: mixed model for repeated measures of a table, no cohort needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from core.cli.options.arms import adjust_option, check_order, names, order_option
from core.cli.options.table import (
    given_range,
    keep_rows,
    range_options,
    say_notes,
    say_refused,
    table_options,
)
from core.cli.output import (
    emit,
    json_option,
    note,
    reference_option,
    visit_order_option,
    warn_look_alikes,
    where_option,
)

if TYPE_CHECKING:
    import pandas as pd

    from data.tables.values import Problems

# name, digits and width of what a row of numbers has
COLUMNS = (("estimate", 4, 10), ("se", 4, 10), ("df", 4, 9), ("p", 3, 10), ("p_adjusted", 3, 12))


@click.command()
@click.argument("file", type=click.Path())
@click.option(
    "--formula", required=True, help="OUTCOME ~ TERMS, for example 'change ~ baseline + arm * visit'."
)
@click.option("--subject", required=True, metavar="C", help="Column of the patient.")
@click.option("--visit", required=True, metavar="C", help="Column of the visit.")
@click.option(
    "--covariance",
    type=click.Choice(["us", "toep", "ar1", "cs", "toeph", "ar1h", "csh"]),
    default="us",
    show_default=True,
    help="Covariance among visits; h: a variance per visit.",
)
@click.option(
    "--df",
    "method",
    type=click.Choice(["satterthwaite", "kenward-roger"]),
    default="satterthwaite",
    show_default=True,
    help="Degrees of freedom (and standard errors).",
)
@click.option("--group", metavar="C", help="A covariance for each level of this column.")
@click.option("--arm", metavar="C", help="Factor to compare; the one that interacts with visit if left out.")
@click.option(
    "--levels",
    multiple=True,
    metavar="C=L,L...",
    help="Order of a factor's levels, reference first (repeatable).",
)
@click.option(
    "--average",
    "averages",
    multiple=True,
    metavar="V,V...",
    help="Also the average of these visits, equal weights (repeatable); of all if left out.",
)
@order_option
@adjust_option
@range_options
@table_options
@reference_option
@visit_order_option
@where_option
@json_option
def command(file: str, **options: Any) -> int:
    """Mixed model for repeated measures by REML: means of arms at each visit, differences, F tests.

    FILE is CSV, XLSX, Parquet or SAS with one row per subject and visit. Text columns are factors in natural
    order (W2 before W12), the first level the reference; visits stand in order of time. A visit that
    --visit-order or --levels names keeps its place in the lags of ar1 and toep, also without a row. Rows with
    a missing variable are left out and counted. CDISC columns serve for names that are not there: CHG for
    change, AVISIT for visit.
    """
    from core.progression.mmrm.model import Options, mmrm
    from core.visit_order import parse_names
    from data.tables.values import located

    levels = dict(_order(text) for text in options["levels"])
    asked = parse_names(options["visit_order"])
    levels |= {options["visit"]: asked} if asked else {}
    table, problems = _table(file, options, levels)
    kind, method, reference = (options[name] for name in ("covariance", "method", "reference"))
    check_order(options)
    averages, order = [names([text]) for text in options["averages"]], names([options["order"] or ""])
    chosen = Options(
        kind, method, options["group"], options["arm"], levels, reference, averages, options["adjust"], order
    )
    named = {options["subject"]: "subject", options["visit"]: "visit", options["arm"]: "arm"}
    warnings = warn_look_alikes(table, named)
    is_fine = ~table.index.isin(list(problems.reasons))
    result = mmrm(table[is_fine], options["formula"], options["subject"], options["visit"], chosen)
    result["warnings"] = warnings
    known = [{"row": row, "reason": reason} for row, reason in problems.reasons.items()]
    refused = sorted([*result["refused"], *known], key=lambda item: item["row"])
    result["refused"] = located(refused, table, {name: name for name in table.columns})
    say_refused(result["refused"])
    for name, why in result["notes"].items():
        note(f"{name}: {why}")
    emit(result, as_json=options["as_json"], text=lambda: _text(result))
    return 1 if result["refused"] else 0


def _table(file: str, options: dict[str, Any], levels: dict[str, list[str]]) -> tuple[pd.DataFrame, Problems]:
    """The rows that are wanted, and what cannot be among their values."""
    from data.tables.adam import (
        as_model_table,
        check_one_parameter,
        column_of,
        derived_rows,
        names_in,
        without_baseline,
    )
    from data.tables.files import check_values, read_table
    from data.tables.values import number_columns, prepared

    outcome = (names_in(options["formula"].partition("~")[0]) or [""])[0]
    labels = [options[name] for name in ("subject", "visit", "group", "arm") if options[name]]
    wanted = list(dict.fromkeys([*names_in(options["formula"]), *labels, *levels]))
    needed = [name for name in (outcome, *labels) if name]
    table = read_table(file, options["reading"], lambda names: all(column_of(names, one) for one in needed))
    table = keep_rows(table, options["where"])
    check_one_parameter(table, file)
    table, notes = as_model_table(table, wanted)
    table, more = without_baseline(table, outcome)
    used = [name for name in wanted if name in table]
    check_values(table, used)
    table, problems = prepared(
        table, [name for name in number_columns(table, used) if name not in labels], options["reading"]
    )
    problems.notes += [*notes, *more, *derived_rows(table)]
    _refuse_impossible(table, outcome, used, options, problems)
    say_notes(table, problems)
    return table, problems


def _refuse_impossible(
    table: pd.DataFrame, outcome: str, used: list[str], options: dict[str, Any], problems: Problems
) -> None:
    """Outcomes and baselines that the score does not have; where nothing says which it is, likely codes."""
    from data.tables.adam import is_change
    from data.tables.limits import limits_of
    from data.tables.values import refuse_codes, refuse_outside

    given = given_range(options["limits"])
    for column in (name for name in used if name == outcome or name.casefold() in ("base", "baseline")):
        changes = is_change(column)
        limit = given if column == outcome else None
        limit = limit or limits_of(table, column, options["system"], is_change=changes)
        if limit is not None:
            refuse_outside(table, column, limit, problems)
        if given is None or column != outcome:
            refuse_codes(table, column, problems, is_change=changes)


def _order(text: str) -> tuple[str, list[str]]:
    name, equals, values = text.partition("=")
    levels = [value.strip() for value in values.split(",") if value.strip()]
    if not equals or not levels:
        raise click.UsageError(f"--levels {text}: COLUMN=LEVEL,LEVEL is needed")
    return name.strip(), levels


def _text(result: dict[str, Any]) -> str:
    end = "converged" if result["converged"] else "NOT converged: " + "; ".join(result["tried"])
    lines = [
        result["formula"],
        f"{result['n_subjects']} subjects, {result['n_rows']} rows used, {result['dropped_rows']} left out",
        f"covariance {result['covariance_structure']}, df {result['df_method']}, "
        f"REML log-likelihood {result['reml_loglik']:.4f}, {end}",
        "",
        *_rows(("term",), result["coefficients"]),
    ]
    lines += [*_mean_lines(result), *_test_lines(result["tests"])]
    matrices = result["covariance"].get("groups") or {"covariance": result["covariance"]["matrix"]}
    levels = result["covariance"]["levels"]
    for name, matrix in matrices.items():
        lines += ["", f"{name:<16}" + "".join(f"{level:>12}" for level in levels)]
        lines += [
            f"{level:<16}" + "".join(f"{value:>12.4g}" for value in row)
            for level, row in zip(levels, matrix, strict=True)
        ]
    return "\n".join(lines)


def _mean_lines(result: dict[str, Any]) -> list[str]:
    """LS means and differences at each visit, then over visits."""
    lines = ["", "LS means", *_rows(("visit", "arm"), result["ls_means"])]
    if result["contrasts"]:
        by = f", p adjusted by {result['adjust_words']}" if result["adjust"] else ""
        lines += ["", f"differences{by}", *_rows(("visit", "a", "b"), result["contrasts"])]
    for over in result["averages"]:
        lines += ["", f"average of {', '.join(over['visits'])}", *_rows(("arm",), over["ls_means"])]
        lines += _rows(("a", "b"), over["contrasts"]) if over["contrasts"] else []
    return lines


def _test_lines(tests: list[dict[str, Any]]) -> list[str]:
    if not tests:
        return []
    width = max(len(row["term"]) for row in tests) + 2
    lines = ["", f"{'F tests (Type III)':<{width}}{'num df':>8}{'den df':>9}{'F':>10}{'p':>10}"]
    for row in tests:
        den, f, p = _number(row["den_df"], 4), _number(row["f"], 4), _number(row["p"], 3)
        lines.append(f"{row['term']:<{width}}{row['num_df']:>8}{den:>9}{f:>10}{p:>10}")
    return lines


def _rows(names: tuple[str, ...], rows: list[dict[str, Any]]) -> list[str]:
    columns = [(name, digits, size) for name, digits, size in COLUMNS if name in rows[0]]
    labels = [" ".join(str(row[name]) for name in names if row[name] is not None) for row in rows]
    head = " ".join(names)
    width = max(map(len, [*labels, head])) + 2
    titles = "".join(f"{name:>{size}}" for name, _, size in columns)
    lines = [f"{head:<{width}}{titles}  95% interval"]
    for label, row in zip(labels, rows, strict=True):
        numbers = "".join(f"{_number(row[name], digits):>{size}}" for name, digits, size in columns)
        lines.append(f"{label:<{width}}{numbers}  {_number(row['ci'][0], 4)} to {_number(row['ci'][1], 4)}")
    return lines


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}g}"
