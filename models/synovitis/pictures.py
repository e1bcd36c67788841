"""Pictures to train and test on, with what is true of them: of phantom patients, or of a labelled folder."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from core.domain import Image
from core.errors import InputError
from core.scores.synovitis import JOINTS
from data.phantom.seeds import StudyRole, StudySeed
from models.synovitis.folds import Person, people
from models.synovitis.networks import PIXELS
from models.synovitis.predictions import ABOUT
from models.synovitis.tasks import DISEASES

TABLE = "cases.csv"
MODES = {"B": "GS", "PD": "PD"}  # mode of a picture -> what is graded on it
FIELDS = ("file", *(name for name in ABOUT if name != "image"))


@dataclass(frozen=True)
class Material:
    """pictures: uint8 (n, size, size, 3). about: one row each, with the columns ``predictions.ABOUT``."""

    pictures: np.ndarray
    about: pd.DataFrame

    def __len__(self) -> int:
        return len(self.about)

    def of(self, patients: Collection[str]) -> Material:
        """The pictures of these patients."""
        kept = self.about["patient"].isin(list(patients)).to_numpy()
        return Material(self.pictures[kept], self.about[kept].reset_index(drop=True))

    def people(self) -> list[Person]:
        """The patients, with their disease and devices."""
        return people(self.about[["patient", "disease", "device"]].itertuples(index=False, name=None))


class Source(Protocol):
    """Where pictures come from; handed to other processes."""

    def material(self) -> Material:
        """The pictures, made where they are not there yet."""
        ...


@dataclass(frozen=True)
class Drawn:
    """Phantom patients from number ``first``, one visit each, kept in a folder patient by patient."""

    count: int
    folder: Path
    first: int = 1
    seed: int = 0
    role: StudyRole = StudyRole.TRAIN
    domain: str = "first"

    def material(self) -> Material:
        """The pictures, drawn where they do not lie in the folder yet; read once."""
        return _drawn(self)

    def of(self, number: int) -> Material:
        """The pictures of one patient."""
        from data.phantom.ultrasound.cases import cases_of_patient

        study = StudySeed(self.role, self.seed)
        path = self.folder / f"{study.subject(number)}_{self.seed}_{self.domain}.npz"
        if path.is_file():
            return _kept(path)
        cases = cases_of_patient(study, self.domain, number)
        rows = [
            (
                one.image.image, one.subject, one.visit, one.disease, one.device, one.image.laterality,
                one.image.joint, one.image.mode, one.pd if one.image.mode == "PD" else one.gs,
            )
            for one in cases
        ]  # fmt: skip
        _keep(as_material((one.image for one in cases), rows), path)
        return _kept(path)


@lru_cache(maxsize=2)
def _drawn(who: Drawn) -> Material:
    return joined([who.of(number) for number in range(who.first, who.first + who.count)])


def as_material(images: Iterable[Image], rows: Sequence[tuple[Any, ...]]) -> Material:
    """Images, of a cine the middle frame, as networks see them. rows: of each in the order of ``ABOUT``."""
    from core.imaging.ultrasound import for_network

    pictures = [for_network(image, len(image.frames) // 2, PIXELS) for image in images]
    return Material(
        np.stack(pictures) if pictures else np.zeros((0, PIXELS, PIXELS, 3), np.uint8),
        pd.DataFrame(rows, columns=list(ABOUT)),
    )


def joined(parts: Sequence[Material]) -> Material:
    """All pictures of some materials."""
    return Material(
        np.concatenate([part.pictures for part in parts]),
        pd.concat([part.about for part in parts], ignore_index=True),
    )


def _keep(material: Material, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = {name: material.about[name].astype(str).to_numpy(str) for name in ABOUT}
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, allow_pickle=False, pictures=material.pictures, **texts)
    partial.replace(path)


def _kept(path: Path) -> Material:
    with np.load(path, allow_pickle=False) as stored:
        about = pd.DataFrame({name: stored[name].tolist() for name in ABOUT})
        return Material(stored["pictures"], about.astype({"grade": int}))


@dataclass(frozen=True)
class Folder:
    """A folder of exported pictures (PNG, JPEG, BMP) with a table ``cases.csv``: file, patient, visit,
    disease, device, side, joint, mode (B or PD), grade.
    """

    folder: Path

    def material(self) -> Material:
        """The pictures of the table. Raises InputError where it is absent or a row cannot be used."""
        rows = list(self.rows())
        images = (self.picture(row) for row in rows)
        return as_material(images, [tuple(row[name] for name in ("file", *ABOUT[1:])) for row in rows])

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows of the table. Raises InputError at one that cannot be used."""
        path = self.folder / TABLE
        if not path.is_file():
            raise InputError(
                str(path), f"a table of {', '.join(FIELDS)} is needed", "write it beside the pictures"
            )
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        if missing := [name for name in FIELDS if name not in table.columns]:
            raise InputError(str(path), f"it has no column {missing[0]}", f"give {', '.join(FIELDS)}")
        for number, row in enumerate(table.to_dict("records"), 2):
            if wrong := _fault(row, self.folder):
                raise InputError(f"{path}, row {number}", wrong, "mend or remove the row")
            yield {str(name): value for name, value in row.items()} | {"grade": int(row["grade"])}

    def picture(self, row: dict[str, Any]) -> Image:
        """The image of a row. Raises InputError where its file is no picture."""
        return _picture(self.folder / row["file"], row)


def _fault(row: dict[Any, str], folder: Path) -> str:
    """What is wrong with a row, ``""`` where nothing is."""
    allowed = {
        "disease": DISEASES, "side": ("R", "L"), "joint": tuple(JOINTS), "mode": tuple(MODES),
        "grade": ("0", "1", "2", "3"),
    }  # fmt: skip
    for name, values in allowed.items():
        if row[name] not in values:
            return f"{name} is {row[name]!r}, not one of {', '.join(values)}"
    if not row["patient"]:
        return "it names no patient"
    return "" if (folder / row["file"]).is_file() else f"there is no file {row['file']}"


def _picture(path: Path, row: dict[str, Any]) -> Image:
    import cv2

    found = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if found is None:
        raise InputError(str(path), "it is no picture that can be read", "export it again as PNG")
    return Image(
        path.name,
        np.asarray(cv2.cvtColor(found, cv2.COLOR_BGR2GRAY)),
        modality="US",
        laterality=row["side"],
        colour=np.asarray(cv2.cvtColor(found, cv2.COLOR_BGR2RGB)),
        joint=row["joint"],
        mode=row["mode"],
        device=row["device"],
    )
