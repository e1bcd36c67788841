"""The array engine against a slow twin: plain loops over dictionaries, one reading at a time."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import scores
from core.scores.engine import grid
from core.scores.engine.totals import compute

VISITS = ["BL", "W52", "W104"]


def twin(frame, system, rule):
    """Total and components of every reading, None where the rule forbids one."""
    readings: dict[tuple, dict[str, float | None]] = {}
    for row in frame.itertuples():
        readings.setdefault((row.subject, row.visit, row.reader), {})[row.site] = (
            None if pd.isna(row.grade) else row.grade
        )
    return {key: twin_reading(key, readings, system, rule) for key in readings}


def twin_reading(key, readings, system, rule):
    own = {site.code: readings[key].get(site.code) for site in system.sites}
    if system.name == "synovitis":
        return twin_synovitis(own, readings[key], rule)
    filled = twin_filled(key, own, readings, system, rule)
    blocks = {}
    for block in system.blocks:
        values = [filled[site.code] for site in system.sites if site.block == block and site.code in filled]
        blocks[block] = sum(values) if values and all(value is not None for value in values) else None
    if system.name == "sparcc" and rule != "all_23":
        return twin_six(key, readings, system, rule, blocks)
    return [added(blocks, names) for names in [system.total_blocks, *(c.blocks for c in system.components)]]


def added(blocks, names):
    values = [blocks[name] for name in names]
    return None if any(value is None for value in values) else sum(values)


def others(key, readings, site):
    """Other visits where this reader scored the site: nearest earlier ones first, then later ones."""
    subject, visit, reader = key
    here = VISITS.index(visit)
    order = VISITS[:here][::-1] + VISITS[here + 1 :]
    for other in order:
        grade = readings.get((subject, other, reader), {}).get(site)
        if grade is not None:
            yield other, grade


def twin_filled(key, own, readings, system, rule):
    filled = {}
    for site in system.sites:
        block = [item.code for item in system.sites if item.block == site.block]
        scored = [own[code] for code in block if own[code] is not None]
        missing = len(block) - len(scored)
        value = own[site.code]
        if rule == "drop_joint":
            visits = [visit for visit in VISITS if (key[0], visit, key[2]) in readings]
            if any(readings[(key[0], visit, key[2])].get(site.code) is None for visit in visits):
                continue
        elif value is None and (
            (rule == "seg_mean" and missing <= 3)
            or (rule == "block_mean" and scored and len(scored) >= len(block) / 2)
        ):
            value = sum(scored) / len(scored)
        elif value is None and rule in ("paired_nochange", "carry"):
            value = next((grade for _, grade in others(key, readings, site.code)), None)
        elif value is None and rule == "paired_meanchange":
            value = twin_meanchange(key, own, readings, site, block)
        filled[site.code] = value
    return filled


def twin_meanchange(key, own, readings, site, block):
    for other, grade in others(key, readings, site.code):
        then = readings[(key[0], other, key[2])]
        changes = [
            own[code] - then[code] for code in block if own[code] is not None and then.get(code) is not None
        ]
        return min(3, max(0, grade + sum(changes) / len(changes))) if changes else None
    return None


def twin_six(key, readings, system, rule, blocks):
    if rule == "same_six_as_baseline":
        first = next(v for v in VISITS if any((key[0], v, reader) in readings for reader in ("R1", "R2")))
        base = readings.get((key[0], first, key[2]))
        if base is None:
            return [None] * 4
        chooser = {
            unit: added_items(base, [site.code for site in system.sites if site.unit == unit])
            for unit in system.blocks
        }
    else:
        chooser = blocks
    fine = [unit for unit in system.blocks if chooser[unit] is not None]
    if len(fine) < 6:
        return [None] * 4
    six = sorted(fine, key=lambda unit: (-chooser[unit], system.blocks.index(unit)))[:6]
    return [
        added(blocks, [unit for unit in six if unit in names])
        for names in [system.total_blocks, *(c.blocks for c in system.components)]
    ]


def added_items(grades, codes):
    values = [grades.get(code) for code in codes]
    return None if any(value is None for value in values) else sum(values)


def twin_synovitis(own, rows, rule):
    joints = {code.rpartition(".")[0] for code in rows}
    sums = {"gs": [], "pd": [], "combined": []}
    for joint in joints:
        gs, pd_ = own[f"{joint}.GS"], own[f"{joint}.PD"]
        both = gs is not None and pd_ is not None
        combined = (max(gs, pd_) if gs else (0 if pd_ == 0 else None)) if both else None
        for name, value in (("gs", gs), ("pd", pd_), ("combined", combined)):
            if value is not None:
                sums[name].append(value)
    scale = {
        name: len(joints) / len(values) if rule == "pro_rate" and values else 1
        for name, values in sums.items()
    }
    out = {name: sum(values) * scale[name] if values else None for name, values in sums.items()}
    return [out["combined"], out["gs"], out["pd"], out["combined"]]


@st.composite
def readings(draw, system):
    """Random readings of a few subjects; sites may be empty or lack a row, rows stand in any order."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    empty, absent = draw(st.sampled_from([0.0, 0.02, 0.15, 0.5])), draw(st.sampled_from([0.0, 0.02, 0.3]))
    rows = []
    for subject in ("P1", "P2"):
        for reader in ("R1", "R2"):
            for visit in VISITS:
                if rng.random() < 0.2:
                    continue
                rows += [
                    (
                        subject,
                        visit,
                        reader,
                        site.code,
                        np.nan if rng.random() < empty else grade_of(rng, site),
                    )
                    for site in system.sites
                    if rng.random() >= absent and not site.code.endswith(".CS")
                ]
    first = [("P0", visit, "R1", "none", np.nan) for visit in VISITS]
    order = rng.permutation(len(rows))
    frame = pd.DataFrame(
        first + [rows[place] for place in order], columns=["subject", "visit", "reader", "site", "grade"]
    )
    frame.index += 1
    return frame


def grade_of(rng, site):
    if site.feature in ("intensity", "depth"):
        return 0
    return int(rng.integers(0, site.maximum + 1) * (rng.random() < 0.6))


RULES = [(name, rule.short) for name in scores.names() for rule in scores.get(name).rules]


@pytest.mark.parametrize(("name", "rule"), RULES)
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_engine_equals_its_slow_twin(name, rule, data):
    system = scores.get(name)
    frame = data.draw(readings(system))
    result = compute(frame, system, rule)
    assert result.refused["row"].tolist() == [1, 2, 3]
    expected = twin(frame.iloc[3:], system, rule)
    rows = result.totals[result.totals["subject"] != "P0"]
    assert {(row.subject, row.visit, row.reader) for row in rows.itertuples()} == set(expected)
    columns = ["total", *(component.name for component in system.components)]
    for row in rows.itertuples():
        wanted = expected[(row.subject, row.visit, row.reader)]
        for column, value in zip(columns, wanted, strict=True):
            found = getattr(row, column)
            assert math.isnan(found) if value is None else found == pytest.approx(value, abs=1e-9), column
        assert pd.isna(row.missing_reason) != (wanted[0] is None)


@pytest.mark.parametrize("name", scores.names())
def test_pieces_of_any_size_give_the_same_totals(name, monkeypatch):
    system = scores.get(name)
    frame = _fixed(system)
    whole = compute(frame, system)
    monkeypatch.setattr(grid.grids, "__defaults__", (len(system.sites),))
    pieces = compute(frame, system)
    pd.testing.assert_frame_equal(whole.totals, pieces.totals)
    pd.testing.assert_frame_equal(whole.queries, pieces.queries)


def _fixed(system):
    rng = np.random.default_rng(5)
    rows = [
        (f"P{subject}", visit, reader, site.code, grade_of(rng, site) if rng.random() > 0.03 else np.nan)
        for subject in range(4)
        for reader in ("R1", "R2")
        for visit in VISITS
        for site in system.sites
    ]
    frame = pd.DataFrame(rows, columns=["subject", "visit", "reader", "site", "grade"])
    return frame.sample(frac=1, random_state=1, ignore_index=True)
