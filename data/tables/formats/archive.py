"""Whether a zipped document may be opened: sizes before anything is unpacked, no entities in its XML."""

from __future__ import annotations

import zipfile
from pathlib import Path
from xml.parsers import expat

from core.errors import InputError

MAX_MEMBERS = 5_000
MAX_BYTES = 1 << 30  # of all members, unpacked
MAX_RATIO, FREE_BYTES = 400, 32 << 20  # unpacked to packed, of members beyond the free size
CHUNK = 1 << 16


def check_archive(path: Path) -> None:
    """Raises InputError for what is no zip file, is encrypted, unpacks to too much, or declares entities."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if any(member.flag_bits & 1 for member in members):
            raise InputError(f"{path.name}", "it is protected by a password", "save it without one")
        size = sum(member.file_size for member in members)
        swollen = [
            member.filename
            for member in members
            if member.file_size > FREE_BYTES and member.file_size > MAX_RATIO * member.compress_size
        ]
        if size > MAX_BYTES or len(members) > MAX_MEMBERS or swollen:
            raise InputError(
                f"{path.name} unpacks to {size / (1 << 20):.0f} MB in {len(members)} parts",
                f"at most {MAX_BYTES >> 20} MB in {MAX_MEMBERS} parts, each at most {MAX_RATIO} times its "
                "packed size, are read",
                "save the table as CSV or Parquet",
            )
        for member in members:
            if member.filename.lower().endswith((".xml", ".rels")):
                _check_no_entities(archive, member, path)


def _check_no_entities(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> None:
    """A document type can only stand before the first element: read until there."""
    parser = expat.ParserCreate()
    seen: list[str] = []
    parser.StartDoctypeDeclHandler = lambda *_: seen.append("doctype")
    parser.StartElementHandler = lambda *_: seen.append("element")
    with archive.open(member) as content:
        while not seen and (chunk := content.read(CHUNK)):
            try:
                parser.Parse(chunk)
            except expat.ExpatError:
                break  # a later reader says what is wrong with it, if it is needed at all
    if "doctype" in seen:
        raise InputError(
            f"{path.name}: its part {member.filename} declares a document type",
            "a workbook has none",
            "save it again as .xlsx",
        )
