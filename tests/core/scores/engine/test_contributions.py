"""What sites add: it sums to the totals and components of the engine, for every system, rule and setting."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import scores
from core.scores.engine.contributions import How, parts
from core.scores.engine.totals import compute

VISITS = ["BL", "W52", "W104"]
RULES = [(system.name, rule.name) for system in scores.systems().values() for rule in system.rules]
SETTINGS = {
    "mtss": [
        {"mtss.ankylosis_erosion": one, "mtss.after_surgery": other}
        for one in ("max", "as_seen")
        for other in ("last_before", "maximum")
    ],
    "synovitis": [{}, {"synovitis.joint_set": "mcp2_5"}],
}


def random_reads(system, seed, *, gap, most_gaps):
    """Three readings each of two subjects: grades, gaps, sites without a row, findings at joints."""
    rng = np.random.default_rng(seed)
    rows = []
    for subject in ("P1", "P2"):
        for visit in VISITS[: rng.integers(1, 4)]:
            for reader in ("R1", "R2"):
                share = gap if rng.random() < most_gaps else 0.0
                for site in system.sites:
                    if rng.random() < share / 3:
                        continue
                    grade = None if rng.random() < share else _grade(rng, system, site)
                    rows.append((subject, visit, reader, site.code, site.feature, grade))
                for state in system.states:
                    for site in rng.choice(system.codes, rng.integers(0, 3), replace=False):
                        rows.append((subject, visit, reader, site, state.code, int(rng.random() < 0.8)))
    return pd.DataFrame(rows, columns=["subject", "visit", "reader", "site", "feature", "grade"])


def _grade(rng, system, site):
    """Any grade; one that others need (SPARCC: oedema) is mostly there: else hardly a unit is scorable."""
    if system.needs is not None and site.feature == system.needs.needed:
        return int(rng.random() < 0.9)
    return int(rng.integers(0, site.maximum + 1))


def check(frame, system, rule, chosen):
    whole = compute(frame, system, rule, chosen, visits=VISITS).totals
    sites = parts(frame, system, rule, chosen, visits=VISITS).sites
    assert len(sites) == len(whole) * len(system.sites)
    blocks = {"total": system.total_blocks} | {item.name: item.blocks for item in system.components}
    for name, its in blocks.items():
        inside = sites[sites["block"].isin(its)]
        sums = inside.groupby(["subject", "visit", "reader"])["value"].sum(min_count=1, skipna=False)
        found = sums.reindex(pd.MultiIndex.from_frame(whole[["subject", "visit", "reader"]])).to_numpy(float)
        np.testing.assert_allclose(found, whole[name].to_numpy(float), rtol=0, atol=1e-9, err_msg=name)
    return whole, sites


@pytest.mark.parametrize(("name", "rule"), RULES)
@settings(max_examples=4, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    gap=st.sampled_from([0.02, 0.1, 0.3]),
    most_gaps=st.sampled_from([0.4, 1.0]),
    chosen=st.integers(0, 3),
)
def test_sites_add_up_to_total_and_components(name, rule, seed, gap, most_gaps, chosen):
    system = scores.get(name)
    options = SETTINGS.get(name, [{}])
    frame = random_reads(system, seed, gap=gap, most_gaps=most_gaps)
    check(frame, system, rule, options[chosen % len(options)])


@pytest.mark.parametrize(("name", "rule"), RULES)
def test_random_reads_reach_totals_and_imputed_sites(name, rule):
    """The property above is not about missing totals only."""
    system = scores.get(name)
    known, hows = 0, set()
    for seed in range(6):
        whole, sites = check(random_reads(system, seed, gap=0.03, most_gaps=0.7), system, rule, {})
        known += int(whole["total"].notna().sum())
        hows |= set(sites.loc[sites["value"].notna(), "how"])
    assert known > 3
    fills = {
        "seg_mean": How.IMPUTED,
        "paired_nochange": How.IMPUTED,
        "paired_meanchange": How.IMPUTED,
        "block_mean": How.IMPUTED,
        "carry": How.IMPUTED,
        "pro_rate": How.IMPUTED,
        "drop_joint": How.DROPPED,
        "six_worst_each_visit": How.NOT_CHOSEN,
    }
    short = system.rule(rule).short
    assert short not in fills or fills[short] in hows


def msasss(grades, visits=("BL",)):
    rows = [
        ("P1", visit, "R1", site, grades.get((visit, site), grades.get(site, 0)))
        for visit in visits
        for site in scores.get("msasss").codes
    ]
    return pd.DataFrame(rows, columns=["subject", "visit", "reader", "site", "grade"])


def at(sites, site, visit="BL"):
    return sites[(sites["site"] == site) & (sites["visit"] == visit)].iloc[0]


def test_imputed_corner_takes_the_mean_of_its_segment():
    frame = msasss({"C2I": 3, "C3S": 3, "C3I": 3, "C7I": None, "C7S": None, "T1S": None})
    sites = parts(frame, scores.get("msasss")).sites
    row = at(sites, "T1S")
    assert row["how"] == How.IMPUTED and row["value"] == row["counts"] == 1.0
    assert np.isnan(row["given"]) and np.isnan(row["grade"])
    assert at(sites, "C2I")["how"] == How.GRADED


def test_donor_names_the_visit_that_a_grade_was_taken_from():
    frame = msasss({("BL", "C5I"): 2, ("W52", "C5I"): None}, visits=("BL", "W52"))
    sites = parts(frame, scores.get("msasss"), "paired_nochange").sites
    row = at(sites, "C5I", "W52")
    assert row["how"] == How.IMPUTED and row["donor"] == "BL" and row["value"] == 2
    assert at(sites, "C5I", "BL")["donor"] == ""


def mtss(*extra, visits=("BL",), **grades):
    system = scores.get("mtss")
    rows = [
        ("P1", visit, "R1", site.code, site.feature, grades.get(site.code.replace(".", "_"), 0))
        for visit in visits
        for site in system.sites
    ]
    rows += [("P1", visit, "R1", site, feature, 1) for visit, site, feature in extra]
    return pd.DataFrame(rows, columns=["subject", "visit", "reader", "site", "feature", "grade"])


@pytest.mark.parametrize(("setting", "erosion"), [("max", (5, How.LIFTED)), ("as_seen", (1, How.GRADED))])
def test_ankylosis_lifts_narrowing_and_under_the_setting_erosion(setting, erosion):
    frame = mtss(("BL", "LH.J.PIP2", "ankylosis"), LH_E_PIP2=1)
    sites = parts(frame, scores.get("mtss"), None, {"mtss.ankylosis_erosion": setting}).sites
    jsn, ero = at(sites, "LH.J.PIP2"), at(sites, "LH.E.PIP2")
    assert (jsn["value"], jsn["how"], jsn["state"]) == (4, How.LIFTED, "ankylosis")
    assert (ero["value"], ero["how"]) == erosion
    assert jsn["given"] == 0 and ero["given"] == 1


def test_finding_that_changes_nothing_lifts_nothing():
    frame = mtss(("BL", "LH.J.PIP2", "subluxation"), LH_J_PIP2=4)
    row = at(parts(frame, scores.get("mtss")).sites, "LH.J.PIP2")
    assert (row["value"], row["how"], row["state"]) == (4, How.GRADED, "")


def test_operated_joint_keeps_the_grade_of_the_visit_before():
    frame = mtss(("W52", "LH.J.PIP2", "surgery"), visits=("BL", "W52"), LH_J_PIP2=2)
    row = at(parts(frame, scores.get("mtss")).sites, "LH.J.PIP2", "W52")
    assert (row["value"], row["how"], row["state"], row["donor"]) == (2, How.SURGERY, "surgery", "BL")


def test_combined_score_is_named_so():
    frame = pd.DataFrame(
        [("P1", "BL", "R1", "R.MCP2.GS", 2), ("P1", "BL", "R1", "R.MCP2.PD", 3)],
        columns=["subject", "visit", "reader", "site", "grade"],
    )
    sites = parts(frame, scores.get("synovitis")).sites
    row = sites[(sites["how"] == How.COMBINED)].iloc[0]
    assert row["value"] == 3 and row["in_total"]
    assert not at(sites, "R.MCP2.GS")["in_total"] and at(sites, "R.MCP2.GS")["value"] == 2


def test_no_reads_no_sites():
    assert parts(msasss({}).iloc[:0], scores.get("msasss")).sites.empty
