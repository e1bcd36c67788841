"""The models known by system name. A new system adds its module to ``MODULES``, or comes as a package of its
own with an entry point of the group ``sharpline.models`` that names its ``SystemModel``.
"""

from __future__ import annotations

from functools import cache

from core.errors import InputError
from core.plugins import installed
from core.scores import get
from data.queries.report import OwnImages
from models.system import Explanations, SystemModel, named

MODULES = (
    "models.msasss.system:MODEL",
    "models.mtss.system:MODEL",
    "models.sparcc.system:MODEL",
    "models.synovitis.system:MODEL",
)
GROUP = "sharpline.models"


@cache
def models() -> dict[str, SystemModel]:
    """System name -> its model, in the order of ``MODULES``, then of other packages."""
    known: dict[str, SystemModel] = {}
    ours: list[tuple[str, SystemModel]] = [(path, named(path)) for path in MODULES]
    for whose, model in (*ours, *installed(GROUP, SystemModel)):
        if model.system in known:
            raise InputError(
                f"a second model of {model.system} ({whose})", "a system has one model", "uninstall it"
            )
        known[model.system] = model
    return known


def model_of(system: str) -> SystemModel:
    """The model of a system, by its name or another name of it. Raises InputError where there is none."""
    known = models()
    system = next((name for name in known if system in get(name).aliases), system)
    if system not in known:
        raise InputError(
            f"system {system}", f"a model exists for {', '.join(known)}", "name one of these systems"
        )
    return known[system]


def explained() -> list[str]:
    """Systems whose model explains its findings."""
    return [name for name, model in models().items() if model.explanations is not None]


def explanations_of(system: str) -> Explanations:
    """How a system's findings are explained, by its name. Raises InputError where they are not."""
    model = models().get(system)
    if model is None or model.explanations is None:
        can = f"findings of {', '.join(explained())} can be explained"
        raise InputError(f"system {system}", can, "name one of these")
    return model.explanations


def foreign_body_parts(model: SystemModel) -> tuple[str, ...]:
    """Body parts whose images are another model's: what all others of its kind are registered with, less its
    own. Models of films, of stacks and of scans are three kinds, as none is offered what another reads.

    An image of unknown body part, or of one that no model reads, is foreign to none: all look, and say why
    not.
    """
    others = [
        part
        for other in models().values()
        if other.system != model.system and other.reads == model.reads
        for part in other.body_parts
    ]
    return tuple(part for part in dict.fromkeys(others) if part not in model.body_parts)


def own_images(system: str) -> OwnImages | None:
    """The images that a score is read from, by any of its names; None where no model reads it."""
    model = models().get(get(system).name)
    return None if model is None else OwnImages(model.reads, foreign_body_parts(model))
