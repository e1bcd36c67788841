"""What changed in one patient between two visits, site by site, and who saw it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core.reader_labels import people
from core.scores.system import ScoreSystem
from core.ties import TIE, tied


def site_changes(
    grades: pd.DataFrame, system: ScoreSystem, first: str, last: str, kinds: dict[str, str]
) -> pd.DataFrame:
    """Sites with a change between two visits in any reading, largest first, then from head to foot.

    grades: one patient; columns ``site, visit, label, grade``. kinds: label -> kind, in the order of columns.
    Columns: ``site, name, mean_change`` (of people; NA without one who graded both), one column per label as
    "0 → 2" (a dash where not graded), ``seen_by`` (people who see a change in the direction of the mean),
    ``readers`` (people who graded both), ``all_see_it``.
    """
    cells = _cells(grades, (first, last))
    rows = [_site(cells[code], code, first, last, kinds) for code in system.codes if code in cells]
    frame = pd.DataFrame([row for row in rows if row["_changed"]])
    if frame.empty:
        return pd.DataFrame(
            columns=["site", "name", "mean_change", *kinds, "seen_by", "readers", "all_see_it"]
        )
    frame.insert(1, "name", [system.by_code[code].name for code in frame["site"]])
    frame["mean_change"] = frame["mean_change"].astype("float64")
    size = tied(frame["mean_change"].abs().fillna(0))
    order = pd.DataFrame({"seen": -frame["seen_by"], "size": -size}).sort_values(
        ["seen", "size"], kind="stable"
    )
    return frame.drop(columns="_changed").loc[order.index].reset_index(drop=True)


def by_joint(changed: pd.DataFrame, system: ScoreSystem) -> pd.DataFrame:
    """The sites that changed with the features of one joint (erosion, narrowing) under each other.

    changed: of ``site_changes``. A joint stands where its first site stood; a system with one feature keeps
    its order.
    """
    if len(system.features) < 2 or changed.empty:
        return changed
    units = [system.by_code[site].unit for site in changed["site"]]
    order = pd.DataFrame({"unit": [units.index(unit) for unit in units], "row": range(len(units))})
    return changed.iloc[order.sort_values(["unit", "row"]).index].reset_index(drop=True)


def chance_of_change(
    findings: pd.DataFrame, films: pd.DataFrame, site: str, first: str, last: str
) -> float | None:
    """A model's probability that a site's grade differs between two visits, 0 to 1; None where it gives none.

    findings: columns ``image, site, compared`` (other image -> probability). films: ``image, visit``.
    """
    visit_of = dict(zip(films["image"], films["visit"], strict=True))
    here = findings[(findings["site"] == site) & findings["image"].map(visit_of).eq(last)]
    chances = [
        chance
        for compared in here["compared"]
        for image, chance in compared.items()
        if visit_of.get(image) == first
    ]
    return float(chances[0]) if chances else None


def _cells(grades: pd.DataFrame, visits: tuple[str, str]) -> dict[str, dict[tuple[str, str], int]]:
    """Every site of the frame -> (label, visit) -> grade, where one was given at one of the visits."""
    cells: dict[str, dict[tuple[str, str], int]] = {site: {} for site in grades["site"].tolist()}
    graded = grades[grades["grade"].notna() & grades["visit"].isin(visits)]
    names = (graded[name].tolist() for name in ("site", "label", "visit"))
    for site, label, visit, grade in zip(*names, graded["grade"].astype(int).tolist(), strict=True):
        cells[site][label, visit] = grade
    return cells


def _site(
    cell: dict[tuple[str, str], int], code: str, first: str, last: str, kinds: dict[str, str]
) -> dict[str, Any]:
    pairs = {label: (cell.get((label, first)), cell.get((label, last))) for label in kinds}
    change = {label: b - a for label, (a, b) in pairs.items() if a is not None and b is not None}
    judges = [change[label] for label in people(kinds) if label in change]
    mean = sum(judges) / len(judges) if judges else None
    seen = sum(1 for value in judges if mean and abs(mean) > TIE and value * mean > 0)
    return {
        "site": code,
        "mean_change": mean,
        **{label: f"{_text(a)} → {_text(b)}" for label, (a, b) in pairs.items()},
        "seen_by": seen,
        "readers": len(judges),
        "all_see_it": bool(judges) and seen == len(judges),
        "_changed": any(change.values()),
    }


def _text(grade: int | None) -> str:
    return "–" if grade is None else str(grade)


def confirmed_share(grades: pd.DataFrame, first: str, last: str, labels: list[str]) -> tuple[int, int]:
    """(confirmed, seen): site changes that one person saw between two visits, and how many another saw too.

    grades: any number of patients; columns ``subject, site, feature, visit, label, grade``. Only sites that
    both graded at both visits count; every ordered pair of people is counted; a change is confirmed when the
    other one sees a change in the same direction. The yardstick for a single site's change:
    at a single joint it is mostly noise (Lukas 2009).
    """
    wanted = grades[grades["label"].isin(labels) & grades["visit"].isin([first, last])]
    if wanted.empty:
        return 0, 0
    table = wanted.pivot_table(
        index=["subject", "site", "feature"], columns=["label", "visit"], values="grade", aggfunc="first"
    ).astype("float64")
    have = [label for label in labels if (label, first) in table and (label, last) in table]
    change = {label: table[(label, last)] - table[(label, first)] for label in have}
    confirmed = seen = 0
    for one in have:
        for other in have:
            if one != other:
                both = change[one].notna() & change[other].notna() & (change[one] != 0)
                seen += int(both.sum())
                confirmed += int((change[one][both] * change[other][both] > 0).sum())
    return confirmed, seen
