"""Takes a patient's identity out of a DICOM data set: PS3.15 basic profile, and stricter where it is silent.

The table and its actions are those of dicom-anonymizer (edition 2024b). Differences from plain use of it:

- only what ``identity.kept_tags`` names stays, at every depth of nested sequences, with the value
  representation of the dictionary and a content of its kind;
- UIDs become keyed hashes of the old ones, wherever they stand, so that a second delivery is recognised; only
  those of the standard itself stay;
- dates of the examination move back by a number of days fixed for the patient, so that intervals stay exact
  to the day; every other date, and every time of day, goes;
- the study's own identifiers (trial subject, reading and time point) stay, unless they name the patient;
- what is left is searched for the names and numbers that were taken out (``identity.words``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np
from dicomanonymizer.simpledicomanonymizer import initialize_actions_2024b
from pydicom.datadict import dictionary_VM, dictionary_VR, keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.uid import UID, UID_dictionary

from data.dicom.identity.kept_tags import (
    OF_THE_PICTURE,
    STUDY_IDENTIFIERS,
    as_terms,
    kind_of,
    representations,
)
from data.dicom.identity.letters import spells
from data.dicom.identity.visit_names import is_visit_name
from data.dicom.identity.words import (
    Identity,
    Search,
    identity_of,
    names_a_person,
    parse_date,
    search_for,
    text_of,
    texts_of,
)
from data.dicom.pseudonyms import CohortKey

__all__ = ["Deidentified", "Identity", "deidentify", "identity_of", "new_meta", "parse_date"]

Action = Callable[[Dataset, tuple[int, int]], None]

LONGEST_NUMBER = 24  # signs of one number in text; the standard allows 16
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?|")
_PLAIN_TEXT = re.compile(r"[^\x00-\x1f\x7f@]{0,64}")
_LONG_DIGITS = re.compile(r"\d{7}")


@dataclass
class Deidentified:
    """What was done: study identifiers that stay, the shifted film date, and warnings in plain words."""

    trial_subject: str = ""
    trial_visit: str = ""
    trial_visit_name: str = ""
    film_date: date | None = None
    warnings: list[str] = field(default_factory=list)


@lru_cache(maxsize=1)
def table() -> dict[tuple[int, ...], Action]:
    """Tag -> action of the basic profile, from dicom-anonymizer."""
    return dict(initialize_actions_2024b())


def deidentify(dataset: Dataset, key: CohortKey, identity: Identity, *, dates_of: str = "") -> Deidentified:
    """Take the identity out of the data set, in place; file meta information is for ``new_meta``.

    dates_of: whose dates they are where the study knows better than the file (a subject by a map file);
    default: the trial subject, else the patient number.
    """
    done = Deidentified(film_date=film_date(dataset))
    search = search_for(identity)
    _keep_study_identifiers(dataset, identity, search, done)
    shift = timedelta(days=key.days_back(dates_of or done.trial_subject or identity.patient))
    _walk(dataset, _Rules(key, shift, search, done), top=True)
    done.film_date = _back(done.film_date, shift)
    _describe(dataset, key, identity)
    return done


def new_meta(dataset: Dataset, sop_class: str, transfer_syntax: UID) -> Any:
    """Fresh file meta information: nothing of the old one is kept but the transfer syntax."""
    from pydicom.dataset import FileMetaDataset

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(sop_class)
    meta.MediaStorageSOPInstanceUID = UID(str(dataset.SOPInstanceUID))
    meta.TransferSyntaxUID = transfer_syntax
    meta.ImplementationClassUID = UID("2.25.236813437195498463154908321873451672390")
    meta.ImplementationVersionName = "SHARPLINE"
    return meta


# -- the walk ----------------------------------------------------------------------------------------------


@dataclass
class _Rules:
    key: CohortKey
    shift: timedelta
    search: Search
    done: Deidentified


def _walk(dataset: Dataset, rules: _Rules, *, top: bool) -> None:
    for tag in list(dataset.keys()):
        kind = _kind(tag, top)
        if not kind:
            del dataset[tag]
            continue
        try:
            stays = _TREATMENTS[kind](dataset, tag, rules)
        except Exception:  # a value that cannot be read cannot be shown to be harmless
            stays = False
            rules.done.warnings.append(f"an unreadable header entry {tag} was removed")
        if not stays:
            dataset.pop(tag, None)


_ONLY_AT_THE_TOP = frozenset(["picture", "offsets", "study", "empty", "replace"])


@lru_cache(maxsize=8192)
def _kind(tag: BaseTag, top: bool) -> str:
    """How an entry is treated (``kept_tags.kind_of``); ``replace``: it becomes a word for nothing."""
    kind = kind_of(tag)
    if not kind and _is_replaced(tag):
        kind = "replace"
    return "" if kind in _ONLY_AT_THE_TOP and not top else kind


def _is_replaced(tag: BaseTag) -> bool:
    """Whether the profile asks for a dummy in a short text."""
    action = table().get((tag.group, tag.element))
    name = action.__name__ if action is not None else ""
    return "replace" in name and "UID" not in name and dictionary_VR(tag) in {"LO", "SH"}


def _has_its_representation(dataset: Dataset, tag: BaseTag) -> bool:
    """Whether the file gives the tag the representation that the dictionary does.

    UN says nothing, the content must then be of the dictionary's kind. Numbers that the picture needs may
    come as other numbers: they are written anew.
    """
    given = getattr(dataset.get_item(tag), "VR", None)
    if given is None or given == "UN" or given in representations(tag):
        return True
    if keyword_for_tag(tag) not in OF_THE_PICTURE:
        return False
    value = dataset[tag].value
    numbers = [float(text) for text in texts_of(value)]
    whole = dictionary_VR(tag) not in {"DS", "FD", "FL"}
    del dataset[tag]
    dataset.add_new(tag, sorted(representations(tag))[-1], [int(n) for n in numbers] if whole else numbers)
    return True


def _keep_number(dataset: Dataset, tag: BaseTag, rules: _Rules) -> bool:
    if not _has_its_representation(dataset, tag):
        return False
    content = getattr(dataset.get_item(tag), "value", None)
    element = dataset[tag]
    values = texts_of(element.value)
    if not _fits_multiplicity(tag, len(values)):
        return False
    needed = keyword_for_tag(tag) in OF_THE_PICTURE
    if element.VR in {"DS", "IS"}:
        texts = _decimal_texts(content, values)
        clean = all(len(text) <= LONGEST_NUMBER and _NUMBER.fullmatch(text) for text in texts)
        return clean and (needed or not any(rules.search.is_number(text) for text in texts))
    if isinstance(content, bytes) and (spells(content) or rules.search.is_in_bytes(content)):
        return False
    return needed or not any(rules.search.is_number(text) for text in values)


def _decimal_texts(content: Any, values: list[str]) -> list[str]:
    """The numbers as the file writes them."""
    if isinstance(content, bytes):
        return [text.strip(" \0") for text in content.decode("latin-1").split("\\")]
    return [str(getattr(value, "original_string", value)) for value in values]


def _fits_multiplicity(tag: BaseTag, count: int) -> bool:
    most = dictionary_VM(tag).split("-")[-1]
    return "n" in most or count <= int(most)


def _keep_term(dataset: Dataset, tag: BaseTag, rules: _Rules) -> bool:
    if not _has_its_representation(dataset, tag):
        return False
    element = dataset[tag]
    texts = texts_of(element.value)
    terms = as_terms(keyword_for_tag(tag), texts)
    if terms is None:
        return False
    if terms != texts:
        element.value = terms
    return True


def _keep_text(dataset: Dataset, tag: BaseTag, rules: _Rules) -> bool:
    """A text stays where it is short and plain, and where nobody is, or could be, named in it."""
    if not _has_its_representation(dataset, tag):
        return False
    return all(
        _PLAIN_TEXT.fullmatch(text) and not _LONG_DIGITS.search(text) and not rules.search.may_be_in(text)
        for text in texts_of(dataset[tag].value)
    )


def _keep_table(dataset: Dataset, tag: BaseTag, rules: _Rules) -> bool:
    """Bytes of a look-up table stay where they spell nothing."""
    if not _has_its_representation(dataset, tag):
        return False
    value = dataset.get_item(tag).value
    content = value if isinstance(value, bytes) else np.array(value).astype("<u2").tobytes()
    if spells(content) or rules.search.is_in_bytes(content):
        rules.done.warnings.append("a look-up table that holds letters was removed from the stored film")
        return False
    return True


def _keep_study_identifier(dataset: Dataset, tag: BaseTag, rules: _Rules) -> bool:
    return True  # looked at before (``_keep_study_identifiers``)


def _keep_picture(dataset: Dataset, tag: BaseTag, rules: _Rules) -> bool:
    return True  # its bytes are looked at where the film is stored


def _keep_offsets(dataset: Dataset, tag: BaseTag, rules: _Rules) -> bool:
    value = dataset.get_item(tag).value
    return isinstance(value, bytes) and not spells(value) and not rules.search.is_in_bytes(value)


def _make_empty(dataset: Dataset, tag: BaseTag, rules: _Rules) -> bool:
    del dataset[tag]
    dataset.add_new(tag, dictionary_VR(tag), "")
    return True


def _replace(dataset: Dataset, tag: BaseTag, rules: _Rules) -> bool:
    if not _has_its_representation(dataset, tag):
        return False
    table()[tag.group, tag.element](dataset, (tag.group, tag.element))
    return tag in dataset and texts_of(dataset[tag].value) in ([], [_REPLACED])


_REPLACED = "ANONYMIZED"


def _clean_sequence(dataset: Dataset, tag: BaseTag, rules: _Rules) -> bool:
    """Clean the items; a sequence in which nothing is left goes."""
    if not _has_its_representation(dataset, tag):
        return False
    element = dataset[tag]
    if element.VR != "SQ":
        return False
    for item in element.value:
        _walk(item, rules, top=False)
    return any(len(item) for item in element.value)


def _replace_uids(dataset: Dataset, tag: BaseTag, rules: _Rules) -> bool:
    if not _has_its_representation(dataset, tag):
        return False
    element = dataset[tag]
    element.value = _new_uids(element.value, rules.key)
    return True


def _new_uids(value: Any, key: CohortKey) -> Any:
    if isinstance(value, str):
        return _new_uid(value, key)
    return [_new_uid(str(single), key) for single in value] if value else value


def _new_uid(old: str, key: CohortKey) -> str:
    """UIDs of the standard itself (SOP classes, transfer syntaxes ...) stay, all others are hashed."""
    return old if not old or old in UID_dictionary else key.uid(old)


def _move_date(dataset: Dataset, tag: BaseTag, rules: _Rules) -> bool:
    if not _has_its_representation(dataset, tag):
        return False
    element = dataset[tag]
    moved = _back(parse_date(element.value), rules.shift)
    if moved is None:
        return False
    element.value = f"{moved:%Y%m%d}"
    return True


_TREATMENTS: dict[str, Callable[[Dataset, BaseTag, _Rules], bool]] = {
    "number": _keep_number,
    "term": _keep_term,
    "text": _keep_text,
    "table": _keep_table,
    "study": _keep_study_identifier,
    "picture": _keep_picture,
    "offsets": _keep_offsets,
    "empty": _make_empty,
    "replace": _replace,
    "sequence": _clean_sequence,
    "uid": _replace_uids,
    "date": _move_date,
}


def _back(day: date | None, shift: timedelta) -> date | None:
    try:
        return day - shift if day is not None else None
    except OverflowError:
        return None


def film_date(dataset: Dataset) -> date | None:
    """The day of the examination: of the acquisition where given, else of the study, series or content."""
    for keyword in ("AcquisitionDate", "AcquisitionDateTime", "StudyDate", "SeriesDate", "ContentDate"):
        day = parse_date(dataset.get(keyword))
        if day is not None and day.year > 1900:
            return day
    return None


# -- study identifiers, the record -------------------------------------------------------------------------


def _keep_study_identifiers(dataset: Dataset, identity: Identity, search: Search, done: Deidentified) -> None:
    """Note the trial's identifiers; one that names a person, or holds a number of theirs, is removed."""
    for keyword in STUDY_IDENTIFIERS:
        if keyword not in dataset:
            continue
        said = _what_it_holds(dataset, keyword, identity, search)
        if said:
            del dataset[keyword]
            done.warnings.append(f"{keyword} {said} and was removed")
    done.trial_subject = text_of(dataset, "ClinicalTrialSubjectID")
    done.trial_visit = text_of(dataset, "ClinicalTrialTimePointID")
    done.trial_visit_name = text_of(dataset, "ClinicalTrialTimePointDescription")[:64]


def _what_it_holds(dataset: Dataset, keyword: str, identity: Identity, search: Search) -> str:
    """Why an identifier of the trial cannot stay, ``""`` where it can."""
    given = getattr(dataset.get_item(keyword), "VR", None)
    texts = texts_of(dataset.get(keyword))
    if given not in (None, "UN", dictionary_VR(dataset.get_item(keyword).tag)) or len(texts) > 1:
        return "was not written as DICOM says"
    text = texts[0] if texts else ""
    if any(ord(sign) < 32 for sign in text):
        return "was not written as DICOM says"
    if is_visit_name(text) and keyword.startswith("ClinicalTrialTimePoint"):
        return ""
    if not search.is_in(text, of_others=keyword != "ClinicalTrialSubjectID"):
        return ""
    if keyword == "ClinicalTrialSubjectID" and not names_a_person(identity):
        return ""
    named = search.is_name_in(text)
    return "held the patient's name" if named else "held a name, number or date of the patient"


def _describe(dataset: Dataset, key: CohortKey, identity: Identity) -> None:
    """Write the pseudonym and what was done, as PS3.15 E asks."""
    dataset.PatientID = key.pseudonym(identity.patient)
    if "PatientName" not in dataset:
        dataset.PatientName = ""
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = f"Sharpline, dicom-anonymizer {_table_version()}, table 2024b"
    dataset.DeidentificationMethodCodeSequence = Sequence(
        _method(code, meaning)
        for code, meaning in (
            ("113100", "Basic Application Confidentiality Profile"),
            ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
        )
    )
    dataset.LongitudinalTemporalInformationModified = "MODIFIED"


@lru_cache(maxsize=1)
def _table_version() -> str:
    return version("dicom-anonymizer")


def _method(code: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code, "DCM", meaning
    return item
