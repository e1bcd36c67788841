"""``sharpline evaluate``: the validation tables of a scoring model, in the layout of its paper."""

from __future__ import annotations

from pathlib import Path

import click

from core.cli.output import emit, json_option, note
from core.errors import InputError


@click.command()
@click.argument("system")
@click.option(
    "--data", type=click.Path(path_type=Path), help="Labelled films, or a folder written by 'demo'."
)
@click.option("--patients", default=40, show_default=True, help="Without --data: test patients to render.")
@click.option("--domain", type=click.Choice(["first", "second", "both"]), default="both", show_default=True)
@click.option("--size", type=click.Choice(["demo", "full"]), default="demo", show_default=True)
@click.option("--processes", default=2, show_default=True)
@json_option
def command(
    system: str, data: Path | None, patients: int, domain: str, size: str, processes: int, as_json: bool
) -> None:
    """Score films whose truth is known, and compare: per class, detection, abstention, totals and change.

    Without --data, test patients of the phantom study are rendered that no model was trained or tuned on.
    """
    if system == "mtss":
        return _mtss(data, patients, domain, size, processes, as_json=as_json)
    if system != "msasss":
        need = "msasss and mtss can be evaluated"
        raise InputError(f"system {system}", need, "write: sharpline evaluate msasss")
    from models.msasss.evaluate import DOMAINS, evaluate, folder_set, rendered_set
    from models.msasss.report import as_text

    if data is not None:
        sets = [folder_set(data)]
    else:
        domains = DOMAINS if domain == "both" else (domain,)
        sets = [rendered_set(name, patients, processes=processes) for name in domains]
    result = evaluate(sets, size=size, processes=processes, tell=note)
    emit(result, as_json=as_json, text=lambda: as_text(result))


def _mtss(data: Path | None, patients: int, domain: str, size: str, processes: int, *, as_json: bool) -> None:
    """Joints and special findings as in the paper, then totals, joints and change."""
    from models.evaluation.report import as_text
    from models.mtss.command import DOMAINS, evaluate

    domains = DOMAINS if domain == "both" else (domain,)
    result = evaluate(data, patients, domains=domains, size=size, processes=processes, tell=note)
    emit(result, as_json=as_json, text=lambda: as_text(result))
