"""Who a film is about, and the search for that in texts that would stay.

Names are compared in any script: compatibility forms, case, accents and the German spellings (Müller,
Mueller, Muller) are one; a name is found inside other letters, between digits and signs, and with blanks
in it. Where a name is too short to be told from other letters (Li, O, 1) there are two answers: a text that
can be done without is unsafe as soon as these letters occur in it (``may_be_in``), an identifier of the trial
only where they stand alone (``is_in``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from pydicom.datadict import dictionary_has_tag, dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset

LONG = 4  # letters from which a part of a name is looked for inside other letters
LONG_NUMBER = 6  # signs from which a number is looked for inside others
DIGITS = 5  # digits of an identifier that count as a number of their own

NUMBERS = (
    "PatientID",
    "OtherPatientIDs",
    "AccessionNumber",
    "AdmissionID",
    "MedicalRecordLocator",
    "IssuerOfPatientID",
    "DeviceSerialNumber",
    "StationName",
    "StudyID",
    "RequestedProcedureID",
    "ScheduledProcedureStepID",
    "PerformedProcedureStepID",
    "FillerOrderNumberImagingServiceRequest",
    "PlacerOrderNumberImagingServiceRequest",
    "PatientTelephoneNumbers",
    "PersonTelephoneNumbers",
    "PatientBirthDateInAlternativeCalendar",
    "PatientDeathDateInAlternativeCalendar",
)
PLACES = (
    "PatientAddress",
    "PersonAddress",
    "InstitutionName",
    "InstitutionAddress",
    "InstitutionalDepartmentName",
    "RegionOfResidence",
    "PatientInsurancePlanCodeSequence",
)
DATES = (
    "PatientBirthDate",
    "StudyDate",
    "SeriesDate",
    "AcquisitionDate",
    "ContentDate",
    "AcquisitionDateTime",
    "InstanceCreationDate",
    "PatientDeathDateInAlternativeCalendar",
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# what stands in name fields of files without a person, and what addresses are made of
PLACEHOLDERS = _words("""
    anonym anonymous anonymized anonymised anonymisiert anon unknown unbekannt none null empty removed deleted
    dicom test tester phantom patient subject person doctor name noname muster mustermann beispiel dummy
    demo example sample volunteer proband proband study studie trial
    """)
_TITLES = _words("dr prof mr mrs ms miss herr frau md phd jr sr ii iii med rt bsc msc dipl ing")
_OF_ADDRESSES = (
    _words("""
    street road avenue lane strasse straße weg platz allee hospital clinic clinique klinik klinikum university
    universitat universitaet universitats department radiology radiologie institute institut centre center
    medical hopital ospedale north south east west city saint sankt house haus floor building practice
    """)
    | PLACEHOLDERS
)


@dataclass
class Identity:
    """Who a data set is about, before that is taken out.

    patient: patient number, or what can stand for it. words: names and numbers to search for in what is left,
    as the file writes them, without regard to case. name: those that are the patient's own name.
    family: the first of these. numbers, places, dates: identifiers, parts of addresses, days of this person.
    """

    patient: str
    trial_subject: str
    trial_visit: str
    trial_visit_name: str
    words: frozenset[str]
    name: frozenset[str] = frozenset()
    family: str = ""
    number: str = ""
    names: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()
    dates: frozenset[date] = frozenset()


def identity_of(dataset: Dataset) -> Identity:
    """Read who the data set is about. A damaged sequence is passed over (it will be removed)."""
    names: set[str] = set()
    numbers: set[str] = set()
    places: set[str] = set()
    days: set[date] = set()
    for tag, kind, value in _elements(dataset):
        if kind == "PN":
            names |= set(words_of_name(value))
        elif tag in _DATES:
            days |= {day for text in texts_of(value) if (day := parse_date(text)) is not None}
        elif tag in _PLACES:
            places |= set(texts_of(value))
        elif tag in _NUMBERS:
            numbers |= {text for text in texts_of(value) if len(text) >= LONG}
    born = {text for text in texts_of(_value(dataset, "PatientBirthDate")) if len(text) >= LONG}
    own = [word.casefold() for word in words_of_name(_value(dataset, "PatientName"))]
    return Identity(
        patient=_patient(dataset),
        trial_subject=text_of(dataset, "ClinicalTrialSubjectID"),
        trial_visit=text_of(dataset, "ClinicalTrialTimePointID"),
        trial_visit_name=text_of(dataset, "ClinicalTrialTimePointDescription")[:64],
        words=frozenset(word.casefold() for word in names | numbers | places | born),
        name=frozenset(own),
        family=own[0] if own else "",
        number=text_of(dataset, "PatientID"),
        names=frozenset(names),
        numbers=frozenset(numbers),
        places=frozenset(places),
        dates=frozenset(days),
    )


@dataclass(frozen=True)
class Search:
    """The forms of a person's names and numbers, ready to be looked for in texts.

    long, short: parts of names, folded. own_short: short ones of the patient. first: the family name where it
    is a single letter. numbers: identifiers without signs. digits: long runs of digits, and days written out.
    """

    long: frozenset[str] = frozenset()
    short: frozenset[str] = frozenset()
    own_short: frozenset[str] = frozenset()
    first: str = ""
    numbers: frozenset[str] = frozenset()
    digits: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()
    days: frozenset[date] = frozenset()

    def is_in(self, text: str, *, of_others: bool = True) -> bool:
        """True where the text holds a name or number of these people, by rules that spare other words.

        of_others: look for short names of other people than the patient too.
        """
        short = self.own_short | (self.short if of_others else frozenset())
        short = frozenset(word for word in short if len(word) > 1 or not _is_latin(word)) | {self.first}
        for plain in _forms(text):
            runs, joined = _runs(plain), _joined(plain)
            letters = "".join(filter(str.isalpha, joined))
            if any(word in letters for word in self.long if len(word) > LONG or not _is_latin(word)):
                return True
            if any(word in run for word in self.long for run in runs) or short & set(runs):
                return True
            if any(word in joined for word in short if word and not _is_latin(word)):
                return True
            if any(run == word or (len(word) > LONG and word in run) for word in self.places for run in runs):
                return True
            if self._has_number(joined, plain):
                return True
        return False

    def is_name_in(self, text: str) -> bool:
        """``is_in``, for names alone."""
        bare = Search(long=self.long, short=self.short, own_short=self.own_short, first=self.first)
        return bare.is_in(text)

    def may_be_in(self, text: str) -> bool:
        """True where the text holds, or could hold, a name or number of these people."""
        if self.is_in(text):
            return True
        for plain in _forms(text):
            joined = _joined(plain)
            if any(word in joined for word in (*self.long, *self.numbers)):
                return True
            if any(word in joined for word in self._inside) or (self.own_short | self.short) & set(
                _runs(plain)
            ):
                return True
        return False

    def is_in_bytes(self, content: bytes) -> bool:
        """True where plain letters of a long name, or a long number, stand in the bytes."""
        lower = content.lower()
        flat = lower.replace(b"\0", b"")
        return any(word in lower or word in flat for word in self._bytes)

    @property
    def _inside(self) -> list[str]:
        """Short names of the patient that are looked for inside other letters: all but initials."""
        return [word for word in self.own_short if len(word) > 1 or not _is_latin(word) or word == self.first]

    @property
    def _bytes(self) -> list[bytes]:
        words = [*self.long, *self.numbers, *(word for word in self.digits if len(word) > DIGITS)]
        return [word.encode() for word in words]

    def is_number(self, text: str) -> bool:
        """True where a number in digits is one of the patient's numbers or days."""
        digits = re.sub(r"\D", "", text.split(".")[0])
        return len(digits) >= DIGITS and digits in self.digits

    def _has_number(self, joined: str, plain: str) -> bool:
        runs = re.findall(r"\d+", plain)
        digits = "".join(runs)
        if any(number in joined for number in self.numbers if len(number) >= LONG_NUMBER):
            return True
        if any(number == joined or number in _tokens(plain) for number in self.numbers):
            return True
        if any(str(day.year) in runs and f"{day:%b}".casefold() in plain for day in self.days):
            return True
        return any(one in digits if len(one) > LONG_NUMBER else one in runs for one in self.digits)


def search_for(identity: Identity) -> Search:
    """What to look for, without what stands for nobody (``ANONYMOUS``) and what the trial itself uses."""
    code: set[str] = set()
    if not names_a_person(identity):  # a file of codes: what the trial calls the patient is no secret
        texts = (identity.trial_subject, identity.trial_visit)
        code = {form for text in texts for form in _joined_forms(text)}
    own, others = set[str](), set[str]()
    for word in identity.names:
        target = own if word.casefold() in identity.name else others
        target |= {form for form in _forms_of_name(word) if form not in code}
    numbers = {form for text in identity.numbers for form in _joined_forms(text) if len(form) >= LONG}
    numbers -= PLACEHOLDERS | code
    digits = {
        run for text in identity.numbers for run in re.findall(r"\d+", fold(text)) if len(run) >= DIGITS
    }
    digits |= {form for day in identity.dates for form in _days(day)}
    digits -= code
    places = {
        run for text in identity.places for form in _forms(text) for run in _runs(form) if _is_place(run)
    }
    family = next(iter(_forms_of_name(identity.family)), "") if identity.family else ""
    both = own | others
    return Search(
        long=frozenset(word for word in both if _is_long(word)),
        short=frozenset(word for word in others if not _is_long(word)),
        own_short=frozenset(word for word in own if not _is_long(word)),
        first=family if len(family) == 1 and family not in code else "",
        numbers=frozenset(numbers),
        digits=frozenset(digits),
        places=frozenset(places),
        days=identity.dates,
    )


def names_a_person(identity: Identity) -> bool:
    """Whether the file still has a person's name, not a code or a word for nobody in its place."""
    code = {*_joined_forms(identity.trial_subject), *_joined_forms(identity.number)}
    pieces = {piece for word in identity.name if len(_pieces(word)) > 1 for piece in _pieces(word)}
    forms = {form for word in identity.name - pieces for form in _forms_of_name(word)}
    return any(form not in code and not form.isdigit() for form in forms)


# -- folding -----------------------------------------------------------------------------------------------

_LETTERS = str.maketrans(
    {"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "ı": "i", "ħ": "h"}
)
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Compatibility forms, case and accents off."""
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_LETTERS)
    parts = unicodedata.normalize("NFKD", plain)
    return unicodedata.normalize("NFC", "".join(sign for sign in parts if not unicodedata.combining(sign)))


def _forms(text: str) -> set[str]:
    """A text folded, with umlauts as their letters and as two letters."""
    composed = unicodedata.normalize("NFKC", text).casefold()
    return {fold(text), fold(composed.translate(_GERMAN))}


def _forms_of_name(word: str) -> set[str]:
    forms = {_joined(form) for form in _forms(word)}
    two = {_short_vowels(form) for form in forms}  # Mueller is Müller is Muller
    return {form for form in forms | two if form and form not in PLACEHOLDERS and form not in _TITLES}


def _short_vowels(form: str) -> str:
    return re.sub(r"(?<=[aou])e(?=[bcdfghjklmnpqrstvwxyz])", "", form) if len(form) > LONG else form


def _joined_forms(text: str) -> set[str]:
    return {_joined(form) for form in _forms(text)} - {""}


def _joined(plain: str) -> str:
    """Letters and digits alone."""
    return "".join(sign for sign in plain if sign.isalnum())


def _runs(plain: str) -> list[str]:
    """Runs of letters: what digits, blanks and signs (also ``_``) part."""
    return re.findall(r"[^\W\d_]+", plain)


def _tokens(plain: str) -> list[str]:
    return re.findall(r"[^\W_]+", plain)


def _is_latin(word: str) -> bool:
    return word.isascii()


def _is_long(word: str) -> bool:
    """Whether a name is told from other words by its length; letters of other scripts say more."""
    return len(word) >= LONG if _is_latin(word) else len(word) >= 2


def _is_place(run: str) -> bool:
    return len(run) >= LONG and run not in _OF_ADDRESSES


def _days(day: date) -> Iterator[str]:
    """A day in digits, in the orders that people write."""
    for pattern in ("%Y%m%d", "%d%m%Y", "%m%d%Y", "%y%m%d", "%d%m%y", "%m%d%y"):
        yield day.strftime(pattern)
    yield f"{day.month}{day.day}{day.year}"
    yield f"{day.day}{day.month}{day.year}"


# -- reading values ----------------------------------------------------------------------------------------


def words_of_name(value: Any) -> Iterator[str]:
    """The parts of a person's name in all its groups, whatever their length, and what stands joined."""
    for text in texts_of(value):
        for part in re.split(r"[\^=,;\s]+", text):
            if part.strip(".-_'"):
                yield part
                pieces = _pieces(part)
                if len(pieces) > 1:
                    yield from pieces


def _pieces(part: str) -> list[str]:
    return [piece for piece in re.split(r"[-_.'’·]+", part) if piece]


def parse_date(value: object) -> date | None:
    """A DICOM date, date with time, or old ``1996.10.29``; None where it is missing or impossible."""
    found = re.match(r"\s*(\d{4})[.-]?(\d{2})[.-]?(\d{2})", str(value or ""))
    if not found:
        return None
    try:
        return date(*(int(part) for part in found.groups()))
    except ValueError:
        return None


def _tags(keywords: Iterable[str]) -> frozenset[int]:
    return frozenset(tag for keyword in keywords if (tag := tag_for_keyword(keyword)) is not None)


_NUMBERS, _PLACES, _DATES = _tags(NUMBERS), _tags(PLACES), _tags(DATES)
_ALL = _NUMBERS | _PLACES | _DATES


def _elements(dataset: Dataset) -> Iterator[tuple[int, str, Any]]:
    """Names, identifying entries and what is nested in sequences, at any depth: tag, kind, value."""
    for tag in list(dataset.keys()):
        raw = dataset.get_item(tag)
        known = dictionary_VR(tag) if dictionary_has_tag(tag) else "UN"
        kind = getattr(raw, "VR", None) or known
        if kind not in {"PN", "SQ", "UN"} and known != "PN" and tag not in _ALL:
            continue
        try:
            element = dataset[tag]
            if element.VR == "SQ":
                for item in element.value:
                    yield from _elements(item)
            else:
                yield int(tag), "PN" if "PN" in (element.VR, known) else element.VR, element.value
        except Exception:  # unreadable: the walk removes it
            continue


def texts_of(value: Any) -> list[str]:
    """The values of an entry as texts, without blanks around them."""
    if value is None or isinstance(value, bytes):
        return []
    several = isinstance(value, list | tuple) or type(value).__name__ == "MultiValue"
    return [str(single).strip() for single in (value if several else [value]) if str(single).strip()]


def _value(dataset: Dataset, keyword: str) -> Any:
    try:
        return dataset.get(keyword)
    except Exception:  # an undecodable value counts as missing
        return None


def text_of(dataset: Dataset, keyword: str) -> str:
    """The first value of an entry as text, ``""`` where it is missing or cannot be read."""
    texts = texts_of(_value(dataset, keyword))
    return texts[0] if texts else ""


def _patient(dataset: Dataset) -> str:
    """The patient number, else name with birth date, else the study: always the same for the same patient."""
    number = text_of(dataset, "PatientID")
    if number:
        return number
    name, born = text_of(dataset, "PatientName"), text_of(dataset, "PatientBirthDate")
    if name.strip("^ "):
        return f"{name}|{born}"
    return text_of(dataset, "ClinicalTrialSubjectID") or text_of(dataset, "StudyInstanceUID")
