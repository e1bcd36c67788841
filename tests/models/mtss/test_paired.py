"""The mTSS reading of films together: which prior is for which finding, and what the card says."""

import json

import numpy as np
import pytest

from core.domain import Finding, Scored
from core.errors import ModelError
from core.scores.mtss import MTSS
from models.mtss import paired
from models.mtss.paired import GRADES, SCALES, Together
from models.paired.fit import fit_prior
from models.paired.posterior import site_components


@pytest.fixture(scope="module")
def prior():
    made = {}
    for scale in SCALES:
        grades = [np.array([g, g]) for g in (0,) * 8 + tuple(range(GRADES[scale]))]
        made[scale] = fit_prior(grades, np.ones(GRADES[scale]), site_components(GRADES[scale], 1))
    return made


def finding(site, feature, probabilities, grade=0):
    return Finding(site, feature, grade, tuple(probabilities), 0.9)


def test_each_site_has_the_prior_of_its_grades(prior):
    together = Together(prior)
    for site in MTSS.sites:
        uniform = np.full(site.maximum + 1, 1 / (site.maximum + 1))
        of = together.of(finding(site.code, site.feature, uniform))
        assert len(of.frequency) == site.maximum + 1
    assert together.of(finding("LH.J.MCP2", "ankylosis", (0.1, 0.9), 1)) is None
    assert together.of(finding("LH.J.MCP2", "luxation_unspecified", (0.1, 0.9), 1)) is None


def test_doubtful_film_follows_the_clear_one_and_special_findings_stay(prior):
    clear, doubt = (0.97, 0.03, 0, 0, 0, 0), (0.42, 0.58, 0, 0, 0, 0)
    special = finding("LH.J.MCP2", "ankylosis", (0.1, 0.9), 1)
    films = [
        Scored((finding("LH.E.MCP2", "erosion", clear),)),
        Scored((finding("LH.E.MCP2", "erosion", doubt, 1), special)),
    ]
    read = Together(prior).read(films)
    assert [f.findings[0].grade for f in read.results] == [0, 0]
    assert read.results[1].findings[1] is special


def test_card_without_the_entry_reads_single_films(tmp_path, monkeypatch, prior):
    (tmp_path / "mtss-demo.json").write_text(json.dumps({"networks": {}}))
    monkeypatch.setattr(paired.cards, "FOLDER", tmp_path)
    assert paired.priors("demo", tmp_path) is None
    card = {"networks": {}, "together": {scale: one.as_card() for scale, one in prior.items()}}
    (tmp_path / "mtss-demo.json").write_text(json.dumps(card))
    assert paired.priors("demo", tmp_path) == prior


def test_reader_of_a_size_without_entry_is_refused(monkeypatch):
    monkeypatch.setattr(paired, "priors", lambda size: None)
    assert paired.identity("demo") is None
    with pytest.raises(ModelError, match="single films only"):
        paired.build_together("demo")
