"""How often a model abstains where it must not, and where it must: the table of docs/abstention.md.

    python -m models.abstention --real ../shared/real

The rows on phantoms come from the evaluation in the model's card; real images are scored here, as they are
delivered and from their pixels alone, with everything hidden that would give them away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from core.agreement.proportion import wilson
from core.domain import Abstained, Film
from core.errors import InputError
from models import weights
from models.base import Scorer, entry
from models.real_images import Group, bare, groups

CONTROL_PATIENTS = 6
PAGE = Path("docs/abstention.md")
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"


@dataclass(frozen=True)
class Row:
    """What a model did with one group. bare: of the same images from their pixels alone."""

    group: str
    images: int
    refused: int
    abstained: int
    abstained_bare: int
    reasons: tuple[str, ...]


def try_group(scorer: Scorer, group: Group) -> Row:
    """Both tries of one group; the reasons are those of the second, the most frequent first."""
    delivered = _reasons(scorer, group.films)
    pixels_alone = _reasons(scorer, [bare(film) for film in group.films])
    counted = Counter(reason for reason in pixels_alone if reason)
    return Row(
        group.name,
        len(group.films),
        group.refused,
        sum(map(bool, delivered)),
        sum(map(bool, pixels_alone)),
        tuple(reason for reason, _ in counted.most_common(2)),
    )


def _reasons(scorer: Scorer, films: Sequence[Film]) -> list[str]:
    """Why each film was not scored, without its numbers; ``""`` where it was."""
    results = [scorer.score([film])[0] for film in films]
    return [_kind(result.reason) if isinstance(result, Abstained) else "" for result in results]


def _kind(reason: str) -> str:
    return reason.partition("(")[0].partition(":")[0].strip() or reason


def control(patients: int) -> Group:
    """Phantom films to be scored, for the same two tries: a model that refuses these tells nothing by
    refusing the rest."""
    from models.explain.cases import test_patients
    from models.msasss.phantom_data import patient_films

    who = test_patients(patients)
    films = [labelled.as_film() for number in who.numbers for labelled, _ in patient_films(who, number)]
    return Group("control: phantom spine films, to be scored", tuple(films))


def phantom_rows(card: dict[str, Any]) -> list[str]:
    """Abstention on phantom films of each domain, from the model's evaluation."""
    lines = []
    for name, found in card.get("evaluation", {}).items():
        about = found["abstention"]
        for kind, word in (("good", "good and poor films, to be scored"), ("wrong", "films to be refused")):
            share, low, high = (100 * value for value in about[f"{kind}_films"])
            value = f"{share:.1f}% ({low:.1f} to {high:.1f})"
            lines.append(f"| {name}, {word} | {about[kind]} | {value} |")
    return lines


def as_text(system: str, size: str, card: dict[str, Any], rows: Sequence[Row]) -> str:
    """Both tables as Markdown."""
    parts = [f"Model {system}-{size}, weights {weights.weights_hash(card)[:12]}; research only."]
    parts.append("### Phantom films\n\n| test patients | films | abstained (95%) |\n|---|---|---|\n"
                 + "\n".join(phantom_rows(card)))  # fmt: skip
    lines = [
        f"| {row.group} | {row.images} | {row.refused} | {_share(row.abstained, row.images)} | "
        f"{_share(row.abstained_bare, row.images)} | {'; '.join(row.reasons) or '-'} |"
        for row in rows
    ]
    head = "| real images, none of them to be scored, and a control | images | files not taken in | "
    head += "abstained, as delivered | abstained, pixels alone | most frequent reasons (pixels alone) |"
    head += "\n|---|---|---|---|---|---|"
    parts.append("### Real images\n\n" + head + "\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _share(count: int, total: int) -> str:
    if not total:
        return "-"
    low, high = wilson(count, total)
    return f"{count} of {total} ({100 * low:.0f} to {100 * high:.0f}%)"


def into_page(page: str, table: str) -> str:
    """The page with the tables between its two markers."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{table}{END}{rest.partition(END)[2]}"


@click.command()
@click.option("--real", type=click.Path(path_type=Path), default=Path("../shared/real"), show_default=True)
@click.option("--system", default="msasss", show_default=True)
@click.option("--size", type=click.Choice(["demo", "full"]), default="demo", show_default=True)
@click.option("--page", type=click.Path(path_type=Path), default=PAGE, show_default=True)
def main(real: Path, system: str, size: str, page: Path) -> None:
    """Score images that a model does not know, and write what it did into the page."""
    if not real.is_dir():
        raise InputError(str(real), "the folder of real images is needed", "give its path with --real")
    scorer = entry(system).build(size=size, threads=1)
    rows = [try_group(scorer, group) for group in (*groups(real), control(CONTROL_PATIENTS))]
    table = as_text(system, size, weights.read_card(system, size), rows)
    page.write_text(into_page(page.read_text(encoding="utf-8"), table), encoding="utf-8")
    click.echo(table)


if __name__ == "__main__":
    main()
