"""Where the scored joints and bones of a film of both hands or both feet lie, or why that cannot be said.

A film of one hand or one foot is told from these (:class:`OneLimb`); what becomes of it is said in
:mod:`models.mtss.one_limb`.

One network gives a heat map for each site of each limb (:mod:`models.mtss.finder.network`); a mean limb
laid over its places gives up those that lie off (:mod:`models.mtss.finder.limb_shape`). Hands or feet is
what the pixels show, whatever the file says. Which limb is the left one follows from the side markers
(:mod:`models.mtss.finder.side_markers`); without letters the limb on the left is taken for the left one, as
on every PA film that was not flipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from core.domain import Abstained, Image
from models import cards
from models.common.hooks import layer_outputs
from models.mtss.finder import ood_features
from models.mtss.finder.limb import Limb
from models.mtss.finder.limb_shape import TILT, lay
from models.mtss.finder.network import INPUT_MM, LETTERS, LIMBS, MULTIPLE, OF_LIMB, UNITS, FinderNet, peaks
from models.mtss.finder.samples import resampled, to_film
from models.mtss.finder.side_markers import Letter, turned_over
from models.mtss.places import Place, Places
from models.ood.check import image_features

SURE = 0.6  # chance of a peak below which a site is not found
SURE_PIP = 0.75  # of fingers that may be lost: on a stump the network sees their joint with some doubt
ABSENT_BELOW = 0.15
LETTER_SURE = 0.8
OFF_MM = 8.0  # from where a site should lie, which is allowed in any case
OFF_SPREADS = 4.5  # of the site's own spread over training limbs, which is allowed
SIZES = (0.6, 1.6)  # of a limb against the mean one, where the file states its pixel size
LONG_SIDES_MM = (300.0, 240.0, 360.0, 190.0)  # of a film that states none, tried in turn
MIN_PIXELS = 64
VIEWS = {"H": "hands", "F": "feet"}
WORDS = {"L": "left", "R": "right"}
ABSENT = "not seen on the film"
UNSURE = "not seen clearly enough"
OFF = "what was found does not lie where it should"


@dataclass(frozen=True)
class Look:
    """What the network sees of a film taken to have pixels of ``mm`` (between rows, between columns).

    features: of the image whatever it shows, for the check of unknown images.
    """

    mm: tuple[float, float]
    factors: tuple[float, float]
    limbs: dict[str, Limb]
    letters: tuple[Letter, ...]
    features: Mapping[str, np.ndarray] = field(default_factory=dict)

    def pair(self, kind: str) -> tuple[Limb, Limb]:
        return self.limbs[f"L{kind}"], self.limbs[f"R{kind}"]

    def strength(self, kind: str) -> float:
        """Mean share of sites found well over both limbs."""
        return float(np.mean([limb.share for limb in self.pair(kind)]))

    def ood_features(self) -> dict[str, np.ndarray]:
        """For the check of unknown images, anatomy too where limbs are seen."""
        anatomy = ood_features.anatomy(self.pair(max(VIEWS, key=self.strength)))
        return {**self.features} if anatomy is None else {**self.features, "anatomy": anatomy}


@dataclass(frozen=True)
class OneLimb(Abstained):
    """A film that shows one hand or one foot, which is none of both.

    looks: the limb by its shape on a film that was not flipped (``LH``). mm: of a pixel. inner: column of the
    film at its sites nearest to where the other limb would be. letters: side markers beside it.
    """

    looks: str
    mm: tuple[float, float]
    inner: float
    letters: tuple[Letter, ...] = ()


class SiteFinder:
    """The trained network, ready to look at films."""

    def __init__(self, network: FinderNet, device: str = "cpu") -> None:
        self.network = network.to(device).eval()
        self.device = device
        self.least = np.array([least_chance(unit) for unit in UNITS])
        self.shape = network.shape.detach().cpu().numpy().astype(float)
        self.spread = network.spread.detach().cpu().numpy().astype(float)

    def find(self, film: Image) -> Places | Abstained:
        """The units of a film of both hands or both feet, in pixels of the film."""
        reason = unusable(film.pixels)
        if reason:
            return Abstained(reason)
        return judge(self.see(film), stated=film.spacing_mm is not None)

    def find_unmarked(self, film: Image) -> Places | Abstained:
        """As :meth:`find`, of a film whose side markers say nothing: they are mirrored with it."""
        return judge(replace(self.see(film), letters=()), stated=film.spacing_mm is not None)

    def see(self, film: Image) -> Look:
        """What the network sees of a grey film, whatever it shows."""
        return self.look(film.pixels, film.spacing_mm) if film.spacing_mm else self.guess(film.pixels)

    def look(self, pixels: np.ndarray, mm: tuple[float, float]) -> Look:
        """Sites and letters on pixels of this size."""
        grey, factors = resampled(pixels, mm)
        with layer_outputs(self.network.down[-1]) as deepest:
            at, sure = peaks(*self.maps(grey))
        limbs = {name: self.limb(name, at[OF_LIMB[name]], sure[OF_LIMB[name]]) for name in LIMBS}
        letters = [
            Letter(letter, mirrored, float(x), float(chance))
            for (letter, mirrored), (x, _), chance in zip(
                LETTERS, at[len(UNITS) :], sure[len(UNITS) :], strict=True
            )
            if chance >= LETTER_SURE
        ]
        return Look(mm, factors, limbs, tuple(letters), image_features(grey, deepest[0]))

    def guess(self, pixels: np.ndarray) -> Look:
        """As :meth:`look`, of a film that states no pixel size: the size at which limbs are seen best, set
        anew by their size.
        """
        looks = []
        for side in LONG_SIDES_MM:
            size = side / max(pixels.shape)
            looks.append(self.look(pixels, (size, size)))
            if max(looks[-1].strength(kind) for kind in VIEWS) > 0.9:
                break
        best = max(looks, key=lambda one: max(one.strength(kind) for kind in VIEWS))
        kind = max(VIEWS, key=best.strength)
        sizes = [limb.laid.size for limb in best.pair(kind) if limb.laid]
        if not sizes:
            return best
        better = best.mm[0] / float(np.mean(sizes))
        return self.look(pixels, (better, better)) if 0.02 < better < 5 else best

    @torch.no_grad()
    def maps(self, grey: np.ndarray) -> tuple[np.ndarray, int, int]:
        """Chances (60, cells + 1) of a film at 0.6 mm, and the rows and columns of the grid."""
        rows, columns = grey.shape
        below, beside = -rows % MULTIPLE, -columns % MULTIPLE
        pixels = torch.from_numpy(grey)[None, None].to(self.device)
        pixels = functional.pad(pixels, (0, beside, 0, below))
        scores = self.network(pixels)
        chances = self.network.chances(scores).exp()[0].cpu().numpy()
        return chances, scores.shape[-2], scores.shape[-1]

    def limb(self, name: str, points: np.ndarray, sure: np.ndarray) -> Limb:
        """One limb from its peaks: its mean laid over the sure ones."""
        members = OF_LIMB[name]
        clear = sure >= self.least[members]
        laid = lay(points * INPUT_MM, self.shape[members], np.where(clear, sure, 0.0))
        if laid is None or abs(laid.tilt) > TILT:
            return Limb(name, points, sure, None, np.zeros(len(members), dtype=bool))
        allowed = np.maximum(OFF_MM, OFF_SPREADS * self.spread[members])
        return Limb(name, points, sure, laid, clear & (laid.away <= allowed))


def unusable(pixels: np.ndarray) -> str:
    """Why pixels need not be looked at, or ``""``."""
    if min(pixels.shape) < MIN_PIXELS:
        return f"a grey film of at least {MIN_PIXELS} x {MIN_PIXELS} pixels is needed, got {pixels.shape}"
    if int(pixels.max()) == int(pixels.min()):
        return "the film is of one grey"
    return ""


def judge(look: Look, *, stated: bool) -> Places | Abstained:
    """Places from what was seen, or why there are none. stated: the file tells its pixel size."""
    kind = max(VIEWS, key=look.strength)
    left, right = look.pair(kind)
    whole = [limb for limb in (left, right) if limb.whole]
    if not any(limb.seen for limb in (left, right)):
        return Abstained("neither two hands nor two feet are seen")
    if len(whole) < 2:
        return _not_two(look, (left, right), VIEWS[kind])
    if stated:
        sizes = [limb.laid.size for limb in whole if limb.laid]
        if not all(SIZES[0] <= size <= SIZES[1] for size in sizes):
            size = ", ".join(f"{100 * size:.0f}%" for size in sizes)
            return Abstained(
                f"{VIEWS[kind]} of {size} of the usual size by the pixel size that the file states"
            )
    middle = float(np.mean([limb.points[limb.good, 0].mean() for limb in whole]))
    turned = turned_over(look.letters, middle)
    return turned if isinstance(turned, Abstained) else _places(look, (left, right), turned)


def _not_two(look: Look, limbs: tuple[Limb, Limb], view: str) -> Abstained:
    """Why a film is not one of two whole limbs: it shows one, or too little of both."""
    word = "hand" if view == "hands" else "foot"
    best, other = sorted(limbs, key=lambda limb: -limb.share)
    if best.whole and not other.seen:
        reason = f"one {word} only, by its shape a {WORDS[best.name[0]]} one; a film of both {view} is needed"
        across = to_film(best.points[best.good], look.factors)[:, 0]
        inner = float(across.max() if best.name[0] == "L" else across.min())
        return OneLimb(reason, best.name, look.mm, inner, look.letters)
    found = sum(int(limb.good.sum()) for limb in limbs)
    return Abstained(
        f"too few sites of both {view} are seen ({found} of {sum(len(limb.good) for limb in limbs)})"
    )


def _places(look: Look, limbs: tuple[Limb, Limb], turned: bool) -> Places:
    units: dict[str, Place] = {}
    missing: dict[str, str] = {}
    for limb in limbs:
        at = to_film(limb.points, look.factors)
        for i, channel in enumerate(OF_LIMB[limb.name]):
            unit = named(UNITS[channel], turned)
            if limb.good[i]:
                units[unit] = Place(float(at[i, 0]), float(at[i, 1]), float(limb.sure[i]))
            else:
                missing[unit] = why_missing(float(limb.sure[i]), least_chance(unit))
    return Places(VIEWS[limbs[0].name[1]], units, missing, float(np.mean(look.mm)), look.ood_features())


def named(unit: str, turned: bool) -> str:
    """The unit of a limb that looks like ``unit``'s, on a film that was flipped or not."""
    return f"{'R' if unit[0] == 'L' else 'L'}{unit[1:]}" if turned else unit


def why_missing(sure: float, least: float) -> str:
    """Why a site has no place, from the chance of its peak and the least that is asked for."""
    if sure >= least:
        return OFF
    return ABSENT if sure < ABSENT_BELOW else UNSURE


def least_chance(unit: str) -> float:
    """Chance of a peak from which it is the unit's place."""
    return SURE_PIP if unit[3:6] == "PIP" else SURE


def build_finder(size: str = "demo", device: str = "cpu", folder: Path = cards.FOLDER) -> SiteFinder:
    """The finder with its weights. Raises ModelError where they are absent or damaged."""
    card: Mapping = cards.read_card("mtss", size, folder)
    network = FinderNet(size)
    cards.load_into(network, dict(card), "finder", folder)
    return SiteFinder(network, device)
