"""Findings for other systems: a DICOM structured report (TID 1500) and a segmentation of one film or stack.

Both refer to the stored, de-identified film, carry only what it carries, and are the same to the byte for
the same findings: UIDs follow from run and film, times are those of the run. The report holds grade,
probabilities and box or outline of every site; the segmentation the same boxes or outlines, a segment a site.

Of a stack every finding names its slice. A point that rests on no pixels of its own (no oedema, so none that
is intense) has its slice and no outline. Only what was found becomes a segment: items are hundreds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pydicom
from pydicom.dataset import Dataset

from core import scores
from core.domain import Viewer
from core.errors import InputError
from core.scores.system import ScoreSystem
from data.dicom.codes import (
    SCHEME,
    SCHEME_NAME,
    anatomy,
    feature_code,
    grade_code,
    label,
    laterality,
    own,
    site_code,
)
from data.dicom.images import stored_film
from data.dicom.read import quiet
from data.queries.findings import of_images
from data.store.cohort import CohortStore
from data.study.source import data_set_of

MAKER = "Sharpline"
EMPTY = (  # must be there, may be empty (type 2)
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ReferringPhysicianName",
)
NOTE = "research only, not a medical device"
CONFIDENCE = "confidence"
PROBABILITY = "probability"


@dataclass(frozen=True)
class Written:
    """The files of one film or stack, or why there are none. image: of a stack, its first slice."""

    image: str
    files: tuple[Path, ...] = ()
    findings: int = 0
    left_out: str = ""


def write_findings(
    store: CohortStore, viewer: Viewer, images: str | Sequence[str], system: str, out: Path, *,
    read_mode: str = "",
) -> Written:  # fmt: skip
    """Writes ``<image>-sr.dcm`` and ``<image>-seg.dcm`` of the newest run into an existing folder.

    images: a film, or the slices of one stack. Both files name the open data set that it is from, and its
    terms, where there is one.
    """
    images = [images] if isinstance(images, str) else list(images)
    image = images[0]
    rows = of_images(store, viewer, images, system, read_mode=read_mode)
    if rows.empty:
        return Written(image, left_out="no model has read it")
    seen = rows[rows["site"].notna()]
    if seen.empty:
        return Written(image, left_out=f"the model abstained: {rows['abstained'].iloc[0]}")
    with quiet():
        read = [one for one in images if one in set(seen["image"])]
        sources = {one: _complete(pydicom.dcmread(stored_film(store, one))) for one in read}
        report = structured_report(sources, seen, scores.get(system))
        files = [(out / f"{image[:16]}-sr.dcm", report)]
        if len(drawn := _with_segments(seen, scores.get(system))):
            files.append((out / f"{image[:16]}-seg.dcm", segmentation(sources, drawn, scores.get(system))))
        for path, dataset in files:
            _dated(dataset, rows.iloc[0])
            _name_source(dataset, data_set_of(store.meta()))
            dataset.save_as(path, enforce_file_format=True)
    return Written(image, tuple(path for path, _ in files), len(seen))


def _with_segments(seen: pd.DataFrame, system: ScoreSystem) -> pd.DataFrame:
    """The findings that become segments: with a box or outline, of stacks only those of what was found."""
    drawn = seen[seen["geometry"].map(lambda shape: _outline(shape) is not None)]
    return drawn[drawn["grade"] > 0] if system.of_stacks else drawn


Sources = Mapping[str, Dataset]  # image -> header of its file


def structured_report(sources: Sources, rows: pd.DataFrame, system: ScoreSystem) -> Dataset:
    """One measurement group (TID 1410 or 1501 in TID 1500) a finding. rows: of ``data.queries.findings``."""
    from highdicom import sr
    from pydicom.sr.codedict import codes

    about = rows.iloc[0]
    observer = sr.ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=sr.DeviceObserverIdentifyingAttributes(
            uid=uid("observer", about["reader"], about["weights_hash"]),
            name=str(about["reader"]),
            manufacturer_name=MAKER,
            model_name=f"weights {str(about['weights_hash'])[:16]}",
        ),
    )
    content = sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=observer),
        procedure_reported=_procedure(system),
        imaging_measurements=[_group(row, sources[row["image"]], system) for row in rows.to_dict("records")],
        title=codes.DCM.ImagingMeasurementReport,
        referenced_images=[
            source
            for source in sources.values()
            if {"PatientOrientation", "ImagerPixelSpacing"} <= set(source.dir())
        ]
        or None,
    )
    return sr.ComprehensiveSR(
        evidence=list(sources.values()),
        content=content[0],
        series_instance_uid=uid("sr series", about["run"], about["image"]),
        series_number=9001,
        sop_instance_uid=uid("sr", about["run"], about["image"]),
        instance_number=1,
        manufacturer=MAKER,
        is_complete=True,
        is_final=False,
        series_description=f"{system.title} findings, {NOTE}",
        **_made(about),
    )


def _procedure(system: ScoreSystem) -> Any:
    if system.of_stacks:
        return own("stack", "stack of slices scored by a model")
    return own("radiograph", "radiograph scored by a model")


def _group(row: dict[Any, Any], source: Dataset, system: ScoreSystem) -> Any:
    """One site: where, what grade, how probable."""
    from highdicom import sr
    from pydicom.sr.codedict import codes

    measurements = [
        sr.Measurement(own(CONFIDENCE, "confidence that the site is at its box"), row["confidence"], _one())
    ]
    measurements += [
        sr.Measurement(own(f"{PROBABILITY}.{grade}", f"probability of grade {grade}"), float(p), _one())
        for grade, p in enumerate(row["grade_probabilities"])
    ]
    evaluation = sr.QualitativeEvaluation(
        feature_code(row["feature"], system), grade_code(row["feature"], int(row["grade"]), system)
    )
    group, where = _where(row, source, system)
    return group(
        **where,
        tracking_identifier=sr.TrackingIdentifier(
            uid=_tracked(row, system), identifier=label(row["site"], row["feature"], system)
        ),
        finding_type=feature_code(row["feature"], system),
        method=own(system.name, system.long_name),
        algorithm_id=sr.AlgorithmIdentification(
            name=str(row["reader"]),
            version=str(row["weights_hash"])[:16],
            parameters=[f"run {row['run']}", f"read mode {row['read_mode']}", str(row["software"]), NOTE],
            family=codes.cid7162.ArtificialIntelligence,
            manufacturer=MAKER,
        ),
        finding_sites=[
            sr.FindingSite(
                anatomy(row["site"], system),
                laterality=laterality(row["site"], system),
                topographical_modifier=site_code(row["site"], system),
            )
        ],
        measurements=measurements,
        qualitative_evaluations=[evaluation],
    )


def _where(row: dict[Any, Any], source: Dataset, system: ScoreSystem) -> tuple[Any, dict[str, Any]]:
    """The kind of measurement group of a finding, and its outline on its image, or its slice alone."""
    from highdicom import sr

    outline = _outline(row["geometry"])
    of = (source.SOPClassUID, source.SOPInstanceUID, _frames_of(row, source))
    if outline is not None:
        region = sr.ImageRegion(
            graphic_type=sr.GraphicTypeValues.POLYLINE,
            graphic_data=np.concatenate([outline, outline[:1]]),
            source_image=sr.SourceImageForRegion(*of),
        )
        return sr.PlanarROIMeasurementsAndQualitativeEvaluations, {"referenced_region": region}
    if not system.of_stacks:
        raise InputError(
            f"site {row['site']} of film {row['image'][:12]}",
            "a box or an outline is needed for a report",
            "score it again",
        )
    return sr.MeasurementsAndQualitativeEvaluations, {
        "source_images": [sr.SourceImageForMeasurementGroup(*of)]
    }


def _frames_of(row: dict[Any, Any], source: Dataset) -> list[int] | None:
    """The frame of a finding, from 1, in a file of several frames."""
    if int(source.get("NumberOfFrames", 1) or 1) == 1:
        return None
    return [_frame(row) + 1]


def _frame(row: dict[Any, Any]) -> int:
    """The frame of a finding within its image."""
    return int(json.loads(row["geometry"]).get("frame", 0)) if isinstance(row["geometry"], str) else 0


def segmentation(sources: Sources, rows: pd.DataFrame, system: ScoreSystem) -> Dataset:
    """One binary segment a finding, on the pixels of its film or slice; segments may overlap.

    It states no spacing of its own: that of a projection is true on the detector only, and stands in the
    film's header.
    """
    from highdicom import seg

    shown = rows.to_dict("records")
    sources = {image: source for image, source in sources.items() if image in set(rows["image"])}
    masks = _masks(sources, shown)
    about = rows.iloc[0]
    made = seg.Segmentation(
        source_images=[_flat(source) for source in sources.values()],
        pixel_array=masks,
        segmentation_type=seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[_segment(number, row, system) for number, row in enumerate(shown, start=1)],
        series_instance_uid=uid("seg series", about["run"], about["image"]),
        series_number=9002,
        sop_instance_uid=uid("seg", about["run"], about["image"]),
        instance_number=1,
        manufacturer=MAKER,
        manufacturer_model_name=str(about["reader"]),
        software_versions=str(about["software"]),
        device_serial_number=str(about["weights_hash"])[:16],
        content_label="FINDINGS",
        content_description=f"{system.title} sites, {NOTE}"[:64],
        series_description=f"{system.title} sites, {NOTE}",
        **_made(about),
    )
    organization = uid("dimensions", about["run"], about["image"])
    for item in (*made.DimensionOrganizationSequence, *made.DimensionIndexSequence):
        item.DimensionOrganizationUID = organization
    for shared in made.SharedFunctionalGroupsSequence:
        if "PixelMeasuresSequence" in shared and "SliceThickness" not in shared.PixelMeasuresSequence[0]:
            del (
                shared.PixelMeasuresSequence
            )  # without a thickness, which a projection lacks, none can read it
    return made


def _masks(sources: Sources, shown: list[dict[Any, Any]]) -> np.ndarray:
    """(frames, rows, columns, findings): of a file of several frames all of them, else the files in turn."""
    first = next(iter(sources.values()))
    frames = int(first.get("NumberOfFrames", 1) or 1)
    shape = (int(first.Rows), int(first.Columns))
    places = {image: place for place, image in enumerate(sources)}
    masks = np.zeros((frames if len(sources) == 1 else len(sources), *shape, len(shown)), bool)
    for number, row in enumerate(shown):
        at = _frame(row) if frames > 1 else places[row["image"]]
        masks[at, ..., number] = _filled(_outline(row["geometry"]), shape)
    return masks


def _segment(number: int, row: dict[Any, Any], system: ScoreSystem) -> Any:
    from highdicom import seg
    from highdicom.content import AlgorithmIdentificationSequence
    from pydicom.sr.codedict import codes

    return seg.SegmentDescription(
        segment_number=number,
        segment_label=label(row["site"], row["feature"], system),
        segmented_property_category=codes.SCT.AnatomicalStructure,
        segmented_property_type=grade_code(row["feature"], int(row["grade"]), system),
        algorithm_type=seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=AlgorithmIdentificationSequence(
            name=str(row["reader"]),
            family=codes.cid7162.ArtificialIntelligence,
            version=str(row["weights_hash"])[:16],
            source=MAKER,
        ),
        tracking_uid=_tracked(row, system),
        tracking_id=label(row["site"], row["feature"], system),
        anatomic_regions=[anatomy(row["site"], system)],
    )


def _tracked(row: dict[Any, Any], system: ScoreSystem) -> str:
    """The UID of one finding, the same in report and segmentation."""
    return uid("site", row["run"], row["image"], label(row["site"], row["feature"], system))


def uid(*parts: object) -> str:
    """A UID under the root for UUID-derived ones (2.25), the same for the same parts."""
    text = "\x1f".join(str(part) for part in parts)
    return f"2.25.{int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], 'big')}"


def _one() -> Any:
    from pydicom.sr.codedict import codes

    return codes.UCUM.NoUnits


def _made(about: pd.Series) -> dict[str, Any]:
    """What both objects say of their making: the run's time, and the scheme of our codes."""
    from highdicom.coding_schemes import CodingSchemeIdentificationItem

    made = pd.Timestamp(about["happened_at"])
    day, time = made.strftime("%Y%m%d"), made.strftime("%H%M%S")
    scheme = CodingSchemeIdentificationItem(designator=SCHEME, name=SCHEME_NAME)
    return {
        "content_date": day,
        "content_time": time,
        "series_date": day,
        "series_time": time,
        "coding_schemes": [scheme],
    }


def _dated(dataset: Dataset, about: pd.Series) -> None:
    """The run's time wherever the library put the present one."""
    made = pd.Timestamp(about["happened_at"])
    dataset.InstanceCreationDate, dataset.InstanceCreationTime = (
        made.strftime("%Y%m%d"),
        made.strftime("%H%M%S"),
    )
    for item in dataset.get("ContributingEquipmentSequence", []):
        if "ContributionDateTime" in item:
            item.ContributionDateTime = made.strftime("%Y%m%d%H%M%S")


def _name_source(dataset: Dataset, data_set: dict[str, str] | None) -> None:
    """The open data set among what contributed to the object (PS3.3, C.12.1.5)."""
    if data_set is None:
        return
    from highdicom.sr import CodedConcept

    item = Dataset()
    item.PurposeOfReferenceCodeSequence = [CodedConcept.from_code(own("film-source", "data set of the film"))]
    item.Manufacturer = data_set["title"][:64]
    item.ContributionDescription = data_set["notice"][:1024]
    dataset.ContributingEquipmentSequence = [*dataset.get("ContributingEquipmentSequence", []), item]


def _outline(geometry: Any) -> np.ndarray | None:
    """Corners (n, 2) of a box or polygon, x and y in pixels of the film from its upper left edge, as SCOORD
    counts them; None where there is neither."""
    shape = json.loads(geometry) if isinstance(geometry, str) and geometry else {}
    if "polygon" in shape:
        return np.array(shape["polygon"], dtype=float)
    if "box" in shape:
        x0, y0, x1, y1 = (float(edge) for edge in shape["box"])
        return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    return None


def _filled(outline: np.ndarray | None, shape: tuple[int, int]) -> np.ndarray:
    """Boolean mask of the pixels whose centres lie inside an outline."""
    assert outline is not None
    low = np.clip(np.floor(outline.min(axis=0)).astype(int), 0, [shape[1], shape[0]])
    high = np.clip(np.ceil(outline.max(axis=0)).astype(int), 0, [shape[1], shape[0]])
    y, x = np.ogrid[low[1] : high[1], low[0] : high[0]]
    x, y = x + 0.5, y + 0.5
    inside = np.zeros(np.broadcast_shapes(x.shape, y.shape), dtype=bool)
    for (x0, y0), (x1, y1) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        crosses = (y > min(y0, y1)) & (y <= max(y0, y1))
        inside ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    mask = np.zeros(shape, dtype=bool)
    mask[low[1] : high[1], low[0] : high[0]] = inside
    return mask


def _complete(source: Dataset) -> Dataset:
    """The film's header with what a DICOM object must at least name, empty where the film does not know."""
    for keyword in EMPTY:
        if keyword not in source:
            setattr(source, keyword, "")
    return source


def _flat(source: Dataset) -> Dataset:
    """The film without its frame of reference, which means nothing on a projection without a position."""
    flat = Dataset(source)
    if "ImagePositionPatient" not in flat and "FrameOfReferenceUID" in flat:
        del flat.FrameOfReferenceUID
    return flat
