"""What the model of a scoring system declares, in ``models/<system>/system.py``, and nothing else has to
know.

Whatever a declaration names as text is ``module:name`` and imported only when it is used: torch takes
seconds to import, and the app never does. A system module itself imports no network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol, runtime_checkable

from core.domain import Abstained, Image, Scored
from core.imaging.sequences import Needs
from data.scoring.filing import FILMS, SCANS, STACKS
from data.scoring.scans import ScanOffers
from data.scoring.stacks import StackOffers
from data.scoring.together import Offers
from models import cards
from models.paired.reader import Paired


@runtime_checkable
class Scorer(Protocol):
    """Reads films one by one, or the stacks or scans of a visit together: its reads have the read mode
    ``single``.
    """

    reader: str
    weights_hash: str

    def score(self, images: Sequence[Image], /) -> list[Scored | Abstained]:
        """One result per image, in the order given. Of stacks and scans, all that can be read of one visit
        are given; a unit of stacks is then graded on one of them only.
        """
        ...


@dataclass(frozen=True)
class Method:
    """How the heat map of a network is made.

    layer: number or name in the network's definition. weighting: a name in ``models.explain.cam``.
    contrast: the score is what speaks for the grade rather than for grade 0 (for grade 0: than for grade 1).
    """

    layer: int | str
    weighting: str = "Grad-CAM"
    contrast: bool = False

    @property
    def name(self) -> str:
        """As it is stored with a verdict: ``HiResCAM, layer 4, against grade 0``."""
        layer = f"layer {self.layer}" if isinstance(self.layer, int) else self.layer
        return f"{self.weighting}, {layer}" + (", against grade 0" if self.contrast else "")


@dataclass(frozen=True)
class Explanations:
    """How a system's findings are explained, and how its heat maps are tested.

    explainer: (image, row of the stored finding, size) -> ``models.explain.explanation.Explanation``.
    methods: name of a map -> its method. candidates: name -> the methods it was chosen among. tests: module
    with ``tools(size)`` and ``cases_of_patient`` -> the networks of the card that it tests.
    """

    explainer: str
    methods: Mapping[str, Method]
    candidates: Mapping[str, tuple[Method, ...]] = field(default_factory=dict)
    tests: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def explain(self, image: Image, stored: Any, size: str) -> Any:
        """The explanation of a stored finding."""
        return named(self.explainer)(image, stored, size)


@dataclass(frozen=True)
class SystemModel:
    """The model of one scoring system.

    system: name of its ``ScoreSystem``. body_parts: what its own images are filed under at import; it is not
    offered an image of a body part that is another model's and not its own. networks: their names in the
    card. scorer: called with ``size``, ``device`` and ``threads``. training: a
    ``models.training.pipeline.Training``. evaluation: a ``models.evaluation.run.Evaluation``. evaluations: of
    parts of the model, by names of their own. paired: its
    second way to read, None where it has only one. unknown_images: a class of
    ``models.ood.fit.Source``, made with a size. control_images: module with ``control(patients)``
    and ``wrong(patients)``, the phantom images of the abstention table. What is None a system does not offer,
    and a command says so. identity: of a size, quick to import, gives reader and weights hash of a model
    whose weights have no card here. stacks: what its images must be where they are stacks; films are then not
    its own, as slices are not of a model that reads films. scans: it reads ultrasound scans, and nothing
    else. diagnoses: question that it answers beside its scores -> the group of diseases whose chance is told,
    and the one it is told from.
    """

    system: str
    body_parts: tuple[str, ...]
    networks: tuple[str, ...]
    scorer: str
    training: str | None = None
    evaluation: str | None = None
    evaluations: Mapping[str, str] = field(default_factory=dict)
    paired: Paired | None = None
    unknown_images: str | None = None
    control_images: str | None = None
    explanations: Explanations | None = None
    campaign: str = "model-single"
    read_mode: str = "single"
    identity: str | None = None
    stacks: Needs | None = None
    scans: bool = False
    diagnoses: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def reads(self) -> str:
        """``FILMS``, ``STACKS`` or ``SCANS`` (``data.scoring.filing``)."""
        return STACKS if self.stacks is not None else SCANS if self.scans else FILMS

    @property
    def offers(self) -> Offers | None:
        """What it is offered of a cohort where it reads whole visits; None where it reads film by film."""
        if self.stacks is not None:
            return StackOffers(self.stacks)
        return ScanOffers() if self.scans else None

    def build(self, *, size: str = "demo", device: str = "cpu", threads: int = 0) -> Scorer:
        """The scorer with its weights. Raises ModelError where they are absent or damaged."""
        make: Callable[..., Scorer] = named(self.scorer)
        return make(size=size, device=device, threads=threads)

    def reader(self, size: str) -> str:
        """The model's name as a reader, ``model:<system>-<size>``."""
        return reader_name(self.system, size)

    def identify(self, size: str) -> tuple[str, str]:
        """Reader and weights hash of a size. Raises ModelError where there are no weights."""
        if self.identity is not None:
            found: tuple[str, str] = named(self.identity)(size)
            return found
        return self.reader(size), cards.weights_hash(cards.read_card(self.system, size))


def reader_name(system: str, size: str) -> str:
    """``model:<system>-demo`` or ``model:<system>-full``."""
    return f"model:{system}-{size}"


def named(path: str) -> Any:
    """What ``module:name`` names."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
