"""Write a rendered film as the DICOM file that a hospital or an imaging site would send.

Files carry a made-up patient name and id, free text and dates: de-identification has something to take out.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)

from data.phantom.generators import of_view
from data.phantom.seeds import derived_seed

_FAMILY = ("MUSTER", "BEISPIEL", "PROBE", "TEST", "MODELL", "SCHEMA", "FIGUR", "VORLAGE")
_GIVEN = ("ALEX", "KIM", "ROBIN", "SASCHA", "TONI", "CHRIS", "NIKA", "JULE")
_DEVICES = (
    ("Phantomworks", "Raster DR 1", "DX"),
    ("Nordlicht Imaging", "CR Plate 35", "CR"),
    ("Phantomworks", "Raster DR 2", "DX"),
    ("Suedbild", "Flat 43 Edge", "DX"),
    ("Altmark", "CR 975 Soft", "CR"),
)


class Film(Protocol):
    """What a rendered film has, whatever it shows.

    pixels: uint16, shape (rows, columns), bone bright. shown_spacing_mm: between rows and columns, None where
    the file is not to say. conditions: device, exposure and more, as ``spine.conditions.Conditions``.
    """

    @property
    def pixels(self) -> np.ndarray: ...
    @property
    def view(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def photometric(self) -> str: ...
    @property
    def shown_spacing_mm(self) -> tuple[float, float] | None: ...
    @property
    def conditions(self) -> Any: ...


def begun(path: Path, storage: str, instance: str) -> FileDataset:
    """A data set of a class and instance, with its file meta header; written without compression."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = storage
    meta.MediaStorageSOPInstanceUID = instance
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = uid_of("implementation")
    meta.ImplementationVersionName = "SHARPLINE"
    ds = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID, ds.SOPInstanceUID = storage, meta.MediaStorageSOPInstanceUID
    return ds


def write_dicom(
    film: Film,
    path: str | Path,
    *,
    subject: str,
    visit: str,
    study_date: str = "20250115",
    uid_seed: int = 0,
    protocol: str = "SHARPLINE-PHANTOM",
) -> Path:
    """Write one film; the file is the same to the byte for the same film and arguments.

    study_date: YYYYMMDD. uid_seed: study seed; UIDs follow from it with subject, visit, date and view.
    Body part, view and side are written by the generator of the film's view.
    """
    path, generator = Path(path), of_view(film.view)
    rng = np.random.default_rng(derived_seed(uid_seed, subject, visit, film.view, film.kind, "tags"))
    maker, model, modality = _DEVICES[film.conditions.device]
    key = (uid_seed, subject, visit, study_date, film.view, film.kind, film.conditions.draw)
    storage = DigitalXRayImageStorageForPresentation if modality == "DX" else ComputedRadiographyImageStorage
    ds = begun(path, storage, uid_of("instance", *key))
    ds.StudyInstanceUID = uid_of("study", uid_seed, subject, visit, study_date)
    ds.SeriesInstanceUID = uid_of("series", *key)
    ds.FrameOfReferenceUID = uid_of("frame", *key)
    ds.Modality, ds.Manufacturer, ds.ManufacturerModelName = modality, maker, model
    ds.StationName = f"RAD{int(rng.integers(1, 6))}"
    ds.DeviceSerialNumber = str(int(rng.integers(10_000, 99_999)))
    patient_tags(ds, subject, study_date, uid_seed)
    ds.ClinicalTrialProtocolID, ds.ClinicalTrialSubjectID = protocol, subject
    ds.ClinicalTrialTimePointID = visit
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = study_date
    hour = f"{int(rng.integers(8, 17)):02d}{int(rng.integers(0, 60)):02d}{int(rng.integers(0, 60)):02d}"
    ds.StudyTime = ds.ContentTime = hour
    ds.AccessionNumber = f"A{derived_seed(uid_seed, subject, visit):010d}"
    ds.StudyID, ds.SeriesNumber, ds.InstanceNumber = "1", "1", "1" if film.view == generator.views[0] else "2"
    if generator.dicom_tags is not None:
        generator.dicom_tags(ds, film, rng)
    _exposure_tags(ds, film)
    _pixels(ds, film, rng)
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, enforce_file_format=True)
    return path


def uid_of(*parts: object) -> str:
    """A UID under the root for UUID-derived ones, from a hash of the parts."""
    number = 0
    for i in range(4):
        number = number << 32 | derived_seed("uid", i, *parts)
    return f"2.25.{number}"


def patient_tags(ds, subject: str, study_date: str, uid_seed: int) -> None:
    """Hospital, name, number, birth date and more of a made-up person, the same for all of their images."""
    person = np.random.default_rng(derived_seed(uid_seed, subject, "person"))
    ds.InstitutionName = f"Phantom Hospital {int(person.integers(1, 30)):02d}"
    ds.ReferringPhysicianName = "PHANTOM^DOCTOR"
    ds.PatientName = f"{person.choice(_FAMILY)}^{person.choice(_GIVEN)}"
    ds.PatientID = f"PH{int(person.integers(1_000_000, 9_999_999))}"
    born = dt.date(1955, 1, 1) + dt.timedelta(days=int(person.integers(0, 15_000)))
    ds.PatientBirthDate = born.strftime("%Y%m%d")
    ds.PatientSex = str(person.choice(["M", "F"], p=[0.65, 0.35]))
    taken = dt.datetime.strptime(study_date, "%Y%m%d").date()
    ds.PatientAge = f"{(taken - born).days // 365:03d}Y"
    ds.PatientAddress = "1 Phantom Street"
    ds.PatientComments = f"phantom patient {subject}, not a person"


def _exposure_tags(ds, film: Film) -> None:
    c = film.conditions
    ds.KVP = f"{c.kilovolt:.1f}"
    ds.DistanceSourceToDetector = f"{c.source_distance:.0f}"
    ds.EstimatedRadiographicMagnificationFactor = f"{c.magnification:.2f}"
    ds.ExposureInuAs = str(int(20_000 * c.exposure))
    ds.BurnedInAnnotation = "NO"


def _pixels(ds, film: Film, rng) -> None:
    c = film.conditions
    stored, bits = film.pixels, getattr(c, "bits", 12)
    highest = 2**bits - 1
    inverted = film.photometric == "MONOCHROME1"
    if inverted:
        stored = (highest - stored).astype(np.uint16)
    ds.PhotometricInterpretation, ds.SamplesPerPixel = film.photometric, 1
    ds.Rows, ds.Columns = stored.shape
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, bits, bits - 1, 0
    ds.PresentationLUTShape = "INVERSE" if inverted else "IDENTITY"
    ds.PixelIntensityRelationship, ds.PixelIntensityRelationshipSign = "LOG", 1
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "0", "1", "US"
    ds.LossyImageCompression = "00"
    ds.ImageType = ["DERIVED", "PRIMARY"]
    if film.shown_spacing_mm is not None:
        spacing = [f"{value:.4g}" for value in film.shown_spacing_mm]
        ds.ImagerPixelSpacing = spacing
        if c.show_spacing == "both":
            ds.PixelSpacing = spacing
    low, high = np.quantile(stored[::7, ::7], [0.02, 0.995])
    style = rng.random()
    if style < 0.5:
        ds.WindowCenter, ds.WindowWidth = str(2 ** (bits - 1)), str(2**bits)
    elif style < 0.8:
        ds.WindowCenter, ds.WindowWidth = f"{(low + high) / 2:.0f}", f"{max(high - low, 1):.0f}"
    elif style < 0.9:
        middle, width = (low + high) / 2, max(high - low, 1)
        ds.WindowCenter = [f"{middle:.0f}", f"{middle + 150:.0f}"]
        ds.WindowWidth = [f"{width:.0f}", f"{width * 0.7:.0f}"]
        ds.WindowCenterWidthExplanation = ["NORMAL", "HARDER"]
    ds.PixelData = np.ascontiguousarray(stored).tobytes()
    ds["PixelData"].VR = "OW"
    how = rng.random()
    if how < 0.85:
        ds.compress(JPEGLSLossless, generate_instance_uid=False)
    elif how < 0.95:
        ds.compress(RLELossless, generate_instance_uid=False)
