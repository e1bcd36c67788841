"""Detection networks of ultralytics: built from our YAML files, quiet, without network, settings or
downloads.

Only the layers, the graph reader and the loss are used; the training loop, the pre-processing and the
decoding are ours (docs/decisions), so neither fonts nor weights are ever asked for.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch  # before ultralytics, which otherwise sets thread counts of its own
import yaml  # type: ignore[import-untyped]

SIZES = ("demo", "full")


def _quiet_import() -> Any:
    """ultralytics' graph module, imported offline, with analytics off whatever the user's settings say."""
    os.environ["YOLO_OFFLINE"] = "1"
    os.environ["YOLO_AUTOINSTALL"] = "false"
    os.environ["YOLO_VERBOSE"] = "false"
    os.environ.setdefault("YOLO_CONFIG_DIR", str(Path(tempfile.gettempdir()) / "sharpline-ultralytics"))
    Path(os.environ["YOLO_CONFIG_DIR"]).mkdir(parents=True, exist_ok=True)
    threads = torch.get_num_threads()
    from ultralytics.nn import tasks
    from ultralytics.nn.modules import SpatialAttention
    from ultralytics.utils import checks, events

    events.events.enabled = False
    checks.check_font = lambda font="": None
    tasks.SpatialAttention = SpatialAttention  # the YAML reader looks names up among its own globals
    torch.set_num_threads(threads)
    return tasks


_tasks = _quiet_import()


def build_network(definition: Path, size: str, classes: int) -> torch.nn.Module:
    """The network of a YAML file in one of its sizes, for grey input, with random weights.

    Input (batch, 1, rows, columns), both multiples of the largest stride. In training mode it returns the raw
    dictionary (``boxes``, ``scores``, ``feats``), in evaluation mode (decoded, raw); see :func:`decode`.
    """
    graph = yaml.safe_load(definition.read_text(encoding="utf-8"))
    graph["scale"], graph["nc"] = size, classes
    network: torch.nn.Module = _tasks.DetectionModel(graph, ch=1, nc=classes, verbose=False)
    for module in network.modules():  # ultralytics' own defaults for training from scratch
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eps, module.momentum = 1e-3, 0.03
    return network


def detection_loss(network: torch.nn.Module, *, box: float = 7.5, cls: float = 0.5, dfl: float = 1.5) -> Any:
    """ultralytics' v8 detection loss: task-aligned assignment, CIoU, distribution focal loss, cross-entropy.

    The result is called with (raw output, batch of ``batch_idx``, ``cls``, ``bboxes`` in cxcywh of [0, 1]).
    """
    from ultralytics.utils.loss import v8DetectionLoss

    network.args = SimpleNamespace(box=box, cls=cls, dfl=dfl)  # type: ignore[assignment]
    return v8DetectionLoss(network)


def decode(network: torch.nn.Module, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes and class logits for every anchor.

    pixels: (batch, 1, rows, columns) in [0, 1]. Returns boxes (batch, anchors, 4) as cxcywh in input pixels
    and logits (batch, anchors, classes).
    """
    decoded, raw = network(pixels)
    return decoded[:, :4].transpose(1, 2), raw["scores"].transpose(1, 2)
