"""``sharpline benchmark``: a cohort's grades and corners as benchmarks of open sets count them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.cli.output import emit, json_option
from core.scores import listed

if TYPE_CHECKING:
    from data.store.cohort import CohortStore

SHOWN = (
    ("kappa_quadratic", "quadratic kappa"),
    ("mae", "mean absolute error"),
    ("accuracy", "accuracy"),
    ("balanced_accuracy", "balanced accuracy"),
    ("within_one", "within one"),
    ("error_by_grade", "error, true grades alike"),
    ("present.balanced_accuracy", "present or not, balanced accuracy"),
    ("present.f1", "present or not, F1"),
)


@click.command(short_help="Grades and corners as benchmarks of open sets count them.")
@click.option("--system", default="", help=f"{listed()}; that of the cohort's data set if left out.")
@click.option(
    "--truth", default="", help="The reader that models are held against; else the mean of all, rounded."
)
@click.option(
    "--labels", type=click.Path(path_type=Path), help="Labels with corners, as 'dataset' wrote them."
)
@json_option
@click.pass_context
def command(ctx: click.Context, system: str, truth: str, labels: Path | None, as_json: bool) -> int:
    """Models against readers, and readers against each other: per joint, over all, and of sums.

    Works on what is scored: run 'score' first. With --labels also how far a model's corners lie from
    the marked ones. Published figures of others stand beside where the data set has some.
    """
    from data.store.cohort import CohortStore

    store = CohortStore(ctx.obj["cohort"])
    result = _result(store, system, truth, labels)
    emit(result, as_json=as_json, text=lambda: _text(result))
    return 0


def _result(store: CohortStore, system: str, truth: str, labels: Path | None) -> dict[str, Any]:
    from data.datasets.corner_errors import corner_errors
    from data.datasets.registry import SETS, system_asked
    from data.queries.grades.benchmark import benchmark
    from data.study.source import data_set_of

    meta = store.meta()
    source = data_set_of(meta)
    known = SETS.get(source["name"]) if source else None
    score = system_asked(meta, system, "benchmark")
    result: dict[str, Any] = {"set": known.name if known else None, "system": score.name}
    has_reads = store.query("SELECT 1 FROM main.reader WHERE kind <> 'model' LIMIT 1")
    if labels is None or len(has_reads):
        result |= benchmark(store, score, truth=truth)
    if labels is not None:
        result["corners"] = corner_errors(store, labels)
    baselines = known.baselines if known else ()
    result["published"] = [{"what": one.what, "value": one.value, "of": one.of} for one in baselines]
    result["source"] = source["notice"] if source else None
    return result


def _text(result: dict[str, Any]) -> str:
    lines = [result["source"]] if result["source"] else []
    if "models" in result:
        if not result["models"]:
            lines.append("no model has scored this cohort: run 'sharpline score' first")
        for model, figures in result["models"].items():
            lines += _compared(f"{model} against {result['truth']}", figures)
        for pair in result["reader_pairs"]:
            lines += _compared(f"{pair['given']} against {pair['true']}", pair)
    for model, figures in result.get("corners", {}).items():
        lines.append(f"{model}, corners: {_corner_text(figures['corners'])}")
    if result.get("corners") == {}:
        lines.append("no model has found a corner in this cohort: run 'sharpline score' first")
    for row in result["published"]:
        lines.append(f"published: {row['what']} {row['value']:g} ({row['of']})")
    return "\n".join(lines)


def _compared(title: str, figures: dict[str, Any]) -> list[str]:
    lines = []
    for scale, found in figures["scales"].items():
        overall = found["overall"]
        lines.append(f"{title}, {scale}: {overall['n']} sites of {overall['patients']} patients")
        for name, words in SHOWN:
            mean = found["mean_of_joints"][name]
            lines.append(f"  {words}: {_shown(overall[name])}; mean of joints {_plain(mean)}")
    total = figures["sums"]["total"]
    lines.append(
        f"  sums of the sites graded by both: mean absolute error {_plain(total['mae'])} (n {total['n']})"
    )
    return lines


def _shown(value: dict[str, Any]) -> str:
    low, high = value["ci"]
    interval = "" if low is None else f" ({low:.3f} to {high:.3f})"
    return f"{_plain(value['estimate'])}{interval}"


def _plain(value: float | None) -> str:
    return "not known" if value is None else f"{value:.3f}"


def _corner_text(found: dict[str, Any]) -> str:
    return (
        f"median {_plain(found['median_px'])} px, {_plain(found['median_mm'])} mm; 95th percentile "
        f"{_plain(found['p95_px'])} px; within 1% of the diagonal "
        f"{_plain(found['within_one_percent_of_diagonal'])}; {found['missed']} of {found['n']} not found"
    )
