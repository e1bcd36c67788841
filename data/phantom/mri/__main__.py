"""``python -m data.phantom.mri OUT --patients N --seed S``: write phantom MRI with its truth."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from data.phantom.mri.conditions import VIEWS
from data.phantom.mri.files import MriPlan, write_mri
from data.phantom.mri.patients import REGIONS, WEEKS
from data.phantom.mri.population import POPULATIONS
from data.phantom.seeds import StudyRole
from data.phantom.spine.conditions import DOMAINS


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse and write."""
    parser = argparse.ArgumentParser(prog="python -m data.phantom.mri", description=__doc__)
    parser.add_argument("out", type=Path, help="folder to write to")
    parser.add_argument("--patients", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=1, help="number of the first patient")
    parser.add_argument("--role", choices=[role.value for role in StudyRole], default=StudyRole.DEMO.value)
    parser.add_argument("--domain", choices=DOMAINS, default=DOMAINS[0])
    parser.add_argument("--population", choices=list(POPULATIONS), default="clinic")
    parser.add_argument("--weeks", type=int, nargs="+", default=list(WEEKS))
    parser.add_argument("--views", choices=VIEWS, nargs="+", default=list(REGIONS))
    given = parser.parse_args(arguments)
    plan = MriPlan(
        patients=given.patients,
        seed=given.seed,
        role=StudyRole(given.role),
        domain=given.domain,
        population=given.population,
        weeks=tuple(given.weeks),
        views=tuple(given.views),
        first=given.first,
    )
    write_mri(plan, given.out)


if __name__ == "__main__":
    main()
