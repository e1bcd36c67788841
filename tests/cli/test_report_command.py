"""``sharpline report`` over a small cohort: one page, same bytes, nothing hidden shown, nothing fetched."""

import json
import re

import pandas as pd
import pytest

from core.cli import main
from data.store.cohort import CohortStore
from data.study.settings import decide


@pytest.fixture(scope="module")
def build():
    from tests.helpers import small_cohort

    return small_cohort.build


def run(cohort, out, *arguments):
    with pytest.raises(SystemExit) as end:
        main(["--cohort", str(cohort), "report", "--out", str(out), *arguments])
    return end.value.code


@pytest.fixture(scope="module")
def written(build, tmp_path_factory):
    """The cohort and its report."""
    folder = tmp_path_factory.mktemp("report")
    build(folder / "small.duckdb")
    assert run(folder / "small.duckdb", folder / "first.html") == 0
    return folder


@pytest.fixture(scope="module")
def html(written):
    return (written / "first.html").read_text(encoding="utf-8")


def without_scripts(html):
    return re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)


def test_same_cohort_same_bytes(written, html, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert run(written / "small.duckdb", tmp_path / "second.html", "--json") == 0
    again = (tmp_path / "second.html").read_bytes()
    assert again == html.encode()
    said = json.loads(capsys.readouterr().out)
    assert (
        said["bytes"] == len(again)
        and said["cohort_version"] == CohortStore(written / "small.duckdb").version()
    )
    assert [path.name for path in tmp_path.iterdir()] == ["second.html"]


def test_page_stands_alone(html):
    body = without_scripts(html)
    assert not re.search(r"""(src|href)=["'](?!#|data:)""", body) and "https://" not in body
    assert html.count("plotly.js v") == 1 and "connect-src 'none'" in html


def test_date_is_that_of_the_last_event(written, html):
    last = CohortStore(written / "small.duckdb").query("SELECT max(happened_at) AS at FROM event")["at"][0]
    assert f"last written {last:%Y-%m-%d %H:%M} UTC" in html


def test_readers_model_weights_queries_and_chain_are_named(written, html):
    head = CohortStore(written / "small.duckdb").query("SELECT hash FROM event ORDER BY event DESC LIMIT 1")
    for text in (
        "R1",
        "R2",
        "model msasss-demo",
        "abc123def456",
        head["hash"][0],
        "msasss.seg_mean",
        "data.queries.scores.totals",
        "FROM total t JOIN reader r",
        "too few corners found",
    ):
        assert text in html
    assert "intact" in html


def test_imputed_sites_are_counted(html):
    assert "18 of 432" in html


def test_films_of_the_worst_cases_are_embedded_with_boxes(html):
    body = without_scripts(html)
    assert body.count("data:image/jpeg;base64,") == body.count("<svg") == 8 + 8  # a film, its close-up
    assert body.count("<rect") == 8 * 12 + 8 and "Case 1: patient P4" in body


def test_number_of_cases_is_chosen(written, tmp_path):
    assert run(written / "small.duckdb", tmp_path / "r.html", "--cases", "0") == 0
    assert "data:image/jpeg" not in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_blinded_report_holds_no_arm_and_a_late_margin_says_so(build, tmp_path):
    store = build(tmp_path / "c.duckdb", blinded=True, films=False)
    decide(store, actor="chair", reason="protocol amendment 3", margins={"msasss": 100.0})
    assert run(tmp_path / "c.duckdb", tmp_path / "r.html") == 0
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    body = page.replace(page[page.index("<script>/") :], "")
    assert "Placebo" not in body and "Active" not in body
    assert "hidden: the study is blinded" in body
    assert "100 mSASSS², set by chair" in body and "AFTER a model had scored" in body
    assert "protocol amendment 3" in body and "No verdict: the margin was not preset" in body
    assert "No lumbar film at this visit." in body or "No cervical film at this visit." in body


def test_unblinded_report_counts_arms(html):
    assert "Active 3, Placebo 3" in html


@pytest.mark.parametrize("name", ["report.pdf", "report.pptx", "report"])
def test_other_endings_say_what_exists(written, tmp_path, capsys, name):
    assert run(written / "small.duckdb", tmp_path / name) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and ".html" in err and not (tmp_path / name).exists()


def test_folder_must_exist(written, tmp_path, capsys):
    assert run(written / "small.duckdb", tmp_path / "no" / "r.html") == 2
    assert "its folder does not exist" in capsys.readouterr().err


def test_missing_cohort_and_unknown_campaign_are_told(written, tmp_path, capsys):
    assert run(tmp_path / "none.duckdb", tmp_path / "r.html") == 2
    assert "there is no such file" in capsys.readouterr().err
    assert run(written / "small.duckdb", tmp_path / "r.html", "--campaign", "x") == 2
    assert "human readers read in paired" in capsys.readouterr().err
    assert run(written / "small.duckdb", tmp_path / "r.html", "--system", "sparcc") == 2
    assert "agreement needs two readers" in capsys.readouterr().err


def test_one_reading_is_not_agreement(tmp_path, capsys):
    store = CohortStore.open(tmp_path / "c.duckdb")
    with store.write("test", "reads") as tx:
        tx.insert("subject", pd.DataFrame({"subject": ["P1"]}))
        tx.insert("visit", pd.DataFrame({"subject": ["P1"], "visit": ["BL"], "visit_order": [0]}))
        tx.insert("reader", pd.DataFrame({"reader": ["R1"], "kind": ["human"]}))
        tx.insert(
            "campaign", pd.DataFrame({"campaign": ["main"], "system": ["msasss"], "read_mode": ["single"]})
        )
        tx.insert("site_score", pd.DataFrame({
            "subject": ["P1"], "visit": ["BL"], "system": ["msasss"], "site": ["C5I"], "feature": ["corner"],
            "reader": ["R1"], "campaign": ["main"], "read": [1], "grade": [1]}))  # fmt: skip
    assert run(tmp_path / "c.duckdb", tmp_path / "r.html") == 2
    assert "1 reading(s) of mSASSS" in capsys.readouterr().err


def test_tampered_cohort_is_said_on_the_page(build, tmp_path):
    import duckdb

    build(tmp_path / "c.duckdb", films=False)
    with duckdb.connect(str(tmp_path / "c.duckdb")) as connection:
        connection.execute("UPDATE subject SET arm = 'Active'")
    assert run(tmp_path / "c.duckdb", tmp_path / "r.html", "--cases", "0") == 0
    body = without_scripts((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert "1 faults, listed below" in body and "subject: rows that it wrote" in body
