"""One paired reader for every model: which prior is for which finding, and what the card says."""

import json

import numpy as np
import pytest

from core.domain import Finding, Scored
from core.errors import ModelError
from core.scores import get
from models import cards
from models.paired.fit import fit_prior
from models.paired.posterior import site_components
from models.paired.reader import PairedReader
from models.registry import models

PAIRED = {name: model.paired for name, model in models().items() if model.paired is not None}
HANDS = PAIRED["mtss"]


def made_priors(paired):
    made = {}
    for scale, count in paired.grades.items():
        grades = [np.array([g, g]) for g in (0,) * 8 + tuple(range(count))]
        made[scale] = fit_prior(grades, np.ones(count), site_components(count, 1))
    return made


def finding(site, feature, probabilities, grade=0):
    return Finding(site, feature, grade, tuple(probabilities), 0.9)


@pytest.mark.parametrize("system", PAIRED)
def test_each_site_has_the_prior_of_its_grades(system):
    reader = PairedReader(made_priors(PAIRED[system]), PAIRED[system].scale_of)
    for site in get(system).sites:
        uniform = np.full(site.maximum + 1, 1 / (site.maximum + 1))
        prior = reader.prior_of(finding(site.code, site.feature, uniform))
        assert len(prior.frequency) == site.maximum + 1
        assert reader.prior_of(finding(site.code, "ankylosis", (0.1, 0.9), 1)) is None
        assert reader.prior_of(finding(site.code, "luxation_unspecified", (0.1, 0.9), 1)) is None


def test_doubtful_image_follows_the_clear_one_and_special_findings_stay():
    clear, doubt = (0.97, 0.03, 0, 0, 0, 0), (0.42, 0.58, 0, 0, 0, 0)
    special = finding("LH.J.MCP2", "ankylosis", (0.1, 0.9), 1)
    results = [
        Scored((finding("LH.E.MCP2", "erosion", clear),)),
        Scored((finding("LH.E.MCP2", "erosion", doubt, 1), special)),
    ]
    read = PairedReader(made_priors(HANDS), HANDS.scale_of).read(results)
    assert [result.findings[0].grade for result in read.results] == [0, 0]
    assert read.results[1].findings[1] is special


@pytest.mark.parametrize("system", PAIRED)
def test_card_without_the_entry_reads_single_images(system, tmp_path, monkeypatch):
    paired, path = PAIRED[system], tmp_path / f"{system}-demo.json"
    monkeypatch.setattr(cards, "FOLDER", tmp_path)
    path.write_text(json.dumps({"networks": {}}))
    assert paired.priors("demo", tmp_path) is None
    assert paired.identify("demo") is None
    with pytest.raises(ModelError, match="single films only"):
        paired.build("demo")
    priors = made_priors(paired)
    entry = {scale: prior.as_card() for scale, prior in priors.items()}
    path.write_text(json.dumps({"schema": 2, "networks": {}, "paired": entry}))
    assert paired.priors("demo", tmp_path) == priors


@pytest.mark.parametrize(
    ("system", "identity"), [("msasss", "07ebb6f5ed0ff94f"), ("mtss", "120816cb246b2183")]
)
def test_identity_of_the_shipped_reading_is_that_in_stored_runs(system, identity):
    assert PAIRED[system].identify("demo") == identity
