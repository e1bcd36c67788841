"""A folder of a set looked at: what its reader finds, and the checks that every set shares."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from core.scores.system import ScoreSystem, Site
from data.datasets.checks import counted, tell_splits, unknown
from data.datasets.folder import Folder
from data.datasets.frame import Contents, DataSet, Grade
from data.datasets.registry import system_of


def examine(one: DataSet, path: Path) -> Contents:
    """What a folder of the set holds, checked; nothing is written. Grades that cannot be right are left out.

    Raises InputError where the folder is none of this set.
    """
    contents = one.read(Folder(path))
    tell_splits(contents)
    system = system_of(one.name)
    if system is not None:
        sites = system.sites_of_set(one.name)
        contents.grades = [grade for grade in contents.grades if _is_right(grade, system, sites, contents)]
    contents.notes += spacing_notes(contents)
    return contents


def _is_right(grade: Grade, system: ScoreSystem, sites: dict[str, str], contents: Contents) -> bool:
    """Whether a grade has a site and is within its range, or empty; else why not is told."""
    about = f"{grade.site} of {grade.subject} ({grade.visit})"
    code = sites.get(grade.site)
    if code is None:
        contents.tell(grade.file, f"{about}: {unknown(grade.site, sites, 'site')}")
        return False
    if is_empty(grade.grade):
        return True
    site, value = system.by_code[code], number_of(grade.grade)
    if value is None:
        contents.tell(grade.file, f"{about}: the grade {grade.grade!r} is no whole number; it was left out")
        return False
    return _in_range(grade, value, site, contents)


def _in_range(grade: Grade, value: int, site: Site, contents: Contents) -> bool:
    if 0 <= value <= site.maximum:
        return True
    about = f"{grade.site} of {grade.subject} ({grade.visit})"
    contents.tell(
        grade.file, f"{about}: the grade {value} is outside 0-{site.maximum} of {site.code}; it was left out"
    )
    return False


def is_empty(grade: Any) -> bool:
    """Whether a site was not scored."""
    return grade is None or grade == "" or grade != grade


def number_of(grade: Any) -> int | None:
    """The grade as a whole number, None where it is none."""
    if isinstance(grade, bool):
        return None
    try:
        value = float(grade)
    except (TypeError, ValueError):
        return None
    return int(value) if math.isfinite(value) and value == int(value) else None


def spacing_notes(contents: Contents) -> list[str]:
    """How many millimetres a pixel is, as far as the set says or its films let guess."""
    stated = [film.spacing for film in contents.films if film.spacing and film.spacing.is_stated]
    guessed = [film.spacing for film in contents.films if film.spacing and not film.spacing.is_stated]
    without = sum(film.spacing is None and not film.slices for film in contents.films)
    notes = []
    if stated:
        notes.append(f"{counted(len(stated), 'film')}: millimetres a pixel as stated ({stated[0].how})")
    for how in dict.fromkeys(one.how for one in guessed):
        values = sorted(one.mm for one in guessed if one.how == how)
        sure = next(one.sure for one in guessed if one.how == how)
        within = "how sure is not known" if sure is None else f"within {sure:.0%}"
        span = f"{values[0]:.3g}" if values[0] == values[-1] else f"{values[0]:.3g} to {values[-1]:.3g}"
        notes.append(
            f"{counted(len(values), 'film')}: no spacing is stated; a guess is {span} mm a pixel, {within} "
            f"({how}); it is not written into the films, and models work the scale out from what they see"
        )
    if without:
        notes.append(f"{counted(without, 'film')}: nothing says how many millimetres a pixel is")
    return notes
