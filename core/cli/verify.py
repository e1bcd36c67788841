"""``sharpline verify``: is what is stored what was written?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.cli.output import CountLine, emit, json_option

if TYPE_CHECKING:
    from data.store.heads import HeadsChecked
    from data.verify import Verdict


@click.command(short_help="Check the audit chain, and that stored rows still match it.")
@click.option(
    "--head", default="", help="The last hash of an earlier check; the chain must still contain it."
)
@click.option(
    "--heads",
    "kept",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A copy of the signed heads; else those beside the cohort, or in $SHARPLINE_HEADS.",
)
@click.option(
    "--public-key",
    "keys",
    multiple=True,
    help="A key that may have signed heads (64 hex digits, or a file); this account's own is known.",
)
@click.option("--rows-only", is_flag=True, help="Do not read the stored films (they take the longest).")
@json_option
@click.pass_context
def command(
    ctx: click.Context, head: str, kept: Path | None, keys: tuple[str, ...], rows_only: bool, as_json: bool
) -> int:
    """Check the audit chain, every stored row against it, the settings, the totals, and the stored films.

    The chain must also hold every signed head that is kept outside the cohort file. Keep a copy of these, or
    the head that it prints, where nobody who writes to the cohort can change it: given back with --heads or
    --head it shows that nobody has written a new history since.
    """
    from data.store.cohort import CohortStore
    from data.store.heads import public_key, read_keys
    from data.verify import verify

    line = CountLine("films read")
    verdict = verify(
        CohortStore(ctx.obj["cohort"]),
        head=head,
        kept_heads=kept,
        public_keys=[key for text in keys for key in read_keys(text)],
        films=not rows_only,
        progress=line.show,
    )
    emit(
        {
            "events": verdict.events,
            "rows": verdict.rows,
            "films": verdict.films,
            "head": verdict.head,
            "broken": verdict.broken,
            "heads": {
                "file": verdict.heads.file,
                "kept": verdict.heads.kept,
                "signed": verdict.heads.signed,
                "last_event": verdict.heads.last,
            },
            "key": public_key(),
        },
        as_json=as_json,
        text=lambda: _as_text(verdict, public_key()),
    )
    return 1 if verdict.broken else 0


def _as_text(verdict: Verdict, key: str) -> str:
    lines = [f"  event {item['event'] or '-'}: {item['reason']}" for item in verdict.broken]
    films = "films not read" if verdict.films is None else f"{verdict.films} films"
    found = f"{verdict.events} events, {verdict.rows} rows, {films}, head {verdict.head}"
    said = [f"broken: {len(lines)} ({found})", *lines] if lines else [f"intact: {found}"]
    return "\n".join(
        [*said, _heads_as_text(verdict.heads), *([f"key of this account: {key}"] if key else [])]
    )


def _heads_as_text(heads: HeadsChecked) -> str:
    if not heads.kept:
        return f"heads: none kept in {heads.file}; a rewritten history could not be told from the true one"
    return (
        f"heads: {heads.kept} kept in {heads.file}, the last of event {heads.last}; "
        f"{heads.signed} signed by a key that is trusted here"
    )
