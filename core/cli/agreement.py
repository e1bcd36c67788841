"""``sharpline agreement``: agreement statistics of a table of ratings, no cohort needed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from core.cli.options.table import (
    given_range,
    keep_rows,
    range_options,
    read,
    say_notes,
    say_refused,
    table_options,
)
from core.cli.output import emit, json_option, warn_look_alikes, where_option
from core.cli.text.verdicts import verdict_lines
from core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from core.agreement.table import Choices
    from data.tables.values import Problems

Locate = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
TITLES = {"fleiss": "Fleiss' kappa", "conger": "Conger's kappa", "krippendorff": "Krippendorff's alpha"}
CUTS = {
    "kappa": "kappa",
    "pabak": "PABAK",
    "prevalence_index": "prevalence index",
    "bias_index": "bias index",
}
MOST_CUTS = 5
NEED_A_MODEL = ("margin", "icc_margin", "kappa_margin")
CHOICES = (
    "loa_ci", "draws", "seed", "model", "margin", "changes", "bias_margin", "icc_margin", "kappa_margin",
)  # fmt: skip
NO_ROUND = "no round in the round column"
LARGEST = 1e100  # squares of larger ratings would leave the range of numbers


@click.command()
@click.argument("file", type=click.Path())
@click.option("--subject", required=True, metavar="C[,C...]", help="Column(s) that name what was rated.")
@click.option("--rater", required=True, metavar="C", help="Column that says who rated.")
@click.option("--rating", required=True, metavar="C", help="Column with the numbers.")
@click.option("--raters", metavar="R,R...", help="Only these raters.")
@click.option(
    "--loa-ci",
    type=click.Choice(["exact", "approximate"]),
    default="exact",
    show_default=True,
    help="Intervals of the limits of agreement: noncentral t, or large-sample.",
)
@click.option("--cluster", metavar="C", help="Column of the patient: intervals then resample patients.")
@click.option(
    "--draws", type=click.IntRange(min=100), default=2000, show_default=True, help="Bootstrap draws."
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=20240229, show_default=True, help="Bootstrap seed."
)
@click.option("--model", default="", metavar="R", help="This rater is the model: compare it with the others.")
@click.option(
    "--margin",
    type=click.FloatRange(min=0, min_open=True),
    help="Preset margin of the interchangeability index, in squared score units (with --model).",
)
@click.option(
    "--scale",
    metavar="0-3",
    help="Grades that can be given, as 0-3 or 0,1,2,3 (AC1 and AC2); else those that were given.",
)
@click.option(
    "--bias-margin",
    type=click.FloatRange(min=0, min_open=True),
    help="Preset margin of a bias, in score units: two one-sided tests.",
)
@click.option(
    "--icc-margin",
    type=click.FloatRange(min=0, max=1, min_open=True),
    help="Preset loss of ICC(A,1) up to which the model is not inferior (with --model).",
)
@click.option(
    "--kappa-margin",
    type=click.FloatRange(min=0, max=1, min_open=True),
    help="The same of quadratic kappa, for grades (with --model).",
)
@click.option(
    "--round",
    "round_",
    metavar="C",
    help="Column of the reading round: drift of every rater; all else is about the first round.",
)
@click.option(
    "--intervals",
    type=click.Choice(["better", "textbook"]),
    default="better",
    show_default=True,
    help="Of SEM, MDC, SD, CCC and kappas in the text: those that hold best, or the textbook forms.",
)
@click.option(
    "--changes", is_flag=True, help="The ratings are changes: intervals for changes; with --model false ones."
)
@range_options
@table_options
@where_option
@json_option
def command(file: str, **options: Any) -> int:
    """Agreement of any number of raters: ICC, SEM, MDC; for two also Bland-Altman, kappas, correlations.

    FILE is CSV, XLSX, Parquet or SAS with one row per rating. Differences are first rater minus second, in
    order of first appearance in the file.
    """
    from core.agreement.table import Choices

    for name in NEED_A_MODEL:
        if not options["model"] and options[name] is not None:
            raise click.UsageError(f"--{name.replace('_', '-')} needs --model")
    frame, order, locate = _long(file, options)
    choices = Choices(
        **{name: options[name] for name in CHOICES},
        scale=_scale(options["scale"]),
        textbook=options["intervals"] == "textbook",
    )
    warnings = warn_look_alikes(frame, {"subject": "subject", "rater": "rater"})
    result = _result(frame, order, choices) | {"warnings": warnings}
    result["refused"] = locate(result["refused"])
    say_refused(result["refused"])
    emit(result, as_json=options["as_json"], text=lambda: _text(result, options))
    return 1 if result["refused"] else 0


def _result(frame: pd.DataFrame, order: list[str], choices: Choices) -> dict[str, Any]:
    """Agreement of all ratings; with rounds that of the first one, and the drift of every rater."""
    from core.agreement.long_table import collect
    from core.agreement.table import agreement
    from core.agreement.verdicts.rounds import drifts, rounds_of

    if "round" not in frame:
        return agreement(collect(frame, order, choices.scale), choices)
    rounds = rounds_of(frame)
    if not rounds:
        raise InputError("the round column is empty", "a round for each rating is needed", "check --round")
    result = agreement(collect(frame[frame["round"] == rounds[0]], order, choices.scale), choices)
    refused = [{"row": row, "reason": NO_ROUND} for row in frame.index[frame["round"].isna()].tolist()]
    refused += result["refused"]
    for later in rounds[1:]:
        refused += collect(frame[frame["round"] == later], order, choices.scale).refused
    gone = [item["row"] for item in refused]
    usable = frame[frame["rating"].notna() & frame["rater"].isin(order) & ~frame.index.isin(gone)]
    usable = usable[usable["subject"].notna()]
    found = drifts(usable, seed=choices.seed)
    return result | {"drift": found, "refused": sorted(refused, key=lambda item: item["row"])}


def _scale(text: str | None) -> tuple[float, ...] | None:
    """The grades of ``--scale``, rising."""
    if text is None:
        return None
    try:
        ends = re.fullmatch(r"\s*(-?\d+)\s*(?:-|to)\s*(-?\d+)\s*", text)
        if ends:
            grades = list(map(float, range(int(ends[1]), int(ends[2]) + 1)))
        else:
            grades = sorted({float(part) for part in text.split(",")})
    except ValueError:
        grades = []
    if not 2 <= len(grades) <= 30:
        raise click.UsageError(f"--scale {text}: 2 to 30 grades are needed, such as 0-3 or 0,1,2,3")
    return tuple(grades)


def _long(file: str, options: dict[str, Any]) -> tuple[pd.DataFrame, list[str], Locate]:
    """The ratings as ``collect`` takes them, the raters in file order, and where refused cells stand."""
    import numpy as np
    import pandas as pd

    from data.tables.files import number_column, text_column
    from data.tables.values import cell_of_value

    table, problems, order, subject = _rows(file, options)
    rating, is_text = number_column(table, options["rating"])
    endless = np.abs(rating.to_numpy()) > LARGEST
    frame = pd.DataFrame({"subject": _joined(table, subject), "rater": text_column(table, options["rater"])})
    frame["rating"] = rating.mask(endless)
    if (is_text | endless).any():
        frame["text"] = table[options["rating"]].astype(str).where(is_text | endless)
    if options["round_"]:
        frame["round"] = text_column(table, options["round_"])
    if problems.reasons:
        frame["problem"] = problems.series(frame.index)
    if options["cluster"]:
        frame["cluster"] = text_column(table, options["cluster"])

    def locate(refused: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """With the cell of a rating in a workbook; its reason begins with the column or the text."""
        return [item | cell_of_value(item, table, options["rating"]) for item in refused]

    return frame, _picked(order, frame, options["raters"]), locate


def _rows(file: str, options: dict[str, Any]) -> tuple[pd.DataFrame, Problems, list[str], list[str]]:
    """The rows that are wanted, what cannot be among them, all raters in order, the subject's columns."""
    from data.tables.files import text_column

    names, rating = [options["subject"]], options["rating"]
    rest = [options["rater"], rating, *(options[name] for name in ("cluster", "round_") if options[name])]
    try:
        table, problems = read(file, options["reading"], (), (*names, *rest), (rating,))
    except InputError:
        if "," not in options["subject"]:
            raise
        names = [name.strip() for name in options["subject"].split(",")]
        table, problems = read(file, options["reading"], (), (*names, *rest), (rating,))
    order = text_column(table, options["rater"]).dropna().drop_duplicates().tolist()
    table = keep_rows(table, options["where"])
    _refuse_impossible(table, options, problems)
    say_notes(table, problems)
    return table, problems, order, names


def _refuse_impossible(table: pd.DataFrame, options: dict[str, Any], problems: Problems) -> None:
    """Ratings that the score, or the range that was given, does not have; without either, likely codes."""
    from data.tables.adam import is_change
    from data.tables.limits import limits_of
    from data.tables.values import note_odd_grades, refuse_codes, refuse_outside

    rating = options["rating"]
    changes = options["changes"] or is_change(rating)
    limit = given_range(options["limits"]) or limits_of(table, rating, options["system"], is_change=changes)
    if limit is not None:
        refuse_outside(table, rating, limit, problems)
    if limit is None or not options["limits"]:
        refuse_codes(table, rating, problems, is_change=changes)
    if limit is None and not changes and not options["scale"]:
        note_odd_grades(table, rating, problems)


def _joined(table: pd.DataFrame, columns: list[str]) -> pd.Series:
    """One label from several columns; missing where any is."""
    from data.tables.files import text_column

    label = text_column(table, columns[0])
    for column in columns[1:]:
        label = label + " · " + text_column(table, column)
    return label


def _picked(order: list[str], frame: pd.DataFrame, raters: str | None) -> list[str]:
    """The raters that may count: those asked for, or those in the kept rows, in file order."""
    present = set(frame["rater"].dropna().unique())
    if not raters:
        return [name for name in order if name in present]
    asked = [name.strip() for name in raters.split(",") if name.strip()]
    absent = [name for name in asked if name not in present]
    if absent or not asked:
        raise InputError(
            f"--raters {raters}",
            f"the raters are {', '.join(n for n in order if n in present)}",
            "name these",
        )
    return [name for name in order if name in asked]


def _text(result: dict[str, Any], options: dict[str, Any]) -> str:
    better = result["intervals"] or {}
    lines = [
        f"{result['subjects']} subjects rated by all of {', '.join(result['raters'])}"
        f" ({result['dropped_subjects']} left out), rating: {options['rating']}",
        "",
    ]
    lines += [_line(f"{form}, Shrout-Fleiss {v['shrout_fleiss']}", v) for form, v in _icc_rows(result["icc"])]
    if "icc_mixed" in result:
        mixed = result["icc_mixed"]
        lines.append(f"Mixed model, all {mixed['ratings']} ratings of {mixed['subjects']} subjects:")
        if "averaged" in mixed:
            lines.append(f"  (a pool of raters, k = {mixed['averaged']} a subject; {mixed['method']})")
        lines += [_line(f"  {form}", value) for form, value in _icc_rows(mixed)]
    lines += [
        _line("SEM, agreement", {"estimate": result["sem"]["agreement"]}),
        _line(
            "SEM, consistency",
            {"estimate": result["sem"]["consistency"], "ci": better.get("sem.consistency")},
        ),
        _line(
            "MDC95, one rater",
            {"estimate": result["mdc95"], "ci": better.get("mdc95", result.get("mdc95_ci"))},
        ),
    ]
    if "bland_altman" in result:
        lines += ["", *_pair_lines(result)]
    if "fleiss" in result:
        lines += ["", *_many_lines(result)]
    if "model_as_reader" in result:
        lines += ["", *_model_lines(result["model_as_reader"])]
    lines += verdict_lines(result, _line)
    if "bootstrap" in result:
        how = result["bootstrap"]
        lines += ["", f"Intervals: {how['draws']} draws of {how['patients']} patients, seed {how['seed']}."]
    if better:
        note = f" Note: {better['note']}." if better["note"] else ""
        lines += ["", f"SEM, MDC, SD, CCC, kappas: {better['method']}.{note}"]
    lines += ["", *[f"note, {name}: {reason}" for name, reason in result["notes"].items()]]
    return "\n".join(lines).rstrip()


def _icc_rows(block: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in block.items() if name.startswith("ICC")]


def _pair_lines(result: dict[str, Any]) -> list[str]:
    limits, better = result["bland_altman"], result["intervals"] or {}
    first, second = result["raters"]
    slope = limits["proportional_bias"]
    lines = [
        _line(f"bias, {first} minus {second}", limits["bias"]),
        _line("SD of differences", {"estimate": limits["sd"], "ci": better.get("bland_altman.sd")}),
        _line(f"lower limit of agreement ({limits['loa_ci_method']})", limits["loa"]["lower"]),
        _line("upper limit of agreement", limits["loa"]["upper"]),
        _line("proportional bias, slope", {"estimate": slope["slope"], "ci": slope["ci"]}),
        _line("Pearson", result["pearson"]),
        _line("Spearman", result["spearman"]),
        _line("Lin's CCC (divisor n)", result["ccc"] | ({"ci": better["ccc"]} if "ccc" in better else {})),
    ]
    for name, value in (result["kappa"] or {}).items():
        held = better.get(f"kappa.{name}", value["ci"])
        lines.append(_line(f"kappa, {name}", value | {"ci": held}))
    for name, value in (result["gwet"] or {}).items():
        lines.append(_line(f"Gwet {name.replace('_', ', ').upper()}", value))
    lines += _cut_lines(result["two_categories"] or [])
    for name in ("exact_agreement", "within_one"):
        lines.append(_line(name.replace("_", " "), {"estimate": result[name], "ci": result[f"{name}_ci"]}))
    return lines


def _cut_lines(cuts: list[dict[str, Any]]) -> list[str]:
    """Kappa beside PABAK and the two indices at each cut; the JSON has them of more than five cuts."""
    lines = []
    for cut in cuts if len(cuts) <= MOST_CUTS else ():
        lines += [_line(f"{words}, {cut['at_least']:g} or more", cut[name]) for name, words in CUTS.items()]
    return lines


def _many_lines(result: dict[str, Any]) -> list[str]:
    """Grades of three raters or more."""
    lines = []
    if result["grades"]:
        size = result["grades"]
        levels = ", ".join(f"{level:g}" for level in size["levels"])
        rated = f"{size['ratings']} ratings, {size['subjects']} subjects with two or more"
        lines.append(f"Grades {levels}: {rated}")
        for name, title in TITLES.items():
            lines += [_line(f"{title}, {weights}", value) for weights, value in result[name].items()]
        lines += [
            _line(f"Gwet {name.replace('_', ', ').upper()}", value) for name, value in result["gwet"].items()
        ]
    return [*lines, _line("Kendall's W (subjects rated by all)", result["kendall_w"])]


def _model_lines(found: dict[str, Any]) -> list[str]:
    index = found["interchangeability"]
    about = index["notes"].get("equivalent", "")
    why = about if index["index"]["ci"][1] is not None else index["notes"].get("index", "no interval")
    verdict = {None: f"no verdict: {why}", True: f"interchangeable ({about})", False: "not interchangeable"}
    lines = [
        _line(f"interchangeability index of {found['model']}", index["index"]),
        f"margin {index['margin']}: {verdict[index['equivalent']]}"
        if index["margin"] is not None
        else "no verdict: no margin was given",
    ]
    for row in found["leave_one_out"]["rows"]:
        against = f"the mean of {', '.join(row['against'])}"
        lines.append(_line(f"ICC(A,1) {row['left_out']} with {against}", row["reader"]["ICC(A,1)"]))
        lines.append(_line(f"ICC(A,1) {found['model']} with {against}", row["model"]["ICC(A,1)"]))
    for name, rates in _rates(found):
        lines.append(_line(f"false change, {name} ({rates['cases']} cases)", rates["false_change"]))
        lines.append(_line(f"false improvement, {name}", rates["false_improvement"]))
    return lines


def _rates(found: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    rates = found.get("false_change")
    return [(found["model"], rates["model"]), *rates["readers"].items()] if rates else []


def _line(label: str, value: dict[str, Any]) -> str:
    number = _number(value["estimate"])
    limits = value.get("ci")
    if not limits or limits == [None, None]:
        return f"{label:<52}{number:>12}"
    return f"{label:<52}{number:>12}  ({_number(limits[0])} to {_number(limits[1])})"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
