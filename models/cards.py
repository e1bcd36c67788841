"""Weights on disk: safetensors beside a JSON card that carries their check sums. Nothing pickled is
loaded.
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


def sha256(path: Path) -> str:
    """The file's SHA-256 as hexadecimal text."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def card_path(system: str, size: str, folder: Path = FOLDER) -> Path:
    """Where the card of a model lies: ``<folder>/<system>-<size>.json``."""
    return folder / f"{system}-{size}.json"


def read_card(system: str, size: str, folder: Path = FOLDER) -> dict[str, Any]:
    """The model's card. Raises ModelError where it is absent or not JSON."""
    path = card_path(system, size, folder)
    if not path.is_file():
        raise ModelError(
            f"no weights of {system} in size {size} at {path}",
            "a card and its weight files are needed",
            f"use --size demo, or run: sharpline train {system} --size {size} --data DIR --out {folder}",
        )
    try:
        card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        card["networks"].items()
    except (ValueError, KeyError, AttributeError) as error:
        raise ModelError(
            f"the card {path} cannot be read ({error})",
            "a JSON card is needed",
            "restore the file or train again",
        ) from error
    return card


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


def save(network: torch.nn.Module, path: Path) -> dict[str, Any]:
    """Write the network's weights as safetensors; returns the card's entry (file, SHA-256, bytes,
    parameters).
    """
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous().cpu() for name, value in network.state_dict().items()}, path)
    return {
        "file": path.name,
        "sha256": sha256(path),
        "bytes": path.stat().st_size,
        "parameters": sum(p.numel() for p in network.parameters()),
    }


def write_card(card: dict[str, Any], system: str, size: str, folder: Path) -> Path:
    """Write a card beside its weights."""
    path = card_path(system, size, folder)
    text = json.dumps(card, indent=1, ensure_ascii=False)
    flat = re.sub(
        r"\[[^\[\]{}]*\]", lambda found: re.sub(r"\s+", " ", found.group()), text
    )  # lists on one line
    path.write_text(flat + "\n", encoding="utf-8")
    return path
