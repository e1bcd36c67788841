"""Write a scan as the DICOM file that an ultrasound machine sends.

Names of joints and sides come as people write them: in the description, in tags of their own, or both. Files
carry a made-up patient; the screen names none, but for a worksheet that was sent by mistake.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from pydicom.dataset import Dataset, FileDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
)

from data.phantom.dicom_out import begun, patient_tags, uid_of
from data.phantom.seeds import derived_seed
from data.phantom.ultrasound.machines import Machine
from data.phantom.ultrasound.screen import Screen
from data.phantom.ultrasound.wrong import KNEE, WORKSHEET

FRAME_MS = 50.0
QUALITY = 90  # of JPEG
ROMAN = {"1": "I", "2": "II", "3": "III", "4": "IV", "5": "V"}


@dataclass(frozen=True)
class Taken:
    """A scan as ``images_out`` writes it. view: of the plan. kind: ``good``, or what was sent by mistake.

    side, joint: what it shows, ``""`` of a wrong picture.
    """

    screen: Screen
    machine: Machine
    mode: str
    side: str
    joint: str
    view: str
    kind: str = "good"


def write_scan(
    scan: Taken,
    path: str | Path,
    *,
    subject: str,
    visit: str,
    study_date: str = "20250115",
    uid_seed: int = 0,
    protocol: str = "SHARPLINE-PHANTOM",
) -> str:
    """Write one scan; the file is the same to the byte for the same scan and arguments. Returns its UID."""
    path = Path(path)
    rng = np.random.default_rng(derived_seed(uid_seed, subject, visit, scan.view, scan.kind, "us tags"))
    key = (uid_seed, subject, visit, study_date, scan.view, scan.kind)
    is_cine = len(scan.screen.colour) > 1
    storage = UltrasoundMultiFrameImageStorage if is_cine else UltrasoundImageStorage
    ds = begun(path, storage, uid_of("instance", *key))
    ds.StudyInstanceUID = uid_of("study", uid_seed, subject, visit, study_date, "us")
    ds.SeriesInstanceUID = uid_of("series", *key)
    patient_tags(ds, subject, study_date, uid_seed)
    ds.ClinicalTrialProtocolID, ds.ClinicalTrialSubjectID = protocol, subject
    ds.ClinicalTrialTimePointID = visit
    _study_tags(ds, scan, study_date, derived_seed(uid_seed, subject, visit, "us"))
    _name_tags(ds, scan, rng)
    _regions(ds, scan.screen)
    _pixels(ds, scan, rng)
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, enforce_file_format=True)
    return str(ds.SOPInstanceUID)


def _study_tags(ds: FileDataset, scan: Taken, study_date: str, seed: int) -> None:
    """Machine and time, the same for all scans of a visit."""
    rng = np.random.default_rng(seed)
    ds.Modality, ds.Manufacturer, ds.ManufacturerModelName = "US", scan.machine.maker, scan.machine.model
    ds.StationName = f"US{int(rng.integers(1, 6))}"
    ds.DeviceSerialNumber = str(int(rng.integers(10_000, 99_999)))
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = study_date
    ds.StudyTime = ds.ContentTime = f"{int(rng.integers(8, 17)):02d}{int(rng.integers(0, 60)):02d}00"
    ds.AccessionNumber = f"U{seed:010d}"
    ds.StudyID, ds.SeriesNumber, ds.InstanceNumber = "1", "1", str(1 + derived_seed(scan.view) % 900)
    ds.StudyDescription = "US hands and wrists"


def _name_tags(ds: FileDataset, scan: Taken, rng: np.random.Generator) -> None:
    """Joint, side and mode as people write them."""
    color = scan.mode == "PD"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "MSK", "0101" if color else "0001"]
    ds.UltrasoundColorDataPresent = int(color)
    ds.TransducerType, ds.TransducerFrequency = "LINEAR", round(scan.machine.frequency * 1000)
    ds.TransducerData = [f"L{scan.machine.frequency:.0f}", "", ""]
    if scan.kind != "good":
        ds.BodyPartExamined = "KNEE" if scan.kind == KNEE else "HAND"
        ds.SeriesDescription = {KNEE: "Knee suprapatellar long", WORKSHEET: "Worksheet"}.get(scan.kind, "US")
        ds.BurnedInAnnotation = "YES" if scan.kind == WORKSHEET else "NO"
        return
    ds.BurnedInAnnotation = "NO"
    style, kind, number = int(rng.integers(4)), scan.joint.rstrip("0123456789"), scan.joint[-1:]
    mode = str(rng.choice(["PD", "Power Doppler"])) if color else str(rng.choice(["B", "GS", "B-mode"]))
    wrist = kind == "WR"
    ds.BodyPartExamined = "WRIST" if wrist else "HAND" if style < 3 else "FINGER"
    if style == 0:
        ds.SeriesDescription = f"{'Wrist' if wrist else scan.joint} {scan.side} dorsal long {mode}"
        ds.Laterality = scan.side
    elif style == 1:
        name = "Handgelenk" if wrist else f"{kind} {number}"
        ds.SeriesDescription = f"{name} {'rechts' if scan.side == 'R' else 'links'} dorsal laengs {mode}"
    elif style == 2:
        side = "Right" if scan.side == "R" else "Left"
        ds.SeriesDescription = (
            f"{side} {'wrist' if wrist else f'{kind} {ROMAN[number]}'} longitudinal, {mode}"
        )
        ds.ImageLaterality = scan.side
    else:
        ds.SeriesDescription = f"Small joints {mode}"
        ds.ImageComments = f"{scan.side} {'wrist' if wrist else scan.joint}"
        ds.ProtocolName = f"{'WR' if wrist else scan.joint} dorsal"
        ds.Laterality = scan.side


def _regions(ds: FileDataset, screen: Screen) -> None:
    """Where on the screen the picture lies, and in it the colour; centimetres of a pixel."""
    boxes = [(screen.box, 1)] + ([] if screen.colour_box is None else [(screen.colour_box, 2)])
    found = []
    for (x0, y0, x1, y1), data_type in boxes:
        region = Dataset()
        region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, data_type, 2
        region.RegionLocationMinX0, region.RegionLocationMinY0 = x0, y0
        region.RegionLocationMaxX1, region.RegionLocationMaxY1 = x1 - 1, y1 - 1
        region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
        region.PhysicalDeltaY, region.PhysicalDeltaX = (one / 10 for one in screen.mm)
        region.ReferencePixelX0, region.ReferencePixelY0 = 0, 0
        found.append(region)
    ds.SequenceOfUltrasoundRegions = Sequence(found)


def _pixels(ds: FileDataset, scan: Taken, rng: np.random.Generator) -> None:
    """RGB without loss, or JPEG with its colours as YBR."""
    frames = scan.screen.colour
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
    ds.Rows, ds.Columns = frames.shape[1:3]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    ds.LossyImageCompression = "00"
    if len(frames) > 1:
        ds.NumberOfFrames, ds.FrameTime, ds.CineRate = len(frames), f"{FRAME_MS:g}", round(1000 / FRAME_MS)
        ds.FrameIncrementPointer = 0x00181063
    how = rng.random()
    if how < scan.machine.jpeg:
        _jpeg(ds, frames)
        return
    if how > 0.93 and len(frames) == 1:
        ds.PhotometricInterpretation = "YBR_FULL"
        frames = cv2.cvtColor(frames[0], cv2.COLOR_RGB2YCrCb)[None, ..., [0, 2, 1]]
    ds.PixelData = np.ascontiguousarray(frames).tobytes()
    ds["PixelData"].VR = "OB"
    if ds.PhotometricInterpretation == "RGB":
        ds.compress(RLELossless if how > 0.85 else JPEGLSLossless, generate_instance_uid=False)


def _jpeg(ds: FileDataset, frames: np.ndarray) -> None:
    options = [
        cv2.IMWRITE_JPEG_QUALITY, QUALITY,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    ]  # fmt: skip
    parts = [cv2.imencode(".jpg", frame[..., ::-1], options)[1].tobytes() for frame in frames]
    ds.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    ds.PhotometricInterpretation = "YBR_FULL_422"
    ds.LossyImageCompression, ds.LossyImageCompressionMethod = "01", "ISO_10918_1"
    ds.LossyImageCompressionRatio = f"{frames.nbytes / sum(map(len, parts)):.1f}"
    ds.PixelData = encapsulate(parts)
    ds["PixelData"].VR = "OB"
