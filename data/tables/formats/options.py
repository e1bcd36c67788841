"""What a person says about a file of a table, beside its name."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from core.errors import InputError

Fits = Callable[[Sequence[str]], bool]  # whether a header has the columns that are needed
DECIMALS = (".", ",")


@dataclass(frozen=True)
class TableOptions:
    """How a file is to be read; the empty value of each leaves it to the file.

    sheet: of a workbook. missing: codes that mean "no value" beside the usual words, such as -9 or 999.
    decimal: ``.`` or ``,``. encoding: of text and SAS files, such as cp1252.
    """

    sheet: str = ""
    missing: tuple[str, ...] = ()
    decimal: str = ""
    encoding: str = ""

    def __post_init__(self) -> None:
        if self.decimal not in ("", *DECIMALS):
            raise InputError(f"--decimal {self.decimal}", "a point or a comma is needed", "write --decimal ,")
        if self.encoding:
            _check_encoding(self.encoding)


AS_THE_FILE_SAYS = TableOptions()


def missing_codes(given: Iterable[str]) -> tuple[str, ...]:
    """The codes of options such as ``-9,999``, each once."""
    codes = [code.strip() for text in given for code in text.split(",")]
    return tuple(dict.fromkeys(code for code in codes if code))


def _check_encoding(name: str) -> None:
    try:
        "".encode(name)
        b"".decode(name)
    except (LookupError, ValueError, AttributeError, TypeError):
        raise InputError(
            f"--encoding {name}", "the name of a text encoding is needed", "write for example cp1252"
        ) from None
    codecs.lookup(name)
