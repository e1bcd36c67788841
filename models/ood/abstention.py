"""How often a model abstains where it must not, and where it must: the table of docs/abstention.md.

    python -m models.ood.abstention --real ../shared/real --system SYSTEM

The rows on phantoms come from the evaluation in the model's card, or from what was counted when its check
was fitted; real images are scored here, as they are delivered and from their pixels alone, with
everything hidden that would give them away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from core.agreement.proportion import wilson
from core.domain import Abstained, Image, Scored
from core.errors import InputError
from core.scores import get
from models import cards
from models.evaluation.markdown import as_markdown, into_page, shown, table
from models.ood.check import Checked, read_stored
from models.ood.real_images import Group, bare, groups
from models.registry import model_of
from models.system import Scorer

CONTROL_PATIENTS = 6
PAGE = Path("docs/abstention.md")
WRONG_PATIENTS = 10
TO_SCORE = "good and poor images, to be scored"


@dataclass(frozen=True)
class Row:
    """What a model did with one group. bare: of the same images from their pixels alone. unlike: how many the
    check of unknown images refuses by itself, from the pixels; None where there is no check."""

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


def phantom_rows(card: Mapping[str, Any], stored: Mapping[str, Any] | None) -> list[list[str]]:
    """Abstention on phantom images of each domain: from the model's evaluation where its test images
    included some to be refused, otherwise from the images on which the check was counted.
    """
    sets = card.get("evaluation", {})
    if any(found["abstention"]["wrong"] for found in sets.values()):
        return [
            [
                f"{name}, {word}",
                str(found["abstention"][kind]),
                _percent(*found["abstention"][f"{kind}_abstained"]),
            ]
            for name, found in sets.items()
            for kind, word in (("good", TO_SCORE), ("wrong", "images to be refused"))
        ]
    return [
        [f"{name}, {TO_SCORE}", str(found["films"] + found["not_scored_anyway"]),
         shown(found["abstained"], percent=True)]
        for name, found in (stored or {}).get("measured", {}).items()
    ]  # fmt: skip


def _percent(value: float, low: float, high: float) -> str:
    return shown({"estimate": value, "ci": [low, high]}, percent=True)


def wrong_text(rows: Sequence[WrongRow]) -> str:
    """Phantom images of other views, what became of them."""
    head = (
        "phantom films of other views (test patients, first domain)", "films", "abstained", "scored as hands",
        "scored as feet", "refused by the check alone", "most frequent reasons",
    )  # fmt: skip
    return table(
        head,
        [
            [row.group, str(row.films), _count(row.films - sum(row.scored.values()), row.films),
             *(str(row.scored.get(view, 0)) for view in ("hands", "feet")), _count(row.unlike, row.films),
             "; ".join(row.reasons) or "-"]
            for row in rows
        ],
    )  # fmt: skip


def check_text(stored: Mapping[str, Any] | None) -> str:
    """The OOD check: how it was made, and its false alarms."""
    if stored is None:
        return "No check was fitted for these weights: run `python -m models.ood.fit`."
    fitted, tuned = stored["fitted"], stored["tuned"]
    rows = [
        [name, f"{found['films']} ({found['patients']})",
         f"{found['refused']}: {shown(found['share'], percent=True)}",
         ", ".join(f"{part} {count}" for part, count in found["by_part"].items() if count) or "-"]
        for name, found in stored["measured"].items()
    ]  # fmt: skip
    head = ("test patients, images that the model would score", "images (patients)",
            "refused by the check (95%)", "part beyond the limit")  # fmt: skip
    limits = ", ".join(
        f"{name} {part.get('limit', stored.get('limit')):.2f}" for name, part in stored["parts"].items()
    )
    return (
        f"Fitted on {fitted['films']} images of {fitted['patients']} training patients. Its limits (in usual "
        f"distances: {limits}) were set on {tuned['films']} images of {tuned['patients']} tuning patients, "
        f"for at most {100 * stored['alarm']:g}% of false alarms in all.\n\n" + table(head, rows)
    )


def as_text(
    system: str,
    size: str,
    card: dict[str, Any],
    rows: Sequence[Row],
    stored: Mapping[str, Any] | None = None,
    wrong: Sequence[WrongRow] = (),
) -> str:
    """All tables as Markdown. stored: the check of unknown images."""
    head = (
        "real images, none of them to be scored, and a control", "images", "not imported",
        "abstained, as delivered", "abstained, pixels alone", "refused by the check alone",
        "most frequent reasons (pixels alone)",
    )  # fmt: skip
    lines = [
        [row.group, str(row.images), str(row.refused), _count(row.abstained, row.images),
         _count(row.abstained_bare, row.images), _count(row.unlike, row.images),
         "; ".join(row.reasons) or "-"]
        for row in rows
    ]  # fmt: skip
    phantoms = table(("test patients", "images", "abstained (95%)"), phantom_rows(card, stored))
    parts = [
        f"{get(system).title} model, size {size}, weights {cards.weights_hash(card)[:12]}; research only.",
        f"### Phantom images\n\n{phantoms}",
        wrong_text(wrong) if wrong else "",
        f"### Unknown images (OOD check)\n\n{check_text(stored)}",
        f"### Real images\n\n{table(head, lines)}",
    ]
    return as_markdown(parts) + "\n"


def _count(count: int | None, total: int) -> str:
    """``9 of 10 (60 to 98%)``, ``-`` where nothing was counted."""
    if count is None or not total:
        return "-"
    low, high = wilson(count, total)
    return f"{count} of {total} ({100 * low:.0f} to {100 * high:.0f}%)"


def mark(system: str) -> str:
    """The mark in the page around the tables of a model."""
    return f"table {system}"


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
    text = as_text(system, size, cards.read_card(system, size), rows, read_stored(system, size), wrong)
    page.write_text(into_page(page.read_text(encoding="utf-8"), mark(system), text), encoding="utf-8")
    click.echo(text)


if __name__ == "__main__":
    main()
