"""``sharpline dicom``: findings as DICOM structured reports and segmentations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.cli.output import emit, json_option
from core.errors import InputError
from core.scores import get, names

if TYPE_CHECKING:
    from data.dicom.structured_report import Written


@click.command(short_help="A model's findings as DICOM SR and SEG.")
@click.option("--image", default="", help="One film, by its id or how that begins; a slice: its whole stack.")
@click.option("--subject", default="", help="All films, or stacks, of this patient.")
@click.option("--system", default=names()[0], show_default=True, help="Which score.")
@click.option("--read-mode", type=click.Choice(["single", "paired"]), help="Default: paired, else single.")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    image: str,
    subject: str,
    system: str,
    read_mode: str | None,
    out: Path,
    as_json: bool,
) -> int:
    """Write a structured report (TID 1500) and a segmentation of each film or stack, of its newest read.

    Both refer to the stored, de-identified files; boxes and outlines are in their pixels. Status 1 where a
    film or stack was left out.
    """
    from core.domain import Viewer
    from data.dicom.structured_report import write_findings
    from data.queries.findings import find_image, images_of, in_stacks
    from data.store.cohort import CohortStore
    from models.registry import model_of

    if bool(image) == bool(subject):
        raise InputError("--image and --subject", "exactly one of them is needed", "name a film or a patient")
    name, store, viewer = get(system).name, CohortStore(ctx.obj["cohort"]), Viewer()
    named = [find_image(store, viewer, image)] if image else images_of(store, viewer, subject, name)
    if get(system).of_stacks:
        images = in_stacks(store, viewer, named, None if image else model_of(name).stacks)
    else:
        images = [(one,) for one in named]
    out.mkdir(parents=True, exist_ok=True)
    done = [write_findings(store, viewer, one, name, out, read_mode=read_mode or "") for one in images]
    left_out = [{"image": one.image, "reason": one.left_out} for one in done if one.left_out]
    result = {
        "films": len(done) - len(left_out),
        "findings": sum(one.findings for one in done),
        "files": [str(path) for one in done for path in one.files],
        "left_out": left_out,
    }
    emit(result, as_json=as_json, text=lambda: _text(done))
    return 1 if left_out else 0


def _text(done: list[Written]) -> str:
    lines = [
        f"{one.image[:12]}: {one.left_out or ', '.join(path.name for path in one.files)}" for one in done
    ]
    return "\n".join([*lines, "research only, not a medical device"])
