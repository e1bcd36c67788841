"""One hand or one foot a film, two, four or eight films to a visit: joined to one score of the visit."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain import Abstained, Box, Finding, Scored
from core.scores.mtss import MTSS
from data.scoring.visit_scores import ABSTAINED_SITE, NOT_SEEN, visit_scores
from data.store.cohort import CohortStore
from models.scoring.run import score_cohort
from models.system import SystemModel
from tests.models.scoring.test_limbs import load_blank
from tests.models.scoring.test_single import all_rows

LIMBS = [(region, side) for region in ("hand", "foot") for side in "LR"]


def sites_of(region, sides="LR"):
    return [site.code for site in MTSS.sites if site.region == region and site.side in sides]


class ToySides:
    """``hand-L-...`` shows the left hand; what is called poor lacks its first sites, what is bad all."""

    reader = "model:sides"
    weights_hash = "h1"

    def score(self, films):
        return [self._one(film) for film in films]

    def _one(self, film):
        region, sides, name = film.image.split("-")[:3]
        if name == "bad":
            return Abstained("unlike the films that the model knows")
        shown = sites_of(region, sides)[3 if name == "poor" else 0 :]
        missing = dict.fromkeys(sites_of(region), f"the film shows the {sides} {region} only")
        missing |= dict.fromkeys(sites_of(region, sides), "hidden")
        grade = 2 if name == "poor" else 1
        return Scored(
            tuple(
                Finding(site, MTSS.by_code[site].feature, grade, (0.1, 0.8, 0.1), 0.8, Box(0, 0, 9, 9))
                for site in shown
            ),
            {site: why for site, why in missing.items() if site not in shown},
        )


def build_sides(*, size, device, threads):
    return ToySides()


def identify_sides(size):
    return ToySides.reader, ToySides.weights_hash


SIDES = SystemModel(
    "mtss", ("hand", "wrist", "foot"), (), f"{__name__}:build_sides", identity=f"{__name__}:identify_sides"
)


@pytest.fixture
def scored(tmp_path):
    """Films of one visit in, site scores by site out, and the cohort."""

    def run(*films):
        store = CohortStore.open(tmp_path / "c.duckdb")
        rows = [
            {"image": film, "subject": "P1", "visit": "BL", "body_part": film.split("-")[0],
             "laterality": film.split("-")[1] if len(film.split("-")[1]) == 1 else None}
            for film in films
        ]  # fmt: skip
        with store.write("test", "ingest") as tx:
            tx.insert("subject", pd.DataFrame({"subject": ["P1"]}))
            tx.insert("image", pd.DataFrame(rows))
        score_cohort(store, "mtss", processes=1, load=load_blank, model=SIDES)
        return store, site_scores(store)

    return run


def site_scores(store):
    frame = store.query("SELECT site, grade, reason, image FROM main.site_score WHERE superseded_by IS NULL")
    assert frame["site"].is_unique
    return frame.set_index("site")


def total(store):
    return store.query(
        "SELECT total, imputed_sites FROM main.total WHERE component = 'total' AND system = 'mtss'"
    ).iloc[0]


def test_four_films_of_one_limb_each_are_one_visit(scored):
    store, scores = scored("hand-L-a", "hand-R-b", "foot-L-c", "foot-R-d")
    assert scores["grade"].notna().all() and len(scores) == len(MTSS.sites)
    assert total(store)["total"] == len(MTSS.sites) and total(store)["imputed_sites"] == 0
    for region, side in LIMBS:
        assert scores.loc[sites_of(region, side), "image"].str.startswith(f"{region}-{side}").all()


def test_both_hands_on_one_film_and_feet_apart_are_one_visit(scored):
    store, scores = scored("hand-LR-a", "foot-L-c", "foot-R-d")
    assert scores["grade"].notna().all() and len(scores) == len(MTSS.sites)
    assert total(store)["total"] == len(MTSS.sites)


def test_a_side_without_a_film_says_so(scored):
    _, scores = scored("hand-L-a", "foot-LR-b")
    other = scores.loc[sites_of("hand", "R")]
    assert other["grade"].isna().all() and set(other["reason"]) == {"the film shows the L hand only"}
    assert scores.loc[sites_of("hand", "L"), "grade"].notna().all()


def test_a_side_whose_film_was_abstained_on_has_that_reason(scored):
    _, scores = scored("hand-L-a", "hand-R-bad")
    assert set(scores.loc[sites_of("hand", "R"), "reason"]) == {
        ABSTAINED_SITE + "unlike the films that the model knows"
    }
    assert scores.loc[sites_of("hand", "L"), "grade"].notna().all()


def test_of_repeat_exposures_both_are_kept_and_the_one_that_shows_more_counts(scored):
    store, scores = scored("hand-L-a", "hand-L-poor", "hand-R-b")
    assert set(scores["image"]) == {"hand-L-a", "hand-R-b"} and (scores["grade"] == 1).all()
    kept = store.query("SELECT DISTINCT image FROM main.finding WHERE superseded_by IS NULL")["image"]
    assert sorted(kept) == ["hand-L-a", "hand-L-poor", "hand-R-b"]


def test_a_second_run_over_repeat_exposures_has_nothing_to_do(scored):
    store, _ = scored("hand-L-a", "hand-L-poor", "hand-L-z", "hand-R-bad")
    before, version = all_rows(store), store.version()
    report = score_cohort(store, "mtss", processes=1, load=load_blank, model=SIDES)
    assert (report.images, store.version()) == (0, version)
    for table, rows in all_rows(store).items():
        pd.testing.assert_frame_equal(rows, before[table])


FILMS = st.lists(
    st.tuples(st.sampled_from(["hand", "foot"]), st.sampled_from(["L", "R", "LR"]),
              st.sampled_from(["a", "b", "poor", "bad"])),
    min_size=1, max_size=8, unique=True,
)  # fmt: skip


def found_on(films):
    """Rows of findings and reasons as a scoring run stores them."""
    rows, why = [], {}
    for region, sides, name in films:
        image = f"{region}-{sides}-{name}"
        about = {"image": image, "body_part": region, "laterality": sides if len(sides) == 1 else None}
        result = ToySides().score([load_blank(None, image)])[0]
        if isinstance(result, Abstained):
            nothing = {"site": None, "feature": None, "grade": None}
            rows.append(about | nothing | {"abstained": result.reason})
            continue
        for f in result.findings:
            rows.append(about | {"site": f.site, "feature": f.feature, "grade": f.grade, "abstained": None})
        why |= {(image, site): reason for site, reason in result.unscorable.items()}
    return pd.DataFrame(rows), why


@settings(max_examples=60, deadline=None)
@given(FILMS)
def test_every_site_of_a_shown_region_stands_once_with_a_grade_or_a_reason(films):
    frame, why = found_on(films)
    rows = visit_scores(frame, "mtss", why)
    assert all(count == 1 for count in Counter(row["site"] for row in rows).values())
    graded = frame[frame["grade"].notna()]
    strength = graded.groupby("image").size()
    by_site = {row["site"]: row for row in rows}
    for site, own in graded.groupby("site"):
        best = min(own["image"], key=lambda image: (-strength[image], image))
        assert by_site[site]["image"] == best and by_site[site]["grade"] is not None
    for row in rows:
        assert (row["grade"] is None) == (row["site"] not in set(graded["site"]))
        assert row["grade"] is not None or row["reason"] not in (None, NOT_SEEN)
    regions = {site.region for site in MTSS.sites if site.code in by_site}
    assert regions == {region for region, _, _ in films}
