"""``python -m data.phantom.compare FOLDER``: phantom wrists held against the real ones in a folder."""

from __future__ import annotations

import json
from pathlib import Path

import click

from data.phantom.compare.table import as_markdown, compared
from data.phantom.compare.wrists import ATTRIBUTION, phantom_wrists, real_wrists
from data.phantom.spine.conditions import DOMAINS


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--patients", default=40, help="Phantom patients, one wrist each.")
@click.option("--seed", default=0)
@click.option("--domain", type=click.Choice(list(DOMAINS)), default=DOMAINS[0])
@click.option("--json", "as_json", is_flag=True)
def main(folder: Path, patients: int, seed: int, domain: str, as_json: bool) -> None:
    """Measures of phantom wrists beside those of the real wrists under FOLDER/images, and whether they are
    told apart.
    """
    found = compared(list(phantom_wrists(patients, seed=seed, domain=domain)), real_wrists(folder))
    click.echo(json.dumps(found) if as_json else f"{as_markdown(found)}\n\n{ATTRIBUTION}.")


if __name__ == "__main__":
    main()
