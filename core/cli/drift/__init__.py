"""``sharpline drift``: a model by device and over calendar time, with limits that raise a flag."""

from __future__ import annotations

from typing import Any

import click

from core.cli.output import emit, json_option
from core.scores import listed

SHOWN = {"device": "by device", "time": "over time"}


@click.command(short_help="A model by device and over time, with limits that raise a flag.")
@click.option("--system", default="", help=f"{listed()}; that of the cohort's data set if left out.")
@click.option("--by", type=click.Choice(["device", "time", "both"]), default="both", show_default=True,
              help="What to list.")  # fmt: skip
@click.option("--model", default="", help="The model's name as a reader; else the one that read most.")
@click.option("--campaign", default="", help="Of its reads; else that in which it read most.")
@click.option("--readers", default="", help="Campaign of the human readers; else that with most patients.")
@click.option("--time", "dates", type=click.Choice(["film", "import"]), default="film", show_default=True,
              help="Months in which images were taken (needs the cohort's key), or imported.")  # fmt: skip
@click.option("--reference", default="", metavar="YYYY-MM",
              help="Last month of the reference that later ones are held against; else all are.")  # fmt: skip
@click.option("--pixels", default=400, show_default=True, type=click.IntRange(0),
              help="Images whose brightness, contrast and noise are measured, at most.")  # fmt: skip
@json_option
@click.pass_context
def command(
    ctx: click.Context, system: str, by: str, model: str, campaign: str, readers: str, dates: str,
    reference: str, pixels: int, as_json: bool,
) -> int:  # fmt: skip
    """Agreement of a model with readers, its grades, confidences and abstentions, and its images.

    Each device against the others, and a moving average over periods of at least six patients, within the
    same kind of image and visit. A limit holds for all measures of a chart together: where nothing differs, a
    flag is raised in about one chart in twenty (docs/drift.md says what was measured).
    """
    from core.domain import CohortFilter, Viewer
    from data.datasets.registry import system_asked
    from data.queries.drift.drift import Asked, drift
    from data.store.cohort import CohortStore

    store = CohortStore(ctx.obj["cohort"])
    score = system_asked(store.meta(), system, "drift")
    asked = Asked(CohortFilter(system=score.name), model, campaign, readers, dates, reference, pixels)
    found = drift(store, Viewer(), asked)
    emit(found, as_json=as_json, text=lambda: _text(found, by))
    return 0


def _text(found: dict[str, Any], by: str) -> str:
    lines = [
        f"{found['system']}, {found['model']} ({found['campaign']}) with readers of "
        f"{found['readers_campaign'] or 'no campaign'}: {found['images']} images of {found['patients']} "
        "patients"
    ]
    for axis in SHOWN if by == "both" else (by,):
        lines += _chart(found, axis)
    lines += _flags(found, SHOWN if by == "both" else {by: SHOWN[by]})
    return "\n".join(lines + [f"note: {note}" for note in found["notes"]])


def _chart(found: dict[str, Any], axis: str) -> list[str]:
    chart = found[axis]
    heads = chart["levels"] if axis == "device" else chart["periods"]
    lines = [f"{SHOWN[axis]}: " + "; ".join(f"{one['level']} ({one['patients']} patients)" for one in heads)]
    for name, points in chart["measures"].items():
        known = [point for point in points if point["limit"]]
        if known:
            about = found["measures"][name]
            lines.append(f"  {about['title']} ({about['unit']})")
            lines += [f"    {_point(point)}" for point in (known if axis == "device" else _ends(known))]
    return lines


def _ends(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of periods the one nearest to its limit, or furthest beyond, and the last."""
    nearest = max(points, key=lambda point: abs(point["difference"]) / point["limit"])
    return [nearest] if nearest is points[-1] else [nearest, points[-1]]


def _point(point: dict[str, Any]) -> str:
    mark = "! " if point["flag"] else "  "
    return f"{mark}{point['level']}: {_signed(point['difference'])}, limit {point['limit']:.3g}"


def _flags(found: dict[str, Any], shown: dict[str, str]) -> list[str]:
    own = [flag for flag in found["flags"] if flag["by"] in shown]
    if not any(found[axis]["limit"] for axis in shown):
        return ["nothing can be compared"]
    if not own:
        return ["no flag: nothing lies beyond its limit"]
    return [
        f"flag: {found['measures'][flag['measure']]['title']}, {flag['level']}: "
        f"{_signed(flag['difference'])} (adjusted p {flag['p']:.3f})"
        for flag in own
    ]


def _signed(value: float | None) -> str:
    return "not known" if value is None else f"{value:+.3g}"
