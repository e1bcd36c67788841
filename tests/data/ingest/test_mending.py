"""Stored files that are damaged: seen when their film is delivered again, made anew, and said."""

import json
import os
import shutil

import duckdb
import numpy as np
import pydicom
import pytest
from click.testing import CliRunner

from core.cli import cli
from data.dicom.images import load_preview
from data.dicom.previews import film_path, preview_path, read_preview, write_preview
from data.ingest import read_file
from data.store.transaction import Transaction
from data.verify import verify
from tests.helpers.deliveries import files_of, image_ids, take
from tests.helpers.drawn_ultrasound import Screen
from tests.helpers.small_films import film, picture, save
from tests.helpers.ultrasound_files import scan_file


def cut_to(share):
    return lambda path: path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def flip(place):
    def change(path):
        content = bytearray(path.read_bytes())
        content[place] ^= 1
        path.write_bytes(content)

    return change


def append(path):
    path.write_bytes(path.read_bytes() + b"MUELLER")


DAMAGE = {
    "gone": lambda path: path.unlink(),
    "emptied": cut_to(0),
    "cut to half": cut_to(0.5),
    "last byte gone": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "a bit in the middle": lambda path: flip(path.stat().st_size // 2)(path),
    "a bit near the end": flip(-3),
    "longer": append,
}


def colours() -> pydicom.FileDataset:
    """Shown from packed pixels of its own."""
    return scan_file(Screen(size=(60, 160), scan=(20, 10, 140, 50), mark="", text="", flow=8))


def plain() -> pydicom.FileDataset:
    """Shown from the stored film itself."""
    return film(picture(1, rows=60), bits=12)


def packed() -> pydicom.FileDataset:
    """Shown from pixels of its own."""
    dataset = film(picture(1, rows=60), bits=12)
    dataset.compress(pydicom.uid.JPEGLSLossless, generate_instance_uid=False)
    return dataset


@pytest.mark.parametrize("which", [film_path, preview_path])
@pytest.mark.parametrize("kind", [plain, packed, colours])
def test_what_is_damaged_is_made_anew_and_said(store, delivery, kind, which):
    save(kind(), delivery / "a.dcm")
    save(film(picture(2), bits=12), delivery / "b.dcm")
    take(store, delivery)
    version, before = store.version(), files_of(store)
    (image,) = (image for image in image_ids(store) if load_preview(store, image)[0].shape[0] == 60)
    for how, damage in DAMAGE.items():
        damage(which(store.folder, image))
        result = take(store, delivery)
        assert (result.ingested, result.already_there, result.refused) == (0, 2, []), how
        (mended,) = result.mended
        assert mended["file"] == "a.dcm"
        assert mended["was"].startswith("the stored film" if which is film_path else "the preview")
        assert files_of(store) == before, how
    assert store.version() == version
    assert verify(store, films=True).broken == []
    assert take(store, delivery).mended == []


@pytest.mark.parametrize("turn", [1, -1])
def test_the_preview_of_another_film_is_made_anew(store, delivery, turn):
    """Whichever of the two has the longer header: pixels named by one may lie beyond the end of the other."""
    for number in (1, 2):
        dataset = film(picture(number), bits=12, KVP=None if number == 1 else "60.125000")
        save(dataset, delivery / f"{number}.dcm")
    take(store, delivery)
    before = files_of(store)
    by_size = sorted(image_ids(store), key=lambda image: film_path(store.folder, image).stat().st_size)
    one, other = by_size[::turn]
    shutil.copy(preview_path(store.folder, one), preview_path(store.folder, other))
    (mended,) = take(store, delivery).mended
    assert mended["was"] == "the preview is that of another image"
    assert files_of(store) == before


def test_a_preview_without_digest_is_whole_where_it_fits(store, delivery):
    """So were those of older versions."""
    save(packed(), delivery / "a.dcm")
    take(store, delivery)
    without_digests(store)
    (image,) = image_ids(store)
    path = preview_path(store.folder, image)
    pixels, about = read_preview(path)
    write_preview(path, pixels[::-1].copy(), about)
    assert take(store, delivery).mended == []
    cut_to(0.9)(path)
    assert [row["was"] for row in take(store, delivery).mended] == ["the preview is cut short or damaged"]


def without_digests(store):
    """As a version before 0.3 left it."""
    with duckdb.connect(str(store.path)) as connection:
        connection.execute("UPDATE image SET preview_hash = NULL")


@pytest.mark.parametrize("kind", [plain, packed, colours])
def test_a_preview_that_was_drawn_anew_is_found(store, delivery, kind):
    """It fits its film: only the digest in the cohort tells."""
    save(kind(), delivery / "a.dcm")
    take(store, delivery)
    before = files_of(store)
    (image,) = image_ids(store)
    path = preview_path(store.folder, image)
    pixels, about = read_preview(path)
    about.pop("in_film", None)
    write_preview(path, pixels[::-1].copy(), about)
    assert [item["reason"] for item in verify(store, films=True).broken] == [
        f"film {image[:12]}: the preview was changed"
    ]
    assert [row["was"] for row in take(store, delivery).mended] == ["the preview was changed"]
    assert files_of(store) == before
    assert verify(store, films=True).broken == []


@pytest.mark.parametrize("which", [film_path, preview_path])
def test_every_damage_is_found_by_the_check(store, delivery, which):
    save(packed(), delivery / "a.dcm")
    take(store, delivery)
    (image,) = image_ids(store)
    path = which(store.folder, image)
    whole = path.read_bytes()
    for how, damage in DAMAGE.items():
        damage(path)
        assert len(verify(store, films=True).broken) == 1, how
        path.write_bytes(whole)
    assert verify(store, films=True).broken == []


def test_a_preview_made_anew_gets_its_digest(store, delivery):
    save(packed(), delivery / "a.dcm")
    take(store, delivery)
    (digest,) = store.query("SELECT preview_hash FROM image")["preview_hash"]
    without_digests(store)
    preview_path(store.folder, image_ids(store)[0]).unlink()
    take(store, delivery)
    current = store.query("SELECT preview_hash FROM image WHERE superseded_by IS NULL")["preview_hash"]
    assert current.tolist() == [digest]


def test_a_preview_made_anew_says_what_the_cohort_says(store, delivery):
    """A cohort keeps the spacing that its films came with, also where a later version would take another."""
    save(packed(), delivery / "a.dcm")
    take(store, delivery)
    row = store.query("SELECT * EXCLUDE (event, superseded_by) FROM image").assign(
        spacing_row_mm=0.3, spacing_column_mm=0.3, body_part="hand"
    )
    with store.write("test", "older rule") as transaction:
        transaction.supersede("image", row[["image"]])
        transaction.insert("image", row)
    (image,) = image_ids(store)
    preview_path(store.folder, image).unlink()
    take(store, delivery)
    about = load_preview(store, image)[1]
    assert (about["spacing_mm"], about["body_part"]) == ([0.3, 0.3], "hand")


def store_otherwise(monkeypatch):
    """As a later version that takes more out of the header."""
    former = read_file.deidentify

    def deidentify(dataset, *more):
        done = former(dataset, *more)
        del dataset.Modality
        return done

    monkeypatch.setattr(read_file, "deidentify", deidentify)


def test_a_preview_is_made_anew_beside_a_film_that_an_older_version_stored(store, delivery, monkeypatch):
    save(plain(), delivery / "a.dcm")
    take(store, delivery)
    (image,) = image_ids(store)
    before = film_path(store.folder, image).read_bytes()
    preview_path(store.folder, image).unlink()
    store_otherwise(monkeypatch)
    result = take(store, delivery)
    assert (result.already_there, len(result.mended), image_ids(store)) == (1, 1, [image])
    assert film_path(store.folder, image).read_bytes() == before
    assert np.array_equal(load_preview(store, image)[0], picture(1, rows=60))
    assert take(store, delivery).mended == []


def test_a_film_that_cannot_be_made_as_it_was_is_refused_by_name(store, delivery, monkeypatch):
    save(plain(), delivery / "a.dcm")
    take(store, delivery)
    (image,) = image_ids(store)
    cut_to(0.5)(film_path(store.folder, image))
    store_otherwise(monkeypatch)
    (refused,) = take(store, delivery).refused
    assert refused["reason"].startswith(
        f"the stored film was changed or cut short (image {image[:12]}) and cannot be made anew as it was"
    )


def test_the_command_says_what_it_mended(store, delivery):
    save(plain(), delivery / "a.dcm")
    arguments = ["--cohort", str(store.path), "ingest", str(delivery), "--workers", "0"]
    CliRunner().invoke(cli, arguments)
    cut_to(0)(film_path(store.folder, image_ids(store)[0]))
    said = CliRunner().invoke(cli, arguments)
    assert said.exit_code == 0
    assert "Mended (1):\n  the stored film was changed or cut short; made anew: a.dcm" in said.output
    cut_to(0)(preview_path(store.folder, image_ids(store)[0]))
    printed = CliRunner().invoke(cli, [*arguments, "--json"]).stdout
    assert json.loads(printed)["mended"] == [{"file": "a.dcm", "was": "the preview is cut short or damaged"}]


# -- on the disk before the row ------------------------------------------------------------------------------


def test_files_and_folders_are_on_the_disk_before_their_rows(store, delivery, monkeypatch):
    synced, at_insert = set(), []
    former, insert = os.fsync, Transaction.insert

    def fsync(handle):
        synced.add(os.fstat(handle).st_ino)
        former(handle)

    def inserting(self, table, rows):
        needed = [path for path in store.folder.rglob("*") if ".staging" not in path.parts]
        at_insert.append((table, {path.stat().st_ino for path in (store.folder, *needed)} - synced))
        insert(self, table, rows)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Transaction, "insert", inserting)
    for number in range(3):
        save(film(picture(number), bits=12), delivery / f"{number}.dcm")
    take(store, delivery)
    assert [table for table, _ in at_insert] == ["image", "delivery"]
    assert all(missing == set() for _, missing in at_insert)


@pytest.mark.parametrize("apart", [False, True], ids=["in one delivery", "in two"])
def test_files_of_one_film_that_show_different_previews_leave_it_intact(store, delivery, apart):
    for number, words in enumerate(("Lumbar spine lateral", "Cervical spine lateral")):
        save(film(picture(1), bits=12, SeriesDescription=words), delivery / f"{number}.dcm")
        if apart:
            take(store, delivery)
    result = take(store, delivery)
    assert len(image_ids(store)) == 1
    assert result.already_there >= 1
    assert verify(store, films=True).broken == []
