"""The scorer of hands and feet: what its parts see becomes findings, reasons, or an abstention."""

from __future__ import annotations

import numpy as np
import pytest

from core.domain import Abstained, Box, Image, Scored
from core.scores.mtss import MTSS
from models.mtss.detectors.ensemble import Joints
from models.mtss.detectors.read import HandReading
from models.mtss.detectors.special import UNSPECIFIED, special_findings
from models.mtss.grader.grade import SiteGrade
from models.mtss.places import Place, Places
from models.mtss.scorer import NOT_FOUND, LimbReading, MtssScorer, judge

HAND_SITES = [site for site in MTSS.sites if site.unit[1] == "H"]
UNITS = list(dict.fromkeys(site.unit for site in HAND_SITES))


def places(view: str = "hands", *, without: tuple[str, ...] = ()) -> Places:
    letter = "H" if view == "hands" else "F"
    units = dict.fromkeys(site.unit for site in MTSS.sites if site.unit[1] == letter)
    seen = {u: Place(100.0 + 30 * i, 200.0, 0.9) for i, u in enumerate(units) if u not in without}
    return Places(view, seen, dict.fromkeys(without, "the finger is missing"))


def grades(where: Places) -> dict[str, SiteGrade]:
    found = {}
    for site in MTSS.sites:
        if site.unit in where.units:
            sure = tuple([1.0] + [0.0] * site.maximum)
            found[site.code] = SiteGrade(0, sure, Box(0, 0, 10, 10))
    return found


def joints(units: list[str], *, ankylosis: str = "", luxation: str = "") -> tuple[Joints, dict[str, int]]:
    boxes = np.array([[90.0, 190, 110, 210] for _ in units])
    seen = np.ones(len(units), dtype=bool)
    found = Joints(
        boxes,
        np.full(len(units), 0.97),
        np.array([unit == ankylosis for unit in units]),
        np.array([unit == luxation for unit in units]),
        seen,
        seen,
    )
    return found, {unit: i for i, unit in enumerate(units)}


def test_every_site_of_the_view_is_graded_in_the_order_of_the_score():
    where = places("feet")
    result = judge(LimbReading(where, grades(where)))
    assert isinstance(result, Scored)
    assert [finding.site for finding in result.findings] == [s.code for s in MTSS.sites if s.unit[1] == "F"]
    assert result.unscorable == {}


def test_a_missing_finger_is_not_scored_and_says_why():
    gone = ("LH.MCP3", "LH.PIP3")
    where = places(without=gone)
    result = judge(LimbReading(where, grades(where)))
    assert set(result.unscorable) == {"LH.E.MCP3", "LH.J.MCP3", "LH.E.PIP3", "LH.J.PIP3"}
    assert set(result.unscorable.values()) == {"the finger is missing"}
    assert len(result.findings) == len(HAND_SITES) - 4


def test_a_site_that_was_placed_but_not_graded_has_a_reason_too():
    where = places()
    given = grades(where)
    del given["RH.E.RAD"]
    assert judge(LimbReading(where, given)).unscorable == {"RH.E.RAD": NOT_FOUND}


def test_special_findings_stand_beside_the_grades():
    where = places()
    seen, boxes = joints(UNITS[:10], ankylosis=UNITS[1], luxation=UNITS[6])
    hands = HandReading({}, seen, Abstained("not asked"), special_findings(seen, {}))
    result = judge(LimbReading(where, grades(where), hands, boxes))
    extra = [(f.site, f.feature, f.grade) for f in result.findings if f.feature not in ("erosion", "jsn")]
    expected = special_findings(seen, boxes)
    assert sorted(extra) == sorted(expected.itertuples(index=False, name=None))
    assert {feature for _, feature, _ in extra} == {"ankylosis", UNSPECIFIED}
    assert all(f.box == Box(90, 190, 110, 210) for f in result.findings[-2:])


def test_half_a_film_is_not_enough():
    where = places(without=(*(unit for unit in UNITS if unit.startswith("L")), UNITS[0]))
    result = judge(LimbReading(where, grades(where)))
    assert isinstance(result, Abstained)
    assert "of 62 sites of the hands" in result.reason


class Finder:
    def __init__(self, found):
        self.found = found

    def find(self, film):
        return self.found


class Grader:
    def grade(self, film, where):
        return grades(where)


class Detectors:
    asked = 0

    def scan(self, film):
        self.asked += 1
        seen, _ = joints(UNITS[:1])
        return HandReading({}, seen, Abstained("too few"), special_findings(seen, {}))


def scorer(found, detectors=None) -> MtssScorer:
    return MtssScorer(Finder(found), detectors or Detectors(), Grader(), size="demo", weights_hash="w")


FILM = Image("f", np.zeros((100, 100), np.uint16), modality="DX")


@pytest.mark.parametrize("view", ["hands", "feet"])
def test_a_film_is_scored_as_what_it_shows(view):
    detectors = Detectors()
    result = scorer(places(view), detectors).score([FILM])[0]
    assert {finding.site[1] for finding in result.findings} == {"H" if view == "hands" else "F"}
    assert detectors.asked == (view == "hands")  # the joint detectors know hands only


def test_the_finders_reason_is_the_reason():
    assert scorer(Abstained("one hand only")).score([FILM]) == [Abstained("one hand only")]


def test_other_modalities_are_not_looked_at():
    film = Image("f", FILM.pixels, modality="MR")
    assert "MR" in scorer(places()).score([film])[0].reason
