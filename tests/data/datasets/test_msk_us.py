"""Pictures of joint ultrasound with a table: what is known of each, and what is not stated."""

import json

from data.datasets.examine import examine
from data.datasets.registry import get
from data.dicom.images import load_image
from data.store.cohort import CohortStore
from tests.data.datasets import layouts
from tests.helpers.commands import run_command


def test_joint_mode_and_colour_come_in_and_grades_become_properties(tmp_path, capsys):
    folder, cohort = layouts.msk_us(tmp_path / "set"), tmp_path / "cohort.duckdb"
    status, out, _ = run_command(
        capsys, "--cohort", cohort, "dataset", "msk-us", folder, "--accept-terms", "--workers", "0", "--json"
    )
    assert status == 0
    assert any("patient is not stated" in note for note in json.loads(out)["notes"])
    store = CohortStore(cohort)
    rows = store.query(
        "SELECT image, subject, joint, mode, modality, body_part FROM main.image WHERE superseded_by IS NULL "
        "ORDER BY subject, mode"
    ).fillna("")
    assert rows[["subject", "joint", "mode", "modality", "body_part"]].values.tolist() == [
        ["e1", "", "B", "US", "hand"], ["e1", "", "PD", "US", "hand"], ["e2", "RC", "B", "US", "wrist"]
    ]  # fmt: skip
    assert load_image(store, rows["image"][1]).colour is not None
    about = store.query("SELECT subject, name, number FROM main.covariate WHERE number IS NOT NULL")
    assert {tuple(row) for row in about.itertuples(index=False)} == {
        ("e1", "grey scale grade", 2), ("e1", "power Doppler grade", 1), ("e1", "bone erosion", 0),
        ("e2", "grey scale grade", 1),
    }  # fmt: skip


def test_what_is_odd_is_told_by_row_and_the_held_out_fold_stays_apart(tmp_path):
    folder = layouts.msk_us(tmp_path)
    table = folder / "labels_with_splits.csv"
    lines = table.read_text().splitlines()
    lines += ["e9,MCF,Modo B,1,,,0", "e2,Radiocarpiana,Modo B,1,,,-1"]
    lines[1:3] = ["e1,MCF,Modo B,7,,0,0", "e1d,Codo,Power Doppler,,1,1,0"]
    table.write_text("\n".join(lines))
    contents = examine(get("msk-us"), folder)
    reasons = " ".join(one.reason for one in contents.odd)
    for words in (
        "eg_sinovial 7 is outside 0-3",
        "Codo is no joint_type",
        "missing from pos1",
        "is there twice",
    ):
        assert words in reasons
    assert {film.file.rpartition("/")[2]: film.split for film in contents.films} == {
        "e1.png": "train", "e2.png": "test"
    }  # fmt: skip
