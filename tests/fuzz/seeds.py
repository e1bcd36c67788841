"""Whole files of every kind that damage starts from, small ones so that thousands go in a minute."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from pydicom.data import get_testdata_file
from pydicom.fileset import FileSet
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from data.dicom.read import quiet
from tests.helpers import small_cohort
from tests.helpers.paths import REAL
from tests.helpers.small_films import as_bytes, film, picture, trial_film
from tests.helpers.small_frames import cine, enhanced, slices

LARGEST = 60_000  # bytes of a real file that is used


@cache
def films() -> tuple[bytes, ...]:
    """DICOM files: native in every order, compressed in every way, frames, colours, scans, slices, real."""
    made = [trial_film(1, "S1", "BL"), film(picture(2, bits=8)), film(_frames(3)), film(_colour())]
    made += [film(picture(4).astype(np.int16) - 9, PixelRepresentation=1), film(_table(), **_WINDOW)]
    made += [cine(), enhanced(), *slices((0.0, 4.0))]
    content = [as_bytes(one) for one in made]
    for number, one in enumerate((ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian)):
        dataset = film(picture(5 + number))
        dataset.file_meta.TransferSyntaxUID = one
        content.append(as_bytes(dataset))
    for way in (RLELossless, JPEGLSLossless, JPEG2000Lossless):
        for pixels in (picture(7), picture(8, bits=8), _frames(9), _colour()):
            dataset = film(pixels)
            dataset.compress(way, generate_instance_uid=False)
            content.append(as_bytes(dataset))
    real = [path.read_bytes() for path in _real() if path.stat().st_size <= LARGEST]
    return tuple(content + real)


def _real() -> list[Path]:
    """Files of many makers: those that come with pydicom, and those that lie beside the project."""
    of_pydicom = Path(get_testdata_file("CT_small.dcm")).parent
    beside = REAL / "dicom-conformance"
    return sorted(of_pydicom.glob("*.dcm")) + (sorted(beside.glob("*.dcm")) if beside.is_dir() else [])


_WINDOW = {"WindowCenter": 100, "WindowWidth": 200, "RescaleSlope": 2, "RescaleIntercept": -5}


def _frames(seed: int) -> np.ndarray:
    return np.stack([picture(seed + number, rows=40, columns=44) for number in range(3)])


def _colour() -> np.ndarray:
    return np.stack([picture(number, bits=8) for number in range(3)], axis=-1)


def _table() -> np.ndarray:
    return np.arange(48 * 40, dtype=np.uint16).reshape(48, 40)


@cache
def archives() -> tuple[bytes, ...]:
    """Zip files: every way of packing, one inside another, folders, a double name."""
    content = {"bl/a.dcm": films()[0], "bl/b.dcm": films()[1], "note.txt": b"hello", "w52/c.dcm": films()[9]}
    ways = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    plain = [_zip(content, way) for way in ways]
    return (*plain, _zip({"inner.zip": plain[1], "z.dcm": films()[2]}, zipfile.ZIP_STORED))


def _zip(content: dict[str, bytes], way: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", way) as archive:
        for name, one in content.items():
            archive.writestr(name, one)
    return stream.getvalue()


def disc(folder: Path) -> bytes:
    """Write a disc of three films into a folder, and give the content of its DICOMDIR."""
    files = FileSet()
    for number in range(3):
        dataset = film(picture(number), StudyID="1", SeriesNumber=1, InstanceNumber=number + 1)
        dataset.PatientID, dataset.AccessionNumber = "P1", ""
        files.add(dataset)
    with quiet():
        files.write(folder)
    return (folder / "DICOMDIR").read_bytes()


@cache
def tables() -> dict[str, tuple[tuple[str, bytes], ...]]:
    """Command -> tables for it, each as (ending, content)."""
    grades = small_cohort.site_grades().head(60)
    totals = pd.DataFrame(
        [
            (f"P{n}", "AB"[n % 2], f"R{r}", day, n + r + day / 100)
            for n in range(8)
            for r in (1, 2)
            for day in (0, 365)
        ],
        columns=["subject", "arm", "reader", "days", "total"],
    )
    subjects = pd.DataFrame(
        {"subject": [f"P{n}" for n in range(9)], "arm": list("ABABABABA"), "age": range(9)}
    )
    long = totals.rename(columns={"days": "visit"}).query("reader == 'R1'").drop(columns="reader")
    frames = {"reads": grades, "subjects": subjects, "totals": grades, "agreement": totals.head(16),
              "progression": totals, "mmrm": long}  # fmt: skip
    return {name: tuple(_forms(frame)) for name, frame in frames.items()}


def _forms(frame: pd.DataFrame) -> list[tuple[str, bytes]]:
    book, parquet = io.BytesIO(), io.BytesIO()
    frame.to_excel(book, index=False)
    frame.to_parquet(parquet)
    text = frame.to_csv(index=False).encode()
    other = text.replace(b",", b";")
    return [(".csv", text), (".csv", other), (".xlsx", book.getvalue()), (".parquet", parquet.getvalue())]


def repacked(book: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """A workbook (a zip) with its parts changed and packed anew, so that its sums fit."""
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        return _zip({name: change(archive.read(name)) for name in archive.namelist()}, zipfile.ZIP_DEFLATED)
