"""The detector: SSD300, as torchvision builds it (``full``), or slim with the same layers (``demo``).

Both see one window of 300 x 300 grey pixels and give boxes of three classes: background, joint, joint with
the finding. No weights come from a hub.
"""

from __future__ import annotations

import copy
from collections import OrderedDict

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
from torchvision.models.detection.ssd import SSD, ssd300_vgg16

from models.mtss.detectors.joints import CLASSES
from models.mtss.detectors.windows import SIDE

WIDTHS = {"demo": 8, "full": 64}  # channels of the first layer; 64 is VGG16
PROPOSAL = 0.5  # boxes below it are not given out: Sci Rep 2024;14:7696 drops everything up to 0.9 anyway
ASPECTS = [[2], [2, 3], [2, 3], [2, 3], [2], [2]]
SCALES = [0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05]
STEPS = [8, 16, 32, 64, 100, 300]
LAYERS = ("conv4_3", "conv7", "conv8_2", "conv9_2", "conv10_2", "conv11_2")  # maps with default boxes


class SlimVGG(nn.Module):
    """The layers of torchvision's SSD300-VGG16 extractor at ``width`` channels instead of 64.

    Each convolution of the VGG part is followed by batch normalisation: there is no pre-training to start
    from, and a plain VGG of this width hardly learns without it.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        w = width
        self.out_channels = [8 * w, 16 * w, 8 * w, 4 * w, 4 * w, 4 * w]
        self.scale_weight = nn.Parameter(torch.ones(8 * w) * 20)
        self.features = nn.Sequential(
            *_block(1, w, 2),  # 300 -> conv1_2
            nn.MaxPool2d(2, 2),  # 150
            *_block(w, 2 * w, 2),
            nn.MaxPool2d(2, 2),  # 75
            *_block(2 * w, 4 * w, 3),
            nn.MaxPool2d(2, 2, ceil_mode=True),  # 38
            *_block(4 * w, 8 * w, 3),  # conv4_3, 38 x 38
        )
        self.extra = nn.ModuleList(
            [
                nn.Sequential(
                    nn.MaxPool2d(2, 2),  # 19
                    *_block(8 * w, 8 * w, 3),
                    nn.MaxPool2d(3, 1, padding=1),
                    *_conv(8 * w, 16 * w, 3, padding=6, dilation=6),
                    *_conv(16 * w, 16 * w, 1),  # conv7, 19 x 19
                ),
                nn.Sequential(*_conv(16 * w, 4 * w, 1), *_conv(4 * w, 8 * w, 3, padding=1, stride=2)),  # 10
                nn.Sequential(*_conv(8 * w, 2 * w, 1), *_conv(2 * w, 4 * w, 3, padding=1, stride=2)),  # 5
                nn.Sequential(*_plain(4 * w, 2 * w, 1), *_plain(2 * w, 4 * w, 3)),  # conv10_2, 3 x 3
                nn.Sequential(*_plain(4 * w, 2 * w, 1), *_plain(2 * w, 4 * w, 3)),  # conv11_2, 1 x 1
            ]
        )

    def forward(self, pixels: torch.Tensor) -> OrderedDict[str, torch.Tensor]:
        """(b, 1, 300, 300) -> six maps of 38, 19, 10, 5, 3 and 1 pixels a side."""
        first = self.features(pixels)
        scale = self.scale_weight.view(1, -1, 1, 1)
        maps = [scale * nn.functional.normalize(first)]
        deeper = first
        for layers in self.extra:
            deeper = layers(deeper)
            maps.append(deeper)
        return OrderedDict((str(number), one) for number, one in enumerate(maps))


def _block(before: int, after: int, count: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for number in range(count):
        layers += _conv(before if number == 0 else after, after, 3, padding=1)
    return layers


def _conv(before: int, after: int, side: int, **how: int) -> list[nn.Module]:
    conv = nn.Conv2d(before, after, side, bias=False, **how)  # type: ignore[arg-type]
    return [conv, nn.BatchNorm2d(after), nn.ReLU(inplace=True)]


def _plain(before: int, after: int, side: int) -> list[nn.Module]:
    """Without normalisation: a map of one pixel has no statistics of its own."""
    return [nn.Conv2d(before, after, side), nn.ReLU(inplace=True)]


def detector(size: str = "demo") -> SSD:
    """A detector with random weights; ``full`` takes the grey window as three equal channels."""
    if size not in WIDTHS:
        raise ValueError(f"size {size!r} is not one of {', '.join(WIDTHS)}")
    if size == "full":
        return ssd300_vgg16(
            weights=None,
            weights_backbone=None,
            num_classes=CLASSES,
            score_thresh=PROPOSAL,
        )
    return SSD(
        SlimVGG(WIDTHS[size]),
        DefaultBoxGenerator(ASPECTS, scales=SCALES, steps=STEPS),
        (SIDE, SIDE),
        CLASSES,
        image_mean=[0.35],
        image_std=[0.25],
        score_thresh=PROPOSAL,
    )


def channels(network: SSD) -> int:
    """How many channels a window needs: 1, or 3 equal ones for the network of the paper."""
    return len(network.transform.image_mean)


def fused(network: SSD) -> SSD:
    """The same detector for scanning only: normalisation folded into convolutions, channels last."""
    made = copy.deepcopy(network).eval()
    for layers in [m for m in made.modules() if isinstance(m, nn.Sequential)]:
        for place in range(len(layers) - 1):
            conv, norm = layers[place], layers[place + 1]
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                layers[place], layers[place + 1] = fuse_conv_bn_eval(conv, norm), nn.Identity()
    return made.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
