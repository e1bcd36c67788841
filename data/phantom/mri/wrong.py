"""Stacks that come beside the right one by mistake, and that nobody can score."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data.phantom.mri.render import RenderedStack

MISSING_SLICE, LOCALISER = "missing_slice", "localiser"
KINDS = (MISSING_SLICE, LOCALISER)
SEQUENCE = {MISSING_SLICE: "STIR", LOCALISER: "T1"}
APART, COARSE = 5, 2  # of a localiser: slices between two of its three, pixels taken as one


def made_wrong(stack: RenderedStack, kind: str, seed: int) -> RenderedStack:
    """A stack as it is sent by mistake. Raises ValueError for a kind that does not exist.

    ``missing_slice``: a series that was broken off and lost one inner slice. ``localiser``: three coarse
    slices far from each other, by which stacks are planned.
    """
    slices = len(stack.stir)
    if kind == MISSING_SLICE:
        lost = int(np.random.default_rng(seed).integers(3, slices - 3))
        return _only(stack, [number for number in range(slices) if number != lost], 1, kind)
    if kind == LOCALISER:
        middle = slices // 2
        return _only(stack, [middle - APART, middle, middle + APART], COARSE, kind)
    raise ValueError(f"kind {kind!r} is not one of {', '.join(KINDS)}")


def _only(stack: RenderedStack, kept: list[int], step: int, kind: str) -> RenderedStack:
    """Some slices of a stack, every ``step``-th pixel of them."""
    parts = {
        name: np.ascontiguousarray(getattr(stack, name)[kept][:, ::step, ::step])
        for name in ("stir", "t1", "oedema", "structures")
    }
    places = tuple(stack.plan.positions_mm[number] for number in kept)
    return replace(
        stack,
        plan=replace(stack.plan, positions_mm=places),
        scan=replace(stack.scan, pixel=stack.scan.pixel * step),
        kind=kind,
        **parts,
    )
