"""A NIfTI volume (.nii, .nii.gz) as one DICOM file of several frames, so that it goes through the ordinary
ingest.

Only its values and its affine are taken. Its texts (descrip, aux_file, intent_name, db_name), its extensions
and its name never enter. Planes are those across the axis of its slices: stated (dim_info), else that of the
widest spacing. A volume that says nothing of where it lies (no sform, no qform) gets no positions.
"""

from __future__ import annotations

import hashlib
import io
import re
import zlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    ExplicitVRLittleEndian,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
)

from data.dicom.read import LARGEST_SERIES, Refusal
from data.dicom.volume_planes import Grid, planes_of

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Image

HEADER_BYTES = 540  # of the second version; the first has 348
DAMAGED = "is a NIfTI volume that is cut short or damaged; export it again"
NO_PICTURE = "is the header of a pair of files (.hdr and .img); export the volume as one .nii or .nii.gz file"
NOT_STATED = "a NIfTI volume does not say how it was made; by its values it was taken as {}"
MOST_LABELS = 64  # different whole values up to which a volume, half of it 0, is a mask
LABEL_NAME = re.compile(
    r"(?:^|[-_. ])(?:d?seg|segmentations?|masks?|labels?|gt|rois?)(?=$|[-_. ])", re.IGNORECASE
)
AIR, DENSE = -900, 300  # Hounsfield units that a CT has at its lowest and highest
_LABELS = 1002  # intent code
_MILLIMETRES = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}  # by the unit code; not stated is taken as mm
_MAGIC = {348: (344, b"n+1"), 540: (4, b"n+2")}
_PAIRS = {348: (b"ni1", b"\0\0\0"), 540: (b"ni2",)}


def volume_as_dicom(
    stream: BinaryIO, name: str = "", tags: Mapping[str, Any] | None = None
) -> tuple[BinaryIO, list[str]]:
    """The stream itself, at its beginning, where it is no NIfTI volume; else that volume as a DICOM file, the
    same bytes each time, and what must be said of it.

    name: of the file; it is looked at, and not kept. tags: what a file beside it says (``sidecar``). Raises
    Refusal for a mask, a volume over time or in colour, and one that cannot be read.
    """
    stream.seek(0)
    head = stream.read(HEADER_BYTES)
    stream.seek(0)
    is_packed = head.startswith(b"\x1f\x8b")
    if is_packed:
        head = _unpacked(head, HEADER_BYTES)
    if not _is_nifti(head):
        return stream, []
    content = stream.read()
    volume = _volume(_unpacked(content, LARGEST_SERIES) if is_packed else content, head)
    values, slope, intercept = _values(volume)
    _refuse_mask(volume, values, name)
    return _as_dicom(volume, values, (slope, intercept), tags or {})


def _is_nifti(head: bytes) -> bool:
    """Whether these are the first bytes of a NIfTI file. Raises Refusal for a header without its values."""
    for order in ("little", "big"):
        length = int.from_bytes(head[:4], order)  # type: ignore[arg-type]
        if length in _MAGIC:
            at, magic = _MAGIC[length]
            if head[at : at + 3] == magic:
                return True
            if len(head) >= 348 and head[at : at + 3] in _PAIRS[length]:
                raise Refusal(NO_PICTURE)
    return False


def _unpacked(content: bytes, most: int) -> bytes:
    """As far as it goes, at most so many bytes. Raises Refusal for a volume that is larger."""
    try:
        unpack = zlib.decompressobj(31)
        found = unpack.decompress(content, most)
    except zlib.error:
        return b""
    if most == LARGEST_SERIES and unpack.unconsumed_tail:
        raise Refusal("the volume is larger than any series is")
    return found


def _volume(content: bytes, head: bytes) -> Nifti1Image:
    from nibabel.nifti1 import Nifti1Image
    from nibabel.nifti2 import Nifti2Image

    is_second = 540 in (int.from_bytes(head[:4], "little"), int.from_bytes(head[:4], "big"))
    try:
        volume: Nifti1Image = (Nifti2Image if is_second else Nifti1Image).from_bytes(content)
        shape, kind = volume.shape, volume.get_data_dtype()
    except MemoryError:
        raise
    except Exception as error:  # a damaged header fails in many ways
        raise Refusal(DAMAGED) from error
    sizes = (*shape, 1, 1, 1)
    if len(shape) > 3 and int(np.prod(shape[3:])) != 1:
        raise Refusal(
            f"is a NIfTI file of {int(np.prod(shape[3:]))} volumes (over time, or of several contrasts); "
            "export each as a file of its own"
        )
    if kind.fields is not None or kind.kind not in "iuf":
        raise Refusal("is a NIfTI volume in colour or of complex values; one of grey values is needed")
    size = float(np.prod(sizes[:3], dtype=float)) * kind.itemsize
    if min(sizes[:3]) < 1 or size > LARGEST_SERIES:
        raise Refusal("is a NIfTI volume of a size that no series has")
    if not float(volume.header["vox_offset"]) + size <= len(content):
        raise Refusal(DAMAGED)
    return volume


def _values(volume: Nifti1Image) -> tuple[np.ndarray, float, float]:
    """(third, second, first) values as whole numbers of 8 or 16 bits; the slope and intercept to its own."""
    try:
        raw = np.asarray(volume.dataobj.get_unscaled())  # type: ignore[attr-defined]
        slope, intercept = float(volume.dataobj.slope), float(volume.dataobj.inter)  # type: ignore[attr-defined]
    except MemoryError:
        raise
    except Exception as error:  # fewer values than its header promises, a scale that is no number
        raise Refusal(DAMAGED) from error
    raw = raw.reshape((*raw.shape, 1, 1)[:3]).T
    if not np.isfinite(raw).all():
        raise Refusal("is a NIfTI volume that holds values that are no numbers")
    if not (np.isfinite([slope, intercept]).all() and slope):
        raise Refusal(DAMAGED)
    low, high = float(raw.min()), float(raw.max())
    if raw.dtype.kind in "iu" or np.array_equal(raw, np.rint(raw)):
        for kind, least, most in (("<u1", 0, 255), ("<u2", 0, 65535), ("<i2", -32768, 32767)):
            if least <= low and high <= most:
                return raw.astype(kind), slope, intercept
    step = (high - low) / 65535 or 1.0
    scaled = np.rint((raw.astype(np.float64) - low) / step).astype("<u2")
    return scaled, slope * step, slope * low + intercept


def _refuse_mask(volume: Nifti1Image, values: np.ndarray, name: str) -> None:
    """A mask of labels is no picture: few whole values, mostly none."""
    stem = re.sub(r"\.nii(\.gz)?$", "", name.rpartition("/")[2], flags=re.IGNORECASE)
    is_called_so = LABEL_NAME.search(stem) is not None or int(volume.header["intent_code"]) == _LABELS
    is_mostly_empty = np.count_nonzero(values) < values.size / 2
    if not (is_called_so or is_mostly_empty):
        return
    found = np.unique(values)
    if len(found) <= MOST_LABELS or (is_called_so and is_mostly_empty):
        shown = f"values {found[0]} to {found[-1]}"
        raise Refusal(f"holds labels drawn on an image ({shown}), not an image; it was not imported")


# -- as DICOM ----------------------------------------------------------------------------------------------


def _as_dicom(
    volume: Nifti1Image, values: np.ndarray, scale: tuple[float, float], tags: Mapping[str, Any]
) -> tuple[BinaryIO, list[str]]:
    slope, intercept = scale
    grid, notes = _grid(volume)
    planes = planes_of(values, grid, _across(volume, grid))
    is_ct = (
        slope * float(values.min()) + intercept <= AIR and slope * float(values.max()) + intercept >= DENSE
    )
    modality = "CT" if is_ct else "MR"
    dataset = _header(planes.frames, modality)
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    notes += [] if "Modality" in tags else [NOT_STATED.format(modality)]
    dataset.RescaleSlope, dataset.RescaleIntercept = f"{slope:.10g}", f"{intercept:.10g}"
    shared = [_group("PixelMeasuresSequence", **_measures(planes.spacing))]
    is_placed = bool(volume.header["sform_code"] or volume.header["qform_code"])
    if is_placed:
        shared.append(
            _group("PlaneOrientationSequence", ImageOrientationPatient=_decimal(planes.orientation))
        )
        dataset.PerFrameFunctionalGroupsSequence = Sequence(
            _group("PlanePositionSequence", ImagePositionPatient=_decimal(place))
            for place in planes.positions
        )
    else:
        notes.append("the volume does not say where it lies in the patient (neither sform nor qform)")
    dataset.SharedFunctionalGroupsSequence = Sequence([_together(shared)])
    _name(dataset, values, grid)
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    out.seek(0)
    return out, notes


def _grid(volume: Nifti1Image) -> tuple[Grid, list[str]]:
    """The affine in millimetres and DICOM's directions; first and second coordinate change their sign."""
    first, second, third = (*volume.shape, 1, 1)[:3]
    unit = _MILLIMETRES.get(int(volume.header["xyzt_units"]) & 7)
    affine = np.asarray(volume.affine, dtype=float) * (unit or 1.0)
    columns = affine[:3, :3] * np.array([[-1.0], [-1.0], [1.0]])
    spacing = np.linalg.norm(columns, axis=0)
    if unit is None or not np.isfinite(affine[:3]).all() or spacing.min() <= 0:
        raise Refusal("is a NIfTI volume whose affine gives no millimetres; export it again")
    offset = affine[:3, 3] * np.array([-1.0, -1.0, 1.0])
    directions = (columns / spacing).T
    notes = []
    if np.abs(directions @ directions.T - np.eye(3)).max() > 0.02:
        notes.append("the axes of the volume are not at right angles")
    return Grid((first, second, third), tuple(float(one) for one in spacing), directions, offset), notes


def _across(volume: Nifti1Image, grid: Grid) -> int:
    stated = volume.header.get_dim_info()[2]
    return grid.thickest if stated is None else int(stated)


def _header(frames: np.ndarray, modality: str) -> FileDataset:
    """The picture, and what a header must say of it."""
    bits = 8 * frames.dtype.itemsize
    storage = (
        MultiFrameGrayscaleByteSecondaryCaptureImageStorage
        if bits == 8
        else MultiFrameGrayscaleWordSecondaryCaptureImageStorage
    )
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = storage, ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID, dataset.Modality, dataset.ConversionType = storage, modality, "WSD"
    dataset.PatientID, dataset.PatientName, dataset.InstanceNumber = "", "", 1
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns = frames.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    dataset.PixelRepresentation = int(frames.dtype.kind == "i")
    content = np.ascontiguousarray(frames).tobytes()
    dataset.PixelData = content + b"\0" * (len(content) % 2)
    dataset["PixelData"].VR = "OB" if bits == 8 else "OW"
    return dataset


def _measures(spacing: tuple[float, float, float]) -> dict[str, Any]:
    rows, columns, between = _decimal(spacing)
    return {"PixelSpacing": [rows, columns], "SpacingBetweenSlices": between}


def _name(dataset: FileDataset, values: np.ndarray, grid: Grid) -> None:
    """UIDs that follow from what the volume holds: the same volume has the same, wherever it comes from."""
    digest = hashlib.sha256(f"{grid.size} {grid.spacing} {grid.offset} {grid.directions}".encode())
    digest.update(np.ascontiguousarray(values).data.cast("B"))
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        own = hashlib.sha256(digest.digest() + keyword.encode()).digest()
        setattr(dataset, keyword, f"2.25.{int.from_bytes(own[:16], 'big')}")
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID


def _decimal(values: Iterable[float]) -> list[str]:
    return [f"{value + 0.0:.8g}" for value in values]


def _group(sequence: str, **tags: Any) -> Dataset:
    """A functional group of one item."""
    item, group = Dataset(), Dataset()
    for keyword, value in tags.items():
        setattr(item, keyword, value)
    setattr(group, sequence, Sequence([item]))
    return group


def _together(groups: list[Dataset]) -> Dataset:
    whole = Dataset()
    for group in groups:
        whole.update(group)
    return whole
