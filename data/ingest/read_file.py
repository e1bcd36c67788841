"""One delivered file to a film ready for the cohort: read, decoded, named, de-identified, written aside.

Runs in worker processes. The source is read once, decoded once and hashed once; its pixel data are copied as
they are.
"""

from __future__ import annotations

import errno
import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from pydicom.dataset import Dataset

from data.dicom.burnt_in import Lettering, burnt_in_warning
from data.dicom.classify import Classified, classify
from data.dicom.deidentify import Deidentified, deidentify, film_date
from data.dicom.frame_geometry import FrameGeometry, geometry_of
from data.dicom.identity.words import Identity, identity_of, search_for
from data.dicom.mr.acquisition import acquisition_of, as_stated
from data.dicom.picture.cautions import cautions
from data.dicom.picture.spacing import Spacing, spacing_of
from data.dicom.pixel_values import Picture, functional, number, to_picture
from data.dicom.previews import write_preview
from data.dicom.pseudonyms import CohortKey
from data.dicom.read import (
    AT_ONCE,
    TEXT,
    DicomFile,
    Refusal,
    decode_frames,
    expected_bytes,
    quiet,
    read_dicom,
    whole_number,
)
from data.dicom.stored_file import FilmFile, film_file
from data.dicom.stored_pixels import StoredPixels, stored_pixels
from data.dicom.ultrasound.settings_text import is_settings_alone
from data.dicom.ultrasound.shown import shown_in
from data.ingest.file_marks import marks_of
from data.ingest.image_map import ImageMap, stated_of
from data.ingest.mending import Fault, fault_of
from data.ingest.nifti import volume_as_dicom
from data.ingest.sidecar import sidecar_of
from data.ingest.sources import Source

TABLES = (".csv", ".tsv")
TABLE = "is a table, not a film; subjects come in with 'sharpline subjects', scores with 'sharpline reads'"
_DAMAGED = "the file is damaged: parts of its header contradict each other"
MOST_LOOKED_AT = 16  # frames of an image on which text is looked for


@dataclass
class Reading:
    """What a worker needs to know: the key, where to write, which deliveries are stored, the map file."""

    key: CohortKey
    staging: Path
    folder: Path
    known: dict[str, str] = field(default_factory=dict)  # fingerprint of the delivery -> image
    recorded: dict[str, dict[str, Any]] = field(
        default_factory=dict
    )  # image -> facts, as the cohort has them
    image_map: ImageMap | None = None


@dataclass
class Outcome:
    """What became of one file: ``refused`` with a reason, ``known`` already, or a film to be stored.

    image: columns of the table of that name. delivery: likewise. blank: nothing to compare pixels by.
    mends: what was wrong with the stored files of a film that is there, and is made anew.
    taken: the date of the film as delivered, which is stored nowhere. stated: what a map file says of it.
    """

    kind: str  # film | known | refused
    reason: str = ""
    fingerprint: str = ""
    image: dict[str, Any] = field(default_factory=dict)
    delivery: dict[str, Any] = field(default_factory=dict)
    blank: bool = False
    mends: str = ""
    taken: date | None = None
    stated: dict[str, str] = field(default_factory=dict)


def read_film(source: Source, reading: Reading) -> Outcome:
    """Read one source and write film and preview into the staging folder. Never raises for a bad file."""
    try:
        with source.open() as delivered, quiet():
            stream, notes = volume_as_dicom(delivered, source.name, sidecar_of(source))
            return _read(stream, notes, source, reading)
    except Refusal as refusal:
        reason = TABLE if str(refusal) == TEXT and source.name.lower().endswith(TABLES) else str(refusal)
        return Outcome("refused", reason, _fingerprint_of_refused(source, reading.key))
    except MemoryError:
        return Outcome("refused", "the file needs more memory than there is", "")
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
            raise  # our disk, not the file
        return Outcome("refused", _DAMAGED, _fingerprint_of_refused(source, reading.key))
    except Exception:  # a damaged file can fail anywhere; it must not take the others with it
        return Outcome("refused", _DAMAGED, _fingerprint_of_refused(source, reading.key))


def _read(stream: BinaryIO, notes: list[str], source: Source, reading: Reading) -> Outcome:
    """notes: what must be said of a file that was no DICOM file before."""
    file = read_dicom(stream)
    file.warnings += notes
    encoded = _encoded(file)
    digest = hashlib.sha256(encoded).digest()
    stream.seek(0)
    header = stream.read(file.header_size) if file.header_size else stream.read()
    fingerprint = reading.key.fingerprint(hashlib.sha256(header).digest() + digest)
    identity, taken = identity_of(file.dataset), film_date(file.dataset)
    mapped, stated = _mapped(source, identity, file.dataset, reading)
    known = reading.known.get(fingerprint, "")
    digest_kept = reading.recorded.get(known, {}).get("preview_hash")
    fault = fault_of(reading.folder, known, digest_kept) if known else Fault()
    if known and not fault.words:
        mapping = {"image": known, **mapped}
        return Outcome("known", fingerprint=fingerprint, delivery=mapping, taken=taken, stated=stated)
    seen = _see(file, encoded, digest, reading.staging)
    classified = classify(file.dataset, seen.frame)
    geometry = geometry_of(file.dataset, file.frame_count)
    facts = _facts(file, seen, classified, identity) | geometry.columns()
    acquired = acquisition_of(file.dataset, classified.modality, geometry, file.frame_count)
    shown = shown_in(file.dataset, classified.modality, _some_frames(seen))
    said = stated_of(stated, classified.modality)
    facts |= acquired.columns | shown.columns | said
    facts["classification"] |= acquired.record | shown.record
    facts["classification"] |= {name: as_stated(value) for name, value in said.items()}
    pixels = stored_pixels(file, encoded, lambda content: _hash_of(file, content), seen.pixel_hash)
    facts["warnings"] += pixels.warnings
    done, stored = _strip(file, pixels, encoded, digest, reading.key, identity, fingerprint)
    image = facts | _kept_tags(file.dataset) | {"image": stored.image, "film_date": done.film_date}
    image["warnings"] = [*facts["warnings"], *done.warnings]
    in_film = len(stored.header) if _is_in_film(seen, encoded, pixels.content) else None
    if known:
        stored, in_film = fault.mended(stored, in_film)
        image["image"] = stored.image
    recorded = reading.recorded.get(known, {})
    image["preview_hash"] = _write(stored, seen.picture, image | recorded, geometry, reading.staging, in_film)
    del image["frame_index"]  # of the preview alone
    delivery = {
        "image": stored.image,
        "fingerprint": fingerprint,
        "patient": reading.key.pseudonym(identity.patient),
        "dates_of": reading.key.dates_of(done.trial_subject or identity.patient),
        "trial_subject": done.trial_subject or None,
        "trial_visit": done.trial_visit or None,
        "trial_visit_name": done.trial_visit_name or None,
        "file_marks": marks_of(source.name, reading.key),
        **mapped,
    }
    return Outcome("film", "", fingerprint, image, delivery, blank=seen.blank, mends=fault.words, taken=taken)


def _encoded(file: DicomFile) -> bytes:
    """The pixel data as delivered."""
    value = getattr(file.dataset.get_item("PixelData"), "value", None)
    if not isinstance(value, bytes) or not value:
        raise Refusal("the file is cut short: its header is there, its picture is not")
    return value


def _fingerprint_of_refused(source: Source, key: CohortKey) -> str:
    """A keyed hash by which a refused file is known again: of its content, or its name where it has none."""
    digest = hashlib.sha256()
    try:
        with source.open() as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except Refusal:
        digest.update(f"unopened\0{source.name}".encode())
    return key.fingerprint(digest.digest())


def _mapped(
    source: Source, identity: Identity, dataset: Dataset, reading: Reading
) -> tuple[dict[str, Any], dict[str, str]]:
    """What a map file says of a file: columns of the table ``delivery``, and of slices."""
    if reading.image_map is None:
        return {}, {}
    study = str(dataset.get("StudyInstanceUID", "") or "")
    row = reading.image_map.row_of(file=source.name, patient=identity.patient, study=study)
    if row is None:
        return {}, {}
    named = {"map_subject": row.subject or None, "map_visit": row.visit or None}
    return (named if row.subject or row.visit else {}), row.stated


# -- pixels ------------------------------------------------------------------------------------------------


@dataclass
class _Seen:
    """The decoded image: its hash, the frame to look at and what a viewer makes of it.

    decoded: what the picture is made from: the frame, or all frames of an image of several.
    """

    pixel_hash: str
    frame: np.ndarray
    frame_index: int
    decoded: np.ndarray
    picture: Picture
    blank: bool
    warnings: list[str] = field(default_factory=list)


def _see(file: DicomFile, encoded: bytes, digest: bytes, staging: Path) -> _Seen:
    """Decode every frame once: hash of all of them, and the middle one to look at first.

    All are kept for the preview, unless they are too many: then the middle one stands for them. Those of a
    long cine are kept in a file, so that a worker needs memory for some of them only.
    """
    middle = file.frame_count // 2
    size = expected_bytes(file.dataset) or 0
    is_cine = str(file.dataset.get("Modality", "")) == "US"
    keeps_all = file.frame_count > 1 and (size <= AT_ONCE or is_cine)
    on_disk = _OnDisk(staging) if keeps_all and size > AT_ONCE else None
    hasher, shown, first, count, blank = None, None, None, 0, True
    kept: list[np.ndarray] = []
    for frame in decode_frames(file):
        count += 1
        if keeps_all:
            kept.append(frame if on_disk is None else on_disk.put(frame, file.frame_count))
        if first is None:
            first = frame
        else:
            hasher = hasher or hashlib.sha256(little_endian(first))
            hasher.update(little_endian(frame))
        if count - 1 <= middle:
            shown = frame
        blank = blank and int(frame.min()) == int(frame.max())
    if first is None or shown is None:
        raise Refusal("holds no picture")
    if hasher is None:
        as_stored = file.is_native and _is_as_stored(first, encoded)
        pixel_hash = digest.hex() if as_stored else hashlib.sha256(little_endian(first)).hexdigest()
    else:
        pixel_hash = hasher.hexdigest()
    several = len(kept) > 1
    decoded = shown
    if several:
        decoded = _as_one(kept, encoded) if on_disk is None else on_disk.frames
    picture = to_picture(decoded, file.dataset, several=several)
    seen = _Seen(pixel_hash, shown, min(middle, count - 1), decoded, picture, blank)
    if blank:
        seen.warnings.append("the picture is blank: all its pixels are equal")
    return seen


class _OnDisk:
    """Frames in a file of the staging folder that has no name any more, mapped into memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self.frames = np.empty(0, np.uint8)

    def put(self, frame: np.ndarray, count: int) -> np.ndarray:
        """Write the next of so many frames; gives it as it lies there. Frames beyond them are not kept."""
        if not self._count:
            with tempfile.TemporaryFile(dir=self._folder) as stream:
                self.frames = np.memmap(stream, frame.dtype, "w+", shape=(count, *frame.shape))
        place = min(self._count, count - 1)
        self.frames[place] = frame
        self._count += 1
        written: np.ndarray = self.frames[place]
        return written


def _as_one(frames: list[np.ndarray], encoded: bytes) -> np.ndarray:
    """All frames as one array: a view of the file's own bytes where they lie there as decoded."""
    shape, kind = (len(frames), *frames[0].shape), frames[0].dtype
    stored = np.frombuffer(encoded, np.uint8)
    whole = len(frames) * frames[0].nbytes == stored.nbytes and kind.byteorder != ">"
    if whole and all(np.may_share_memory(frame, stored) for frame in frames):
        return stored.view(kind).reshape(shape)
    return np.stack(frames)


def little_endian(frame: np.ndarray) -> memoryview:
    """The bytes of a decoded frame as pixel hashes use them, on every machine and from every file."""
    return np.ascontiguousarray(frame.astype(frame.dtype.newbyteorder("<"), copy=False)).data.cast("B")


def _is_as_stored(frame: np.ndarray, encoded: bytes) -> bool:
    """True where the decoded frame has exactly the bytes of the file."""
    if frame.nbytes != len(encoded) or frame.dtype.byteorder == ">":
        return False
    stored = np.frombuffer(encoded, dtype=frame.dtype)
    if np.may_share_memory(frame, stored):
        return bool(frame.flags.c_contiguous)
    return np.array_equal(_in_words(frame.ravel()), _in_words(stored))


def _in_words(values: np.ndarray) -> np.ndarray:
    """The same bytes as 8-byte words where they are a whole number of them: quicker to compare."""
    return values.view(np.uint64) if values.nbytes % 8 == 0 else values


def _hash_of(file: DicomFile, encoded: bytes) -> str:
    """The hash of the frames that other pixel data of this file decode to; ``""`` where they do not."""
    file.dataset["PixelData"].value = encoded
    hasher = hashlib.sha256()
    try:
        for frame in decode_frames(file):
            hasher.update(little_endian(frame))
    except Refusal:
        return ""
    return hasher.hexdigest()


# -- facts -------------------------------------------------------------------------------------------------


def _facts(file: DicomFile, seen: _Seen, classified: Classified, identity: Identity) -> dict[str, Any]:
    """Columns of the image table that come from pixels and technical tags."""
    dataset, warnings = file.dataset, [*file.warnings, *seen.warnings, *seen.picture.warnings]
    spacing = spacing_of(dataset, classified.modality)
    noted = cautions(dataset, file.transfer_syntax, frames=file.frame_count, modality=classified.modality)
    shown = seen.picture.pixels if seen.decoded is seen.frame else seen.picture.pixels[seen.frame_index]
    is_harmless = _settings_of(dataset, identity) if classified.modality == "US" else None
    text = burnt_in_warning(dataset, shown, _others(seen), is_harmless=is_harmless)
    rows, columns = seen.frame.shape[:2]
    return {
        "pixel_hash": seen.pixel_hash,
        "modality": classified.modality or None,
        "body_part": classified.body_part or None,
        "view": classified.view or None,
        "laterality": classified.laterality or None,
        "classification": classified.record | _record_of(spacing),
        "row_count": rows,
        "column_count": columns,
        "frame_count": file.frame_count,
        "instance_number": whole_number(dataset.get("InstanceNumber")),
        "spacing_row_mm": spacing.mm[0] if spacing.mm else None,
        "spacing_column_mm": spacing.mm[1] if spacing.mm else None,
        "bits_stored": whole_number(dataset.get("BitsStored")),
        "window_centre": _first_number(dataset, "WindowCenter"),
        "window_width": _first_number(dataset, "WindowWidth"),
        "frame_index": seen.frame_index,
        "warnings": [*warnings, *spacing.warnings, *classified.warnings, *noted, *([text] if text else [])],
        "held": text,
    }


def _settings_of(dataset: Dataset, identity: Identity) -> Callable[[np.ndarray, list[Lettering]], bool]:
    """Tells whether the lettering on a frame of ultrasound speaks of the machine's settings alone."""
    device = " ".join(str(dataset.get(name, "") or "") for name in ("Manufacturer", "ManufacturerModelName"))
    search = search_for(identity)
    return lambda frame, runs: is_settings_alone(frame, device, search.may_be_in, runs)


def _others(seen: _Seen) -> list[np.ndarray]:
    """Some frames of an image of several, from the first to the last, to look for text on."""
    if seen.decoded is seen.frame:
        return []
    count = len(seen.picture.pixels)
    places = np.unique(np.linspace(0, count - 1, min(count, MOST_LOOKED_AT)).astype(int))
    return [seen.picture.pixels[place] for place in places if place != seen.frame_index]


def _some_frames(seen: _Seen) -> np.ndarray:
    """Some frames as a viewer shows them, from the first to the last."""
    if seen.decoded is seen.frame:
        return seen.picture.pixels[None]
    count = len(seen.picture.pixels)
    places = np.unique(np.linspace(0, count - 1, min(count, MOST_LOOKED_AT)).astype(int))
    chosen: np.ndarray = seen.picture.pixels[places]
    return chosen


def _record_of(spacing: Spacing) -> dict[str, Any]:
    """How the spacing was found, in the form of ``classify.Classified.record``."""
    return {"spacing": {"value": list(spacing.mm), "source": spacing.source}} if spacing.mm else {}


def _first_number(dataset: Dataset, keyword: str) -> float | None:
    value = functional(dataset, "FrameVOILUTSequence", keyword)
    several = type(value).__name__ == "MultiValue"
    found = number(value[0] if several and len(value) else value)
    return float(found) if np.isfinite(found) else None


def _text(dataset: Dataset, keyword: str) -> str | None:
    return str(dataset.get(keyword, "") or "").strip()[:64] or None


# -- the stored film ---------------------------------------------------------------------------------------


def _strip(
    file: DicomFile,
    pixels: StoredPixels,
    encoded: bytes,
    digest: bytes,
    key: CohortKey,
    identity: Identity,
    fingerprint: str,
) -> tuple[Deidentified, FilmFile]:
    """De-identify and make the file to store. The UID of a film without one follows from its content."""
    dataset = file.dataset
    if not str(dataset.get("SOPInstanceUID", "") or ""):
        dataset.SOPInstanceUID = f"none.{fingerprint}"
    done = deidentify(dataset, key, identity)
    if pixels.content is not encoded:
        digest = hashlib.sha256(pixels.content).digest()
    return done, film_file(dataset, pixels.syntax, pixels.content, digest)


def _kept_tags(dataset: Dataset) -> dict[str, str | None]:
    """Columns of the image table that are words of the file: taken after de-identification."""
    return {
        "sop_uid": str(dataset.SOPInstanceUID),
        "study_uid": _text(dataset, "StudyInstanceUID"),
        "series_uid": _text(dataset, "SeriesInstanceUID"),
        "photometric": _text(dataset, "PhotometricInterpretation"),
        "manufacturer": _text(dataset, "Manufacturer"),
        "device": _text(dataset, "ManufacturerModelName"),
    }


def _is_in_film(seen: _Seen, encoded: bytes, pixels: bytes) -> bool:
    """True where the picture is, byte for byte or flipped, what the stored film holds."""
    frame = seen.decoded if seen.picture.turned_over is not None else seen.picture.pixels
    plain = pixels is encoded and frame.dtype == np.dtype("<u2") and frame.flags.c_contiguous
    stored = np.frombuffer(encoded, np.uint8)
    return plain and frame.nbytes == stored.nbytes and np.may_share_memory(frame, stored)


def _write(
    stored: FilmFile,
    picture: Picture,
    image: dict[str, Any],
    geometry: FrameGeometry,
    staging: Path,
    in_film: int | None,
) -> str:
    """Film and preview into the staging folder; the SHA-256 of the preview."""
    spacing = (image["spacing_row_mm"], image["spacing_column_mm"])
    description = picture.description() | {
        "image": stored.image,
        "frame": image["frame_index"],
        "frames": image["frame_count"],
        "spacing_mm": list(spacing) if None not in spacing else None,
        "bits": image["bits_stored"],
        **{
            name: image[name] or "" for name in ("modality", "body_part", "view", "laterality", "photometric")
        },
    }
    if image["frame_count"] > 1:
        description |= geometry.fields()
    if not stored.is_there:
        stored.write(staging / f"{stored.image}.dcm")
    path = staging / f"{stored.image}.npy"
    return write_preview(path, picture.pixels, description, in_film=in_film, turned_over=picture.turned_over)
