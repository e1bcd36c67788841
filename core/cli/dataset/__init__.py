"""``sharpline dataset``: an open data set, as its owner lays it out, into a cohort with reads and labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.cli.output import CountLine, emit, json_option, note
from core.errors import InputError

if TYPE_CHECKING:
    from data.datasets.frame import Contents, DataSet

SHOWN = 6  # files named for one reason; --json has all
REASONS = 40  # reasons named of one kind


@click.command(short_help="An open data set, as its owner lays it out, into a cohort.")
@click.argument("name", required=False)
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--accept-terms", is_flag=True, help="You have read the owner's terms and accept them.")
@click.option("--check", is_flag=True, help="Only say what is there and what is odd; nothing is written.")
@click.option(
    "--labels", type=click.Path(path_type=Path), help="Also write labelled films for train and evaluate here."
)
@click.option(
    "--workers",
    type=click.IntRange(0),
    default=2,
    show_default=True,
    help="Reading processes; 0: in this one.",
)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    name: str | None,
    folder: Path | None,
    accept_terms: bool,
    check: bool,
    labels: Path | None,
    workers: int,
    as_json: bool,
) -> int:
    """Read an open data set that you downloaded into FOLDER: films, subjects, visits, reads, labels.

    Without NAME the sets are listed; with NAME alone its terms are shown. Nothing is fetched from anywhere.
    Every file that is not as the owner's layout says is named, and the rest goes on.
    """
    from data.datasets.registry import SETS, get

    if name is None:
        emit({"sets": _sets(SETS)}, as_json=as_json, text=lambda: _list(SETS))
        return 0
    one = get(name)
    if folder is None:
        emit(_terms(one), as_json=as_json, text=lambda: _terms_text(one))
        return 0
    note(_terms_text(one))
    if not (accept_terms or check):
        raise InputError(
            f"the terms of {one.terms.title} (above)",
            "they must be accepted before anything of it is used",
            "read them at the owner's and add --accept-terms",
        )
    from data.datasets.examine import examine

    contents = examine(one, folder)
    result = _looked_at(one, contents) if check else _made(ctx, one, folder, contents, labels, workers)
    emit(result, as_json=as_json, text=lambda: _text(result))
    return _status(result)


def _looked_at(one: DataSet, contents: Contents) -> dict[str, Any]:
    """What there is, by the names that a cohort of it has them under."""
    from data.datasets.cohort import Made, as_json

    visits = {(film.subject, film.visit) for film in contents.films}
    made = Made(
        films=len(contents.films),
        subjects=len(contents.patients),
        visits=len(visits | {(grade.subject, grade.visit) for grade in contents.grades}),
        reads=len(contents.grades),
        readers=sorted({grade.reader for grade in contents.grades}),
    )
    return as_json(contents, made, one) | {"checked_only": True}


def _made(
    ctx: click.Context, one: DataSet, folder: Path, contents: Contents, labels: Path | None, workers: int
) -> dict[str, Any]:
    from data.datasets.cohort import as_json, make_cohort
    from data.datasets.labels import check_labels, write_labels
    from data.store.cohort import CohortStore, current_actor

    if labels is not None:
        check_labels(one, contents, labels)
    store = CohortStore.open(ctx.obj["cohort"])
    actor, line = current_actor(), CountLine("films")
    made = make_cohort(store, one, folder, contents, actor=actor, workers=workers, progress=line.show)
    written = None
    if labels is not None:
        line = CountLine("labelled films")
        written = write_labels(one, folder, contents, labels, without=made.refused_films, progress=line.show)
    result = as_json(contents, made, one)
    if written is not None:
        result["labels"] = {"folder": str(labels), **vars(written)}
    return result


def _status(result: dict[str, Any]) -> int:
    """0 all taken; 1 some left out; 2 nothing was there to take."""
    if not any(result[name] for name in ("films", "already_there", "reads", "subjects")):
        return 2
    return 1 if any(row["left_out"] for row in result["odd"]) else 0


def _sets(sets: dict[str, DataSet]) -> list[dict[str, Any]]:
    return [_terms(one) for one in sets.values()]


def _terms(one: DataSet) -> dict[str, Any]:
    terms = one.terms
    return {
        "set": one.name,
        "title": terms.title,
        "licence": terms.licence,
        "source": terms.source,
        "version": terms.version,
        "terms": terms.text,
        "cite": terms.cite,
    }


def _list(sets: dict[str, DataSet]) -> str:
    width = max(map(len, sets))
    return "\n".join(f"{name:{width}}  {one.terms.title}: {one.terms.licence}" for name, one in sets.items())


def _terms_text(one: DataSet) -> str:
    terms = one.terms
    return (
        f"{terms.title}, {terms.version}, from {terms.source}\nTerms: {terms.licence}. {terms.text}\n"
        f"Cite: {terms.cite or 'see the owner'}"
    )


def _text(result: dict[str, Any]) -> str:
    from data.datasets.checks import counted

    there = f", {result['already_there']} already there" if result["already_there"] else ""
    verb = "to take" if result.get("checked_only") else "taken"
    lines = [
        f"{result['title']}: {counted(result['films'], 'film')} {verb}{there}, "
        f"{counted(result['subjects'], 'patient')}, {counted(result['visits'], 'visit')}, "
        f"{counted(result['reads'], 'grade')}"
        + (f" by {', '.join(result['readers'])}" if result["readers"] else "")
    ]
    found = ", ".join(f"{count} {kind}" for kind, count in result["found"].items() if count)
    lines += [f"In the folder: {found}"] if found else []
    lines += [f"Note: {text}" for text in result["notes"]]
    for title, left_out in (("Left out", True), ("Odd, and taken", False)):
        lines += _grouped(title, [row for row in result["odd"] if row["left_out"] is left_out])
    labels = result.get("labels")
    if labels:
        films = ", ".join(f"{count} in {split}" for split, count in labels["films"].items())
        lines.append(f"Labels in {labels['folder']}: {films or 'no film'}, {labels['boxes']} boxes")
    return "\n".join(lines)


def _grouped(title: str, rows: list[dict[str, Any]]) -> list[str]:
    """Files by what is said of them, the first few named."""
    groups: dict[str, list[str]] = {}
    for row in rows:
        groups.setdefault(row["reason"], []).append(row["file"])
    lines = [f"{title} ({len(rows)}):"] if rows else []
    for reason, files in list(groups.items())[:REASONS]:
        more = f" and {len(files) - SHOWN} more (--json lists all)" if len(files) > SHOWN else ""
        lines.append(f"  {', '.join(files[:SHOWN])}{more}: {reason}")
    if len(groups) > REASONS:
        lines.append(f"  and {len(groups) - REASONS} other reasons (--json lists all)")
    return lines
