"""What folds dealt out by image give away: networks trained and tested with folds by patient and by image on
phantom stacks. They are small and trained briefly: the difference is what counts, not the figures.

python -m models.sparcc.oedema.leak --stacks DIR --phantom 24 --folds 10 --epochs 60
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch

from core.agreement.bootstrap import DRAWS, draw_counts, percentiles
from models.common.attention_unet import AttentionUNet
from models.sparcc.oedema.finder import patches
from models.sparcc.oedema.network import MM
from models.sparcc.oedema.samples import Sample, Samples, samples_of
from models.sparcc.oedema.slices import FoldBy, fold_of, on_both_sides
from models.sparcc.oedema.training import TRAINING
from models.sparcc.rendered import Patients, rendered
from models.sparcc.triples import triple
from models.training.loop import Recipe
from models.training.network import NetworkTraining

WIDTHS = (8, 16, 32, 64)
EXTENT = 0.5
RECIPE = Recipe(epochs=60, batch=8, images=80, learning_rate=3e-3, average=0.99)


def small(size: str) -> AttentionUNet:
    """A network of a fifth of the parameters, whatever the size."""
    return AttentionUNet(3, 1, WIDTHS)


def small_training() -> NetworkTraining:
    """The training of the shipped network, with a small one."""
    return replace(TRAINING, build=small)


def tested(samples: Samples, by: FoldBy, count: int, recipe: Recipe) -> tuple[np.ndarray, np.ndarray]:
    """(n,) of each slice: the highest chance of a patch that finds it by overlap, 0 where none does, by the
    network that was trained without its fold; and its pixels found, missed and found wrongly (n, 3).
    """
    training = small_training()
    slices = list(samples.slices)
    fold = fold_of(slices, by=by, count=count, seed=recipe.seed)
    peaks, pixels = np.zeros(len(slices)), np.zeros((len(slices), 3))
    for number in range(count):
        kept = [one for one, other in zip(slices, fold, strict=True) if other != number]
        network = training.train(replace(samples, slices=kept), recipe).network
        held_out = np.flatnonzero(fold == number)
        for place, found in zip(held_out, _seen(network, samples, held_out), strict=True):
            peaks[place], pixels[place] = found
    return peaks, pixels


def _seen(
    network: torch.nn.Module, samples: Samples, places: np.ndarray
) -> Iterator[tuple[float, tuple[int, int, int]]]:
    for one in (samples.slices[place] for place in places):
        sample: Sample = samples.stacks[one.stack]
        shown = triple(sample.stir, one.frame).astype(np.float32) / 255
        rows, columns = shown.shape[1:]
        step = 2 ** (len(WIDTHS) - 1)
        padded = np.pad(shown, ((0, 0), (0, -rows % step), (0, -columns % step)))[None]
        with torch.inference_mode():
            sure = torch.sigmoid(network(torch.from_numpy(padded)))[0, 0, :rows, :columns].numpy()
        wanted = sample.oedema[one.frame]
        met = [
            patch.peak
            for patch in patches(sure[None], EXTENT, (MM, MM))
            if not one.positive or wanted[patch.pixels].any()
        ]
        found = sure > EXTENT
        counts = int((found & wanted).sum()), int((~found & wanted).sum()), int((found & ~wanted).sum())
        yield max(met, default=0.0), counts


def auc(peaks: np.ndarray, positive: np.ndarray, weight: np.ndarray) -> float:
    """Chance that a positive slice has the higher peak than a negative one, ties half; weighted."""
    values, place = np.unique(peaks, return_inverse=True)
    ill = np.bincount(place, weight * positive, minlength=len(values))
    well = np.bincount(place, weight * ~positive, minlength=len(values))
    below = np.concatenate([[0.0], np.cumsum(well)[:-1]])
    return float((ill * (below + well / 2)).sum() / (ill.sum() * well.sum()))


def compared(samples: Samples, count: int, recipe: Recipe, draws: int = DRAWS) -> dict[str, Any]:
    """AUC of slices and Dice of all pixels with both kinds of folds, and the difference, which is the leak.

    95% intervals over patients, who are drawn alike for both.
    """
    slices = list(samples.slices)
    positive = np.array([one.positive for one in slices])
    names, who = np.unique([one.patient for one in slices], return_inverse=True)
    drawn = draw_counts(len(names), draws=draws)[:, who].astype(float)
    weights = np.concatenate([np.ones((1, len(slices))), drawn])  # the first is the estimate
    found: dict[str, Any] = {
        "patients": len(names), "slices": len(slices), "positive_slices": int(positive.sum()), "folds": count,
    }  # fmt: skip
    values = {}
    for by in FoldBy:
        peaks, pixels = tested(samples, by, count, recipe)
        fold = fold_of(slices, by=by, count=count, seed=recipe.seed)
        values[by] = np.array([(auc(peaks, positive, one), _dice(pixels, one)) for one in weights])
        found[str(by)] = _limits(values[by]) | {"on_both_sides": len(on_both_sides(slices, fold))}
    return found | {"leak": _limits(values[FoldBy.IMAGE] - values[FoldBy.PATIENT])}


def _limits(values: np.ndarray) -> dict[str, list[float]]:
    """values (1 + draws, 2): AUC and Dice."""
    limits, _ = percentiles(values[1:])
    return {
        name: [round(float(one), 3) for one in (values[0, at], *limits[:, at])]
        for at, name in enumerate(("auc", "dice"))
    }


def _dice(pixels: np.ndarray, weight: np.ndarray) -> float:
    met, missed, wrong = weight @ pixels
    return float(2 * met / (2 * met + missed + wrong)) if met else 0.0


@click.command()
@click.option(
    "--stacks", type=click.Path(path_type=Path), required=True, help="Folder where stacks are kept."
)
@click.option("--phantom", type=int, default=24, show_default=True, help="Patients.")
@click.option("--folds", "count", type=int, default=10, show_default=True)
@click.option("--epochs", type=int, default=60, show_default=True, help="Of each network, 80 views each.")
def main(stacks: Path, phantom: int, count: int, epochs: int) -> None:
    """Compare folds by image and by patient."""
    torch.set_num_threads(1)
    samples = samples_of(rendered(Patients(phantom), stacks))
    click.echo(json.dumps(compared(samples, count, replace(RECIPE, epochs=epochs)), indent=1))


if __name__ == "__main__":
    main()
