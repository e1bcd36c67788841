"""Stacks of a folder of phantom MRI (``python -m data.phantom.mri``): DICOM files, masks, and its tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from core.domain import Image
from core.errors import InputError
from core.imaging.sequences import WHOLE
from core.imaging.stacks import stack_of
from data.phantom.mri.anatomy import BODY_LABEL

TABLES = ("series.csv", "slices.csv", "truth_sparcc.csv")
BY_VIEW = {"whole": WHOLE}  # other views are called as the regions are


@dataclass(frozen=True)
class StackFiles:
    """A fat-suppressed stack with its masks. view: ``cervical``, ``thoracic``, ``lumbar`` or ``whole``.

    called (frames,): which slices the simulated radiologist calls inflamed, in the order of their place.
    """

    folder: Path
    subject: str
    visit: str
    view: str
    masks: str
    called: tuple[bool, ...] = ()

    @property
    def name(self) -> str:
        """Patient, visit and view."""
        return f"{self.subject}_{self.visit}_{self.view}"

    @property
    def series(self) -> Path:
        """Folder of its DICOM files."""
        return self.folder / "mri" / self.subject / self.visit / f"{self.view}_STIR"

    def image(self) -> Image:
        """The stack, frames in the order of their place, as those of the masks."""
        found = image_of_series(self.series.glob("*.dcm"), self.name)
        return replace(found, region=BY_VIEW.get(self.view, self.view))

    def mask(self, name: str) -> np.ndarray:
        """``oedema`` or ``structures``, uint8 (frames, rows, columns)."""
        with np.load(self.folder / self.masks, allow_pickle=False) as kept:
            return np.asarray(kept[name])

    def bodies(self) -> np.ndarray:
        """Mask of vertebral bodies."""
        return np.isin(self.mask("structures"), list(BODY_LABEL.values()))


def image_of_series(paths: Iterable[Path], name: str) -> Image:
    """DICOM files of a series as one stack. Raises InputError where there are none or one is damaged."""
    images = [_image_of(path) for path in sorted(paths)]
    if not images:
        raise InputError(f"series {name}", "it has no DICOM files", "write the folder again")
    return stack_of(name, images)


def _image_of(path: Path) -> Image:
    from data.dicom.classify import classify
    from data.dicom.frame_geometry import geometry_of
    from data.dicom.mr.sequence import sequence_of
    from data.dicom.picture.spacing import spacing_of
    from data.dicom.pixel_values import to_picture
    from data.dicom.read import Refusal, decode_frames, read_dicom

    try:
        with path.open("rb") as stream:
            file = read_dicom(stream)
            pixels = to_picture(np.stack(list(decode_frames(file))), file.dataset, several=True).pixels
    except Refusal as refusal:
        raise InputError(
            str(path), f"a readable DICOM file is needed ({refusal})", "check the file"
        ) from refusal
    shown = classify(file.dataset)
    return Image(
        path.stem,
        pixels,
        spacing_of(file.dataset, shown.modality).mm,
        shown.modality,
        shown.body_part,
        shown.view,
        sequence=str(sequence_of(file.dataset)["value"]),
        **geometry_of(file.dataset, len(pixels)).fields(),
    )


def is_mri_folder(folder: Path) -> bool:
    """Whether it holds what ``data.phantom.mri`` writes."""
    return all((folder / name).is_file() for name in TABLES)


def stacks_in(folder: Path) -> list[StackFiles]:
    """The fat-suppressed stacks of a folder, in the order of its table. Raises InputError for another one."""
    if not is_mri_folder(folder):
        raise InputError(
            f"the folder {folder}",
            f"{', '.join(TABLES)} and masks are needed",
            "write one with: python -m data.phantom.mri FOLDER",
        )
    series = pd.read_csv(folder / "series.csv", dtype=str)
    slices = pd.read_csv(folder / "slices.csv", dtype={"subject": str, "visit": str, "view": str})
    keys = ["subject", "visit", "view"]
    called = {
        key: tuple(rows.sort_values("slice")["radiologist"].astype(bool))
        for key, rows in slices.groupby(keys, sort=False)
    }
    rows = series.loc[series["sequence"] == "STIR", [*keys, "masks"]].to_numpy(str)
    return [
        StackFiles(folder, subject, visit, view, masks, called[subject, visit, view])
        for subject, visit, view, masks in rows.tolist()
    ]
