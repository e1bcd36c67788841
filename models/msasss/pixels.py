"""Film pixels as the networks see them: bone bright, grey in [0, 1], at a stated number of millimetres a
pixel.

A point (x, y) in pixels counts from the upper left corner of the first pixel, whose centre is (0.5, 0.5);
film millimetres are pixels times spacing.
"""

from __future__ import annotations

from models.common.frames import TileShape

FINDER_MM = 1.25  # the finder sees the whole film at this scale
TILES: dict[str, TileShape] = {
    "cervical": TileShape(rows=160, columns=128, mm_per_pixel=0.17, midpoint_x=0.40),
    "lumbar": TileShape(rows=160, columns=128, mm_per_pixel=0.28, midpoint_x=0.40),
}
