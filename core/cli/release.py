"""``sharpline release``: films that are held back, and their release by a person who has looked at them."""

from __future__ import annotations

from typing import Any

import click

from core.cli.output import emit, json_option


@click.command(short_help="List films held back for text in their pixels, or release them.")
@click.argument("images", nargs=-1)
@click.option("--reason", default="", help="What was seen on the film; needed to release it.")
@json_option
@click.pass_context
def command(ctx: click.Context, images: tuple[str, ...], reason: str, as_json: bool) -> int:
    """List the films that are held back, or release IMAGES (ids, or their first letters).

    A film with text in its pixels is not shown, scored or exported until somebody has seen that the text
    does not name the patient. The Import page shows it to whoever decides. Who released it, when and why is
    recorded in the audit trail.
    """
    from core.domain import Viewer
    from data.store.cohort import CohortStore, current_actor
    from data.study.held_films import held_films, release

    store = CohortStore.open(ctx.obj["cohort"])
    released = release(store, images, reason=reason, actor=current_actor()) if images else []
    held = held_films(store, Viewer()).astype(object)
    rows = held.where(held.notna(), None).to_dict("records")
    result: dict[str, Any] = {"released": released, "held": rows}
    emit(result, as_json=as_json, text=lambda: _text(result))
    return 0


def _text(result: dict[str, Any]) -> str:
    lines = [f"released: {image}" for image in result["released"]]
    lines.append(f"held back: {len(result['held'])}")
    for row in result["held"]:
        whose = " ".join(str(row[name]) for name in ("subject", "visit", "body_part") if row[name])
        lines.append(f"  {row['image'][:12]} {whose or 'no patient'}: {row['held']}")
    return "\n".join(lines)
