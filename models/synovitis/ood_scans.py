"""Phantom scans to fit the check of unknown images on (``python -m models.ood.fit --system synovitis``)."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from data.phantom.seeds import StudyRole
from models.ood.fit import CheckedImage
from models.synovitis.networks import folded, load
from models.synovitis.pictures import Drawn
from models.synovitis.tasks import GRADE
from models.synovitis.unlike import features_of


class Source:
    """Scans of phantom patients as the check sees them. films: a folder of pictures drawn already."""

    def __init__(self, size: str, films: Sequence[Path] = ()) -> None:
        self.classifier = folded(load(GRADE, size))
        self.folder = films[0] if films else Path(tempfile.gettempdir()) / "sharpline-scans"

    def patient(self, role: str, number: int, domain: str) -> list[CheckedImage]:
        """The scans of one patient; what is graded is all of them."""
        drawn = Drawn(1, self.folder, number, role=StudyRole(role), domain=domain).material()
        _, pooled = self.classifier.predict_and_pool(drawn.pictures)
        rows = zip(drawn.about["patient"], drawn.about["mode"], strict=True)
        return [
            CheckedImage(patient, mode, True, features)
            for (patient, mode), features in zip(rows, features_of(drawn.pictures, pooled), strict=True)
        ]
