"""One tidy table of the cohort as CSV, Parquet or XLSX: same cohort, same bytes.

Rows stand in the order of the study: subjects in natural order, visits as planned, sites from head to foot,
people before models. ``days`` is the day of the visit, the planned one where the real one is not known.
Where a model read a patient's films together, these are its reads here as on the pages: one answer to one
question. What it made of each film alone is exported when its campaign is asked for. Of a cohort made from
an open data set every row says which, in the column ``data_source``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from core import scores
from core.domain import ReaderKind, Viewer
from core.errors import InputError, NotAllowed
from core.reader_labels import MODEL_PAIRED
from core.scores.system import Rule, ScoreSystem
from core.spreadsheet import safe_sql, safe_text
from data.store import totals
from data.store.cohort import CohortStore
from data.store.viewer_session import Look
from data.study.source import notice_of
from data.tables.xlsx import write_workbook

ENDINGS = (".csv", ".parquet", ".xlsx")
COMPONENT_LAST = 99
NAMES = frozenset(
    {"subject", "visit", "arm", "centre", "reader", "campaign", "image", "site", "run", "finding"}
)
NUMBERS = frozenset(
    {"BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DATE", "TIMESTAMP"}
)


@dataclass(frozen=True)
class Exported:
    """What was written. version: the cohort's. blinded: whether arms were left out.

    head: hash of the last event of the audit trail; XLSX and Parquet files hold it as well.
    """

    rows: int
    path: Path
    columns: list[str]
    version: int
    blinded: bool
    head: str = ""


def export(
    store: CohortStore,
    table: str,
    path: Path,
    *,
    system: str = "",
    rule: str = "",
    unblinded: bool = False,
    campaigns: Sequence[str] = (),
    properties: Sequence[str] = (),
) -> Exported:
    """Writes a table of the cohort to a file, whole or not at all.

    table: one of ``TABLES``. system: only this one. rule: totals under this rule (SYSTEM.RULE)
    instead of each system's default. unblinded: insist on arms. campaigns: only
    these, of scores and findings; all of them, but for a model's reads of single films, where empty.
    properties: of the patients, as further columns of totals.
    Raises NotAllowed for arms of a blinded cohort, InputError for an unknown table, rule, system, campaign,
    property or ending.
    """
    if table not in TABLES:
        raise InputError(f"table {table}", f"one of {', '.join(TABLES)} is needed", "choose one")
    if path.suffix.lower() not in ENDINGS:
        raise InputError(f"{path.name}", f"a name that ends in {', '.join(ENDINGS)} is needed", "rename it")
    if not path.parent.is_dir():
        raise InputError(f"{path}", "its folder does not exist", "make the folder, or choose another")
    only = scores.get(system) if system else None
    chosen = _rule(rule, only) if rule else None
    if chosen is not None and table != "totals":
        raise InputError("--rule", "it belongs to totals", "leave it out")
    if properties and table != "totals":
        raise InputError("--property", "it belongs to totals; subjects has them all", "leave it out")
    with store.look(Viewer()) as look:
        if unblinded and not look.allowed.sees_arm:
            raise NotAllowed("--unblinded", "this cohort is blinded", "leave it out, or have it unblinded")
        _register_orders(look)
        _register_campaigns(look, campaigns)
        sql = _with_properties(look, TABLES[table](look, only, chosen), properties)
        version = int(look.value("SELECT value FROM meta WHERE key = 'cohort_version'"))
        head = str(look.value("SELECT hash FROM event ORDER BY event DESC LIMIT 1"))
        origin, source = f"Sharpline cohort version {version}, head of the audit trail {head}", _source(look)
        if source:
            sql = f"SELECT t.*, {_text(source)} AS data_source FROM ({sql}) t"
        rows = _write(look, sql, path, f"{origin}. {source}" if source else origin)
        columns = look.query(f"DESCRIBE {sql}")["column_name"].tolist()
        return Exported(rows, path, columns, version, not look.allowed.sees_arm, head)


def _source(look: Look) -> str:
    """What must be said of the open data set that the cohort was made from, ``""`` for other studies."""
    meta = look.query("SELECT key, value FROM meta")
    return notice_of(dict(zip(meta["key"], meta["value"], strict=True)))


def _rule(name: str, system: ScoreSystem | None) -> tuple[ScoreSystem, Rule]:
    if system is None:
        prefix = name.partition(".")[0]
        if "." not in name:
            raise InputError(
                f"rule {name}",
                "it does not say which system",
                f"write for example {scores.names()[0]}.{name}",
            )
        system = scores.get(prefix)
    return system, system.rule(name)


def _register_orders(look: Look) -> None:
    """Temporary tables that say where each subject, visit, site, component and reader stands."""
    subjects = look.query(
        "SELECT subject FROM subject UNION SELECT subject FROM site_score WHERE subject IS NOT NULL "
        "UNION SELECT subject FROM image WHERE subject IS NOT NULL"
    )["subject"]
    readers = look.query("SELECT DISTINCT reader, kind FROM reader")
    kinds = {kind.value: place for place, kind in enumerate(ReaderKind)}
    by_kind = sorted(
        zip(readers["reader"], readers["kind"], strict=True),
        key=lambda row: (kinds.get(row[1], len(kinds)), totals.natural(row[0])),
    )
    look.keep("subject_place", _places("subject", sorted(subjects, key=totals.natural)))
    look.keep("visit_place", _places("visit", look.visit_order()))
    look.keep("reader_place", _places("reader", [reader for reader, _ in by_kind]))
    systems = list(scores.systems().values())
    look.keep("system_place", _places("system", [item.name for item in systems]))
    look.keep("site_place", pd.concat([_places("site", list(item.codes), item.name) for item in systems]))
    look.keep(
        "component_place",
        pd.concat(
            [_places("component", [part.name for part in item.components], item.name) for item in systems]
        ),
    )


CAMPAIGNS = """
    SELECT campaign FROM campaign UNION SELECT campaign FROM run UNION SELECT campaign FROM total
    ORDER BY campaign"""


def _register_campaigns(look: Look, campaigns: Sequence[str]) -> None:
    """Temporary tables for ``_campaign``: the campaigns wanted, and whose films a model has read together."""
    known = look.query(CAMPAIGNS)["campaign"].dropna().tolist()
    if unknown := [name for name in campaigns if name not in known]:
        raise InputError(
            f"campaign {unknown[0]}", f"the cohort has {', '.join(known) or 'none'}", "choose one"
        )
    wanted = list(campaigns) or [*known, ""]
    look.keep("wanted_campaign", pd.DataFrame({"campaign": pd.array(wanted, dtype="str")}))
    together = "SELECT DISTINCT system, subject, reader FROM site_score WHERE campaign = $paired"
    look.keep("read_together", look.query(together, {"paired": "" if campaigns else MODEL_PAIRED}))


def _campaign(reads: str, subject: str) -> str:
    """SQL condition: of a campaign that is wanted, and no read of a single film beside one of films together.

    reads, subject: alias of the table with system, reader and campaign, and of the one with subject.
    """
    return f"""
        coalesce({reads}.campaign, '') IN (FROM wanted_campaign) AND (
            {reads}.campaign = '{MODEL_PAIRED}' OR NOT EXISTS (
                SELECT 1 FROM read_together g WHERE g.system = {reads}.system
                AND g.reader = {reads}.reader AND g.subject = {subject}.subject))"""


def _places(name: str, values: list[str], system: str = "") -> pd.DataFrame:
    frame = pd.DataFrame({name: pd.array(values, dtype="str"), "place": range(len(values))})
    return frame.assign(system=system) if system else frame


DAYS = "coalesce(v.day, v.planned_day)"
VISIT = "LEFT JOIN visit v ON v.subject = t.subject AND v.visit = t.visit"
CAMPAIGN = "LEFT JOIN campaign c ON c.campaign = t.campaign AND c.system = t.system"
READER = "LEFT JOIN reader r ON r.reader = t.reader"
PLACES = """
    LEFT JOIN subject_place sp ON sp.subject = t.subject LEFT JOIN visit_place vp ON vp.visit = t.visit"""


def _only(system: ScoreSystem | None) -> str:
    return f"t.system = '{system.name}'" if system else "true"


def _totals(look: Look, system: ScoreSystem | None, rule: tuple[ScoreSystem, Rule] | None) -> str:
    source = "total"
    if rule is not None:
        system = rule[0]
        look.keep("total_by_rule", look.totals_under(*rule))
        source = "total_by_rule"
    return f"""
        SELECT t.subject, t.visit, {DAYS} AS days, s.arm, t.system, t.component, t.reader,
            r.kind AS reader_kind, t.campaign, t.total, t.imputed_sites, t.rule, t.read, c.read_mode,
            t.scored_sites, t.missing_reason
        FROM {source} t LEFT JOIN subject s ON s.subject = t.subject {VISIT} {READER} {CAMPAIGN} {PLACES}
        LEFT JOIN system_place yp ON yp.system = t.system LEFT JOIN reader_place rp ON rp.reader = t.reader
        LEFT JOIN component_place cp ON cp.system = t.system AND cp.component = t.component
        WHERE {_only(system)} AND {_campaign("t", "t")}
        ORDER BY sp.place, t.subject, vp.place, t.visit, yp.place, rp.place, t.reader, t.campaign, t.read,
            coalesce(cp.place, {COMPONENT_LAST})"""


def _site_scores(look: Look, system: ScoreSystem | None, rule: tuple[ScoreSystem, Rule] | None) -> str:
    return f"""
        SELECT t.subject, t.visit, {DAYS} AS days, t.system, t.site, t.feature, t.reader,
            r.kind AS reader_kind, t.campaign, t.grade, t.reason, t.image, t.read, c.read_mode
        FROM site_score t {VISIT} {READER} {CAMPAIGN} {PLACES}
        LEFT JOIN system_place yp ON yp.system = t.system LEFT JOIN reader_place rp ON rp.reader = t.reader
        LEFT JOIN site_place ip ON ip.system = t.system AND ip.site = t.site
        WHERE {_only(system)} AND {_campaign("t", "t")}
        ORDER BY sp.place, t.subject, vp.place, t.visit, yp.place, rp.place, t.reader, t.campaign, t.read,
            ip.place, t.site, t.feature, t.image"""


def _findings(look: Look, system: ScoreSystem | None, rule: tuple[ScoreSystem, Rule] | None) -> str:
    box = ", ".join(
        f"(f.geometry->'box'->>{place})::DOUBLE AS {name}"
        for place, name in enumerate(("x0", "y0", "x1", "y1"))
    )
    return f"""
        SELECT t.subject, t.visit, {DAYS} AS days, f.system, f.image, t.view, u.reader, u.campaign, f.site,
            f.feature, f.grade, f.confidence, to_json(f.grade_probabilities)::VARCHAR AS grade_probabilities,
            {box}, f.geometry, f.abstained, f.compared, f.run, u.weights_hash, f.finding
        FROM finding f LEFT JOIN image t ON t.image = f.image LEFT JOIN run u ON u.run = f.run
        {VISIT} {PLACES}
        LEFT JOIN system_place yp ON yp.system = f.system
        LEFT JOIN site_place ip ON ip.system = f.system AND ip.site = f.site
        WHERE {_only(system).replace("t.", "f.")} AND {_campaign("u", "t")}
        ORDER BY sp.place, t.subject, vp.place, t.visit, yp.place, f.image, f.run, ip.place, f.site,
            f.feature, f.finding"""


def _images(look: Look, system: ScoreSystem | None, rule: tuple[ScoreSystem, Rule] | None) -> str:
    return f"""
        SELECT t.subject, t.visit, {DAYS} AS days, t.image, t.modality, t.body_part, t.view, t.laterality,
            t.assigned_by, t.film_date, t.row_count, t.column_count, t.frame_count, t.spacing_row_mm,
            t.spacing_column_mm, t.photometric, t.bits_stored, t.manufacturer, t.device, t.warnings,
            t.series_uid, t.instance_number, t.spacing_slice_mm,
            to_json(t.orientation)::VARCHAR AS orientation, to_json(t.positions_mm)::VARCHAR AS positions_mm,
            to_json(t.frame_times_ms)::VARCHAR AS frame_times_ms, t.sequence, t.region, t.slice_thickness_mm,
            t.joint, t.mode
        FROM image t {VISIT} {PLACES}
        ORDER BY sp.place, t.subject, vp.place, t.visit, t.body_part, t.view, t.image"""


def _series(look: Look, system: ScoreSystem | None, rule: tuple[ScoreSystem, Rule] | None) -> str:
    from data.queries.answer import Together
    from data.queries.stacks import all_stacks, table

    viewer = Viewer()
    rows = table(all_stacks(Together(look, viewer), viewer))  # type: ignore[arg-type]
    kinds = {"slices": "int64", "readable": "bool"} | dict.fromkeys(_MEASURES, "float64")
    look.keep("found_stack", rows.astype({name: kinds.get(name, "str") for name in rows.columns}))
    return f"""
        SELECT t.subject, t.visit, {DAYS} AS days, t.* EXCLUDE (subject, visit)
        FROM found_stack t {VISIT} {PLACES}
        ORDER BY sp.place, t.subject, vp.place, t.visit, t.modality, t.region, t.sequence, t.stack"""


_MEASURES = ("region_confidence", "sequence_confidence", "spacing_mm", "thickness_mm", "gap_mm")


def _subjects(look: Look, system: ScoreSystem | None, rule: tuple[ScoreSystem, Rule] | None) -> str:
    names = look.query("SELECT DISTINCT name FROM covariate WHERE visit IS NULL ORDER BY name")[
        "name"
    ].tolist()
    taken = {"subject", "arm", "sex", "birth_year", "centre"}
    columns = "".join(
        f", max(CASE WHEN v.name = {_text(name)} THEN coalesce(v.text, {_short('v.number')}) END) "
        f"AS {_identifier(name if name not in taken else f'covariate {name}')}"
        for name in names
    )
    return f"""
        SELECT t.subject, t.arm, t.sex, t.birth_year, t.centre{columns}
        FROM subject t LEFT JOIN covariate v ON v.subject = t.subject AND v.visit IS NULL
        LEFT JOIN subject_place sp ON sp.subject = t.subject
        GROUP BY t.subject, t.arm, t.sex, t.birth_year, t.centre, sp.place ORDER BY sp.place, t.subject"""


def _with_properties(look: Look, sql: str, names: Sequence[str]) -> str:
    """The statement with a column for each property of the patients; raises InputError for an unknown one."""
    if not names:
        return sql
    known = look.query("SELECT DISTINCT name FROM covariate WHERE visit IS NULL ORDER BY name")[
        "name"
    ].tolist()
    own = ["sex", "birth_year", "centre"]
    taken = [*look.query(f"DESCRIBE {sql}")["column_name"], "row_place"]
    unknown = [name for name in names if name not in [*own, *known] or name in taken]
    if unknown:
        raise InputError(
            f"property {unknown[0]}", f"the patients have {', '.join([*own, *known])}", "choose one of these"
        )
    columns = "".join(
        f", s.{name} AS {name}"
        if name in own
        else f", (SELECT max(coalesce(v.text, {_short('v.number')})) FROM covariate v WHERE v.visit IS NULL "
        f"AND v.subject = t.subject AND v.name = {_text(name)}) AS {_identifier(name)}"
        for name in dict.fromkeys(names)
    )
    return f"""
        SELECT t.* EXCLUDE (row_place){columns}
        FROM (SELECT *, row_number() OVER () AS row_place FROM ({sql})) t
        LEFT JOIN subject s ON s.subject = t.subject ORDER BY t.row_place"""


def _short(number: str) -> str:
    """SQL: a number as text, whole ones without a decimal point."""
    return f"regexp_replace({number}::VARCHAR, '\\.0$', '')"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


TABLES: dict[str, Callable[[Look, ScoreSystem | None, tuple[ScoreSystem, Rule] | None], str]] = {
    "totals": _totals,
    "site_scores": _site_scores,
    "findings": _findings,
    "images": _images,
    "series": _series,
    "subjects": _subjects,
}


def _with_numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with covariates, which come as text, as numbers where each is written as the number is."""
    frame = frame.copy(deep=False)
    for name in frame.columns:
        text = frame[name].dropna()
        if name not in NAMES and len(text) and text.map(lambda value: isinstance(value, str)).all():
            numbers = pd.to_numeric(text, errors="coerce")
            if numbers.notna().all() and (numbers.map("{:.15g}".format) == text).all():
                frame[name] = numbers.reindex(frame.index)
    return frame


def _without_formulas(look: Look, sql: str) -> str:
    """The statement with text that a spreadsheet would run as a formula made text."""
    columns = look.query(f"DESCRIBE {sql}")
    kept = []
    for name, kind in zip(columns["column_name"], columns["column_type"], strict=True):
        column = f"t.{_identifier(name)}"
        value = column if kind in NUMBERS else safe_sql(f"{column}::VARCHAR")
        kept.append(f"{value} AS {_identifier(safe_text(name))}")
    return f"SELECT {', '.join(kept)} FROM ({sql}) t"


def _write(look: Look, sql: str, path: Path, origin: str) -> int:
    """Writes the rows beside the target first, in a folder of this account alone: no half file is seen."""
    ending = path.suffix.lower()
    try:
        with TemporaryDirectory(
            prefix=".export_", suffix=".part", dir=path.parent, ignore_cleanup_errors=True
        ) as place:
            draft = Path(place) / path.name
            if ending == ".xlsx":
                rows = write_workbook(_with_numbers(look.query(sql)), draft, origin)
            else:
                kept = f"FORMAT parquet, KV_METADATA {{origin: {_text(origin)}}}"
                how = kept if ending == ".parquet" else "FORMAT csv, HEADER"
                source = sql if ending == ".parquet" else _without_formulas(look, sql)
                rows = int(look.value(f"COPY ({source}) TO {_text(str(draft))} ({how})"))
            os.replace(draft, path)
    except OSError as error:
        raise InputError(
            f"{path} ({error.strerror})", "a file that can be written", "choose another"
        ) from None
    return rows
