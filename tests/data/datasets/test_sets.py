"""Every set goes in with one command, and what is odd in its folder is told by file."""

import json
import shutil

import pandas as pd
import pytest

from core.scores import get as system
from data.datasets.examine import examine
from data.datasets.registry import SETS, get, system_of
from data.store.cohort import CohortStore
from tests.data.datasets import layouts
from tests.helpers.commands import run_command
from tests.helpers.paths import SHARED

TAKE = ("--accept-terms", "--workers", "0")
GRADES = {"ram-h1200": 93, "ram-w600": 12, "ra2-dream": 172, "arise-2025": 12}
FILMS = {"ram-h1200": 3, "ram-w600": 2, "ra2-dream": 8, "buu-lspine": 2, "nhanes": 2, "spider": 6}
FILMS |= {"spondylolisthesis-landmark": 2, "arise-2025": 1, "csxa": 1, "msk-us": 3}


def odd_of(name, folder):
    """File -> reasons, of a folder."""
    found: dict[str, list[str]] = {}
    for one in examine(get(name), folder).odd:
        found.setdefault(one.file, []).append(one.reason)
    return found


def grades_of(name, folder):
    """(subject, visit, code of site, reader) -> grade, as it stands in the folder."""
    one = system_of(name)
    sites = one.sites_of_set(name) if one else {}
    return {
        (grade.subject, grade.visit, sites[grade.site], grade.reader): grade.grade
        for grade in examine(get(name), folder).grades
    }


@pytest.mark.parametrize("name", SETS)
def test_a_set_goes_in_with_one_command(name, tmp_path, capsys):
    folder, cohort = layouts.LAYOUTS[name](tmp_path / "set"), tmp_path / "cohort.duckdb"
    status, out, err = run_command(capsys, "--cohort", cohort, "dataset", name, folder, *TAKE, "--json")
    done = json.loads(out)
    assert (status, [row for row in done["odd"] if row["left_out"]]) == (0, [])
    assert (done["set"], done["films"], done["reads"]) == (name, FILMS[name], GRADES.get(name, 0))
    store = CohortStore(cohort)
    films = store.query("SELECT subject, visit, assigned_by FROM main.image WHERE superseded_by IS NULL")
    assert films.notna().all(axis=None) and len(films) == FILMS[name]
    assert SETS[name].terms.licence in err
    wanted = grades_of(name, folder)
    rows = store.query(
        "SELECT subject, visit, site, reader, grade FROM main.site_score WHERE superseded_by IS NULL"
    )
    stored = {tuple(row[:4]): row[4] for row in rows.itertuples(index=False)}
    assert stored.keys() == wanted.keys()
    for key, grade in wanted.items():
        assert pd.isna(stored[key]) if grade == "" else stored[key] == int(grade)


def test_the_system_of_a_set_is_the_one_with_its_sites():
    assert {name: system_of(name) and system_of(name).name for name in SETS} == {
        **dict.fromkeys(GRADES, "mtss"),
        **dict.fromkeys(("csxa", "buu-lspine"), "msasss"),
        **dict.fromkeys(("spondylolisthesis-landmark", "spider", "msk-us", "nhanes")),
    }


def test_named_grades_stand_at_the_right_sites(tmp_path):
    contents = examine(get("ram-h1200"), layouts.ram_h1200(tmp_path))
    sites = system("mtss").sites_of_set("ram-h1200")
    of_film = {
        sites[grade.site]: grade.grade for grade in contents.grades if grade.subject == "CN_BBBB_P0002"
    }
    expected = dict(zip(layouts.EROSION, range(16), strict=True))
    assert of_film["RH.E.NAV"] == expected["BE_S"] % 6 and of_film["RH.E.MCP5"] == expected["BE_MCP-S"] % 6
    assert of_film["RH.E.MC1"] == expected["BE_CMC-T"] % 6 and of_film["RH.J.MNA"] == 14 % 5
    assert (contents.days["JP_AAAA_P0001", "V2"], contents.order["JP_AAAA_P0001", "V2"]) == (731, 2)


def test_every_site_of_a_hand_is_named_once():
    mtss = system("mtss")
    for name in ("ram-h1200", "ra2-dream"):
        codes = list(mtss.sites_of_set(name).values())
        hands = [code for code in mtss.codes if code[1] == "H"]
        assert len(set(codes)) == len(codes) and set(hands) <= set(codes)


def test_terms_must_be_accepted(tmp_path, capsys):
    folder, cohort = layouts.csxa(tmp_path / "set"), tmp_path / "cohort.duckdb"
    status, out, err = run_command(capsys, "--cohort", cohort, "dataset", "csxa", folder)
    assert status == 2 and not out and "--accept-terms" in err and not cohort.exists()
    status, out, _ = run_command(capsys, "--cohort", cohort, "dataset", "csxa", folder, "--check", "--json")
    assert status == 0 and json.loads(out)["checked_only"] and not cohort.exists()


def test_a_second_run_changes_nothing(tmp_path, capsys):
    folder, cohort = layouts.ram_w600(tmp_path / "set"), tmp_path / "cohort.duckdb"
    command = ("--cohort", cohort, "dataset", "ram-w600", folder, *TAKE, "--json")
    run_command(capsys, *command)
    rows = "SELECT (SELECT count(*) FROM main.image) + (SELECT count(*) FROM main.site_score) AS n"
    before = CohortStore(cohort).query(rows)["n"].iloc[0]
    status, out, _ = run_command(capsys, *command)
    done = json.loads(out)
    assert (status, done["films"], done["already_there"]) == (0, 0, 2)
    assert CohortStore(cohort).query(rows)["n"].iloc[0] == before


def test_two_sets_do_not_share_a_cohort(tmp_path, capsys):
    first, second = layouts.csxa(tmp_path / "a"), layouts.buu(tmp_path / "b")
    cohort = tmp_path / "cohort.duckdb"
    run_command(capsys, "--cohort", cohort, "dataset", "csxa", first, *TAKE)
    status, _, err = run_command(capsys, "--cohort", cohort, "dataset", "buu-lspine", second, *TAKE)
    assert status == 2 and "holds the data set csxa" in err


@pytest.mark.parametrize("name", SETS)
def test_a_folder_of_something_else_is_refused(name, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("nothing of a set")
    cohort = tmp_path / "cohort.duckdb"
    status, _, err = run_command(capsys, "--cohort", cohort, "dataset", name, tmp_path, *TAKE)
    assert status == 2 and "needed" in err and not cohort.exists()


def _trail_has_the_terms(store, terms):
    event = store.query("SELECT reason, details FROM main.event WHERE action = 'data set'")
    details = json.loads(event["details"].iloc[0])
    assert len(event) == 1 and "accepted" in event["reason"].iloc[0]
    assert (details["accepted_terms"], details["source"]) == (terms.text, terms.source)
    assert (details["version"], details["licence"]) == (terms.version, terms.licence)


def test_trail_export_and_pages_say_whose_the_films_are(tmp_path, capsys):
    from data.queries.cohort import state
    from pages.common.ways_out.described import made_with

    folder, cohort = layouts.ram_w600(tmp_path / "set"), tmp_path / "cohort.duckdb"
    run_command(capsys, "--cohort", cohort, "dataset", "ram-w600", folder, *TAKE)
    _trail_has_the_terms(CohortStore(cohort), SETS["ram-w600"].terms)
    notice = SETS["ram-w600"].terms.notice
    for table in ("site_scores", "subjects"):
        out = tmp_path / f"{table}.csv"
        status, _, _ = run_command(capsys, "--cohort", cohort, "export", "--table", table, "--out", out)
        lines = out.read_text(encoding="utf-8").splitlines()
        assert status == 0 and lines[0].endswith(",data_source")
        assert len(lines) > 1 and all("RAM-W600" in line and "CC BY 4.0" in line for line in lines[1:])
    assert notice in made_with(state(CohortStore(cohort)), 3)


# -- what is odd -------------------------------------------------------------------------------------------


def test_missing_and_doubled_files_are_told(tmp_path):
    folder = layouts.ram_h1200(tmp_path)
    gone = "JP_AAAA_P0001_20120105_0101_L"
    (folder / f"Segmentation/train/{gone}.bmp").unlink()
    shutil.copy(
        folder / "Segmentation/test/CN_BBBB_P0002_20130201_0303_R.bmp",
        folder / "Segmentation/train/CN_BBBB_P0002_20130201_0303_R.bmp",
    )
    odd = odd_of("ram-h1200", folder)
    scores = layouts.H1200.format(kind="JSN", split="train", low="jsn")
    assert any(gone in reason and "missing" in reason for reason in odd[scores])
    assert any("twice" in reason for reason in odd["Segmentation/test/CN_BBBB_P0002_20130201_0303_R.bmp"])


@pytest.mark.parametrize("grade", [-1, 6, 2.5, "two", True])
def test_a_grade_that_cannot_be_right_is_left_out_and_told(grade, tmp_path):
    folder = layouts.ram_h1200(tmp_path)
    path = folder / layouts.H1200.format(kind="BE", split="test", low="be")
    content = json.loads(path.read_text())
    next(iter(content.values()))["BE_U"] = grade
    layouts.write_json(path, content)
    contents = examine(get("ram-h1200"), folder)
    told = [one for one in contents.odd if "R BE_U" in one.reason]
    assert len(told) == 1 and told[0].left_out and told[0].file == path.relative_to(folder).as_posix()
    assert len(contents.grades) == GRADES["ram-h1200"] - 1


def test_a_slip_of_spelling_is_taken_and_told_and_a_strange_word_is_not(tmp_path):
    folder = layouts.ram_h1200(tmp_path)
    path = folder / layouts.H1200.format(kind="BE", split="test", low="be")
    content = json.loads(path.read_text())
    grades = next(iter(content.values()))
    grades["BE_mcp_T"] = grades.pop("BE_MCP-T")
    grades["BE_MCPX"] = 1
    layouts.write_json(path, content)
    contents = examine(get("ram-h1200"), folder)
    reasons = [(one.reason, one.left_out) for one in contents.odd]
    assert len(contents.grades) == GRADES["ram-h1200"]
    assert any("BE_mcp_T was taken for BE_MCP-T" in reason and not left for reason, left in reasons)
    assert any("BE_MCPX is no site" in reason and left for reason, left in reasons)


def test_two_different_grades_of_one_site_are_both_left_out(tmp_path):
    folder = layouts.arise(tmp_path)
    rows = (folder / "scores.csv").read_text().splitlines()
    (folder / "scores.csv").write_text("\n".join([*rows, "0,1,left,PIP,2,erosion,4,1"]) + "\n")
    contents = examine(get("arise-2025"), folder)
    assert any("two grades" in one.reason and one.left_out for one in contents.odd)
    kept = [g for g in contents.grades if (g.site, g.reader) == ("left PIP 2 erosion", "expert 1")]
    assert kept == []


def test_a_key_that_stands_twice_in_a_label_file_is_told(tmp_path):
    folder = layouts.ram_h1200(tmp_path)
    path = folder / layouts.H1200.format(kind="JSN", split="test", low="jsn")
    path.write_text(path.read_text().replace('"JSN_SC": 2', '"JSN_SC": 1, "JSN_SC": 2'))
    contents = examine(get("ram-h1200"), folder)
    if '"JSN_SC": 1' not in path.read_text():
        pytest.fail("the layout has no such grade any more")
    assert any("JSN_SC is there twice" in one.reason for one in contents.odd)
    assert len(contents.grades) == GRADES["ram-h1200"] - 1


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", "\ufffe\x00", '{"a": 1}'])
def test_a_label_file_that_cannot_be_read_is_named_and_the_rest_goes_on(content, tmp_path):
    folder = layouts.csxa(layouts.csxa(tmp_path), "0002001")
    (folder / "datasets-JSON/0002001.json").write_text(
        content, encoding="utf-16" if "\x00" in content else None
    )
    contents = examine(get("csxa"), folder)
    assert any(one.file == "datasets-JSON/0002001.json" for one in contents.odd)
    assert len(contents.films) == 2 and len(contents.marks["datasets-PNG/0001001.png"]) == 11


def test_a_film_that_cannot_be_decoded_is_named_and_the_rest_goes_on(tmp_path, capsys):
    folder = layouts.ra2_dream(tmp_path / "set", ("UAB001",))
    bad = folder / "UAB001-LH.jpg"
    bad.write_bytes(bad.read_bytes()[:200])
    status, out, _ = run_command(
        capsys, "--cohort", tmp_path / "c.duckdb", "dataset", "ra2-dream", folder, *TAKE, "--json"
    )
    done = json.loads(out)
    left_out = [row for row in done["odd"] if row["left_out"]]
    assert (status, done["films"], done["reads"]) == (1, 3, 86)
    assert [row["file"] for row in left_out] == ["UAB001-LH.jpg"] and "damaged" in left_out[0]["reason"]


def test_many_reasons_are_cut_short_for_a_person_and_whole_for_a_script(tmp_path, capsys):
    folder = layouts.ra2_dream(tmp_path)
    table = (folder / "training.csv").read_text().splitlines()
    table[1] = ",".join(["UAB001", *["99"] * 89])
    (folder / "training.csv").write_text("\n".join(table))
    status, out, _ = run_command(capsys, "dataset", "ra2-dream", folder, "--check")
    assert status == 1 and "and 46 other reasons" in out and len(out.splitlines()) < 60
    _, out, _ = run_command(capsys, "dataset", "ra2-dream", folder, "--check", "--json")
    assert sum(row["left_out"] for row in json.loads(out)["odd"]) == 86


def test_sums_and_missing_limbs_are_told(tmp_path):
    folder = layouts.ra2_dream(tmp_path)
    (folder / "UAB002-RF.jpg").unlink()
    table = (folder / "training.csv").read_text().splitlines()
    cells = table[1].split(",")
    table[1] = ",".join([cells[0], "99", *cells[2:]])
    (folder / "training.csv").write_text("\n".join(table))
    reasons = odd_of("ra2-dream", folder)["training.csv"]
    assert any("Overall_Tol of UAB001 is 99" in reason for reason in reasons)
    assert any("UAB002 has no film of RF" in reason for reason in reasons)


@pytest.mark.parametrize("rows", [(4,), (0, 10), (2, 3, 7)])
def test_swapped_ends_of_an_endplate_are_put_right_and_told(rows, tmp_path):
    straight = examine(get("buu-lspine"), layouts.buu(tmp_path / "a"))
    contents = examine(get("buu-lspine"), layouts.buu(tmp_path / "b", swapped=rows))
    assert contents.marks == straight.marks
    told = [one.reason for one in contents.odd]
    assert len(told) == 1 and "swapped" in told[0] and told[0].count(",") == len(rows) - 1


def test_a_file_known_for_swapped_ends_is_put_right(tmp_path):
    every = tuple(range(11))
    known = examine(get("buu-lspine"), layouts.buu(tmp_path / "a", "0169-F-044", every))
    unknown = examine(get("buu-lspine"), layouts.buu(tmp_path / "b", "0170-F-044", every))
    front = {contents.marks[file][0].box[0] for contents in (known,) for file in contents.marks}
    back = {contents.marks[file][0].box[0] for contents in (unknown,) for file in contents.marks}
    assert max(front) < min(back)
    assert any("faces right" in one.reason for one in unknown.odd)


def test_a_point_saved_as_several_vertices_counts_once_and_a_wide_one_not(tmp_path):
    points = layouts.csxa_points()
    points["C3 top left"] = [[20, 12], [21, 12], [20, 13]]
    points["C5 top left"] = [[20, 36], [29, 36]]
    points["c6  Bottom  LEFT"] = points.pop("C6 bottom left")
    contents = examine(get("csxa"), layouts.csxa(tmp_path, points=points))
    words = {mark.site for mark in contents.marks["datasets-PNG/0001001.png"]}
    assert "C3 top left" in words and "C6 bottom left" in words and "C5 top left" not in words
    assert any("C5 top left" in one.reason and one.left_out for one in contents.odd)


def test_a_table_of_too_few_endplates_gives_no_corner(tmp_path):
    folder = layouts.buu(tmp_path)
    path = folder / "LA/0001-F-050Y1.csv"
    path.write_text("\n".join(path.read_text().splitlines()[1:]))
    contents = examine(get("buu-lspine"), folder)
    assert contents.marks == {} and any("10 rows, not 11" in one.reason for one in contents.odd)


def test_corners_in_any_order_are_sorted_by_where_they_lie(tmp_path):
    contents = examine(get("spondylolisthesis-landmark"), layouts.spondylolisthesis(tmp_path))
    for marks in contents.marks.values():
        boxes = {mark.site.split(" ", 2)[2]: mark.box for mark in marks}
        assert boxes["top left"][0] < boxes["top right"][0] and boxes["bottom left"][1] > boxes["top left"][1]


@pytest.mark.skipif(not (SHARED / "datasets").is_dir(), reason="the shared examples are not here")
@pytest.mark.parametrize("name", sorted(SETS.keys() - {"nhanes"}))
def test_the_shared_examples_are_read_whole(name, capsys):
    status, out, _ = run_command(capsys, "dataset", name, SHARED / "datasets" / name, "--check", "--json")
    done = json.loads(out)
    wanted = {"ram-h1200": 62, "ram-w600": 12, "ra2-dream": 86, "arise-2025": 12}
    assert status in (0, 1) and done["subjects"] >= 1 and done["reads"] == wanted.get(name, 0)
    left_out = [row["reason"] for row in done["odd"] if row["left_out"]]
    assert all("no disc has the label 0" in reason for reason in left_out)


def test_metadata_are_joined_by_stem_and_contradictions_told(tmp_path):
    from openpyxl import Workbook

    folder, book = layouts.ram_h1200(tmp_path), Workbook()
    for row in (
        ("Mapped Image Stem", "Normalized PatientID", "isRA", "Sex"),
        ("JP_AAAA_P0001_20120105_0101", "P0001", 1, "F"),
        ("JP_AAAA_P0001_20140105_0202", "P0001", 1, "M"),
        ("CN_BBBB_P0002_20130201_0303", "P0009", 0, "M"),
        ("XX_NONE_P0007_20130201_0303", "P0007", 0, "M"),
    ):
        book.active.append(row)
    book.save(folder / "Metadata.xlsx")
    contents = examine(get("ram-h1200"), folder)
    assert contents.patients["JP_AAAA_P0001"] == {"centre": "AAAA", "sex": "F", "RA": 1}
    assert contents.patients["CN_BBBB_P0002"] == {"centre": "BBBB", "sex": "M", "RA": 0}
    told = [one.reason for one in contents.odd if one.file == "Metadata.xlsx"]
    assert [word for word in ("is F and M", "P0009", "no film") if any(word in text for text in told)] == [
        "is F and M", "P0009", "no film",
    ]  # fmt: skip
    (folder / "Metadata.xlsx").write_bytes(b"PK\x03\x04 cut")
    assert any("workbook" in reason for reason in odd_of("ram-h1200", folder)["Metadata.xlsx"])


def test_who_a_patient_is_becomes_properties_of_the_patient(tmp_path, capsys):
    folder, cohort = layouts.buu(tmp_path / "set"), tmp_path / "cohort.duckdb"
    run_command(capsys, "--cohort", cohort, "dataset", "buu-lspine", folder, *TAKE)
    store = CohortStore(cohort)
    assert store.query("SELECT sex FROM main.subject WHERE superseded_by IS NULL")["sex"].tolist() == ["F"]
    known = store.query("SELECT name, number FROM main.covariate WHERE superseded_by IS NULL")
    assert known.to_dict("records") == [{"name": "age at film", "number": 50.0}]
