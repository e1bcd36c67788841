"""Pages over a cohort that was made from an open data set say whose films they are."""

from data.datasets.cohort import make_cohort
from data.datasets.examine import examine
from data.datasets.registry import get
from data.store.cohort import CohortStore
from tests.data.datasets import layouts


def test_every_page_names_the_set_and_its_terms(open_app, tmp_path):
    folder, one = layouts.arise(tmp_path / "set"), get("arise-2025")
    store = CohortStore.open(tmp_path / "cohort.duckdb")
    make_cohort(store, one, folder, examine(one, folder), actor="test", workers=0)
    at = open_app("pages/3_Agreement.py", store.path)
    assert not at.exception
    assert any("arise-2025" in badge.value for badge in at.sidebar.markdown)
    assert any(one.terms.licence in caption.value for caption in at.sidebar.caption)
    assert any("Made from ARISE-2025" in text.value for text in at.main.markdown)
    assert not any("Blinded study" in caption.value for caption in at.sidebar.caption)
