"""The command that measures a network of spinal MRI on phantom patients that no network saw."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
import pandas as pd

from data.phantom.seeds import StudyRole
from data.phantom.spine.conditions import DOMAINS
from models import cards
from models.sparcc.rendered import TO_TUNE_ON, Patients, Stack, rendered

Rows = Callable[[Iterable[Stack], str, Path], pd.DataFrame]


def measuring(rows_of: Rows, figures: Callable[[pd.DataFrame], dict[str, Any]]) -> click.Command:
    """Prints figures as JSON. rows_of: (stacks, size and folder of the weights) -> the table behind them."""

    @click.command()
    @click.option(
        "--stacks", type=click.Path(path_type=Path), required=True, help="Folder where stacks are kept."
    )
    @click.option("--patients", type=int, default=12, show_default=True)
    @click.option("--domain", type=click.Choice(list(DOMAINS)), default="first", show_default=True)
    @click.option(
        "--whole", type=int, default=5, show_default=True, help="A whole spine of each so many-th patient."
    )
    @click.option("--weights", type=click.Path(path_type=Path), default=cards.FOLDER, show_default=True)
    @click.option("--size", type=click.Choice(["demo", "full"]), default="demo")
    @click.option("--rows", "table", type=click.Path(path_type=Path), help="The table as CSV.")
    def main(
        stacks: Path, patients: int, domain: str, whole: int, weights: Path, size: str, table: Path | None
    ) -> None:
        """Figures on phantom patients of the role test."""
        import torch

        torch.set_num_threads(1)
        who = Patients(patients, role=StudyRole.TEST, domain=domain, populations=TO_TUNE_ON, whole=whole)
        rows = rows_of(rendered(who, stacks), size, weights)
        if table:
            rows.to_csv(table, index=False)
        click.echo(json.dumps(figures(rows), indent=1))

    return main
