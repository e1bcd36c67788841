"""``sharpline ingest``: DICOM files, NIfTI volumes, folders, zips or a DICOMDIR into the cohort."""

from __future__ import annotations

import sys
from typing import Any

import click

from core.cli.output import emit, json_option, note, printable
from core.errors import InputError

MOST_SERIES = 20  # kinds of series that are printed; --json has all
SHOWN = 6  # files named for one warning; --json has all


@click.command()
@click.argument("paths", nargs=-1, type=click.Path())
@click.option(
    "--map",
    "map_file",
    type=click.Path(),
    help="CSV: file, patient, study or image -> subject, visit; without PATHS for films that are there.",
)
@click.option("--show-dates", is_flag=True, help="Name the dates of films without subject or visit.")
@click.option("--workers", type=click.IntRange(0), default=2, show_default=True, help="Reading processes.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    paths: tuple[str, ...],
    map_file: str | None,
    show_dates: bool,
    workers: int,
    as_json: bool,
) -> int:
    """Import DICOM files, NIfTI volumes, folders, zips or a DICOMDIR.

    Patient identity is removed on the way in. Files that are no image are refused one by one, with a
    reason. Run it again to go on after an interruption. With --map alone, films that wait for a patient are
    placed by it.
    """
    if map_file is not None and not paths:
        return _map_alone(ctx.obj["cohort"], map_file, as_json=as_json)
    from data.ingest.run import ingest
    from data.store.cohort import CohortStore, current_actor

    _check(paths)
    store = CohortStore.open(ctx.obj["cohort"])
    counter = _Counter()
    result = ingest(
        store, paths, counter.show, map_file, max(workers, 1), actor=current_actor(), show_dates=show_dates
    )
    counter.close()
    if result.found == 0:
        raise InputError(
            ", ".join(paths), "no files are in there", "give DICOM files, a folder, a zip or a DICOMDIR"
        )
    values: dict[str, Any] = vars(result)
    emit(values, as_json=as_json, text=lambda: _text(values))
    return _status(values)


def _map_alone(cohort: str, map_file: str, *, as_json: bool) -> int:
    """Films that are in the cohort get the subject and visit that a map file names."""
    from data.ingest.image_map import read_image_map
    from data.ingest.placing import place_by_map
    from data.store.cohort import CohortStore, current_actor

    image_map = read_image_map(map_file)
    store = CohortStore(cohort)
    values = place_by_map(store, image_map, actor=current_actor()).as_json()
    emit(values, as_json=as_json, text=lambda: _placed_text(values))
    return 2 if not values["placed"] else 1 if values["refused"] else 0


def _placed_text(result: dict[str, Any]) -> str:
    lines = [f"{len(result['placed'])} films placed, {len(result['refused'])} rows or films refused"]
    for name, title in (("new_subjects", "New subjects"), ("new_visits", "New visits")):
        lines += [f"{title}: {', '.join(result[name])}"] if result[name] else []
    return "\n".join(lines + [f"  {_place_of(row)}: {row['reason']}" for row in result["refused"]])


def _place_of(refused: dict[str, Any]) -> str:
    row = f"row {refused['row']}" if "row" in refused else ""
    film = f"image {refused['image']}" if "image" in refused else ""
    return ", ".join(text for text in (row, film) if text)


def _check(paths: tuple[str, ...]) -> None:
    """A mistyped path must not leave an empty cohort behind."""
    from data.ingest.sources import existing

    if not paths:
        raise click.UsageError("Missing argument 'PATHS...'; without it --map FILE is needed.")
    for path in paths:
        existing(path)


def _status(result: dict[str, Any]) -> int:
    """0 everything imported; 1 some refused; 2 nothing could be done."""
    if result["ingested"] + result["already_there"] == 0:
        return 2
    return 1 if result["refused"] else 0


class _Counter:
    """One line on standard error that counts files: rewritten on a terminal, written seldom in a log."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._last_tenth = -1

    def show(self, done: int, total: int, name: str) -> None:
        line = f"{done} of {total} files"
        if self._terminal:
            shown = printable(name[-60:]).replace("\n", " ")
            click.echo(f"\r\x1b[K{line}  {shown}", err=True, nl=False)
        elif 10 * done // total != self._last_tenth:
            self._last_tenth = 10 * done // total
            note(line)

    def close(self) -> None:
        if self._terminal:
            click.echo("\r\x1b[K", err=True, nl=False)


def _text(result: dict[str, Any]) -> str:
    lines = [
        f"{result['found']} files: {result['ingested']} imported, {result['already_there']} already there, "
        f"{len(result['refused'])} refused"
    ]
    refused = [f"  {row['file']}: {row['reason']}" for row in result["refused"]]
    lines += [f"Refused ({len(refused)}):", *refused] if refused else []
    mended = [(f"{row['was']}; made anew", row["file"]) for row in result["mended"]]
    lines += _grouped("Mended", mended)
    again = [(f"{row['how']} as a film that is there", row["file"]) for row in result["duplicates"]]
    lines += _grouped("Delivered again", again)
    shut = {(row["file"], row["reason"]) for row in result["held"]}
    flagged = [(said, row["file"]) for row in result["flagged"] for said in row["warnings"]]
    flagged = [one for one in flagged if one[::-1] not in shut]
    lines += _grouped("To look at", flagged)
    held = [(row["reason"], row["file"]) for row in result["held"]]
    lines += _grouped("Held back until released (see: sharpline release)", held)
    lines += _series(result["series"])
    opened = [(row["reason"], row["file"] or f"image {row['image'][:12]}") for row in result["unassigned"]]
    lines += _grouped("Without subject or visit", opened)
    return "\n".join(lines)


def _series(rows: list[dict[str, Any]]) -> list[str]:
    """One line for stacks that are alike, with what was found and why a scorer may not read them."""
    groups: dict[str, int] = {}
    for row in rows:
        said = _stack_words(row)
        groups[said] = groups.get(said, 0) + 1
    lines = [f"Series of slices ({len(rows)}):"] if rows else []
    lines += [f"  {count} x {said}" for said, count in list(groups.items())[:MOST_SERIES]]
    more = len(groups) - MOST_SERIES
    return lines + ([f"  and {more} other kinds (--json lists all)"] if more > 0 else [])


def _stack_words(row: dict[str, Any]) -> str:
    known = [row[name] for name in ("modality", "region", "sequence", "plane") if row[name]]
    spacing = "" if row["spacing_mm"] is None else f", {row['spacing_mm']:g} mm apart"
    many = f"{row['slices']} slice" + "s" * (row["slices"] > 1)
    what = f"{' '.join(known) or 'unknown'}, {many}{spacing}"
    said = [*row["problems"], *[one for one in row["why_not"] if one not in row["problems"]][:1]]
    return what + (f": {'; '.join(said)}" if said else "")


def _grouped(title: str, rows: list[tuple[str, str]]) -> list[str]:
    """Files by what is said of them, the first few named."""
    groups: dict[str, list[str]] = {}
    for said, file in rows:
        groups.setdefault(said, []).append(file)
    lines = [f"{title} ({len({file for _, file in rows})}):"] if groups else []
    for said, files in groups.items():
        more = f" and {len(files) - SHOWN} more (--json lists all)" if len(files) > SHOWN else ""
        lines.append(f"  {said}: {', '.join(files[:SHOWN])}{more}")
    return lines
