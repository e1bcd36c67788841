"""``sharpline mmrm``: mixed model for repeated measures of a table, no cohort needed."""

from __future__ import annotations

from typing import Any

import click

from core.cli.output import emit, json_option, keep_where, note, warn_look_alikes, where_option
from core.errors import InputError

SHOWN = 20


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
@where_option
@json_option
def command(file: str, **options: Any) -> int:
    """Mixed model for repeated measures by REML, with arm differences at each visit.

    FILE is CSV, XLSX or Parquet with one row per subject and visit. Text columns are factors in natural order
    (W2 before W12), the first level the reference. Rows with a missing variable are left out and counted.
    """
    from core.progression.mmrm.model import Options, mmrm
    from data.tables.files import read_table

    levels = dict(_order(text) for text in options["levels"])
    chosen = Options(options["covariance"], options["method"], options["group"], options["arm"], levels)
    table = keep_where(read_table(file), options["where"])
    if not len(table):
        raise InputError(f"{file}", "no row is left under --where", "check the values")
    named = {options["subject"]: "subject", options["visit"]: "visit", options["arm"]: "arm"}
    warnings = warn_look_alikes(table, named)
    result = mmrm(table, options["formula"], options["subject"], options["visit"], chosen)
    result["warnings"] = warnings
    for problem in result["refused"][:SHOWN]:
        note(f"row {problem['row']} refused: {problem['reason']}")
    for name, why in result["notes"].items():
        note(f"{name}: {why}")
    emit(result, as_json=options["as_json"], text=lambda: _text(result))
    return 1 if result["refused"] else 0


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
        *_table(("term",), result["coefficients"]),
    ]
    if result["contrasts"]:
        lines += ["", *_table(("visit", "a", "b"), result["contrasts"])]
    matrices = result["covariance"].get("groups") or {"covariance": result["covariance"]["matrix"]}
    levels = result["covariance"]["levels"]
    for name, matrix in matrices.items():
        lines += ["", f"{name:<16}" + "".join(f"{level:>12}" for level in levels)]
        lines += [
            f"{level:<16}" + "".join(f"{value:>12.4g}" for value in row)
            for level, row in zip(levels, matrix, strict=True)
        ]
    return "\n".join(lines)


def _table(names: tuple[str, ...], rows: list[dict[str, Any]]) -> list[str]:
    width = max(len(" ".join(str(row[name]) for name in names)) for row in rows) + 2
    head = " ".join(names)
    lines = [f"{head:<{width}}{'estimate':>10}{'se':>10}{'df':>9}{'p':>10}  95% interval"]
    for row in rows:
        label = " ".join(str(row[name]) for name in names)
        numbers = "".join(
            f"{_number(row[name], digits):>{size}}"
            for name, digits, size in (("estimate", 4, 10), ("se", 4, 10), ("df", 4, 9), ("p", 3, 10))
        )
        lines.append(f"{label:<{width}}{numbers}  {_number(row['ci'][0], 4)} to {_number(row['ci'][1], 4)}")
    return lines


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}g}"
