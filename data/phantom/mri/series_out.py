"""Write a rendered stack as two DICOM series of single-frame MR images, as a scanner sends them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, JPEGLSLossless, MRImageStorage

from data.phantom.dicom_out import patient_tags, uid_of
from data.phantom.mri import wrong
from data.phantom.mri.conditions import SPACING_MM, Scan
from data.phantom.mri.render import RenderedStack
from data.phantom.seeds import derived_seed

SEQUENCES = ("STIR", "T1")
_SCANNERS = (
    ("Phantomworks", "Spin 15", 1.5),
    ("Phantomworks", "Spin 30", 3.0),
    ("Nordlicht Imaging", "Polar 1.5", 1.5),
    ("Nordlicht Imaging", "Polar 3", 3.0),
)
_PART = {"cervical": "CSPINE", "thoracic": "TSPINE", "lumbar": "LSPINE", "whole": "WHOLESPINE"}
_SHORT = {"cervical": "C-Spine", "thoracic": "T-Spine", "lumbar": "L-Spine", "whole": "Whole spine"}
_NAME = {"STIR": "STIR", "SPAIR": "T2 SPAIR", "DIXON": "T2 Dixon W"}


def write_series(
    stack: RenderedStack,
    folder: Path,
    *,
    subject: str,
    visit: str,
    study_date: str = "20250115",
    uid_seed: int = 0,
    protocol: str = "SHARPLINE-PHANTOM",
) -> dict[str, str]:
    """Write both sequences under ``folder``, a folder each; the same stack gives the same bytes.

    Returns the SeriesInstanceUID by sequence (``STIR``, ``T1``). Of a stack that was sent by mistake one
    sequence is written.
    """
    found = {}
    for number, sequence in enumerate(SEQUENCES):
        if sequence != wrong.SEQUENCE.get(stack.kind, sequence):
            continue
        key: tuple[object, ...] = (uid_seed, subject, visit, study_date, "mri", stack.scan.view, sequence)
        key += () if stack.kind == "good" else (stack.kind,)
        uids = {
            "study": uid_of("study", uid_seed, subject, visit, study_date, "mri"),
            "series": uid_of("series", *key),
            "frame": uid_of("frame", uid_seed, subject, visit, study_date, "mri"),
        }
        found[sequence] = uids["series"]
        place = folder / f"{stack.scan.view}_{sequence}"
        place.mkdir(parents=True, exist_ok=True)
        pixels = stack.stir if sequence == "STIR" else stack.t1
        order = range(len(pixels)) if stack.scan.device % 2 == 0 else range(len(pixels) - 1, -1, -1)
        for instance, frame in enumerate(order, 1):
            ds = _slice(uid_of("instance", *key, frame), uids)
            patient_tags(ds, subject, study_date, uid_seed)
            ds.ClinicalTrialProtocolID, ds.ClinicalTrialSubjectID = protocol, subject
            ds.ClinicalTrialTimePointID = visit
            ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = study_date
            _study(ds, derived_seed(uid_seed, subject, visit, "mri"), stack.scan, number)
            _sequence(ds, stack.scan, sequence)
            if stack.kind == wrong.LOCALISER:
                ds.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
                ds.SeriesDescription = ds.ProtocolName = "localizer"
            _geometry(ds, stack, frame)
            ds.InstanceNumber = str(instance)
            _pixels(ds, pixels, frame)
            ds.save_as(place / f"IM{instance:04d}.dcm", enforce_file_format=True)
    return found


def _slice(instance: str, uids: dict[str, str]) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = instance
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = uid_of("implementation")
    meta.ImplementationVersionName = "SHARPLINE"
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID, ds.SOPInstanceUID = MRImageStorage, instance
    ds.StudyInstanceUID, ds.SeriesInstanceUID = uids["study"], uids["series"]
    ds.FrameOfReferenceUID = uids["frame"]
    ds.Modality = "MR"
    return ds


def _study(ds: FileDataset, seed: int, scan: Scan, number: int) -> None:
    """Scanner and time: the same for all series of a visit."""
    rng = np.random.default_rng(seed)
    ds.Manufacturer, ds.ManufacturerModelName, strength = _SCANNERS[scan.device]
    ds.MagneticFieldStrength = f"{strength:g}"
    ds.StationName, ds.DeviceSerialNumber = (
        f"MR{int(rng.integers(1, 6))}",
        str(int(rng.integers(10_000, 99_999))),
    )
    hour = int(rng.integers(8, 17))
    place = ("cervical", "thoracic", "lumbar", "whole").index(scan.view)
    ds.StudyTime = f"{hour:02d}0000"
    ds.SeriesTime = ds.ContentTime = ds.AcquisitionTime = f"{hour:02d}{10 * place + 5 * number:02d}30"
    ds.AccessionNumber = f"M{seed:010d}"
    ds.StudyID, ds.SeriesNumber = "1", str(2 * place + number + 2)
    ds.StudyDescription = "MRI spine"


def _sequence(ds: FileDataset, scan: Scan, sequence: str) -> None:
    """What the sequence is and how it was run."""
    p, t1 = scan.protocol, sequence == "T1"
    inverted = not t1 and p.kind == "STIR"
    text = f"{_SHORT[scan.view]} sag {'T1 TSE' if t1 else _NAME[p.kind]}"
    ds.BodyPartExamined = _PART[scan.view]
    ds.SeriesDescription = ds.ProtocolName = text
    ds.ImageType = ["ORIGINAL", "PRIMARY", *(["W"] if p.kind == "DIXON" and not t1 else ["M"])]
    ds.ScanningSequence = ["SE", "IR"] if inverted else "SE"
    ds.SequenceVariant = "SK"
    ds.ScanOptions = "FS" if p.kind == "SPAIR" and not t1 else "PFP"
    ds.MRAcquisitionType = "2D"
    ds.RepetitionTime = f"{p.t1_tr if t1 else p.tr:g}"
    ds.EchoTime = f"{p.t1_te if t1 else p.te:g}"
    if inverted:
        ds.InversionTime = f"{p.ti:g}"
    ds.EchoTrainLength = "3" if t1 else "17"
    ds.FlipAngle = "150"
    ds.InPlanePhaseEncodingDirection = "COL" if scan.phase == 0 else "ROW"
    ds.PatientPosition = "HFS"
    ds.BurnedInAnnotation = "NO"


def _geometry(ds: FileDataset, stack: RenderedStack, frame: int) -> None:
    """Where the slice lies."""
    row, column = stack.plan.orientation
    position = stack.plan.positions_mm[frame]
    ds.ImageOrientationPatient = [f"{value:.8f}" for value in (*row, *column)]
    ds.ImagePositionPatient = [f"{value:.4f}" for value in position]
    ds.SliceLocation = f"{float(np.dot(position, np.cross(row, column))):.4f}"
    ds.SliceThickness = f"{stack.scan.thickness:g}"
    if stack.kind != wrong.LOCALISER:
        ds.SpacingBetweenSlices = f"{SPACING_MM:g}"
    ds.PixelSpacing = [f"{value:g}" for value in stack.spacing_mm]


def _pixels(ds: FileDataset, pixels: np.ndarray, frame: int) -> None:
    low, high = np.quantile(pixels[::3, ::5, ::5], [0.3, 0.997])
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = pixels.shape[1:]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.SmallestImagePixelValue = int(pixels[frame].min())
    ds.LargestImagePixelValue = int(pixels[frame].max())
    ds["SmallestImagePixelValue"].VR = ds["LargestImagePixelValue"].VR = "US"
    ds.WindowCenter, ds.WindowWidth = f"{(low + high) / 2:.0f}", f"{max(high - low, 1):.0f}"
    ds.PixelData = np.ascontiguousarray(pixels[frame]).tobytes()
    ds["PixelData"].VR = "OW"
    ds.compress(JPEGLSLossless, generate_instance_uid=False)
