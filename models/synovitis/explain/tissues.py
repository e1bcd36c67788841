"""In which tissue the heat of a map lies, against chance (the tissue's area) and against random weights.

The question that the paper leaves open, answered where the tissues are known to the pixel: on phantoms. Heat
that lies in furniture or beside the scan, or in a diagnosis as much in any tissue as by chance, is a sign
that a network has learned the machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import pandas as pd
import torch

from core.agreement.bootstrap import DRAWS, draw_counts, percentiles
from core.agreement.estimate import Estimate, estimate
from core.domain import Image
from models.evaluation.intervals import mean_by_patient
from models.explain.checks import similarity
from models.synovitis.explain.explainer import SynovitisExplainer
from models.synovitis.explain.view import view_of
from models.synovitis.networks import PIXELS, seen_rows

PARTS: Mapping[str, tuple[str, ...]] = {
    "synovium": ("synovium",),
    "tendon": ("tendon", "tendon sheath"),
    "bone": ("bone",),
    "background": ("soft tissue", "fat", "gel", "effusion", "cartilage"),
    "furniture": ("furniture",),
    "beside the scan": (),
}
SEEDS = (1, 2, 3)  # of networks with random weights


def parts_of(image: Image, tissue: np.ndarray, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Part -> its share of each pixel that the networks look at (the upper rows of a picture); they sum to 1.

    tissue: codes of the image's pixels (rows, columns), places of ``names``.
    """
    view = view_of(image, PIXELS)
    found = {
        part: sum((view.laid(tissue == names.index(name)) for name in own), np.zeros((PIXELS, PIXELS)))
        for part, own in PARTS.items()
    }
    found["beside the scan"] = np.clip(1 - sum(found.values()), 0, 1)
    return {part: mask[: seen_rows(PIXELS)] for part, mask in found.items()}


def shares(heat: np.ndarray, parts: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Part -> share of the heat in it; all 0 where there is no heat."""
    total = float(heat.sum())
    return {part: float((heat * mask).sum()) / total if total else 0.0 for part, mask in parts.items()}


def random_networks(explainer: SynovitisExplainer, task: str, seeds: Iterable[int] = SEEDS) -> list[Any]:
    """Networks of the same definition with random weights; the draw of a seed is always the same."""
    made = []
    for seed in seeds:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            fresh = explainer.fresh(task, explainer.size).state_dict()
        copied = deepcopy(explainer.networks[task])
        copied.load_state_dict(fresh)
        made.append(copied.eval())
    return made


def heat_rows(
    explainer: SynovitisExplainer, image: Image, parts: Mapping[str, np.ndarray],
    answers: Mapping[str, int], drawn: Mapping[str, Sequence[Any]],
) -> list[dict[str, Any]]:  # fmt: skip
    """A row a task and part of one image: ``task, answer, part, area, share, random, empty, likeness``.

    answers: task -> the class that is explained. drawn: task -> networks with random weights, whose shares
    are averaged where they give any heat; likeness: of the map with theirs (rank correlation).
    """
    rows = []
    for task, answer in answers.items():
        asked = explainer.about(image, task, answer)
        heat = explainer.heat(asked)
        others = [explainer.heat(asked, network=network) for network in drawn[task]]
        own, hot = shares(heat, parts), [shares(other, parts) for other in others if other.any()]
        likeness = float(np.mean([similarity(heat, other, ranks=True) for other in others]))
        rows += [
            {
                "task": task, "answer": answer, "part": part, "area": float(mask.mean()), "share": own[part],
                "random": float(np.mean([one[part] for one in hot])) if hot else np.nan,
                "empty": not heat.any(), "likeness": likeness,
            }
            for part, mask in parts.items()
        ]  # fmt: skip
    return rows


def figures(rows: pd.DataFrame, *, draws: int = DRAWS) -> dict[str, Any]:
    """Task -> maps, patients, maps without heat, likeness to maps of random weights, and part -> share of
    heat, area, share with random weights, heat against chance and against random weights (ratios of means).

    rows: of ``heat_rows`` with ``patient`` and ``image``. Maps without heat count in no share.
    """
    found: dict[str, Any] = {}
    for task, own in rows.groupby("task", sort=False):
        hot = own[~own["empty"].astype(bool)]
        first = own.drop_duplicates("image")
        found[str(task)] = {
            "maps": len(first),
            "patients": int(first["patient"].nunique()),
            "empty": int(first["empty"].sum()),
            "likeness": mean_by_patient(first["likeness"], first["patient"], draws=draws),
            "parts": {str(part): _part(one, draws) for part, one in hot.groupby("part", sort=False)},
        }
    return found


def _part(rows: pd.DataFrame, draws: int) -> dict[str, Estimate]:
    names = ("share", "area", "random")
    known = {name: rows[rows[name].notna()] for name in names}
    means = {name: mean_by_patient(one[name], one["patient"], draws=draws) for name, one in known.items()}
    against = {"times_chance": "area", "times_random": "random"}
    return means | {name: _times(rows, other, draws) for name, other in against.items()}


def _times(rows: pd.DataFrame, other: str, draws: int) -> Estimate:
    """Mean share of heat over another mean, of the same maps; patients are drawn."""
    sums = rows[rows[other].notna()].groupby("patient")[["share", other]].sum().to_numpy(float)
    whole = sums.sum(axis=0)
    if not len(sums) or not whole[1]:
        return estimate(None)
    if len(sums) < 2:
        return estimate(whole[0] / whole[1])
    drawn = draw_counts(len(sums), draws=draws) @ sums
    with np.errstate(divide="ignore", invalid="ignore"):
        limits, _ = percentiles(drawn[:, 0] / drawn[:, 1])
    return estimate(whole[0] / whole[1], *limits)
