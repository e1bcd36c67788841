"""When two ways of writing a name mean the same subject, visit, reader or site: the one rule of the program.

The exact name comes first. Then case, blanks and invisible characters do not count, if that leaves one name
only. Then separators and leading zeros do not count either (nor, of visits, "week" for "W"), if that leaves
one name only. A sign, a digit and the place of a separator between two numbers always count: 1-11 is not
11-1, Week -4 is not Week 4, 9.2 is not 92. What could be two names is neither of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from itertools import groupby

MAX_NAMED = 5  # groups of look-alikes that a warning names
_KEPT_SHAPES = ("<super>", "<sub>", "<fraction>", "<circle>")  # 5² is not 52
_JOINERS = {"\u034f", "\u115f", "\u1160", "\u3164", "\u2800"}  # drawn as nothing, though no format characters
_DASHES = {"\u2212", "\u02d7", "\u2043", "\u2796"}  # besides the characters of the class "dash"
_SEPARATORS = frozenset("_/.,:;()[]")
_LATIN = str.maketrans(  # letters of other scripts that are drawn as Latin ones, for look-alikes only
    "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0456\u0458\u0455"
    "\u03b1\u03b2\u03b5\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u03b6\u03b7",
    "abekmhopctyxijs" + "abeikmnoptyxzh",
)  # fmt: skip
_PERIOD = re.compile(
    r"(?:visit)?(?:(?P<w>w|wk|wks|week|weeks)|(?P<m>m|mo|mos|mth|mths|mon|mons|month|months)|(?P<d>d|day|days)|"
    r"(?P<y>y|yr|yrs|year|years))|(?P<v>v|vis|visit)"
)
_SHORT = {("baseline",): ("bl",), ("screening",): ("scr",)}
_OCCASION = re.compile(r"(.+) \((?:day -?\d+|no\. -?\d+(?:\.\d+)?)\)")


def tidy(name: object) -> str:
    """The name without characters that cannot be seen, every blank a plain one, none at the ends."""
    text = "".join(" " if char.isspace() else char for char in str(name) if not _is_invisible(char))
    return re.sub(r" +", " ", text).strip()


def _is_invisible(char: str) -> bool:
    if char.isascii():
        return not char.isprintable() and not char.isspace()
    return unicodedata.category(char) in ("Cf", "Cc") or char in _JOINERS or "\ufe00" <= char <= "\ufe0f"


def plain(name: object) -> str:
    """The name without case, blanks and invisible characters; a blank between two numbers stays."""
    return unicodedata.normalize("NFC", re.sub(r"(?<!\d) | (?!\d|-\d)", "", _folded(name)))


def _folded(name: object) -> str:
    """Small letters, plain blanks, one kind of dash, and compatibility forms as what they stand for."""
    text = tidy(name)
    if not text.isascii():
        text = tidy("".join(map(_compatible, unicodedata.normalize("NFC", text))))
    return unicodedata.normalize("NFC", text.casefold())


def _compatible(char: str) -> str:
    if char in _DASHES or unicodedata.category(char) == "Pd":
        return "-"
    if unicodedata.decomposition(char).startswith(_KEPT_SHAPES):
        return char
    return unicodedata.normalize("NFKC", char)


# -- words and numbers -------------------------------------------------------------------------------------


def loose(name: object, *, is_visit: bool = False) -> tuple[str, ...]:
    """Words, numbers and signs of the name, numbers without leading zeros, separators dropped.

    is_visit: a dash before a number is a sign even right behind a letter (``Week-4``), and the usual short
    forms stand for the long ones.
    """
    parts = [(kind, "".join(chars)) for kind, chars in groupby(_folded(name), key=_kind)]
    found: list[str] = []
    is_word = False
    for place, (kind, text) in enumerate(parts):
        if kind == "word":
            if is_word:
                found[-1] += text
            else:
                found.append(text)
            is_word = True
            continue
        kept = _number(parts, place) if kind == "number" else _mark(parts, place, is_visit)
        found += [kept] if kept else []
        is_word = is_word and not kept
    return _short_form(tuple(found)) if is_visit else tuple(found)


def _kind(char: str) -> str:
    if char.isdecimal():
        return "number"
    if char.isalpha() or char.isnumeric() or unicodedata.category(char).startswith("M"):
        return "word"
    return "blank" if char == " " else char


def _number(parts: list[tuple[str, str]], place: int) -> str:
    """The number without leading zeros; a fraction keeps them, and ``.0`` at the name's end is nothing."""
    text = "".join(str(unicodedata.decimal(digit)) for digit in parts[place][1])
    is_fraction = place >= 2 and parts[place - 1][1] in (".", ",") and parts[place - 2][0] == "number"
    if not is_fraction:
        return text.lstrip("0") or "0"
    is_first = place < 4 or (parts[place - 3][1], parts[place - 4][0]) != (parts[place - 1][1], "number")
    return "" if is_first and place == len(parts) - 1 and not text.strip("0") else text


def _mark(parts: list[tuple[str, str]], place: int, is_visit: bool) -> str:
    """What a separator, sign or other mark leaves: itself where it can mean something, else nothing."""
    kind, text = parts[place]
    if kind == "blank":
        return ""
    before = _beside(parts, place, -1)
    after = _beside(parts, place, 1)
    has_blank = place == 0 or parts[place - 1][0] == "blank"
    is_close = place + 1 < len(parts) and parts[place + 1][0] == "number"
    if text == "-":
        if after == "number" and before != "number" and is_visit:
            return "-"
        if has_blank and is_close:
            return "-"
        return "" if {before, after} <= {"word", "number"} else "-"
    if text == "+" and is_close and before != "number":
        return ""
    return "" if set(text) <= _SEPARATORS else text


def _beside(parts: list[tuple[str, str]], place: int, step: int) -> str:
    """The kind of what stands next to it, blanks passed over; ``""`` at an end."""
    place += step
    while 0 <= place < len(parts) and parts[place][0] == "blank":
        place += step
    return parts[place][0] if 0 <= place < len(parts) else ""


def _short_form(words: tuple[str, ...]) -> tuple[str, ...]:
    if words in _SHORT:
        return _SHORT[words]
    period = _PERIOD.fullmatch(words[0]) if len(words) > 1 else None
    if period is None or not (words[1] == "-" or words[1].isdecimal()):
        return words
    return (str(period.lastgroup), *words[1:])


# -- a name among the names of a study ---------------------------------------------------------------------


@dataclass(frozen=True)
class Match:
    """The study's name for what was given, or None.

    others: where there is none, the names that it could be (``is_ambiguous``), or that only look like it.
    is_rewritten: found, but only after leading zeros or a ``.0`` were left out.
    """

    name: str | None
    others: tuple[str, ...] = ()
    is_ambiguous: bool = False
    is_rewritten: bool = False
    is_loose: bool = False

    def why_not(self, what: str, given: str, where: str) -> str:
        """Why there is no name: ``what given where``, and what it could be."""
        if self.is_ambiguous:
            return f"{what} {given} may be {_either(self.others)}; write the one that is meant"
        hint = f" ({_either(self.others)} is not the same)" if self.others else ""
        return f"{what} {given} {where}{hint}"


class Names:
    """The names of a study, to look up what somebody wrote."""

    def __init__(self, names: Iterable[str], *, are_visits: bool = False) -> None:
        self._are_visits = are_visits
        self._names = dict.fromkeys(names)
        self._plain = _grouped(self._names, plain)
        self._loose = _grouped(self._names, self._words)
        self._alike = _grouped(self._names, self._bare)

    def __bool__(self) -> bool:
        return bool(self._names)

    def _words(self, name: str) -> tuple[str, ...]:
        return loose(name, is_visit=self._are_visits)

    def _bare(self, name: str) -> tuple[str, ...]:
        return tuple(word for word in _drawn(name, self._are_visits) if word != "-")

    def find(self, given: str) -> Match:
        """The one name that the given one stands for."""
        if given in self._names:
            return Match(given)
        for groups, key in ((self._plain, plain), (self._loose, self._words)):
            found = groups.get(key(given), ())
            if len(found) > 1:
                return Match(None, found, is_ambiguous=True)
            if found:
                is_loose = groups is self._loose
                return Match(found[0], is_rewritten=is_loose and _digits(found[0]) != _digits(given),
                             is_loose=is_loose)  # fmt: skip
        return Match(None, self._alike.get(self._bare(given), ()))


def _grouped(names: Iterable[str], key: Callable[[str], Hashable]) -> dict[Hashable, tuple[str, ...]]:
    groups: dict[Hashable, tuple[str, ...]] = {}
    for name in names:
        groups[key(name)] = (*groups.get(key(name), ()), name)
    return groups


def _digits(name: str) -> list[str]:
    return re.findall(r"\d+", _folded(name))


def _either(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last


def are_same(first: str, second: str, *, are_visits: bool = False) -> bool:
    """Whether two names mean the same where no list of names can be asked."""
    return plain(first) == plain(second) or (
        loose(first, is_visit=are_visits) == loose(second, is_visit=are_visits)
    )


# -- look-alikes -------------------------------------------------------------------------------------------


def look_alikes(names: Iterable[object], *, are_visits: bool = False) -> list[tuple[str, ...]]:
    """Groups of different names that look like one: 007 and 7, A001 and a001, 7.0 and 7."""
    texts = [str(name) for name in names]
    groups = [group for group in _grouped(dict.fromkeys(texts), _rough).values() if len(group) > 1]
    if are_visits:
        groups = [tuple(dict.fromkeys(texts))]
    return [
        alike
        for group in groups
        for alike in _grouped(group, lambda name: _drawn(name, are_visits)).values()
        if len(alike) > 1
    ]


def _drawn(name: str, is_visit: bool) -> tuple[str, ...]:
    """As ``loose``, and letters of other scripts as the Latin ones that they look like."""
    return loose(_folded(name).translate(_LATIN), is_visit=is_visit)


def _rough(name: str) -> str:
    """A quick key that is equal for all look-alikes, and for many others."""
    text = name.casefold() if name.isascii() else _folded(name).translate(_LATIN)
    return re.sub(r"[\W_0]+", "", text)


def look_alike_warnings(what: str, names: Iterable[object], *, are_visits: bool = False) -> list[str]:
    """A sentence that names the look-alikes among ``names``, if there are any. what: ``subject``, ..."""
    groups = look_alikes(names, are_visits=are_visits)
    if not groups:
        return []
    named = ", ".join(" and ".join(map(_visible, group)) for group in groups[:MAX_NAMED])
    more = f" and {len(groups) - MAX_NAMED} more" if len(groups) > MAX_NAMED else ""
    each = "all of them" if len(groups) > 1 else "they"
    return [
        f"{what}s {named}{more} look like one {what} written in two ways; {each} count as different: "
        "write them alike if they are one"
    ]


def _visible(name: str) -> str:
    """The name, with what cannot be seen written out."""
    return "".join(
        f"<U+{ord(char):04X}>" if _is_invisible(char) or (char.isspace() and char != " ") else char
        for char in name
    )


# -- several occasions of one name -------------------------------------------------------------------------


def on_day(visit: str, day: int) -> str:
    """The name of one of several visits that have one name: by its day."""
    return f"{visit} (day {day})"


def with_number(visit: str, number: float) -> str:
    """The name of one of several visits that have one name: by its number."""
    return f"{visit} (no. {number:.12g})"


def is_occasion(visit: str) -> bool:
    """Whether the name is that of one of several visits with one name."""
    return _OCCASION.fullmatch(visit) is not None


def name_without_occasion(visit: str) -> str:
    """The name that several visits have in common; the name itself where it is one of a kind."""
    found = _OCCASION.fullmatch(visit)
    return found[1] if found else visit
