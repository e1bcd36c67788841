"""Is this film like the films that a model knows? A measured check that decides on abstention.

What is known about a film falls into parts (its exposure, its anatomy, what a network makes of it), each a
vector of numbers, or one for each of its scored places (the texture there). A part's distance is
Mahalanobis' from the training films (the nearest of their kinds), in units of what a usual tuning film
reaches; of places the upper quartile counts, so that a film is unlike the others where a quarter of its
places is. Each part has a limit of its own, that of split conformal prediction: of films like the tuning
films at most the stated share lies beyond one of them, shared out evenly among the parts.

Sources: Lee et al. 2018, NeurIPS, "A simple unified framework for detecting out-of-distribution samples";
Ledoit and Wolf 2004, J Multivar Anal 88:365; Papadopoulos et al. 2002, ECML.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from core.domain import Image
from models import cards

if TYPE_CHECKING:
    import torch

ALARM = 0.02  # share of films like the tuning films that may be refused
SITES = 0.75  # quantile of the distances of a film's places that counts
USUAL = 0.5  # a part's unit of distance: this quantile over the tuning films
UNLIKE = "unlike the films that the model knows"


@dataclass(frozen=True)
class Sites:
    """Numbers of each scored place of a film. kinds (n,): which place it is. values: (n, d)."""

    kinds: tuple[str, ...]
    values: np.ndarray


Features = Mapping[str, np.ndarray | Sites]  # part -> (d,) numbers of one film, or those of its places


@dataclass(frozen=True)
class Part:
    """One part of a check. means: (kinds, d). whiten: (d, d), takes differences to unit variance. unit: the
    distance that a usual tuning film has. limit: distance, in units, from which a film is not like them.
    """

    means: np.ndarray
    whiten: np.ndarray
    unit: float
    limit: float = float("inf")

    def distance(self, values: np.ndarray | Sites) -> float:
        """From the nearest kind, 1 for a usual film; infinite where a value is not a number. Of places their
        upper quartile, 0 without one."""
        if not isinstance(values, Sites):
            return float(self._of_rows(np.asarray(values, float)[None])[0])
        found = self._of_rows(values.values)
        return float(np.quantile(found, SITES, method="lower")) if len(found) else 0.0

    def _of_rows(self, rows: np.ndarray) -> np.ndarray:
        """(n, d) -> (n,)."""
        away = (np.asarray(rows, float)[:, None] - self.means[None]) @ self.whiten
        found = np.linalg.norm(away, axis=2).min(axis=1) / self.unit
        return np.where(np.isfinite(found), found, np.inf)


@dataclass(frozen=True)
class Check:
    """Whether a film is like those that a model was trained on.

    alarm: share of films like the tuning films that may lie beyond the limit of a part.
    """

    parts: Mapping[str, Part]
    alarm: float = ALARM

    def distances(self, features: Features) -> dict[str, float]:
        """Distance of each part that the film has and the check knows."""
        return {name: part.distance(features[name]) for name, part in self.parts.items() if name in features}

    def beyond(self, features: Features) -> dict[str, float]:
        """The distances that lie beyond the limit of their part."""
        found = self.distances(features)
        return {name: value for name, value in found.items() if value > self.parts[name].limit}

    def distance(self, features: Features) -> float:
        """The largest of the parts as a share of its limit; 0 for a film of which nothing is known."""
        found = self.distances(features)
        return max((value / self.parts[name].limit for name, value in found.items()), default=0.0)

    def reason(self, features: Features) -> str:
        """Why the film is not scored; ``""`` where it is like the others."""
        told = [
            f"{name} {value:.1f} times the usual distance ({self.parts[name].limit:.1f} is the limit)"
            for name, value in sorted(self.beyond(features).items())
        ]
        return f"{UNLIKE}: {', '.join(told)}" if told else ""


@runtime_checkable
class Checked(Protocol):
    """A scorer with a check: None where none was fitted for its weights."""

    check: Check | None

    def ood_features(self, image: Image) -> Features:
        """What the check looks at in an image, whatever it shows."""
        ...


def fit(train: Sequence[tuple[str, Features]], tune: Sequence[Features], alarm: float = ALARM) -> Check:
    """train: (kind, features) of each film, at least two of a kind. tune: films of other patients, which set
    the units and the limits. Raises ValueError where there are too few of them for the share asked."""
    names = list(train[0][1])
    parts = {name: _free(train, name) for name in names}
    for name, part in parts.items():
        found = [part.distance(film[name]) for film in tune]
        unit = max(float(np.quantile(found, USUAL)), 1e-9)
        limit = _limit(found, alarm / len(names)) / unit
        parts[name] = Part(part.means, part.whiten, unit, limit)
    return Check(parts, alarm)


def _free(train: Sequence[tuple[str, Features]], name: str) -> Part:
    """A part with the mean of each kind, of film or of place, and no limit yet."""
    rows: list[np.ndarray] = []
    kinds: list[str] = []
    for kind, film in train:
        one = film[name]
        rows.append(one.values if isinstance(one, Sites) else np.asarray(one, float)[None])
        kinds += one.kinds if isinstance(one, Sites) else [kind]
    values, kind_of = np.concatenate(rows), np.array(kinds)
    names = sorted(set(kinds))
    means = np.array([values[kind_of == kind].mean(axis=0) for kind in names])
    centred = values - means[np.searchsorted(names, kind_of)]
    return Part(means, _whitening(centred), 1.0)


def _whitening(centred: np.ndarray) -> np.ndarray:
    """A matrix that takes rows (n, d) of mean 0 to unit covariance, from Ledoit and Wolf's estimate of it,
    the columns brought to one scale before."""
    from sklearn.covariance import ledoit_wolf

    scale = np.maximum(centred.std(axis=0), 1e-6)
    covariance, _ = ledoit_wolf(centred / scale, assume_centered=True)
    values, vectors = np.linalg.eigh(covariance)
    whitening = vectors / np.sqrt(np.maximum(values, 1e-6))
    return np.asarray(whitening / scale[:, None])


def _limit(distances: Sequence[float], alarm: float) -> float:
    """The conformal limit: the ceil((n + 1) (1 - alarm))-th smallest distance."""
    place = int(np.ceil((len(distances) + 1) * (1 - alarm)))
    if place > len(distances):
        raise ValueError(f"{len(distances)} tuning films are too few for {100 * alarm:g}% of false alarms")
    return float(np.sort(distances)[place - 1])


def image_features(grey: np.ndarray, deepest: torch.Tensor) -> dict[str, np.ndarray]:
    """Of any image, whatever it shows. grey: in [0, 1] as a network sees it. deepest: (1, c, rows, columns)
    that its deepest layer made of it.
    """
    pooled = deepest[0].float().mean(dim=(1, 2)).cpu().numpy().astype(float)
    return {"exposure": exposure(grey), "what the network sees": pooled}


def exposure(grey: np.ndarray) -> np.ndarray:
    """(6,) how a film is exposed, from its grey values in [0, 1] (rows, columns) at a network's scale: shares
    black and white, mean, spread, evenness of the histogram, and fine detail against the whole contrast."""
    values = np.asarray(grey, float)
    counts = np.histogram(values, bins=16, range=(0, 1))[0] / values.size
    held = counts[counts > 0]
    steps = np.abs(np.diff(values, n=2, axis=0)).mean() + np.abs(np.diff(values, n=2, axis=1)).mean()
    spread = float(values.std())
    return np.array(
        [
            (values < 0.02).mean(),
            (values > 0.98).mean(),
            values.mean(),
            spread,
            -(held * np.log(held)).sum(),
            steps / max(spread, 1e-6),
        ]
    )


def check_path(system: str, size: str, folder: Path = cards.FOLDER) -> Path:
    """Where the check of a model is stored: beside its card."""
    return folder / f"{system}-{size}-ood.json"


def write_check(check: Check, about: Mapping[str, Any], path: Path) -> Path:
    """about: the weights hash, and what was measured with the check."""
    parts = {
        name: {
            "unit": _rounded(np.array(part.unit)),
            "limit": _rounded(np.array(part.limit)),
            "means": _rounded(part.means),
            "whiten": _rounded(part.whiten),
        }
        for name, part in check.parts.items()
    }
    content = {**about, "alarm": check.alarm, "parts": parts}
    path.write_text(json.dumps(content, separators=(",", ":")) + "\n", encoding="utf-8")
    return path


def _rounded(values: np.ndarray) -> Any:
    """Five significant digits."""
    return np.vectorize(lambda value: float(f"{value:.5g}"))(np.asarray(values, float)).tolist()


def read_stored(system: str, size: str, folder: Path = cards.FOLDER) -> dict[str, Any] | None:
    """What is stored for these very weights; None where nothing is, or for others."""
    path = check_path(system, size, folder)
    if not path.is_file():
        return None
    stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    current = cards.weights_hash(cards.read_card(system, size, folder))
    return stored if stored["weights_hash"] == current else None


def read_check(system: str, size: str, folder: Path = cards.FOLDER) -> Check | None:
    """The check of these weights; None where none was fitted for them. One of version 0.2 has a limit that
    its parts share.
    """
    stored = read_stored(system, size, folder)
    if stored is None:
        return None
    parts = {
        name: Part(
            np.array(part["means"]),
            np.array(part["whiten"]),
            float(part["unit"]),
            float(part.get("limit", stored.get("limit", np.inf))),
        )
        for name, part in stored["parts"].items()
    }
    return Check(parts, float(stored["alarm"]))
