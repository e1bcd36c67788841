"""Why a total is missing, in words."""

from __future__ import annotations

import numpy as np

from core.scores.engine.blocks import Sums
from core.scores.engine.fill import block_columns
from core.scores.system import Choose, Fill, Rule, ScoreSystem

NAMED = 3  # blocks named one by one; more are counted


def missing_reasons(system: ScoreSystem, rule: Rule, sums: Sums, code: np.ndarray) -> np.ndarray:
    """One text per reading, None where the total stands. Built once for each pattern of gaps."""
    columns = [system.blocks.index(block) for block in system.total_blocks]
    gaps = np.where(sums.counted[:, columns], sums.gaps[:, columns], 0)
    if rule.choose != Choose.ALL:
        gaps = np.where((code == 1)[:, None], sums.gaps[:, columns], gaps)
    bad = np.flatnonzero((gaps > 0).any(axis=1) | (code > 0))
    texts = np.full(len(gaps), None, object)
    patterns, pattern = np.unique(np.column_stack([code[bad], gaps[bad]]), axis=0, return_inverse=True)
    words = np.array([_text(system, rule, int(row[0]), row[1:]) for row in patterns], object)
    if len(bad):
        texts[bad] = words[pattern.ravel()]
    return texts


def _text(system: ScoreSystem, rule: Rule, code: int, gaps: np.ndarray) -> str:
    sizes = [len(columns) for name, columns in block_columns(system).items() if name in system.total_blocks]
    if code == 1:
        at = "at baseline " if rule.choose == Choose.WORST_AT_BASELINE else ""
        fine = int((gaps == 0).sum())
        return f"{fine} of {len(gaps)} {system.block_title}s scorable {at}, {rule.count} needed".replace(
            " ,", ","
        )
    if code == 2:
        return "this reader has no baseline reading of this subject"
    short = [number for number in range(len(gaps)) if gaps[number] > 0]
    names = [system.total_blocks[number] for number in short]
    if code == 3:
        return f"chosen at baseline and not scorable at this visit: {', '.join(names)}"
    if len(short) > NAMED:
        return f"{len(short)} of {len(gaps)} {system.block_title}s not scorable"
    return "; ".join(
        _gap(system, rule, name, int(gaps[number]), sizes[number])
        for name, number in zip(names, short, strict=True)
    )


def _gap(system: ScoreSystem, rule: Rule, block: str, gap: int, size: int) -> str:
    if rule.fill in (Fill.GRADED_ONLY, Fill.PRO_RATE):
        return f"no {system.site_title.rstrip('s')} has all it needs for the {block} {system.block_title}"
    if rule.fill == Fill.DROP_SITE:
        return f"{block}: none of {size} {system.site_title} scored at every visit"
    if rule.fill in (Fill.OTHER_VISIT, Fill.OTHER_VISIT_PLUS_CHANGE):
        return f"{block}: {gap} of {size} {system.site_title} missing, with no other visit to take them from"
    text = f"{block}: {gap} of {size} {system.site_title} missing"
    if rule.max_missing is not None:
        return f"{text}, at most {rule.max_missing} allowed"
    return f"{text}, at least {rule.min_share:.0%} must be scored" if rule.min_share is not None else text
