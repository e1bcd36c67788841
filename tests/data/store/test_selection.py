"""Which patients a filter selects: the statement and the counts beside the filter agree."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as hs

from core.domain import BIRTH_YEAR, CohortFilter, Role, Viewer
from core.errors import NotAllowed
from core.facets import ARM, CENTRE, COVARIATE, FIELDS, SEX, Facets
from data.queries import cohort
from tests.helpers import small_cohort

ANALYST = Viewer()
LIMIT = hs.none() | hs.floats(0, 20)
YEAR = hs.none() | hs.integers(1968, 1986)
RANGES = hs.lists(
    hs.tuples(hs.just("CRP"), LIMIT, LIMIT) | hs.tuples(hs.just(BIRTH_YEAR), YEAR, YEAR),
    max_size=2, unique_by=lambda one: one[0],
)  # fmt: skip
FILTERS = hs.builds(
    CohortFilter,
    arms=hs.sets(hs.sampled_from(["Placebo", "Active", "?"])).map(tuple),
    sexes=hs.sets(hs.sampled_from(["F", "M"])).map(tuple),
    centres=hs.sets(hs.sampled_from(["01", "02", "03", "'"])).map(tuple),
    subjects=hs.sets(hs.sampled_from(small_cohort.PATIENTS)).map(tuple),
    covariates=hs.sets(
        hs.sampled_from(
            [("HLA-B27", "positive"), ("HLA-B27", "negative"), ("therapy", "none"), ("CRP", "12")]
        )
    ).map(tuple),
    ranges=RANGES.map(tuple),
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    made = small_cohort.build(tmp_path_factory.mktemp("selection") / "c.duckdb", films=False)
    rows = [
        ("P1", None, "therapy", "none"),
        ("P2", "BL", "therapy", "none"),
        ("P3", "W52", "therapy", "none"),
    ]
    with made.write("test", "therapy") as tx:
        tx.insert("covariate", pd.DataFrame(rows, columns=["subject", "visit", "name", "text"]))
    return made


def selected(store, chosen):
    return cohort.chosen_subjects(store, ANALYST, chosen)["subject"].tolist()


def facets_of(store, viewer=ANALYST):
    everybody = cohort.chosen_subjects(store, viewer, CohortFilter())["subject"]
    return Facets(pd.Index(everybody), cohort.properties(store, viewer))


@settings(max_examples=20, deadline=None)
@given(chosen=FILTERS)
def test_counts_are_those_of_the_statement(store, chosen):
    facets = facets_of(store)
    assert facets.left(chosen) == len(selected(store, chosen))


def test_the_count_beside_a_value_is_what_choosing_it_leaves(store):
    facets = facets_of(store)
    chosen = CohortFilter(sexes=("F",), ranges=(("CRP", None, 15.0),), covariates=(("HLA-B27", "positive"),))
    for kind in (ARM, SEX, CENTRE):
        for value, (left, everyone) in facets.counts(kind, chosen).items():
            alone = CohortFilter(**{FIELDS[kind]: (value,)})
            rest = {"sexes": chosen.sexes, "ranges": chosen.ranges, "covariates": chosen.covariates}
            both = CohortFilter(**{**rest, FIELDS[kind]: (value,)})
            assert (left, everyone) == (len(selected(store, both)), len(selected(store, alone)))
    found = facets.counts(COVARIATE, chosen, "HLA-B27")
    assert found["negative"] == (len(selected(store, CohortFilter(sexes=("F",), ranges=chosen.ranges,
                                                     covariates=(("HLA-B27", "negative"),)))), 2)  # fmt: skip


def test_values_of_one_covariate_are_alternatives_and_count_at_baseline(store):
    both = CohortFilter(covariates=(("HLA-B27", "positive"), ("HLA-B27", "negative")))
    assert selected(store, both) == small_cohort.PATIENTS
    assert selected(store, CohortFilter(covariates=(("therapy", "none"),))) == ["P1", "P2"]
    assert selected(store, CohortFilter(ranges=(("CRP", 12.0, 13.0),))) == ["P1", "P2"]
    assert selected(store, CohortFilter(ranges=((BIRTH_YEAR, 1976, None),))) == ["P3", "P4", "P5", "P6"]


def test_what_is_offered_is_what_there_is(store):
    facets = facets_of(store)
    assert facets.names() == ["HLA-B27", "therapy"]
    assert facets.limits() == {"CRP": (12.0, 17.0), BIRTH_YEAR: (1970.0, 1985.0)}


@pytest.mark.parametrize("field", [{"centres": ("01",)}, {"ranges": (("CRP", 1.0, None),)}])
def test_a_blinded_reader_filters_by_no_property(store, field):
    reader = Viewer(Role.READER, "R1")
    with pytest.raises(NotAllowed, match="property of patients"):
        cohort.chosen_subjects(store, reader, CohortFilter(**field))
    assert cohort.properties(store, reader).empty


def test_what_a_blinded_study_holds_back_is_not_offered_and_selects_nobody(tmp_path):
    made = small_cohort.build(tmp_path / "b.duckdb", blinded=True, films=False)
    doses = [
        (patient, "dose", 150.0 * (place % 2), None) for place, patient in enumerate(small_cohort.PATIENTS)
    ]
    names = [(patient, "kit", None, "AB"[place % 2]) for place, patient in enumerate(small_cohort.PATIENTS)]
    with made.write("test", "doses") as tx:
        rows = pd.DataFrame(doses + names, columns=["subject", "name", "number", "text"])
        tx.insert("covariate", rows)
    properties = cohort.properties(made, ANALYST)
    assert not {"dose", "kit", "arm"} & set(properties["name"])
    assert "CRP" in set(properties["name"])
    for chosen in (CohortFilter(ranges=(("dose", 1.0, None),)), CohortFilter(covariates=(("kit", "A"),))):
        assert cohort.chosen_subjects(made, ANALYST, chosen).empty
