"""``sharpline score``: the models run over what is not scored yet."""

from __future__ import annotations

import json
import signal
import sys
import time
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from core.cli.output import emit, json_option, note

if TYPE_CHECKING:
    from models.scoring.run import Reports
    from models.scoring.single import Progress


@click.command()
@click.option("--system", default="", help="Which score [default: every one that has a model].")
@click.option("--device", default="cpu", show_default=True, help="cpu, or cuda where there is one.")
@click.option("--size", type=click.Choice(["demo", "full"]), default="demo", show_default=True)
@click.option("--engine", type=click.Choice(["local"]), default="local", show_default=True)
@click.option("--processes", default=2, show_default=True, help="Films scored at the same time.")
@click.option(
    "--progress",
    type=click.Choice(["auto", "bar", "lines", "none"]),
    default="auto",
    help="On standard error: a bar, or one JSON object a film; auto: a bar in a terminal, else lines.",
)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    system: str,
    device: str,
    size: str,
    engine: str,
    processes: int,
    progress: str,
    as_json: bool,
) -> None:
    """Run the model over every film that it has not scored; stop it any time and start it again.

    Films are read one by one (campaign model-single), then all films of a patient together, order blinded
    (campaign model-paired), where the model can. A model is not offered films of another one's body part.
    """
    from data.store.cohort import CohortStore
    from models.scoring.run import score_systems

    signal.signal(signal.SIGTERM, _stop)
    began = time.monotonic()
    report = score_systems(
        CohortStore(ctx.obj["cohort"]),
        [system] if system else [],
        size=size,
        device=device,
        processes=processes,
        tell=_teller(progress, began),
    )
    seconds = time.monotonic() - began
    result = {
        "images": report.images,
        "scored": report.scored,
        "abstained": report.abstained,
        "read_paired": report.read_paired,
        "systems": {
            name: {"images": one.images, "scored": one.scored, "abstained": len(one.abstained)}
            for name, one in report.by_system.items()
        },
        "left_out": report.left_out,
        "seconds": round(seconds, 3),
    }
    for name, reason in report.left_out.items():
        note(f"{name} is not scored: {reason}")
    emit(result, as_json=as_json, text=lambda: _text(report, seconds))


def _stop(number: int, frame: FrameType | None) -> None:
    """A polite end on SIGTERM, as on Ctrl-C: the transaction under way is finished or left out as a whole."""
    raise KeyboardInterrupt


def _teller(kind: str, began: float) -> Any:
    """What is called after each film."""
    chosen = ("bar" if sys.stderr.isatty() else "lines") if kind == "auto" else kind

    def bar(step: Progress) -> None:
        filled = 30 * step.done // max(step.total, 1)
        left = (time.monotonic() - began) / step.done * (step.total - step.done)
        counts = f"{step.done}/{step.total} films, {step.abstained} abstained, {left:.0f} s left "
        click.echo(f"\r[{'#' * filled:<30}] {counts}", err=True, nl=step.done == step.total)

    def lines(step: Progress) -> None:
        note(
            json.dumps(
                {
                    "done": step.done,
                    "total": step.total,
                    "abstained": step.abstained,
                    "image": step.image,
                    "system": step.system,
                    "seconds": round(time.monotonic() - began, 2),
                }
            )
        )

    return {"bar": bar, "lines": lines, "none": lambda step: None}[chosen]


def _text(report: Reports, seconds: float) -> str:
    became = f"{report.scored} scored, {len(report.abstained)} abstained"
    lines = [f"{report.images} images in {seconds:.0f} s: {became}"]
    if len(report.by_system) > 1:
        lines += [
            f"  {name}: {one.images} images, {one.scored} scored, {len(one.abstained)} abstained"
            for name, one in report.by_system.items()
        ]
    if report.read_paired:
        lines.append(f"films of {report.read_paired} patients read paired, order blinded")
    lines += [f"  {row['image'][:12]}: {row['reason']}" for row in report.abstained]
    return "\n".join(lines)
