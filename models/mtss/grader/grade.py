"""Places of a film in, a grade with its probabilities for each site out.

One network sees the tile of every place, at two small shifts; its probabilities are calibrated and cut by
the rules of the weights card. Nothing above this file sees a tensor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from core.domain import Box, Image
from core.scores.mtss import MAXIMUM
from models import cards
from models.mtss.grader import ood_features, tiles
from models.mtss.grader.network import JointNetwork, grader
from models.mtss.grader.rule import BLOCK_OF, BLOCKS, CODE_OF, BlockRule, expected_share, film_damage
from models.mtss.places import Place, Places
from models.ood.check import Sites

VIEWS_MM = ((0.5, -0.5), (-0.5, 0.5))  # small shifts (across, down) at which a tile is read
FEATURES = ("erosion", "jsn")
AT_ONCE = 66  # tiles


@dataclass(frozen=True)
class SiteGrade:
    """What is seen at one site. probabilities: of the grades from 0 to the site's highest. box: on the
    film.
    """

    grade: int
    probabilities: tuple[float, ...]
    box: Box


@dataclass(frozen=True)
class Seen:
    """What the network says of the sites of one film, before calibration.

    units, features (n,): of each site; log_seen (n,): its log probabilities of the grades (g,).
    """

    units: tuple[str, ...]
    features: tuple[str, ...]
    log_seen: tuple[np.ndarray, ...]

    @property
    def damage(self) -> float:
        """How damaged the film looks as a whole."""
        shares = [expected_share(one[None])[0] for one in self.log_seen]
        return film_damage(np.array(shares))


@dataclass(frozen=True)
class JointGrader:
    """The network with its rules. rules: block -> how its sites are graded. box_mm: kind of place -> width
    and height of the box that marks it.
    """

    network: JointNetwork
    rules: Mapping[str, BlockRule]
    box_mm: Mapping[str, Sequence[float]]

    def grade(self, film: Image, places: Places) -> dict[str, SiteGrade]:
        """Site code -> grade, for every site whose unit has a place. film: bone bright."""
        seen = self.see(film, places)
        damage = np.array([seen.damage])
        found = {}
        for unit, feature, log_seen in zip(seen.units, seen.features, seen.log_seen, strict=True):
            rule = self.rules[BLOCK_OF[unit, feature]]
            probabilities = rule.probabilities(log_seen[None], damage, [unit[1:]])
            found[CODE_OF[unit, feature]] = SiteGrade(
                int(rule.grades(probabilities)[0]),
                tuple(float(p) for p in probabilities[0]),
                self.box(unit, places.units[unit], places.mm_per_pixel),
            )
        return found

    def ood_features(self, film: Image, places: Places) -> dict[str, Sites]:
        """For the check of unknown images: what the film looks like around its places."""
        return ood_features.of_film(self.network, film.pixels, places)

    def box(self, unit: str, place: Place, mm_per_pixel: float) -> Box:
        """The box around a place, pixels of the film."""
        side = tiles.MM * tiles.TILE
        width, height = (float(v) / mm_per_pixel / 2 for v in self.box_mm.get(unit[1:], (side, side)))
        return Box(place.x - width, place.y - height, place.x + width, place.y + height)

    def see(self, film: Image, places: Places) -> Seen:
        """The network's log probabilities for every site whose unit has a place, mean over the views."""
        frames = tiles.frames(places)
        if not frames:
            return Seen((), (), ())
        units = list(frames)
        grey = np.asarray(film.pixels, dtype=np.float32)
        views = [tiles.moved(frames[unit], shift) for shift in VIEWS_MM for unit in units]
        images = tiles.cut(grey, views, places.mm_per_pixel)
        kinds = np.array([tiles.KIND_INDEX[unit[1:]] for unit in units] * len(VIEWS_MM))
        said = self._run(images, kinds)
        sites = [(i, unit, f) for i, unit in enumerate(units) for f in FEATURES if (unit, f) in BLOCK_OF]
        rows = []
        for i, unit, feature in sites:
            highest = MAXIMUM[BLOCK_OF[unit, feature]]
            rows.append(said[feature][:, i, : highest + 1].mean(axis=0))
        return Seen(tuple(unit for _, unit, _ in sites), tuple(f for *_, f in sites), tuple(rows))

    def _run(self, images: np.ndarray, kinds: np.ndarray) -> dict[str, np.ndarray]:
        """Feature -> (views, places, g) log probabilities."""
        device = next(self.network.parameters()).device
        parts: dict[str, list[np.ndarray]] = {feature: [] for feature in FEATURES}
        with torch.inference_mode():
            for start in range(0, len(images), AT_ONCE):
                pixels = torch.from_numpy(images[start : start + AT_ONCE])[:, None].to(device)
                kind = torch.from_numpy(kinds[start : start + AT_ONCE]).to(device)
                maps = self.network(pixels.contiguous(memory_format=torch.channels_last))["maps"]
                out = self.network.heads(maps, kind)
                for feature in FEATURES:
                    parts[feature].append(out[feature].cpu().numpy())
        count = len(images) // len(VIEWS_MM)
        return {f: np.concatenate(p).reshape(len(VIEWS_MM), count, -1) for f, p in parts.items()}


def build_grader(size: str = "demo", device: str = "cpu", folder: Path = cards.FOLDER) -> JointGrader:
    """The grader with its weights. Raises ModelError where they are absent or damaged."""
    card = cards.read_card("mtss", size, folder)
    network = grader(size)
    cards.load_into(network, card, "grader", folder)
    network.eval().to(device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    rules = {block: BlockRule.from_card(card["grading"][block]) for block in BLOCKS}
    return JointGrader(network, rules, card["networks"]["grader"]["box_mm"])
