"""What the networks have seen, from the card, as text of docs/msasss-model.md.

python -m models.msasss.report
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from models import cards
from models.evaluation.markdown import into_page


def training_text(card: dict[str, Any]) -> str:
    """What the networks have seen, from the card."""
    training, tuning = card["training"], card["tuning"]
    sizes = ", ".join(
        f"{name} {about['parameters']:,} parameters ({about['bytes'] / 1e6:.1f} MB)"
        for name, about in card["networks"].items()
    )
    lines = [
        f"Size {card['size']}: {sizes}. {training['films']} films of {len(training['patients'])} patients "
        f"({training['source']}); {training['finder_epochs']} epochs of the finder, "
        f"{training['grader_epochs']} of the grader.",
        training.get("history", ""),
        f"Tuned on {tuning['films']} films of {len(training['tuning_patients'])} other patients of the plain "
        f"population and {tuning['wrong_films']} wrong films.",
        training.get("command") and f"Command: `{training['command']}`.",
    ]
    return "\n\n".join(line for line in lines if line)


@click.command()
@click.option("--size", type=click.Choice(["demo", "full"]), default="demo", show_default=True)
@click.option(
    "--page", type=click.Path(path_type=Path), default=Path("docs/msasss-model.md"), show_default=True
)
def main(size: str, page: Path) -> None:
    """Write what the card says of the training into the documentation."""
    text = training_text(cards.read_card("msasss", size))
    page.write_text(into_page(page.read_text(encoding="utf-8"), "training", text), encoding="utf-8")


if __name__ == "__main__":
    main()
