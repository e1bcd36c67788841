"""Where the anatomy of one film lies on another film of the same patient, from sites found on both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

Points = Mapping[str, tuple[float, float]]
Matrix = tuple[tuple[float, float, float], tuple[float, float, float]]

FEWEST = 3  # sites on both films: two fix a similarity, the third tells whether it holds
FEWEST_AFFINE = 6
AFFINE_GAIN = 0.8  # an affine must predict sites that much better than a similarity
LOCAL_GAIN = 0.9  # and a fit near one site better than that of the whole film
NEAREST = (5, 9)  # sites that a fit near one site uses, itself among them
TOLERANCE = {"mm": 1.0, "pixels": 6.0}  # a site that close to its place is never an outlier
LARGEST = {"mm": 5.0, "pixels": 30.0}  # residual beyond which a film counts as not registered
SCALES = (0.7, 1.4)  # of the second film against the first, after spacing


@dataclass(frozen=True)
class Registration:
    """Pixels (x, y) of the first film to pixels of the second: ``second = matrix @ (x, y, 1)``.

    kind: ``similarity`` (shift, turn, scale) or ``affine``.
    residual: root mean square distance, in ``unit`` (``mm``, or ``pixels`` where a spacing is unknown),
    between each used site and where the other sites put it (leave-one-out).
    used, left_out: sites that agree on the movement, and those that do not.
    """

    matrix: Matrix
    kind: str
    residual: float
    unit: str
    used: tuple[str, ...]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class NotRegistered:
    """Why two films have no common place; ``reason`` is a clause for people."""

    reason: str


@dataclass(frozen=True)
class PairRegistration:
    """One movement for the whole film, and for sites near which another one holds better, that one.

    near: turn and scale of the sites around, and the shift of the site itself, which so comes to its own
    place; the residual is that of the sites around before this shift.
    """

    whole: Registration | NotRegistered
    near: dict[str, Registration] = field(default_factory=dict)


@dataclass(frozen=True)
class _Shared:
    """Sites on both films: places as complex numbers (x + iy) in ``unit``, and what a pixel measures."""

    sites: tuple[str, ...]
    first: np.ndarray
    second: np.ndarray
    first_pixel: tuple[float, float]  # (width, height) of a pixel in ``unit``
    second_pixel: tuple[float, float]
    unit: str

    def part(self, places: np.ndarray) -> _Shared:
        return _Shared(
            tuple(self.sites[i] for i in places), self.first[places], self.second[places], self.first_pixel,
            self.second_pixel, self.unit,
        )  # fmt: skip


@dataclass(frozen=True)
class _Fit:
    """A linear map in ``unit``: 2 x 3, with the distance of each used site when it is left out of the fit."""

    linear: np.ndarray
    misses: np.ndarray

    @property
    def residual(self) -> float:
        return float(np.sqrt(np.mean(self.misses**2)))


def register_pair(
    first: Points,
    second: Points,
    first_spacing: tuple[float, float] | None = None,
    second_spacing: tuple[float, float] | None = None,
) -> PairRegistration:
    """How the second film lies against the first.

    first, second: site -> (x, y) in pixels of its film; sites on one film only do not count.
    spacing: mm (between rows, between columns); where one is unknown, both films are measured in pixels.
    Sites that share their place on both films (erosion and narrowing of one joint) count as one.
    A pure function: the same places give the same answer.
    """
    shared = _shared(first, second, first_spacing, second_spacing)
    whole = _register(shared)
    found = {site: _near(shared, place, whole) for place, site in enumerate(shared.sites)}
    lead = _leads(first, second)
    near = {site: found[lead[site]] for site in lead}
    return PairRegistration(whole, {site: one for site, one in near.items() if one is not None})


def register(
    first: Points,
    second: Points,
    first_spacing: tuple[float, float] | None = None,
    second_spacing: tuple[float, float] | None = None,
) -> Registration | NotRegistered:
    """One movement for the whole film, from all sites (see ``register_pair``)."""
    return _register(_shared(first, second, first_spacing, second_spacing))


def inverse(matrix: Matrix) -> Matrix:
    """The map back, from the second film to the first. Raises LinAlgError where there is none."""
    back = np.linalg.inv(np.vstack([np.array(matrix, dtype=float), [0, 0, 1]]))
    return _as_matrix(back[:2])


def _shared(
    first: Points,
    second: Points,
    first_spacing: tuple[float, float] | None,
    second_spacing: tuple[float, float] | None,
) -> _Shared:
    sites = tuple(dict.fromkeys(_leads(first, second).values()))
    known = first_spacing is not None and second_spacing is not None
    one = (first_spacing[1], first_spacing[0]) if known and first_spacing else (1.0, 1.0)
    two = (second_spacing[1], second_spacing[0]) if known and second_spacing else (1.0, 1.0)

    def placed(points: Points, pixel: tuple[float, float]) -> np.ndarray:
        return np.array([complex(points[s][0] * pixel[0], points[s][1] * pixel[1]) for s in sites])

    return _Shared(sites, placed(first, one), placed(second, two), one, two, "mm" if known else "pixels")


def _leads(first: Points, second: Points) -> dict[str, str]:
    """Every site on both films -> the first site that lies at the same places."""
    seen: dict[tuple[tuple[float, float], tuple[float, float]], str] = {}
    return {site: seen.setdefault((first[site], second[site]), site) for site in first if site in second}


def _register(shared: _Shared, *, may_shear: bool = True) -> Registration | NotRegistered:
    count = len(shared.sites)
    if count < FEWEST:
        marked = "no site is" if not count else "only 1 site is" if count == 1 else f"only {count} sites are"
        return NotRegistered(f"{marked} marked on both films, and {FEWEST} are needed")
    kept = _agreeing(shared)
    if kept.sum() < max(FEWEST, count / 2):
        return NotRegistered(f"the {count} sites marked on both films do not agree on one movement")
    used = shared.part(np.flatnonzero(kept))
    kind, fit = _best(used) if may_shear else ("similarity", _similarity(used))
    if fit.residual > LARGEST[shared.unit]:
        return NotRegistered(
            f"sites lie {fit.residual:.1f} {shared.unit} from where the others put them, "
            f"more than {LARGEST[shared.unit]:g}"
        )
    stretch = float(np.sqrt(abs(np.linalg.det(fit.linear[:, :2]))))
    if shared.unit == "mm" and not SCALES[0] <= stretch <= SCALES[1]:
        return NotRegistered(f"one film shows the anatomy {stretch:.2f} times as large as the other")
    out = tuple(site for site, fits in zip(shared.sites, kept, strict=True) if not fits)
    return Registration(_in_pixels(fit.linear, shared), kind, fit.residual, shared.unit, used.sites, out)


def _near(shared: _Shared, place: int, whole: Registration | NotRegistered) -> Registration | None:
    """The fit of the sites around one of them, where it predicts them better than the whole film's does."""
    order = np.argsort(abs(shared.first - shared.first[place]), kind="stable")
    best = None
    for count in NEAREST:
        if count > len(order):
            break
        found = _register(shared.part(np.sort(order[:count])), may_shear=False)
        if isinstance(found, NotRegistered) or shared.sites[place] not in found.used:
            continue
        if best is None or found.residual < best.residual:
            best = found
    if best is None:
        return None
    own = _anchored(best, shared, place)
    if isinstance(whole, NotRegistered):
        return own
    here = [shared.sites.index(site) for site in best.used]
    moved = _apply(np.array(whole.matrix), shared.first[here], shared.first_pixel, shared.second_pixel)
    of_whole = float(np.sqrt(np.mean(abs(moved - shared.second[here]) ** 2)))
    return own if best.residual < LOCAL_GAIN * of_whole else None


def _anchored(found: Registration, shared: _Shared, place: int) -> Registration:
    """The same turn and scale, shifted so that one site comes to its place."""
    one, two = shared.first_pixel, shared.second_pixel
    miss = shared.second[place] - complex(_apply(np.array(found.matrix), shared.first[[place]], one, two)[0])
    shift = np.array([[0, 0, miss.real / two[0]], [0, 0, miss.imag / two[1]]])
    return replace(found, matrix=_as_matrix(np.array(found.matrix) + shift))


def _apply(
    matrix: np.ndarray, places: np.ndarray, one: tuple[float, float], two: tuple[float, float]
) -> np.ndarray:
    """Places in ``unit`` through a matrix in pixels, back in ``unit``."""
    x, y = places.real / one[0], places.imag / one[1]
    moved = matrix @ np.vstack([x, y, np.ones_like(x)])
    return moved[0] * two[0] + 1j * moved[1] * two[1]


# -- fitting -----------------------------------------------------------------------------------------------


def _agreeing(shared: _Shared) -> np.ndarray:
    """Which sites agree: those near the similarity through two of them whose median miss is least.

    Source: least median of squares with its usual scale, Rousseeuw 1984, J Am Stat Assoc 79:871-880.
    """
    z, w, count = shared.first, shared.second, len(shared.sites)
    one, two = np.triu_indices(count, 1)
    apart = z[one] - z[two]
    one, two, apart = one[apart != 0], two[apart != 0], apart[apart != 0]
    if not len(one):
        return np.zeros(count, dtype=bool)
    turn = (w[one] - w[two]) / apart
    misses = abs(turn[:, None] * z + (w[one] - turn * z[one])[:, None] - w)
    half = (count + 3) // 2
    middle = np.sort(misses, axis=1)[:, half - 1]
    best = int(np.argmin(middle))
    spread = 1.4826 * (1 + 5 / max(1, count - 2)) * middle[best]
    return np.asarray(misses[best] <= max(2.5 * spread, TOLERANCE[shared.unit]))


def _best(used: _Shared) -> tuple[str, _Fit]:
    similarity = _similarity(used)
    if len(used.sites) < FEWEST_AFFINE:
        return "similarity", similarity
    affine = _affine(used)
    if affine is None or affine.residual > AFFINE_GAIN * similarity.residual:
        return "similarity", similarity
    stretches = np.linalg.svd(affine.linear[:, :2], compute_uv=False)
    if used.unit == "mm" and not (SCALES[0] <= stretches.min() and stretches.max() <= SCALES[1]):
        return "similarity", similarity
    return "affine", affine


def _similarity(used: _Shared) -> _Fit:
    """Least squares ``w = a z + b`` in complex numbers: a turns and scales, b shifts; it never mirrors."""
    design = np.column_stack([used.first, np.ones(len(used.first))])
    (a, b), misses = _least_squares(design, used.second)
    linear = np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])
    return _Fit(linear, abs(misses))


def _affine(used: _Shared) -> _Fit | None:
    """Least squares with all six numbers free; None where the sites lie on one line, or it would mirror."""
    design = np.column_stack([used.first.real, used.first.imag, np.ones(len(used.first))])
    centred = design[:, :2] - design[:, :2].mean(axis=0)
    wide, narrow = np.linalg.svd(centred, compute_uv=False)
    if narrow < 0.02 * wide:
        return None
    numbers, misses = _least_squares(design, np.column_stack([used.second.real, used.second.imag]))
    linear = numbers.T
    if np.linalg.det(linear[:, :2]) <= 0:
        return None
    return _Fit(linear, np.hypot(*misses.T))


def _least_squares(design: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients, and each row's miss when it is left out: residual / (1 - leverage)."""
    q, r = np.linalg.qr(design)
    numbers = np.linalg.solve(r, q.conj().T @ wanted)
    leverage = np.clip(np.sum(abs(q) ** 2, axis=1), 0, 1 - 1e-9)
    left = wanted - design @ numbers
    return numbers, left / (1 - leverage if left.ndim == 1 else (1 - leverage)[:, None])


def _in_pixels(linear: np.ndarray, shared: _Shared) -> Matrix:
    one, two = shared.first_pixel, shared.second_pixel
    into = np.diag([one[0], one[1], 1.0])
    return _as_matrix(np.diag([1 / two[0], 1 / two[1]]) @ linear @ into)


def _as_matrix(numbers: np.ndarray) -> Matrix:
    (a, b, c), (d, e, f) = numbers.tolist()
    return (a, b, c), (d, e, f)
