"""Simulated readers who err as people of a real cohort do (``data.queries.grades.reader_errors``).

What grades tell is the whole error of a reader at a site and its part that is the same over a patient. How
much of the rest comes again at the next visit needs films of one patient at two visits, read together: there
the shipped readers' share is kept.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.errors import InputError
from data.phantom.generators import generators
from data.phantom.reader_spreads import ErrorOf

KEPT = (
    "what comes again at the next visit is not in these grades: as in the shipped simulated readers; "
    "overlooked findings and sites without a grade as in those too"
)
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
        ErrorOf(name, row["shift"]["estimate"], row["spread"]["estimate"], same or 0.0)
        for name, row in found["readers"].items()
    ]
    made = [
        {key: _plain(value) for key, value in asdict(one).items()} for one in generator.readers_like(errors)
    ]
    return {"simulated": made, "kept": KEPT}


def write_readers(result: Mapping[str, Any], path: Path) -> None:
    """The simulated readers with what they were fitted to, as JSON. Raises InputError without any."""
    if not result["simulated"]:
        raise InputError("--out", str(result["why_none"]), "leave it out")
    about = {key: result[key] for key in ("system", "campaign", "sites", "patients", "kept")}
    text = json.dumps({"what": WHAT} | about | {"readers": result["simulated"]}, indent=1, ensure_ascii=False)
    part = path.with_name(f"{path.name}.part{os.getpid()}")
    part.write_text(text + "\n", encoding="utf-8")
    os.replace(part, path)


def _plain(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value
