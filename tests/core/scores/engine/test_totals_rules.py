"""Totals: the rule checks of the score papers F8 and every decision of docs/commands.md, ``totals``."""

import numpy as np
import pandas as pd
import pytest

from core import scores
from core.errors import InputError
from core.scores.engine.totals import compute

MSASSS, MTSS, SPARCC, SYNOVITIS = (scores.get(name) for name in scores.names())
CERVICAL, LUMBAR = MSASSS.codes[:12], MSASSS.codes[12:]


def long(grades, visit="BL", subject="P1", reader="R1"):
    """Long rows of one reading from site -> grade; None is an empty grade."""
    rows = [(subject, visit, reader, site, grade) for site, grade in grades.items()]
    return pd.DataFrame(rows, columns=["subject", "visit", "reader", "site", "grade"])


def stacked(*frames):
    frame = pd.concat(frames, ignore_index=True)
    frame.index += 1
    return frame


def only(result, **which):
    rows = result.totals
    for column, value in which.items():
        rows = rows[rows[column] == value]
    assert len(rows) == 1
    return rows.iloc[0]


def msasss(cervical=0, lumbar=0, missing=()):
    grades = dict.fromkeys(CERVICAL, cervical) | dict.fromkeys(LUMBAR, lumbar)
    return grades | dict.fromkeys(missing)


def total(grades, system, rule=None, settings=None):
    return compute(stacked(long(grades)), system, rule, settings).totals.iloc[0]


# mSASSS


def test_msasss_of_all_bridges_is_72():
    row = total(msasss(3, 3), MSASSS)
    assert (row.total, row.cervical, row.lumbar) == (72, 36, 36)
    assert total(msasss(3, 0), MSASSS).total == 36


def test_segment_mean_of_nine_scored_corners():
    row = total(msasss(1, 0, CERVICAL[9:]) | dict.fromkeys(LUMBAR[:5], 1), MSASSS)
    assert (row.total, row.cervical, row.lumbar) == (17.0, 12.0, 5.0)
    assert (row.scored_sites, row.imputed_sites) == (21, 3)
    assert pd.isna(row.missing_reason)


def test_four_missing_corners_leave_no_total_and_keep_the_other_segment():
    row = total(msasss(1, 2, (*CERVICAL[8:], LUMBAR[0])), MSASSS)
    assert np.isnan(row.total)
    assert np.isnan(row.cervical)
    assert row.lumbar == 24
    assert (row.scored_sites, row.imputed_sites) == (19, 1)
    assert row.missing_reason == "cervical: 4 of 12 corners missing, at most 3 allowed"


def test_segment_mean_is_not_rounded():
    grades = msasss(0, 0, (CERVICAL[0],)) | {CERVICAL[1]: 1}
    assert total(grades, MSASSS).total == pytest.approx(1 + 1 / 11, abs=1e-12)


def test_a_site_without_a_row_counts_as_an_empty_grade():
    grades = msasss(1, 1)
    without = {site: grade for site, grade in grades.items() if site not in CERVICAL[:4]}
    rows = [total(item, MSASSS) for item in (without, grades | dict.fromkeys(CERVICAL[:4]))]
    assert np.isnan(rows[0].total)
    assert rows[0].drop("total").astype(str).tolist() == rows[1].drop("total").astype(str).tolist()


def test_complete_only_gives_the_complete_segment():
    row = total(msasss(1, 2, (LUMBAR[3],)), MSASSS, "complete_only")
    assert np.isnan(row.total)
    assert (row.cervical, row.imputed_sites) == (12, 0)
    assert row.missing_reason == "lumbar: 1 of 12 corners missing"


def test_nochange_takes_the_nearest_earlier_visit_else_the_nearest_later():
    frame = stacked(
        long(msasss(0, 0, ("C7I",)), "BL"),
        long(msasss(0, 0) | {"C7I": 1}, "W52"),
        long(msasss(0, 0, ("C7I",)), "W104"),
        long(msasss(0, 0) | {"C7I": 3}, "W156"),
        long(msasss(0, 0, ("C7I",)), "W208"),
    )
    result = compute(frame, MSASSS, "paired_nochange")
    assert result.totals["total"].tolist() == [1, 1, 1, 3, 3]
    assert result.totals["imputed_sites"].tolist() == [1, 0, 1, 0, 1]


def test_nochange_stays_within_reader_and_subject():
    frame = stacked(
        long(msasss(0, 0, ("C7I",)), "BL"),
        long(msasss(0, 0) | {"C7I": 2}, "W52", reader="R2"),
        long(msasss(0, 0) | {"C7I": 2}, "W52", subject="P2"),
    )
    row = only(compute(frame, MSASSS, "paired_nochange"), subject="P1", reader="R1")
    assert np.isnan(row.total)
    assert row.missing_reason == "cervical: 1 of 12 corners missing, with no other visit to take them from"


def test_meanchange_adds_the_mean_change_signed_to_the_missing_visit():
    base = msasss(0, 0) | {"C7I": 1}
    follow = msasss(0, 0, ("C7I",)) | dict.fromkeys(CERVICAL[:11], 0) | {"C2I": 2, "C3S": 1, "C7I": None}
    frame = stacked(long(base, "BL"), long(follow, "W52"))
    result = compute(frame, MSASSS, "paired_meanchange").totals
    assert result["total"].tolist() == pytest.approx([1, 3 + 1 + 3 / 11])
    backwards = compute(
        stacked(long(base | {"C7I": None}, "BL"), long(follow | {"C7I": 2}, "W52")),
        MSASSS,
        "paired_meanchange",
    )
    assert backwards.totals["total"].tolist() == pytest.approx([2 - 3 / 11, 5])


def test_meanchange_stays_within_0_and_3():
    frame = stacked(long(msasss(0) | {"C7I": 3}, "BL"), long(msasss(2, 0, ("C7I",)), "W52"))
    assert compute(frame, MSASSS, "paired_meanchange").totals["cervical"].tolist() == [3, 22 + 3]


def test_meanchange_without_a_common_corner_cannot_impute():
    half = msasss(1, 1, CERVICAL[:6])
    other = msasss(1, 1, CERVICAL[6:])
    row = compute(stacked(long(half, "BL"), long(other, "W52")), MSASSS, "paired_meanchange").totals.iloc[0]
    assert np.isnan(row.total)
    assert row.lumbar == 12


def test_visits_stand_in_order_of_first_appearance_in_the_file():
    frame = stacked(
        long(msasss(0), "Z", "P0"),
        long(msasss(0), "A", "P0"),
        long(msasss(0) | {"C2I": 2}, "A"),
        long(msasss(0, 0, ("C2I",)), "M"),
        long(msasss(0) | {"C2I": 1}, "Z"),
    )
    assert only(compute(frame, MSASSS, "paired_nochange"), subject="P1", visit="M").total == 2
    given = compute(frame, MSASSS, "paired_nochange", visits=["Z", "M", "A"])
    assert only(given, subject="P1", visit="M").total == 1


def test_bridge_without_its_partner_is_a_query_and_not_a_refusal():
    result = compute(
        stacked(long(msasss(0, 0) | {"C2I": 3, "C3S": 2, "L1I": 3, "L2S": 3, "T12I": 3, "L1S": None})), MSASSS
    )
    assert result.queries[["subject", "visit", "reader", "unit"]].to_numpy().tolist() == [
        ["P1", "BL", "R1", "C2C3"]
    ]
    assert len(result.refused) == 0


# Sharp/van der Heijde


def svdh(erosion=0, jsn=0):
    return {site.code: (erosion if site.feature == "erosion" else jsn) for site in MTSS.sites}


def test_svdh_of_all_maxima_is_448():
    row = total({site.code: site.maximum for site in MTSS.sites}, MTSS)
    assert (row.total, row.erosion, row.jsn, row.hands, row.feet) == (448, 280, 168, 280, 168)
    assert row.erosion + row.jsn == row.hands + row.feet == row.total


def with_states(grades, *states):
    """One reading with states (site, feature); index as in a file."""
    frame = long(grades)
    frame["feature"] = None
    extra = pd.DataFrame(
        [("P1", "BL", "R1", site, 1, feature) for site, feature in states], columns=frame.columns
    )
    return stacked(frame, extra)


@pytest.mark.parametrize(
    ("erosion", "jsn", "state", "setting", "expected"),
    [
        (1, 2, "ankylosis", "max", (5, 4)),
        (1, 2, "ankylosis", "as_seen", (1, 4)),
        (0, 1, "subluxation", "max", (0, 3)),
        (0, 1, "luxation", "max", (0, 4)),
        (0, 4, "subluxation", "max", (0, 4)),
        (0, 1, "luxation_unspecified", "max", (0, 3)),
        (None, None, "luxation", "max", (None, 4)),
    ],
)
def test_special_findings_lift_and_never_add(erosion, jsn, state, setting, expected):
    grades = svdh() | {"RH.E.PIP3": erosion, "RH.J.PIP3": jsn}
    frame = with_states(grades, ("RH.J.PIP3", state))
    row = compute(frame, MTSS, "complete_only", {"ankylosis_erosion": setting}).totals.iloc[0]
    assert row.jsn == expected[1]
    assert np.isnan(row.erosion) if expected[0] is None else row.erosion == expected[0]


def test_ankylosed_foot_joint_has_erosion_10_under_max():
    row = compute(with_states(svdh(), ("LF.J.MTP2", "ankylosis")), MTSS).totals.iloc[0]
    assert (row.erosion, row.jsn, row.feet) == (10, 4, 14)


def test_luxation_never_changes_a_thumb_ip():
    row = compute(with_states(svdh(), ("LH.E.IP1", "luxation")), MTSS).totals.iloc[0]
    assert row.total == 0
    row = compute(with_states(svdh(), ("LH.E.IP1", "ankylosis")), MTSS).totals.iloc[0]
    assert (row.erosion, row.jsn) == (5, 0)


def test_unspecified_luxation_asks_a_reader():
    result = compute(with_states(svdh(), ("LH.J.MCP2", "luxation_unspecified")), MTSS)
    assert result.queries["unit"].tolist() == ["LH.MCP2"]


def test_a_state_of_0_lifts_nothing():
    frame = with_states(svdh(), ("LH.J.MCP2", "ankylosis"))
    frame.loc[len(frame), "grade"] = 0
    assert compute(frame, MTSS).totals["total"].tolist() == [0]


def test_block_mean_needs_half_of_the_block_of_both_sides():
    feet = [site.code for site in MTSS.sites if site.block == "foot erosion"]
    grades = svdh(2, 1)
    row = total(grades | dict.fromkeys(feet[:6]), MTSS)
    assert (row.erosion, row.imputed_sites, row.scored_sites) == (2 * 44, 6, 80)
    row = total(grades | dict.fromkeys(feet[:7]), MTSS)
    assert np.isnan(row.total)
    assert np.isnan(row.erosion)
    assert np.isnan(row.feet)
    assert (row.hands, row.jsn) == (2 * 32 + 30, 42)
    assert row.missing_reason == "foot erosion: 7 of 12 sites missing, at least 50% must be scored"


def test_drop_joint_leaves_the_site_out_at_every_visit_of_that_reader():
    frame = stacked(
        long(svdh(1, 1), "BL"),
        long(svdh(1, 1) | {"LH.E.PIP2": None}, "W52"),
        long(svdh(1, 1), "BL", reader="R2"),
    )
    rows = compute(frame, MTSS, "drop_joint").totals
    assert rows["total"].tolist() == [85, 85, 86]
    assert rows["dropped_sites"].tolist() == [1, 1, 0]


def test_drop_joint_without_any_site_left_has_no_total():
    feet = [site.code for site in MTSS.sites if site.region == "foot"]
    row = total(svdh(1, 1) | dict.fromkeys(feet), MTSS, "drop_joint")
    assert np.isnan(row.total)
    assert row.hands == 62
    assert "foot erosion: none of 12 sites scored at every visit" in row.missing_reason


def test_carry_takes_the_other_visit():
    frame = stacked(long(svdh(1, 1) | {"LH.E.PIP2": 4}, "BL"), long(svdh(1, 1) | {"LH.E.PIP2": None}, "W52"))
    rows = compute(frame, MTSS, "carry").totals
    assert rows["total"].tolist() == [89, 89]
    assert rows["imputed_sites"].tolist() == [0, 1]


@pytest.mark.parametrize(("choice", "expected"), [("last_before", 2 + 3), ("maximum", 5 + 4)])
def test_surgery_keeps_the_last_grade_before_or_takes_the_largest(choice, expected):
    frame = stacked(
        long(svdh() | {"RH.E.MCP2": 2, "RH.J.MCP2": 3}, "BL"),
        long(svdh() | {"RH.E.MCP2": None, "RH.J.MCP2": 0}, "W52"),
        long(svdh() | {"RH.E.MCP2": 0, "RH.J.MCP2": 0}, "W104"),
    )
    frame["feature"] = None
    surgery = pd.DataFrame([("P1", "W52", "R1", "RH.J.MCP2", 1, "surgery")], columns=frame.columns)
    result = compute(stacked(frame, surgery), MTSS, "complete_only", {"after_surgery": choice}).totals
    assert result["total"].tolist() == [5, expected, expected]
    assert result["imputed_sites"].tolist() == [0, 2, 2]
    assert result["scored_sites"].tolist() == [86, 84, 84]


# SPARCC


def sparcc(full=(), missing=()):
    return {site.code: None if site.unit in missing else int(site.unit in full) for site in SPARCC.sites}


def test_one_full_unit_is_18():
    assert total(sparcc(full=("T7T8",)), SPARCC, "all_23").total == 18


def test_seven_full_units():
    full = ("C2C3", "T1T2", "T2T3", "T3T4", "T4T5", "L1L2", "L5S1")
    row = total(sparcc(full), SPARCC)
    assert row.total == 108
    assert row.chosen == "C2C3 T1T2 T2T3 T3T4 T4T5 L1L2"
    assert (row.cervical, row.thoracic, row.lumbar) == (18, 72, 18)
    row = total(sparcc(full), SPARCC, "all_23")
    assert (row.total, row.cervical, row.thoracic, row.lumbar) == (126, 18, 72, 36)
    assert row.scored_sites == 414


def test_ties_go_to_the_most_cranial_units():
    assert total(sparcc(), SPARCC).chosen == "C2C3 C3C4 C4C5 C5C6 C6C7 C7T1"


def test_intensity_without_oedema_is_refused_and_its_unit_not_scorable():
    grades = sparcc() | {"T7T8.s2.INT": 1}
    result = compute(stacked(long(grades)), SPARCC, "all_23")
    row = list(grades).index("T7T8.s2.INT") + 1
    assert result.refused.to_numpy().tolist() == [
        [row, "T7T8.s2.INT is 1 and no quadrant of its slice has oedema"]
    ]
    assert result.totals.loc[0, "missing_reason"] == "T7T8: 1 of 18 items missing"
    assert result.totals.loc[0, "lumbar"] == 0


def test_depth_with_an_unscored_quadrant_is_not_called_impossible():
    grades = sparcc() | {"T7T8.s2.DEP": 1, "T7T8.s2.UA": None}
    assert len(compute(stacked(long(grades)), SPARCC).refused) == 0


def test_a_unit_with_an_item_missing_cannot_be_chosen():
    full = SPARCC.blocks[:7]
    grades = sparcc(full) | {f"{full[0]}.s3.DEP": None}
    row = total(grades, SPARCC)
    assert row.chosen == " ".join(full[1:])
    assert row.total == 108


def test_fewer_than_six_scorable_units_give_no_total():
    row = total(sparcc(missing=SPARCC.blocks[5:]), SPARCC)
    assert np.isnan(row.total)
    assert np.isnan(row.cervical)
    assert row.missing_reason == "5 of 23 units scorable, 6 needed"


def test_all_23_needs_all():
    row = total(sparcc(missing=("L5S1",)), SPARCC, "all_23")
    assert np.isnan(row.total)
    assert np.isnan(row.lumbar)
    assert row.thoracic == 0


def test_same_six_follow_the_units_of_baseline():
    base, follow = sparcc(SPARCC.blocks[:6]), sparcc(SPARCC.blocks[6:12])
    frame = stacked(long(base, "BL"), long(follow, "W12"))
    same = compute(frame, SPARCC, "same_six_as_baseline").totals
    assert same["total"].tolist() == [108, 0]
    assert compute(frame, SPARCC, "six_worst_each_visit").totals["total"].tolist() == [108, 108]


def test_same_six_need_the_units_of_baseline_later():
    base = sparcc(SPARCC.blocks[:6])
    follow = base | {"C4C5.s1.UA": None}
    row = compute(stacked(long(base, "BL"), long(follow, "W12")), SPARCC, "same_six_as_baseline").totals.iloc[
        1
    ]
    assert np.isnan(row.total)
    assert np.isnan(row.cervical)
    assert (row.thoracic, row.lumbar) == (0, 0)
    assert row.missing_reason == "chosen at baseline and not scorable at this visit: C4C5"


def test_same_six_need_the_readers_own_baseline():
    frame = stacked(long(sparcc(), "BL"), long(sparcc(), "W12"), long(sparcc(), "W12", reader="R2"))
    row = only(compute(frame, SPARCC, "same_six_as_baseline"), reader="R2")
    assert np.isnan(row.total)
    assert row.missing_reason == "this reader has no baseline reading of this subject"


# Synovitis

TABLE = {
    (0, 0): 0, (0, 1): None, (0, 2): None, (0, 3): None,
    (1, 0): 1, (1, 1): 1, (1, 2): 2, (1, 3): 3,
    (2, 0): 2, (2, 1): 2, (2, 2): 2, (2, 3): 3,
    (3, 0): 3, (3, 1): 3, (3, 2): 3, (3, 3): 3,
}  # fmt: skip


@pytest.mark.parametrize(("parts", "expected"), TABLE.items())
def test_combined_score_is_the_table(parts, expected):
    result = compute(stacked(long({"R.MCP2.GS": parts[0], "R.MCP2.PD": parts[1]})), SYNOVITIS)
    row = result.totals.iloc[0]
    assert (row.gs, row.pd) == parts
    if expected is None:
        assert np.isnan(row.total)
        assert result.queries["reason"].tolist() == ["R.MCP2: PD above 0 with GS 0; no combined grade"]
    else:
        assert row.total == row.combined == expected
        assert len(result.queries) == 0


def test_total_sums_joints_with_both_modes():
    grades = {
        "R.MCP2.GS": 2,
        "R.MCP2.PD": 3,
        "L.MCP2.GS": 1,
        "R.WR.GS": 0,
        "R.WR.PD": 2,
        "R.KNEE.GS": 1,
        "R.KNEE.PD": 0,
    }
    row = total(grades, SYNOVITIS)
    assert (row.total, row.scored_sites, row.imputed_sites) == (4, 2, 0)
    assert (row.gs, row.pd) == (4, 5)


def test_pro_rating_scales_to_the_joints_that_have_a_row():
    grades = {
        "R.MCP2.GS": 2,
        "R.MCP2.PD": 3,
        "L.MCP2.GS": 1,
        "L.MCP2.PD": None,
        "R.KNEE.GS": 1,
        "R.KNEE.PD": 0,
    }
    row = total(grades, SYNOVITIS, "pro_rate")
    assert (row.total, row.scored_sites, row.imputed_sites) == (6, 2, 1)
    assert (row.gs, row.pd) == (4, 4.5)


def test_joint_set_of_mcp_2_to_5():
    grades = {f"{side}.MCP{n}.{mode}": 3 for side in "RL" for n in range(1, 6) for mode in ("GS", "PD")}
    row = total(grades, SYNOVITIS, None, {"joint_set": "mcp2_5"})
    assert (row.total, row.scored_sites) == (24, 8)
    row = total({"R.MCP2.GS": 1, "R.MCP2.PD": 0}, SYNOVITIS, "pro_rate", {"joint_set": "MCP2+KNEE"})
    assert (row.total, row.imputed_sites) == (4, 3)


def test_unknown_joint_set_is_said():
    with pytest.raises(InputError, match="joint set MCP9"):
        total({"R.MCP2.GS": 1}, SYNOVITIS, None, {"joint_set": "MCP9"})


def test_a_combined_grade_by_hand_is_checked_and_never_summed():
    grades = {"R.MCP2.CS": 2, "L.MCP2.GS": 1, "L.MCP2.PD": 1, "L.MCP2.CS": 3}
    result = compute(stacked(long(grades)), SYNOVITIS)
    assert result.totals.loc[0, "total"] == 1
    assert result.queries["reason"].tolist() == [
        "R.MCP2: combined grade without GS and PD; not counted",
        "L.MCP2: combined grade differs from GS and PD",
    ]


def test_no_joint_with_both_modes_gives_no_total():
    row = total({"R.MCP2.GS": 2}, SYNOVITIS)
    assert np.isnan(row.total)
    assert row.gs == 2
    assert row.missing_reason == "no joint has all it needs for the combined sum"


# Rows


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"site": "C9I"}, "site C9I is not an mSASSS site"),
        ({"site": None}, "site is empty"),
        ({"subject": None}, "subject is empty"),
        ({"visit": " "}, "visit is empty"),
        ({"reader": None}, "reader is empty"),
        ({"feature": "erosion"}, "feature erosion is not an mSASSS feature"),
        ({"grade": 4}, "grade 4 is outside 0-3 of C7I"),
        ({"grade": -1}, "grade -1 is outside 0-3 of C7I"),
        ({"grade": 1.5}, "grade 1.5 is not a whole number"),
        ({"grade": "two"}, "grade 'two' is not a number; leave it empty if not scorable"),
        ({"grade": "NA"}, "grade 'NA' is not a number; leave it empty if not scorable"),
        ({"grade": "inf"}, "grade 'inf' is not a number; leave it empty if not scorable"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_with_its_row_number(change, reason):
    frame = stacked(long(msasss(1, 1))).astype(object)
    frame["feature"] = "corner"
    row = CERVICAL.index("C7I") + 1
    for column, value in change.items():
        frame.loc[row, column] = value
    result = compute(frame, MSASSS)
    assert result.refused.to_numpy().tolist() == [[row, reason]]
    assert result.totals.loc[0, "total"] == pytest.approx(24)
    assert result.totals.loc[0, "imputed_sites"] == 1


def test_both_of_two_rows_for_one_site_are_refused():
    frame = stacked(long(msasss(1, 1)), long({"c2i": 1}), long({"C2I": 9}, "W52"), long({"C2I": 1}, "W52"))
    result = compute(frame, MSASSS)
    assert result.refused["row"].tolist() == [1, 25, 26, 27]
    assert (
        result.refused["reason"].tolist()[:2]
        == ["two rows for one subject, visit, reader, site and feature"] * 2
    )
    assert result.refused["reason"].tolist()[2] == "grade 9 is outside 0-3 of C2I"
    assert result.totals["imputed_sites"].tolist() == [1, 0]


def test_feature_of_another_site_is_refused():
    frame = stacked(long({"LH.J.PIP2": 1}))
    frame["feature"] = "erosion"
    assert compute(frame, MTSS).refused["reason"].tolist() == [
        "feature erosion does not fit site LH.J.PIP2, which has jsn"
    ]


def test_features_may_be_written_in_other_words():
    frame = stacked(long({"LH.J.PIP2": 1, "LH.E.PIP2": 1, "LH_mcp_E__ip": 2}))
    frame["feature"] = ["Joint space narrowing", "E", None]
    assert len(compute(frame, MTSS).refused) == 0


def test_grades_may_be_text_and_sites_in_other_case():
    frame = stacked(long({code.lower(): "1.0" for code in MSASSS.codes}))
    assert compute(frame, MSASSS).totals["total"].tolist() == [24]


def test_missing_columns_are_named():
    with pytest.raises(InputError, match=r"no column grade, reader; .* it has subject, visit, site;"):
        compute(pd.DataFrame({"subject": ["P1"], "visit": ["BL"], "site": ["C2I"]}), MSASSS)


def test_readings_stand_in_order_of_first_appearance():
    frame = stacked(
        long({"C2I": 1}, "W52", "P9", "R2"), long({"C2I": 1}, "BL", "P1"), long({"C2I": 1}, "BL", "P9", "R2")
    )
    keys = compute(frame, MSASSS).totals[["subject", "visit", "reader"]]
    assert keys.to_numpy().tolist() == [["P9", "W52", "R2"], ["P1", "BL", "R1"], ["P9", "BL", "R2"]]


def test_readings_may_be_told_apart_by_more_than_the_reader():
    frame = stacked(long(msasss(1)), long(msasss(2)))
    frame["campaign"] = ["one"] * 24 + ["two"] * 24
    result = compute(frame, MSASSS, by=("reader", "campaign"))
    assert result.totals["total"].tolist() == [12, 24]
    assert result.totals["campaign"].tolist() == ["one", "two"]


def test_a_frame_without_usable_rows_has_readings_without_totals():
    result = compute(stacked(long({"X": 1})), MSASSS)
    assert result.totals["total"].isna().tolist() == [True]
    assert result.refused["row"].tolist() == [1]


def test_the_input_is_left_as_it_is():
    frame = stacked(long(svdh(1, 1) | {"LH.E.PIP2": None}))
    before = frame.copy(deep=True)
    compute(frame, MTSS)
    pd.testing.assert_frame_equal(frame, before)
