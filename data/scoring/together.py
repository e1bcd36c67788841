"""Images of a visit that a model reads together: what a scoring run has still to read, and what it writes.

What is said of one image may depend on the others (names of levels are told across stacks, the highest grade
of a joint counts). So a visit is read anew when its images are no longer those with which its findings were
made, frame by frame (one imported later, released, assigned, told to be of another joint): the new rows
supersede the old ones.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import pandas as pd

from core.domain import HELD_BACK, Abstained, Finding, Image, Outline, Scored, Viewer
from data.queries.answer import answer
from data.scoring.filing import (
    Result,
    Run,
    chance_rows,
    file_visit,
    finding_rows,
    outline_rows,
    unscorable_rows,
)
from data.store.access import HELD_FILMS
from data.store.cohort import CohortStore
from data.store.transaction import Transaction

ANALYST = Viewer()
TABLES = ("finding", "unscorable", "outline", "diagnosis_chance", "stack_slice")  # what a run writes
SEEN = (  # images of a viewer, also those that are held back, as far as he sees these
    "(SELECT image, subject, visit, superseded_by FROM image UNION ALL "
    f"SELECT image, subject, visit, superseded_by FROM {HELD_FILMS})"
)
Place = tuple[str, str]  # subject and visit
Ask = Callable[[str, Mapping[str, object]], pd.DataFrame]


@dataclass(frozen=True)
class Offered:
    """A stack or a scan that a model is offered. frames: image and frame of each picture in the order of
    ``Offers.load``.

    why_not: why it is not looked at, ``""`` where it is read. shown: what headers or a person say it shows.
    found: what ``Offers.load`` needs, None where all of it is held back.
    """

    name: str
    frames: tuple[tuple[str, int], ...]
    why_not: str = ""
    shown: tuple[str, ...] = ()
    found: Any = None

    @property
    def images(self) -> list[str]:
        """Its files, in the order of the frames."""
        return list(dict.fromkeys(image for image, _ in self.frames))

    @property
    def home(self) -> str:
        """The file that what is said of the whole is kept with: that of its middle frame."""
        return self.frames[len(self.frames) // 2][0]

    @property
    def said(self) -> list[object]:
        """What a reading depends on: its frames, and what the headers or a person say of it."""
        return [self.name, self.why_not, self.shown, self.frames]


@dataclass(frozen=True)
class VisitGroup:
    """What a model is offered of a visit, to be read together; what has no subject or visit is alone.

    read_as: digest of all of it. others: images of the same modality at the visit that are of none of it.
    """

    subject: str | None
    visit: str | None
    offered: tuple[Offered, ...]
    others: frozenset[str] = field(default_factory=frozenset)

    @property
    def read_as(self) -> str:
        text = json.dumps([one.said for one in self.offered], ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:20]

    @property
    def images(self) -> list[str]:
        """The files of all that is offered."""
        return sorted({image for one in self.offered for image in one.images})


class Offers(Protocol):
    """What of a cohort a model is offered: ``data.scoring.stacks.StackOffers``, or another."""

    @property
    def thing(self) -> str:
        """What one of it is called, ``stack`` or ``scan``."""
        ...

    @property
    def modality(self) -> str:
        """Of its images, ``MR`` or ``US``."""
        ...

    def groups(self, store: CohortStore, viewer: Viewer, more: Collection[Place] = ()) -> list[VisitGroup]:
        """All that the model is offered, in the order of subjects and visits; also of the visits ``more``,
        though they may hold nothing for it; then what has no subject or visit, each alone.
        """
        ...

    def load(self, store: CohortStore, one: Offered) -> Image:
        """What a scorer is handed. Raises CohortError where it cannot be read."""
        ...


def pending(store: CohortStore, run: Run, offers: Offers) -> list[VisitGroup]:
    """Visits that this run has not read as they are now, in the order of ``Offers.groups``. A visit that
    holds nothing for the model any more comes without anything offered.
    """
    ask = asking(store, ANALYST)
    read = _read(ask, run.run)
    more = read.by_place.keys() | _scored_visits(ask, run.run)
    return [group for group in offers.groups(store, ANALYST, more) if not read.holds(group)]


def count_offered(store: CohortStore, viewer: Viewer, system: str, offers: Offers) -> pd.DataFrame:
    """One row, as ``data.queries.cohort.films_for`` has it of films: ``films`` (stacks, scans) that a model
    is offered, ``seen`` by its newest run as they are now, ``abstained`` on by it.
    """
    ask = asking(store, viewer)
    newest = ask("SELECT run FROM run WHERE system = $system ORDER BY event DESC LIMIT 1", {"system": system})
    run = str(newest["run"][0]) if len(newest) else ""
    read, groups = _read(ask, run), offers.groups(store, viewer)
    refused = ask(
        "SELECT DISTINCT image FROM finding WHERE run = $run AND abstained IS NOT NULL", {"run": run}
    )
    seen = [one for group in groups if read.holds(group) for one in group.offered]
    images = set(refused["image"])
    return pd.DataFrame(
        {
            "films": [sum(len(group.offered) for group in groups)],
            "seen": len(seen),
            "abstained": sum(one.home in images for one in seen),
        }
    )


def asking(store: CohortStore, viewer: Viewer) -> Ask:
    """Statements over what this viewer sees, current rows only."""
    return lambda sql, values: answer(store, viewer, sql, values=values)


def place_of(subject: str | None, visit: str | None) -> Place | None:
    """Subject and visit, None where one of them is unknown."""
    return None if subject is None or visit is None else (subject, visit)


def grouped(
    placed: Sequence[tuple[Place | None, Offered]],
    images: Mapping[Place, Collection[str]],
    more: Collection[Place] = (),
) -> list[VisitGroup]:
    """What is offered, by visit. images: all of the modality at each visit, as far as they are not held
    back.
    """
    visits: dict[Place, list[Offered]] = {}
    alone = []
    for place, one in placed:
        if place is None:
            alone.append(VisitGroup(None, None, (one,)))
        else:
            visits.setdefault(place, []).append(one)
    groups = [
        _group(place, visits.get(place, []), images.get(place, ())) for place in sorted({*visits, *more})
    ]
    return groups + sorted(alone, key=lambda group: group.offered[0].name)


def _group(place: Place, offered: Sequence[Offered], images: Collection[str]) -> VisitGroup:
    group = VisitGroup(*place, tuple(sorted(offered, key=lambda one: one.name)))
    return replace(group, others=frozenset(set(images) - set(group.images)))


def held_words(things: str) -> str:
    """Why something is not looked at until a person releases it."""
    return f"{HELD_BACK}: text in the pixels of {things} may name the patient"


Marks = set[tuple[str, str, str]]  # image, stack, digest of what was read together


@dataclass(frozen=True)
class _Reads:
    """The images that a run has read: at each visit where they belong now, and all."""

    by_place: dict[Place, Marks]
    everywhere: Marks

    def holds(self, group: VisitGroup) -> bool:
        """Whether what is offered of a visit was read as it is now, and no others there."""
        own = {(image, one.name, group.read_as) for one in group.offered for image in one.images}
        place = place_of(group.subject, group.visit)
        if place is None:
            return own <= self.everywhere
        return bool(own) and own == self.by_place.get(place, set())


def _read(ask: Ask, run: str, images: str = SEEN) -> _Reads:
    rows = ask(
        f"SELECT z.image, z.stack, z.read_as, i.subject, i.visit FROM stack_slice z JOIN {images} i "
        "ON i.image = z.image AND i.superseded_by IS NULL WHERE z.run = $run AND z.superseded_by IS NULL "
        "ORDER BY ALL",
        {"run": run},
    )
    found = _Reads({}, set())
    plain = rows.astype(object).where(rows.notna(), None)
    for image, stack, read_as, subject, visit in plain.itertuples(index=False, name=None):
        found.everywhere.add((image, stack, read_as))
        if place := place_of(subject, visit):
            found.by_place.setdefault(place, set()).add((image, stack, read_as))
    return found


def _scored_visits(ask: Ask, run: str) -> set[Place]:
    """Visits with site scores of the run."""
    rows = ask(
        "SELECT DISTINCT subject, visit FROM site_score WHERE run = $run AND subject IS NOT NULL "
        "AND visit IS NOT NULL ORDER BY ALL",
        {"run": run},
    )
    return set(rows.itertuples(index=False, name=None))


def store_groups(
    store: CohortStore,
    run: Run,
    offers: Offers,
    groups: Sequence[tuple[VisitGroup, Mapping[str, Result]]],
) -> None:
    """Findings and outlines of these visits and their site scores, in one transaction.

    Results are by name of what is offered, a finding's frame counts in the order of its frames. A visit that
    another process has read meanwhile is left as that one stored it, one whose images changed meanwhile to
    the next run.
    """
    if not groups:
        return
    count = sum(len(results) for _, results in groups)
    with store.write("sharpline score", "score", details={"run": run.run, "images": count}) as tx:
        read = _read(tx.query, run.run, "main.image")
        for group, results in groups:
            if read.holds(group) or _has_changed(tx, offers.modality, group):
                continue
            _store(tx, run, group, results)


def _has_changed(tx: Transaction, modality: str, group: VisitGroup) -> bool:
    """Whether images of a modality came to the visit, or left it, since they were listed."""
    sql = (
        "SELECT image FROM main.image WHERE superseded_by IS NULL AND modality = $modality AND {} "
        "ORDER BY image"
    )
    if group.subject is None or group.visit is None:
        own = "list_contains($images, image) AND (subject IS NULL OR visit IS NULL)"
        now = tx.query(sql.format(own), {"images": group.images, "modality": modality})
        return set(now["image"]) != set(group.images)
    own = "subject = $subject AND visit = $visit AND (held IS NULL OR list_contains($images, image))"
    values = {
        "subject": group.subject, "visit": group.visit, "images": group.images, "modality": modality,
    }  # fmt: skip
    return set(tx.query(sql.format(own), values)["image"]) != set(group.images) | group.others


def _store(tx: Transaction, run: Run, group: VisitGroup, results: Mapping[str, Result]) -> None:
    before = tx.query(
        "SELECT DISTINCT z.image FROM main.stack_slice z JOIN main.image i ON i.image = z.image "
        "AND i.superseded_by IS NULL WHERE z.run = $run AND z.superseded_by IS NULL "
        "AND i.subject = $subject AND i.visit = $visit",
        {"run": run.run, "subject": group.subject, "visit": group.visit},
    )
    images = sorted({*group.images, *before["image"]})
    for table in TABLES:
        tx.supersede(table, pd.DataFrame({"image": images}).assign(run=run.run))
    by_image = of_images(group, results)
    refused = _refused(group, results)
    tx.insert("finding", pd.concat([finding_rows(run, by_image), finding_rows(run, refused)]))
    tx.insert("unscorable", pd.concat([unscorable_rows(run, by_image), unscorable_rows(run, refused)]))
    tx.insert("outline", outline_rows(run, by_image))
    tx.insert("diagnosis_chance", chance_rows(run, by_image))
    slices = [(image, one.name) for one in group.offered for image in one.images]
    marks = pd.DataFrame(slices, columns=["image", "stack"]).assign(run=run.run, read_as=group.read_as)
    tx.insert("stack_slice", marks)
    if group.subject is not None and group.visit is not None:
        file_visit(tx, run, group.subject, group.visit)


def _refused(group: VisitGroup, results: Mapping[str, Result]) -> dict[str, Result]:
    """Image -> why what it stands for was abstained on."""
    found: dict[str, list[Abstained]] = {}
    for one in group.offered:
        result = results[one.name]
        if isinstance(result, Abstained):
            found.setdefault(one.home, []).append(result)
    return {
        image: Abstained(
            "; ".join(dict.fromkeys(one.reason for one in all_of)),
            sites=tuple(dict.fromkeys(site for one in all_of for site in one.sites)),
        )
        for image, all_of in found.items()
    }


def of_images(group: VisitGroup, results: Mapping[str, Result]) -> dict[str, Result]:
    """What was found on each file: its findings and outlines with the frame within it.

    What could not be graded, and the chances of diagnoses, are with the file of the middle frame. What two
    stacks of one file say of a site is that of the first.
    """
    findings: dict[str, dict[tuple[str, str], Finding]] = {}
    missing: dict[str, dict[str, str]] = {}
    outlines: dict[str, list[Outline]] = {}
    chances: dict[str, dict[str, float]] = {}
    for one in group.offered:
        result = results[one.name]
        if not isinstance(result, Scored):
            continue
        for finding in result.findings:
            image, frame = one.frames[finding.frame or 0]
            own = findings.setdefault(image, {})
            own.setdefault((finding.site, finding.feature), replace(finding, frame=frame))
        for drawn in result.outlines:
            image, frame = one.frames[drawn.frame]
            outlines.setdefault(image, []).append(replace(drawn, frame=frame))
        missing[one.home] = dict(result.unscorable) | missing.get(one.home, {})
        chances[one.home] = dict(result.chances) | chances.get(one.home, {})
    images = sorted({*findings, *missing, *outlines, *chances})
    return {
        image: Scored(
            tuple(findings.get(image, {}).values()),
            missing.get(image, {}),
            tuple(outlines.get(image, ())),
            chances.get(image, {}),
        )
        for image in images
    }
