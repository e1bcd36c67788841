"""Fake colour: a slice between its neighbours, as the channels red, green and blue of one picture.

Neighbours are those in space. What stands for a neighbour that is not there, at an end of the stack or beside
a gap, is a setting: the paper does not say.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from core.imaging.stacks import are_neighbours


class Edge(StrEnum):
    """What happens to a slice with one neighbour."""

    REPLICATE = "replicate"  # the slice itself stands for the one that is not there
    DROP = "drop"  # it is not looked at


@dataclass(frozen=True)
class Triples:
    """pixels (n, 3, rows, columns): previous, current and next slice. frames (n,): the current one's index.

    In the order of the slices along the normal; labels of a triple are those of its current slice alone.
    """

    pixels: np.ndarray
    frames: np.ndarray


def triple(frames: np.ndarray, place: int) -> np.ndarray:
    """(3, rows, columns): the slice before, the slice, the one after; at an end the slice itself again.

    frames: in spatial order.
    """
    last = len(frames) - 1
    return np.asarray(frames[[max(place - 1, 0), place, min(place + 1, last)]])


def triples(frames: np.ndarray, places_mm: np.ndarray, edge: Edge = Edge.REPLICATE) -> Triples:
    """The triples of a stack. frames (n, rows, columns) in any order, places_mm (n,): along the normal."""
    order = np.argsort(places_mm, kind="stable")
    joined = are_neighbours(np.asarray(places_mm)[order])
    before, after = np.concatenate([[False], joined]), np.concatenate([joined, [False]])
    at = np.arange(len(order))
    picks = np.stack([np.where(before, at - 1, at), at, np.where(after, at + 1, at)], axis=1)
    kept = before & after if edge is Edge.DROP else np.ones(len(order), dtype=bool)
    return Triples(frames[order[picks[kept]]], order[kept])
