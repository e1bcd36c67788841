"""``sharpline report``: the agreement evidence as one page, from the cohort to the file."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.cli.output import emit, json_option, note
from core.errors import InputError

if TYPE_CHECKING:
    from core.report.blocks import Report

ENDINGS = (".html",)
MARGIN, LOSS = click.FloatRange(min=0, min_open=True), click.FloatRange(min=0, max=1, min_open=True)


@click.command(short_help="The agreement evidence as one page.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A file that ends in .html.")
@click.option("--system", default="", help="Which score; the first one where left out.")
@click.option("--campaign", default="", help="Reading campaign; default: the one with most patients.")
@click.option(
    "--cases",
    default=4,
    show_default=True,
    type=click.IntRange(0, 20),
    help="Patients shown with their films.",
)
@click.option("--strata", multiple=True, metavar="COLUMN", help="Compare arms within this (repeatable).")
@click.option(
    "--covariate",
    "covariates",
    multiple=True,
    metavar="COLUMN",
    help="Compare arms at equal values of this property (repeatable).",
)
@click.option("--event", default="", metavar="COLUMN", help="Intercurrent event: day or visit, a property.")
@click.option("--bias-margin", type=MARGIN, help="Preset margin of a bias, in score units.")
@click.option("--icc-margin", type=LOSS, help="Preset loss of ICC(A,1) that counts as none.")
@click.option(
    "--kappa-margin", type=LOSS, help="Preset loss of quadratic kappa of sites that counts as none."
)
@json_option
@click.pass_context
def command(
    ctx: click.Context, out: Path, system: str, campaign: str, cases: int, as_json: bool, **asked: Any
) -> int:
    """Write the agreement report: readers among themselves, and the model as a reader.

    One self-contained page: no server, no network; the same cohort gives the same bytes. Arms are left out
    while the study is blinded. A verdict on a model needs a margin that was set before it scored:
    'sharpline study --margin'. Further sections: verdicts against a margin, two campaigns, arms, estimands
    with the tipping point, and a trial like this one.
    """
    from core.domain import CohortFilter
    from core.report.compose import compose
    from core.report.trial.inputs import Asked
    from data.queries.report_inputs import report_inputs
    from data.store.cohort import CohortStore
    from models.registry import own_images

    _check(out)
    system = system or CohortFilter().system
    inputs = report_inputs(
        CohortStore(ctx.obj["cohort"]),
        system,
        campaign,
        cases,
        note=note,
        asked=Asked(**asked),
        own=own_images(system),
    )
    version = inputs.origin.version
    note(f"cohort version {version}: computing agreement")
    report = compose(inputs)
    content = _page(report).encode()
    _write(out, content)
    done = {
        "path": str(out),
        "cohort_version": version,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "numbers": report.numbers,
    }
    emit(done, as_json=as_json, text=lambda: f"{out}: {len(content) / 1e6:.1f} MB, cohort version {version}")
    return 0


def _check(out: Path) -> None:
    if out.suffix.lower() not in ENDINGS:
        raise InputError(
            f"--out {out.name}",
            f"reports exist as {', '.join(ENDINGS)} so far",
            f"write for example --out {out.stem or 'report'}.html",
        )
    if not out.parent.is_dir():
        raise InputError(f"--out {out}", "its folder does not exist", "make the folder, or choose another")


def _page(report: Report) -> str:
    from plotly.offline import get_plotlyjs

    from core.report.html import page

    return page(report, plotly_js=get_plotlyjs())


def _write(out: Path, content: bytes) -> None:
    """The whole file or none of it."""
    part = out.with_name(f".{out.name}.part")
    try:
        part.write_bytes(content)
        os.replace(part, out)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise InputError(
            f"--out {out}", f"it cannot be written ({error.strerror})", "choose another place"
        ) from None
