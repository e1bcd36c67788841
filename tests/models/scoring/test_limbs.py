"""Scoring runs of two systems over one cohort: films of hands and feet, findings beside grades, whose film is
whose, and the way out again."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from core.cli import cli
from core.domain import Abstained, Box, Finding, Image, Scored
from core.errors import ModelError
from core.scores.mtss import MTSS
from data.scoring.filing import pending_films
from data.scoring.visit_scores import visit_scores
from data.store.cohort import CohortStore
from data.study.held_films import release
from data.tables.export import export
from data.verify import verify
from models import registry
from models.registry import foreign_body_parts, model_of
from models.scoring import run
from models.scoring.run import score_cohort, score_systems
from models.system import SystemModel
from tests.models.scoring.test_single import TOY, all_rows

PARTS = {
    "hands": "hand", "feet": "foot", "neck": "cervical spine", "loin": "lumbar spine", "odd": "",
    "lungs": "chest",
}  # fmt: skip
HIDDEN, FUSED, SLIPPED = "LH.J.CNL", "LH.J.MCP2", "RH.J.PIP3"
ABOUT = {"hands": "hand", "feet": "foot"}


class ToyLimbs:
    """Grade 1 everywhere, one site hidden, one joint fused and one slipped; anything else is abstained on."""

    reader = "model:limbs"
    weights_hash = "h1"
    fused = True

    def score(self, films):
        return [self._one(film) for film in films]

    def _one(self, film):
        shown = next((view for view in ABOUT if view in film.image), None)
        if shown is None:
            return Abstained("neither hands nor feet")
        sites = [site for site in MTSS.sites if site.region == ABOUT[shown]]
        findings = [
            Finding(site.code, site.feature, 1, (0.1, 0.9), 0.8, Box(k, k, k + 9.0, k + 9.0))
            for k, site in enumerate(sites)
            if site.code != HIDDEN
        ]
        if shown == "hands":
            special = [(FUSED, "ankylosis")] if self.fused else []
            special += [(SLIPPED, "luxation_unspecified")]
            findings += [Finding(*one, 1, (0.05, 0.95), 0.95, Box(1, 2, 30, 40)) for one in special]
        return Scored(tuple(findings), {HIDDEN: "the joint was not found"} if shown == "hands" else {})


def build_limbs(*, size, device, threads):
    return ToyLimbs()


def load_blank(store, image):
    return Image(image, np.zeros((4, 4), np.uint16))


def identify_limbs(size):
    if size == "full":
        raise ModelError("weights mtss-full", "they are absent", "train them")
    return ToyLimbs.reader, ToyLimbs.weights_hash


LIMBS = SystemModel(
    "mtss", ("hand", "wrist", "foot"), (), f"{__name__}:build_limbs", identity=f"{__name__}:identify_limbs"
)
SPINE = replace(TOY, body_parts=model_of("msasss").body_parts)


@pytest.fixture
def cohort(tmp_path, monkeypatch):
    """Two patients at two visits, four films a visit, with a film of unknown and one of no model's part."""
    toys = {"msasss": SPINE, "mtss": LIMBS}
    monkeypatch.setattr(registry, "models", lambda: toys)
    monkeypatch.setattr(run, "models", lambda: toys)
    store = CohortStore.open(tmp_path / "c.duckdb")
    films = [(f"{kind}-{p}-{v}", p, v, kind) for p in ("P1", "P2") for v in ("BL", "W52") for kind in PARTS]
    films = [film for film in films if film[3] not in ("odd", "lungs") or film[1:3] == ("P1", "BL")]
    rows = [{"image": name, "subject": p, "visit": v, "body_part": PARTS[kind]} for name, p, v, kind in films]
    with store.write("test", "ingest") as tx:
        tx.insert("subject", pd.DataFrame({"subject": ["P1", "P2"]}))
        tx.insert("image", pd.DataFrame(rows))
    return store


def score_all(store, **how):
    return score_systems(store, processes=1, load=load_blank, **how)


def test_every_system_is_scored_and_a_film_is_looked_at_by_its_own_model(cohort):
    steps = []
    reports = score_all(cohort, tell=steps.append)
    assert {name: (one.images, one.scored) for name, one in reports.by_system.items()} == {
        "msasss": (10, 10),  # the toy spine scorer takes anything for a lumbar film
        "mtss": (10, 8),
    }
    looked = cohort.query("SELECT DISTINCT system, image FROM main.finding")
    kinds = {
        name: sorted(set(part["image"].str.split("-").str[0])) for name, part in looked.groupby("system")
    }
    assert kinds == {"msasss": ["loin", "lungs", "neck", "odd"], "mtss": ["feet", "hands", "lungs", "odd"]}
    assert sorted((row["system"], row["image"], row["reason"]) for row in reports.abstained) == [
        ("mtss", "lungs-P1-BL", "neither hands nor feet"),
        ("mtss", "odd-P1-BL", "neither hands nor feet"),
    ]
    assert [step.done for step in steps] == list(range(1, 21))
    assert {step.total for step in steps} == {20}
    assert (reports.images, reports.scored, len(reports.abstained)) == (20, 18, 2)


def test_films_of_no_known_part_and_of_no_models_part_are_offered_to_all(cohort):
    assert foreign_body_parts(LIMBS) == SPINE.body_parts
    assert foreign_body_parts(SPINE) == LIMBS.body_parts
    run_of = run.identify(LIMBS, "demo")
    assert len(pending_films(cohort, run_of)) == 18
    assert len(pending_films(cohort, run_of, foreign_body_parts(LIMBS))) == 10


def test_a_film_that_is_held_back_is_abstained_on_unseen_and_scored_once_released(cohort):
    name = "hands-P1-BL"
    row = cohort.query("SELECT * EXCLUDE (event, superseded_by) FROM main.image WHERE image = ?", [name])
    with cohort.write("test", "hold") as tx:
        tx.supersede("image", row[["image"]])
        tx.insert("image", row.astype(object).assign(held="white letters on the picture"))
    seen = []

    def look(store, image):
        seen.append(image)
        return load_blank(store, image)

    first = score_cohort(cohort, "mtss", processes=1, load=look)
    assert name not in seen
    why = "held back until a person releases it: white letters on the picture"
    assert {"image": name, "reason": why} in first.abstained
    grades = "SELECT grade, reason FROM main.site_score WHERE subject = 'P1' AND visit = 'BL' "
    hands = grades + "AND superseded_by IS NULL AND site LIKE 'LH%' AND feature = 'erosion'"
    assert set(cohort.query(hands)["reason"]) == {f"the model abstained: {why}"}
    assert score_cohort(cohort, "mtss", processes=1, load=look).images == 0
    release(cohort, [name], reason="looked at", actor="ana")
    again = score_cohort(cohort, "mtss", processes=1, load=look)
    assert (again.images, again.scored, again.abstained) == (1, 1, [])
    assert set(cohort.query(hands)["grade"].dropna()) == {1}
    assert verify(cohort).broken == []


def test_a_system_without_weights_is_left_out_with_the_reason(cohort):
    reports = score_all(cohort, size="full")
    assert list(reports.by_system) == ["msasss"]
    assert "they are absent" in reports.left_out["mtss"]
    with pytest.raises(ModelError, match="they are absent"):
        score_all(cohort, systems=["svdh"], size="full")


def test_findings_beside_grades_are_stored_and_lift_the_totals(cohort):
    score_all(cohort)
    rows = cohort.query(
        "SELECT site, feature, grade, reason, image FROM main.site_score WHERE system = 'mtss' "
        "AND subject = 'P1' AND visit = 'W52' AND superseded_by IS NULL"
    )
    assert len(rows) == 86 + 2
    at = rows.set_index(["site", "feature"])
    assert at.loc[(FUSED, "ankylosis"), "grade"] == at.loc[(FUSED, "jsn"), "grade"] == 1
    assert at.loc[(SLIPPED, "luxation_unspecified"), "image"] == "hands-P1-W52"
    hidden = at.loc[(HIDDEN, "jsn")]
    assert pd.isna(hidden["grade"]) and hidden["reason"] == "the joint was not found"
    names = cohort.query("SELECT finding FROM main.finding WHERE system = 'mtss'")["finding"]
    assert names.is_unique
    total = cohort.query(
        "SELECT component, total, imputed_sites FROM main.total WHERE system = 'mtss' AND subject = 'P1' "
        "AND visit = 'W52'"
    ).set_index("component")
    # narrowing: ones, but 4 where fused and 3 where slipped; a hidden one takes the mean of the other 29
    hand_jsn = (27 + 4 + 3) * 30 / 29
    assert total.loc["jsn", "total"] == pytest.approx(hand_jsn + 12)
    assert total.loc["erosion", "total"] == 31 + 5 + 12  # a fused joint has the largest erosion grade
    assert total.loc["total", "imputed_sites"] == 1


def test_a_second_run_has_nothing_to_do_and_new_weights_take_old_findings_back(cohort, monkeypatch):
    score_all(cohort)
    before = all_rows(cohort)
    assert score_all(cohort).images == 0
    for table, rows in all_rows(cohort).items():
        pd.testing.assert_frame_equal(rows, before[table])
    monkeypatch.setattr(ToyLimbs, "weights_hash", "h2")
    monkeypatch.setattr(ToyLimbs, "fused", False)
    assert score_all(cohort).by_system["mtss"].images == 10
    left = cohort.query(
        "SELECT feature, count(*) AS n FROM main.site_score WHERE system = 'mtss' AND superseded_by IS NULL "
        "AND feature NOT IN ('erosion', 'jsn') GROUP BY feature"
    )
    assert left.values.tolist() == [["luxation_unspecified", 4]]


def test_film_of_one_system_alone_writes_no_rows_for_the_other(cohort):
    score_all(cohort)
    systems = cohort.query(
        "SELECT DISTINCT s.system, i.body_part FROM main.site_score s JOIN main.image i USING (image) "
        "WHERE i.body_part <> '' AND i.body_part <> 'chest' AND s.superseded_by IS NULL ORDER BY ALL"
    )
    assert systems.values.tolist() == [
        ["msasss", "cervical spine"],
        ["msasss", "lumbar spine"],
        ["mtss", "foot"],
        ["mtss", "hand"],
    ]


def finding(image, site, feature="jsn", grade=1, part="hand"):
    return {
        "image": image, "body_part": part, "site": site, "feature": feature, "grade": grade, "abstained": None
    }  # fmt: skip


def test_a_joint_counts_as_one_film_shows_it():
    """Grades and findings of a joint are never put together from two films."""
    few = [finding("b", "LH.J.MCP2"), finding("b", "LH.J.MCP2", "ankylosis")]
    many = [finding("c", "LH.J.MCP2", grade=0), finding("c", "LH.J.MCP3")]
    rows = visit_scores(pd.DataFrame(few + many), "mtss")
    of_joint = [row for row in rows if row["site"] == "LH.J.MCP2"]
    assert [(row["feature"], row["grade"], row["image"]) for row in of_joint] == [("jsn", 0, "c")]


def test_a_finding_without_a_grade_leaves_the_site_without_one():
    rows = visit_scores(
        pd.DataFrame([finding("b", "LH.J.MCP3"), finding("b", "LH.J.MCP2", "ankylosis")]),
        "mtss",
        {("b", "LH.J.MCP2"): "overlapped"},
    )
    of_joint = {row["feature"]: row for row in rows if row["site"] == "LH.J.MCP2"}
    assert of_joint["ankylosis"]["grade"] == 1
    assert (of_joint["jsn"]["grade"], of_joint["jsn"]["reason"]) == (None, "overlapped")


def test_an_abstained_film_empties_the_region_that_its_tags_say():
    frame = pd.DataFrame(
        [finding("a", site.code, site.feature) for site in MTSS.sites if site.region == "hand"]
        + [
            {
                "image": "b",
                "body_part": "foot",
                "site": None,
                "feature": None,
                "grade": None,
                "abstained": "dark",
            }
        ]
    )
    rows = visit_scores(frame, "mtss")
    empty = {row["site"]: row["reason"] for row in rows if row["grade"] is None}
    assert set(empty) == {site.code for site in MTSS.sites if site.region == "foot"}
    assert set(empty.values()) == {"the model abstained: dark"}


@pytest.mark.parametrize("table", ["findings", "site_scores", "totals"])
def test_exports_hold_both_systems(cohort, table, tmp_path):
    score_all(cohort)
    export(cohort, table, tmp_path / "t.csv")
    both = pd.read_csv(tmp_path / "t.csv")
    assert set(both["system"]) == {"msasss", "mtss"}
    export(cohort, table, tmp_path / "m.csv", system="mtss")
    one = pd.read_csv(tmp_path / "m.csv")
    pd.testing.assert_frame_equal(
        one, both[both["system"] == "mtss"][one.columns].reset_index(drop=True), check_dtype=False
    )
    if table == "totals":
        assert set(one["component"]) == {"erosion", "jsn", "hands", "feet", "total"}
        return
    places = {code: place for place, code in enumerate(MTSS.codes)}
    graded = one[one["site"].notna()]
    first = graded.drop_duplicates("site")["site"].map(places)
    assert first.is_monotonic_increasing or table == "findings"
    assert set(graded["feature"]) == {"erosion", "jsn", "ankylosis", "luxation_unspecified"}
    assert len(graded[graded["feature"] == "ankylosis"]) == 4
    if table == "findings":
        slipped = graded[graded["feature"] == "luxation_unspecified"].iloc[0]
        assert (slipped["site"], slipped["x0"], slipped["y1"], slipped["confidence"]) == (
            SLIPPED,
            1,
            40,
            0.95,
        )


def test_exported_site_scores_give_the_same_totals_again(cohort, tmp_path):
    score_all(cohort)
    export(cohort, "site_scores", tmp_path / "s.csv", system="mtss")
    again = CliRunner().invoke(
        cli, ["totals", str(tmp_path / "s.csv"), "--system", "svdh", "--json"], standalone_mode=False
    )
    found = {(row["subject"], row["visit"]): row["total"] for row in json.loads(again.stdout)["totals"]}
    stored = cohort.query("SELECT * FROM main.total WHERE system = 'mtss' AND component = 'total'")
    assert len(stored) == 4
    for row in stored.itertuples():
        assert found[row.subject, row.visit] == pytest.approx(row.total)


def test_command_scores_every_system_and_says_what_of_which(cohort, monkeypatch):
    monkeypatch.setattr(run, "stored_film", load_blank)
    done = CliRunner().invoke(
        cli,
        ["--cohort", str(cohort.path), "score", "--processes", "1", "--progress", "lines", "--json"],
        standalone_mode=False,
        catch_exceptions=False,
    )
    answer = json.loads(done.stdout)
    assert (answer["images"], answer["scored"]) == (20, 18)
    assert answer["systems"]["mtss"] == {"images": 10, "scored": 8, "abstained": 2}
    assert {"image", "reason", "system"} == set(answer["abstained"][0])
    last = json.loads(done.stderr.splitlines()[-1])
    assert (last["done"], last["total"], last["system"]) == (20, 20, "mtss")


def test_one_system_can_be_named(cohort):
    assert list(score_all(cohort, systems=["svdh"]).by_system) == ["mtss"]
    report = score_cohort(cohort, "mtss", processes=1, load=load_blank)
    assert report.images == 0
