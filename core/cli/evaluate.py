"""``sharpline evaluate``: the validation tables of a scoring model, in the layout of its paper."""

from __future__ import annotations

from pathlib import Path

import click

from core.cli.output import emit, json_option, note


@click.command()
@click.argument("system")
@click.option(
    "--data", type=click.Path(path_type=Path), help="Labelled films, or a folder written by 'demo'."
)
@click.option(
    "--patients", type=int, help="Without --data: test patients to render; 40, of MRI 12 unless given."
)
@click.option("--domain", type=click.Choice(["first", "second", "both"]), default="both", show_default=True)
@click.option("--size", type=click.Choice(["demo", "full"]), default="demo", show_default=True)
@click.option("--processes", default=2, show_default=True)
@json_option
def command(
    system: str,
    data: Path | None,
    patients: int | None,
    domain: str,
    size: str,
    processes: int,
    as_json: bool,
) -> None:
    """Score images whose truth is known, and compare: totals, change, grades, abstention.

    Without --data, test patients of the phantom study are rendered that no model was trained or tuned on.
    """
    from models.evaluation.report import as_text
    from models.evaluation.run import DOMAINS, evaluate, model_to_evaluate

    model, about = model_to_evaluate(system)
    if data is not None:
        sets = iter([about.read_folder(data)])
    else:
        domains = DOMAINS if domain == "both" else (domain,)
        many = about.patients if patients is None else patients
        sets = (about.render(name, many, processes=processes, tell=note) for name in domains)
    result = evaluate(model, about, sets, size=size, processes=processes, with_stored=data is None, tell=note)
    emit(result, as_json=as_json, text=lambda: as_text(result))
