"""The images that a model is tested on, with the truth and with what readers said of them."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class TestImage:
    """One image. label: the labelled film of the system, which can be pickled and has ``as_film``.

    kind: what it is like, such as ``good``. is_wrong: it must be refused. sites: those labelled on it; grades
    of other sites are left out; None where every site that is graded counts. hidden: labelled ones that
    cannot be seen; their grades enter totals and change, not the tables of grades.
    """

    __test__ = False

    label: Any
    name: str
    subject: str
    visit: str
    kind: str = "good"
    is_wrong: bool = False
    sites: frozenset[str] | None = None
    hidden: frozenset[str] = frozenset()


@dataclass(frozen=True)
class TestSet:
    """Images with truth. truth, reads: subject, visit, (reader,) site, (feature,) grade of all sites, whether
    or not an image shows them.

    domain: ``first``, ``second`` or nothing. real: False where all images are phantoms, True where none is,
    None where nothing says which. origin: what the images are in words, where ``real`` does not say it.
    """

    __test__ = False

    name: str
    images: Sequence[TestImage]
    truth: pd.DataFrame
    reads: pd.DataFrame
    domain: str = ""
    real: bool | None = None
    origin: str = ""


def is_real(folder: Path) -> bool | None:
    """Whether a labelled folder holds images of patients: what ``info`` of its label file says under
    ``phantom`` (true or false), None where it does not say.
    """
    for path in sorted(folder.glob("*.json")):
        try:
            info = json.loads(path.read_text(encoding="utf-8")).get("info")
        except (ValueError, AttributeError):
            continue
        if isinstance(info, dict) and isinstance(info.get("phantom"), bool):
            return not info["phantom"]
    return None


def phantom_folder(system: str, *parts: object) -> Path:
    """Where rendered images are kept and found again: a temporary folder, named after ``parts`` and a hash of
    the sources that shape an image.
    """
    import data.phantom

    sources = sorted(Path(str(data.phantom.__file__)).parent.rglob("*.py"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:10]
    name = "-".join(map(str, ("sharpline", system, "test", *parts, digest)))
    return Path(tempfile.gettempdir()) / name
