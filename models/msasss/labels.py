"""Labelled films for training: COCO or YOLO folders as CVAT and Label Studio write them.

A box is drawn around a corner, its class is the grade (normal, erosion, syndesmophyte, ankylosis, or 0 to 3).
Which corner it is comes from the annotation's attribute ``site`` (COCO), or, where a film carries all twelve
boxes of its region, from their order down the spine. Nothing is redrawn: the centre of a box is its corner.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import yaml  # type: ignore[import-untyped]

from core.domain import Image
from core.errors import InputError
from models.common.coco import grey_pixels, is_coco, read_coco
from models.msasss.sites import GRADE_NAMES, REGIONS, SITES, UNIT_OF_SITE

CLASS_WORDS = {
    "normal": 0, "healthy": 0, "erosion": 1, "sclerosis": 1, "squaring": 1, "syndesmophyte": 2,
    "ankylosis": 3, "bridge": 3, "bridging": 3, "fusion": 3, "0": 0, "1": 1, "2": 2, "3": 3,
}  # fmt: skip
IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")


@dataclass(frozen=True)
class Corner:
    """One labelled corner: centre and size of its box in pixels of the film, grade 0 to 3, whether it is
    seen.
    """

    site: str
    x: float
    y: float
    width: float
    height: float
    grade: int
    visible: bool = True


@dataclass(frozen=True)
class LabelledFilm:
    """A film with its corners; no corners means that nothing on it is to be found.

    spacing_mm: (row, column). patient: never on both sides of a split. visit, kind: where the labels state
    them.
    """

    name: str
    patient: str
    region: str
    spacing_mm: tuple[float, float]
    corners: tuple[Corner, ...] = ()
    path: Path | None = None
    visit: str = ""
    kind: str = ""
    hides_spacing: bool = False
    pixels: np.ndarray | None = field(default=None, repr=False, compare=False)

    def as_film(self) -> Image:
        """The film as a scorer gets it."""
        return Image(self.name, self.load(), None if self.hides_spacing else self.spacing_mm)

    def load(self) -> np.ndarray:
        """Grey pixels (rows, columns), bone bright. Raises InputError where the file cannot be read as
        grey.
        """
        if self.pixels is not None:
            return self.pixels
        if self.path is None:
            raise InputError(f"film {self.name}", "pixels or a path are needed", "give one of them")
        if self.path.suffix.lower() in IMAGE_ENDINGS:
            return grey_pixels(self.path)
        return _read_dicom(self.path)[0]


def grade_of_class(name: str) -> int:
    """Grade 0 to 3 of a class name. Raises InputError for a name that is none."""
    for word in re.split(r"[^a-z0-9]+", name.strip().lower()):
        if word in CLASS_WORDS:
            return CLASS_WORDS[word]
        for known, grade in CLASS_WORDS.items():
            if len(known) > 3 and word.startswith(known[:7]):
                return grade
    raise InputError(
        f"class {name!r}",
        f"classes are {', '.join(GRADE_NAMES)} or 0 to 3",
        "rename it in the labelling tool",
    )


def read_folder(folder: Path) -> list[LabelledFilm]:
    """The labelled films of a COCO or a YOLO folder. Raises InputError where it is neither or has no film."""
    if not folder.is_dir():
        raise InputError(str(folder), "a folder of labelled films is needed", "give its path with --data")
    coco = [path for path in sorted(folder.rglob("*.json")) if is_coco(path)]
    films = [film for path in coco for film in _read_coco(path, folder)] or list(_read_yolo(folder))
    if not films:
        raise InputError(
            str(folder),
            "COCO (a .json with images and annotations) or YOLO (images/ and labels/) is needed",
            "export the labels in one of these layouts",
        )
    return films


def _read_coco(path: Path, folder: Path) -> Iterator[LabelledFilm]:
    content = read_coco(path)
    grades = {number: grade_of_class(str(name)) for number, name in content.names.items()}
    for image, found in content.films():
        boxes = [
            (grades[row["category_id"]], *_centre(row["bbox"]), row.get("attributes", {})) for row in found
        ]
        yield _film(image["file_name"], content.file_of(image, folder), boxes, image)


def _centre(bbox: list[float]) -> tuple[float, float, float, float]:
    x, y, width, height = bbox
    return x + width / 2, y + height / 2, width, height


def _read_yolo(folder: Path) -> Iterator[LabelledFilm]:
    grades = [grade_of_class(name) for name in _yolo_names(folder)]
    for label in sorted(folder.rglob("labels/**/*.txt")):
        stem = re.sub(r"(^|/)labels/", r"\1images/", label.with_suffix("").as_posix())
        images = [Path(stem + ending) for ending in (*IMAGE_ENDINGS, ".dcm") if Path(stem + ending).is_file()]
        if not images:
            raise InputError(
                str(label), "an image of the same name under images/ is needed", "export images too"
            )
        film = LabelledFilm(images[0].name, "", "", (1.0, 1.0), path=images[0])
        rows, columns = film.load().shape[:2]
        boxes: list[tuple] = []
        for line in label.read_text(encoding="utf-8").splitlines():
            if line.strip():
                number, x, y, width, height = (float(word) for word in line.split()[:5])
                boxes.append((grades[int(number)], x * columns, y * rows, width * columns, height * rows, {}))
        yield _film(images[0].name, images[0], boxes, {})


def _yolo_names(folder: Path) -> list[str]:
    for path in sorted(folder.glob("*.y*ml")):
        names = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("names")
        if names:
            return [str(name) for name in (names.values() if isinstance(names, dict) else names)]
    for path in sorted(folder.glob("*.txt")):
        if path.name in ("classes.txt", "obj.names"):
            return path.read_text(encoding="utf-8").split()
    return list(GRADE_NAMES)


def _film(name: str, path: Path, boxes: list[tuple], about: dict) -> LabelledFilm:
    """The film with its corners named. Patient, region and spacing come from the image entry or its name."""
    region = str(about.get("view") or about.get("region") or _region_in(name) or "")
    patient = str(about.get("patient") or about.get("subject") or re.split(r"[_\-. ]", Path(name).name)[0])
    spacing = about.get("spacing_mm") or _spacing_of(path)
    sites = _sites(name, region, boxes)
    region = region or (_region_of_site(sites[0]) if sites else "")
    corners = tuple(
        Corner(site, x, y, width, height, grade, bool(extra.get("visible", True)))
        for site, (grade, x, y, width, height, extra) in zip(sites, boxes, strict=True)
    )
    where = (float(spacing[0]), float(spacing[1]))
    return LabelledFilm(
        name,
        patient,
        region,
        where,
        corners,
        path,
        visit=str(about.get("visit", "")),
        kind=str(about.get("kind", "")),
        hides_spacing="shown_spacing_mm" in about and about["shown_spacing_mm"] is None,
    )


def _region_in(name: str) -> str:
    return next((region for region in REGIONS if region[:4] in name.lower()), "")


def _region_of_site(site: str) -> str:
    return next(region for region in REGIONS if site in SITES[region])


def _sites(name: str, region: str, boxes: list[tuple]) -> list[str]:
    given = [str(box[5].get("site", "")) for box in boxes]
    if all(site in UNIT_OF_SITE for site in given):
        return given
    if region in REGIONS and len(boxes) == len(SITES[region]):
        order = np.argsort([box[2] for box in boxes], kind="stable")
        named = [""] * len(boxes)
        for site, index in zip(SITES[region], order, strict=True):
            named[int(index)] = site
        return named
    raise InputError(
        f"{name} with {len(boxes)} boxes",
        "a site for each box, or all 12 boxes of a film named cervical or lumbar",
        "add the attribute site (C2I .. S1S) in the labelling tool",
    )


def _spacing_of(path: Path) -> tuple[float, float]:
    if path.suffix.lower() in IMAGE_ENDINGS:
        raise InputError(
            path.name,
            "millimetres per pixel are needed for a picture file",
            "add spacing_mm to its COCO image entry",
        )
    spacing = stated_spacing(path)
    if spacing is None:
        raise InputError(
            path.name, "the file states no pixel spacing", "add spacing_mm to its COCO image entry"
        )
    return spacing


def _read_dicom(path: Path) -> tuple[np.ndarray, tuple[float, float] | None]:
    """Grey pixels, bone bright, and the (row, column) spacing, by the rule that import goes by."""
    from data.dicom.picture.spacing import spacing_of
    from data.dicom.pixel_values import to_picture
    from data.dicom.read import Refusal, decode_frames, read_dicom

    try:
        with path.open("rb") as stream:
            file = read_dicom(stream)
            pixels = to_picture(next(decode_frames(file)), file.dataset).pixels
    except Refusal as refusal:
        raise InputError(str(path), f"a readable film is needed ({refusal})", "check the file") from refusal
    return (pixels if pixels.ndim == 2 else pixels.mean(axis=2)), spacing_of(file.dataset).mm


def stated_spacing(path: Path) -> tuple[float, float] | None:
    """(row, column) millimetres of the patient a pixel, as a DICOM file states them, or None."""
    return _read_dicom(path)[1]
