"""Which column of a table means what: our names, common names, CDISC names, and what a person says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from core.errors import InputError
from data.tables.person_names import names_a_person

SUBJECT = (
    "subject", "usubjid", "subjectid", "subjectcode", "subjectkey", "unique subject identifier", "subjid",
    "patient", "patientid", "patid", "patno", "patientno", "patientnumber", "studyid no", "participant",
    "participantid", "pid", "id",
)  # fmt: skip
VISIT = ("visit", "avisit", "visitname", "visitcode", "visit id", "visitid", "timepoint", "visitlabel")

SUBJECTS: dict[str, tuple[str, ...]] = {
    "subject": SUBJECT,
    "arm": ("arm", "trt01p", "plannedarm", "plannedtreatment", "trtp", "treatmentarm", "treatmentgroup",
            "treatment", "randomisedarm", "randomizedarm", "allocation", "armcd"),
    "sex": ("sex", "gender"),
    "birth_year": ("birthyear", "yearofbirth", "yob", "brthyr", "birthyr"),
    "birth_date": ("brthdtc", "brthdt", "birthdate", "dateofbirth", "dob"),
    "age": ("age", "ageyears", "ageatbaseline", "baselineage", "age y", "age yr", "age yrs"),
    "age_unit": ("ageu", "ageunit"),
    "centre": ("centre", "center", "siteid", "site", "studysite", "centreid", "centerid", "sitenumber"),
    "baseline_date": ("baselinedate", "rfstdtc", "randdt", "randomisationdate", "randomizationdate",
                      "trtsdt", "bldate", "inclusiondate", "dateofbaseline"),
    "screening_date": ("dmdtc", "rficdtc", "screeningdate", "consentdate"),
}  # fmt: skip

VISITS: dict[str, tuple[str, ...]] = {
    "subject": SUBJECT,
    "visit": VISIT,
    "visit_order": ("visitorder", "visitnum", "avisitn", "visitnumber", "order", "visitno"),
    "planned_day": ("plannedday", "targetday", "nominalday", "scheduledday"),
    "planned_study_day": ("visitdy",),
    "planned_week": ("plannedweek", "targetweek", "week"),
    "planned_month": ("plannedmonth", "targetmonth", "month", "visitmonth"),
    "window_before": ("windowbefore", "windowminus", "windowlow", "daysbefore"),
    "window_after": ("windowafter", "windowplus", "windowhigh", "daysafter"),
    "window": ("window", "visitwindow", "windowdays"),
    "day": ("day", "days", "daysfrombaseline", "actualday", "visitday"),
    "study_day": ("svstdy", "ady", "studyday"),
    "date": ("svstdtc", "adt", "date", "visitdate", "dateofvisit", "filmdate", "svdtc"),
}  # fmt: skip
VISITS_BY_PATTERN: dict[str, tuple[str, ...]] = {  # any CDISC domain: EXSTDTC, QSDTC, EXSTDY, QSDY
    "date": (r"[a-z]{2}stdtc", r"[a-z]{2}dtc"),
    "study_day": (r"[a-z]{2}stdy", r"[a-z]{2}dy"),
}

READS: dict[str, tuple[str, ...]] = {
    "subject": SUBJECT,
    "visit": VISIT,
    "site": ("site", "sitecode", "corner", "joint", "location", "unit", "vertebralcorner", "mkloc"),
    "feature": ("feature", "item", "parameter", "mode", "finding", "paramcd"),
    "grade": ("grade", "score", "value", "rating", "aval", "mkstresn", "result"),
    "reason": ("reason", "missingreason", "notscorable", "notscorablereason", "mkreasnd", "comment"),
    "reader": ("reader", "rater", "readerid", "readername", "assessor", "mkevalid", "evalid"),
    "campaign": ("campaign", "readingcampaign", "wave"),
    "read": ("read", "readnumber", "readno", "reading"),
    "read_mode": ("readmode",),
    "system": ("system", "scoresystem", "scoringsystem"),
    "image": ("image", "imageid"),
}

SHOWS_ARM = re.compile(
    r"(act|planned)?arm(cd|nrs|ud)?\d*|actarm\w*|plannedarm\w*|trt\d*[ap]?n?|trtseq\w*|tr\d+[ap]g\d*n?|extrt|"
    r"exdos\w*|treatment\w*|allocation|randomi[sz]ed\w*|randnum\w*|randno\w*|kitn\w*|dose\w*|drug\w*|"
    r"studydrug\w*|reader kind"
)
IDENTIFIES = re.compile(
    r"rownames?|unnamed\w*|index|x|study|domain|\w{2}seq|rownumber|recordno|"
    r"(study|subj|usubj|subject|patient|site|visit|record|row|sample|image|case)?(id|uid|key)"
)


@dataclass(frozen=True)
class Columns:
    """What was recognised. used: field -> column; rest: columns left over; ignored: column -> why."""

    used: dict[str, str]
    rest: list[str]
    named: dict[str, str] = field(default_factory=dict)  # column -> a name of its own that a person gave it
    ignored: dict[str, str] = field(default_factory=dict)

    def has(self, *fields: str) -> bool:
        return all(name in self.used for name in fields)


def squeezed(name: str) -> str:
    """A column name without case, blanks and signs: how names are compared."""
    return re.sub(r"[^a-z0-9]+", "", str(name).casefold())


def recognise(
    columns: Iterable[str],
    fields: Mapping[str, tuple[str, ...]],
    mapping: Mapping[str, str] | None = None,
    patterns: Mapping[str, tuple[str, ...]] | None = None,
) -> Columns:
    """Which column stands for which field; each column serves once, each field takes the best name.

    mapping: what a person says, column -> field, other name, or "" for "leave it out"; it comes first.
    patterns: regular expressions of squeezed names for fields that no name served.
    Raises InputError for a mapped column that the table lacks, or a field mapped twice.
    """
    names = [str(name) for name in columns]
    used, named, ignored = _mapped(names, fields, mapping or {})
    taken = set(used.values()) | set(named) | set(ignored)
    for target, synonyms in fields.items():
        if target not in used:
            column = _best(names, taken, synonyms)
            if column is not None:
                used[target] = column
                taken.add(column)
    for target, expressions in (patterns or {}).items():
        column = _first_match(names, taken, expressions) if target not in used else None
        if column is not None:
            used[target] = column
            taken.add(column)
    return Columns(used, [name for name in names if name not in taken], named, ignored)


def _mapped(
    names: list[str], fields: Mapping[str, tuple[str, ...]], mapping: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    used: dict[str, str] = {}
    named: dict[str, str] = {}
    ignored: dict[str, str] = {}
    for column, target in mapping.items():
        if column not in names:
            raise InputError(f"column {column}", f"the table has {', '.join(names)}", "map one of these")
        if target in used:
            raise InputError(f"two columns for {target}", "one is needed", f"map {used[target]} or {column}")
        if target in fields:
            used[target] = column
        elif target:
            named[column] = target
        else:
            ignored[column] = "left out by request"
    return used, named, ignored


def _best(names: list[str], taken: set[str], synonyms: tuple[str, ...]) -> str | None:
    for synonym in synonyms:
        for name in names:
            if name not in taken and squeezed(name) == squeezed(synonym):
                return name
    return None


def _first_match(names: list[str], taken: set[str], expressions: tuple[str, ...]) -> str | None:
    for expression in expressions:
        for name in names:
            if name not in taken and re.fullmatch(expression, squeezed(name)):
                return name
    return None


def why_not_kept(name: str) -> str:
    """Why a left-over column may not become a covariate by its name alone; empty where it may."""
    plain = squeezed(name)
    if re.fullmatch(SHOWS_ARM, plain):
        return "it would show the arm"
    if names_a_person(name) or plain in SUBJECTS["birth_date"]:
        return "it may name a person"
    if re.fullmatch(IDENTIFIES, plain):
        return "it numbers or names rows"
    return ""


def parse_mapping(options: Iterable[str]) -> dict[str, str]:
    """``COLUMN=NAME`` options as a mapping; ``COLUMN=`` leaves the column out. Raises InputError."""
    mapping = {}
    for option in options:
        column, equals, name = option.partition("=")
        if not equals or not column.strip():
            raise InputError(
                f"--map {option}", "COLUMN=NAME is needed", "write for example --map PATNO=subject"
            )
        mapping[column.strip()] = name.strip()
    return mapping
