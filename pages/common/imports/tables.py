"""Tables: map columns, see what would be refused, import."""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pandas as pd
import streamlit as st

from core import scores as systems
from core.domain import ReadMode
from core.markdown import md
from data.store.cohort import CohortStore
from data.tables.files import ENDINGS, read_table
from data.tables.formats.options import DECIMALS, Fits, TableOptions, missing_codes
from pages.common import guards
from pages.common.imports.templates import reads_template, subjects_templates
from pages.common.imports.uploads import kept_for_now, new_place, start, write_one
from pages.common.page import Page
from pages.common.shown_table import show_table

if TYPE_CHECKING:
    from data.tables.import_subjects import SubjectsRequest

CONFIRMED = "confirmed_columns"
SIGNS = {"": "as the file says", ".": "point", ",": "comma"}
LEAVE_OUT, AS_IT_IS, UNUSED = "leave it out", "as recognised", "not needed"
KEEP = "keep it as a covariate"
MAX_ASKED, MAX_NAMED = 12, 12  # unknown columns that are asked about; names in a sentence
NOT_SCORABLE, NOT_READ = "not-scorable", "leave-out"  # words of ``reads --blank-cells``
BLANKS = {
    NOT_SCORABLE: "the reader could not score the site: stored as “not scorable”",
    NOT_READ: "the site was not read: left out",
}
CLI_WORDS = {  # what a command says -> what it is on this page
    "needs --correct REASON": "give a reason above to replace it",
    "--correct REASON": "a reason above",
    "keep it with --map COLUMN=NAME": f"say {KEEP!r} above to keep it",
}


def scores(page: Page) -> None:
    """Reader scores: map columns, see what would be refused, import."""
    st.markdown("What human readers scored: one table for each reader or for all.")
    given = _reads_form()
    reads_template(page, given["system"])
    upload = _upload("Table of scores: CSV, XLSX, Parquet or SAS", "table_upload")
    if upload is None:
        return
    from data.tables import reads
    from data.tables.columns import READS

    file_options = _file_options("reads")
    with guards.errors_shown():
        reading = _reading(file_options)
        table = _table(upload, reading, reads.fitting(given["system"], {}))
        mapping = _mapping(table, tuple(READS), "reads_map")
        lacking, unknown = reads.lacking(table.columns, given["system"], mapping, reader=given["reader"])
        mapping |= _say_what_is_lacking(upload.name, lacking, unknown, tuple(READS))
        result = _preview_reads(page, table, given, mapping, reading)
    _shown(upload.name, result)
    blanks = _blanks(result.blank)
    sure = _new_subjects(result.new_subjects)
    if st.button(
        "Import",
        type="primary",
        icon=":material/download:",
        disabled=not (result.accepted and blanks and sure),
    ):
        place = new_place()
        options = [
            part for name, value in given.items() if value for part in (f"--{name.replace('_', '-')}", value)
        ]
        file = write_one(upload, place, 0)
        options += [*_as_options(mapping), *_given(file_options), "--blank-cells", str(blanks)]
        start(page, f"Scores ({upload.name})", ["reads", file, *options], place)


def _upload(label: str, key: str) -> Any:
    return st.file_uploader(label, type=[end[1:] for end in ENDINGS], key=key)


def _say_what_is_lacking(
    name: str, lacking: list[str], unknown: list[str], fields: tuple[str, ...]
) -> dict[str, str]:
    """Where a table lacks a column: say which, and ask what each unknown column is, right here.

    Stops until nothing lacks; returns what was chosen, column -> field.
    """
    if not lacking:
        return {}
    box = st.container()
    options = [UNUSED, *dict.fromkeys([*(one for one in lacking if one in fields), *fields])]
    chosen: dict[str, str] = {}
    for column, place in zip(unknown[:MAX_ASKED], cycle(st.columns(3))):
        with place:
            said = st.selectbox(
                f"`{md(column)}` is not known: what is it?", options, key=f"unknown_{name}_{column}"
            )
        chosen |= {column: said} if said != UNUSED else {}
    left = [one for one in lacking if one not in chosen.values()]
    if not left:
        return chosen
    what = "choose below what its columns are" if unknown else "name its columns as above"
    if "reader" in left:
        what = f"say above who read, or {what}"
    needed = f"it has no column for {' and '.join(left)}"
    box.error(f"**{md(name)}**: {needed}. What to do: {what}, or use the template.", icon=":material/build:")
    _stop()


def _stop() -> NoReturn:
    st.stop()
    raise AssertionError("a stopped page goes on")


def _blanks(count: int) -> str:
    """What empty cells become: asked before anything is stored. Empty until it was chosen."""
    if not count:
        return NOT_SCORABLE
    choice = st.radio(
        f"{count:,} cells have no grade. They mean:" if count > 1 else "One cell has no grade. It means:",
        list(BLANKS),
        index=None,
        format_func=lambda one: BLANKS[one],
        key="blank_cells",
    )
    return str(choice or "")


def _new_subjects(names: list[str]) -> bool:
    """Patients whom the study does not know are added only by a person who says so."""
    if not names:
        return True
    shown = ", ".join(names[:MAX_NAMED]) + (
        f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    )
    who = "1 patient is" if len(names) == 1 else f"{len(names)} patients are"
    return st.checkbox(
        f"{who} not known to this study: {md(shown)}. Add {'it' if len(names) == 1 else 'them'}.",
        key=f"new_subjects_{hash(tuple(names))}",
    )


def _reads_form() -> dict[str, str]:
    first, second, third, fourth = st.columns(4)
    given = {
        "system": first.selectbox("Score", systems.names(), format_func=lambda name: systems.get(name).title),
        "reader": second.text_input("Reader", placeholder="from the table"),
        "campaign": third.text_input("Campaign", placeholder="main"),
        "read_mode": fourth.selectbox("Films were shown", ["", *(mode.value for mode in ReadMode)],
                                      format_func=lambda mode: mode or "as the campaign says"),
    }  # fmt: skip
    given["correct"] = st.text_input(
        "Reason, if grades that are stored already may be replaced", placeholder="none: refuse them"
    )
    return {name: str(value) for name, value in given.items()}


def _preview_reads(
    page: Page, table: pd.DataFrame, given: dict[str, str], mapping: dict[str, str], reading: TableOptions
) -> Any:
    from data.tables.import_reads import ReadsRequest, preview_reads

    request = ReadsRequest(
        given["system"], given["reader"], given["campaign"], read_mode=given["read_mode"],
        correct=given["correct"], mapping=mapping, reading=reading,
    )  # fmt: skip
    return preview_reads(CohortStore.open(page.path), table, request, actor=page.person)


def subjects(page: Page) -> None:
    """Subjects and visits: map columns, see what would be refused, import."""
    st.markdown("Who is in the study, and when each visit is planned. Covariates come in with the patients.")
    subjects_templates(page)
    upload = _upload("Table of patients: CSV, XLSX, Parquet or SAS", "table_upload")
    plan = _upload("A table of visits as well, if there is one", "visits_upload")
    correct = st.text_input(
        "Reason, if values that are stored already may be replaced", placeholder="none: refuse them"
    )
    if upload is None:
        return
    from data.tables.columns import SUBJECTS, VISITS, VISITS_BY_PATTERN, recognise
    from data.tables.plan import has_fields

    file_options = _file_options("subjects", has_visits=plan is not None)
    with guards.errors_shown():
        request = _subjects_request(correct, file_options)
        table = _table(upload, request.reading, has_fields(SUBJECTS, ("subject",)))
        visits = None
        if plan is not None:
            visits = _table(plan, request.visit_reading, has_fields(VISITS, ("visit",), VISITS_BY_PATTERN))
        mapping = _mapping(table, (KEEP, *SUBJECTS), "subjects_map")
        columns = recognise(table.columns, SUBJECTS, mapping)
        lacking = [] if columns.has("subject") else ["subject"]
        mapping |= _say_what_is_lacking(upload.name, lacking, columns.rest, tuple(SUBJECTS))
        confirmed = _confirmed(table, visits, mapping)
        request = replace(request, mapping=mapping, confirmed=tuple(confirmed))
        result = _preview_subjects(page, table, visits, request)
    names = upload.name if plan is None else f"{upload.name} and {plan.name}"
    _shown(names, result)
    st.caption("Empty cells stay unknown; a later table may fill them.")
    _confirm(result.unconfirmed, confirmed)
    if st.button(
        "Import", type="primary", icon=":material/download:", disabled=not any(result.accepted.values())
    ):
        place = new_place()
        given = [one for one in (upload, plan) if one is not None]
        files = [write_one(one, place, number) for number, one in enumerate(given)]
        options: list[str | Path] = ["--visits", files[1]] if plan is not None else []
        options += ["--correct", correct] if correct else []
        options += [part for column in confirmed for part in ("--confirm", column)]
        options += _given(file_options)
        start(page, f"Patients ({names})", ["subjects", files[0], *options, *_as_options(mapping)], place)


def _confirmed(table: pd.DataFrame, visits: pd.DataFrame | None, mapping: dict[str, str]) -> list[str]:
    """The columns of these tables that the person has confirmed so far."""
    columns = {str(name) for frame in (table, visits) if frame is not None for name in frame.columns}
    chosen: list[str] = st.session_state.get(CONFIRMED, [])
    return [column for column in chosen if column in columns - set(mapping)]


def _confirm(unconfirmed: list[str], confirmed: list[str]) -> None:
    """In a blinded study: which columns a person confirms not to show the treatment; nothing without any."""
    columns = [*confirmed, *(column for column in unconfirmed if column not in confirmed)]
    if not columns:
        return
    st.session_state[CONFIRMED] = confirmed
    st.multiselect(
        "Columns that do not show the treatment",
        columns,
        key=CONFIRMED,
        placeholder="none: hold them back",
        help="The study is blinded. A column whose name is not known to be clinical becomes a covariate, "
        "which everybody sees, only if you confirm that nobody can learn the arm from it.",
    )


def _preview_subjects(
    page: Page, table: pd.DataFrame, visits: pd.DataFrame | None, request: SubjectsRequest
) -> Any:
    from data.tables.import_subjects import preview_subjects

    return preview_subjects(CohortStore.open(page.path), table, visits, request, actor=page.person)


def _subjects_request(correct: str, given: dict[str, str]) -> SubjectsRequest:
    from data.tables.import_subjects import SubjectsRequest

    reading = _reading(given)
    visits = replace(reading, sheet=given.get("visits-sheet", ""))
    return SubjectsRequest(correct, reading=reading, visit_reading=visits)


def _file_options(key: str, *, has_visits: bool = False) -> dict[str, str]:
    """What a person says about the file, by the name of the command's option; empty where nothing."""
    with st.expander("How the file is to be read", icon=":material/tune:"):
        columns = st.columns(5 if has_visits else 4)
        given = {
            "sheet": columns[0].text_input("Sheet", placeholder="the one that fits", key=f"{key}_sheet"),
            "missing": columns[1].text_input(
                "Missing codes", placeholder="such as -9,999", key=f"{key}_missing"
            ),
            "decimal": columns[2].selectbox(
                "Decimal sign", ["", *DECIMALS], format_func=lambda sign: SIGNS[sign], key=f"{key}_decimal"
            ),
            "encoding": columns[3].text_input("Encoding", placeholder="UTF-8", key=f"{key}_encoding"),
        }
        if has_visits:
            given["visits-sheet"] = columns[4].text_input("Sheet of visits", key=f"{key}_visits_sheet")
        st.caption(
            "NA, N/A, a single point or dash, NE and “not done” always count as missing in columns of values."
        )
    return {name: value.strip() for name, value in given.items()}


def _reading(given: dict[str, str]) -> TableOptions:
    codes = missing_codes([given["missing"]])
    return TableOptions(given["sheet"], codes, given["decimal"], given["encoding"])


def _given(options: dict[str, str]) -> list[str]:
    """The options as the command takes them; one word each, as a code may begin with a minus."""
    return [f"--{name}={value}" for name, value in options.items() if value]


def _table(upload: Any, reading: TableOptions, fits: Fits) -> pd.DataFrame:
    with kept_for_now([upload]) as place:
        return read_table(next((place / "files").iterdir()), reading, fits)


def _mapping(table: pd.DataFrame, fields: tuple[str, ...], key: str) -> dict[str, str]:
    """What a person says each column is: column -> field, its own name to keep it, "" for leave it out."""
    example = [
        str(table[name].dropna().iloc[0]) if table[name].notna().any() else "" for name in table.columns
    ]
    rows = pd.DataFrame({"column": table.columns, "first value": example, "is": AS_IT_IS})
    with st.expander(f"Columns: {len(rows)}. Change what one of them is", icon=":material/view_column:"):
        choice = st.column_config.SelectboxColumn(options=[AS_IT_IS, LEAVE_OUT, *fields])
        said = st.data_editor(
            rows,
            key=f"{key}_{hash(tuple(table.columns))}",
            disabled=["column", "first value"],
            column_config={"is": choice},
        )
    return meanings(said)


def meanings(said: pd.DataFrame) -> dict[str, str]:
    """What was said of each column, as ``--map`` takes it; a column that may name a person is not kept.

    said: ``column`` and ``is``, what was chosen for it.
    """
    from data.tables.columns import why_not_kept

    found = {}
    for column, meaning in zip(said["column"].astype(str), said["is"], strict=True):
        if meaning == AS_IT_IS or (meaning == KEEP and why_not_kept(column)):
            continue
        found[column] = {LEAVE_OUT: "", KEEP: column}.get(meaning, str(meaning))
    return found


def _as_options(mapping: dict[str, str]) -> list[str]:
    return [part for column, name in mapping.items() for part in ("--map", f"{column}={name}")]


def _rows(count: int) -> str:
    return f"{count:,} row" + ("" if count == 1 else "s")


def _on_page(text: str) -> str:
    """A reason in the words of this page."""
    for said, here in CLI_WORDS.items():
        text = text.replace(said, here)
    return text


def _shown(name: str, result: Any) -> None:
    """What the table would do: how its columns are read, what is new, what would be refused and why."""
    used = ", ".join(f"{md(field)} = {md(column)}" for field, column in result.columns.items())
    new = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in result.stored.items() if count)
    st.markdown(
        f"{md(name)}: **{_rows(result.rows)}.** New: {new or 'nothing'}. Already there: {result.unchanged}. "
        f"Would be refused: {len(result.refused)}."
    )
    st.caption(f"Columns read as: {used}.")
    for note in result.notes:
        st.caption(md(note))
    if result.refused:
        rows = pd.DataFrame(result.refused)
        rows["reason"] = rows["reason"].map(_on_page)
        show_table(rows.assign(file=name))
    if result.ignored:
        st.caption(
            "Not used: "
            + "; ".join(f"{md(column)} ({md(_on_page(why))})" for column, why in result.ignored.items())
            + "."
        )
