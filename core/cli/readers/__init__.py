"""``sharpline readers``: how far people err at a site, and simulated readers who err alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from core.cli.output import emit, json_option
from core.scores import listed


@click.command(short_help="How far people err at a site, and simulated readers who err alike.")
@click.option("--system", default="", help=f"{listed()}; that of the cohort's data set if left out.")
@click.option("--campaign", default="", help="Whose reads; else that in which most sites have two readers.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="File for the simulated readers, for 'demo --readers'."
)
@json_option
@click.pass_context
def command(ctx: click.Context, system: str, campaign: str, out: Path | None, as_json: bool) -> int:
    """Each reader's shift and error at a site, in grades, from sites that two people or more have graded.

    Nobody need know the truth: what is fitted is the model of the simulated readers (docs/datasets.md).
    --out writes readers with these errors, whom a phantom study can have in place of its own.
    """
    from data.datasets.registry import system_asked
    from data.phantom.fitted_readers import simulated, write_readers
    from data.queries.grades.reader_errors import reader_errors
    from data.store.cohort import CohortStore

    store = CohortStore(ctx.obj["cohort"])
    score = system_asked(store.meta(), system, "readers")
    found = reader_errors(store, score, campaign=campaign)
    result: dict[str, Any] = found | simulated(found)
    if out is not None:
        write_readers(result, out)
        result["out"] = str(out)
    emit(result, as_json=as_json, text=lambda: _text(result))
    return 0


def _text(found: dict[str, Any]) -> str:
    lines = [
        f"{found['system']}, campaign {found['campaign']}: {found['sites']:,} sites of {found['patients']} "
        "patients, each graded by two people or more; errors in grades (95% intervals by patient)"
    ]
    for name, row in found["readers"].items():
        lines.append(f"  {name}: shift {_shown(row['shift'], '+.2f')}, spread {_shown(row['spread'])}")
    lines.append(f"  the same over a patient: {_shown(found['same_over_a_patient'])}")
    for row in found["kappa"]:
        lines.append(
            f"  quadratic kappa of {' and '.join(row['readers'])}, {row['feature']}: "
            f"{_shown(row['observed'], '.3f')} seen, {row['fitted']:.3f} from these errors "
            f"(n {row['sites']:,})"
        )
    lines += [f"  {found['kept']}"] if found["simulated"] else [f"  {found['why_none']}"]
    if "out" in found:
        lines.append(f"simulated readers: {json.dumps(found['out'], ensure_ascii=False)}")
    return "\n".join(lines)


def _shown(value: dict[str, Any], how: str = ".2f") -> str:
    if value["estimate"] is None:
        return "not known"
    low, high = value["ci"]
    interval = "" if low is None else f" ({low:{how}} to {high:{how}})"
    return f"{value['estimate']:{how}}{interval}"
