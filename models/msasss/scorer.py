"""Films to findings: the one place where tensors of the mSASSS networks become domain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.domain import Abstained, Box, Finding, Image, Scored
from models import cards
from models.common import pixels as the_pixels
from models.common.boxes import cxcywh_to_xyxy, overlap, suppress
from models.common.frames import Frame
from models.common.hooks import layer_outputs
from models.common.modality import is_radiograph
from models.common.single_film import not_a_film
from models.common.yolo import decode
from models.msasss import networks, ood_features, pixels
from models.msasss.geometry import Candidates, Chain, Unnamed, name_chain, name_corners, tile_frames
from models.msasss.grading import GradingRule
from models.msasss.sites import ALL_UNITS, SITES, UNITS
from models.ood import check as ood
from models.system import reader_name

MIN_SIDE_MM = 80.0  # a spine film is at least this large
MIN_SIDE_PIXELS = 160
TYPICAL_SPACING = {"cervical": 24.6, "lumbar": 40.5}  # mm on the detector between neighbouring units
LONG_SIDES_MM = (240.0, 300.0, 360.0, 430.0)  # tried where a file states no pixel spacing
VIEWS_MM = (
    (0.0, 0.0),
    (0.9, -1.3),
    (-0.9, 1.3),
)  # tiles are read at these small shifts (across, down; lumbar mm)


@dataclass(frozen=True)
class Settings:
    """Limits below which the model abstains or calls a site unscorable; fitted on tuning patients.

    least_chain: score of the naming. least_units: mean class score of the units seen. least_corner:
    objectness of a corner. least_corners: of the twelve of a film.
    """

    least_chain: float = 6.0
    least_units: float = 0.3
    least_corner: float = 0.15
    least_corners: int = 6
    views: int = 3

    def as_card(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class SiteReading:
    """What the grader saw at one site: class logits (4,), objectness 0 to 1, centre and size in film
    millimetres.
    """

    logits: np.ndarray
    objectness: float
    centre: np.ndarray
    side_mm: float


@dataclass(frozen=True)
class Reading:
    """Everything read from one film before limits and grades: the named chain and the sites that were
    seen. unlike: why the film is not one of those that the model knows, ``""`` where it is.
    """

    chain: Chain
    sites: dict[str, SiteReading]
    spacing_mm: tuple[float, float]
    mirrored: bool
    width_mm: float
    unlike: str = ""


class MsasssScorer:
    """Scores lateral cervical and lumbar films, one at a time (read mode ``single``)."""

    def __init__(
        self,
        finder: torch.nn.Module,
        grader: torch.nn.Module,
        rule: GradingRule,
        settings: Settings,
        *,
        size: str,
        weights_hash: str,
        device: str = "cpu",
        check: ood.Check | None = None,
    ) -> None:
        """check: of the films that these weights know; None where it was never fitted."""
        self.finder = finder.eval().to(device)
        self.grader = grader.eval().to(device)
        self.rule, self.settings, self.device, self.check = rule, settings, device, check
        self.reader, self.weights_hash = reader_name("msasss", size), weights_hash

    def score(self, films: Sequence[Image]) -> list[Scored | Abstained]:
        """One result per film: findings with boxes in pixels of the film, or an abstention with its
        reason.
        """
        return [self.score_one(film) for film in films]

    def score_one(self, film: Image) -> Scored | Abstained:
        reading = self.read(film)
        return reading if isinstance(reading, Abstained) else self.judge(reading)

    @torch.inference_mode()
    def read(self, film: Image) -> Reading | Abstained:
        """The networks' view of a film, or why it is not even looked at."""
        if reason := refusal(film):
            return Abstained(reason)
        grey = the_pixels.as_grey(film.pixels)
        best = self._find(grey, film.spacing_mm)
        if isinstance(best, Unnamed):
            return Abstained(best.reason)
        chain, spacing, mirrored = best
        width_mm = grey.shape[1] * spacing[1]
        turned = np.ascontiguousarray(grey[:, ::-1]) if mirrored else grey
        sites = self._grade(turned, spacing, chain)
        return Reading(chain, sites, spacing, mirrored, width_mm, self._unlike(turned, spacing, chain))

    def _unlike(self, grey: np.ndarray, spacing: tuple[float, float], chain: Chain) -> str:
        """Why the film, turned as its spine was found, is none of those that the model knows."""
        if self.check is None:
            return ""
        return self.check.reason(self._features(grey, spacing) | {"anatomy": ood_features.anatomy(chain)})

    @torch.inference_mode()
    def ood_features(self, film: Image) -> dict[str, np.ndarray]:
        """All parts of the check where a spine was found, else those that need none."""
        grey = the_pixels.as_grey(film.pixels)
        best = self._find(grey, film.spacing_mm)
        if isinstance(best, Unnamed):
            return self._features(grey, film.spacing_mm or (LONG_SIDES_MM[2] / max(grey.shape),) * 2)
        chain, spacing, mirrored = best
        turned = np.ascontiguousarray(grey[:, ::-1]) if mirrored else grey
        return self._features(turned, spacing) | {"anatomy": ood_features.anatomy(chain)}

    def _features(self, grey: np.ndarray, spacing: tuple[float, float]) -> dict[str, np.ndarray]:
        """Those of any image, in [0, 1]."""
        image = the_pixels.resample(grey, spacing, pixels.FINDER_MM)
        padded = torch.from_numpy(the_pixels.pad_to_step(image))[None, None].to(self.device)
        with layer_outputs(self.finder.model[ood_features.DEEPEST]) as deepest:  # type: ignore[index,arg-type]
            decode(self.finder, padded)
        return ood.image_features(image, deepest[0])

    def judge(self, reading: Reading) -> Scored | Abstained:
        """Limits and grades applied to a reading."""
        chain, settings = reading.chain, self.settings
        mean_score = float(chain.confidence[chain.seen].mean())
        if chain.score < settings.least_chain or mean_score < settings.least_units:
            return Abstained(
                f"the {chain.region} spine is not recognised with enough certainty "
                f"(chain {chain.score:.1f}, units {mean_score:.2f}): another view, or not readable"
            )
        if reading.unlike:
            return Abstained(reading.unlike)
        seen = {site: r for site, r in reading.sites.items() if r.objectness >= settings.least_corner}
        if len(seen) < settings.least_corners:
            return Abstained(f"only {len(seen)} of 12 {chain.region} corners can be seen: not readable")
        missing = [site for site in SITES[chain.region] if site not in seen]
        return Scored(
            tuple(self._finding(site, seen[site], reading) for site in SITES[chain.region] if site in seen),
            dict.fromkeys(missing, "the corner is hidden or off the film"),
        )

    def _finding(self, site: str, seen: SiteReading, reading: Reading) -> Finding:
        probabilities = self.rule.probabilities(seen.logits[None])
        return Finding(
            site,
            "corner",
            int(self.rule.grades(probabilities)[0]),
            tuple(float(p) for p in probabilities[0]),
            float(seen.objectness),
            _film_box(seen, reading),
        )

    def _find(
        self, grey: np.ndarray, spacing: tuple[float, float] | None
    ) -> tuple[Chain, tuple[float, float], bool] | Unnamed:
        """The best naming of the film as it is, else of its mirror image; with a spacing from the spine's
        size where the file states none."""
        tries = [spacing] if spacing else [(mm / max(grey.shape),) * 2 for mm in LONG_SIDES_MM]
        reasons = []
        for mirrored in (False, True):
            image = np.ascontiguousarray(grey[:, ::-1]) if mirrored else grey
            named = [(self._chain(image, attempt), attempt) for attempt in tries]
            chains = [(chain, attempt) for chain, attempt in named if isinstance(chain, Chain)]
            reasons += [chain for chain, _ in named if isinstance(chain, Unnamed)]
            if chains:
                chain, attempt = max(chains, key=lambda pair: pair[0].score)
                if chain.score >= self.settings.least_chain or mirrored:
                    return (chain, attempt, mirrored) if spacing else (*_rescaled(chain, attempt), mirrored)
        return reasons[0] if reasons else Unnamed("no vertebral unit was found: not a lateral spine film")

    def _chain(self, grey: np.ndarray, spacing: tuple[float, float]) -> Chain | Unnamed:
        image = the_pixels.pad_to_step(the_pixels.resample(grey, spacing, pixels.FINDER_MM))
        boxes, logits = decode(self.finder, torch.from_numpy(image)[None, None].to(self.device))
        return name_chain(candidates(boxes[0].cpu().numpy(), logits[0].sigmoid().cpu().numpy()))

    def _grade(self, grey: np.ndarray, spacing: tuple[float, float], chain: Chain) -> dict[str, SiteReading]:
        """The sites seen on the six tiles, each tile read at a few small shifts."""
        shape = pixels.TILES[chain.region]
        scale = shape.mm_per_pixel / pixels.TILES["lumbar"].mm_per_pixel
        base = tile_frames(chain.xy, shape)
        frames = [
            _shifted(f, dx * scale, dy * scale) for dx, dy in VIEWS_MM[: self.settings.views] for f in base
        ]
        tiles = np.stack([the_pixels.cut_tile(grey, spacing, f, shape.rows, shape.columns) for f in frames])
        boxes, logits = decode(self.grader, torch.from_numpy(tiles)[:, None].to(self.device))
        found: dict[str, list[SiteReading]] = {}
        for index, frame in enumerate(frames):
            unit = UNITS[chain.region][index % 6]
            seen = corners_on_tile(
                unit, boxes[index].cpu().numpy(), logits[index].cpu().numpy(), frame, chain.region
            )
            for site, reading in seen.items():
                found.setdefault(site, []).append(reading)
        return {site: _merged(readings, self.settings.views) for site, readings in found.items()}


def refusal(film: Image) -> str:
    """Why a film is not looked at, from what is known about it without a network; ``""`` where nothing speaks
    against it."""
    if reason := not_a_film(film):
        return reason
    if not is_radiograph(film.modality):
        return f"modality {film.modality} is not a radiograph"
    if min(film.pixels.shape) < MIN_SIDE_PIXELS:
        rows, columns = film.pixels.shape
        return f"an image of {columns} x {rows} pixels is too small for a spine film"
    if film.spacing_mm and min(np.array(film.pixels.shape) * film.spacing_mm) < MIN_SIDE_MM:
        return "the image is too small in millimetres for a spine film"
    if float(np.ptp(film.pixels)) == 0:
        return "the image is blank"
    return ""


def candidates(boxes: np.ndarray, scores: np.ndarray, least: float = 0.05, limit: int = 24) -> Candidates:
    """Finder output of one film (boxes cxcywh in its pixels, class scores) after suppression, in millimetres.

    The scores of all overlapping boxes are pooled (largest per class), as one unit may look like its
    neighbour.
    """
    strength = scores.max(axis=1)
    keep = strength >= least
    boxes, scores, strength = boxes[keep], scores[keep], strength[keep]
    corners = cxcywh_to_xyxy(boxes)
    picks = suppress(corners, strength, 0.4, limit)
    pooled = [scores[overlap(corners[pick], corners) >= 0.6].max(axis=0) for pick in picks]
    size = np.sqrt(np.prod(np.maximum(boxes[picks, 2:], 1e-3), axis=1))
    return Candidates(
        boxes[picks, :2] * pixels.FINDER_MM,
        size * pixels.FINDER_MM,
        np.array(pooled).reshape(-1, len(ALL_UNITS)),
    )


def corners_on_tile(
    unit: str, boxes: np.ndarray, logits: np.ndarray, frame: Frame, region: str, least: float = 0.03
) -> dict[str, SiteReading]:
    """Upper and lower corner on one tile from the grader's output (boxes cxcywh in tile pixels, class
    logits).
    """
    objectness = 1 - np.prod(1 - 1 / (1 + np.exp(-logits)), axis=1)
    keep = objectness >= least
    boxes, logits, objectness = boxes[keep], logits[keep], objectness[keep]
    corners = cxcywh_to_xyxy(boxes)
    picks = suppress(corners, objectness, 0.5, 6)
    shape = pixels.TILES[region]
    least_gap = 8 * shape.mm_per_pixel
    named = name_corners(unit, boxes[picks, :2].reshape(-1, 2), objectness[picks], shape, least_gap)
    return {
        site: _site_reading(int(picks[index]), boxes, corners, logits, objectness, frame)
        for site, index in named.items()
    }


def _site_reading(
    pick: int,
    boxes: np.ndarray,
    corners: np.ndarray,
    logits: np.ndarray,
    objectness: np.ndarray,
    frame: Frame,
) -> SiteReading:
    """The picked box with those that overlap it, weighted by objectness: steadier than one anchor alone."""
    near = overlap(corners[pick], corners) >= 0.6
    near[pick] = True
    weight = objectness[near] / objectness[near].sum()
    centre = weight @ boxes[near, :2]
    side = float(np.sqrt(np.prod(weight @ boxes[near, 2:])))
    return SiteReading(
        weight @ logits[near],
        float(objectness[pick]),
        frame.to_film(centre[None])[0],
        side * frame.mm_per_pixel,
    )


def _merged(readings: list[SiteReading], views: int) -> SiteReading:
    """Mean of the views; a view that did not see the site counts as objectness 0."""
    return SiteReading(
        np.mean([r.logits for r in readings], axis=0),
        float(sum(r.objectness for r in readings) / views),
        np.median([r.centre for r in readings], axis=0),
        float(np.mean([r.side_mm for r in readings])),
    )


def _shifted(frame: Frame, across_mm: float, down_mm: float) -> Frame:
    unit = frame.mm_per_pixel
    return replace(frame, origin=frame.origin + (frame.along_x * across_mm + frame.along_y * down_mm) / unit)


def _rescaled(chain: Chain, spacing: tuple[float, float]) -> tuple[Chain, tuple[float, float]]:
    """A chain found under a tried spacing, in the millimetres in which its units have the typical
    distance.
    """
    factor = TYPICAL_SPACING[chain.region] / chain.spacing
    return replace(chain, xy=chain.xy * factor), (spacing[0] * factor, spacing[1] * factor)


def _film_box(seen: SiteReading, reading: Reading) -> Box:
    """Box in pixels of the film as it was given (a mirrored film is turned back)."""
    x_mm, y_mm = seen.centre
    if reading.mirrored:
        x_mm = reading.width_mm - x_mm
    rows_mm, columns_mm = reading.spacing_mm
    half = seen.side_mm / 2
    return Box(
        float((x_mm - half) / columns_mm),
        float((y_mm - half) / rows_mm),
        float((x_mm + half) / columns_mm),
        float((y_mm + half) / rows_mm),
    )


def build(
    *, size: str = "demo", device: str = "cpu", threads: int = 0, folder: Path = cards.FOLDER
) -> MsasssScorer:
    """The scorer with shipped (or, from ``folder``, own) weights. threads: of torch, 0 leaves them as they
    are.

    Raises ModelError where weights are absent or damaged.
    """
    if threads:
        torch.set_num_threads(threads)
    card = cards.read_card("msasss", size, folder)
    made = {"finder": networks.finder(size), "grader": networks.grader(size)}
    for name, network in made.items():
        cards.load_into(network, card, name, folder)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return MsasssScorer(
        made["finder"],
        made["grader"],
        GradingRule.from_card(card["grading"]),
        Settings(**card["settings"]),
        size=size,
        weights_hash=cards.weights_hash(card),
        device=device,
        check=ood.read_check("msasss", size, folder),
    )
