"""``sharpline export``: the contract's columns, an order, the same bytes, and food for the other commands."""

import csv
import json

import duckdb
import numpy as np
import openpyxl
import pandas as pd
import pytest

from core import scores
from core.cli import main
from data.store.cohort import CohortStore
from data.tables.export import export
from data.tables.files import read_table
from data.tables.import_reads import ReadsRequest, import_reads
from data.tables.import_subjects import import_subjects

TOTALS = (
    "subject, visit, days, arm, system, component, reader, reader_kind, campaign, total, imputed_sites, rule"
)
SITE_SCORES = (
    "subject, visit, days, system, site, feature, reader, reader_kind, campaign, grade, reason, image"
)
SITES = scores.get("msasss").codes
VISITS = ("BL", "W52", "W104")


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    store = CohortStore.open(tmp_path_factory.mktemp("export") / "cohort.duckdb")
    subjects = pd.DataFrame(
        {
            "subject": [f"P{n}" for n in (1, 2, 10, 3)],
            "arm": ["A", "B"] * 2,
            "sex": "F",
            "CRP": [1.5, 20, 3, 4],
        },
        index=range(1, 5),
    )
    plan = pd.DataFrame({"visit": VISITS, "planned_day": [0, 364, 728]}, index=range(1, 4))
    import_subjects(store, subjects, plan, actor="x")
    rng = np.random.default_rng(4)
    for reader, kind in (("R2", "human"), ("truth", "consensus"), ("R1", "human")):
        rows = [
            (subject, visit, *rng.integers(0, 4, 23), None)
            for subject in subjects["subject"]
            for visit in reversed(VISITS)
        ]
        table = pd.DataFrame(rows, columns=["subject", "visit", *SITES], index=range(1, len(rows) + 1))
        import_reads(store, table, ReadsRequest("msasss", reader, kind=kind, read_mode="paired"), actor="x")
    image = pd.DataFrame(
        {"image": ["ab", "cd"], "subject": ["P1", None], "visit": ["W52", None], "view": "cervical"}
    )
    with store.write("x", "ingest") as transaction:
        transaction.insert("image", image)
        transaction.insert("reader", pd.DataFrame({"reader": ["model:m"], "kind": "model"}))
        transaction.insert(
            "run", pd.DataFrame({"run": ["r"], "reader": "model:m", "campaign": "model-single"})
        )
        transaction.insert(
            "finding",
            pd.DataFrame(
                {
                    "finding": ["f2", "f1", "f3"],
                    "run": "r",
                    "image": ["ab", "ab", "cd"],
                    "system": "msasss",
                    "site": ["C3S", "C2I", None],
                    "feature": ["corner", "corner", None],
                    "grade": [2, 0, None],
                    "grade_probabilities": [[0.1, 0.2, 0.6, 0.1], [0.7, 0.1, 0.1, 0.1], None],
                    "confidence": [0.9, 0.8, None],
                    "geometry": ['{"box": [1, 2, 3, 4.5]}', None, None],
                    "abstained": [None, None, "wrong view"],
                }
            ),
        )
    return store.path


@pytest.fixture
def cohort(filled, tmp_path):
    import shutil

    return CohortStore(shutil.copy(filled, tmp_path / "cohort.duckdb"))


@pytest.fixture
def run(cohort, capsys):
    def _run(*arguments):
        with pytest.raises(SystemExit) as end:
            main(["--cohort", str(cohort.path), *map(str, arguments)])
        out, err = capsys.readouterr()
        return end.value.code, out, err

    return _run


@pytest.mark.parametrize("table, columns", [("totals", TOTALS), ("site_scores", SITE_SCORES)])
def test_columns_are_those_of_the_contract(run, tmp_path, table, columns):
    path = tmp_path / "out.csv"
    status, out, _ = run("export", "--table", table, "--out", path, "--json")
    answer = json.loads(out)
    frame = pd.read_csv(path)
    assert status == 0
    assert list(frame.columns)[:12] == columns.split(", ")
    assert answer["rows"] == len(frame) == {"totals": 4 * 3 * 3 * 3, "site_scores": 4 * 3 * 3 * 24}[table]
    assert answer["path"] == str(path)


def test_rows_stand_in_the_order_of_the_study(run, tmp_path):
    run("export", "--table", "site_scores", "--out", tmp_path / "o.csv")
    frame = pd.read_csv(tmp_path / "o.csv")
    assert frame["subject"].unique().tolist() == ["P1", "P2", "P3", "P10"]
    one = frame[frame["subject"] == "P3"]
    assert one["visit"].unique().tolist() == list(VISITS)
    assert one["reader"].unique().tolist() == ["R1", "R2", "truth"]
    assert one["site"].head(24).tolist() == list(SITES)
    assert frame["days"].unique().tolist() == [0, 364, 728]
    missing = frame[frame["grade"].isna()]
    assert set(missing["site"]) == {"S1S"} and set(missing["reason"]) == {"not scorable"}
    run("export", "--table", "totals", "--out", tmp_path / "t.csv")
    totals = pd.read_csv(tmp_path / "t.csv")
    assert totals["component"].head(3).tolist() == ["cervical", "lumbar", "total"]
    assert set(totals.loc[totals["component"] == "total", "imputed_sites"]) == {1}


@pytest.mark.parametrize("ending", ["csv", "parquet", "xlsx"])
@pytest.mark.parametrize("table", ["totals", "site_scores", "findings", "images", "series", "subjects"])
def test_same_cohort_gives_the_same_bytes_in_every_form(run, tmp_path, table, ending):
    first, second = tmp_path / f"1.{ending}", tmp_path / f"2.{ending}"
    assert run("export", "--table", table, "--out", first)[0] == 0
    assert run("export", "--table", table, "--out", second)[0] == 0
    assert first.read_bytes() == second.read_bytes()
    read = {"csv": pd.read_csv, "parquet": pd.read_parquet, "xlsx": pd.read_excel}[ending](first)
    run("export", "--table", table, "--out", tmp_path / "plain.csv")
    plain = pd.read_csv(tmp_path / "plain.csv")
    assert list(read.columns) == list(plain.columns) and len(read) == len(plain)
    assert not list(tmp_path.glob(".*.part"))


def test_a_file_says_which_history_it_comes_from(run, cohort, tmp_path):
    """Kept outside the cohort, so that a rewritten history can be told from the true one."""
    head = cohort.query("SELECT hash FROM event ORDER BY event DESC LIMIT 1")["hash"][0]
    code, said, _ = run("export", "--table", "subjects", "--out", tmp_path / "s.csv", "--json")
    assert (code, json.loads(said)["head"]) == (0, head)
    run("export", "--table", "subjects", "--out", tmp_path / "s.xlsx")
    assert head in openpyxl.load_workbook(tmp_path / "s.xlsx").properties.description
    run("export", "--table", "subjects", "--out", tmp_path / "s.parquet")
    kept = duckdb.sql(f"SELECT value FROM parquet_kv_metadata('{tmp_path / 's.parquet'}')").fetchall()
    assert head in str(kept)


def test_arms_are_left_out_until_the_cohort_is_unblinded(run, cohort, tmp_path):
    path = tmp_path / "t.csv"
    assert json.loads(run("export", "--table", "totals", "--out", path, "--json")[1])["blinded"] is True
    assert pd.read_csv(path)["arm"].isna().all()
    status, _, err = run("export", "--table", "totals", "--out", tmp_path / "no.csv", "--unblinded")
    assert status == 2 and "this cohort is blinded" in err
    assert not (tmp_path / "no.csv").exists()
    cohort.set_blinded(False, actor="chair", reason="lock")
    assert run("export", "--table", "totals", "--out", path, "--unblinded")[0] == 0
    assert set(pd.read_csv(path)["arm"]) == {"A", "B"}
    run("export", "--table", "subjects", "--out", path)
    assert pd.read_csv(path)[["subject", "arm", "CRP"]].to_numpy().tolist() == [
        ["P1", "A", 1.5],
        ["P2", "B", 20],
        ["P3", "B", 4],
        ["P10", "A", 3],
    ]


def test_findings_carry_box_and_abstention(run, tmp_path):
    run("export", "--table", "findings", "--out", tmp_path / "f.csv")
    frame = pd.read_csv(tmp_path / "f.csv")
    assert frame["site"].fillna("").tolist() == ["C2I", "C3S", ""]
    assert frame.loc[1, ["x0", "y0", "x1", "y1"]].tolist() == [1, 2, 3, 4.5]
    assert json.loads(frame["grade_probabilities"][1]) == [0.1, 0.2, 0.6, 0.1]
    assert frame.loc[2, "abstained"] == "wrong view"
    assert set(frame["reader"]) == {"model:m"}


def test_findings_of_a_cohort_from_before_films_were_compared(run, cohort, tmp_path):
    with duckdb.connect(str(cohort.path)) as connection:
        connection.execute("ALTER TABLE finding DROP COLUMN compared")
    assert run("export", "--table", "findings", "--out", tmp_path / "f.csv")[0] == 0
    frame = pd.read_csv(tmp_path / "f.csv")
    assert len(frame) == 3
    assert frame["compared"].isna().all()


@pytest.fixture
def read_both_ways(cohort):
    """The model has read two films of P1 alone and together, and a third, of P2, alone."""
    reads = pd.DataFrame(
        [
            (subject, visit, "model:m", campaign, grade)
            for subject, visit, campaign, grade in (
                ("P1", "BL", "model-single", 1), ("P1", "W52", "model-single", 3),
                ("P2", "BL", "model-single", 2),
                ("P1", "BL", "model-paired", 1), ("P1", "W52", "model-paired", 1),
            )
        ],
        columns=["subject", "visit", "reader", "campaign", "grade"],
    ).assign(system="msasss", site="C2I", feature="corner", read=1)  # fmt: skip
    with cohort.write("x", "score") as transaction:
        transaction.insert("site_score", reads)


def test_a_model_is_exported_by_what_it_read_together(run, read_both_ways, tmp_path):
    run("export", "--table", "site_scores", "--out", tmp_path / "s.csv")
    model = pd.read_csv(tmp_path / "s.csv").query("reader_kind == 'model'")
    assert model[["subject", "visit", "campaign", "grade"]].to_numpy().tolist() == [
        ["P1", "BL", "model-paired", 1],
        ["P1", "W52", "model-paired", 1],
        ["P2", "BL", "model-single", 2],
    ]
    run("export", "--table", "totals", "--out", tmp_path / "t.csv")
    totals = pd.read_csv(tmp_path / "t.csv").query("reader_kind == 'model' and component == 'total'")
    assert totals["campaign"].tolist() == ["model-paired", "model-paired", "model-single"]


def test_a_campaign_that_is_asked_for_comes_alone_and_whole(run, read_both_ways, tmp_path):
    run("export", "--table", "site_scores", "--campaign", "model-single", "--out", tmp_path / "s.csv")
    frame = pd.read_csv(tmp_path / "s.csv")
    assert set(frame["campaign"]) == {"model-single"} and frame["grade"].tolist() == [1, 3, 2]
    status, _, err = run("export", "--table", "totals", "--campaign", "x", "--out", tmp_path / "t.csv")
    assert status == 2 and "campaign x" in err and "model-paired" in err


def test_site_scores_can_be_fed_to_totals(run, tmp_path):
    run("export", "--table", "site_scores", "--out", tmp_path / "s.csv")
    run("export", "--table", "totals", "--out", tmp_path / "t.csv")
    status, out, _ = run("totals", tmp_path / "s.csv", "--system", "msasss", "--json")
    answer = {
        (row["subject"], row["visit"], row["reader"]): row["total"] for row in json.loads(out)["totals"]
    }
    stored = pd.read_csv(tmp_path / "t.csv").query("component == 'total'")
    assert status == 0
    assert answer == {
        (row.subject, row.visit, row.reader): pytest.approx(row.total) for row in stored.itertuples()
    }


def test_totals_can_be_fed_to_agreement_and_progression(run, tmp_path):
    path = tmp_path / "t.csv"
    run("export", "--table", "totals", "--out", path)
    where = ("--where", "component=total", "--where", "reader_kind=human")
    columns = ("--subject", "subject", "--rater", "reader", "--rating", "total")
    status, out, _ = run("agreement", path, *columns, *where, "--where", "visit=BL", "--json")
    answer = json.loads(out)
    assert status == 0
    assert (answer["subjects"], answer["raters"]) == (4, ["R1", "R2"])
    status, out, _ = run("progression", path, *where, "--json")
    answer = json.loads(out)
    assert status == 0
    assert (answer["subjects"], answer["to_days"]) == (4, 728)


def test_totals_under_another_rule(run, tmp_path):
    path = tmp_path / "t.csv"
    assert run("export", "--table", "totals", "--out", path, "--rule", "msasss.complete_only")[0] == 0
    frame = pd.read_csv(path)
    assert set(frame["rule"]) == {"msasss.complete_only"}
    assert frame.loc[frame["component"] == "total", "total"].isna().all(), "S1S is never scored"
    assert frame.loc[frame["component"] == "cervical", "total"].notna().all()
    assert set(frame["missing_reason"].dropna()) == {"lumbar: 1 of 12 corners missing"}
    status, _, err = run("export", "--table", "totals", "--out", path, "--rule", "nonsense")
    assert status == 2 and "does not say which system" in err


@pytest.mark.parametrize(
    "options, message",
    [
        (("--table", "totals", "--out", "x.json"), "ends in .csv, .parquet, .xlsx"),
        (("--table", "totals", "--out", "/nowhere/x.csv"), "its folder does not exist"),
        (("--table", "subjects", "--out", "x.csv", "--rule", "msasss.seg_mean"), "it belongs to totals"),
        (("--table", "totals", "--out", "x.csv", "--system", "ct"), "system ct"),
        (("--table", "event", "--out", "x.csv"), "'event' is not one of"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(run, options, message):
    status, out, err = run("export", *options)
    assert (status, out) == (2, "")
    assert message in err and err.count("\n") == 1


@pytest.mark.parametrize("ending", [".csv", ".xlsx", ".parquet"])
def test_export_has_no_formula_and_its_text_comes_back(tmp_path, ending):
    names = ["=HYPERLINK(1)", "+1+1", "-2+3", "@SUM(1)", "plain"]
    store = CohortStore.open(tmp_path / "cohort.duckdb")
    table = pd.DataFrame({"subject": names, "centre": names, "=Load": [1.5, -2, 3, 4, 5]}, index=range(1, 6))
    store.set_blinded(False, actor="x", reason="a name that nobody knows is held back while blinded")
    import_subjects(store, table, actor="x")
    out = tmp_path / f"out{ending}"
    export(store, "subjects", out)
    if ending == ".csv":
        cells = [cell for line in csv.reader(out.open(newline="")) for cell in line]
        assert [cell for cell in cells if cell[:1] in tuple("=+-@\t\r") and cell[1:] != "2"] == []
    if ending == ".xlsx":
        kinds = [cell.data_type for row in openpyxl.load_workbook(out).active.iter_rows() for cell in row]
        assert "f" not in kinds and kinds.count("n") >= 5
    frame = read_table(out)
    assert sorted(frame["subject"]) == sorted(names) == sorted(frame["centre"])
    assert sorted(frame["=Load"].astype(float)) == [-2, 1.5, 3, 4, 5]
