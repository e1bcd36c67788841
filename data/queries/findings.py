"""What a model saw on one film or stack, or on all those of a patient, with the run that saw it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from core.domain import Viewer
from core.errors import InputError
from core.imaging.sequences import Needs
from data.queries.answer import answer
from data.queries.patient import box_of
from data.queries.stacks import stacks_with
from data.store.cohort import CohortStore


def find_image(store: CohortStore, viewer: Viewer, name: str) -> str:
    """The film whose id begins with ``name``. Raises InputError where there is none, or more than one."""
    rows = answer(
        store, viewer, "SELECT image FROM image WHERE starts_with(image, $name)", values={"name": name}
    )
    if len(rows) != 1 or not name:
        needed = "no film has this id" if rows.empty else f"{len(rows)} films begin with it"
        raise InputError(f"image {name!r}", needed, "see: sharpline export --table images --out images.csv")
    return str(rows["image"].iloc[0])


def images_of(store: CohortStore, viewer: Viewer, subject: str, system: str = "") -> list[str]:
    """The films of a patient in the order of the visits. Raises InputError where there are none.

    system: leaves out films that only models of other systems have read.
    """
    sql = """
        SELECT i.image FROM image i LEFT JOIN visit v USING (subject, visit)
        WHERE i.subject = $subject AND ($system = '' OR coalesce(
            (SELECT bool_or(f.system = $system) FROM finding f WHERE f.image = i.image), true))
        ORDER BY v.visit_order, i.visit, i.body_part, i.image
    """
    values = {"subject": subject, "system": system}
    found = answer(store, viewer, sql, values=values)["image"].tolist()
    if not found:
        raise InputError(f"subject {subject!r}", "no film belongs to it", "see: export --table images")
    return [str(image) for image in found]


def in_stacks(
    store: CohortStore, viewer: Viewer, images: Sequence[str], needs: Needs | None = None
) -> list[tuple[str, ...]]:
    """The images of each stack that one of ``images`` is a slice of, in the order of its slices.

    needs: what a scorer reads; leaves out stacks that it would not be given and has not read.
    """
    sql = "SELECT DISTINCT image FROM finding WHERE list_contains($images, image)"
    read = set(answer(store, viewer, sql, values={"images": list(images)})["image"])
    found = {}
    for stack in stacks_with(store, viewer, images):
        slices = tuple(dict.fromkeys(one.image for one in stack.stack.slices))
        if needs is None or not stack.why_not(needs) or not read.isdisjoint(slices):
            found[slices] = set(slices)
    return [slices for slices, known in found.items() if not known.isdisjoint(images)]


def of_images(
    store: CohortStore, viewer: Viewer, images: Sequence[str], system: str, *, read_mode: str = ""
) -> pd.DataFrame:
    """The findings of the newest run on a film, or on the images of a stack; an abstention has no site.

    ``finding, image, site, feature, grade, grade_probabilities, confidence, box`` (core.domain.Box or None),
    ``geometry, abstained, reader, run, campaign, read_mode, weights_hash, software, happened_at``.
    read_mode: ``single`` or ``paired``; both where empty, of which paired reads come first.
    """
    sql = """
        SELECT f.finding, f.image, f.site, f.feature, f.grade, f.grade_probabilities, f.confidence,
            f.geometry, f.abstained, u.reader, u.run, u.campaign, c.read_mode, u.weights_hash, u.software,
            e.happened_at
        FROM finding f JOIN run u USING (run)
        LEFT JOIN campaign c ON c.campaign = u.campaign AND c.system = f.system
        LEFT JOIN event e ON e.event = f.event
        WHERE list_contains($images, f.image) AND f.system = $system AND ($mode = '' OR c.read_mode = $mode)
        QUALIFY dense_rank() OVER (ORDER BY c.read_mode = 'paired' DESC, f.event DESC, u.run) = 1
        ORDER BY f.site, f.feature
    """
    values = {"images": list(images), "system": system, "mode": read_mode}
    frame = answer(store, viewer, sql, values=values, own_events=True)
    return frame.assign(box=frame["geometry"].map(box_of).astype(object))


def of_image(
    store: CohortStore, viewer: Viewer, image: str, system: str, *, read_mode: str = ""
) -> pd.DataFrame:
    """The same of one film."""
    return of_images(store, viewer, [image], system, read_mode=read_mode)
