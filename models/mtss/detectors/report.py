"""The figures of an evaluation as tables, the paper's beside them: for a terminal and docs/mtss-model.md.

    python -m models.mtss.detectors.report

writes the stored folds' evaluation.json into the page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from models import cards
from models.evaluation.markdown import Block, Table, as_terminal, into_page, shown, table
from models.mtss.detectors.joints import ANKYLOSIS, DETECTORS

ROWS = {
    "detection_rate": "joints found",
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "specificity": "specificity",
    "f1": "F",
    "iou": "IoU of joints found",
}
METHODS = {"single": "single", "ensemble": "ensemble", "hand_model": "with hand model"}
MARK = "detectors"
EVALUATION = cards.FOLDER / "mtss-folds" / "evaluation.json"


def as_text(result: Mapping[str, Any]) -> str:
    """Tables for a terminal: each finding by each method, then how joints were named."""
    head = f"mTSS special findings: {result['folds']}. {result['note']}."
    return as_terminal([head, *pooled_blocks(result)])


def pooled_blocks(result: Mapping[str, Any]) -> list[Block]:
    """Each finding by each method beside the paper's figures, how joints were named, and which films were
    not.
    """
    tables = [
        Table(
            f"{finding.capitalize()} ({_who(found['ensemble'])}):",
            *_pooled(finding, found, result["paper"]),
        )
        for finding, found in result["findings"].items()
    ]
    named = result["naming"]
    refused = [f"{one['film']} ({one['kind']}): {one['reason']}" for one in named["refused"]]
    text = f"Names of joints: {_names(named)}."
    return [*tables, text + (f" Not named: {'; '.join(refused)}." if refused else "")]


def _names(named: Mapping[str, Any]) -> str:
    return (
        f"{named['films_named']} of {named['films']} films; {named['named']} of {named['joints']} joints, "
        f"{named['named_right']} of them correctly"
    )


def _who(whole: Mapping[str, Any]) -> str:
    counts = whole["counts"]
    return (
        f"{whole['patients']} patients, {whole['films']} films, {counts['joints']} joints, "
        f"{counts['tp'] + counts['fn']} with the finding"
    )


def _counts(counts: Mapping[str, int]) -> str:
    return f"TP {counts['tp']}, FN {counts['fn']}, FP {counts['fp']}, TN {counts['tn']}"


def _paper(paper: Mapping[str, Any], finding: str, key: str) -> str:
    if key == "detection_rate":
        return "> 0.998"
    stated = paper[finding].get(key)
    return "-" if stated is None else f"{stated:.3f}" if key == "iou" else f"{stated:.2f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def as_page(result: Mapping[str, Any]) -> str:
    """Markdown tables for the documentation: pooled, fold by fold, held-out patients, training."""
    parts = [
        f"{result['folds'].capitalize()}, {result['note']}. Intervals: 95%, patients resampled; a "
        "proportion of exactly 0 or 1 has Wilson's, with its patients as cases. Paper: Sci Rep "
        "2024;14:7696, 130 patients.",
    ]
    for finding in DETECTORS:
        tables = result["findings"][finding]
        parts += [
            f"#### {finding.capitalize()}: all folds pooled ({_who(tables['ensemble'])})",
            table(*_pooled(finding, tables, result["paper"])),
            _found(result["detection"][finding]),
            f"#### {finding.capitalize()}: fold by fold, ensemble",
            _folds(finding, tables["per_fold"], result["paper"]),
        ]
    parts.append(f"Names of joints, all folds: {_names(result['naming'])}.")
    if result.get("held_out"):
        parts += ["#### Held-out patients with long-standing disease", *_held_out(result["held_out"])]
    if result.get("budget"):
        parts += ["#### Training", _budget(result["budget"])]
    return "\n\n".join(parts)


def _pooled(
    finding: str, tables: Mapping[str, Any], paper: Mapping[str, Any]
) -> tuple[list[str], list[list[str]]]:
    """Header and rows: each figure by each method, and the paper's."""
    rows = [
        [words, *(shown(tables[method][key]) for method in METHODS), _paper(paper, finding, key)]
        for key, words in ROWS.items()
    ]
    rows.append(["counts", *(_counts(tables[method]["counts"]) for method in METHODS), "-"])
    if finding == ANKYLOSIS:  # of luxation the ensemble's boxes at thumbs' IP joints would count
        strays = (str(tables[method]["counts"]["false_boxes"]) for method in METHODS)
        rows.append(["boxes without a joint", *strays, "-"])
    return ["", *METHODS.values(), "paper"], rows


def _found(about: Mapping[str, Any]) -> str:
    crossed = about["crossed_found"]
    return (
        f"The ensemble finds fewer joints than the single detector in {about['folds_with_fewer']} of "
        f"{about['folds']} folds, with the hand model in {about['folds_with_fewer_hand_model']}. "
        f"{about['crossed']} joints overlap another by an IoU of 0.15 or more, so that suppression leaves "
        f"one of each pair: the ensemble finds {crossed['ensemble']} of them, with the hand model "
        f"{crossed['hand_model']}."
    )


def _folds(finding: str, folds: Sequence[Mapping[str, Any]], paper: Mapping[str, Any]) -> str:
    head = [
        "fold", "joints", "found: single", "found: ensemble", "found: with hand model", "with the finding",
        "precision", "recall", "F", "specificity", "accuracy", "IoU", "FP",
    ]  # fmt: skip
    keys = ("precision", "recall", "f1", "specificity", "accuracy", "iou")
    rows = []
    for one in folds:
        counts, found = one["counts"], one["found"]
        row = [str(one["fold"] + 1), str(counts["joints"]), *(_number(found[method]) for method in METHODS)]
        row += [str(counts["tp"] + counts["fn"]), *(_number(one[key]) for key in keys), str(counts["fp"])]
        rows.append(row)
    stated = [_paper(paper, finding, key) for key in keys]
    rows.append(["paper", "-", "-", "> 0.998", "-", "-", *stated, "-"])
    return table(head, rows)


def _held_out(held_out: Mapping[str, Any]) -> list[str]:
    parts = []
    for fold, tables in held_out.items():
        name = f"fold {int(fold.removeprefix('fold')) + 1}"
        for finding in DETECTORS:
            methods = tables["findings"][finding]
            rows = [
                [words, *(shown(methods[method][key]) for method in METHODS)] for key, words in ROWS.items()
            ]
            rows.append(["counts", *(_counts(methods[method]["counts"]) for method in METHODS)])
            head = f"Detectors of {name}, {finding}: {_who(methods['ensemble'])}."
            parts += [head, table(["", *METHODS.values()], rows), _crossed(tables["detection"][finding])]
        parts.append(f"Names, detectors of {name}: {_names(tables['naming'])}.")
    return parts


def _crossed(about: Mapping[str, Any]) -> str:
    found = ", ".join(f"{words} {about['crossed_found'][method]}" for method, words in METHODS.items())
    return f"Of {about['crossed']} joints that overlap another one were found: {found}."


def _budget(budget: Mapping[str, Any]) -> str:
    rows = []
    starts = [one["start"] for one in budget.values() if one.get("start")]
    if starts:
        start = starts[0]
        rows.append(["common start", *_trained(start["networks"], start["data"])])
    for fold, one in budget.items():
        number = str(int(fold.removeprefix("fold")) + 1)
        rows.append([f"fold {number}", *_trained(one["networks"], one)])
    return table(["", "patients", "films", "crops, each detector", "seconds, both", "last loss"], rows)


def _trained(networks: Mapping[str, Any], data: Mapping[str, Any]) -> list[str]:
    crops = " / ".join(f"{networks[finding]['crops']:,}" for finding in DETECTORS)
    loss = " / ".join(f"{networks[finding]['loss']:.2f}" for finding in DETECTORS)
    seconds = sum(networks[finding]["seconds"] for finding in DETECTORS)
    return [str(data["patients"]), str(data["films"]), crops, str(seconds), loss]


@click.command()
@click.argument("evaluation", type=click.Path(path_type=Path, exists=True), default=EVALUATION)
@click.option(
    "--page", type=click.Path(path_type=Path), default=Path("docs/mtss-model.md"), show_default=True
)
def main(evaluation: Path, page: Path) -> None:
    """Write the tables of an evaluation of the folds into the documentation."""
    result = json.loads(evaluation.read_text(encoding="utf-8"))
    page.write_text(into_page(page.read_text(encoding="utf-8"), MARK, as_page(result)), encoding="utf-8")


if __name__ == "__main__":
    main()
