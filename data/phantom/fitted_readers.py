"""Simulated readers who err as people of a real cohort do (``data.queries.grades.reader_errors``).

What grades tell is the whole error of a reader at a site and its part that is the same over a patient. How
much of the rest comes again at the next visit needs films of one patient at two visits, read together: there
the shipped readers' share is kept.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from core.errors import InputError
from data.phantom.generators import generators
from data.phantom.reader_spreads import ErrorOf

KEPT = (
    "what comes again at the next visit is not in these grades: as in the shipped simulated readers; "
    "overlooked findings and sites without a grade as in those too"
)
FIELDS = tuple(one.name for one in fields(ErrorOf))
WHAT = "simulated readers of a phantom study, fitted to grades of people"


def simulated(found: Mapping[str, Any]) -> dict[str, Any]:
    """``simulated``: each person's reader as the phantom study takes it, empty with ``why_none`` where
    phantom readers err otherwise; ``kept``: what is not from the grades. found: of ``reader_errors``.
    """
    generator = generators().get(str(found["system"]))
    if generator is None or generator.readers_like is None:
        return {
            "simulated": [],
            "kept": "",
            "why_none": f"simulated readers of {found['system']} err in another way",
        }
    same = found["same_over_a_patient"]["estimate"]
    errors = [
        ErrorOf(
            f"R{number}",
            round(row["shift"]["estimate"], 4),
            round(row["spread"]["estimate"], 4),
            round(same or 0.0, 4),
        )
        for number, row in enumerate(found["readers"].values(), start=1)
    ]
    made = generator.readers_like(errors)
    return {
        "errors": [asdict(one) for one in errors],
        "simulated": [{key: _plain(value) for key, value in asdict(one).items()} for one in made],
        "kept": KEPT,
    }


def write_readers(result: Mapping[str, Any], path: Path) -> None:
    """The simulated readers with what they were fitted to, as JSON. Raises InputError without any."""
    if not result["simulated"]:
        raise InputError("--out", str(result["why_none"]), "leave it out")
    kept = ("system", "campaign", "sites", "patients", "errors", "simulated", "kept")
    text = json.dumps({"what": WHAT} | {key: result[key] for key in kept}, indent=1, ensure_ascii=False)
    part = path.with_name(f"{path.name}.part{os.getpid()}")
    part.write_text(text + "\n", encoding="utf-8")
    os.replace(part, path)


def read_readers(path: Path) -> tuple[str, tuple[ErrorOf, ...]]:
    """System and errors of the readers in a file of ``write_readers``.

    Raises InputError where the file is no such file, or its system has no readers who err so.
    """
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        errors = tuple(ErrorOf(**{name: row[name] for name in FIELDS}) for row in said["errors"])
        system = str(said["system"])
        numbers = [value for one in errors for value in (one.shift, one.spread, one.patient)]
        is_right = bool(errors) and all(math.isfinite(value) for value in numbers)
        is_right &= all(one.spread > 0 and one.patient >= 0 for one in errors)
        is_right &= [one.name for one in errors] == [f"R{n}" for n in range(1, len(errors) + 1)]
    except (OSError, ValueError, KeyError, TypeError):
        is_right, system, errors = False, "", ()
    generator = generators().get(system)
    if not is_right or generator is None or generator.readers_like is None:
        raise InputError(
            f"the file of readers {path.name}",
            "one that 'sharpline readers --out' wrote is needed",
            "make it with that command",
        )
    return system, errors


def _plain(value: Any) -> Any:
    """Rounded for a file; of a reader with a value for each of several scales, each."""
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return round(value, 4) if isinstance(value, float) else value
