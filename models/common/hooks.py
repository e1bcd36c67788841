"""What a layer of a network gives while the network runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def layer_outputs(layer: torch.nn.Module) -> Iterator[list[torch.Tensor]]:
    """The outputs of a layer, one for each time that its network runs meanwhile."""
    outputs: list[torch.Tensor] = []
    handle = layer.register_forward_hook(lambda module, given, output: outputs.append(output))
    try:
        yield outputs
    finally:
        handle.remove()
