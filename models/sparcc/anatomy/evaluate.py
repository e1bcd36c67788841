"""How well bodies and discs are found on labelled volumes of patients that the network never saw.

python -m models.sparcc.anatomy.evaluate --data DIR --weights DIR [--weights DIR]
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd

from core.agreement.estimate import Estimate
from core.domain import Abstained, Image
from models import cards
from models.evaluation.intervals import mean_by_patient
from models.sparcc.anatomy.levels import Named
from models.sparcc.anatomy.segment import Segmented, build_segmenter
from models.sparcc.anatomy.targets import CHANNELS, FULL, targets_of
from models.sparcc.anatomy.volumes import LabelledStack, read_folder, without_copies

MIN_OVERLAP = 0.5  # of a labelled body that a found one must cover to be the same


def dice(found: np.ndarray, wanted: np.ndarray, known: np.ndarray) -> float:
    """Dice where labels say what is there; what lies beyond the labelled ends of a column does not count."""
    found, wanted = found & known, wanted & known
    both = int(found.sum()) + int(wanted.sum())
    return 2 * int((found & wanted).sum()) / both if both else float("nan")


def image_of(stack: LabelledStack) -> Image:
    """A labelled volume as the image of a stack."""
    return Image(
        stack.file,
        stack.frames,
        stack.spacing_mm[1:],
        "MR",
        slice_spacing_mm=stack.spacing_mm[0],
        orientation=((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
        positions_mm=tuple((-place * stack.spacing_mm[0], 0.0, 0.0) for place in range(len(stack.frames))),
    )


def row_of(stack: LabelledStack, found: Segmented) -> dict[str, Any]:
    """Figures of one volume: Dice of what is labelled, bodies named rightly, wrongly or not at all."""
    targets = targets_of(stack)
    channel = CHANNELS.index("body" if stack.has_bodies else "disc")
    known = targets.weight[channel] == FULL
    number = len(found.bodies)
    mask = (found.labels > 0) & ((found.labels <= number) == stack.has_bodies)
    row: dict[str, Any] = {
        "file": stack.file,
        "source": stack.source,
        "patient": stack.patient,
        "dice": dice(mask, targets.wanted[channel] > 0, known),
        "bodies_found": len(found.bodies),
        "abstained": found.named.reason if isinstance(found.named, Abstained) else "",
        "confidence": found.named.confidence if isinstance(found.named, Named) else np.nan,
    }
    return row | (_names(stack, found) if stack.has_bodies else {})


def _names(stack: LabelledStack, found: Segmented) -> dict[str, int]:
    """Labelled bodies by what became of them: ``missed``, ``right``, ``wrong``, ``unnamed``."""
    counts = dict.fromkeys(("missed", "right", "wrong", "unnamed"), 0)
    for value, name in enumerate(stack.names, 1):
        inside = found.labels[stack.labels == value]
        inside = inside[(inside > 0) & (inside <= len(found.bodies))]
        numbers = np.bincount(inside, minlength=1)
        if not len(inside) or numbers.max() < MIN_OVERLAP * (stack.labels == value).sum():
            counts["missed"] += 1
            continue
        said = found.levels.get(int(numbers.argmax()))
        counts["unnamed" if said is None else "right" if said == name else "wrong"] += 1
    return counts


def rows_of(stacks: Sequence[LabelledStack], folders: Sequence[Path], size: str) -> Iterator[dict[str, Any]]:
    """A row for each volume and each network that was not trained on its patient."""
    for folder in folders:
        card = cards.read_card("sparcc", size, folder)
        segmenter = build_segmenter(size, folder)
        unseen = set(card["training"]["test_patients"]) - set(card["training"]["patients"])
        for stack in stacks:
            found = segmenter.segment(image_of(stack)) if stack.patient in unseen else None
            if isinstance(found, Segmented):
                yield row_of(stack, found) | {"weights": folder.name}


def figures(rows: pd.DataFrame) -> dict[str, Any]:
    """Dice by source with 95% intervals over patients (volumes of a patient averaged), and names."""
    result: dict[str, Any] = {}
    for source, of_source in rows.groupby("source", sort=True):
        by_patient = of_source.groupby("patient")["dice"].mean()
        entry: dict[str, Any] = {
            "patients": len(by_patient),
            "volumes": len(of_source),
            "dice": rounded(mean_by_patient(by_patient.to_numpy(), by_patient.index.to_numpy())),
            "lowest": round(float(by_patient.min()), 3),
            "abstained_on_names": int((of_source["abstained"] != "").sum()),
        }
        if "right" in of_source and of_source["right"].notna().all():
            entry["bodies"] = {
                name: int(of_source[name].sum()) for name in ("right", "wrong", "unnamed", "missed")
            }
        result[str(source)] = entry
    return result


def rounded(found: Estimate) -> list[float | None]:
    """Estimate and limits to three digits; None where there is none."""
    numbers = (found["estimate"], *found["ci"])
    return [None if number is None else round(number, 3) for number in numbers]


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--weights", "folders", type=click.Path(path_type=Path), multiple=True, required=True)
@click.option("--size", type=click.Choice(["demo", "full"]), default="demo")
@click.option("--rows", "table", type=click.Path(path_type=Path), default=None, help="The volumes as CSV.")
@click.option("--name", default=None, help="Keep the figures in the first card under this name.")
def main(data: Path, folders: tuple[Path, ...], size: str, table: Path | None, name: str | None) -> None:
    """Figures of networks on the patients that each of them never saw."""
    import torch

    torch.set_num_threads(1)
    rows = pd.DataFrame(rows_of(without_copies(read_folder(data)), folders, size))
    if table:
        rows.to_csv(table, index=False)
    found = figures(rows)
    if name:
        card = cards.read_card("sparcc", size, folders[0])
        card["evaluation"] = card.get("evaluation", {}) | {name: found}
        cards.write_card(card, "sparcc", size, folders[0])
    click.echo(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
