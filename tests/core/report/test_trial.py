"""Verdicts, arms, estimands, planning and two campaigns in the report."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.agreement.mrmc.study import collect as collect_study
from core.progression.arms.adjusted import AdjustedOptions
from core.progression.arms.adjusted_readings import adjusted_readings
from core.progression.estimands.events import Events
from core.progression.totals_table import collect
from core.report import formatting
from core.report.blocks import Facts, Figure, Table, Text
from core.report.compose import compose
from core.report.html import page
from core.report.trial.arms import adjusted_arms, change_by_arm
from core.report.trial.campaigns import two_campaigns, with_model
from core.report.trial.estimands import estimands_of, named_estimands
from core.report.trial.inputs import Asked, Trial
from core.report.trial.planning import next_trial, planned
from core.report.trial.verdicts import verdict_rows, verdicts
from tests.core.report import samples

PATIENTS = [f"Q{number:02d}" for number in range(24)]


def trial(**more):
    """24 patients on two arms at three visits, four of whom lack the last film."""
    rng = np.random.default_rng(3)
    rows = []
    for place, name in enumerate(PATIENTS):
        arm = "Placebo" if place % 2 else "Active"
        true = rng.exponential(3 if place % 2 else 1.5)
        for day, share in ((0, 0), (364, 0.5), (728, 1)):
            if day == 728 and place in (2, 5, 11, 12):
                continue
            for reader in ("R1", "R2"):
                total = 10 + place + share * true + rng.normal(0, 0.4)
                rows.append((name, arm, reader, day, max(total, 0)))
    frame = pd.DataFrame(rows, columns=["subject", "arm", "reader", "days", "total"])
    readings = collect(frame, reference="Placebo")
    given = {"sex": ["F", "M", "M", "F"] * 6, "age": [40 + place % 7 for place in range(24)]}
    properties = pd.DataFrame(given, index=PATIENTS)
    return Trial(readings, (0, 728), (0, 364, 728), properties, **more)


def given(asked=Asked(), **changes):  # noqa: B008
    return samples.inputs(
        trial=changes.pop("trial", None) or trial(), arms={"Active": 12, "Placebo": 12}, asked=asked,
        readings=samples.thirty(), **changes,
    )  # fmt: skip


def words(section):
    said = [block.text for block in section.blocks if isinstance(block, Text)]
    cells = [
        cell for block in section.blocks if isinstance(block, Table) for row in block.rows for cell in row
    ]
    return " ".join([*said, *cells, *(b.caption for b in section.blocks if isinstance(b, Table | Figure))])


def test_arms_are_those_of_the_command_with_n_and_interval():
    inputs = given(Asked(strata=("sex",), covariates=("age",)))
    found = adjusted_arms(inputs)
    options = AdjustedOptions(("sex",), ("age",), ())
    again = adjusted_readings(inputs.trial.readings, inputs.trial.properties, options, (0, 728))
    row = found["comparisons"][0]
    assert row["ancova"] == again["comparisons"][0]["ancova"] and (row["a"], row["b"]) == (
        "Active",
        "Placebo",
    )
    said = words(change_by_arm(inputs, found))
    assert formatting.estimated(row["ancova"], signed=True) in said
    assert f"n = {row['n_a']} and {row['n_b']}" in said and "within strata of sex" in said


def test_first_page_says_the_difference_of_the_arms_or_why_there_is_none():
    def fact(inputs):
        short = compose(inputs).sections[0]
        return next(dict(block.rows)["Arms"] for block in short.blocks if isinstance(block, Facts))

    inputs = given()
    row = adjusted_arms(inputs)["comparisons"][0]
    assert formatting.estimated(row["ancova"], signed=True) in fact(inputs)
    assert fact(replace(inputs, is_blinded=True)) == "not compared: the study is blinded"


def test_blinded_study_shows_no_arm_anywhere():
    inputs = given(is_blinded=True)
    hidden = replace(inputs, trial=replace(inputs.trial, properties=pd.DataFrame()), arms={})
    text = page(compose(hidden), plotly_js="")
    assert "Active" not in text and "Arms are not compared: the study is blinded" in text


def test_estimands_have_the_tipping_point_with_its_figure():
    found = estimands_of(given())
    section = named_estimands(given(), found)
    figures = [block for block in section.blocks if isinstance(block, Figure)]
    rows = found["results"][0]["tipping"]
    assert len(figures) == len(rows) == 2
    assert all("Active and Placebo" in figure.caption for figure in figures)
    change = found["results"][0]["assumptions"][0]["differences"][0]
    assert formatting.estimated(change, signed=True) in words(section)


def test_an_event_adds_the_other_strategies():
    inputs = given(trial=trial(events=Events("rescue", {"Q01": 200.0, "Q04": 300.0})))
    section = named_estimands(inputs, estimands_of(inputs))
    said = words(section)
    assert "rescue before the film of the visit: Placebo 1 of 12; Active 1 of 12" in said
    titles = [getattr(block, "text", "") for block in section.blocks]
    assert {"Treatment policy", "Hypothetical", "Composite", "While on treatment"} <= set(titles)


def test_trial_like_this_one_says_from_how_many():
    found = next_trial(given())
    said = words(planned(given(), found))
    main = next(row for row in found["tests"] if row["test"] == "ancova")
    assert f"{main['enrol']['total']:,} patients to enrol" in said and "n = 20" in said
    assert found["difference"] == pytest.approx(found["start"]["mean"] / 2)


def test_nothing_to_plan_where_nobody_changes():
    still = trial()
    rows = still.readings.rows.assign(total=10.0)
    inputs = given(trial=replace(still, readings=replace(still.readings, rows=rows)))
    assert "No trial is planned" in words(planned(inputs, next_trial(inputs)))


def test_margins_give_verdicts_and_without_them_there_are_differences_alone():
    asked = Asked(bias_margin=2.0, icc_margin=0.1, kappa_margin=0.3)
    inputs = given(asked)
    rows = verdict_rows(inputs)
    assert {row["kind"] for row in rows} == {"equivalent", "not inferior"}
    bias = next(row for row in rows if row["kind"] == "equivalent" and row["panel"] == "change")
    low, high = bias["difference"]["ci"]
    assert bias["verdict"] is bool(low > -2 and high < 2)
    assert bias["patients"] == 30 and bias["power"] > 0
    section = verdicts(inputs, rows)
    table = next(block for block in section.blocks if isinstance(block, Table))
    assert table.columns[-3:] == ("margin", "verdict", "power")
    plain = verdicts(given(), verdict_rows(given()))
    table = next(block for block in plain.blocks if isinstance(block, Table))
    assert "verdict" not in table.columns and "verdict" not in words(plain)


def study(n):
    rng = np.random.default_rng(1)
    rows = [
        (f"P{place}", reader, campaign, place % 5 + rng.normal(0, spread), place % 5)
        for place in range(n)
        for reader in ("R1", "R2")
        for campaign, spread in (("paired", 1.0), ("with-model", 0.5))
    ]
    frame = pd.DataFrame(rows, columns=["subject", "reader", "modality", "rating", "truth"])
    return collect_study(frame, reference="paired")


def test_two_campaigns_are_compared_with_n_and_interval():
    inputs = given(trial=trial(campaigns=study(30)))
    found = two_campaigns(inputs)
    row = found["analyses"][0]["differences"][0]
    said = words(with_model(inputs, found))
    assert formatting.estimated(row, 3, signed=True) in said and "with-model minus paired" in said


def test_few_patients_or_one_campaign_compare_nothing():
    few = given(trial=trial(campaigns=study(6)))
    assert "to compare campaigns" in words(with_model(few, two_campaigns(few)))
    assert two_campaigns(given()) is None and "not compared" in words(with_model(given(), None))


def test_report_without_totals_of_days_says_so():
    inputs = samples.inputs()
    report = compose(inputs)
    said = " ".join(words(section) for section in report.sections)
    assert "Arms are not compared: human readers" in said and "No trial is planned: human readers" in said
    assert {"verdicts", "arms", "estimands", "plan", "with_and_without"} <= set(report.numbers)
