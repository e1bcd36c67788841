"""The result of ``sharpline progression`` as lines for a person."""

from __future__ import annotations

from typing import Any

from core.cli.options.arms import adjusted_lines
from core.cli.options.estimands_text import estimand_lines

SHOWN = 20  # refused rows and subjects left out, named one by one


def lines_of(result: dict[str, Any]) -> str:
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
    lines += ["", *_panel_lines(result.get("imputed", []))] if "imputed" in result else []
    lines += ["", *_panel_lines(result["sensitivity"])] if "sensitivity" in result else []
    lines += ["", *_study_lines(result["generalisability"])] if "generalisability" in result else []
    for model in result.get("models", {}).values():
        lines += ["", *_model_lines(model)]
    lines += ["", *adjusted_lines(result["adjusted"])] if "adjusted" in result else []
    lines += ["", *estimand_lines(result["estimands"])] if "estimands" in result else []
    lines += ["", *[f"note, {name}: {why}" for name, why in result["notes"].items()]]
    if "bootstrap" in result:
        about = result["bootstrap"]
        lines.append(
            f"intervals: {about['draws']} draws of {about['patients']} patients, seed {about['seed']}"
        )
    lines += [f"left out: {row['subject']}, {row['reason']}" for row in result["left_out"][:SHOWN]]
    return "\n".join(lines).rstrip()


def _error_lines(result: dict[str, Any]) -> list[str]:
    if not result["sdc95"]:
        return ["SDC95: not available"]
    readers = result["sdc_readers"]
    icc = result["change_icc"]["ICC(A,1)"]
    one, mean = result["sdc95"]["one_reader"], result["sdc95"]["mean_of_readers"]
    better = result["intervals"] or {"sdc95": result["sdc95_ci"], "change_icc": {"ICC(A,1)": icc["ci"]}}
    limits = better["sdc95"]["mean_of_readers"]
    bands = [
        f"SDC95 where |change| is {band['label']}: {_number(band['sdc95']['mean_of_readers'])} "
        f"{_interval(band['sdc95_ci']['mean_of_readers'])} (n {band['n']})"
        for band in result["sdc_by_size"]["bands"]
        if band["sdc95"]
    ]
    return [
        f"SDC95, one reader {_number(one)}; mean of {readers} readers {_number(mean)} {_interval(limits)} "
        f"({result['sdc_subjects']} subjects)",
        *_held(result, "sdc95"),
        *_bias_line(result),
        f"ICC(A,1) of change {_number(icc['estimate'])} {_interval(better['change_icc']['ICC(A,1)'])}",
        *_held(result, "change_icc"),
        *bands,
    ]


def _held(result: dict[str, Any], name: str) -> list[str]:
    """What is known of the interval in the line before."""
    intervals = result["intervals"]
    said = intervals["coverage"][name]["note"] if intervals else ""
    return [f"  {said}"] if said else []


def _bias_line(result: dict[str, Any]) -> list[str]:
    """The bias of two readers, where subjects that all cover give one."""
    bias = result["bias"]
    if bias["estimate"] is None:
        return []
    first, second = result["readers"][:2]
    return [f"bias, {first} minus {second}: {_number(bias['estimate'])} {_interval(bias['ci'])}"]


def _progressor_lines(result: dict[str, Any]) -> list[str]:
    lines = []
    for name, groups in result["progressor_shares"].items():
        parts = [
            f"{group} {row['count']}/{row['n']} {_interval(row['share']['ci'], percent=True)}"
            for group, row in groups.items()
        ]
        parts += [_gap(gap) for gap in result["progressor_differences"][name]]
        lines.append(f"change {name:<6} {'; '.join(parts)}")
    net = result["net_progression_interval"]["all"]
    return [
        *lines,
        f"net progression {result['net_progression']} (above 0 minus below 0): "
        f"{_percent(net['estimate'])} {_interval(net['ci'], percent=True)}",
        *[f"net progression, {_gap(gap)}" for gap in result["net_progression_differences"]],
        *_worsened_line(result["probability_worsened"]),
    ]


def _worsened_line(found: dict[str, Any]) -> list[str]:
    """How many truly worsened by the model, or why it is not said; by subject it stands in the JSON."""
    if found["by_subject"] is None:
        return [f"probability of true worsening: not given, {found['note']}"]
    values = [value for value in found["by_subject"].values() if value is not None]
    if len(values) < len(found["by_subject"]):
        return [f"probability of true worsening: {len(values)} subjects (--json)", f"  {found['note']}"]
    return [
        f"truly worsened by more than {found['worsened_above']:g}: {sum(values):.1f} of {len(values)} "
        "expected (--json: by subject)",
        f"  {found['note']}",
    ]


def _gap(gap: dict[str, Any]) -> str:
    interval = _interval(gap["ci"], percent=True)
    return f"{gap['a']} minus {gap['b']} {_percent(gap['estimate'])} {interval}".rstrip()


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def _study_lines(found: dict[str, Any]) -> list[str]:
    """Variance components of status and change, then SDC and ICC by number of readers."""
    lines = []
    for name in ("status", "change"):
        part = found[name]
        lines.append(
            f"variance of {name}, {part['n']} subjects, {part['readers']} readers ({part['method']})"
        )
        lines += [
            f"  {row['name']:<18}{_number(row['variance']):>9} {_interval(row['ci'])}  "
            f"{_percent(row['share'])}"
            for row in part["components"]
        ]
        lines += [f"  note, {what}: {why}" for what, why in part["notes"].items()]
    lines += [
        f"change, mean of {row['readers']}: SDC95 {_number(row['sdc95']['estimate'])} "
        f"{_interval(row['sdc95']['ci'])}, ICC(A) {_number(row['icc']['estimate'])} "
        f"{_interval(row['icc']['ci'])}"
        for row in found["change"]["by_readers"]
    ]
    return lines


def _panel_lines(rows: list[dict[str, Any]]) -> list[str]:
    """The panel: one line per rule, method, group and measure, the estimand above each method."""
    lines: list[str] = []
    above = None
    for row in rows:
        if (row["rule"], row["method"]) != above:
            above = row["rule"], row["method"]
            lines.append(f"{row['rule']}, {row['method']}: {row['estimand']}")
        is_share = row["measure"] != "mean change"
        value = _percent(row["estimate"]) if is_share else _number(row["estimate"])
        interval = _interval([row["low"], row["high"]], percent=is_share)
        about = f"n {row['n']}, {row['imputed_films']} films put in" + (
            f"; {row['note']}" if row["note"] else ""
        )
        lines.append(f"  {row['group']:<16} {row['measure']:<12} {value:>7} {interval:<18} {about}".rstrip())
    return lines


def _model_lines(model: dict[str, Any]) -> list[str]:
    """A fitted model: what, from whom, how it ended, and its terms."""
    used = f"{model['n_subjects']} subjects, {model['n_rows']} rows"
    lines = [f"{model['title']}: {model['formula']}", f"  {used}; {model['method']}"]
    lines += [
        f"  left out: {row['n']} {model['left_out_unit']}, {row['reason']}" for row in model["left_out"]
    ]
    rows = model["coefficients"] or model.get("firth", [])
    width = max((len(row["term"]) for row in rows), default=0) + 2
    lines += [
        f"  {row['term']:<{width}}{_number(row['estimate']):>9} {_interval(row['ci']):<22} "
        f"p {_number(row['p'])}".rstrip()
        for row in rows
    ]
    return lines + [f"  {name}: {why}" for name, why in model["notes"].items()]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _interval(limits: list[float | None], *, percent: bool = False) -> str:
    low, high = limits
    if low is None or high is None:
        return ""
    return f"({low:.0%} to {high:.0%})" if percent else f"({low:.3g} to {high:.3g})"
