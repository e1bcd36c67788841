"""A table of reader scores, long or wide, as rows of ``site_score``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from core import scores
from core.errors import InputError
from core.names import plain
from core.scores.engine.reads import clean
from core.scores.system import ScoreSystem
from data.tables.columns import READS, Columns, recognise
from data.tables.files import notes_of, text_column
from data.tables.formats.options import AS_THE_FILE_SAYS, Fits, TableOptions
from data.tables.merge import Refused
from data.tables.spelling import NOTHING, Known, spell_reads
from data.tables.values import Problems, prepared

CAMPAIGN, FIRST_READ, MAX_READ = "main", 1, 999
NOT_SCORABLE = "not scorable"
KEYS = ("subject", "visit", "system", "site", "feature", "reader", "campaign", "read")
COLUMNS = (*KEYS, "grade", "reason", "image")


@dataclass(frozen=True)
class Reading:
    """Who read, when and in which campaign. An empty text takes the table's own column.

    visit: for a table that has no column with the visit.
    """

    reader: str = ""
    campaign: str = ""
    read: int | None = None
    visit: str = ""


@dataclass(frozen=True)
class Reads:
    """Scores as the cohort keeps them; index = row number of the file, which a wide table repeats.

    is_blank: of each row, whether neither grade nor reason was filled in: it is stored as not scorable.
    """

    rows: pd.DataFrame
    refused: Refused
    columns: dict[str, str]
    ignored: dict[str, str]
    notes: list[str] = field(default_factory=list)
    is_blank: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))

    @property
    def without_blanks(self) -> Reads:
        """The scores without the cells that nobody filled in: those sites were not read."""
        return replace(self, rows=self.rows[~self.is_blank], is_blank=self.is_blank[~self.is_blank])


def fitting(system: str, mapping: Mapping[str, str]) -> Fits:
    """Whether a header is one of reads: a site and a grade, or columns for sites of the system."""

    def fits(names: Sequence[str]) -> bool:
        kept = {column: name for column, name in mapping.items() if column in names}
        columns = recognise([name for name in names if name], READS, kept)
        has_sites = columns.has("site", "grade") or bool(_site_columns(columns, scores.get(system)))
        return columns.has("subject") and has_sites

    return fits


def lacking(
    names: Sequence[str] | pd.Index, system: str, mapping: Mapping[str, str], *, reader: str = ""
) -> tuple[list[str], list[str]]:
    """Fields that a table of scores needs and has no column for, and its columns that are not known.

    reader: who read, where it is said beside the table.
    """
    columns = recognise(names, READS, mapping)
    sites = _site_columns(columns, scores.get(system))
    needed = ["subject", "visit"] + ([] if reader else ["reader"])
    if not sites:
        needed += ["site", "grade"]
    left = [name for name in columns.rest if name not in sites]
    return [field for field in needed if not columns.has(field)], left


def read_reads(
    table: pd.DataFrame,
    system: ScoreSystem,
    reading: Reading,
    known: Known = NOTHING,
    mapping: Mapping[str, str] | None = None,
    options: TableOptions = AS_THE_FILE_SAYS,
) -> Reads:
    """The table's scores, with the rows that cannot be used and why.

    A long table has a column for the site and one for the grade; a wide one has a column for each site.
    Raises InputError where neither is found, or the subject, visit or reader is nowhere.
    """
    columns = recognise(table.columns, READS, mapping)
    is_long = columns.has("site", "grade")
    sites = {} if is_long else _site_columns(columns, system)
    if not is_long and not sites:
        raise InputError(
            f"a table with the columns {_some(table.columns)}",
            f"columns site and grade, or one for each {system.title} site, are needed",
            "rename them, or say what they are with --map COLUMN=NAME",
        )
    values = [columns.used["grade"]] if is_long else list(sites)
    table, problems = prepared(table, values, options)
    head = _identity(table, columns, system, _with_defaults(reading, columns))
    frame = _long(table, columns, head) if is_long else _melted(table, columns, head, sites)
    numbers = frame["row_number"]
    unknown, notes = _unknown(frame, known)
    refused: Refused = _unreadable(frame, problems, values, sites) + unknown
    every = frame
    frame = frame[~frame.index.isin({item["at"] for item in refused})]
    accepted, bad = clean(frame, system, by=("reader", "campaign", "read"))
    refused += [{"at": at, "reason": reason} for at, reason in zip(bad["row"], bad["reason"], strict=True)]
    of_site = {code: column for column, code in sites.items()}
    about = [of_site.get(str(every["site"].get(item["at"]))) for item in refused]
    used = set(columns.used.values()) | set(sites)
    left = [name for name in columns.rest if name not in used]
    return Reads(
        rows=_stored(accepted),
        refused=[
            {"row": int(numbers[item["at"]]), "reason": item["reason"], **_column(item["reason"], column)}
            for item, column in zip(refused, about, strict=True)
        ],
        columns={**columns.used, **{code: name for name, code in sites.items()}},
        ignored={
            **columns.ignored,
            **dict.fromkeys(left, "not needed" if is_long else f"no {system.title} site"),
        },
        notes=[*notes_of(table), *problems.notes, *notes],
        is_blank=_is_blank(accepted),
    )


def _column(reason: str, column: str | None) -> dict[str, str]:
    """The column of a refused grade of a wide table."""
    return {"column": column} if column and reason.startswith("grade ") else {}


def _unreadable(
    frame: pd.DataFrame, problems: Problems, values: Sequence[str], sites: Mapping[str, str]
) -> Refused:
    """Rows with a grade that nobody can interpret."""
    bad = frame.index[frame["row_number"].isin(list(problems.reasons))]
    rows = frame.loc[bad, "row_number"]
    codes = {row: sites.get(problems.columns[row]) for row in problems.reasons}
    return [
        {"at": at, "reason": problems.reasons[row]}
        for at, row in zip(bad, rows, strict=True)
        if not sites or frame.loc[at, "site"] == codes[row]
    ]


def _site_columns(columns: Columns, system: ScoreSystem) -> dict[str, str]:
    """Column -> site code, of a wide table. Raises InputError where two columns name one site."""
    sites: dict[str, str] = {}
    names = {name: name for name in [*columns.rest, *columns.used.values()]} | columns.named
    for column, name in names.items():
        code = system.recognise(name)
        if code is None:
            continue
        if code in sites.values():
            raise InputError(f"two columns for the site {code}", "one is needed", "drop or rename one")
        sites[column] = code
    return sites


def _some(names: Sequence[object] | pd.Index) -> str:
    shown = [str(name) for name in names]
    return ", ".join(shown[:12]) + (f" and {len(shown) - 12} more" if len(shown) > 12 else "")


def _identity(table: pd.DataFrame, columns: Columns, system: ScoreSystem, reading: Reading) -> pd.DataFrame:
    """Subject, visit, reader, campaign and read of every row, from the columns or from what was said."""
    said = {
        "subject": "",
        "visit": reading.visit,
        "reader": reading.reader,
        "campaign": reading.campaign,
        "read": "" if reading.read is None else str(reading.read),
    }
    head = pd.DataFrame({"row_number": table.index}, index=table.index)
    for name, value in said.items():
        column = columns.used.get(name)
        if column is None and not value:
            raise InputError(
                f"a table without a column for the {name}",
                f"the {name} of every row is needed",
                f"say which column it is with --map COLUMN={name}"
                + ("" if name == "subject" else f", or give --{name}"),
            )
        head[name] = text_column(table, column) if column is not None else value
        head[f"said_{name}"] = value or None
    head["system"] = text_column(table, columns.used["system"]) if columns.has("system") else system.name
    head["said_system"] = system.name
    return head


def _long(table: pd.DataFrame, columns: Columns, head: pd.DataFrame) -> pd.DataFrame:
    frame = head.copy()
    for name in ("site", "feature", "reason", "image"):
        if columns.has(name):
            frame[name] = text_column(table, columns.used[name])
    frame["grade"] = table[columns.used["grade"]]
    return frame


def _melted(
    table: pd.DataFrame, columns: Columns, head: pd.DataFrame, sites: Mapping[str, str]
) -> pd.DataFrame:
    """One row a site; the index counts on, ``row_number`` is the row of the file."""
    if columns.has("image"):
        head = head.assign(image=text_column(table, columns.used["image"]))
    parts = [head.assign(site=code, grade=table[column].astype(object)) for column, code in sites.items()]
    frame = pd.concat(parts).sort_values("row_number", kind="stable")
    return frame.set_index(pd.RangeIndex(1, len(frame) + 1, name="row"))


def _unknown(frame: pd.DataFrame, known: Known) -> tuple[Refused, list[str]]:
    """Rows of another reader, campaign, read or system than was said, and of unknown subjects and visits.

    Names are brought to the spelling of the cohort on the way (``week 52`` and ``Week52`` are one). Second
    value: what a person should know of them.
    """
    refused: Refused = []

    def refuse(mask: pd.Series, reason: str, name: str) -> None:
        refused.extend(
            {"at": at, "reason": reason.format(frame.loc[at, name])}
            for at in frame.index[mask.to_numpy(bool)]
        )

    for name in ("reader", "campaign", "read", "system"):
        said = frame[f"said_{name}"]
        wanted = {plain(text) for text in said.dropna().unique()}
        is_said = frame[name].isin([text for text in frame[name].dropna().unique() if plain(text) in wanted])
        frame[name] = frame[name].mask(is_said, said)
        other = said.notna() & frame[name].notna() & ~is_said
        refuse(other, f"this row says {name} {{}}, {said.iloc[0] if len(said) else ''} was asked for", name)
    whole = pd.to_numeric(frame["read"], errors="coerce")
    is_whole = frame["read"].astype("string").str.fullmatch(r"[0-9]+(\.0*)?").fillna(False).astype(bool)
    fine = is_whole & (whole >= 1) & (whole <= MAX_READ)
    refuse(frame["read"].notna() & ~fine, f"read {{}} is not a number from 1 to {MAX_READ}", "read")
    frame["read"] = whole.where(fine).astype("Int64").astype("str").where(frame["read"].notna())
    misspelt, notes = spell_reads(frame, known)
    return refused + misspelt, notes


def _is_blank(accepted: pd.DataFrame) -> np.ndarray:
    """Of each row, whether it has neither a grade nor a reason."""
    reason = accepted["reason"] if "reason" in accepted else pd.Series(None, index=accepted.index)
    return (accepted["grade"].isna() & reason.isna()).to_numpy(bool)


def _stored(accepted: pd.DataFrame) -> pd.DataFrame:
    """Columns of ``site_score``; a site without a grade gets a reason."""
    frame = accepted.reset_index(drop=True).set_index(accepted["row_number"].astype("int64").to_numpy())
    for name in ("reason", "image"):
        if name not in frame.columns:
            frame[name] = pd.Series(None, index=frame.index, dtype="str")
    no_reason = frame["grade"].isna() & frame["reason"].isna()
    frame["reason"] = frame["reason"].mask(frame["grade"].notna(), None).mask(no_reason, NOT_SCORABLE)
    frame["read"] = frame["read"].astype("int64")
    return frame[list(COLUMNS)]


def _with_defaults(reading: Reading, columns: Columns) -> Reading:
    """The reading with the usual campaign and read where neither the table nor a person names one."""
    if not columns.has("campaign") and not reading.campaign:
        reading = replace(reading, campaign=CAMPAIGN)
    if not columns.has("read") and reading.read is None:
        reading = replace(reading, read=FIRST_READ)
    return reading
