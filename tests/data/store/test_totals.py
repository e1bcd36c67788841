"""Totals in the store are those of the rule engine, for every write, and only for what it touched."""

import numpy as np
import pandas as pd
import pytest

from core import scores
from core.domain import Role, Viewer
from core.errors import NotAllowed
from core.scores.engine import totals as engine
from data.store import totals as derived
from data.store.cohort import CohortStore

READING = ["subject", "visit", "reader", "campaign", "read"]


def reads(system_name, rng, *, subjects=3, visits=("BL", "W52", "W104"), missing=0.03):
    """Random grades of every site; nothing that a system forbids together."""
    system = scores.get(system_name)
    sites = [site for site in system.sites if site.feature != "combined"]
    rows = []
    for subject in range(subjects):
        for visit in visits:
            for site in sites:
                highest = 0 if site.feature in ("intensity", "depth") else site.maximum
                grade = None if rng.random() < missing else int(rng.integers(0, highest + 1))
                rows.append((f"P{subject}", visit, site.code, site.feature, grade))
    frame = pd.DataFrame(rows, columns=["subject", "visit", "site", "feature", "grade"])
    return frame.assign(grade=frame["grade"].astype("Int64"), system=system_name)


def store_with(tmp_path, *frames):
    store = CohortStore.open(tmp_path / "cohort.duckdb")
    with store.write("x", "reads") as transaction:
        for frame in frames:
            transaction.insert("site_score", frame)
    return store


def expected(frame, system, rule=None, visits=None):
    """Totals by the rule engine in the shape of the table."""
    found = engine.compute(frame, system, rule, by=("reader", "campaign", "read"), visits=visits).totals
    names = ["total", *(item.name for item in system.components)]
    return pd.concat(
        [found[READING].assign(component=name, total=found[name]) for name in names], ignore_index=True
    )


def assert_same_totals(stored, wanted):
    keys = [*READING, "component"]
    both = stored.astype({"read": "int64"}).merge(
        wanted.astype({"read": "int64"}), on=keys, suffixes=("", "_wanted"), validate="1:1", how="outer"
    )
    assert len(both) == len(wanted) == len(stored)
    np.testing.assert_allclose(both["total"], both["total_wanted"], rtol=1e-12, equal_nan=True)


@pytest.mark.parametrize("name", scores.names())
@pytest.mark.parametrize("missing", [0.0, 0.03, 0.3])
def test_stored_totals_are_those_of_the_engine(tmp_path, name, missing):
    rng = np.random.default_rng(7)
    frame = reads(name, rng, missing=missing)
    frames = [
        frame.assign(reader="R1", campaign="main", read=1),
        frame.assign(reader="R1", campaign="main", read=2, grade=reads(name, rng, missing=missing)["grade"]),
        frame.assign(reader="R2", campaign="other", read=1),
    ]
    store = store_with(tmp_path, *frames)
    stored = store.query("SELECT * FROM total")
    assert set(stored["rule"]) == {scores.get(name).default_rule.name}
    assert_same_totals(stored, expected(pd.concat(frames), scores.get(name), visits=("BL", "W52", "W104")))
    with store.reading() as session:
        assert session.wrong_totals() == []


@pytest.mark.parametrize("rule", ["seg_mean", "complete_only"])
def test_sums_in_sql_agree_with_the_engine_in_every_column(tmp_path, rule):
    system = scores.get("msasss")
    frame = reads("msasss", np.random.default_rng(3), subjects=40, missing=0.12)
    frame = frame.assign(reader="R1", campaign="main", read=1)
    frame = frame.drop(index=frame.sample(frac=0.05, random_state=1).index)
    store = store_with(tmp_path, frame)
    chosen = system.rule(rule)
    assert derived.is_summed_in_sql(system, chosen)
    in_sql = store.query(derived.totals_sql(system, chosen))
    import duckdb

    connection = duckdb.connect(str(store.path), read_only=True)
    by_engine = derived.computed(connection, system, chosen)
    connection.close()
    keys = [*READING, "component"]
    both = in_sql.merge(by_engine, on=keys, suffixes=("", "_engine"), validate="1:1")
    assert len(both) == len(in_sql) == len(by_engine) == 40 * 3 * 3
    np.testing.assert_allclose(both["total"], both["total_engine"], rtol=1e-12, equal_nan=True)
    assert both["total"].isna().any() and both["total"].notna().any()
    for column in ("scored_sites", "imputed_sites"):
        assert both[column].tolist() == both[f"{column}_engine"].tolist()
    reasons = both["missing_reason"].fillna("").tolist()
    assert reasons == both["missing_reason_engine"].fillna("").tolist()


def test_component_counts_its_own_sites(tmp_path):
    frame = reads("mtss", np.random.default_rng(1), subjects=1, visits=("BL",), missing=0)
    frame.loc[frame["site"].isin(["LH.E.PIP2", "LH.E.PIP3", "LF.J.MTP1"]), "grade"] = None
    store = store_with(tmp_path, frame.assign(reader="R1", campaign="main", read=1))
    counts = store.query("SELECT component, imputed_sites, scored_sites FROM total").set_index("component")
    assert counts["imputed_sites"].to_dict() == {"total": 3, "erosion": 2, "jsn": 1, "hands": 2, "feet": 1}
    assert counts.loc[["erosion", "jsn", "total"], "scored_sites"].tolist() == [42, 41, 83]


def test_correction_updates_its_reading_and_leaves_the_others(tmp_path):
    frame = reads("msasss", np.random.default_rng(5), subjects=2, missing=0)
    frame = frame.assign(reader="R1", campaign="main", read=1)
    store = store_with(tmp_path, frame)
    before = store.query("SELECT subject, visit, component, total FROM total ORDER BY ALL")
    row = frame[(frame["subject"] == "P0") & (frame["visit"] == "W52") & (frame["site"] == "L3S")]
    grade = 3 - int(row["grade"].iloc[0])
    with store.write("x", "reads", "typing error") as transaction:
        transaction.supersede("site_score", row[["subject", "visit", "site"]])
        transaction.insert("site_score", row.assign(grade=grade))
    after = store.query("SELECT subject, visit, component, total FROM total ORDER BY ALL")
    changed = before.merge(after, on=["subject", "visit", "component"])
    changed = changed[changed["total_x"] != changed["total_y"]]
    assert set(changed["component"]) == {"lumbar", "total"}
    assert set(changed["subject"]) == {"P0"} and set(changed["visit"]) == {"W52"}
    assert (changed["total_y"] - changed["total_x"]).tolist() == [grade - int(row["grade"].iloc[0])] * 2


def test_withdrawn_reading_has_no_total(tmp_path):
    frame = reads("msasss", np.random.default_rng(5), subjects=2).assign(reader="R1", campaign="m", read=1)
    store = store_with(tmp_path, frame)
    with store.write("x", "withdraw", "wrong patient") as transaction:
        transaction.supersede("site_score", pd.DataFrame({"subject": ["P1"]}))
    assert store.query("SELECT DISTINCT subject FROM total")["subject"].tolist() == ["P0"]


def test_totals_under_another_rule_are_those_of_the_engine(tmp_path):
    frame = reads("msasss", np.random.default_rng(9), subjects=5, missing=0.2)
    frame = frame.assign(reader="R1", campaign="main", read=1)
    store = store_with(tmp_path, frame)
    system = scores.get("msasss")
    for rule in system.rules:
        with store.look(Viewer()) as look:
            found = look.totals_under(system, rule)
        assert_same_totals(found, expected(frame, system, rule, visits=("BL", "W52", "W104")))


def test_blinded_reader_gets_no_totals_under_another_rule(tmp_path):
    store = CohortStore.open(tmp_path / "cohort.duckdb")
    system = scores.get("msasss")
    with store.look(Viewer(Role.READER, "R1")) as look, pytest.raises(NotAllowed):
        look.totals_under(system, system.rules[1])


def test_planned_order_of_visits_decides_what_baseline_is(tmp_path):
    """Six units chosen at baseline: with the visits turned round, other units are chosen."""
    frame = reads("sparcc", np.random.default_rng(2), subjects=1, visits=("A", "B"), missing=0)
    store = store_with(tmp_path, frame.assign(reader="R1", campaign="main", read=1))
    system = scores.get("sparcc")
    found = []
    for order in ({"A": 1, "B": 2}, {"A": 2, "B": 1}):
        with store.write("x", "visits") as transaction:
            transaction.supersede("visit", pd.DataFrame({"subject": ["P0"]}))
            rows = pd.DataFrame({"subject": "P0", "visit": list(order), "visit_order": list(order.values())})
            transaction.insert("visit", rows)
        with store.look(Viewer()) as look:
            totals = look.totals_under(system, system.rule("same_six_as_baseline"))
        wanted = sorted(order, key=order.__getitem__)
        with store.reading() as session:
            assert session.visit_order() == wanted
        found.append(totals.query("component == 'total'").set_index("visit")["total"].to_dict())
    assert found[0] != found[1]


def test_natural_order_takes_numbers_by_value():
    names = ["W104", "W2", "BL", "W52", "w12", "W"]
    assert sorted(names, key=derived.natural) == ["BL", "W", "W2", "w12", "W52", "W104"]
