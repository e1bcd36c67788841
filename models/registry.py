"""What a scoring model offers: films in, findings or an abstention out; and the models known by system
name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, runtime_checkable

from core.domain import Abstained, Image, Scored, ScoredTogether
from core.errors import InputError
from core.reader_labels import MODEL_PAIRED
from core.scores import get


@runtime_checkable
class Scorer(Protocol):
    """Reads films one by one: its reads carry the read mode ``single``."""

    reader: str
    weights_hash: str

    def score(self, films: Sequence[Image]) -> list[Scored | Abstained]:
        """One result per film, in the order given."""
        ...


@runtime_checkable
class TogetherReader(Protocol):
    """Reads all films of a patient together, from what the same model saw on each of them alone."""

    def read(self, films: Sequence[Scored | Abstained]) -> ScoredTogether:
        """Results in the order given; which film came first is neither told nor used."""
        ...


@dataclass(frozen=True)
class Paired:
    """How a model reads a patient's films together, and how these reads are filed.

    factory: ``module:function`` of a size that gives a ``TogetherReader``. identity: ``module:function`` of a
    size, quick to import, that gives a hash of how it reads, None where this size reads single films only.
    """

    factory: str
    identity: str
    campaign: str = MODEL_PAIRED

    def build(self, size: str) -> TogetherReader:
        """The reader. Raises ModelError where the weights are absent."""
        made: TogetherReader = _named(self.factory)(size)
        return made

    def identify(self, size: str) -> str | None:
        """The hash of how this size reads films together, None where it does not."""
        found: str | None = _named(self.identity)(size)
        return found


@dataclass(frozen=True)
class ModelEntry:
    """Where the scorer of a system is built, and how its reads are filed.

    factory: ``module:function``, called with ``size``, ``device`` and ``threads``; imported when it is used,
    because torch takes seconds to import. identity: ``module:function`` of a size, quick to import, that
    gives the name of the reader and the hash of the weights. paired: its second way to read, None where it
    has only one. body_parts: what its own films are filed under at ingest; it is not offered a film of a body
    part that is another model's and not its own.
    """

    system: str
    factory: str
    campaign: str
    read_mode: str
    identity: str
    paired: Paired | None = None
    body_parts: tuple[str, ...] = ()

    def build(self, *, size: str = "demo", device: str = "cpu", threads: int = 0) -> Scorer:
        """The scorer with its weights. Raises ModelError where they are absent or damaged."""
        make: Callable[..., Scorer] = _named(self.factory)
        return make(size=size, device=device, threads=threads)

    def identify(self, size: str) -> tuple[str, str]:
        """Reader and weights hash of a size. Raises ModelError where there are no weights."""
        found: tuple[str, str] = _named(self.identity)(size)
        return found


def _named(path: str) -> Callable[..., Any]:
    module, _, name = path.partition(":")
    function: Callable[..., Any] = getattr(import_module(module), name)
    return function


REGISTRY: dict[str, ModelEntry] = {
    "msasss": ModelEntry(
        system="msasss",
        factory="models.msasss.scorer:build",
        campaign="model-single",
        read_mode="single",
        identity="models.msasss.identity:identity",
        paired=Paired("models.msasss.paired:build_together", "models.msasss.paired:identity"),
        body_parts=("cervical spine", "thoracic spine", "lumbar spine", "spine", "neck", "abdomen"),
    ),
    "mtss": ModelEntry(
        system="mtss",
        factory="models.mtss.scorer:build",
        campaign="model-single",
        read_mode="single",
        identity="models.mtss.identity:identity",
        paired=Paired("models.mtss.paired:build_together", "models.mtss.paired:identity"),
        body_parts=("hand", "wrist", "foot"),
    ),
}


def foreign_body_parts(model: ModelEntry) -> tuple[str, ...]:
    """Body parts whose films are another model's: what all others are registered with, less its own.

    A film of unknown body part, or of one that no model reads, is foreign to none: all look, and say why not.
    """
    others = [
        part for other in REGISTRY.values() if other.system != model.system for part in other.body_parts
    ]
    return tuple(part for part in dict.fromkeys(others) if part not in model.body_parts)


def entry(system: str) -> ModelEntry:
    """The model of a system, by its name or another name of it. Raises InputError where there is none."""
    system = next((name for name in REGISTRY if system in get(name).aliases), system)
    if system not in REGISTRY:
        raise InputError(
            f"system {system}", f"a model exists for {', '.join(REGISTRY)}", "name one of these with --system"
        )
    return REGISTRY[system]
