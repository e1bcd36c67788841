"""Where the heat lies: masks lie as pictures do, and planted networks are found to look where they look."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from core.domain import Box, Image, ScanArea
from core.imaging.ultrasound import for_network
from models.synovitis.explain import tissues
from models.synovitis.explain.explainer import SynovitisExplainer, contrast
from models.synovitis.explain.tissues import PARTS, figures, heat_rows, parts_of, shares
from models.synovitis.explain.view import view_of
from models.synovitis.networks import PIXELS, seen_rows

NAMES = (
    "background", "synovium", "tendon", "bone", "furniture", "cartilage", "soft tissue", "effusion", "gel",
    "tendon sheath", "fat",
)  # fmt: skip


def scan(mark="left", spacing=(0.1, 0.1), seed=0):
    """A scan of noise in a black screen, with the mark of the probe beside it, and its tissues."""
    rng = np.random.default_rng(seed)
    grey = np.zeros((240, 320), np.uint8)
    grey[40:200, 60:260] = rng.integers(30, 90, (160, 200))
    if mark:
        x = 50 if mark == "left" else 264
        grey[44:51, x : x + 7] = 200
    tissue = np.zeros(grey.shape, np.uint8)
    tissue[40:200, 60:260] = NAMES.index("soft tissue")
    tissue[120:160, 80:140] = NAMES.index("synovium")
    tissue[160:200, 60:260] = NAMES.index("bone")
    colour = np.repeat(grey[None, ..., None], 3, axis=-1)
    areas = (ScanArea(Box(60, 40, 260, 200), spacing, "tissue"),)
    image = Image("scan", grey.astype(np.uint16), spacing_mm=spacing, modality="US", laterality="R",
                  colour=colour, joint="MCP2", mode="B", areas=areas)  # fmt: skip
    return image, tissue


SEEN = seen_rows(PIXELS)


@pytest.mark.parametrize("mark", ["left", "right", ""])
@pytest.mark.parametrize("spacing", [(0.1, 0.1), (0.1, 0.05), (0.05, 0.1)])
def test_masks_lie_as_the_picture_of_the_networks_does(mark, spacing):
    image, tissue = scan(mark, spacing)
    shown = image.colour.copy()
    shown[0][tissue == NAMES.index("synovium")] = 255
    lit = for_network(Image(**{**image.__dict__, "colour": shown}), 0, PIXELS)[..., 0]
    mask = view_of(image, PIXELS).laid(tissue == NAMES.index("synovium"))
    assert (mask > 0.99).any()
    assert (lit[mask > 0.99] > 200).all()
    assert (lit[mask == 0] < 150).all()


def test_parts_cover_what_networks_look_at_once():
    parts = parts_of(*scan(), NAMES)
    assert list(parts) == list(PARTS)
    assert sum(parts.values()) == pytest.approx(np.ones((SEEN, PIXELS)), abs=1e-5)
    assert parts["synovium"].mean() == pytest.approx(40 * 60 / (0.6 * 200**2), rel=0.02)


def test_parts_beside_a_narrow_scan_are_told():
    narrow = parts_of(*scan(spacing=(0.2, 0.05)), NAMES)["beside the scan"]
    assert narrow.mean() == pytest.approx(1 - 200 * 0.05 / (160 * 0.2), rel=0.02)


class Looks(nn.Module):
    """A network whose layer2 shows the part of the picture that it is told to look at."""

    def __init__(self, mask):
        super().__init__()
        self.layer2 = nn.Conv2d(3, 1, 1, bias=False)
        nn.init.constant_(self.layer2.weight, 0.0)
        self.mask = torch.from_numpy(mask.astype(np.float32))
        self.fc = nn.Linear(1, 2)
        self.layer2.register_forward_hook(lambda layer, given, out: out + self.mask)
        with torch.no_grad():
            self.fc.weight.copy_(torch.tensor([[0.0], [1.0]]))

    def forward(self, x):
        return self.fc(self.layer2(x).mean(dim=(2, 3)))


def test_network_that_looks_at_synovium_or_furniture_is_told_so():
    image, tissue = scan(spacing=(0.2, 0.05))
    parts = parts_of(image, tissue, NAMES)
    for part in ("synovium", "background", "beside the scan"):
        explainer = SynovitisExplainer({"grade": Looks(parts[part])})
        heat = explainer.heat(explainer.about(image, "grade", 1))
        assert shares(heat, parts)[part] > 0.95
    flat = SynovitisExplainer({"grade": Looks(np.ones((SEEN, PIXELS)))})
    even = shares(flat.heat(flat.about(image, "grade", 1)), parts)
    assert even == pytest.approx({part: mask.mean() for part, mask in parts.items()}, abs=1e-4)


def test_what_speaks_against_an_answer_gives_no_heat():
    image, tissue = scan()
    explainer = SynovitisExplainer({"grade": Looks(parts_of(image, tissue, NAMES)["synovium"])})
    heat = explainer.heat(explainer.about(image, "grade", 0))
    assert not heat.any()
    assert (contrast(0).against, contrast(3).against) == (1, 0)


def test_figures_are_means_against_chance_and_random_weights():
    image, tissue = scan()
    parts = parts_of(image, tissue, NAMES)
    looks, even = Looks(parts["synovium"]), Looks(np.ones((SEEN, PIXELS)))
    explainer = SynovitisExplainer({"grade": looks})
    rows = pd.DataFrame(heat_rows(explainer, image, parts, {"grade": 1}, {"grade": [even]}))
    every = pd.concat([rows.assign(patient=f"P{n}", image=f"i{n}") for n in range(4)])
    found = figures(every, draws=50)["grade"]
    assert (found["maps"], found["patients"], found["empty"]) == (4, 4, 0)
    own = found["parts"]["synovium"]
    assert own["times_chance"]["estimate"] == pytest.approx(SEEN * PIXELS / parts["synovium"].sum(), rel=0.06)
    assert own["times_random"]["estimate"] == pytest.approx(own["times_chance"]["estimate"], rel=0.01)
    assert found["parts"]["bone"]["share"]["estimate"] < 0.05
    assert own["share"]["ci"] == [own["share"]["estimate"]] * 2


def test_random_networks_are_the_same_each_time_and_unlike_each_other():
    from models.synovitis.networks import build

    torch.manual_seed(5)
    explainer = SynovitisExplainer({"grade": build("grade", "demo").eval()})
    first, second = (tissues.random_networks(explainer, "grade", (1, 2)) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert torch.equal(one.fc.weight, other.fc.weight)
    assert not torch.equal(first[0].fc.weight, first[1].fc.weight)
    image, tissue = scan()
    rows = heat_rows(explainer, image, parts_of(image, tissue, NAMES), {"grade": 2}, {"grade": first})
    assert sum(row["share"] for row in rows) == pytest.approx(1.0, abs=1e-4)
