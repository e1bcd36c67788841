"""Weights that a network begins from: those of ImageNet from a file that the user names, never fetched."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from core.errors import InputError

HEAD = "fc."
NEED = "weights of torchvision's ResNet18 are needed (safetensors, or a state dict saved by torch)"


def begin_from(network: torch.nn.Module, path: Path) -> None:
    """Put all weights of a file but those of the last layer into a network.

    Nothing pickled but tensors is read. Raises InputError where the file is absent, cannot be read or does
    not fit.
    """
    found = _read(path)
    own = network.state_dict()
    for name, value in own.items():
        if name.startswith(HEAD) or name.endswith("num_batches_tracked"):
            continue
        if name not in found:
            raise InputError(str(path), f"it has no {name}; {NEED}", "name another file")
        if found[name].shape != value.shape:
            raise InputError(
                str(path), _sizes(name, found[name], value), "name weights of this size of network"
            )
        own[name] = found[name].to(value.dtype)
    network.load_state_dict(own)


def _sizes(name: str, found: torch.Tensor, needed: torch.Tensor) -> str:
    own, other = ("x".join(map(str, one.shape)) for one in (needed, found))
    wider = "; ImageNet weights fit --size full alone" if len(found) > len(needed) else ""
    return f"its {name} is {other}, where the network has {own}{wider}"


def _read(path: Path) -> dict[str, torch.Tensor]:
    if not path.is_file():
        raise InputError(str(path), f"there is no such file; {NEED}", "download it yourself and name it")
    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, RuntimeError, OSError, ValueError, EOFError) as error:
        raise InputError(
            str(path), f"it cannot be read ({_line(error)}); {NEED}", "name another file"
        ) from error
    except pickle.UnpicklingError as error:
        raise InputError(str(path), f"it holds more than tensors; {NEED}", "name another file") from error
    if not isinstance(found, dict) or not all(torch.is_tensor(value) for value in found.values()):
        raise InputError(str(path), f"it is no state dict; {NEED}", "name another file")
    return found


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
