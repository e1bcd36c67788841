"""The evaluation as a page of tables, for the terminal and for docs/msasss-model.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from models import cards
from models.evaluation.markdown import into_page, shown, table

READER_NAMES = {"model": "model, single films", "model paired": "model, paired"}


def as_text(result: dict[str, Any]) -> str:
    """Markdown tables of an evaluation, one column per test set."""
    names = list(result["sets"])
    parts = [
        f"mSASSS model, size {result['size']}: {result['note']}. Intervals: 95%, patients resampled; "
        "a share of exactly 0 or 100% has Wilson's, with its patients as cases.",
        table(["", *names], _counts(result, names)),
        "### Per class, each against the rest (visible corners that were graded)",
        table(
            ["class", *_columns(names, ("sensitivity", "specificity", "accuracy"))], _classes(result, names)
        ),
        "### Detection, abstention, agreement on corners",
        table(["", *names], _film_rows(result, names)),
        "### Totals and change, beside the simulated readers, who read paired",
        *[_readers(name, result["sets"][name]) for name in names],
    ]
    return "\n\n".join(parts) + "\n"


def _columns(names: Sequence[str], measures: Sequence[str]) -> list[str]:
    return [f"{name}: {measure}" for name in names for measure in measures]


def _counts(result: dict[str, Any], names: Sequence[str]) -> list[list[str]]:
    sets = [result["sets"][name] for name in names]
    return [
        ["patients", *(str(one["patients"]) for one in sets)],
        [
            "films (of which to be refused)",
            *(f"{one['films']} ({one['abstention']['wrong']})" for one in sets),
        ],
        ["visible corners", *(str(one["detection"]["visible_corners"]) for one in sets)],
    ]


def _classes(result: dict[str, Any], names: Sequence[str]) -> list[list[str]]:
    first = result["sets"][names[0]]["grading"]["per_class"]
    rows = []
    for grade, label in enumerate(first):
        row = [f"{grade} {label}"]
        for name in names:
            found = result["sets"][name]["grading"]["per_class"][label]
            row += [shown(found[m], percent=True) for m in ("sensitivity", "specificity", "accuracy")]
        rows.append(row)
    return rows


def _film_rows(result: dict[str, Any], names: Sequence[str]) -> list[list[str]]:
    sets = [result["sets"][name] for name in names]

    def row(label: str, *path: str, percent: bool = True) -> list[str]:
        cells = []
        for one in sets:
            value: Any = one
            for key in path:
                value = value.get(key, {})
            cells.append(shown(value, percent=percent))
        return [label, *cells]

    paired_rows = [
        row("unchanged corners that change, read paired", "together", "corner_change", "false_change"),
        row("unchanged corners that improve, read paired", "together", "corner_change", "false_improvement"),
        row("changed corners that change the same way, read paired", "together", "corner_change",
            "true_change_found"),
        row("quadratic kappa of corner grades, read paired", "together", "grading", "kappa_quadratic",
            percent=False),
        row("exact agreement of corner grades, read paired", "together", "grading", "exact_agreement"),
    ]  # fmt: skip
    return [
        row("corner found within 3 mm and rightly named, films scored", "detection", "scored_films"),
        row("the same, over all good films", "detection", "all_good_films"),
        row("abstained on good and poor films", "abstention", "good_films"),
        row("abstained on wrong films", "abstention", "wrong_films"),
        row("quadratic kappa of corner grades", "grading", "kappa_quadratic", percent=False),
        row("exact agreement of corner grades", "grading", "exact_agreement"),
        row("within one grade", "grading", "within_one"),
        row("unchanged corners that change, films read singly", "corner_change", "false_change"),
        row("unchanged corners that improve, films read singly", "corner_change", "false_improvement"),
        row(
            "changed corners that change the same way, films read singly",
            "corner_change",
            "true_change_found",
        ),
        *(paired_rows if all(one.get("together") for one in sets) else []),
    ]


def _readers(name: str, one: dict[str, Any]) -> str:
    head = [
        name, "total: ICC(A,1)", "MAE", "bias", "change: ICC(A,1)", "SDC95 against truth", "false change",
        "false improvement",
    ]  # fmt: skip
    rows = []
    for reader, status in one["status"].items():
        change = one["change"].get(reader, {})
        rows.append(
            [
                f"{READER_NAMES.get(reader, reader)} (n {status['n']})",
                shown(status["icc_a1"]),
                shown(status["mean_absolute_error"], 2),
                shown(status["bias"], 2),
                shown(change.get("icc_a1"), 2),
                shown(change.get("sdc95_against_truth"), 2),
                shown(change.get("false_change"), percent=True),
                shown(change.get("false_improvement"), percent=True),
            ]
        )
    kappas = ", ".join(
        f"{reader} {shown(found['kappa_quadratic'], 2)}" for reader, found in one["readers_grading"].items()
    )
    return table(head, rows) + (f"\n\nQuadratic kappa of corner grades: {kappas}." if kappas else "")


def training_text(card: dict[str, Any]) -> str:
    """What the networks have seen, from the card."""
    training, tuning = card["training"], card["tuning"]
    sizes = ", ".join(
        f"{name} {about['parameters']:,} parameters ({about['bytes'] / 1e6:.1f} MB)"
        for name, about in card["networks"].items()
    )
    told = [
        f"Size {card['size']}: {sizes}. {training['films']} films of {len(training['patients'])} patients "
        f"({training['source']}); {training['finder_epochs']} epochs of the finder, "
        f"{training['grader_epochs']} of the grader.",
        training.get("history", ""),
        f"Tuned on {tuning['films']} films of {len(training['tuning_patients'])} other patients of the plain "
        f"population and {tuning['wrong_films']} wrong films.",
        training.get("command") and f"Command: `{training['command']}`.",
    ]
    return "\n\n".join(line for line in told if line)


@click.command()
@click.argument("evaluation", type=click.Path(path_type=Path))
@click.option(
    "--page", type=click.Path(path_type=Path), default=Path("docs/msasss-model.md"), show_default=True
)
def main(evaluation: Path, page: Path) -> None:
    """Write the result of ``sharpline evaluate msasss --json`` into the documentation and the card."""
    result = json.loads(evaluation.read_text(encoding="utf-8"))
    card = cards.read_card("msasss", result["size"])
    card["evaluation"] = summary(result)
    cards.write_card(card, "msasss", result["size"], cards.FOLDER)
    text = into_page(page.read_text(encoding="utf-8"), "training", training_text(card))
    page.write_text(into_page(text, "evaluation", as_text(result)), encoding="utf-8")


def summary(result: dict[str, Any]) -> dict[str, Any]:
    """The evaluation for the card: an estimate is ``[value, lower, upper]`` to four digits; lists of films
    stay out.
    """
    left_out = ("abstained", "readers_grading")
    return {
        name: _short({key: value for key, value in one.items() if key not in left_out})
        for name, one in result["sets"].items()
    }


def _short(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {"estimate", "ci"}:
        return [_short(number) for number in (value["estimate"], *value["ci"])]
    if isinstance(value, dict):
        return {key: _short(item) for key, item in value.items()}
    return round(value, 4) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
