"""From DICOM files of a visit to SPARCC items, totals and outlines in the cohort, on true masks."""

import json

import pytest

from core.domain import Viewer
from core.errors import InputError
from core.imaging.sequences import Needs
from core.imaging.spine import UNITS
from data.dicom.structured_report import write_findings
from data.ingest.run import ingest
from data.phantom.mri.files import MriPlan
from data.phantom.mri.series_out import write_series
from data.queries.outlines import outlines
from data.queries.stacks import all_stacks, load
from data.store.cohort import CohortStore
from data.verify import verify
from models.scoring.run import score_cohort
from models.system import SystemModel
from tests.helpers.small_films import film, picture, save
from tests.helpers.true_masks import true_scorer

KNOWN = []


def build_true(*, size, device, threads):
    return true_scorer(KNOWN)


def identify_true(size):
    return "model:sparcc-demo", "true"


MODEL = SystemModel(
    "sparcc", ("spine",), (), f"{__name__}:build_true", identity=f"{__name__}:identify_true", stacks=Needs()
)


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """A cohort with STIR and T1 of a lumbar spine and a film, scored; the stack as drawn."""
    folder = tmp_path_factory.mktemp("mri")
    patient = MriPlan(patients=1, seed=6, population="trial", views=("lumbar",)).people()[0]
    stack = patient.stack(0, "lumbar")
    write_series(stack, folder / "in", subject="S1", visit="BL")
    trial = {"ClinicalTrialSubjectID": "S1", "ClinicalTrialTimePointID": "BL"}
    save(film(picture(1), BodyPartExamined="LSPINE", **trial), folder / "in" / "film.dcm")
    store = CohortStore.open(folder / "c.duckdb")
    ingest(store, [folder / "in"], workers=0)
    (stir,) = (one for one in all_stacks(store, Viewer()) if one.sequence.value not in ("T1", ""))
    KNOWN[:] = [(load(store, stir), stack)]
    return store, stack, score_cohort(store, "sparcc", processes=1, model=MODEL)


def test_one_stack_is_scored_and_nothing_else_looked_at(scored):
    store, _, report = scored
    assert (report.images, report.scored, report.abstained) == (1, 1, [])
    assert verify(store).broken == []


def test_points_reach_the_total_and_can_be_traced_to_pixels(scored):
    store, stack, _ = scored
    total = store.query("SELECT total FROM total WHERE system = 'sparcc' AND component = 'total'")["total"]
    assert total[0] > 0
    rows = store.query(
        "SELECT f.site, f.geometry, i.positions_mm FROM main.finding f JOIN main.image i USING (image) "
        "WHERE f.grade = 1 AND f.feature = 'oedema'"
    )
    places = [place for place, *_ in stack.plan.positions_mm]
    for row in rows.itertuples():
        shape = json.loads(row.geometry)
        assert shape["frame"] == 0
        assert shape["value"] >= shape["limit"]
        frame = min(range(len(places)), key=lambda at: abs(places[at] - row.positions_mm[0]))
        columns, lines = zip(*shape["polygon"], strict=True)
        part = stack.oedema[frame][
            int(min(lines)) : int(max(lines)) + 1, int(min(columns)) : int(max(columns)) + 1
        ]
        assert part.any(), row.site


def test_bodies_are_drawn_by_name_on_their_slices(scored):
    store, _, _ = scored
    images = store.query("SELECT image FROM main.image WHERE modality = 'MR'")["image"].tolist()
    drawn = outlines(store, Viewer(), images)
    bodies = drawn[drawn["structure"] == "body"]
    assert set(bodies["name"]) >= {"L1", "L2", "L3", "L4", "L5", "S1"}
    assert set(drawn.loc[drawn["structure"] == "disc", "name"]) - {""} <= set(UNITS)
    assert drawn["reader"].unique().tolist() == ["model:sparcc-demo"]


def test_a_report_of_a_film_is_refused_and_says_what_to_use(scored, tmp_path):
    store, _, _ = scored
    image = store.query("SELECT image FROM main.finding WHERE grade = 1 LIMIT 1")["image"][0]
    with pytest.raises(InputError, match="export --table findings"):
        write_findings(store, Viewer(), image, "sparcc", tmp_path)
    assert list(tmp_path.iterdir()) == []
