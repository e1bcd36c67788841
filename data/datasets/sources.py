"""The films of a set as ``ingest`` takes them: DICOM files as they are, others as DICOM made from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from data.datasets.frame import FilmFile
from data.datasets.pictures import PictureSource
from data.datasets.volumes import SliceSource
from data.ingest.sources import Source

DICOM = ("", ".dcm", ".dicom", ".ima")


def sources_of(folder: Path, films: Iterable[FilmFile], protocol: str) -> Iterator[Source]:
    """One source a film, and one for each slice of a volume, named FILE#NUMBER."""
    for film in films:
        path = folder / film.file
        size = path.stat().st_size if path.is_file() else 0
        if film.slices:
            for number in range(film.slices):
                name = f"{film.file}#{number + 1}"
                yield SliceSource(name, path, (), size, "", film, protocol, number, film.sequence)
        elif path.suffix.casefold() in DICOM:
            yield Source(film.file, path, size=size)
        else:
            yield PictureSource(film.file, path, size=size, film=film, protocol=protocol)
