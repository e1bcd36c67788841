"""What every reader of a set checks: names with slips, films and grades that lack each other, splits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from data.datasets.frame import Contents, Grade, Spacing

_LETTERS = re.compile(r"[^a-z0-9]+")
NAMED = 5  # things that one message names


def listed(names: Iterable[str]) -> str:
    """A few names, and how many more."""
    found = list(names)
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return ", ".join(found[:NAMED]) + more


def counted(number: int, what: str) -> str:
    """``1 film``, ``2 films``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def spelt(word: str, known: Mapping[str, Any] | Iterable[str]) -> str | None:
    """The known word that is meant: itself, else the one that differs in case, blanks and marks only."""
    words = list(known)
    if word in words:
        return word
    wanted = _LETTERS.sub("", word.casefold())
    same = [one for one in words if _LETTERS.sub("", one.casefold()) == wanted]
    return same[0] if len(same) == 1 else None


def unknown(word: str, known: Iterable[str], what: str) -> str:
    """Why a word was left out, with the one that may be meant."""
    near = get_close_matches(word, list(known), 1)
    return f"{word} is no {what} of this set; it was left out" + (f" (is {near[0]} meant?)" if near else "")


def add_grade(contents: Contents, grade: Grade, seen: dict[tuple[str, ...], Grade]) -> None:
    """Take a grade; one that is there already counts once where it says the same, else neither does."""
    key = (grade.subject, grade.visit, grade.site, grade.reader)
    first = seen.setdefault(key, grade)
    if first is grade:
        contents.grades.append(grade)
        return
    about = f"{grade.site} of {grade.subject} ({grade.visit}) by {grade.reader}"
    if first.grade == grade.grade:
        contents.tell(grade.file, f"the grade of {about} stands twice; it was taken once", left_out=False)
        return
    contents.tell(
        grade.file,
        f"two grades of {about}: {first.grade} and {grade.grade} (the first in {first.file}); none was taken",
    )
    if first in contents.grades:
        contents.grades.remove(first)


def films_and_grades(contents: Contents, graded: Mapping[str, str], films: Mapping[str, str]) -> None:
    """Tell of films without grades, and of grades without a film. Both: stem -> file."""
    for stem, file in graded.items():
        if stem not in films:
            contents.tell(
                file, f"has grades of {stem}, whose film is missing; the grades were taken", left_out=False
            )
    if graded:
        for stem, file in films.items():
            if stem not in graded:
                contents.tell(file, "no grades stand anywhere for this film", left_out=False)


def number_visits(
    contents: Contents, occasions: Mapping[str, set[tuple[Any, ...]]]
) -> dict[tuple[str, tuple[Any, ...]], str]:
    """(subject, occasion) -> name of the visit, V1 and on in the order of the occasions."""
    names = {}
    for subject, found in occasions.items():
        for place, occasion in enumerate(sorted(found), start=1):
            names[subject, occasion] = f"V{place}"
            contents.order[subject, f"V{place}"] = place
    return names


def by_height(path: Path, shown_mm: float, how: str, sure: float) -> Spacing | None:
    """A guess from what a film shows from top to bottom; None where the picture cannot be opened."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return Spacing(shown_mm / picture.height, how, sure=sure)
    except Exception:  # said when the film itself is read
        return None


def tell_splits(contents: Contents) -> None:
    """Tell of patients in two splits: by each of their films."""
    splits: dict[str, dict[str, None]] = {}
    for film in contents.films:
        if film.split:
            splits.setdefault(film.subject, {})[film.split] = None
    for film in contents.films:
        found = splits.get(film.subject, {})
        if len(found) > 1:
            contents.tell(
                film.file,
                f"patient {film.subject} is in the splits {' and '.join(found)}; in the labels all his films "
                f"are in {strictest(found)}",
                left_out=False,
            )


def strictest(splits: Iterable[str]) -> str:
    """The split that a patient of several counts in: test before val before train."""
    found = set(splits)
    return next((name for name in ("test", "val", "train") if name in found), min(found, default=""))


def stem_of(file: str) -> str:
    """The name of a file without folder and ending."""
    return file.rpartition("/")[2].rpartition(".")[0]
