"""``sharpline agreement`` as scripts meet it: the JSON of domain.md F1-F3 and F5, and bad input."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from core.cli import cli, main

F1 = [(9, 2, 5, 8), (6, 1, 3, 2), (8, 4, 6, 8), (7, 1, 2, 6), (10, 5, 6, 9), (6, 2, 4, 7)]
WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
F5 = [[10, 4, 1, 0], [5, 10, 12, 2], [2, 4, 12, 5], [0, 2, 6, 13]]
F3 = {
    "R1": ([0, 4, 12, 22, 2, 35, 0, 8, 16, 5], [0, 6, 13, 22, 2, 41, 2, 8, 19, 5]),
    "R2": ([0, 5, 10, 24, 2, 33, 1, 7, 15, 6], [1, 6, 13, 23, 2, 37, 1, 8, 16, 6]),
}


@pytest.fixture
def run(tmp_path, capsys):
    """Run on a table (frame or CSV text); gives exit status, result (or text) and standard error."""

    def _run(table, *options, columns=("subject", "rater", "rating"), as_json=True):
        path = tmp_path / "ratings.csv"
        if isinstance(table, pd.DataFrame):
            table.to_csv(path, index=False)
        else:
            path.write_text(table, encoding="utf-8")
        names = [
            part for pair in zip(("--subject", "--rater", "--rating"), columns, strict=True) for part in pair
        ]
        arguments = ["agreement", str(path), *names, *options, *(["--json"] if as_json else [])]
        with pytest.raises(SystemExit) as exit_:
            main(arguments)
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        if not as_json or not out:
            return exit_.value.code, out, err
        assert "NaN" not in out and "Infinity" not in out
        return exit_.value.code, json.loads(out), err

    return _run


def long(columns: dict) -> pd.DataFrame:
    frame = pd.DataFrame(columns).rename_axis("subject").reset_index()
    return frame.melt("subject", var_name="rater", value_name="rating")


def rounded(value: dict, digits: int) -> list[float]:
    return [round(x, digits) for x in (value["estimate"], *value["ci"])]


def test_f1_shrout_fleiss(run):
    table = long({f"J{j + 1}": [row[j] for row in F1] for j in range(4)})
    status, result, _ = run(table)
    assert status == 0
    assert (result["subjects"], result["raters"], result["dropped_subjects"]) == (
        6,
        ["J1", "J2", "J3", "J4"],
        0,
    )
    assert {form: rounded(value, 5) for form, value in result["icc"].items()} == {
        "ICC(1,1)": [0.16574, -0.13293, 0.72256],
        "ICC(A,1)": [0.28976, 0.01879, 0.76108],
        "ICC(C,1)": [0.71484, 0.34246, 0.94586],
        "ICC(1,k)": [0.44280, -0.88444, 0.91242],
        "ICC(A,k)": [0.62005, 0.07114, 0.92723],
        "ICC(C,k)": [0.90932, 0.67567, 0.98589],
    }
    assert round(result["sem"]["agreement"], 6) == 2.502776
    assert round(result["sem"]["consistency"], 6) == 1.009675
    assert round(result["mdc95"], 5) == 2.79868
    assert {"subject", "rater", "residual"} == set(result["variance_components"])
    assert "bland_altman" not in result and "kappa" not in result
    assert result["notes"] == {}


def test_f2_bland_altman_exact(run):
    _, result, _ = run(long({"Wright": WRIGHT, "Mini": MINI}))
    limits = result["bland_altman"]
    assert rounded(limits["bias"], 4) == [-2.1176, -22.0488, 17.8135]
    assert round(limits["sd"], 5) == 38.76513
    assert rounded(limits["loa"]["lower"], 3) == [-78.097, -124.163, -53.096]
    assert rounded(limits["loa"]["upper"], 3) == [73.862, 48.861, 119.928]
    assert round(limits["loa"]["lower"]["estimate"], 4) == -78.0973
    assert round(limits["loa"]["upper"]["estimate"], 4) == 73.8620
    assert limits["loa_ci_method"] == "exact"
    slope = limits["proportional_bias"]
    assert (round(slope["slope"], 5), round(slope["se"], 5)) == (0.02869, 0.08821)
    assert (round(slope["p"], 4), round(slope["intercept"], 3)) == (0.7495, -15.067)
    assert rounded(result["pearson"], 5) == [0.94328, 0.84636, 0.97973]
    assert round(result["spearman"]["estimate"], 5) == 0.89951
    assert round(result["ccc"]["estimate"], 6) == 0.942742
    assert rounded(result["icc"]["ICC(A,1)"], 5) == [0.94593, 0.85741, 0.98008]
    assert rounded(result["icc"]["ICC(C,1)"], 5) == [0.94291, 0.84991, 0.97894]
    assert round(result["icc"]["ICC(A,k)"]["estimate"], 5) == 0.97221
    assert result["kappa"] is None and "kappa" in result["notes"]


def test_f2_bland_altman_approximate(run):
    _, result, _ = run(long({"Wright": WRIGHT, "Mini": MINI}), "--loa-ci", "approximate")
    loa = result["bland_altman"]["loa"]
    assert [round(x, 3) for x in loa["lower"]["ci"]] == [-112.853, -43.341]
    assert [round(x, 3) for x in loa["upper"]["ci"]] == [39.106, 108.618]
    assert result["bland_altman"]["loa_ci_method"] == "approximate"


@pytest.mark.parametrize(
    ("visit", "expected"),
    [
        ("base", [0.9930, 0.9722, 0.9982]),
        ("follow-up", [0.9901, 0.9629, 0.9975]),
        ("change", [0.6667, 0.1288, 0.9044]),
    ],
)
def test_f3_two_readers(run, visit, expected):
    table = pd.concat(
        [
            long({r: v[0] for r, v in F3.items()}).assign(visit="base"),
            long({r: v[1] for r, v in F3.items()}).assign(visit="follow-up"),
            long({r: list(np.subtract(v[1], v[0])) for r, v in F3.items()}).assign(visit="change"),
        ]
    )
    _, result, _ = run(table, "--where", f"visit={visit}")
    assert rounded(result["icc"]["ICC(A,1)"], 4) == expected
    if visit == "base":
        assert round(result["sem"]["agreement"], 6) == 0.921954
        assert round(result["sem"]["consistency"], 6) == 0.968963
        assert round(result["mdc95"], 6) == 2.685828
        assert round(result["mdc95_mean_of_raters"], 6) == 1.899167
        assert round(result["bland_altman"]["sd"], 6) == 1.370320
        assert round(result["icc"]["ICC(C,1)"]["estimate"], 4) == 0.9922
    if visit == "change":
        assert rounded(result["icc"]["ICC(A,k)"], 4) == [0.8000, 0.2282, 0.9498]
        limits = result["bland_altman"]
        assert round(limits["bias"]["estimate"], 6) == 0.4
        assert round(limits["sd"], 6) == 1.429841
        assert [round(limits["loa"][side]["estimate"], 6) for side in ("lower", "upper")] == [
            -2.402488,
            3.202488,
        ]


def test_f5_weighted_kappa(run):
    first = np.repeat(range(4), [sum(row) for row in F5])
    second = np.concatenate([np.repeat(range(4), row) for row in F5])
    _, result, _ = run(long({"D1": first, "D2": second}))
    assert {name: rounded(value, 6) for name, value in result["kappa"].items()} == {
        "unweighted": [0.344875, 0.202980, 0.486770],
        "linear": [0.508160, 0.379766, 0.636554],
        "quadratic": [0.660723, 0.539905, 0.781541],
    }
    assert [round(value["se"], 6) for value in result["kappa"].values()] == [0.072397, 0.065508, 0.061643]
    assert [round(value["se_null"], 6) for value in result["kappa"].values()] == [
        0.061185,
        0.073897,
        0.106495,
    ]
    assert (round(result["exact_agreement"], 6), round(result["within_one"], 6)) == (0.511364, 0.920455)
    assert round(result["gwet"]["ac1"]["estimate"], 6) == 0.351073
    assert round(result["gwet"]["ac2_quadratic"]["estimate"], 6) == 0.717869
    assert round(result["icc"]["ICC(A,1)"]["estimate"], 6) == 0.663280
    assert result["confusion"]["counts"] == F5


@pytest.mark.real
def test_shared_tables(run, shared):
    """The values that came with the shared tables, to the tolerance that stands beside each."""
    folder = shared / "real" / "agreement"
    expected = pd.read_csv(folder / "expected.csv")
    wine = (folder / "pingouin_icc.csv").read_text(encoding="utf-8")
    _, result, _ = run(wine, columns=("Wine", "Judge", "Scores"))
    names = {v["shrout_fleiss"]: v["estimate"] for v in result["icc"].values()}
    rows = expected[expected["analysis"] == "ICC, 8 wines, 4 judges"]
    assert len(rows) == 6
    for row in rows.itertuples():
        assert names[row.statistic] == pytest.approx(row.value, abs=row.tolerance)
    lines = wine.splitlines()
    lines[4] = lines[4].rsplit(",", 1)[0] + ","
    status, result, _ = run("\n".join(lines), columns=("Wine", "Judge", "Scores"))
    assert (status, result["subjects"], result["dropped_subjects"]) == (0, 7, 1)
    assert result["icc"]["ICC(A,1)"]["estimate"] == pytest.approx(0.75, abs=0.005)
    assert result["icc_mixed"]["subjects"] == 8 and result["icc_mixed"]["ratings"] == 31


def test_rater_order_is_that_of_the_file_even_after_where(run):
    table = pd.DataFrame(
        {
            "subject": [1, 1, 1, 1, 2, 2, 2, 2],
            "rater": ["B", "A", "A", "B"] * 2,
            "rating": [1, 2, 5, 3, 2, 3, 7, 4],
            "visit": ["x", "x", "y", "y"] * 2,
        }
    )
    _, result, _ = run(table, "--where", "visit=y")
    assert result["raters"] == ["B", "A"]
    assert result["bland_altman"]["bias"]["estimate"] == -2.5


def test_order_holds_before_rows_are_refused(run):
    _, result, _ = run("subject,rater,rating\n1,B,text\n1,A,1\n2,B,2\n2,A,4\n3,A,1\n3,B,1\n")
    assert result["raters"] == ["B", "A"]
    assert result["dropped_subjects"] == 1


def test_empty_is_missing_and_text_and_doubles_are_refused(run):
    status, result, err = run(
        "subject,rater,rating\n1,A,1\n1,B,2\n2,A,\n2,B,3\n3,A,ND\n3,B,1\n4,A,1\n4,A,1\n4,B,2\n5,A,4\n5,B,4\n"
        "6,A,3\n6,B,2\n,A,3\n7,,3\n"
    )
    assert status == 1
    assert [problem["row"] for problem in result["refused"]] == [5, 7, 8, 14, 15]
    assert "'ND' is not a number" in result["refused"][0]["reason"]
    assert "more than one rating by A" in result["refused"][1]["reason"]
    assert (result["subjects"], result["dropped_subjects"]) == (3, 4)
    assert "row 5 refused" in err
    assert result["icc_mixed"]["ratings"] == 9


@pytest.mark.parametrize("constant", [0, 3])
def test_no_variance_is_null_with_a_reason(run, constant):
    status, result, _ = run(long({"A": [constant] * 5, "B": [constant] * 5}))
    assert status == 0
    assert all(value["estimate"] is None and value["ci"] == [None, None] for value in result["icc"].values())
    for name in ("icc", "pearson", "spearman", "ccc", "kappa", "proportional_bias"):
        assert result["notes"][name]
    assert (result["exact_agreement"], result["sem"]["agreement"]) == (1, 0)


@pytest.mark.parametrize(
    ("table", "subjects"),
    [
        ({"A": [1], "B": [2]}, 1),
        ({"A": [1, 2], "B": [2, 2]}, 2),
        ({"A": [1, 1], "B": [2, 2]}, 2),
        ({"A": [1, 2], "B": [2, 1]}, 2),
        ({"A": [3, 4, 5]}, 3),
        ({"A": [1, 2, 3], "B": [2, 2, 2]}, 3),
        ({"A": [1.5, 2, 3], "B": [-1, 2, 7.25]}, 3),
        ({"A": [1e90, 2], "B": [2, 1e-300]}, 2),
        ({f"R{i}": [i, 0] for i in range(40)}, 2),
    ],
)
def test_thin_tables_give_an_answer(run, table, subjects):
    status, result, _ = run(long(table))
    assert (status, result["subjects"]) == (0, subjects)
    for value in result["icc"].values():
        assert value["estimate"] is not None or result["notes"]


def test_a_number_too_large_is_refused(run):
    status, result, _ = run(long({"A": [1e300, 2, 3], "B": [2, 3, 4]}))
    assert (status, result["subjects"], result["refused"][0]["row"]) == (1, 2, 1)


def test_raters_without_a_common_subject(run):
    status, result, _ = run("subject,rater,rating\n1,A,1\n2,B,2\n")
    assert (status, result["subjects"], result["dropped_subjects"]) == (0, 0, 2)
    assert result["notes"]["subjects"] == "no subject was rated by all raters"
    assert result["icc_mixed"]["notes"]["icc_mixed"]


def test_a_rater_with_text_only_is_named(run):
    _, result, _ = run("subject,rater,rating\n1,A,1\n1,B,x\n2,A,2\n2,B,y\n")
    assert result["notes"]["subjects"] == "no usable rating by B: leave them out with --raters"
    _, result, _ = run("subject,rater,rating\n1,A,1\n1,B,x\n1,C,1\n2,A,2\n2,B,y\n2,C,3\n", "--raters", "C,A")
    assert (result["raters"], result["subjects"]) == (["A", "C"], 2)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("subject,rater,rating\n1,A,x\n1,B,y\n", [], "2 of 2 rows are refused, row 1: 'x' is not a number"),
        ("subject,rater,rating\n1,A,\n1,B,\n", [], "2 rows and no rating in them"),
        ("subject,rater\n1,A\n", [], "has no column rating"),
        ("subject,rater,rating\n", [], "no rows"),
        ("subject,rater,rating\n1,A,1\n", ["--where", "visit=W9"], "columns subject, rater, rating"),
        ("subject,rater,rating\n1,A,1\n", ["--where", "rater=Z"], "rows with these values are needed"),
        ("subject,rater,rating\n1,A,1\n", ["--raters", "Z"], "the raters are A"),
        ("subject,rater,rating\n1,A,1\n1,B,1\n", ["--model", "Z"], "--model Z"),
        ("subject,rater,rating\n1,A,1\n", ["--margin", "2"], "--margin needs --model"),
        ("subject,rater,rating\n1,A,1\n", ["--cluster", "p"], "has no column p"),
    ],
)
def test_nothing_done_is_status_2_and_one_line(run, text, options, message):
    status, out, err = run(text, *options)
    assert (status, out) == (2, "")
    assert message in err and err.startswith("sharpline: ") and err.count("\n") == 1


def test_missing_file_is_status_2(capsys, tmp_path):
    with pytest.raises(SystemExit) as exit_:
        main(["agreement", str(tmp_path / "no.csv"), "--subject", "s", "--rater", "r", "--rating", "x"])
    assert exit_.value.code == 2


def site_table() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    truth = np.clip(rng.poisson(rng.exponential(0.7, (30, 1)), (30, 6)), 0, 3)
    rows = []
    for name in ("R1", "R2", "model"):
        read = np.clip(truth + rng.choice([-1, 0, 0, 0, 1], truth.shape), 0, 3)
        for (patient, site), grade in np.ndenumerate(read):
            rows.append((patient, f"C{site}", name, grade))
    return pd.DataFrame(rows, columns=["patient", "site", "reader", "grade"])


def test_clustered_intervals_resample_patients(run):
    columns = ("patient,site", "reader", "grade")
    table = site_table()
    _, plain, _ = run(table, "--raters", "R1,R2", columns=columns)
    _, result, _ = run(table, "--raters", "R1,R2", "--cluster", "patient", columns=columns)
    assert result["subjects"] == 180
    how = result["bootstrap"]
    assert (how["patients"], how["draws"], how["seed"]) == (30, 2000, 20240229)
    assert result["icc"]["ICC(A,1)"]["estimate"] == plain["icc"]["ICC(A,1)"]["estimate"]
    assert result["icc"]["ICC(A,1)"]["ci"] != plain["icc"]["ICC(A,1)"]["ci"]
    for path in ("pearson", "spearman", "ccc"):
        low, high = result[path]["ci"]
        assert low < result[path]["estimate"] < high
    for weights in ("unweighted", "linear", "quadratic"):
        low, high = result["kappa"][weights]["ci"]
        assert low < result["kappa"][weights]["estimate"] < high
        assert "se" not in result["kappa"][weights]
    limits = result["bland_altman"]
    assert limits["loa_ci_method"] == "patient bootstrap"
    assert limits["proportional_bias"]["p"] is None
    assert result["mdc95_ci"][0] < result["mdc95"] < result["mdc95_ci"][1]
    assert result["repeated_limits"]["subjects"] == 30
    again = run(table, "--raters", "R1,R2", "--cluster", "patient", columns=columns)[1]
    assert again == result
    other = run(table, "--raters", "R1,R2", "--cluster", "patient", "--seed", "1", columns=columns)[1]
    assert other["icc"]["ICC(A,1)"]["ci"] != result["icc"]["ICC(A,1)"]["ci"]


def test_one_patient_has_no_clustered_interval(run):
    _, result, _ = run(long({"A": [1, 2, 3], "B": [1, 3, 3]}).assign(patient="P1"), "--cluster", "patient")
    assert result["icc"]["ICC(A,1)"]["ci"] == [None, None]
    assert result["notes"]["bootstrap"]


def test_a_subject_of_two_patients_is_an_error(run):
    status, _, err = run("subject,rater,rating,p\n1,A,1,P1\n1,B,2,P2\n", "--cluster", "p")
    assert status == 2 and "belongs to P1 and to P2" in err


def test_model_as_a_reader(run):
    columns = ("patient,site", "reader", "grade")
    options = ("--model", "model", "--cluster", "patient", "--margin", "0.5", "--changes")
    _, result, _ = run(site_table(), *options, columns=columns)
    found = result["model_as_reader"]
    index = found["interchangeability"]
    assert index["index"]["ci"][0] < index["index"]["estimate"] < index["index"]["ci"][1]
    assert index["equivalent"] is (index["index"]["ci"][1] < 0.5)
    assert [row["left_out"] for row in found["leave_one_out"]["rows"]] == ["R1", "R2"]
    assert set(found["false_change"]["readers"]) == {"R1", "R2"}
    _, result, _ = run(site_table(), "--model", "model", columns=columns)
    assert result["model_as_reader"]["interchangeability"]["equivalent"] is None


def test_text_output_names_forms_raters_and_notes(run):
    status, out, _ = run(long({"Wright": WRIGHT, "Mini": MINI}), as_json=False)
    assert status == 0
    for part in (
        "17 subjects rated by all of Wright, Mini",
        "ICC(A,1), Shrout-Fleiss ICC(2,1)",
        "0.9459",
        "bias, Wright minus Mini",
        "note, kappa",
    ):
        assert part in out
    _, out, _ = run(
        site_table(),
        "--model",
        "model",
        "--changes",
        "--cluster",
        "patient",
        columns=("patient,site", "reader", "grade"),
        as_json=False,
    )
    assert "interchangeability index of model" in out and "2000 draws of 30 patients" in out


def test_parquet_and_numbers_that_are_infinite(tmp_path, capsys):
    frame = long({"A": [1.0, 2.0, np.inf], "B": [1.5, 2.5, 3.0]})
    path = tmp_path / "r.parquet"
    frame.to_parquet(path)
    arguments = ["agreement", str(path), "--subject", "subject", "--rater", "rater", "--rating", "rating"]
    outcome = CliRunner().invoke(cli, [*arguments, "--json"], standalone_mode=False)
    assert outcome.return_value == 1
    result = json.loads(outcome.stdout)
    assert result["refused"] == [{"row": 3, "reason": "'inf' is not a number"}]
    assert result["subjects"] == 2


def test_two_categories_stand_beside_kappa(run):
    first = np.repeat(range(4), [sum(row) for row in F5])
    second = np.concatenate([np.repeat(range(4), row) for row in F5])
    table = long({"D1": first, "D2": second})
    status, result, _ = run(table)
    assert status == 0
    cuts = result["two_categories"]
    assert [cut["at_least"] for cut in cuts] == [1, 2, 3]
    assert cuts[2]["counts"] == [[60, 7], [8, 13]]
    _, text, _ = run(table, as_json=False)
    assert "PABAK, 1 or more" in text and "bias index, 3 or more" in text


def rounds(n: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    true = np.clip(np.round(rng.exponential(1, n)), 0, 3)
    rows = []
    for rater in ("R1", "R2", "net"):
        for number in (1, 2):
            seen = np.clip(true + rng.choice([-1, 0, 0, 0, 1], n), 0, 3)
            rows += [(f"P{i}", rater, number, seen[i]) for i in range(n)]
    return pd.DataFrame(rows, columns=["subject", "rater", "round", "rating"])


def test_verdicts_need_margins_and_a_model(run):
    table = rounds()
    first = table[table["round"] == 1]
    margins = ("--bias-margin", "0.5", "--icc-margin", "0.2", "--kappa-margin", "0.2")
    _, plain, _ = run(first, "--model", "net")
    assert not {"bias_equivalence", "non_inferiority", "drift"} & set(plain)
    status, result, _ = run(first, "--model", "net", *margins)
    assert status == 0 and set(result["non_inferiority"]) == {"ICC(A,1)", "kappa.quadratic"}
    assert [row["first"] for row in result["bias_equivalence"]["rows"]] == ["net", "R1"]
    _, text, _ = run(first, "--model", "net", *margins, as_json=False)
    assert "each test at 2.5%" in text and "quadratic kappa, model minus readers" in text and "power" in text
    status, _, error = run(first, "--icc-margin", "0.2")
    assert status == 2 and "--model" in error


def test_rounds_have_drift_and_the_first_one_has_all_else(run):
    table = rounds()
    _, plain, _ = run(table[table["round"] == 1])
    status, result, _ = run(table, "--round", "round")
    assert status == 0 and result.pop("drift")["rounds"] == ["1", "2"]
    assert result == plain
    table.loc[[0, 50], "round"] = None
    table = table.astype(object)
    table.loc[60, "rating"] = "?"
    status, result, _ = run(table, "--round", "round")
    assert status == 1 and len(result["refused"]) == 3
    assert result["drift"]["rows"][0]["subjects"] == 37


def test_better_intervals_stand_beside_the_textbook_ones(run):
    first, second = F3["R1"][0], F3["R2"][0]
    table = long({"R1": first, "R2": second})
    _, found, _ = run(table)
    _, textbook, _ = run(table, "--intervals", "textbook")
    better = found.pop("intervals")
    assert textbook.pop("intervals") is None and found == textbook
    assert better["mdc95"][0] < found["mdc95"] < better["mdc95"][1]
    assert "fixed" in better["readers"]
    _, text, _ = run(table, as_json=False)
    assert f"({better['mdc95'][0]:.4f} to {better['mdc95'][1]:.4f})" in text and "readers fixed" in text
    _, text, _ = run(table, "--intervals", "textbook", as_json=False)
    assert f"({found['mdc95_ci'][0]:.4f} to {found['mdc95_ci'][1]:.4f})" in text


def test_changes_have_their_intervals_without_a_model(run):
    rng = np.random.default_rng(8)
    seen = rng.poisson(1.5, 30)[:, None] + rng.normal(0, 1, (30, 2))
    rows = [(f"P{place}", reader, seen[place, number])
            for place in range(30) for number, reader in enumerate(("R1", "R2"))]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["subject", "rater", "rating"])
    status, found, _ = run(frame, "--changes")
    assert status == 0 and "model_as_reader" not in found
    assert found["intervals"]["note"] == "" and found["intervals"]["mdc95"][0] < found["mdc95"]
    _, plain, _ = run(frame)
    assert "--changes" in plain["intervals"]["note"]
    assert found["intervals"]["mdc95"] != plain["intervals"]["mdc95"] and found["mdc95"] == plain["mdc95"]
