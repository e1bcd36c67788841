"""``sharpline mrmc``: readers with and without the model over the same cases, no cohort needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from core.cli.options.table import keep_rows, say_notes, say_refused, table_options
from core.cli.output import emit, json_option, note, warn_look_alikes, where_option
from core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from data.tables.values import Problems

NEEDED = ("subject", "reader", "modality", "rating", "truth")
OTHER_NAMES = {"case": "subject", "patient": "subject", "treatment": "modality", "score": "rating"}


@click.command()
@click.argument("file", type=click.Path())
@click.option(
    "--metric",
    type=click.Choice(["auc", "kappa", "error"]),
    default="auc",
    show_default=True,
    help="AUC; quadratic kappa with the truth; mean absolute error.",
)
@click.option("--positive", type=float, help="Truth from which on a case is positive (auc).")
@click.option(
    "--reference", metavar="M", help="Modality that the others are compared with; the first if left out."
)
@click.option(
    "--covariance",
    type=click.Choice(["delong", "u-statistics", "jackknife"]),
    help="Between figures of merit over cases.  [delong for auc of one case a patient, else jackknife]",
)
@click.option(
    "--missing-reads",
    "policy",
    type=click.Choice(["allow", "complete", "refuse"]),
    default="allow",
    show_default=True,
    help="allow: each reader on what he read; complete: cases that all read; refuse: stop and name them.",
)
@table_options
@where_option
@json_option
def command(file: str, **options: Any) -> int:
    """Readers under two modalities or more, such as without and with the model, over the same cases.

    FILE has one row for each read: subject (or case), site where a patient has several, reader, modality,
    rating and truth. Obuchowski and Rockette's analysis with Hillis' degrees of freedom, for random and fixed
    readers and cases. A patient's sites count together.
    """
    from core.agreement.mrmc.analysis import analyse
    from core.agreement.mrmc.study import collect
    from data.tables.values import located

    table, problems = _table(file, options)
    warnings = warn_look_alikes(table, {"subject": "subject", "reader": "reader", "modality": "modality"})
    study = collect(
        table, reference=options["reference"], policy=options["policy"], problems=problems.series(table.index)
    )
    result = analyse(study, options["metric"], covariance=options["covariance"], positive=options["positive"])
    result["warnings"] = warnings
    result["refused"] = located(result["refused"], table, {name: name for name in (*NEEDED, "site")})
    say_refused(result["refused"])
    for name, why in result["notes"].items():
        note(f"{name}: {why}")
    emit(result, as_json=options["as_json"], text=lambda: _text(result))
    return 1 if result["refused"] else 0


def _table(file: str, options: dict[str, Any]) -> tuple[pd.DataFrame, Problems]:
    """The rows that are wanted under our names, numbers as numbers."""
    from data.tables.files import check_values, need_columns, read_table
    from data.tables.values import prepared

    table = keep_rows(read_table(file, options["reading"]), options["where"])
    table = table.rename(
        columns={old: new for old, new in OTHER_NAMES.items() if old in table and new not in table}
    )
    table = need_columns(table, NEEDED, file)
    if not len(table):
        raise InputError(f"{file}", "no row is left", "check --where")
    labels = [name for name in ("subject", "site", "reader", "modality") if name in table]
    check_values(table, labels)
    table, problems = prepared(table, ("rating", "truth"), options["reading"])
    say_notes(table, problems)
    return table, problems


def _text(result: dict[str, Any]) -> str:
    lines = [
        f"{result['title']} ({result['better']} is better), {result['cases']} cases of {result['patients']} "
        f"patients, {len(result['readers'])} readers; covariances by {result['covariance']}",
    ]
    if result["positives"] is not None:
        lines.append(f"{result['positives']} positive cases (truth {result['positive_from']:g} or more)")
    lines += ["", f"{'reader':<20}" + "".join(f"{name:>24}" for name in result["modalities"])]
    cells = {(cell["modality"], cell["reader"]): cell for cell in result["cells"]}
    for reader in result["readers"]:
        row = "".join(f"{_cell(cells[name, reader]):>24}" for name in result["modalities"])
        lines.append(f"{reader:<20}{row}")
    means = {row["modality"]: row for row in result["means"]}
    lines.append(f"{'mean':<20}" + "".join(f"{_cell(means[name]):>24}" for name in result["modalities"]))
    for one in result["analyses"]:
        lines += ["", f"{one['analysis']}: {one['says']}", *_differences(one)]
    return "\n".join(
        [*lines, "", *[f"note, {name}: {why}" for name, why in result["notes"].items()]]
    ).rstrip()


def _differences(one: dict[str, Any]) -> list[str]:
    test = one["test"]
    df = "" if test["df2"] is None else f", {test['df2']:.2f}"
    lines = [
        f"  {row['a']} minus {row['b']}: {_cell(row)}  se {_number(row['se'])}  p {_number(row['p'])}"
        for row in one["differences"]
    ]
    value = f"{test['statistic']} {_number(test['value'])} (df {test['df1']}{df})"
    return [*lines, f"  all alike: {value}, p {_number(test['p'])}"]


def _cell(row: dict[str, Any]) -> str:
    low, high = row["ci"]
    limits = "" if low is None or high is None else f" ({low:.3f} to {high:.3f})"
    return ("-" if row["estimate"] is None else f"{row['estimate']:.3f}") + limits


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
