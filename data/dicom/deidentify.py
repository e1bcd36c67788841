"""Takes a patient's identity out of a DICOM data set: PS3.15 basic profile, and stricter where it is silent.

The table and its actions are those of dicom-anonymizer (edition 2024b). Differences from plain use of it:

- it is applied at every depth of nested sequences, not only at the top;
- UIDs become keyed hashes of the old ones, wherever they stand, so that a second delivery is recognised;
- dates of the examination move back by a number of days fixed for the patient, so that intervals stay exact
  to the day; every other date, and every time of day, goes;
- the study's own identifiers (trial subject, reading and time point) stay;
- what the table does not name goes as well where it could hold free text or unknown bytes;
- what is left is searched for the names and numbers that were taken out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from importlib.metadata import version
from typing import Any

from dicomanonymizer.simpledicomanonymizer import delete, initialize_actions_2024b
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.uid import UID, UID_dictionary

from data.dicom.pseudonyms import CohortKey

Action = Callable[[Dataset, tuple[int, int]], None]

STUDY_IDENTIFIERS = (
    "ClinicalTrialProtocolID",
    "ClinicalTrialSubjectID",
    "ClinicalTrialSubjectReadingID",
    "ClinicalTrialTimePointID",
    "ClinicalTrialTimePointDescription",
)
SHIFTED_DATES = (
    "AcquisitionDate",
    "AcquisitionDateTime",
    "StudyDate",
    "SeriesDate",
    "ContentDate",
    "FrameAcquisitionDateTime",
    "FrameReferenceDateTime",
)
_EMPTY_NOT_GONE = (  # type 2: must be there, may be empty
    "PatientName",
    "PatientSex",
    "PatientBirthDate",
    "StudyTime",
    "ContentTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)
_IDENTIFYING_NUMBERS = (
    "PatientID",
    "OtherPatientIDs",
    "AccessionNumber",
    "AdmissionID",
    "MedicalRecordLocator",
    "PatientBirthDate",
    "PatientTelephoneNumbers",
    "PatientAddress",
    "InstitutionName",
    "InstitutionAddress",
    "IssuerOfPatientID",
    "DeviceSerialNumber",
    "StationName",
    "RequestedProcedureID",
    "ScheduledProcedureStepID",
    "FillerOrderNumberImagingServiceRequest",
    "PlacerOrderNumberImagingServiceRequest",
)
# code strings that decide how the picture is read: defined terms, never a name
_DEFINED_TERMS = frozenset({
    "SpecificCharacterSet", "ImageType", "FrameType", "Modality", "PhotometricInterpretation",
    "PixelPresentation", "PresentationIntentType", "PresentationLUTShape", "RescaleType", "VOILUTFunction",
    "LossyImageCompression", "LossyImageCompressionMethod", "BurnedInAnnotation", "CodingSchemeDesignator",
    "PatientOrientation",
})  # fmt: skip
_BINARY_KEPT = frozenset({
    "PixelData", "FloatPixelData", "DoubleFloatPixelData", "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths", "ICCProfile", "LUTData", "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData", "BluePaletteColorLookupTableData",
    "SegmentedRedPaletteColorLookupTableData", "SegmentedGreenPaletteColorLookupTableData",
    "SegmentedBluePaletteColorLookupTableData",
})  # fmt: skip
_ALSO_REMOVED = frozenset(
    {"ContentDescription", "AcquisitionProtocolName", "TransducerData", "LongCodeValue"}
)
_FREE_TEXT = frozenset({"LT", "ST", "UT", "UC", "UR", "AE", "AS", "UN"})
_BINARY = frozenset({"OB", "OW", "OF", "OD", "OL", "OV"})
_NUMBERS = frozenset({"US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "AT", "DS", "IS"})
_REPEATING_GROUPS = (0x5000, 0x6000)  # curves, overlays
_WHOLE_GROUPS_REMOVED = frozenset({0x0002, 0x0004, 0x0006, 0x4000, 0x4008, 0xFFFC})


@dataclass
class Identity:
    """Who a data set is about, before that is taken out.

    patient: patient number, or what can stand for it. words: names and numbers to search for in what is left.
    name: those of the words that are the patient's own name.
    """

    patient: str
    trial_subject: str
    trial_visit: str
    trial_visit_name: str
    words: frozenset[str]
    name: frozenset[str] = frozenset()


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


def identity_of(dataset: Dataset) -> Identity:
    """Read who the data set is about. A damaged sequence is passed over (it will be removed)."""
    words: set[str] = set()
    for element in _elements(dataset):
        keyword = keyword_for_tag(element.tag)
        if element.VR == "PN":
            words |= set(_words_of_name(element.value))
        elif keyword in _IDENTIFYING_NUMBERS:
            words |= {text for text in _texts(element.value) if len(text) >= 4}
    return Identity(
        patient=_patient(dataset),
        trial_subject=_text(dataset, "ClinicalTrialSubjectID"),
        trial_visit=_text(dataset, "ClinicalTrialTimePointID"),
        trial_visit_name=_text(dataset, "ClinicalTrialTimePointDescription")[:64],
        words=frozenset(word.casefold() for word in words),
        name=frozenset(word.casefold() for word in _words_of_name(_text(dataset, "PatientName"))),
    )


def deidentify(dataset: Dataset, key: CohortKey, identity: Identity, *, dates_of: str = "") -> Deidentified:
    """Take the identity out of the data set, in place; file meta information is for ``new_meta``.

    dates_of: whose dates they are where the study knows better than the file (a subject by a map file);
    default: the trial subject, else the patient number.
    """
    done = Deidentified(film_date=_film_date(dataset))
    shift = timedelta(days=key.days_back(dates_of or identity.trial_subject or identity.patient))
    _keep_study_identifiers(dataset, identity, done)
    scrub = _search(identity, done)
    _walk(dataset, _Rules(key, shift, scrub, done), top=True)
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
    scrub: re.Pattern[str] | None
    done: Deidentified


def _walk(dataset: Dataset, rules: _Rules, *, top: bool) -> None:
    for tag in list(dataset.keys()):
        kind = _quick(tag)
        if kind == "keep":
            continue
        if kind == "remove":
            del dataset[tag]
            continue
        try:
            _treat(dataset, tag, rules, top=top)
        except Exception:  # a value that cannot be read cannot be shown to be harmless
            del dataset[tag]
            rules.done.warnings.append(f"an unreadable header entry {tag} was removed")


@lru_cache(maxsize=4096)
def _quick(tag: BaseTag) -> str:
    """What is clear from the tag alone: ``keep``, ``remove`` or ``look``."""
    group = tag.group
    if group % 2 or tag.element == 0 or group in _WHOLE_GROUPS_REMOVED or not dictionary_has_tag(tag):
        return "remove"
    if any(first <= group <= first + 0xFF for first in _REPEATING_GROUPS):
        return "remove"
    keyword = keyword_for_tag(tag)
    if keyword in _ALSO_REMOVED:
        return "remove"
    if keyword in _BINARY_KEPT or keyword in _DEFINED_TERMS:
        return "keep"
    if dictionary_VR(tag) in _NUMBERS and (tag.group, tag.element) not in table():
        return "keep"
    return "look"


def _treat(dataset: Dataset, tag: BaseTag, rules: _Rules, *, top: bool) -> None:
    element = dataset[tag]
    keyword, action = keyword_for_tag(tag), table().get((tag.group, tag.element))
    if element.VR == "SQ":
        _treat_sequence(dataset, tag, action, rules)
    elif element.VR == "UI":
        element.value = _new_uids(element.value, rules.key)
    elif element.VR in {"DA", "DT", "TM"}:
        _treat_date(dataset, element, keyword, rules.shift)
    elif top and keyword in STUDY_IDENTIFIERS:
        return
    elif top and keyword in _EMPTY_NOT_GONE:
        element.value = ""
    elif element.VR in _FREE_TEXT or element.VR in _BINARY or element.VR == "PN":
        del dataset[tag]
    elif action is not None:
        action(dataset, (tag.group, tag.element))
    elif rules.scrub is not None and any(rules.scrub.search(text) for text in _texts(element.value)):
        del dataset[tag]


def _treat_sequence(dataset: Dataset, tag: BaseTag, action: Action | None, rules: _Rules) -> None:
    """Remove a sequence that the table removes, empties or replaces; clean the items of any other."""
    if action is not None and not action.__name__.endswith("UID"):
        delete(dataset, (tag.group, tag.element))
        return
    for item in dataset[tag].value:
        _walk(item, rules, top=False)


def _new_uids(value: Any, key: CohortKey) -> Any:
    if isinstance(value, str):
        return _new_uid(value, key)
    return [_new_uid(str(single), key) for single in value] if value else value


def _new_uid(old: str, key: CohortKey) -> str:
    """UIDs of the standard itself (SOP classes, transfer syntaxes ...) stay, all others are hashed."""
    known = not old or old in UID_dictionary or old.startswith("1.2.840.10008.")
    return old if known else key.uid(old)


def _treat_date(dataset: Dataset, element: Any, keyword: str, shift: timedelta) -> None:
    if keyword in _EMPTY_NOT_GONE:
        element.value = ""
        return
    moved = None
    if keyword in SHIFTED_DATES and element.VR != "TM":
        moved = _back(parse_date(element.value), shift)
    if moved is None:
        del dataset[element.tag]
    else:
        element.value = f"{moved:%Y%m%d}"


def parse_date(value: object) -> date | None:
    """A DICOM date, date with time, or old ``1996.10.29``; None where it is missing or impossible."""
    found = re.match(r"\s*(\d{4})[.-]?(\d{2})[.-]?(\d{2})", str(value or ""))
    if not found:
        return None
    try:
        return date(*(int(part) for part in found.groups()))
    except ValueError:
        return None


def _back(day: date | None, shift: timedelta) -> date | None:
    try:
        return day - shift if day is not None else None
    except OverflowError:
        return None


def _film_date(dataset: Dataset) -> date | None:
    """The day of the examination: of the acquisition where given, else of the study, series or content."""
    for keyword in ("AcquisitionDate", "AcquisitionDateTime", "StudyDate", "SeriesDate", "ContentDate"):
        day = parse_date(dataset.get(keyword))
        if day is not None and day.year > 1900:
            return day
    return None


# -- study identifiers, search words, the record -----------------------------------------------------------


def _keep_study_identifiers(dataset: Dataset, identity: Identity, done: Deidentified) -> None:
    """Note the trial's identifiers; one of the subject or visit that holds the patient's name is removed."""
    names = [word for word in identity.name if word.isalpha()]
    for keyword in STUDY_IDENTIFIERS[1:]:  # the protocol is the same for all patients
        text = _text(dataset, keyword).casefold()
        if any(re.search(rf"(?<![^\W\d_]){re.escape(name)}(?![^\W\d_])", text) for name in names):
            del dataset[keyword]
            done.warnings.append(f"{keyword} held the patient's name and was removed")
    done.trial_subject = _text(dataset, "ClinicalTrialSubjectID")
    done.trial_visit = _text(dataset, "ClinicalTrialTimePointID")
    done.trial_visit_name = _text(dataset, "ClinicalTrialTimePointDescription")[:64]


def _search(identity: Identity, done: Deidentified) -> re.Pattern[str] | None:
    """A pattern of the words to look for in what is left, without those that the study itself uses."""
    study = {done.trial_subject.casefold(), done.trial_visit.casefold()}
    words = sorted(identity.words - study, key=len, reverse=True)
    if not words:
        return None
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, words)) + r")(?!\w)", re.IGNORECASE)


def _words_of_name(value: Any) -> Iterator[str]:
    """The parts of a person's name, three letters or longer, and the whole of it."""
    for text in _texts(value):
        for part in re.split(r"[\^=,;\s]+", text):
            if len(part) >= 3:
                yield part


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


def _patient(dataset: Dataset) -> str:
    """The patient number, else name with birth date, else the study: always the same for the same patient."""
    number = _text(dataset, "PatientID")
    if number:
        return number
    name, born = _text(dataset, "PatientName"), _text(dataset, "PatientBirthDate")
    if name.strip("^ "):
        return f"{name}|{born}"
    return _text(dataset, "ClinicalTrialSubjectID") or _text(dataset, "StudyInstanceUID")


# -- reading values ----------------------------------------------------------------------------------------


_MAY_IDENTIFY = frozenset(tag_for_keyword(keyword) for keyword in _IDENTIFYING_NUMBERS)


def _elements(dataset: Dataset) -> Iterator[Any]:
    """Names, identifying numbers and what is nested in sequences, at any depth."""
    for tag in list(dataset.keys()):
        raw = dataset.get_item(tag)
        kind = getattr(raw, "VR", None) or (dictionary_VR(tag) if dictionary_has_tag(tag) else "UN")
        if kind not in {"PN", "SQ", "UN"} and tag not in _MAY_IDENTIFY:
            continue
        try:
            element = dataset[tag]
            if element.VR == "SQ":
                for item in element.value:
                    yield from _elements(item)
            elif element.VR == "PN" or tag in _MAY_IDENTIFY:
                yield element
        except Exception:  # unreadable: the walk removes it
            continue


def _texts(value: Any) -> list[str]:
    if value is None or isinstance(value, bytes):
        return []
    several = isinstance(value, list | tuple) or type(value).__name__ == "MultiValue"
    return [str(single).strip() for single in (value if several else [value]) if str(single).strip()]


def _text(dataset: Dataset, keyword: str) -> str:
    try:
        texts = _texts(dataset.get(keyword))
    except Exception:  # an undecodable value counts as missing
        return ""
    return texts[0] if texts else ""
