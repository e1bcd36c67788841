"""Weights on disk: safetensors beside a JSON card that carries their check sums. Nothing pickled is loaded.

A card has the same entries for every system (schema 2):

- ``schema``, ``system``, ``size``: what it is the card of. ``note``: in words. ``read_mode``: ``single``.
- ``networks``: name -> ``file``, ``sha256``, ``bytes``, ``parameters``, and what the system needs to use the
  network (``classes``, ``mm_per_pixel``) or says of its training (``films``, ``seconds``, ``recipe``).
- ``training``: what the networks learned from: ``films``, ``patients`` and ``tuning_patients`` or
  ``test_patients`` (codes), ``seed``, ``recipe``, ``fold``, ``start`` (the card from which a fold began).
- ``tuning``: the films on which settings and grading were tuned. ``settings``: limits of the scorer.
  ``grading``: from what the networks see to grades.
- ``paired``: scale -> prior of paired reading (:class:`models.paired.posterior.Prior`); absent where the
  model reads single images only.
- ``evaluation``: name of a test set -> summary of its figures.

``networks`` alone must be there: a card is written part by part. A card of version 0.1.0 is read as one of
today.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ModelError

if TYPE_CHECKING:
    import torch

FOLDER = Path(__file__).with_name("weights")
SCHEMA = 2
ENTRIES: dict[str, type] = {
    "schema": int, "system": str, "size": str, "note": str, "read_mode": str, "networks": dict,
    "training": dict, "tuning": dict, "settings": dict, "grading": dict, "paired": dict, "evaluation": dict,
}  # fmt: skip
NAMES_NOW = {"kinds": "components", "trust": "tempering", "emphasis": "class_weight"}  # by those of 0.1.0
PRIOR_ENTRIES = ("frequency", "components", "weights", "tempering", "class_weight", "change")
TRAINING_OF_FIRST_SCHEMA = ("recipe", "seed", "start", "measured")  # stood at the top


def sha256(path: Path) -> str:
    """The file's SHA-256 as hexadecimal text."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def card_path(system: str, size: str, folder: Path = FOLDER) -> Path:
    """Where the card of a model lies: ``<folder>/<system>-<size>.json``."""
    return folder / f"{system}-{size}.json"


def read_card(system: str, size: str, folder: Path = FOLDER) -> dict[str, Any]:
    """The model's card. Raises ModelError where it is absent, no JSON or no card of this model."""
    path = card_path(system, size, folder)
    if not path.is_file():
        raise ModelError(
            f"no weights of {system} in size {size} at {path}",
            "a card and its weight files are needed",
            f"use --size demo, or run: sharpline train {system} --size {size} --data DIR --out {folder}",
        )
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(
            f"the card {path} cannot be read ({error})",
            "a JSON card is needed",
            "restore the file or train again",
        ) from error
    if isinstance(card, dict) and "schema" not in card:
        card = _migrated(card, system)
    return _checked(card, system, size, path)


def _migrated(card: dict[str, Any], system: str) -> dict[str, Any]:
    """A card of version 0.1.0, which had no schema, with today's entries."""
    old = dict(card)
    new: dict[str, Any] = {"schema": SCHEMA, "read_mode": "single"}
    training = _training(old.pop("data", {})) | old.get("training", {})
    training |= {name: old.pop(name) for name in TRAINING_OF_FIRST_SCHEMA if name in old}
    if start := training.get("start"):
        data = _training(start.get("data", {}))
        training["start"] = data | {name: value for name, value in start.items() if name != "data"}
    if training:
        new["training"] = training
    if classes := old.pop("classes", None):
        named = training.get("start", old)["networks"]
        old["networks"] = {
            name: about | ({"classes": classes} if name in named else {})
            for name, about in old["networks"].items()
        }
    if grading := old.pop("grading", None):
        new["grading"] = {NAMES_NOW.get(name, name): value for name, value in grading.items()}
        if "tuning" in grading:
            new["tuning"] = new["grading"].pop("tuning")
    if together := old.pop("together", None):
        new["paired"] = _migrated_priors(together, system)
    return old | new


def _training(data: dict[str, Any]) -> dict[str, Any]:
    """The entry ``data`` of the first schema as today's: codes of patients rather than their number."""
    kept = {name: value for name, value in data.items() if name not in ("patients", "training_patients")}
    return kept | ({"patients": data["training_patients"]} if "training_patients" in data else {})


def _migrated_priors(together: dict[str, Any], system: str) -> dict[str, Any]:
    """Scale -> prior; a prior that stood alone is that of the one feature of the system."""
    if "frequency" in together:
        from core.scores import get

        together = {get(system).sites[0].feature: together}
    return {
        scale: {NAMES_NOW.get(name, name): value for name, value in prior.items()}
        for scale, prior in together.items()
    }


def _checked(card: Any, system: str, size: str, path: Path) -> dict[str, Any]:
    """The card, its entries in their order. Raises ModelError where it is none of this system and size."""
    if wrong := _fault(card, system, size):
        raise ModelError(
            f"the card {path} cannot be used: {wrong}",
            f"a card of {system} in size {size} with the entries of schema {SCHEMA} is needed "
            f"({', '.join(ENTRIES)})",
            "restore the file or train again; a card of a newer version needs that version of Sharpline",
        )
    return {name: card[name] for name in ENTRIES if name in card}


def _fault(card: Any, system: str, size: str) -> str:
    """What is wrong with a card, ``""`` where nothing is."""
    if not isinstance(card, dict):
        return "it is no JSON object"
    if card.get("schema") != SCHEMA:
        return f"its schema is {card.get('schema')}"
    for name, value in card.items():
        if name not in ENTRIES:
            return f"it has an unknown entry {name!r}"
        if not isinstance(value, ENTRIES[name]):
            return f"its entry {name!r} is {type(value).__name__}, not {ENTRIES[name].__name__}"
    for name, stated in (("system", system), ("size", size)):
        if card.get(name, stated) != stated:
            return f"its entry {name!r} is {card[name]}"
    if "networks" not in card:
        return "it has no entry 'networks'"
    for name, about in card["networks"].items():
        if not isinstance(about, dict) or not isinstance(about.get("sha256"), str):
            return f"its entry 'networks' has no 'sha256' of {name!r}"
    for scale, prior in card.get("paired", {}).items():
        if lacking := [name for name in PRIOR_ENTRIES if name not in prior]:
            return f"its entry 'paired' has no {lacking[0]!r} of {scale!r}"
    return ""


def weights_hash(card: dict[str, Any]) -> str:
    """One hash for all networks of a card, the name under which a run files its weights."""
    joined = "".join(card["networks"][name]["sha256"] for name in sorted(card["networks"]))
    return hashlib.sha256(joined.encode()).hexdigest()


def load_into(network: torch.nn.Module, card: dict[str, Any], name: str, folder: Path = FOLDER) -> None:
    """Put the weights of the card's network ``name`` into ``network``.

    Raises ModelError where the file is absent, differs from the card's check sum or does not fit the network.
    """
    from safetensors.torch import load_file

    about = card["networks"][name]
    path = folder / about["file"]
    if not path.is_file():
        raise ModelError(
            f"no weights at {path}", "the file that the card names is needed", "restore it or train again"
        )
    if (found := sha256(path)) != about["sha256"]:
        raise ModelError(
            f"{path} has the check sum {found[:12]}",
            f"its card says {about['sha256'][:12]}: the file is damaged or of another training",
            "restore the file or train again",
        )
    try:
        network.load_state_dict(load_file(path))
    except (RuntimeError, ValueError, KeyError) as error:
        first = str(error).splitlines()[0]
        raise ModelError(
            f"{path} does not fit the network ({first})",
            "weights of this definition and size are needed",
            "train again",
        ) from error


def save(network: torch.nn.Module, path: Path, precision: torch.dtype | None = None) -> dict[str, Any]:
    """Write the network's weights as safetensors; returns the card's entry (file, SHA-256, bytes,
    parameters). precision: of the numbers in the file, as they are unless given.
    """
    from safetensors.torch import save_file

    def kept(value: torch.Tensor) -> torch.Tensor:
        rounded = value.to(precision) if precision is not None and value.is_floating_point() else value
        return rounded.contiguous().cpu()

    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: kept(value) for name, value in network.state_dict().items()}, path)
    return {
        "file": path.name,
        "sha256": sha256(path),
        "bytes": path.stat().st_size,
        "parameters": sum(p.numel() for p in network.parameters()),
    }


def write_card(card: dict[str, Any], system: str, size: str, folder: Path) -> Path:
    """Write a card beside its weights. Raises ModelError where it has entries that no card has."""
    path = card_path(system, size, folder)
    card = _checked({"schema": SCHEMA, "system": system, "size": size} | card, system, size, path)
    text = json.dumps(card, indent=1, ensure_ascii=False)
    flat = re.sub(
        r"\[[^\[\]{}]*\]", lambda found: re.sub(r"\s+", " ", found.group()), text
    )  # lists on one line
    path.write_text(flat + "\n", encoding="utf-8")
    return path
