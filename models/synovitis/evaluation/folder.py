"""A labelled folder as a test set: exported pictures with the table that training takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from core.domain import Image
from models.evaluation.test_set import TestImage, TestSet, is_real
from models.synovitis.pictures import Folder

FEATURE = {"B": "GS", "PD": "PD"}


@dataclass(frozen=True)
class Picture:
    """A picture of a labelled folder."""

    folder: Path
    row: tuple[tuple[str, str], ...]

    @property
    def about(self) -> dict[str, str]:
        return dict(self.row)

    @property
    def disease(self) -> str:
        return self.about["disease"]

    @property
    def device(self) -> str:
        return self.about["device"]

    @property
    def site(self) -> str:
        """What is graded on it, such as ``R.MCP2.GS``."""
        about = self.about
        return f"{about['side']}.{about['joint']}.{FEATURE[about['mode']]}"

    def as_film(self) -> Image:
        """The image of the file."""
        return Folder(self.folder).picture(self.about)


def read_folder(folder: Path) -> TestSet:
    """Pictures with their grades as truth. Several pictures of a joint, mode and visit are one site: the
    truth is the highest of their grades, as what is told of the joint is.
    """
    rows = Folder(folder).rows()
    images, grades = [], []
    for row in rows:
        label = Picture(folder, tuple((str(name), str(value)) for name, value in row.items()))
        images.append(TestImage(label, str(row["file"]), str(row["patient"]), str(row["visit"])))
        grades.append((row["patient"], row["visit"], label.site, int(row["grade"])))
    truth = pd.DataFrame(grades, columns=["subject", "visit", "site", "grade"])
    truth = truth.groupby(["subject", "visit", "site"], sort=False)["grade"].max().reset_index()
    return TestSet(folder.name, images, truth, pd.DataFrame(), real=is_real(folder))
