"""Site grades to totals: one engine for every score system and rule.

The engine knows no system. It puts the accepted rows on a grid of readings by sites, applies what the system
and the rule say as data (states, combination, filling, choosing) and sums blocks. Where a rule comes from
stands in its ``Rule.source``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.errors import InputError
from core.scores.engine.blocks import Sums, block_sums, choose_blocks, component_sums
from core.scores.engine.combine import combined, combined_units, given_combined, impossible, one_sided
from core.scores.engine.fill import Filled, fill
from core.scores.engine.grid import Grid, grids
from core.scores.engine.reads import Reads, code_reads
from core.scores.engine.reasons import missing_reasons
from core.scores.engine.states import Lifted, apply_states, unit_of_site
from core.scores.system import Choose, Fill, Rule, ScoreSystem


@dataclass(frozen=True)
class TotalsResult:
    """Totals of every reading, and what could not be used.

    totals: one row per reading in order of first appearance: ``subject, visit``, the columns of ``by``,
    ``total``, one column per component, ``scored_sites`` (graded by the reader, among the sites that make the
    total; for combined grades the units that have one), ``imputed_sites``, ``dropped_sites``, ``chosen``
    (blocks chosen, joined by blanks; empty where all count), ``missing_reason``.
    refused: ``row, reason``. queries: readings that a person should look at, ``unit, reason``.
    settings: every setting of the system with the value used. uses_order: whether the order of visits matters
    for a total (it does for every count against the first visit).
    """

    system: ScoreSystem
    rule: Rule
    settings: dict[str, str]
    totals: pd.DataFrame
    refused: pd.DataFrame
    queries: pd.DataFrame
    uses_order: bool = False


def compute(
    frame: pd.DataFrame,
    system: ScoreSystem,
    rule: str | Rule | None = None,
    settings: dict[str, str] | None = None,
    *,
    by: Sequence[str] = ("reader",),
    visits: Iterable[str] | None = None,
) -> TotalsResult:
    """Totals of a long frame ``subject, visit, reader, site, grade`` (``feature`` optional).

    rule: full or short name, the system's default without one. settings: full or short names to values.
    by: columns that with subject and visit name one reading; rules that look at other visits look within
    subject and ``by``, so a caller who passes some visits of a subject must pass all of them.
    visits: order of visits where it is known, else that of the table's column or of the names
    (``core.visit_order``).
    Raises InputError for a missing column, or an unknown rule, setting or joint set.
    """
    used = rule if isinstance(rule, Rule) else system.rule(rule)
    chosen = system.choices(settings)
    wanted = joint_set(system, chosen)
    reads = code_reads(frame, system, by=by, visits=visits)
    pieces = [_piece(reads, grid, used, chosen, wanted) for grid in grids(reads)]
    totals = _joined([piece.totals for piece in pieces], reads)
    queries = pd.concat([piece.queries for piece in pieces]) if pieces else _no_queries(reads)
    refused = pd.concat([reads.refused, *(piece.refused for piece in pieces if len(piece.refused))])
    return TotalsResult(
        system,
        used,
        chosen,
        totals,
        refused.sort_values("row", kind="stable", ignore_index=True),
        queries.sort_values("first_row", kind="stable", ignore_index=True).drop(columns="first_row"),
        uses_order=looks_at_other_visits(used) or _has_surgery(reads),
    )


def looks_at_other_visits(rule: Rule) -> bool:
    """Whether a total under the rule depends on which visit stands before which."""
    return (
        rule.fill in (Fill.OTHER_VISIT, Fill.OTHER_VISIT_PLUS_CHANGE)
        or rule.choose is Choose.WORST_AT_BASELINE
    )


def _has_surgery(reads: Reads) -> bool:
    """Whether an operation at some visit sets grades at the later ones."""
    surgery = [place for place, state in enumerate(reads.system.states) if state.is_surgery]
    return bool((np.isin(reads.state_code, surgery) & (reads.state_grade == 1)).any())


@dataclass(frozen=True)
class _Piece:
    totals: pd.DataFrame
    queries: pd.DataFrame
    refused: pd.DataFrame


@dataclass(frozen=True)
class Steps:
    """The way from the grades of a grid to its sums, step by step; arrays have shape (readings, sites).

    keys: the readings. refused: ``row, reason`` of grades that cannot stand; these are missing in ``given``.
    given: what the readers gave. lifted: after findings at joints. grade: after grades looked up from others.
    asks: units where that lookup asks a question. filled: after the rule for missing sites.
    in_set: sites that pro-rating scales to. sums: of blocks. code: see ``blocks.choose_blocks``.
    """

    keys: pd.DataFrame
    refused: pd.DataFrame
    given: np.ndarray
    lifted: Lifted
    grade: np.ndarray
    asks: np.ndarray
    filled: Filled
    in_set: np.ndarray
    sums: Sums
    code: np.ndarray


def apply_rule(
    reads: Reads, grid: Grid, rule: Rule, settings: dict[str, str], wanted: np.ndarray | None
) -> Steps:
    """Every step for the readings of one grid. wanted: the joint set, see ``joint_set``."""
    system = reads.system
    keys = reads.keys.iloc[grid.keys : grid.keys + len(grid.grade)]
    refused = _refuse_impossible(reads, grid)
    if wanted is not None:
        grid.grade[:, ~wanted] = np.nan
    lifted = apply_states(reads, grid, settings)
    grade, asks = lifted.grade, np.zeros((len(keys), 0), bool)
    if system.combination is not None:
        grade, asks = combined(system, system.combination, grade)
    filled = fill(system, rule, grid, grade)
    in_set = _in_set(system, grid, wanted)
    sums, code = choose_blocks(rule, block_sums(system, rule, filled, in_set), keys, grid.first)
    return Steps(keys, refused, grid.grade, lifted, grade, asks, filled, in_set, sums, code)


def _piece(
    reads: Reads, grid: Grid, rule: Rule, settings: dict[str, str], wanted: np.ndarray | None
) -> _Piece:
    """Totals of the readings of one grid."""
    system = reads.system
    work = apply_rule(reads, grid, rule, settings, wanted)
    keys, sums, code, replaced = work.keys, work.sums, work.code, work.lifted.replaced
    queries = [_queries(keys, reads, *one_sided(system, work.given), _partner_reason(system))]
    queries += _state_queries(reads, grid, keys)
    if system.combination is not None:
        queries += _combination_queries(reads, keys, work.lifted.grade, work.grade, work.asks)
    columns = np.array([site.block in system.total_blocks for site in system.sites])
    graded = ~np.isnan(work.grade) & ~replaced
    imputed = work.filled.imputed | replaced
    totals = pd.DataFrame(
        {
            "total": component_sums(system, sums, code, system.total_blocks),
            **{item.name: component_sums(system, sums, code, item.blocks) for item in system.components},
            "scored_sites": graded[:, columns].sum(axis=1),
            "imputed_sites": _imputed(system, rule, imputed, graded, work.in_set, sums.total),
            "dropped_sites": work.filled.dropped.sum(axis=1),
            "chosen": _chosen(system, rule, sums.counted),
            "missing_reason": pd.array(missing_reasons(system, rule, sums, code), dtype="str"),
        },
        index=keys.index,
    )
    kept = [frame for frame in queries if len(frame)]
    return _Piece(totals, pd.concat(kept) if kept else _no_queries(reads), work.refused)


def joint_set(system: ScoreSystem, settings: dict[str, str]) -> np.ndarray | None:
    """Sites that count as a mask, None where all do."""
    choice = settings.get(f"{system.name}.joint_set", "as_scored")
    if choice == "as_scored":
        return None
    sets = dict(system.joint_sets)
    names = {name.strip().upper() for name in sets.get(choice.casefold(), tuple(choice.split("+")))} - {""}
    joints = {site.unit.split(".")[-1] for site in system.sites}
    if not names or names - joints:
        raise InputError(
            f"joint set {choice}",
            f"as_scored, {', '.join(sets)} or joints of {', '.join(sorted(joints))} are needed",
            "write for example MCP2+MCP3+WR",
        )
    return np.array([site.unit.split(".")[-1] in names for site in system.sites])


def _in_set(system: ScoreSystem, grid: Grid, wanted: np.ndarray | None) -> np.ndarray:
    """Sites that pro-rating scales to: the named set, else those of units with any row in this reading."""
    if wanted is not None:
        return np.broadcast_to(wanted, grid.grade.shape)
    units = unit_of_site(system)
    present = np.zeros((len(grid.grade), len(system.units)), bool)
    for unit in range(len(system.units)):
        present[:, unit] = grid.has_row[:, units == unit].any(axis=1)
    return present[:, units]


def _imputed(
    system: ScoreSystem,
    rule: Rule,
    imputed: np.ndarray,
    graded: np.ndarray,
    in_set: np.ndarray,
    sums: np.ndarray,
) -> np.ndarray:
    """Sites per reading that a rule filled, in blocks that have a sum."""
    if rule.fill == Fill.PRO_RATE:
        imputed = in_set & ~graded
    count = np.zeros(len(imputed), np.int64)
    for number, block in enumerate(system.blocks):
        if block in system.total_blocks:
            columns = np.array([site.block == block for site in system.sites])
            count += np.where(np.isnan(sums[:, number]), 0, imputed[:, columns].sum(axis=1))
    return count


def _chosen(system: ScoreSystem, rule: Rule, counted: np.ndarray) -> pd.api.extensions.ExtensionArray:
    if rule.choose == Choose.ALL:
        return pd.array([""] * len(counted), dtype="str")
    patterns, pattern = np.unique(counted, axis=0, return_inverse=True)
    words = [
        " ".join(block for block, is_in in zip(system.blocks, row, strict=True) if is_in) for row in patterns
    ]
    return pd.array(np.array(words, object)[pattern.ravel()], dtype="str")


def _refuse_impossible(reads: Reads, grid: Grid) -> pd.DataFrame:
    """Rows with a finding that cannot stand alone; their cells become missing."""
    wrong = impossible(reads.system, grid.grade)
    grid.grade[wrong] = np.nan
    if not wrong.any():
        return pd.DataFrame({"row": [], "reason": []})
    rows = grid.rows[wrong[reads.key[grid.rows] - grid.keys, reads.site[grid.rows]]]
    codes, needs = reads.system.codes, reads.system.needs
    why = needs.reason if needs else ""
    return pd.DataFrame(
        {
            "row": reads.row[rows],
            "reason": [f"{codes[site]} is 1 and {why}" for site in reads.site[rows]],
        }
    )


def _partner_reason(system: ScoreSystem) -> str:
    return f"{{unit}}: {system.partner.reason}" if system.partner else ""


def _state_queries(reads: Reads, grid: Grid, keys: pd.DataFrame) -> list[pd.DataFrame]:
    found = []
    for index, state in enumerate(reads.system.states):
        rows = grid.state_rows[
            (reads.state_code[grid.state_rows] == index) & (reads.state_grade[grid.state_rows] == 1)
        ]
        if state.is_query and len(rows):
            mask = np.zeros((len(keys), len(reads.system.units)), bool)
            mask[reads.state_key[rows] - grid.keys, reads.state_unit[rows]] = True
            reason = f"{{unit}}: {state.name}; a reader has to say which"
            found.append(_queries(keys, reads, mask, list(reads.system.units), reason))
    return found


def _combination_queries(
    reads: Reads, keys: pd.DataFrame, given: np.ndarray, derived: np.ndarray, asks: np.ndarray
) -> list[pd.DataFrame]:
    system = reads.system
    combination = system.combination
    assert combination is not None
    units = combined_units(system, combination)
    alone, different = given_combined(system, combination, given, derived)
    rows, columns = combination.rows.upper(), combination.columns.upper()
    return [
        _queries(keys, reads, asks, units, f"{{unit}}: {columns} above 0 with {rows} 0; no combined grade"),
        _queries(
            keys,
            reads,
            alone & ~asks,
            units,
            f"{{unit}}: combined grade without {rows} and {columns}; not counted",
        ),
        _queries(
            keys, reads, different, units, f"{{unit}}: combined grade differs from {rows} and {columns}"
        ),
    ]


def _queries(
    keys: pd.DataFrame, reads: Reads, mask: np.ndarray, units: list[str], reason: str
) -> pd.DataFrame:
    """One row per reading and unit in the mask."""
    row, unit = np.nonzero(mask)
    frame = keys.iloc[row][["subject", "visit", *reads.by, "first_row"]].reset_index(drop=True)
    frame["unit"] = pd.array(units, dtype="str").take(unit)
    frame["reason"] = pd.array([reason.format(unit=name) for name in units], dtype="str").take(unit)
    return frame


def _no_queries(reads: Reads) -> pd.DataFrame:
    return _queries(reads.keys.iloc[:0], reads, np.zeros((0, 0), bool), [], "")


def _joined(pieces: list[pd.DataFrame], reads: Reads) -> pd.DataFrame:
    """Totals beside their keys, in order of first appearance in the file."""
    names = ["subject", "visit", *reads.by]
    order = np.argsort(reads.keys["first_row"].to_numpy(), kind="stable")
    both = pd.concat([reads.keys[names], pd.concat(pieces) if pieces else pd.DataFrame()], axis=1)
    return both.iloc[order].reset_index(drop=True)
