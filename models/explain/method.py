"""Which layer and which weighting make the map of a network: fixed, and changed only together with a new
test of the maps.

Both were chosen on tuning patients among the layers that carry a network's last features, by
``python -m models.explain.report --compare`` (docs/decisions/explain.md).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    """layer: number in the network's definition (a row of its YAML file). weighting: a name in ``cam``."""

    layer: int
    weighting: str = "Grad-CAM"

    @property
    def name(self) -> str:
        return f"{self.weighting}, layer {self.layer}"


METHODS: dict[str, dict[str, Method]] = {
    "msasss": {"grader": Method(4, "HiResCAM"), "finder": Method(17, "HiResCAM")},
}
CANDIDATES: dict[str, dict[str, tuple[Method, ...]]] = {
    "msasss": {
        "grader": (
            Method(2, "HiResCAM"),
            Method(4, "HiResCAM"),
            Method(11, "HiResCAM"),
            Method(4, "Grad-CAM"),
            Method(12, "Grad-CAM"),
        ),
        "finder": (Method(6, "HiResCAM"), Method(17, "HiResCAM"), Method(17, "Grad-CAM")),
    }
}
