"""Options on how arms are compared, for ``progression``, and what they give as lines for a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import pandas as pd

    from core.progression.totals_table import Readings

ADJUST = click.Choice(["dunnett", "holm", "hochberg", "fixed"])


def adjust_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--adjust``: p-values for several arms against the reference."""
    said = "Also p-values adjusted for several arms against the reference."
    return click.option("--adjust", type=ADJUST, help=said)(command)


def order_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--order``: of the arms in a fixed sequence."""
    said = "Order of the arms in --adjust fixed."
    return click.option("--order", metavar="ARM,ARM...", help=said)(command)


def check_order(options: dict[str, Any]) -> None:
    if options["order"] and options["adjust"] != "fixed":
        raise click.UsageError("--order is the order of --adjust fixed: give both")


def arm_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--strata``, ``--covariate``, ``--adjust``, ``--order``."""
    for option in (
        order_option,
        adjust_option,
        click.option(
            "--covariate", "covariates", multiple=True, metavar="COLUMN",
            help="Compare arms at equal values of this column (repeatable).",
        ),
        click.option(
            "--strata", multiple=True, metavar="COLUMN",
            help="Compare arms within strata of randomisation (repeatable).",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def is_asked(options: dict[str, Any]) -> bool:
    return bool(options["strata"] or options["covariates"] or options["adjust"])


def adjusted(
    readings: Readings, table: pd.DataFrame, result: dict[str, Any], options: dict[str, Any]
) -> dict[str, Any]:
    """The comparison under ``adjusted``, nothing where no option asks for it."""
    if not is_asked(options):
        return {}
    from core.progression.arms.adjusted import AdjustedOptions
    from core.progression.arms.adjusted_readings import adjusted_readings
    from core.progression.arms.patient_columns import patient_columns
    from core.progression.progressors import STANDARD, cutoff

    rule = cutoff(options["progressor"])
    cutoffs = STANDARD if rule.name in [one.name for one in STANDARD] else (*STANDARD, rule)
    strata, covariates = (names(options[name]) for name in ("strata", "covariates"))
    order = names([options["order"] or ""])
    chosen = AdjustedOptions(strata, covariates, cutoffs, options["adjust"], order)
    patients = patient_columns(table, [*strata, *covariates])
    days = result["from_days"], result["to_days"]
    return {"adjusted": adjusted_readings(readings, patients, chosen, days, options["window"])}


def names(given: list[str]) -> list[str]:
    """Names of columns or arms, also several with commas between."""
    return list(dict.fromkeys(name.strip() for text in given for name in text.split(",") if name.strip()))


def adjusted_lines(found: dict[str, Any]) -> list[str]:
    """The comparison in words: what it is adjusted for, then each arm against the reference."""
    by = f"strata {', '.join(found['strata'])}" if found["strata"] else "no strata"
    at = f", covariates {', '.join(found['covariates'])}" if found["covariates"] else ""
    if not found["comparisons"]:
        return [f"Arms: nothing to compare, {found['notes']['comparisons']}"]
    lines = [f"Arms against {found['reference_arm']}: baseline, {by}{at}; {found['n']} patients, "
             f"{len(found['left_out'])} left out"]  # fmt: skip
    if found["adjust"]:
        lines.append(f"  p adjusted by {found['adjust_words']}; {found['notes'].get('adjust', '')}")
    for row in found["comparisons"]:
        lines += _comparison(row)
    said = [f"  {name}: {why}" for name, why in found["notes"].items() if name != "adjust"]
    return [*lines, *said]


def _comparison(row: dict[str, Any]) -> list[str]:
    ancova = row["ancova"]
    lines = [
        f"  {row['a']} (n {row['n_a']}) minus {row['b']} (n {row['n_b']})",
        f"    ANCOVA {_number(ancova['estimate'])} {_interval(ancova['ci'])} {_p(ancova)}",
        f"    van Elteren {_p(row['van_elteren'])}; rank ANCOVA {_p(row['rank_ancova'])}",
    ]
    for name, shares in row["progressors"].items():
        common, model = shares["risk_difference"], shares["adjusted_risk_difference"]
        firth = " (Firth)" if model["method"] == "Firth" else ""
        lines.append(
            f"    change {name:<6} Mantel-Haenszel {_percent(common)}, CMH {_p(shares['cmh'])}; "
            f"adjusted{firth} {_percent(model)} {_p(model)}"
        )
    return lines


def _p(row: dict[str, Any]) -> str:
    adjusted = f" (adjusted {_number(row['p_adjusted'])})" if "p_adjusted" in row else ""
    return f"p {_number(row['p'])}{adjusted}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _interval(limits: list[float | None]) -> str:
    return "" if limits[0] is None else f"({_number(limits[0])} to {_number(limits[1])})"


def _percent(value: dict[str, Any]) -> str:
    if value["estimate"] is None:
        return "-"
    low, high = value["ci"]
    limits = "" if low is None or high is None else f" ({low:.0%} to {high:.0%})"
    return f"{value['estimate']:.0%}{limits}".replace("-0%", "0%")
