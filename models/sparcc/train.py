"""How all that scores spinal MRI is trained: bodies and discs, marrow oedema, and its operating point.

``sharpline train sparcc --phantom N`` trains on phantom stacks alone. The shipped network of bodies and discs
has seen real volumes too: ``models.sparcc.anatomy.training``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.errors import InputError
from data.phantom.seeds import StudyRole
from models.sparcc.anatomy.segment import build_segmenter
from models.sparcc.anatomy.training import TRAINING as ANATOMY
from models.sparcc.anatomy.training import Material
from models.sparcc.oedema.finder import NAME as OEDEMA_NAME
from models.sparcc.oedema.finder import finder_of
from models.sparcc.oedema.operating import choose, see
from models.sparcc.oedema.region import ColumnFinder
from models.sparcc.oedema.training import TRAINING as OEDEMA
from models.sparcc.rendered import TO_TUNE_ON, Patients, Stack, rendered
from models.training.beside import Tell
from models.training.pipeline import Films, Training, TrainRequest

NOTE = (
    "bodies, discs and marrow oedema on sagittal STIR of the spine, trained on phantom stacks; research only"
)


@dataclass(frozen=True)
class Rendered:
    """Patients whose stacks lie, or will lie, in a folder."""

    patients: Patients
    folder: Path

    def stacks(self) -> list[Stack]:
        """The stacks, rendered where they do not lie there yet."""
        return list(rendered(self.patients, self.folder))

    def subjects(self) -> frozenset[str]:
        """Codes of the patients."""
        return frozenset(patient.subject for patient in self.patients.people())


def labelled(request: TrainRequest, tell: Tell) -> Films:
    """Nothing yet: no real stacks with drawn oedema are at hand. Raises InputError."""
    raise InputError(
        "--data",
        "sparcc is trained on phantom stacks",
        "give --phantom; for bodies and discs of real volumes: python -m models.sparcc.anatomy.training",
    )


def phantom(request: TrainRequest, tell: Tell) -> Films:
    """Stacks of rendered patients, and of a third as many others for tuning."""
    assert request.phantom is not None
    out = request.out / "stacks"
    training = Patients(request.phantom, request.first, seed=request.seed)
    tuning = replace(
        training, count=max(4, request.phantom // 3), role=StudyRole.TUNE, populations=TO_TUNE_ON, whole=0
    )
    parts = Rendered(training, out / "training"), Rendered(tuning, out / "tuning")
    for part in parts:
        tell(f"stacks of {part.patients.count} phantom patients in {part.folder}")
        part.stacks()
    return Films(*parts, parts[0].subjects(), parts[1].subjects(), is_phantom=True)


def plain_card(request: TrainRequest, films: Films) -> dict[str, Any]:
    """What the card begins with."""
    about = {"patients": sorted(films.trained_on), "tuning_patients": sorted(films.tuned_on)}
    return {"note": NOTE, "training": about | {"seed": request.seed}}


class OperatingPoint:
    """Where masks of oedema end and which count, chosen on tuning stacks around their bodies; on whole slices
    where the network of bodies is trained too little to find a row of them anywhere.
    """

    def __init__(self, card: dict[str, Any], films: Films, request: TrainRequest) -> None:
        self.networks: dict[str, Any] = card["networks"]
        finder = finder_of(card, request.size, request.out)
        segmenter = build_segmenter(request.size, request.out)
        stacks = films.tuning.stacks()
        self.seen = see(ColumnFinder(segmenter, finder), stacks) or see(finder, stacks)

    def tune(self) -> dict[str, Any]:
        """``networks`` with the point in it, and ``tuning``."""
        point, figures = choose(self.seen)
        networks = self.networks | {OEDEMA_NAME: self.networks[OEDEMA_NAME] | point.as_card()}
        return {"networks": networks, "tuning": {OEDEMA_NAME: figures}}

    def paired(self) -> dict[str, Any]:
        """Nothing: visits are read one by one."""
        return {}


TRAINING = Training(
    networks=(
        replace(ANATOMY, samples=lambda films, seed: ANATOMY.samples(Material(stacks=films.stacks()), seed)),
        replace(OEDEMA, samples=lambda films, seed: OEDEMA.samples(films.stacks(), seed)),
    ),
    labelled=labelled,
    phantom=phantom,
    card=plain_card,
    tuner=OperatingPoint,
    tuned=("tuning",),
    options=dict.fromkeys(("epochs", "learning-rate", "init"), ("anatomy", "oedema")),
)
