"""The scores of an evaluation as tables of docs/mtss-model.md, and in short in the weights card.

sharpline evaluate mtss --json > evaluation.json
python -m models.evaluation.report evaluation.json
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from models import cards
from models.evaluation.agreement import COMPONENTS, MODEL, PAIRED
from models.evaluation.markdown import into_page, table, told
from models.mtss.detectors.report import as_text as joints_text
from models.mtss.score_report import shown

MARK = "scores"
SAID = {MODEL: "model, films alone", PAIRED: "**model, films together**"}
SHORT = ("n", "icc_a1", "mean_absolute_error", "bias", "false_change", "false_improvement")


def as_text(result: Mapping[str, Any]) -> str:
    """Everything for a terminal: joints as the paper reports them, then the scores, set by set."""
    return "\n\n".join(f"{joints_text(one['detection'])}\n\n{shown(one)}" for one in result["sets"])


def as_page(result: Mapping[str, Any]) -> str:
    """Markdown tables: status, grades of sites, change, joint by joint, abstentions, for every set."""
    return "\n\n".join(part for one in result["sets"] for part in _set(one))


def _set(one: Mapping[str, Any]) -> list[str]:
    parts = [
        f"### {one['set'].capitalize()}: {one['patients']} patients, {one['films']} films ({one['note']})",
        _abstained(one["abstained"]),
        "Totals against the truth, every visit (rule `mtss.block_mean`, ankylosis `max`):",
        _status(one["status"]),
        "Grades of sites against the truth:",
        _grades(one["features"], "block"),
    ]
    if one.get("change"):
        parts += [
            "Change from the first to the last visit against the true change:",
            _change(one["change"]),
            _sites(one["site_change"]),
            _sdc(one["sdc_readers"]),
        ]
    found = one["detection"]["detection"]
    joints = "; ".join(
        f"{finding}: single {100 * row['single']:.1f}%, ensemble {100 * row['ensemble']:.1f}%"
        for finding, row in found.items()
    )
    parts += [
        f"Finger joints found by the detectors: {joints}.",
        "<details><summary>Agreement joint by joint (both sides together)</summary>\n",
        _grades(one["joints"], "joint", readers=(MODEL, PAIRED)),
        "</details>",
    ]
    return parts


def _abstained(reasons: Sequence[str]) -> str:
    if not reasons:
        return "No film was abstained on."
    counted = "; ".join(f"{count} x {reason}" for reason, count in Counter(reasons).most_common())
    return f"Abstained on {len(reasons)} films: {counted}."


def _status(tables: Mapping[str, Any]) -> str:
    rows = [
        [component, _said(reader), str(row["n"]), told(row["icc_a1"], 3), told(row["mean_absolute_error"]),
         told(row["bias"]), f"{told(row['loa_lower'], 1)}; {told(row['loa_upper'], 1)}"]
        for component in COMPONENTS
        for reader, row in tables[component].items()
    ]  # fmt: skip
    head = ("component", "reader", "n", "ICC(A,1)", "mean absolute error", "bias", "limits of agreement")
    return table(head, rows)


def _grades(tables: Mapping[str, Any], what: str, readers: Sequence[str] = ()) -> str:
    rows = [
        [name, _said(reader), str(row["n"]), told(row["kappa_quadratic"], 3), told(row["exact"], 3),
         told(row["within_one"], 3)]
        for name, by_reader in tables.items()
        for reader, row in by_reader.items()
        if not readers or reader in readers
    ]  # fmt: skip
    return table((what, "reader", "n", "quadratic kappa", "exact", "within one grade"), rows)


def _change(tables: Mapping[str, Any]) -> str:
    rows = [
        [component, _said(reader), f"{row['n']} ({row['unchanged']})", told(row["icc_a1"]),
         told(row["bias"]), told(row["sdc95_against_truth"]), told(row["false_change"]),
         told(row["false_improvement"]), told(row["same_way"])]
        for component in COMPONENTS
        for reader, row in tables[component].items()
    ]  # fmt: skip
    head = ("component", "reader", "n (truly unchanged)", "ICC(A,1)", "bias", "SDC95 against truth",
            "false change", "false improvement", "true change seen the same way")  # fmt: skip
    return table(head, rows)


def _sites(found: Mapping[str, Any]) -> str:
    rows = [
        [_said(reader), str(row["unchanged"]), told(row["false_change"], 4),
         told(row["false_improvement"], 4), str(row["changed"]), told(row["same_way"])]
        for reader, row in found.items()
    ]  # fmt: skip
    head = ("single sites: reader", "truly unchanged", "false change", "false improvement", "truly changed",
            "seen the same way")  # fmt: skip
    return table(head, rows)


def _sdc(tables: Mapping[str, Any]) -> str:
    said = [
        f"{pair}: one reader {told(row['one_reader'])}, mean of two {told(row['mean_of_two'])}"
        for pair, row in tables.get("total", {}).items()
    ]
    return f"SDC95 of the total from the readers' own disagreement: {'; '.join(said)}." if said else ""


def _said(reader: str) -> str:
    return SAID.get(reader, f"reader {reader}")


def summary(result: Mapping[str, Any]) -> dict[str, Any]:
    """The evaluation for the card: totals only, an estimate as ``[value, lower, upper]`` to four digits."""
    return {
        one["set"]: {
            "patients": one["patients"],
            "films": one["films"],
            "abstained": len(one["abstained"]),
            "status": {reader: _short(row) for reader, row in one["status"]["total"].items()},
            "change": {reader: _short(row) for reader, row in one.get("change", {}).get("total", {}).items()},
        }
        for one in result["sets"]
    }


def _short(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _flat(row[name]) for name in SHORT if name in row}


def _flat(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    numbers = (value["estimate"], *value["ci"])
    return [None if number is None else round(number, 4) for number in numbers]


@click.command()
@click.argument("evaluation", type=click.Path(path_type=Path))
@click.option(
    "--page", type=click.Path(path_type=Path), default=Path("docs/mtss-model.md"), show_default=True
)
def main(evaluation: Path, page: Path) -> None:
    """Write the result of ``sharpline evaluate mtss --json`` into the documentation and the card."""
    result = json.loads(evaluation.read_text(encoding="utf-8"))
    card = cards.read_card("mtss", result["size"])
    card["evaluation"] = summary(result)
    cards.write_card(card, "mtss", result["size"], cards.FOLDER)
    page.write_text(into_page(page.read_text(encoding="utf-8"), MARK, as_page(result)), encoding="utf-8")


if __name__ == "__main__":
    main()
