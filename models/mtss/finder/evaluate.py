"""How well the site localiser finds: proportions of sites by group, films refused, intervals by patient.

python -m models.mtss.finder.evaluate --data DIR --data DIR
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd

from core.agreement.bootstrap import DRAWS
from core.domain import Abstained, Image
from core.scores.mtss import FINGERS
from models.common.coco import grey_pixels, read_coco
from models.evaluation.intervals import mean_by_patient
from models.mtss.finder.locate import SiteFinder, build_finder
from models.mtss.finder.network import UNITS
from models.mtss.places import MIN_VISIBLE

WITHIN_MM = 3.0
TO_SCORE = ("good", "underexposed", "soft", "rotated", "cut_edge", "missing_finger", "overlap", "mirrored")
GROUPS = ("fingers", "wrist", "feet")


def group_of(unit: str) -> str:
    """``fingers``, ``wrist`` or ``feet``."""
    if unit[1] == "F":
        return "feet"
    return "fingers" if unit[3:] in FINGERS else "wrist"


def films_of(folder: Path) -> Iterator[tuple[dict, list[dict], Image]]:
    """The image record, its boxes and the film of each image of a COCO folder, with the spacing that its
    file states (none for some).
    """
    labelled = read_coco(folder)
    for image, boxes in labelled.films():
        stated = image.get("shown_spacing_mm", image.get("spacing_mm"))
        pixels = grey_pixels(labelled.file_of(image))
        yield image, boxes, Image(image["file_name"], pixels, tuple(stated) if stated else None)


def evaluate_folder(finder: SiteFinder, folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row for each site that could be seen, and one for each film, of a COCO folder."""
    sites: list[dict[str, Any]] = []
    films: list[dict[str, Any]] = []
    for image, boxes, film in films_of(folder):
        found = finder.find(film)
        row = {key: image[key] for key in ("file_name", "patient", "view", "kind")}
        row["reason"] = found.reason if isinstance(found, Abstained) else ""
        row["said"] = "" if isinstance(found, Abstained) else found.view
        row["letters"] = len(image.get("letters", ()))
        row["stated"] = film.spacing_mm is not None
        row["mm_ratio"] = np.nan
        if not isinstance(found, Abstained):
            row["mm_ratio"] = found.mm_per_pixel / image["spacing_mm"][0]
        films.append(row)
        sites += _site_rows(row, boxes, found, float(image["spacing_mm"][0]))
    return pd.DataFrame(sites), pd.DataFrame(films)


def _site_rows(row: dict[str, Any], boxes: Sequence[dict], found: Any, mm: float) -> Iterator[dict[str, Any]]:
    for one in boxes:
        unit, seen = one["attributes"]["unit"], one["attributes"].get("visibility")
        if unit not in UNITS or (seen is not None and 0 < seen < MIN_VISIBLE):
            continue
        visible = seen is None or seen > 0
        place = None if isinstance(found, Abstained) else found.units.get(unit)
        x, y, width, height = one["bbox"]
        off = np.nan
        if place:
            off = float(np.hypot(place.x - x - width / 2, place.y - y - height / 2)) * mm
        yield row | {
            "unit": unit, "group": group_of(unit), "visible": visible, "off_mm": off,
            "sure": place.confidence if place else np.nan,
        }  # fmt: skip


def share(above: pd.Series, patients: pd.Series, *, draws: int = DRAWS) -> list[float | None]:
    """Proportion of rows that are true, and its 95% interval over patients, to four digits."""
    found = mean_by_patient(above, patients, is_proportion=True, draws=draws)
    numbers = (found["estimate"], *found["ci"])
    return [None if number is None else round(number, 4) for number in numbers]


def figures(sites: pd.DataFrame, films: pd.DataFrame) -> dict[str, Any]:
    """What is reported of a set of films: sites by group over films to be scored, and films refused."""
    kept = films["kind"].isin(TO_SCORE)
    result: dict[str, Any] = {"films": len(films), "patients": int(films["patient"].nunique()), "sites": {}}
    seen = sites[sites["visible"] & sites["kind"].isin(TO_SCORE)] if len(sites) else sites
    for group in GROUPS:
        rows = seen[seen["group"] == group] if len(seen) else seen
        if not len(rows):
            continue
        off = rows["off_mm"].dropna()
        result["sites"][group] = {
            "n": len(rows),
            "patients": int(rows["patient"].nunique()),
            "found_within_3_mm": share(rows["off_mm"] <= WITHIN_MM, rows["patient"]),
            "placed_beyond_3_mm": share(rows["off_mm"] > WITHIN_MM, rows["patient"]),
            "median_mm": round(float(off.median()), 2),
            "p95_mm": round(float(off.quantile(0.95)), 2),
        }
    if kept.any():
        refused = films[kept]["reason"] != ""
        result["to_score"] = {"films": int(kept.sum()), "refused": share(refused, films[kept]["patient"])}
    if (~kept).any():
        wrong = films[~kept]
        result["to_refuse"] = {
            "films": len(wrong), "refused_or_right": share(right(wrong), wrong["patient"]),
        }  # fmt: skip
    return result


def right(films: pd.DataFrame) -> pd.Series:
    """Whether films not to be scored as they are were refused, or feet sent as hands called feet."""
    return (films["reason"] != "") | ((films["kind"] == "foot_as_hand") & (films["said"] == "feet"))


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), multiple=True, required=True)
@click.option("--size", type=click.Choice(["demo", "full"]), default="demo")
@click.option("--weights", "folder", type=click.Path(path_type=Path), default=None)
@click.option("--rows", type=click.Path(path_type=Path), default=None, help="Folder for the tables as CSV.")
def main(data: tuple[Path, ...], size: str, folder: Path | None, rows: Path | None) -> None:
    """Figures of the finder on labelled films."""
    import torch

    torch.set_num_threads(1)
    finder = build_finder(size, folder=folder) if folder else build_finder(size)
    result = {}
    for place in data:
        sites, films = evaluate_folder(finder, place)
        result[place.name] = figures(sites, films)
        if rows:
            rows.mkdir(parents=True, exist_ok=True)
            sites.to_csv(rows / f"{place.name}-sites.csv", index=False)
            films.to_csv(rows / f"{place.name}-films.csv", index=False)
    click.echo(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
