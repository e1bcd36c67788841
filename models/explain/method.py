"""Which layer and which weighting make the map of a network, and which explainer a system has: fixed, and
changed only together with a new test of the maps.

They were chosen on tuning patients among the layers that carry a network's last features, by
``python -m models.explain.report --compare`` (docs/decisions/explain.md).

A new system brings its explainer by one line in ``EXPLAINERS`` and its networks by one in ``METHODS``. For an
attention U-Net the layer is the gate whose output is wanted (its coefficients are a map by themselves: a
weighting of their own beside those of ``cam``), the target the summed logits of the region that was found.
For a ResNet18 the layer is its last block and the target the class score; neither needs another file here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Method:
    """layer: number or name in the network's definition. weighting: a name in ``cam``. contrast: the score is
    what speaks for the grade rather than for grade 0 (for grade 0: rather than for grade 1)."""

    layer: int | str
    weighting: str = "Grad-CAM"
    contrast: bool = False

    @property
    def name(self) -> str:
        layer = f"layer {self.layer}" if isinstance(self.layer, int) else self.layer
        return f"{self.weighting}, {layer}" + (", against grade 0" if self.contrast else "")


METHODS: dict[str, dict[str, Method]] = {
    "msasss": {"grader": Method(4, "HiResCAM", contrast=True), "finder": Method(17, "HiResCAM")},
    "mtss": {
        "ankylosis, Conv7": Method("Conv7"),
        "ankylosis, Conv9-2": Method("Conv9-2"),
        "luxation, Conv7": Method("Conv7"),
        "luxation, Conv9-2": Method("Conv9-2"),
        "grader": Method(16, "HiResCAM", contrast=True),
    },
}
CANDIDATES: dict[str, dict[str, tuple[Method, ...]]] = {
    "msasss": {
        "grader": (
            Method(2, "HiResCAM"),
            Method(4, "HiResCAM"),
            Method(4, "HiResCAM", contrast=True),
            Method(11, "HiResCAM", contrast=True),
            Method(4, "Grad-CAM"),
            Method(12, "Grad-CAM"),
        ),
        "finder": (Method(6, "HiResCAM"), Method(17, "HiResCAM"), Method(17, "Grad-CAM")),
    },
    "mtss": {
        "ankylosis, Conv7": (Method("Conv7"), Method("Conv7", "HiResCAM")),
        "ankylosis, Conv9-2": (Method("Conv9-2"), Method("Conv9-2", "HiResCAM")),
        "luxation, Conv7": (Method("Conv7"), Method("Conv7", "HiResCAM")),
        "luxation, Conv9-2": (Method("Conv9-2"), Method("Conv9-2", "HiResCAM")),
        "grader": (
            Method(6, "HiResCAM", contrast=True),
            Method(11, "HiResCAM", contrast=True),
            Method(16, "HiResCAM", contrast=True),
            Method(16, "Grad-CAM", contrast=True),
        ),
    },
}
EXPLAINERS: dict[str, str] = {  # (film, row of the stored finding, size) -> told.Told
    "msasss": "models.msasss.explain:explain_stored",
    "mtss": "models.mtss.explain.detectors:explain_stored",
}


def explainer(system: str) -> Callable[..., Any]:
    """The function that explains a stored finding of a system; imported when used, as torch is slow."""
    module, _, name = EXPLAINERS[system].partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found
