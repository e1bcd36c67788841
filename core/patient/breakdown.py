"""From a total to the sites that make it, and from a change to the sites that made it.

Everything here reads ``core.scores.engine.contributions``, which the totals engine fills: sums of what is
listed are the totals that pages show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.scores.engine.contributions import How, Parts
from core.scores.system import Fill, Rule, Site, State
from core.ties import in_order

EQUAL = 1e-9  # two totals that differ by no more are the same
FROM_READER = (How.GRADED, How.LIFTED, How.SURGERY, How.COMBINED)  # a grade stands behind what the site adds


def reading_of(parts: Parts, label: str, visit: str) -> pd.DataFrame:
    """The sites of one reading (column ``label``), in the order of the system; empty where there is none."""
    sites = parts.sites
    return sites[(sites["label"] == label) & (sites["visit"] == visit)].reset_index(drop=True)


def blocks_of(parts: Parts, component: str = "total") -> tuple[str, ...]:
    """The blocks that a component, or the total, is the sum of."""
    system = parts.system
    if component == "total":
        return system.total_blocks
    return next(item.blocks for item in system.components if item.name == component)


def added(sites: pd.DataFrame) -> float | None:
    """The sum of what sites add; None where one of them belongs to a block without a sum."""
    return None if sites.empty or sites["value"].isna().any() else float(sites["value"].sum())


def branches(parts: Parts, reading: pd.DataFrame) -> pd.DataFrame:
    """The total, then its components, each with what it is made of.

    reading: see ``reading_of``. Columns: ``component, title, value`` (NaN where it has none), ``graded`` and
    ``imputed`` (the shares of value that come from grades and from the rule for missing sites), ``above_0``
    (sites with a grade that add something), ``imputed_sites``, ``not_scored`` (sites without a grade that add
    nothing), ``sites`` (all of it).
    """
    names = [("total", "total"), *((item.name, item.title) for item in parts.system.components)]
    rows = []
    for name, title in names:
        inside = reading[reading["block"].isin(blocks_of(parts, name))]
        is_imputed = inside["how"] == How.IMPUTED
        value = added(inside)
        rows.append(
            {
                "component": name,
                "title": title,
                "value": np.nan if value is None else value,
                "graded": np.nan if value is None else float(inside.loc[~is_imputed, "value"].sum()),
                "imputed": np.nan if value is None else float(inside.loc[is_imputed, "value"].sum()),
                "above_0": int(((inside["value"] > 0) & ~is_imputed).sum()),
                "imputed_sites": int(is_imputed.sum()),
                "not_scored": int(inside["how"].isin([How.MISSING, How.DROPPED]).sum()),
                "sites": len(inside),
            }
        )
    return pd.DataFrame(rows)


def making(parts: Parts, reading: pd.DataFrame, component: str = "total") -> pd.DataFrame:
    """The sites that a total or component is made of, largest share first, then from head to foot.

    Sites that add something, that the rule put in, or that were not scored; what is left out has grade 0 (or,
    where blocks are chosen, stands in a block that does not count and has grade 0).
    """
    inside = reading[reading["block"].isin(blocks_of(parts, component))]
    graded = inside["counts"].fillna(0) > 0
    open_ = inside["how"].isin([How.IMPUTED, How.MISSING, How.DROPPED])
    kept = inside[graded | open_ | (inside["value"].fillna(0) != 0)]
    order = in_order(kept["value"].fillna(kept["counts"]).fillna(-1.0), largest_first=True)
    return kept.iloc[order].reset_index(drop=True)


# -- where a number comes from -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Origin:
    """Why a site adds what it adds.

    text: in one or two sentences. sources: the grades it was taken from, ``site, visit, grade``; empty where
    the reader graded the site.
    """

    text: str
    sources: pd.DataFrame


def origin(parts: Parts, row: pd.Series, findings: Sequence[str] = ()) -> Origin:
    """How one site of one reading came to what it adds; ``row`` is a row of ``parts.sites``.

    findings: codes of the findings that the reader gave at this joint, for the query among them.
    """
    system, how = parts.system, How(row["how"])
    site = system.by_code[row["site"]]
    if how == How.IMPUTED:
        return _imputed(parts, row, site)
    if how in (How.LIFTED, How.SURGERY):
        return _by_finding(parts, row, site)
    if how == How.COMBINED:
        return _combined(parts, row, site)
    if how == How.DROPPED:
        own = _own(parts, row)
        gaps = own[(own["site"] == row["site"]) & own["grade"].isna()]
        visits = ", ".join(gaps["visit"])
        return Origin(f"Left out at every visit: not scored at {visits}.", _sources(gaps.iloc[:0]))
    if how == How.NOT_CHOSEN:
        text = f"Its {system.block_title}, {site.block}, is not among the {parts.rule.count} that count."
        return Origin(text, _no_sources())
    if how == How.MISSING:
        return Origin("Not scored, and the rule puts nothing in.", _no_sources())
    asked = [state.name for state in system.states if state.code in findings and state.is_query]
    query = f" {asked[0].capitalize()} at this joint: a reader has to say which." if asked else ""
    return Origin(f"Counts as graded.{query}", _no_sources())


def _imputed(parts: Parts, row: pd.Series, site: Site) -> Origin:
    rule = parts.rule
    if rule.fill in (Fill.BLOCK_MEAN, Fill.PRO_RATE):
        return _from_block(parts, row, site)
    own = _own(parts, row)
    there = own[own["visit"] == row["donor"]]
    from_ = there[there["site"] == row["site"]]
    grade = float(from_["grade"].iloc[0])
    if rule.fill == Fill.OTHER_VISIT:
        text = f"Not scored here: takes the reader's grade of {row['donor']}, {grade:g}."
        return Origin(text, _sources(from_))
    here = own[own["visit"] == row["visit"]].set_index("site")["grade"]
    both = there[there["block"] == site.block].assign(now=lambda rows: rows["site"].map(here))
    both = both[both["grade"].notna() & both["now"].notna()]
    change = float((both["now"] - both["grade"]).mean())
    moved = grade + change
    kept = "" if abs(moved - row["counts"]) < EQUAL else f", kept within 0-{site.maximum}"
    text = (
        f"Not scored here: grade of {row['donor']}, {grade:g}, plus the mean change of "
        f"{_count(len(both), parts)} of the {_block(parts, site)} scored at both visits, {change:+.3g}{kept} "
        f"= {row['counts']:.4g}."
    )
    now = both.assign(visit=row["visit"], grade=both["now"])
    return Origin(text, _sources(pd.concat([from_, both, now])))


def _from_block(parts: Parts, row: pd.Series, site: Site) -> Origin:
    own = _own(parts, row)
    here = own[(own["visit"] == row["visit"]) & (own["block"] == site.block)]
    scored = here[here["how"].isin(FROM_READER)]
    what = "Not scored" if parts.rule.fill == Fill.BLOCK_MEAN else "Not scored, the sum is scaled up"
    text = (
        f"{what}: mean of {_count(len(scored), parts, scored=True)} of the {_block(parts, site)} = "
        f"{row['counts']:.4g}."
    )
    return Origin(text, _sources(scored))


def _by_finding(parts: Parts, row: pd.Series, site: Site) -> Origin:
    state = next(state for state in parts.system.states if state.code == row["state"])
    feature = parts.system.by_feature[site.feature].name
    given = "no grade" if pd.isna(row["given"]) else f"{row['given']:g}"
    if state.is_surgery:
        return _after_surgery(parts, row, state)
    under = _under(parts, state, site.feature)
    return Origin(
        f"{state.name.capitalize()} at this joint: {feature} counts as {row['grade']:g}{under}; the reader "
        f"gave {given}.",
        _no_sources(),
    )


def _under(parts: Parts, state: State, feature: str) -> str:
    """The setting under which a finding lifts this feature, where it needs one."""
    if feature in dict(state.lifts):
        return ""
    value = parts.settings[state.setting]
    return f" under `{state.setting}` = {value}"


def _after_surgery(parts: Parts, row: pd.Series, state: State) -> Origin:
    setting = f"{parts.system.name}.after_surgery"
    value = parts.settings[setting]
    own = _own(parts, row)
    before = own[(own["site"] == row["site"]) & (own["visit"] == row["donor"])]
    took = f"its grade of {row['donor']}, {row['grade']:g}" if row["donor"] else f"{row['grade']:g}"
    text = f"{state.name.capitalize()} at this joint: counts as {took}, under `{setting}` = {value}."
    return Origin(text, _sources(before))


def _combined(parts: Parts, row: pd.Series, site: Site) -> Origin:
    combination = parts.system.combination
    assert combination is not None
    own = _own(parts, row)
    units = {one.code: (one.unit, one.feature) for one in parts.system.sites}
    wanted = [(site.unit, combination.rows), (site.unit, combination.columns)]
    two = own[(own["visit"] == row["visit"]) & own["site"].map(units).isin(wanted)]
    grades = " and ".join(
        f"{units[one.site][1].upper()} {one.grade:g}" for one in two.itertuples() if pd.notna(one.grade)
    )
    return Origin(f"Looked up from {grades}: {row['grade']:g}.", _sources(two))


def _own(parts: Parts, row: pd.Series) -> pd.DataFrame:
    """All visits of the reading's reader."""
    sites = parts.sites
    return sites[(sites["subject"] == row["subject"]) & (sites["label"] == row["label"])]


def _block(parts: Parts, site: Site) -> str:
    return f"{site.block} {parts.system.block_title}"


def _count(number: int, parts: Parts, *, scored: bool = False) -> str:
    word = parts.system.site_title
    word = word.removesuffix("s") if number == 1 else word
    return f"{number} {'scored ' if scored else ''}{word}"


def _sources(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[["site", "visit", "grade"]].reset_index(drop=True)


def _no_sources() -> pd.DataFrame:
    return pd.DataFrame({"site": [], "visit": [], "grade": []})


def sources_text(sources: pd.DataFrame, visit: str) -> str:
    """The grades a number was taken from, in one line; the visit is named where it is another one."""
    return ", ".join(
        f"{row.site} {row.grade:g}" + (f" ({row.visit})" if row.visit != visit else "")
        for row in sources.itertuples()
    )


def rule_text(rule: Rule) -> str:
    """Title and wording of a rule, with what it rests on."""
    source = f" Source: {rule.source}" + ("" if rule.is_verified else ", not verified in the primary paper")
    return f"{rule.title}: {rule.text}{source}."


# -- why did it change ---------------------------------------------------------------------------------------


def changes(
    parts: Parts, labels: Sequence[str], first: str, last: str, component: str = "total"
) -> pd.DataFrame:
    """What each site added to the change of a total between two visits, largest first.

    labels: one reading, or several for the change of their mean; only those with the total at both visits
    count. Columns: ``site, graded`` (change between two grades), ``imputed`` (change where the rule for
    missing sites put in one of the two values or both), ``change`` (their sum), one row a site with a change
    other than 0. The sum over all rows is the change of the total. Empty where no reading has both totals.
    """
    blocks = blocks_of(parts, component)
    known = [label for label in labels if _has_both(parts, label, first, last, blocks)]
    tables = [_change(parts, label, first, last, blocks) for label in known]
    if not tables:
        return pd.DataFrame({"site": [], "graded": [], "imputed": [], "change": []})
    columns = ["graded", "imputed", "change"]
    mean = sum((table[columns] for table in tables[1:]), tables[0][columns]) / len(tables)
    moved = mean[(mean.abs() > EQUAL).any(axis=1)]
    order = in_order(moved["change"].abs(), largest_first=True)
    return moved.iloc[order].reset_index(names="site")


def counted_labels(parts: Parts, labels: Sequence[str], first: str, last: str) -> list[str]:
    """Those of the readings that have the total at both visits."""
    return [label for label in labels if _has_both(parts, label, first, last, blocks_of(parts))]


def _has_both(parts: Parts, label: str, first: str, last: str, blocks: tuple[str, ...]) -> bool:
    both = (reading_of(parts, label, visit) for visit in (first, last))
    return first != last and all(added(one[one["block"].isin(blocks)]) is not None for one in both)


def _change(parts: Parts, label: str, first: str, last: str, blocks: tuple[str, ...]) -> pd.DataFrame:
    """One reading's change by site, in the order of the system."""
    before, after = (reading_of(parts, label, visit).set_index("site") for visit in (first, last))
    inside = before["block"].isin(blocks)
    change = (after["value"] - before["value"])[inside]
    put_in = ((before["how"] == How.IMPUTED) | (after["how"] == How.IMPUTED))[inside]
    return pd.DataFrame(
        {"graded": change.where(~put_in, 0.0), "imputed": change.where(put_in, 0.0), "change": change}
    )
