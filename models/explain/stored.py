"""The map of a stored finding: recomputed from the film by the same weights.

Which function answers is the system's own (``Explanations`` in :mod:`models.system`); here is what all of
them share: the stored finding, its weights, the verdict on such maps.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core import scores
from core.domain import Image, Viewer
from core.errors import InputError, ModelError
from core.scores.system import ScoreSystem
from data.dicom.images import load_image
from data.queries.findings import of_image
from data.queries.stacks import load, stacks_with
from data.store.cohort import CohortStore
from models.explain.explanation import Explanation
from models.explain.verdict import Verdict, read_verdict
from models.registry import explanations_of, model_of


@dataclass(frozen=True)
class Shown:
    """One map with the verdict on maps of its network. heat: (rows, columns) on the tile, largest value 1."""

    title: str
    method: str
    heat: np.ndarray
    verdict: Verdict


@dataclass(frozen=True)
class Explained:
    """Everything that stands beside the maps of one finding; see :class:`models.explain.explanation.Told`."""

    site: str
    feature: str
    explanation: Explanation
    maps: tuple[Shown, ...]
    reader: str
    weights_hash: str
    image: str
    notes: tuple[str, ...] = ()
    phantom: bool = False
    thing: str = "film"


def explain(
    store: CohortStore,
    image: str,
    site: str,
    *,
    system: str = "",
    feature: str = "",
    size: str = "demo",
) -> Explained:
    """Why the model gave its finding at a site, from the film alone (read mode ``single``).

    system: the score that has the site where left out. feature: which finding where the site has several;
    the site's own where it is left out, else the one that is there. Raises InputError where no finding is
    stored there, ModelError where other weights than those of this size made it.
    """
    asked = scores.get(system or _system_of(site))
    explanations = explanations_of(asked.name)
    stored, others = _stored(store, image, site, feature, asked)
    reader, weights_hash = model_of(asked.name).identify(size)
    if stored["weights_hash"] != weights_hash:
        raise ModelError(
            f"{stored['reader']} gave the finding at {site} with weights {stored['weights_hash'][:12]}",
            f"the weights of size {size} are {weights_hash[:12]}, and would explain another grade",
            "run 'sharpline score' first, or give the --size that made it",
        )
    model = model_of(asked.name)
    shown, stored = _of_stack(store, image, stored) if model.stacks else (load_image(store, image), stored)
    explanation = explanations.explain(shown, stored, size)
    maps = tuple(
        Shown(one.title, one.method, one.heat, read_verdict(asked.name, size, one.network, one.method))
        for one in explanation.maps
    )
    return Explained(
        site=site,
        feature=str(stored["feature"]),
        explanation=explanation,
        maps=maps,
        reader=reader,
        weights_hash=weights_hash,
        image=image,
        notes=(*explanation.notes, *_notes(store, image, site, asked.name, others)),
        phantom=store.is_phantom,
        thing=asked.image_title,
    )


def _of_stack(store: CohortStore, image: str, stored: pd.Series) -> tuple[Image, pd.Series]:
    """The stack of which an image is a slice, and the row with ``frame``: the slice of the finding in it.

    Raises InputError where the image is of no stack.
    """
    frame = int(json.loads(stored["geometry"] or "{}").get("frame", 0))
    for found in stacks_with(store, Viewer(), [image]):
        here = [one.position for one in found.stack.slices if (one.image, one.frame) == (image, frame)]
        if here and here[0] is not None:
            whole = load(store, found)
            away = np.linalg.norm(np.array(whole.positions_mm) - np.array(here[0]), axis=1)
            return whole, pd.concat([stored, pd.Series({"frame": int(away.argmin())})])
    raise InputError(f"image {image[:12]}", "it is no slice of a stack", "choose a finding on a stack")


def _system_of(site: str) -> str:
    """The name of the system that has a site of this code."""
    found = [one.name for one in scores.systems().values() if site in one.by_code]
    if len(found) != 1:
        need = "no score has it" if not found else f"{', '.join(found)} have it"
        raise InputError(f"site {site!r}", need, "give the site as the score writes it, or name the --system")
    return found[0]


def _stored(
    store: CohortStore, image: str, site: str, feature: str, system: ScoreSystem
) -> tuple[pd.Series, list[str]]:
    """The row of the finding, and the other features found at the site."""
    if site not in system.codes:
        raise InputError(f"site {site!r}", f"one of {', '.join(system.codes)} is needed", "name one of them")
    rows = of_image(store, Viewer(), image, system.name, read_mode="single")
    found = rows[rows["site"] == site]
    if found.empty:
        abstained = rows["abstained"].dropna()
        why = f"the model abstained ({abstained.iloc[0]})" if len(abstained) else "no model graded it there"
        raise InputError(f"site {site} of film {image[:12]}", why, "choose a site that has a finding")
    features = [str(one) for one in found["feature"]]
    own = system.by_code[site].feature
    wanted = feature or (own if own in features else features[0])
    if wanted not in features:
        there = ", ".join(features)
        raise InputError(f"{wanted} at {site}", f"found there: {there}", "name one of these with --feature")
    return found.iloc[features.index(wanted)], [one for one in features if one != wanted]


def _notes(store: CohortStore, image: str, site: str, system: str, others: list[str]) -> tuple[str, ...]:
    """What else was found or read there."""
    notes = [f"also found there: {', '.join(others)}"] if others else []
    paired = of_image(store, Viewer(), image, system, read_mode="paired")
    together = paired[paired["site"] == site]
    if len(together) and pd.notna(together["grade"].iloc[0]):
        given = int(together["grade"].iloc[0])
        notes.append(f"with the patient's films compared side by side: grade {given}")
    return tuple(notes)
