"""Who may see what, decided here and nowhere else.

A query made for a viewer does not see the tables of the cohort but views of the same names, which hold the
current rows and only what this viewer may see. A page's query therefore cannot forget the rule.

- Nobody sees the arm while the study is blinded, nor what would give it away: covariates are left out unless
  their name is known to be clinical or a person confirmed it (``data.store.treatment_names``).
- Nobody sees a film that is held back (text in its pixels may name the patient); analysts see that it is.
- A blinded reader sees films, and his or her own scores; no arm, no centre, no other reader, no model, no
  covariate, no date. Visits have a code that says nothing about their order: who knows it sees more
  progression (Wanders 2004).
"""

from __future__ import annotations

from dataclasses import dataclass

from core.domain import BIRTH_YEAR, CohortFilter, Role, Viewer
from core.errors import NotAllowed
from core.facets import by_name

CURRENT = "superseded_by IS NULL"
NOTHING = "false"
HELD_FILMS = "held_image"  # the view of films that are held back
FILM_NOT_HELD = "held IS NULL"


@dataclass(frozen=True)
class Policy:
    """What a viewer may see of one cohort.

    reader: the only reader whose scores may be seen; None where all may be.
    """

    sees_arm: bool
    sees_order: bool
    reader: str | None

    @property
    def sees_all_readers(self) -> bool:
        return self.reader is None


def policy(viewer: Viewer, *, blinded: bool) -> Policy:
    """What this viewer may see. A reader without a name sees no scores at all."""
    if viewer.role is Role.READER:
        return Policy(sees_arm=False, sees_order=False, reader=viewer.reader or "")
    return Policy(sees_arm=not blinded, sees_order=True, reader=None)


def views(
    allowed: Policy, tables: dict[str, dict[str, str]], database: str, as_of: int | None = None
) -> dict[str, str]:
    """View name -> SELECT over the stored table of that name, for every table of the cohort.

    The variables ``viewer_reader`` and ``mask_key`` must be set on the connection, and ``held_covariates``
    where the arm is hidden, before the view of ``covariate`` is used.
    tables: table -> column -> type, as stored. A table without a rule below is shown to analysts only.
    database: DuckDB's name of the opened file, quoted. as_of: an earlier version, for its rows.
    """
    shown = {name: _select(name, columns, allowed, database, as_of) for name, columns in tables.items()}
    lacking = {name: _empty(columns) for name, columns in TABLES_ADDED_LATER.items() if name not in tables}
    return shown | lacking | {HELD_FILMS: _held(tables, allowed, database)}


def _empty(columns: dict[str, str]) -> str:
    """A table without rows."""
    names = ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in columns.items())
    return f"SELECT {names} WHERE {NOTHING}"


def _held(tables: dict[str, dict[str, str]], allowed: Policy, database: str) -> str:
    """Films that are held back, with their reasons: for analysts, who decide on them."""
    columns = {**tables.get("image", {}), "held": "VARCHAR"}
    names = ", ".join(f'"{name}"' for name in columns if name != "held")
    is_there = allowed.sees_order and "held" in tables.get("image", {})
    source = f"{database}.main.image WHERE {CURRENT} AND held IS NOT NULL"
    if is_there:
        return f"SELECT {names}, held FROM {source}"
    return f"SELECT {names}, NULL::VARCHAR AS held FROM {database}.main.image WHERE {NOTHING}"


def _select(
    table: str, columns: dict[str, str], allowed: Policy, database: str, as_of: int | None = None
) -> str:
    lacking = {name: kind for name, kind in ADDED_LATER.get(table, {}).items() if name not in columns}
    columns = {**columns, **lacking}
    hidden = dict(ALWAYS_HIDDEN.get(table, {})) | dict.fromkeys(lacking, "NULL")
    where = _when(columns, as_of)
    if table == "image" and "held" not in lacking:
        where.append(FILM_NOT_HELD)
    if as_of is not None and "superseded_by" in columns:
        hidden["superseded_by"] = "NULL"
    if not allowed.sees_arm:
        hidden |= GIVES_ARM_AWAY.get(table, {})
        where += [NOT_HELD] if table == "covariate" else []
    if not allowed.sees_order:
        if table not in FOR_READERS:
            where.append(NOTHING)
        hidden |= dict.fromkeys(HIDDEN_FROM_READERS.get(table, ()), "NULL")
        if "visit" in columns:
            hidden["visit"] = MASKED_VISIT
        if "series_uid" in columns:
            hidden["series_uid"] = MASKED_SERIES
    if not allowed.sees_all_readers and "reader" in columns:
        where.append("reader = getvariable('viewer_reader')")
    shown = [_shown(name, kind, hidden.get(name)) for name, kind in columns.items()]
    condition = f" WHERE {' AND '.join(where)}" if where else ""
    return f'SELECT {", ".join(shown)} FROM {database}.main."{table}"{condition}'


def _when(columns: dict[str, str], as_of: int | None) -> list[str]:
    """Conditions that leave the rows that are current, or were as of a version."""
    if as_of is None or "event" not in columns:
        return [CURRENT] if "superseded_by" in columns else []
    later = f" AND (superseded_by IS NULL OR superseded_by > {int(as_of)})"
    return [f"event <= {int(as_of)}" + (later if "superseded_by" in columns else "")]


def _shown(name: str, kind: str, instead: str | None) -> str:
    return f'"{name}"' if instead is None else f'CAST({instead} AS {kind}) AS "{name}"'


MASKED_VISIT = (
    "CASE WHEN visit IS NULL THEN NULL "
    "ELSE 'film ' || left(md5(getvariable('mask_key') || ':' || subject || ':' || visit), 6) END"
)
MASKED_SERIES = "'series ' || left(md5(getvariable('mask_key') || ':' || series_uid), 12)"
FOR_READERS = ("subject", "visit", "image", "reader", "campaign", "site_score", "total")
GIVES_ARM_AWAY: dict[str, dict[str, str]] = {
    "subject": {"arm": "NULL"},
    "refused": {
        "content": "NULL",
        # reasons that earlier versions kept: "P001: arm is Active in the cohort, x here; needs ..."
        "reason": "CASE WHEN contains(reason, ' in the cohort, ') THEN regexp_replace(reason, "
        "'(: |; )(arm|text|number) is .* in the cohort, .* here', '\\1\\2 differs from the cohort', 's') "
        "ELSE reason END",
    },
    "event": {"details": "NULL"},
    "frozen": {"settings": "NULL", "results": "NULL"},
}
NOT_HELD = "NOT list_contains(getvariable('held_covariates'), name)"
HIDDEN_FROM_READERS: dict[str, tuple[str, ...]] = {
    "subject": ("centre", "birth_year", "sex", "baseline_date", "event"),
    "visit": ("visit_order", "planned_day", "window_before", "window_after", "day", "event"),
    "image": ("film_date", "study_uid", "sop_uid", "assigned_by", "event"),
    "site_score": ("run", "event"),
}
ADDED_LATER: dict[str, dict[str, str]] = {  # empty in a cohort that nothing was written to since
    "finding": {"compared": "VARCHAR"},
    "image": {
        "instance_number": "INTEGER", "spacing_slice_mm": "DOUBLE", "orientation": "DOUBLE[]",
        "positions_mm": "DOUBLE[]", "frame_times_ms": "DOUBLE[]", "preview_hash": "VARCHAR",
        "held": "VARCHAR", "sequence": "VARCHAR", "region": "VARCHAR", "slice_thickness_mm": "DOUBLE",
        "acquisition": "VARCHAR", "joint": "VARCHAR", "mode": "VARCHAR", "areas": "VARCHAR",
    },
}  # fmt: skip
TABLES_ADDED_LATER: dict[str, dict[str, str]] = {  # likewise
    "outline": {
        "run": "VARCHAR", "image": "VARCHAR", "frame": "INTEGER", "structure": "VARCHAR", "name": "VARCHAR",
        "part": "INTEGER", "polygon": "VARCHAR", "event": "BIGINT", "superseded_by": "BIGINT",
    },
    "stack_slice": {
        "run": "VARCHAR", "image": "VARCHAR", "stack": "VARCHAR", "read_as": "VARCHAR", "event": "BIGINT",
        "superseded_by": "BIGINT",
    },
    "diagnosis_chance": {
        "run": "VARCHAR", "image": "VARCHAR", "task": "VARCHAR", "probability": "DOUBLE", "event": "BIGINT",
        "superseded_by": "BIGINT",
    },
}  # fmt: skip
ALWAYS_HIDDEN: dict[str, dict[str, str]] = {
    "meta": {"value": "CASE WHEN key = 'mask_key' THEN NULL ELSE value END"},
}


AT_BASELINE = (
    "subject IN (SELECT c.subject FROM covariate c LEFT JOIN (SELECT subject, arg_min(visit, visit_order) AS "
    "visit FROM visit GROUP BY subject) f ON f.subject = c.subject WHERE c.name = {name} AND "
    "(c.visit IS NULL OR c.visit = f.visit) AND {condition})"
)


def selection(chosen: CohortFilter, allowed: Policy) -> tuple[str, dict[str, object]]:
    """SQL that yields the column ``subject`` of the patients that a filter selects, and its named parameters.

    For use as ``WHERE subject IN (<sql>)`` in a query made for a viewer.
    Raises NotAllowed for a filter by something this viewer may not see.
    """
    if chosen.arms and not allowed.sees_arm:
        raise NotAllowed("a filter by arm", "arms are not shown in a blinded study", "clear the arm filter")
    if chosen.visits and not allowed.sees_order:
        raise NotAllowed("a filter by visit", "visits are not named to a reader", "clear the visit filter")
    of_patients = (chosen.sexes, chosen.covariates, chosen.centres, chosen.ranges)
    if any(of_patients) and not allowed.sees_order:
        raise NotAllowed(
            "a filter by a property of patients", "these are not shown to a reader", "clear the filter"
        )
    conditions = ["true"]
    values: dict[str, object] = {}
    lists = (chosen.arms, chosen.sexes, chosen.centres, chosen.subjects)
    for column, wanted in zip(("arm", "sex", "centre", "subject"), lists, strict=True):
        if wanted:
            conditions.append(f"list_contains($filter_{column}, {column})")
            values[f"filter_{column}"] = list(wanted)
    for number, (name, levels) in enumerate(by_name(chosen).items()):
        is_level = (
            f"(list_contains($level_{number}, c.text) "
            f"OR list_contains(list_transform($level_{number}, lambda x: TRY_CAST(x AS DOUBLE)), c.number))"
        )
        conditions.append(AT_BASELINE.format(name=f"$covariate_{number}", condition=is_level))
        values |= {f"covariate_{number}": name, f"level_{number}": list(levels)}
    for number, (name, *limits) in enumerate(chosen.ranges):
        column = "birth_year" if name == BIRTH_YEAR else "c.number"
        inside = " AND ".join(
            f"{column} {sign} $limit_{number}_{sign == '<='}"
            for sign, limit in zip((">=", "<="), limits, strict=True) if limit is not None
        ) or f"{column} IS NOT NULL"  # fmt: skip
        is_born = name == BIRTH_YEAR
        conditions.append(
            inside if is_born else AT_BASELINE.format(name=f"$range_{number}", condition=inside)
        )
        values |= {} if is_born else {f"range_{number}": name}
        values |= {
            f"limit_{number}_{is_high}": float(limit)
            for is_high, limit in zip((False, True), limits, strict=True) if limit is not None
        }  # fmt: skip
    return f"SELECT subject FROM subject WHERE {' AND '.join(conditions)}", values
