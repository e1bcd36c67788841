"""Home and Cohort where spine and hands were scored in one cohort."""

import pandas as pd
import pytest

from pages.common.systems import as_table, in_words
from tests.helpers import hands_cohort

SYSTEM = "Scoring system"


def words(at, kind):
    return " ".join(element.value for element in getattr(at, kind))


@pytest.fixture(scope="module")
def both_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("both") / "both.duckdb"
    hands_cohort.build(path, spine=True)
    return path


def test_home_counts_each_score(open_app, both_file):
    at = open_app(cohort=both_file)
    text = words(at, "markdown")
    assert (
        "lateral films of the cervical and lumbar spine, scored by the **mSASSS** (24 corners, 0 to 72)"
        in text
    )
    assert "films of hands and feet, scored by the **SvdH** (86 sites, 0 to 448)" in text
    table = at.dataframe[0].value.set_index("score")
    assert table.loc["SvdH", "films"] == "12 hand, 11 foot"
    assert table.loc["SvdH", ["patients", "visits scored", "readers"]].tolist() == [6, 12, 2]
    assert table.loc["SvdH", ["read by the model", "rejected", "not yet read"]].tolist() == [22, 1, 0]
    assert table.loc["mSASSS", "read by the model"] == 0


@pytest.mark.parametrize(("system", "title"), [("msasss", "mSASSS"), ("mtss", "SvdH")])
def test_tile_and_list_count_the_films_rejected_for_the_chosen_score(open_app, both_file, system, title):
    at = open_app("pages/1_Cohort.py", cohort=both_file, system=system)
    tile = next(metric for metric in at.metric if metric.label == "Rejected by the model")
    (listed,) = [one.label for one in at.expander if one.label.startswith("Films rejected by the model")]
    assert listed == f"Films rejected by the model, {title}: {tile.value}"
    assert tile.value == {"msasss": "0", "mtss": "1"}[system]
    assert f"for {title}" in words(at, "caption")
    assert ("1 rejected for at least one score" in words(at, "caption")) == (system == "msasss")


def test_the_sidebar_chooses_the_score_of_the_pages(open_app, both_file):
    at = open_app("pages/1_Cohort.py", cohort=both_file)
    box = next(one for one in at.selectbox if one.label == SYSTEM)
    assert box.value == "msasss" and box.options == ["mSASSS", "SvdH"]
    at = box.select("mtss").run()
    assert not at.exception
    films = next(one.value for one in at.dataframe if "BL" in one.value)
    assert list(films.index) == ["hand", "foot"], "thumb to little finger, then feet"
    assert films.loc["foot", "W52"] == "5"
    assert "SvdH: mean of the readers at the first visit" in words(at, "caption")


def test_a_cohort_that_nobody_scored_says_so():
    empty = pd.DataFrame(columns=["system", "patients", "visits", "readers", "read", "rejected", "unread"])
    assert "nothing has been scored yet" in in_words(empty)
    assert as_table(empty, pd.DataFrame(columns=["body_part", "films"])).empty
