"""``sharpline explain``: the heat map of one stored finding."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.cli.output import emit, json_option
from core.errors import InputError

if TYPE_CHECKING:
    from models.explain.stored import Explained


@click.command(short_help="Where the network looked for one grade, as a picture.")
@click.option("--image", required=True, help="The film, by its id or how that begins.")
@click.option("--site", required=True, help="The site, such as L3S.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A .png or .svg file.")
@click.option("--system", default="", help="Which score; the one that has the site where left out.")
@click.option("--feature", default="", help="Which finding, where the site has several, such as ankylosis.")
@click.option("--size", type=click.Choice(["demo", "full"]), default="demo", show_default=True)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    image: str,
    site: str,
    out: Path,
    system: str,
    feature: str,
    size: str,
    as_json: bool,
) -> None:
    """Draw crop, box, heat map and grade probabilities of a finding, and say if such maps can be trusted.

    A map whose network failed its tests (docs/explain.md) is struck through with the reason.
    """
    if out.suffix.lower() not in (".png", ".svg"):
        raise InputError(out.name, "a name that ends in .png or .svg is needed", "rename it")
    if not out.parent.is_dir():
        raise InputError(str(out), "its folder does not exist", "make the folder, or choose another")
    from core.domain import Viewer
    from data.queries.findings import find_image
    from data.store.cohort import CohortStore
    from models.explain.picture import write_picture
    from models.explain.stored import explain

    store = CohortStore(ctx.obj["cohort"])
    found = find_image(store, Viewer(), image)
    about = explain(store, found, site, system=system, feature=feature, size=size)
    write_picture(about, out)
    emit(_result(about, out), as_json=as_json, text=lambda: _text(about, out))


def _result(about: Explained, out: Path) -> dict[str, object]:
    verdicts = [shown.verdict for shown in about.maps]
    return {
        "path": str(out),
        "image": about.image,
        "site": about.site,
        "feature": about.feature,
        "headline": about.explanation.headline,
        "grade": about.explanation.grade,
        "grade_probabilities": list(about.explanation.probabilities),
        "reader": about.reader,
        "weights_hash": about.weights_hash,
        "method": "; ".join(dict.fromkeys(shown.method for shown in about.maps)),
        "rule": about.explanation.rule,
        "notes": list(about.notes),
        "tested": all(verdict.tested for verdict in verdicts),
        "passed": all(verdict.passed for verdict in verdicts),
        "reasons": list(dict.fromkeys(reason for verdict in verdicts for reason in verdict.reasons)),
        "verdicts": list(dict.fromkeys(verdict.text for verdict in verdicts)),
    }


def _text(about: Explained, out: Path) -> str:
    verdicts = dict.fromkeys(shown.verdict.text for shown in about.maps)
    return "\n".join([about.explanation.headline, *verdicts, str(out)])
