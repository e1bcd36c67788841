"""From totals to sites and from changes to sites: sums that reconcile, and sentences that say the truth."""

import numpy as np
import pandas as pd
import pytest

from core import scores
from core.patient import breakdown
from core.scores.engine.contributions import How, parts
from core.scores.engine.totals import compute

VISITS = ["BL", "W52", "W104"]
RULES = [(system.name, rule.name) for system in scores.systems().values() for rule in system.rules]


def reads(name, seed, gap=0.04):
    """Two readers' grades of one patient at three visits; sites that others need are mostly there."""
    system, rng = scores.get(name), np.random.default_rng(seed)
    rows = []
    for visit in VISITS:
        for label in ("R1", "R2"):
            for site in system.sites:
                is_needed = system.needs is not None and site.feature == system.needs.needed
                grade = 1 if is_needed else int(rng.integers(0, site.maximum + 1))
                missing = rng.random() < (0 if name == "sparcc" else gap)
                rows.append(("P1", visit, label, site.code, site.feature, None if missing else grade))
            for state in system.states:
                rows.append(("P1", visit, label, str(rng.choice(system.codes)), state.code, 1))
    return pd.DataFrame(rows, columns=["subject", "visit", "label", "site", "feature", "grade"])


def made(name, rule=None, seed=0, **more):
    frame = reads(name, seed, **more)
    system = scores.get(name)
    totals = compute(frame, system, rule, by=("label",), visits=VISITS).totals
    return parts(frame, system, rule, by=("label",), visits=VISITS), totals.set_index(["label", "visit"])


@pytest.mark.parametrize(("name", "rule"), RULES)
@pytest.mark.parametrize("seed", [1, 2])
def test_listed_sites_add_up_to_the_total_and_every_component(name, rule, seed):
    found, totals = made(name, rule, seed)
    for (label, visit), row in totals.iterrows():
        reading = breakdown.reading_of(found, label, visit)
        for branch in breakdown.branches(found, reading).itertuples():
            expected = row[branch.component]
            assert branch.value == pytest.approx(expected, abs=1e-9, nan_ok=True)
            if not np.isnan(expected):
                assert branch.graded + branch.imputed == pytest.approx(expected, abs=1e-9)
                listed = breakdown.making(found, reading, branch.component)
                assert breakdown.added(listed) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("name", "rule"), RULES)
def test_sites_of_a_change_add_up_to_it(name, rule):
    for seed in range(3):
        found, totals = made(name, rule, seed)
        change = totals["total"].unstack("label").loc["W104"] - totals["total"].unstack("label").loc["BL"]
        for labels in (["R1"], ["R2"], ["R1", "R2"]):
            rows = breakdown.changes(found, labels, "BL", "W104")
            known = change[labels].dropna()
            assert breakdown.counted_labels(found, labels, "BL", "W104") == list(known.index)
            if len(known):
                assert rows["change"].sum() == pytest.approx(known.mean(), abs=1e-9)
                assert (rows["graded"] + rows["imputed"]).to_numpy() == pytest.approx(
                    rows["change"].to_numpy()
                )
                assert (rows["change"].abs().diff().dropna() <= 1e-9).all()
            else:
                assert rows.empty


def msasss(**grades):
    """One reader, two visits; ``C5I=(0, 3)`` sets a corner at both."""
    system = scores.get("msasss")
    rows = [
        ("P1", visit, "R1", site, "corner", grades.get(site, (0, 0))[place])
        for place, visit in enumerate(("BL", "W52"))
        for site in system.codes
    ]
    return pd.DataFrame(rows, columns=["subject", "visit", "label", "site", "feature", "grade"])


def parts_of(frame, rule=None, name="msasss", settings=None):
    return parts(frame, scores.get(name), rule, settings, by=("label",), visits=["BL", "W52"])


def row_of(found, site, visit="W52"):
    reading = breakdown.reading_of(found, "R1", visit)
    return reading[reading["site"] == site].iloc[0]


def test_imputed_change_stands_apart_from_graded_change():
    found = parts_of(msasss(C5I=(0, 3), C6I=(0, 1), T1S=(0, None)))
    rows = breakdown.changes(found, ["R1"], "BL", "W52").set_index("site")
    assert rows.loc["C5I", ["graded", "imputed"]].tolist() == [3, 0]
    assert rows.loc["T1S", "graded"] == 0 and rows.loc["T1S", "imputed"] == pytest.approx(4 / 11)


def test_origin_of_a_segment_mean_says_how_many_and_which():
    found = parts_of(msasss(C2I=(3, 3), C3S=(3, 3), C3I=(3, 3), C7I=(0, None), C7S=(0, None), T1S=(0, None)))
    origin = breakdown.origin(found, row_of(found, "T1S"))
    assert origin.text == "Not scored: mean of 9 scored corners of the cervical segment = 1."
    assert origin.sources["grade"].mean() == row_of(found, "T1S")["value"] == 1
    assert breakdown.sources_text(origin.sources, "W52").startswith("C2I 3, C3S 3, C3I 3, C4S 0")


def test_origin_of_another_visit_names_it():
    found = parts_of(msasss(C5I=(2, None)), "paired_nochange")
    origin = breakdown.origin(found, row_of(found, "C5I"))
    assert "takes the reader's grade of BL, 2" in origin.text
    assert breakdown.sources_text(origin.sources, "W52") == "C5I 2 (BL)"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("rule", ["seg_mean", "paired_nochange", "paired_meanchange"])
def test_sources_give_the_imputed_number(rule, seed):
    found, _ = made("msasss", rule, seed, gap=0.08)
    imputed = found.sites[(found.sites["how"] == How.IMPUTED)]
    assert len(imputed)
    for _, row in imputed.iterrows():
        sources = breakdown.origin(found, row).sources
        if rule == "seg_mean":
            value = sources["grade"].mean()
        elif rule == "paired_nochange":
            value = sources["grade"].iloc[0]
        else:
            there, rest = sources["grade"].iloc[0], sources.iloc[1:]
            now, then = rest[rest["visit"] == row["visit"]], rest[rest["visit"] != row["visit"]]
            value = np.clip(there + now["grade"].mean() - then["grade"].mean(), 0, 3)
        assert value == pytest.approx(row["counts"], abs=1e-9)


def mtss(settings=None, *findings):
    system = scores.get("mtss")
    rows = [
        ("P1", visit, "R1", site.code, site.feature, int(site.code == "LH.E.PIP2"))
        for visit in ("BL", "W52")
        for site in system.sites
    ]
    rows += [("P1", visit, "R1", site, feature, 1) for visit, site, feature in findings]
    frame = pd.DataFrame(rows, columns=["subject", "visit", "label", "site", "feature", "grade"])
    return parts_of(frame, name="mtss", settings=settings)


def test_origin_of_a_lifted_grade_names_finding_and_setting():
    found = mtss(None, ("W52", "LH.J.PIP2", "ankylosis"))
    jsn, erosion = (breakdown.origin(found, row_of(found, f"LH.{letter}.PIP2")).text for letter in "JE")
    assert jsn == "Bony ankylosis at this joint: joint space narrowing counts as 4; the reader gave 0."
    assert "erosion counts as 5 under `mtss.ankylosis_erosion` = max; the reader gave 1" in erosion
    as_seen = mtss({"mtss.ankylosis_erosion": "as_seen"}, ("W52", "LH.J.PIP2", "ankylosis"))
    assert breakdown.origin(as_seen, row_of(as_seen, "LH.E.PIP2")).text == "Counts as graded."


def test_origin_after_surgery_names_the_visit_before():
    found = mtss(None, ("W52", "LH.E.PIP2", "surgery"))
    text = breakdown.origin(found, row_of(found, "LH.E.PIP2")).text
    assert "its grade of BL, 1" in text and "`mtss.after_surgery` = last_before" in text


def test_query_is_told_where_a_finding_leaves_it_open():
    found = mtss(None, ("W52", "LH.J.PIP2", "luxation_unspecified"))
    said = breakdown.origin(found, row_of(found, "LH.E.PIP2"), ["luxation_unspecified"]).text
    assert "a reader has to say which" in said


@pytest.mark.parametrize(("name", "rule"), RULES)
def test_every_site_has_an_origin(name, rule):
    found, _ = made(name, rule, 5)
    reading = breakdown.reading_of(found, "R1", "W52")
    texts = {row["how"]: breakdown.origin(found, row).text for _, row in reading.iterrows()}
    assert all(texts.values())
    assert "verified" in breakdown.rule_text(found.rule) or found.rule.is_verified


def test_total_of_nobody_is_none():
    found = parts_of(msasss(**dict.fromkeys(scores.get("msasss").codes[:5], (0, None))))
    reading = breakdown.reading_of(found, "R1", "W52")
    assert breakdown.added(reading) is None and np.isnan(breakdown.branches(found, reading)["value"].iloc[0])
    assert breakdown.reading_of(found, "R9", "W52").empty
