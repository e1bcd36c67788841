"""``sharpline verify``: is what is stored what was written?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.cli.output import CountLine, emit, json_option

if TYPE_CHECKING:
    from data.verify import Verdict


@click.command(short_help="Check the audit chain, and that stored rows still match it.")
@click.option(
    "--head", default="", help="The last hash of an earlier check; the chain must still contain it."
)
@click.option("--rows-only", is_flag=True, help="Do not read the stored films (they take the longest).")
@json_option
@click.pass_context
def command(ctx: click.Context, head: str, rows_only: bool, as_json: bool) -> int:
    """Check the audit chain, every stored row against it, the settings, the totals, and the stored films.

    Keep the head that it prints in another place: given back with --head it shows that nobody has written a
    new history since.
    """
    from data.store.cohort import CohortStore
    from data.verify import verify

    line = CountLine("films read")
    verdict = verify(CohortStore(ctx.obj["cohort"]), head=head, films=not rows_only, progress=line.show)
    emit(
        {
            "events": verdict.events,
            "rows": verdict.rows,
            "films": verdict.films,
            "head": verdict.head,
            "broken": verdict.broken,
        },
        as_json=as_json,
        text=lambda: _as_text(verdict),
    )
    return 1 if verdict.broken else 0


def _as_text(verdict: Verdict) -> str:
    lines = [f"  event {item['event'] or '-'}: {item['reason']}" for item in verdict.broken]
    films = "films not read" if verdict.films is None else f"{verdict.films} films"
    found = f"{verdict.events} events, {verdict.rows} rows, {films}, head {verdict.head}"
    return "\n".join([f"broken: {len(lines)} ({found})", *lines] if lines else [f"intact: {found}"])
