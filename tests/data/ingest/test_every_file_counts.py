"""Of every delivery, whatever is in it: found = imported + already there + refused."""

import io
import shutil
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.ingest.run import ingest
from data.store.cohort import CohortStore
from tests.helpers.small_films import as_bytes, film, picture

WHOLE = [as_bytes(film(picture(number), bits=12)) for number in range(4)]
OTHER_PATIENT = as_bytes(film(picture(0), bits=12, PatientID="OTHER", SOPInstanceUID="1.2.3.4"))
SAME_UID = as_bytes(film(picture(9), bits=12, SOPInstanceUID="1.2.3.4"))


def packed(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


NAMES = st.sampled_from(["a", "b.dcm", "c/a.dcm", "c/d/e", "DICOMDIR", "x.zip", "y.csv", "\u202e", "z.dcm"])
CONTENTS = st.one_of(
    st.sampled_from([*WHOLE, *WHOLE, OTHER_PATIENT, SAME_UID, b"", b"hello", WHOLE[0][:900], WHOLE[1][:200]]),
    st.binary(max_size=60),
    st.dictionaries(NAMES, st.sampled_from([*WHOLE, b"", b"text"]), max_size=4).map(packed),
)
FILES = st.dictionaries(NAMES, CONTENTS, max_size=7)
LINKS = st.lists(st.sampled_from(["a", "..", "nowhere", "c", "/etc/hostname", "link0"]), max_size=3)


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    return CohortStore.open(tmp_path_factory.mktemp("empty") / "c.duckdb").path


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files=FILES, links=LINKS, map_file=st.booleans())
def test_every_file_is_imported_there_or_refused(empty, files, links, map_file):
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        shutil.copy(empty, place / "c.duckdb")
        _write(place / "delivery", files, links)
        table = place / "map.csv"
        table.write_text("file,subject,visit\n*.dcm,S1,BL\n" if map_file else "file,subject\nnone,S1\n")
        store, before = CohortStore(place / "c.duckdb"), 0
        for run in range(2):
            result = ingest(store, [place / "delivery", place / "delivery"], workers=0, map_file=table)
            assert result.found == result.ingested + result.already_there + len(result.refused)
            rows = store.query("SELECT count(*) AS n FROM image WHERE superseded_by IS NULL")["n"][0]
            assert rows == before + result.ingested
            assert result.ingested == 0 or run == 0
            assert all(row["file"] and row["reason"] for row in result.refused)
            before = int(rows)
        assert not list((store.folder / ".staging").iterdir())


def _write(folder: Path, files: dict[str, bytes], links: list[str]) -> None:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if not (folder / name).exists():
            (folder / name).write_bytes(content)
    for number, target in enumerate(links):
        (folder / f"link{number}").symlink_to(target)
