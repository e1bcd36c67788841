"""A question that was kept as plain settings, in words: how a page was made, what was looked at or frozen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from core import scores as systems
from core.facets import range_words
from core.markdown import md
from core.progression.missing.methods import BY_NAME
from core.reader_labels import display_name
from core.scores.display.words import of_images
from core.scores.system import ScoreSystem

TITLES = {
    "system": "Score",
    "component": "Part of the score",
    "campaign": "Reading campaign",
    "scorer": "Scored by",
    "first": "From",
    "last": "To",
    "days": "Days from baseline",
    "window": "Film off its visit by at most",
    "reference_arm": "Reference arm",
    "rule": "Missing sites",
    "films": "Missing films",
    "sdc_of": "SDC of",
    "icc": "ICC",
    "limits": "Limits of agreement",
    "arms": "Arm",
    "sexes": "Sex",
    "centres": "Centre",
    "visits": "Visit",
    "subjects": "Patients",
    "covariates": "Covariates",
    "ranges": "Ranges",
}
OF_IMAGES = {"window", "films"}  # said of films, of stacks or images where the score is made from them
SDC_OF = {"campaign": "all patients of the reading campaign", "selection": "the patients chosen"}


def in_words(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(title, words) of every setting, those of a filter beside the others; what is empty is left out."""
    given = {name: value for name, value in settings.items() if name != "filter"}
    given = {**settings.get("filter", {}), **given}
    system = systems.get(given["system"]) if "system" in given else None
    said = {name: _words(name, value, system) for name, value in given.items()}
    if system is not None:
        said |= {name: of_images(system, said[name]) for name in OF_IMAGES & said.keys()}
    first = [name for name in TITLES if name in said]
    order = [*first, *(name for name in said if name not in TITLES)]
    return [(_title(name, system), said[name]) for name in order if said[name]]


def as_list(settings: Mapping[str, Any]) -> str:
    """The same as Markdown, a line each."""
    return listed(in_words(settings))


def listed(said: Iterable[tuple[str, str]]) -> str:
    """Titles and words as Markdown, a line each."""
    return "\n".join(f"- **{md(title)}**: {md(words)}" for title, words in said)


def as_line(settings: Mapping[str, Any]) -> str:
    """The same in one line of plain text."""
    return "; ".join(f"{title}: {words}" for title, words in in_words(settings))


def _title(name: str, system: ScoreSystem | None) -> str:
    if name == "rule" and system is not None and system.chooses_blocks:
        return "Rule"
    title = TITLES.get(name, name.replace("_", " ").capitalize())
    return of_images(system, title) if name in OF_IMAGES and system is not None else title


def _words(name: str, value: Any, system: ScoreSystem | None) -> str:
    if name == "covariates":
        return ", ".join(f"{one} {level}" for one, level in value)
    if name == "ranges":
        return ", ".join(range_words(*one) for one in value)
    if name == "days":
        return " to ".join(f"{day:g}" for day in value)
    if name == "window":
        return f"{value:g} days"
    if isinstance(value, list | tuple):
        return ", ".join(display_name(str(one)) for one in value)
    named = _named(system).get(name, lambda text: text)
    return "" if value is None else display_name(named(str(value)))


def _named(system: ScoreSystem | None) -> dict[str, Callable[[str], str]]:
    """Setting -> what the name in it is called; a name that nobody knows any more stays as it is."""
    found: dict[str, Callable[[str], str]] = {
        "films": lambda name: BY_NAME[name].title if name in BY_NAME else name,
        "sdc_of": lambda name: SDC_OF.get(name, name),
    }
    if system is None:
        return found
    titles = {rule.name: rule.title for rule in system.rules}
    return found | {
        "system": lambda _: system.title,
        "component": system.name_of,
        "rule": lambda name: titles.get(name, name),
    }
