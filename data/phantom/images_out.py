"""The images of a study as files: films (a file each), stacks of slices (a folder each), what is where.

An image appears when it is whole, with its labels, and one that is there is not rendered again.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data.phantom import generators
from data.phantom.generators import Generator
from data.phantom.schedule import PlannedFilm
from data.phantom.seeds import StudySeed

STACKS, LABELS = "stacks", "labels"
PROTOCOL = "SL-DEMO"


def image_path(folder: Path, film: PlannedFilm) -> Path:
    """The file of a film, the folder of the series of a stack."""
    generator = generators.of_view(film.view)
    if generator.draws_stacks:
        return folder / STACKS / film.subject / film.name
    return folder / generator.folder / film.subject / f"{film.name}.dcm"


def label_path(folder: Path, film: PlannedFilm) -> Path:
    return folder / LABELS / film.subject / f"{film.name}.json"


def is_there(folder: Path, film: PlannedFilm) -> bool:
    """Whether an image and its labels were written."""
    return image_path(folder, film).exists() and label_path(folder, film).is_file()


def sweep(folder: Path) -> None:
    """Remove what a process that was killed left half written."""
    for part in [*folder.rglob("*.part*")]:
        remove(part)


def remove(path: Path) -> None:
    """Remove a file or a folder that may be there."""
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def write_image(
    study: StudySeed, domain: str, folder: Path, film: PlannedFilm, states: Mapping[str, Any]
) -> None:
    """Render one image; its labels are written first, so that an image that is there has them."""
    generator = generators.of_view(film.view)
    rendered, rows = generator.render(study, domain, film, states)
    path = image_path(folder, film)
    part, old = path.with_suffix(f".part{os.getpid()}"), path.with_suffix(f".partold{os.getpid()}")
    remove(part)
    about = {
        "subject": film.subject,
        "visit": film.visit,
        "view": film.view,
        "kind": rendered.kind,
        "to_refuse": rendered.kind in generator.wrong_kinds,
    }
    named = path.relative_to(folder).as_posix()
    labels: dict[str, Any]
    if generator.write_stacks is None:
        write = generator.write_film or _write_radiograph
        labels = {"film": {"file": named, "sop_uid": write(rendered, part, **_tags(study, film))} | about}
    else:
        series = generator.write_stacks(rendered, part, **_tags(study, film))
        rows = [{"folder": named} | about | row for row in rows]
        labels = {"series": [{"folder": f"{named}/{one}"} | said | about for one, said in series.items()]}
    text = json.dumps(labels | {generator.labels: rows}, default=_plain) + "\n"
    write_text(label_path(folder, film), text)
    if path.is_dir():
        os.replace(path, old)  # a folder is replaced by nothing but an empty one
    os.replace(part, path)
    remove(old)


def _tags(study: StudySeed, film: PlannedFilm) -> dict[str, Any]:
    return {
        "subject": film.subject,
        "visit": film.visit,
        "study_date": film.date,
        "uid_seed": study.film_seed(),
        "protocol": PROTOCOL,
    }


def _write_radiograph(rendered: Any, path: Path, **tags: Any) -> str:
    """Write a film. Returns its UID."""
    from pydicom import dcmread

    from data.phantom.dicom_out import write_dicom

    write_dicom(rendered, path, **tags)
    return str(dcmread(path, stop_before_pixels=True).SOPInstanceUID)


def image_tables(
    folder: Path, films: Iterable[PlannedFilm], drawn: Sequence[Generator]
) -> dict[str, pd.DataFrame]:
    """File name -> table of written images: ``films.csv``, ``scans.csv`` and ``stacks.csv`` (a row a series),
    and labels.

    Left out is a list of what nobody drew.
    """
    labels = [json.loads(label_path(folder, film).read_text(encoding="utf-8")) for film in films]
    shown: dict[str, list[dict[str, Any]]] = {}
    for label in labels:
        if "film" in label:
            shown.setdefault(label["film"]["file"].split("/")[0], []).append(label["film"])
    series = [one for label in labels for one in label.get("series", [])]
    made = {f"{name}.csv": pd.DataFrame(rows) for name, rows in (shown | {STACKS: series}).items() if rows}
    for generator in drawn:
        rows = [label.get("film", {}) | row for label in labels for row in label.get(generator.labels, [])]
        same = shown.get(generator.folder, [])
        about = [] if generator.draws_stacks or not same else list(same[0])
        columns = list(rows[0]) if generator.draws_stacks and rows else [*about, *generator.label_columns]
        made[f"{generator.labels}.csv"] = pd.DataFrame(rows, columns=columns)
    return made


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """The table as CSV, the same bytes everywhere; a file that is there and equal is left alone."""
    write_text(path, table.to_csv(index=False, lineterminator="\n"))


def write_text(path: Path, text: str) -> None:
    """The text as a file that appears when it is whole; one that is there and equal is left alone."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part{os.getpid()}")
    part.write_text(text, encoding="utf-8", newline="\n")
    os.replace(part, path)


def _plain(value: object) -> object:
    """Numbers of numpy as JSON numbers."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} in a film's labels")
