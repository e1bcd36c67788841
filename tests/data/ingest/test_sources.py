"""Finding files: folders, zips, DICOMDIR, and what must not be opened."""

import io
import os
import random
import shutil
import socket
import subprocess
import sys
import zipfile

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.fileset import FileSet

from core.errors import InputError
from data.dicom.read import Refusal, quiet, read_dicom
from data.ingest.sources import find_sources
from tests.helpers.paths import ROOT
from tests.helpers.small_films import as_bytes, film, picture, save


def names(sources):
    return [source.name for source in sources]


def problems(sources):
    return {source.name: source.problem for source in sources if source.problem}


def zipped(files: dict[str, bytes], compression=zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def test_folders_are_walked_in_one_fixed_order(tmp_path):
    for name in ("b/2", "b/10", "a/z", "c", "A"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert names(find_sources([tmp_path])) == ["A", "c", "a/z", "b/10", "b/2"]


def test_a_file_given_twice_is_listed_once(tmp_path):
    (tmp_path / "a.dcm").write_bytes(b"x")
    assert names(find_sources([tmp_path, tmp_path / "a.dcm", tmp_path / "." / "a.dcm"])) == ["a.dcm"]


def test_a_path_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"nowhere; no such file or folder; check the path"):
        find_sources([tmp_path / "nowhere"])


def test_an_empty_folder_has_no_sources(tmp_path):
    assert find_sources([tmp_path]) == []


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    (tmp_path / "secret").write_bytes(b"x")
    inside = tmp_path / "delivery"
    inside.mkdir()
    os.symlink(tmp_path / "secret", inside / "film.dcm")
    (source,) = find_sources([inside])
    with pytest.raises(Refusal, match="link to a file outside"):
        source.open()


def test_a_link_loop_ends(tmp_path):
    os.symlink(tmp_path, tmp_path / "again")
    (tmp_path / "a").write_bytes(b"x")
    assert names(find_sources([tmp_path])) == ["a"]


# -- zip ------------------------------------------------------------------------------------


def test_a_zip_gives_its_files_sorted_and_readable(tmp_path):
    path = tmp_path / "site03.zip"
    path.write_bytes(zipped({"w52/b.dcm": b"two", "bl/a.dcm": b"one"}))
    sources = find_sources([path])
    assert names(sources) == ["site03.zip/bl/a.dcm", "site03.zip/w52/b.dcm"]
    assert [source.open().read() for source in sources] == [b"one", b"two"]


def test_a_zip_inside_a_zip_is_opened_and_a_third_one_is_not(tmp_path):
    third = zipped({"x.dcm": b"three"})
    inner = zipped({"y.dcm": b"two", "third.zip": third})
    (tmp_path / "outer.zip").write_bytes(zipped({"inner.zip": inner}))
    sources = find_sources([tmp_path])
    assert names(sources) == ["outer.zip/inner.zip/third.zip", "outer.zip/inner.zip/y.dcm"]
    assert sources[1].open().read() == b"two"
    assert sources[0].open().read() == third


@pytest.mark.parametrize(
    "name", ["../evil.dcm", "/etc/evil.dcm", "a/../../evil.dcm", "..\\evil.dcm", "C:/evil.dcm"]
)
def test_names_that_lead_out_of_the_archive_are_not_opened(tmp_path, name):
    (tmp_path / "a.zip").write_bytes(zipped({name: b"x"}))
    (source,) = find_sources([tmp_path / "a.zip"])
    assert "path traversal" in source.problem
    with pytest.raises(Refusal, match="leads out of the archive"):
        source.open()


def test_a_zip_bomb_is_not_unpacked(tmp_path):
    (tmp_path / "bomb.zip").write_bytes(zipped({"film.dcm": b"\0" * 40_000_000, "good.dcm": b"good"}))
    assert list(problems(find_sources([tmp_path]))) == ["bomb.zip/film.dcm"]
    assert "zip bomb" in problems(find_sources([tmp_path]))["bomb.zip/film.dcm"]


def test_a_member_that_claims_too_much_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("data.ingest.archives.LARGEST_MEMBER", 1000)
    (tmp_path / "a.zip").write_bytes(zipped({"film.dcm": os.urandom(2000)}))
    assert "claims to unpack" in problems(find_sources([tmp_path]))["a.zip/film.dcm"]


def test_an_archive_that_claims_too_much_is_not_opened(tmp_path, monkeypatch):
    monkeypatch.setattr("data.ingest.archives.LARGEST_ARCHIVE", 1000)
    (tmp_path / "a.zip").write_bytes(zipped({f"{n}.dcm": os.urandom(400) for n in range(4)}))
    assert list(problems(find_sources([tmp_path]))) == ["a.zip"]


@pytest.mark.parametrize("cut", [10, 60, 200])
def test_a_cut_archive_is_refused_as_such(tmp_path, cut):
    content = zipped({"film.dcm": os.urandom(500)})
    (tmp_path / "a.zip").write_bytes(content[:-cut])
    (source,) = find_sources([tmp_path])
    with pytest.raises(Refusal):
        read_dicom(source.open())


def test_a_damaged_member_is_refused_and_the_next_is_read(tmp_path):
    content = bytearray(zipped({"a.dcm": b"A" * 100, "b.dcm": b"B" * 100}, zipfile.ZIP_STORED))
    content[content.index(b"AAAA")] = 0
    (tmp_path / "a.zip").write_bytes(content)
    first, second = find_sources([tmp_path])
    with pytest.raises(Refusal, match="damaged or cut short"):
        first.open()
    assert second.open().read() == b"B" * 100


def test_an_encrypted_member_is_named(tmp_path):
    content = bytearray(zipped({"a.dcm": b"A" * 100}, zipfile.ZIP_STORED))
    content[6] |= 1
    central = content.index(b"PK\x01\x02")
    content[central + 8] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    assert "password" in problems(find_sources([tmp_path]))["a.zip/a.dcm"]


def test_a_spreadsheet_is_one_file_not_an_archive(tmp_path):
    (tmp_path / "reads.xlsx").write_bytes(
        zipped({"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"})
    )
    (source,) = find_sources([tmp_path])
    assert source.name == "reads.xlsx"
    assert "Office file" in source.problem


# -- DICOMDIR -------------------------------------------------------------------------------


@pytest.fixture
def disc(tmp_path):
    """A disc of three films with its DICOMDIR."""
    fileset = FileSet()
    for number in range(3):
        dataset = film(picture(number), bits=12, StudyID="1", SeriesNumber=1, InstanceNumber=number + 1)
        dataset.PatientID, dataset.AccessionNumber, dataset.StudyTime = "P1", "", "101500"
        fileset.add(dataset)
    fileset.write(tmp_path / "disc")
    return tmp_path / "disc"


def films_on(disc):
    return sorted(
        path for path in disc.rglob("*") if path.is_file() and path.name not in ("DICOMDIR", "README")
    )


def test_a_dicomdir_stands_for_its_files(disc):
    sources = find_sources([disc / "DICOMDIR"])
    assert [source.path for source in sources] == films_on(disc)
    assert problems(sources) == {}


def test_a_folder_with_a_dicomdir_lists_each_film_once_and_not_the_index(disc):
    (disc / "README").write_bytes(b"hello")
    sources = find_sources([disc])
    assert sorted(source.path for source in sources) == sorted([disc / "README", *films_on(disc)])


@pytest.mark.parametrize("given", ["folder", "DICOMDIR"])
def test_a_film_missing_from_the_disc_is_reported(disc, given):
    lost = films_on(disc)[1]
    lost.unlink()
    sources = find_sources([disc if given == "folder" else disc / "DICOMDIR"])
    assert len(sources) == 3
    assert problems(sources) == {
        lost.relative_to(disc).as_posix(): "is named in DICOMDIR but is not there; ask the site for it"
    }


def test_names_on_disc_may_differ_in_case(disc):
    for path in films_on(disc):
        path.rename(path.with_name(path.name.lower() + ";1"))
    assert problems(find_sources([disc / "DICOMDIR"])) == {}


def test_a_dicomdir_that_points_outside_is_not_followed(disc):
    content = (disc / "DICOMDIR").read_bytes()
    dataset = pydicom.dcmread(disc / "DICOMDIR")
    with quiet():
        for record in dataset.DirectoryRecordSequence:
            if "ReferencedFileID" in record:
                record.ReferencedFileID = ["..", "secret"]
        dataset.save_as(disc / "DICOMDIR")
    assert content != (disc / "DICOMDIR").read_bytes()
    (source,) = find_sources([disc / "DICOMDIR"])
    assert "outside its folder" in source.problem


def test_a_damaged_dicomdir_is_refused_alone(tmp_path):
    (tmp_path / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM" + b"\xff" * 50)
    (source,) = find_sources([tmp_path / "DICOMDIR"])
    assert "damaged or names no files" in source.problem


def test_pydicoms_own_disc_is_found_whole(tmp_path):
    from pathlib import Path

    folder = Path(get_testdata_file("DICOMDIR")).parent
    shutil.copytree(folder, tmp_path / "disc")
    sources = find_sources([tmp_path / "disc" / "DICOMDIR"])
    assert len(sources) == 31
    assert sum(not source.problem for source in sources) == 31


def test_a_film_in_a_zip_reads_as_from_disc(tmp_path):
    dataset = film()
    save(dataset, tmp_path / "x.dcm")
    (tmp_path / "y.zip").write_bytes(zipped({"x.dcm": as_bytes(dataset)}))
    plain, packed = find_sources([tmp_path])
    assert plain.open().read() == packed.open().read()


def test_two_members_of_one_name_are_both_read(tmp_path):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("a.dcm", b"one")
        archive.writestr("a.dcm", b"two")
    (tmp_path / "a.zip").write_bytes(stream.getvalue())
    sources = find_sources([tmp_path])
    assert names(sources) == ["a.zip/a.dcm"] * 2
    assert [source.open().read() for source in sources] == [b"one", b"two"]


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
@pytest.mark.parametrize("outer", [False, True])
def test_whatever_is_damaged_in_an_archive_costs_that_file_alone(tmp_path, method, outer):
    good = {f"{name}.dcm": bytes([number]) * 999 for number, name in enumerate("abc")}
    whole = zipped(good, method)
    dice = random.Random(method)
    read = 0
    for number in range(150):
        content = bytearray(whole)
        for _ in range(dice.choice((1, 1, 3))):
            content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
        path = tmp_path / f"{number}.zip"
        path.write_bytes(zipped({"i.zip": bytes(content), "z.dcm": b"z"}) if outer else content)
        for source in find_sources([path]):
            try:
                with source.open() as stream:
                    read += len(stream.read()) > 0
            except Refusal as refusal:
                assert str(refusal)
    assert read > 150


@pytest.mark.parametrize("method", [0, 1, 6, 9, 12, 14, 93, 99])
def test_an_unknown_way_of_packing_is_refused(tmp_path, method):
    content = bytearray(zipped({"a.dcm": b"A" * 100, "b.dcm": b"B" * 100}, zipfile.ZIP_STORED))
    for at in (8, content.index(b"PK\x01\x02") + 10):
        content[at : at + 2] = method.to_bytes(2, "little")
    (tmp_path / "a.zip").write_bytes(content)
    first, second = find_sources([tmp_path])
    assert second.open().read() == b"B" * 100
    if method:
        with pytest.raises(Refusal, match=r"damaged or cut short|cannot be unpacked here"):
            first.open()


def test_an_archive_has_a_budget(tmp_path, monkeypatch):
    monkeypatch.setattr("data.ingest.archives.BUDGET", 5000)
    inner = zipped({f"{n}.dcm": b"\0" * 90_000 for n in range(4)})
    (tmp_path / "a.zip").write_bytes(zipped({"a.dcm": b"\0" * 4000, "i.zip": inner, "z.dcm": b"z"}))
    found = find_sources([tmp_path])
    assert found[0].open().read() == b"\0" * 4000
    assert any("more than 100 times its size" in source.problem for source in found)
    assert sum(source.size for source in found if not source.problem) < 5000 + 100 * 2000


def test_a_list_of_files_that_would_fill_the_memory_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("data.ingest.archives.LARGEST_LIST", 300)
    (tmp_path / "a.zip").write_bytes(zipped({f"{n}.dcm": b"x" for n in range(9)}))
    (source,) = find_sources([tmp_path])
    assert "larger than any delivery" in source.problem


def test_a_large_member_is_unpacked_onto_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr("data.ingest.archives.IN_MEMORY", 100)
    content = as_bytes(film())
    (tmp_path / "a.zip").write_bytes(zipped({"a.dcm": content, "i.zip": zipped({"b.dcm": content})}))
    for source in find_sources([tmp_path]):
        with source.open() as stream:
            assert not isinstance(stream, io.BytesIO)
            assert read_dicom(stream).frame_count == 1


# -- what is no plain file ------------------------------------------------------------------


@pytest.mark.parametrize("given", ["folder", "itself"])
@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "broken link", "loop", "link to a pipe"])
def test_what_is_no_plain_file_is_refused_by_name(tmp_path, given, kind):
    folder = tmp_path / "delivery"
    folder.mkdir()
    odd, server = folder / "odd", socket.socket(socket.AF_UNIX)
    if kind == "pipe":
        os.mkfifo(odd)
    elif kind == "socket":
        before = os.getcwd()
        os.chdir(folder)  # the name of a socket must be short
        server.bind("odd")
        os.chdir(before)
    elif kind == "link to a pipe":
        os.mkfifo(folder / "a pipe")
        odd.symlink_to(folder / "a pipe")
    else:
        odd.symlink_to({"device": "/dev/zero", "broken link": "nowhere", "loop": "odd"}[kind])
    found = problems(find_sources([folder if given == "folder" else odd]))
    server.close()
    assert "odd" in found
    assert all(
        "is not a plain file" in text or "is a link to a file outside" in text for text in found.values()
    )


def test_a_file_that_becomes_a_pipe_is_refused(tmp_path):
    (tmp_path / "a.dcm").write_bytes(b"x")
    (source,) = find_sources([tmp_path])
    source.path.unlink()
    os.mkfifo(source.path)
    with pytest.raises(Refusal, match="not a plain file"):
        source.open()


def test_a_link_to_a_folder_outside_is_named(tmp_path):
    (tmp_path / "delivery").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "delivery" / "w52").symlink_to(tmp_path / "other")
    assert problems(find_sources([tmp_path / "delivery"])) == {
        "w52": "is a link to a folder outside this folder"
    }


def test_a_link_that_a_person_names_is_followed(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "a.dcm").write_bytes(b"x")
    (tmp_path / "folder").symlink_to("there")
    (tmp_path / "film").symlink_to("there/a.dcm")
    assert names(find_sources([tmp_path / "folder"])) == ["a.dcm"]
    assert find_sources([tmp_path / "film"])[0].open().read() == b"x"


def test_a_link_out_of_a_disc_is_not_followed(disc):
    inside = films_on(disc)[1]
    inside.rename(disc.parent / "elsewhere.dcm")
    inside.symlink_to(disc.parent / "elsewhere.dcm")
    for given in (disc, disc / "DICOMDIR"):
        assert problems(find_sources([given])) == {
            inside.relative_to(disc).as_posix(): "is a link to a file outside this folder"
        }


@pytest.mark.parametrize("what", ["folder", "film", "DICOMDIR", "zip"])
def test_what_may_not_be_read_is_named_and_the_rest_is_read(tmp_path, what):
    (tmp_path / "closed").mkdir()
    (tmp_path / "good.dcm").write_bytes(b"good")
    closed = {"folder": "closed", "film": "closed/a.dcm", "DICOMDIR": "DICOMDIR", "zip": "a.zip"}[what]
    if what != "folder":
        (tmp_path / closed).write_bytes(zipped({"x": b"x"}) if what == "zip" else b"\0" * 128 + b"DICM")
    (tmp_path / closed).chmod(0)
    assert as_another_account(tmp_path) == [
        closed if what != "zip" else "a.zip", "may not be read by this account", "good.dcm", "good"
    ]  # fmt: skip


def as_another_account(folder) -> list[str]:
    """Names with contents or problems, as an account that is not root finds them."""
    code = (
        "import os, sys; from data.ingest.sources import find_sources; from data.dicom.read import Refusal\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "for source in sorted(find_sources([sys.argv[1]]), key=lambda one: one.name):\n"
        "    try: said = source.open().read().decode()\n"
        "    except Refusal as refusal: said = str(refusal).split(' ', 2)[2]\n"
        "    print(source.name, said, sep='\\n')\n"
    )
    if os.getuid() != 0:
        code = code.replace("os.setgid(65534); os.setuid(65534)\n", "")
    for up in folder.parents:
        if up.stat().st_uid == os.getuid() and up != up.parent:
            up.chmod(up.stat().st_mode | 0o055)
    folder.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("given", ["\0", "x" * 5000, "nowhere/a"])
def test_a_name_that_no_file_can_have_is_an_error(given):
    with pytest.raises(InputError, match="no such file or folder"):
        find_sources([given])
