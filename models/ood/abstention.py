"""How often a model abstains where it must not, and where it must: the table of docs/abstention.md.

    python -m models.ood.abstention --real ../shared/real --system SYSTEM

The rows on phantoms come from the evaluation in the model's card, or from what was counted when its check
was fitted; real images are scored here, as they are delivered and from their pixels alone, with
everything hidden that would give them away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from core.agreement.proportion import wilson
from core.domain import Abstained, Image, Scored
from core.errors import InputError
from models import cards
from models.ood.check import Checked, read_stored
from models.ood.real_images import Group, bare, groups
from models.registry import model_of
from models.system import Scorer

CONTROL_PATIENTS = 6
PAGE = Path("docs/abstention.md")
WRONG_PATIENTS = 10


@dataclass(frozen=True)
class Row:
    """What a model did with one group. bare: of the same images from their pixels alone. unlike: how many the
    check of films that it does not know refuses by itself, from the pixels; None where there is no check."""

    group: str
    images: int
    refused: int
    abstained: int
    abstained_bare: int
    reasons: tuple[str, ...]
    unlike: int | None = None


@dataclass(frozen=True)
class WrongRow:
    """What a model of limbs did with one kind of wrong phantom film. scored: ``hands`` or ``feet`` -> films
    scored as these."""

    group: str
    films: int
    scored: dict[str, int]
    unlike: int | None
    reasons: tuple[str, ...]


def try_group(scorer: Scorer, group: Group) -> Row:
    """Both tries of one group; the reasons are those of the second, the most frequent first."""
    delivered = _reasons(scorer, group.films)
    alone = [bare(film) for film in group.films]
    pixels_alone = _reasons(scorer, alone)
    counted = Counter(reason for reason in pixels_alone if reason)
    return Row(
        group.name,
        len(group.films),
        group.refused,
        sum(map(bool, delivered)),
        sum(map(bool, pixels_alone)),
        tuple(reason for reason, _ in counted.most_common(2)),
        unlike(scorer, alone),
    )


def try_wrong(scorer: Scorer, group: Group) -> WrongRow:
    """Wrong films with all that their files state; what was scored is told by the limb of its sites."""
    results = [scorer.score([film])[0] for film in group.films]
    views = ["feet" if r.findings[0].site[1] == "F" else "hands" for r in results if isinstance(r, Scored)]
    reasons = Counter(_kind(r.reason) for r in results if isinstance(r, Abstained))
    return WrongRow(
        group.name,
        len(results),
        dict(Counter(views)),
        unlike(scorer, group.films),
        tuple(reason for reason, _ in reasons.most_common(2)),
    )


def unlike(scorer: Scorer, films: Sequence[Image]) -> int | None:
    """How many images the check refuses by itself; one of several frames, which it cannot look at, counts."""
    if not isinstance(scorer, Checked) or scorer.check is None:
        return None
    reason, features = scorer.check.reason, scorer.ood_features
    return sum(not film.is_film or bool(reason(features(film))) for film in films)


def _reasons(scorer: Scorer, films: Sequence[Image]) -> list[str]:
    """Why each film was not scored, without its numbers; ``""`` where it was."""
    results = [scorer.score([film])[0] for film in films]
    return [_kind(result.reason) if isinstance(result, Abstained) else "" for result in results]


def _kind(reason: str) -> str:
    return reason.partition("(")[0].partition(":")[0].strip() or reason


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


def checked_rows(stored: dict[str, Any] | None) -> list[str]:
    """As :func:`phantom_rows`, from the films on which the check was counted."""
    lines = []
    for name, found in (stored or {}).get("measured", {}).items():
        share = found["abstained"]
        low, high = (100 * value for value in share["ci"])
        value = f"{100 * share['estimate']:.1f}% ({low:.1f} to {high:.1f})"
        films = found["films"] + found["not_scored_anyway"]
        lines.append(f"| {name}, good and poor films, to be scored | {films} | {value} |")
    return lines


def wrong_text(rows: Sequence[WrongRow]) -> str:
    """Wrong phantom films, what became of them."""
    lines = [
        "| wrong phantom films (test patients, first domain) | films | abstained | scored as hands | "
        "scored as feet | refused by the check alone | most frequent reasons |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        alone = "-" if row.unlike is None else _share(row.unlike, row.films)
        lines.append(
            f"| {row.group} | {row.films} | {_share(row.films - sum(row.scored.values()), row.films)} | "
            f"{row.scored.get('hands', 0)} | {row.scored.get('feet', 0)} | {alone} | "
            f"{'; '.join(row.reasons) or '-'} |"
        )
    return "\n".join(lines)


def check_text(stored: dict[str, Any] | None) -> str:
    """The check of films that the model does not know: how it was made, and its false alarms."""
    if stored is None:
        return "No check was fitted for these weights: run `python -m models.ood.fit`."
    fitted, tuned = stored["fitted"], stored["tuned"]
    lines = [
        f"Fitted on {fitted['films']} films of {fitted['patients']} training patients. Its limit "
        f"({stored['limit']:.2f} times the usual distance) was set on {tuned['films']} films of "
        f"{tuned['patients']} tuning patients, for at most {100 * stored['alarm']:g}% of false alarms.",
        "",
        "| test patients, films that the model would score | films (patients) | refused by the check (95%) | "
        "over which part |",
        "|---|---|---|---|",
    ]
    for name, found in stored["measured"].items():
        low, high = (100 * value for value in found["share"]["ci"])
        parts = ", ".join(f"{part} {count}" for part, count in found["by_part"].items() if count) or "-"
        share = f"{found['refused']}: {100 * found['share']['estimate']:.1f}% ({low:.1f} to {high:.1f})"
        lines.append(f"| {name} | {found['films']} ({found['patients']}) | {share} | {parts} |")
    return "\n".join(lines)


def as_text(
    system: str,
    size: str,
    card: dict[str, Any],
    rows: Sequence[Row],
    stored: dict[str, Any] | None = None,
    wrong: Sequence[WrongRow] = (),
) -> str:
    """All tables as Markdown. stored: the check of films that the model does not know."""
    phantoms = checked_rows(stored) if system == "mtss" else phantom_rows(card)
    parts = [f"Model {system}-{size}, weights {cards.weights_hash(card)[:12]}; research only."]
    parts.append("### Phantom films\n\n| test patients | films | abstained (95%) |\n|---|---|---|\n"
                 + "\n".join(phantoms))  # fmt: skip
    if wrong:
        parts.append(wrong_text(wrong))
    parts.append("### Films that the model does not know\n\n" + check_text(stored))
    lines = [
        f"| {row.group} | {row.images} | {row.refused} | {_share(row.abstained, row.images)} | "
        f"{_share(row.abstained_bare, row.images)} | {_alone(row)} | {'; '.join(row.reasons) or '-'} |"
        for row in rows
    ]
    head = "| real images, none of them to be scored, and a control | images | files not taken in | "
    head += "abstained, as delivered | abstained, pixels alone | refused by the check alone | "
    head += "most frequent reasons (pixels alone) |\n|---|---|---|---|---|---|---|"
    parts.append("### Real images\n\n" + head + "\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _alone(row: Row) -> str:
    return "-" if row.unlike is None else _share(row.unlike, row.images)


def _share(count: int, total: int) -> str:
    if not total:
        return "-"
    low, high = wilson(count, total)
    return f"{count} of {total} ({100 * low:.0f} to {100 * high:.0f}%)"


def marks(system: str) -> tuple[str, str]:
    """The lines of the page around the tables of a model."""
    return f"<!-- table {system}: begin -->", f"<!-- table {system}: end -->"


def into_page(page: str, table: str, system: str) -> str:
    """The page with the tables of a model between their two markers. Raises InputError where it has none."""
    begin, end = marks(system)
    before, found, rest = page.partition(begin)
    if not found:
        raise InputError("the page", f"a line {begin} is needed", "add it where the tables shall stand")
    return f"{before}{begin}\n{table}{end}{rest.partition(end)[2]}"


@click.command()
@click.option("--real", type=click.Path(path_type=Path), default=Path("../shared/real"), show_default=True)
@click.option("--system", required=True, help="Whose model.")
@click.option("--size", type=click.Choice(["demo", "full"]), default="demo", show_default=True)
@click.option("--page", type=click.Path(path_type=Path), default=PAGE, show_default=True)
def main(real: Path, system: str, size: str, page: Path) -> None:
    """Score images that a model does not know, and write what it did into the page."""
    if not real.is_dir():
        raise InputError(str(real), "the folder of real images is needed", "give its path with --real")
    model = model_of(system)
    if model.control_images is None:
        raise InputError(f"system {system}", "its model has no control images", "name another --system")
    images, scorer = import_module(model.control_images), model.build(size=size, threads=1)
    rows = [try_group(scorer, group) for group in (*groups(real), images.control(CONTROL_PATIENTS))]
    wrong = [try_wrong(scorer, group) for group in images.wrong(WRONG_PATIENTS)]
    table = as_text(system, size, cards.read_card(system, size), rows, read_stored(system, size), wrong)
    page.write_text(into_page(page.read_text(encoding="utf-8"), table, system), encoding="utf-8")
    click.echo(table)


if __name__ == "__main__":
    main()
