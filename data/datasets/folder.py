"""A folder of an open data set: its files by name, and small tables read with what is wrong with them."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any

from core.errors import InputError

PICTURES = (".bmp", ".png", ".jpg", ".jpeg", ".tif", ".tiff")
LARGEST_TABLE = 512 << 20  # bytes of a table or label file; more is none of these
Tell = Callable[[str, str], None]  # file, reason


class Folder:
    """The files of a set, listed once; names are relative to the folder, with ``/`` between.

    Files and folders that begin with a dot, and links, are left aside.
    """

    def __init__(self, path: Path) -> None:
        """Raises InputError where it is no folder."""
        if not path.is_dir():
            raise InputError(
                str(path), "the folder of a downloaded set is needed", "unpack it and give its path"
            )
        self.path = path

    @cached_property
    def files(self) -> tuple[str, ...]:
        """Every file, in a fixed order."""
        return tuple(sorted(self._walk(self.path, "")))

    def _walk(self, path: Path, before: str) -> Iterator[str]:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.is_symlink():
                    continue
                if entry.is_dir():
                    yield from self._walk(Path(entry.path), f"{before}{entry.name}/")
                elif entry.is_file():
                    yield before + entry.name

    @cached_property
    def _folders(self) -> dict[str, list[str]]:
        """Folder -> its files."""
        found: dict[str, list[str]] = {}
        for name in self.files:
            found.setdefault(name.rpartition("/")[0], []).append(name)
        return found

    def match(self, pattern: str) -> list[str]:
        """Files whose name, or the end of it behind a ``/``, is of this pattern; case does not count.

        A ``*`` stays within one folder. So a set that lies one folder deeper is found as well.
        """
        wanted = pattern.casefold().split("/")
        where, last = wanted[:-1], wanted[-1]
        return [
            name
            for folder, names in self._folders.items()
            if _fits(folder.casefold().split("/") if folder else [], where)
            for name in names
            if fnmatchcase(name.rpartition("/")[2].casefold(), last)
        ]

    def pictures(self, pattern: str) -> list[str]:
        """The same, pictures only. pattern: of their folder, ``""`` for any."""
        names = self.match(f"{pattern}/*" if pattern else "*")
        return [name for name in names if name.casefold().endswith(PICTURES)]

    def at(self, name: str) -> Path:
        """Where a file lies."""
        return self.path / name

    def json(self, name: str, tell: Tell) -> Any:
        """The content of a JSON file, None where it cannot be read, which is told."""
        text = self._text(name, tell)
        if text is None:
            return None
        double: list[str] = []
        try:
            content = json.loads(text, object_pairs_hook=lambda pairs: _without_doubles(pairs, double))
            for key in double:
                tell(name, f"{key} is there twice, with two values; neither was taken")
            return content
        except (ValueError, RecursionError) as error:
            place = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
            tell(name, f"is no JSON{place}; download it again")
            return None

    def rows(self, name: str, tell: Tell) -> list[list[str]]:
        """The rows of a CSV file, comma or semicolon; none where it cannot be read, which is told."""
        text = self._text(name, tell)
        if text is None:
            return []
        lines = text.splitlines()
        first = lines[0] if lines else ""
        separator = ";" if first.count(";") > first.count(",") else ","
        try:
            return [
                row for row in csv.reader(lines, delimiter=separator) if any(cell.strip() for cell in row)
            ]
        except csv.Error as error:
            tell(name, f"is no CSV table ({error}); download it again")
            return []

    def table(self, name: str, tell: Tell) -> tuple[list[str], list[dict[str, str]]]:
        """Header and rows of a CSV file; empty names of columns are ``""``."""
        rows = self.rows(name, tell)
        header = [cell.strip() for cell in rows[0]] if rows else []
        return header, [dict(zip(header, row, strict=False)) for row in rows[1:]]

    def workbook(self, name: str, tell: Tell) -> list[dict[str, Any]]:
        """The rows of the first sheet of a workbook, by its header; none where it cannot be read."""
        from openpyxl import load_workbook

        try:
            sheet = load_workbook(self.at(name), read_only=True, data_only=True).worksheets[0]
            rows = list(sheet.iter_rows(values_only=True))
        except Exception as error:  # the library raises whatever a damaged archive makes it raise
            tell(name, f"cannot be read as a workbook ({type(error).__name__}); download it again")
            return []
        header = [str(cell or "").strip() for cell in rows[0]] if rows else []
        return [dict(zip(header, row, strict=False)) for row in rows[1:] if any(c is not None for c in row)]

    def _text(self, name: str, tell: Tell) -> str | None:
        path = self.at(name)
        try:
            if path.stat().st_size > LARGEST_TABLE:
                tell(name, f"has more than {LARGEST_TABLE >> 20} MB, which no table of this set has")
                return None
            return path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            tell(name, "is no text in UTF-8; download it again")
        except OSError as error:
            tell(name, f"cannot be read ({error.strerror})")
        return None


def _fits(folder: list[str], wanted: list[str]) -> bool:
    """Whether the end of a folder's path is as wanted."""
    end = folder[len(folder) - len(wanted) :] if len(wanted) <= len(folder) else None
    return end is not None and all(
        fnmatchcase(part, pattern) for part, pattern in zip(end, wanted, strict=True)
    )


def _without_doubles(pairs: list[tuple[str, Any]], double: list[str]) -> dict[str, Any]:
    """The pairs of a JSON object, without keys that stand in it twice with different values."""
    found: dict[str, Any] = {}
    differ = {key for key, value in pairs if found.setdefault(key, value) != value}
    double += sorted(differ)
    return {key: value for key, value in found.items() if key not in differ}
