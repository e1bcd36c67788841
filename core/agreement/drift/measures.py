"""What is watched for drift: the model against readers, what it gives out, and the images it is given."""

from __future__ import annotations

from dataclasses import dataclass

AGREEMENT, OUTPUT, IMAGE = "agreement", "output", "image"


@dataclass(frozen=True)
class Measure:
    """One thing that is watched. group: agreement, output or image. short: for a narrow place."""

    name: str
    title: str
    short: str
    group: str
    unit: str


MEASURES = (
    Measure("difference", "model minus mean of readers", "model – readers", AGREEMENT, "grades a site"),
    Measure("error", "absolute difference, model and readers", "abs. difference", AGREEMENT, "grades a site"),
    Measure("grade", "mean grade of the model", "grade", OUTPUT, "grades a site"),
    Measure("confidence", "confidence that the site is there", "confidence", OUTPUT, "0 to 1"),
    Measure("certainty", "chance that the model gives its grade", "certainty", OUTPUT, "0 to 1"),
    Measure("abstained", "images abstained on", "abstained", OUTPUT, "share"),
    Measure("unscorable", "sites of a scored image without a grade", "no grade", OUTPUT, "share"),
    Measure("spacing_mm", "distance between pixels", "pixel spacing", IMAGE, "mm"),
    Measure("brightness", "mean grey value", "brightness", IMAGE, "share of the scale"),
    Measure("contrast", "5% to 95% of grey values", "contrast", IMAGE, "share of the scale"),
    Measure("noise", "noise of neighbouring pixels", "noise", IMAGE, "share of the scale"),
)
BY_NAME = {one.name: one for one in MEASURES}
