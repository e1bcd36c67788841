"""Which stacks of the cohort a scoring run has still to read, visit by visit, and what it writes of them.

The stacks of a visit are read together: names of levels are told across them, and a unit is taken from one.
So a visit is read anew when its stacks are no longer those with which its findings were made, slice by slice
(a slice imported later, released, assigned): the new rows supersede the old ones.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from core.domain import HELD_BACK, Abstained, Finding, Outline, Scored, Viewer
from core.imaging.sequences import Needs
from core.imaging.series import LOCALISER
from data.queries.answer import answer
from data.queries.stacks import PART, CohortStack, all_stacks
from data.scoring.filing import Result, Run, file_visit, finding_rows, outline_rows, unscorable_rows
from data.store.access import HELD_FILMS
from data.store.cohort import CohortStore
from data.store.transaction import Transaction

ANALYST = Viewer()
TABLES = ("finding", "unscorable", "outline", "stack_slice")  # what a run writes of a stack
MR = "MR"
Place = tuple[str, str]  # subject and visit


@dataclass(frozen=True)
class Offered:
    """A stack that a model is offered. frames: image and frame of each slice in the order of ``load``.

    why_not: why it is not looked at, ``""`` where it is read. found: None where all its slices are held back.
    """

    name: str
    frames: tuple[tuple[str, int], ...]
    why_not: str = ""
    found: CohortStack | None = None

    @property
    def images(self) -> list[str]:
        """Its files, in the order of the slices."""
        return list(dict.fromkeys(image for image, _ in self.frames))

    @property
    def home(self) -> str:
        """The file that what is said of the whole stack is kept with: that of its middle slice."""
        return self.frames[len(self.frames) // 2][0]

    @property
    def said(self) -> list[object]:
        """What a reading depends on: its slices, and what the headers or a person say of it."""
        about = self.found
        shown = [about.sequence.value, about.region.value, about.part] if about else []
        return [self.name, self.why_not, shown, self.frames]


@dataclass(frozen=True)
class VisitStacks:
    """The stacks of a visit, which are read together; one without subject or visit is alone.

    read_as: digest of all of them. others: MR images of the visit that are of none of them.
    """

    subject: str | None
    visit: str | None
    stacks: tuple[Offered, ...]
    others: frozenset[str] = field(default_factory=frozenset)

    @property
    def read_as(self) -> str:
        text = json.dumps([one.said for one in self.stacks], ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:20]

    @property
    def images(self) -> list[str]:
        """The files of all its stacks."""
        return sorted({image for one in self.stacks for image in one.images})


def pending_stacks(store: CohortStore, run: Run, needs: Needs) -> list[VisitStacks]:
    """Visits whose stacks this run has not read as they are now, in the order of subjects and visits; then
    stacks without subject or visit, each alone. A visit that holds none any more comes without stacks.

    A stack of another known sequence (T1, T2 ...) and a localiser are not offered to a model with these
    needs. One of unknown sequence, or on which something else stands against reading, is offered with the
    reason to abstain; so is one of which slices are held back, until a person releases them.
    """
    ask = _asking(store, ANALYST)
    read = _read(ask, run.run)
    more = read.by_place.keys() | _scored_visits(ask, run.run)
    return [group for group in _offered_groups(store, ANALYST, needs, more) if not read.holds(group)]


def count_stacks(store: CohortStore, viewer: Viewer, system: str, needs: Needs) -> pd.DataFrame:
    """One row, as ``data.queries.cohort.films_for`` has it of films: ``films`` (stacks) that a model with
    these needs is offered, ``seen`` by its newest run as they are now, ``abstained`` on by it.
    """
    ask = _asking(store, viewer)
    newest = ask("SELECT run FROM run WHERE system = $system ORDER BY event DESC LIMIT 1", {"system": system})
    run = str(newest["run"][0]) if len(newest) else ""
    read, groups = _read(ask, run), _offered_groups(store, viewer, needs)
    refused = ask(
        "SELECT DISTINCT image FROM finding WHERE run = $run AND abstained IS NOT NULL", {"run": run}
    )
    seen = [one for group in groups if read.holds(group) for one in group.stacks]
    images = set(refused["image"])
    return pd.DataFrame(
        {
            "films": [sum(len(group.stacks) for group in groups)],
            "seen": len(seen),
            "abstained": sum(one.home in images for one in seen),
        }
    )


Ask = Callable[[str, Mapping[str, object]], pd.DataFrame]


def _asking(store: CohortStore, viewer: Viewer) -> Ask:
    """Statements over what this viewer sees, current rows only."""
    return lambda sql, values: answer(store, viewer, sql, values=values)


def _offered_groups(
    store: CohortStore, viewer: Viewer, needs: Needs, more: Collection[Place] = ()
) -> list[VisitStacks]:
    """What a model is offered, by visit; also of these visits, though they may hold nothing for it."""
    everything = [one for one in all_stacks(store, viewer) if one.modality == MR]
    visits: dict[Place, list[Offered]] = {}
    alone = []
    for place, one in _placed(everything, _held(_asking(store, viewer)), needs):
        if place is None:
            alone.append(VisitStacks(None, None, (one,)))
        else:
            visits.setdefault(place, []).append(one)
    images = _images_of(everything)
    groups = [
        _group(place, visits.get(place, []), images.get(place, set())) for place in sorted({*visits, *more})
    ]
    return groups + sorted(alone, key=lambda group: group.stacks[0].name)


def _group(place: Place, stacks: Sequence[Offered], images: set[str]) -> VisitStacks:
    """images: all of MR at the visit, as far as they are not held back."""
    group = VisitStacks(*place, tuple(sorted(stacks, key=lambda one: one.name)))
    return replace(group, others=frozenset(images - set(group.images)))


def _images_of(everything: Sequence[CohortStack]) -> dict[Place, set[str]]:
    images: dict[Place, set[str]] = {}
    for one in everything:
        if place := _place(one.subject, one.visit):
            images.setdefault(place, set()).update(part.image for part in one.stack.slices)
    return images


def _place(subject: str | None, visit: str | None) -> Place | None:
    return None if subject is None or visit is None else (subject, visit)


def _placed(
    everything: Sequence[CohortStack], held: Mapping[str, _Held], needs: Needs
) -> list[tuple[Place | None, Offered]]:
    """Each stack that is offered and its visit; a series that is held back as a whole is one."""
    found = [
        (_place(one.subject, one.visit), _offered(one, needs, held))
        for one in everything
        if _is_offered(one, needs)
    ]
    there = {one.name.partition(PART)[0] for one in everything}
    return found + [
        (place, Offered(series, tuple((image, 0) for image in images), _held_words(len(images))))
        for series, (place, images) in held.items()
        if series not in there
    ]


def _is_offered(one: CohortStack, needs: Needs) -> bool:
    if any(problem.kind == LOCALISER for problem in one.stack.problems):
        return False
    return one.sequence.value in ("", *needs.sequences)


def _offered(one: CohortStack, needs: Needs, held: Mapping[str, _Held]) -> Offered:
    frames = tuple((part.image, part.frame) for part in one.stack.slices)
    of_series = held.get(one.name.partition(PART)[0])
    reasons = one.why_not(needs)
    why = _held_words(len(of_series[1])) if of_series else "; ".join(reasons)
    return Offered(one.name, frames, why, one)


def _held_words(count: int) -> str:
    many = "a slice of the series" if count == 1 else f"{count} slices of the series"
    return f"{HELD_BACK}: text in the pixels of {many} may name the patient"


_Held = tuple[Place | None, list[str]]


def _held(ask: Ask) -> dict[str, _Held]:
    """Series of MR -> visit and images of its slices that are held back."""
    rows = ask(
        f"SELECT coalesce(series_uid, image) AS series, subject, visit, image FROM {HELD_FILMS} "
        "WHERE modality = 'MR' ORDER BY series, image",
        {},
    )
    found: dict[str, _Held] = {}
    plain = rows.astype(object).where(rows.notna(), None)
    for series, subject, visit, image in plain.itertuples(index=False, name=None):
        found.setdefault(series, (_place(subject, visit), []))[1].append(image)
    return found


Marks = set[tuple[str, str, str]]  # image, stack, digest of what was read together


@dataclass(frozen=True)
class _Reads:
    """The slices that a run has read: at each visit where they belong now, and all."""

    by_place: dict[Place, Marks]
    everywhere: Marks

    def holds(self, group: VisitStacks) -> bool:
        """Whether the stacks of a visit were read as they are now, and no others there."""
        own = {(image, one.name, group.read_as) for one in group.stacks for image in one.images}
        place = _place(group.subject, group.visit)
        if place is None:
            return own <= self.everywhere
        return bool(own) and own == self.by_place.get(place, set())


def _read(ask: Ask, run: str) -> _Reads:
    rows = ask(
        "SELECT z.image, z.stack, z.read_as, i.subject, i.visit FROM stack_slice z JOIN image i "
        "ON i.image = z.image AND i.superseded_by IS NULL WHERE z.run = $run AND z.superseded_by IS NULL "
        "ORDER BY ALL",
        {"run": run},
    )
    found = _Reads({}, set())
    plain = rows.astype(object).where(rows.notna(), None)
    for image, stack, read_as, subject, visit in plain.itertuples(index=False, name=None):
        found.everywhere.add((image, stack, read_as))
        if place := _place(subject, visit):
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


def store_stacks(
    store: CohortStore, run: Run, groups: Sequence[tuple[VisitStacks, Mapping[str, Result]]]
) -> None:
    """Findings and outlines of these visits and their site scores, in one transaction.

    Results are by name of the stack, a finding's frame counts in the order of the stack. A visit that another
    process has read meanwhile is left as that one stored it, one whose images changed meanwhile to the next
    run.
    """
    if not groups:
        return
    count = sum(len(results) for _, results in groups)
    with store.write("sharpline score", "score", details={"run": run.run, "images": count}) as tx:
        read = _read(tx.query, run.run)
        for group, results in groups:
            if read.holds(group) or _has_changed(tx, group):
                continue
            _store(tx, run, group, results)


def _has_changed(tx: Transaction, group: VisitStacks) -> bool:
    """Whether images of MR came to the visit, or left it, since its stacks were listed."""
    sql = "SELECT image FROM main.image WHERE superseded_by IS NULL AND modality = 'MR' AND {} ORDER BY image"
    if group.subject is None or group.visit is None:
        own = "list_contains($images, image) AND (subject IS NULL OR visit IS NULL)"
        now = tx.query(sql.format(own), {"images": group.images})
        return set(now["image"]) != set(group.images)
    own = "subject = $subject AND visit = $visit AND (held IS NULL OR list_contains($images, image))"
    values = {"subject": group.subject, "visit": group.visit, "images": group.images}
    return set(tx.query(sql.format(own), values)["image"]) != set(group.images) | group.others


def _store(tx: Transaction, run: Run, group: VisitStacks, results: Mapping[str, Result]) -> None:
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
    refused: dict[str, Result] = {
        image: Abstained("; ".join(dict.fromkeys(reasons)))
        for image, reasons in _refused(group, results).items()
    }
    tx.insert("finding", pd.concat([finding_rows(run, by_image), finding_rows(run, refused)]))
    tx.insert("unscorable", unscorable_rows(run, by_image))
    tx.insert("outline", outline_rows(run, by_image))
    slices = [(image, one.name) for one in group.stacks for image in one.images]
    marks = pd.DataFrame(slices, columns=["image", "stack"]).assign(run=run.run, read_as=group.read_as)
    tx.insert("stack_slice", marks)
    if group.subject is not None and group.visit is not None:
        file_visit(tx, run, group.subject, group.visit)


def _refused(group: VisitStacks, results: Mapping[str, Result]) -> dict[str, list[str]]:
    """Image -> why the stacks that it stands for were abstained on."""
    refused: dict[str, list[str]] = {}
    for one in group.stacks:
        result = results[one.name]
        if isinstance(result, Abstained):
            refused.setdefault(one.home, []).append(result.reason)
    return refused


def of_images(group: VisitStacks, results: Mapping[str, Result]) -> dict[str, Result]:
    """What was found on each file: its findings and outlines with the frame within it.

    What could not be graded is with the file of the middle slice. What two stacks of one file say of a site
    is that of the first.
    """
    findings: dict[str, dict[tuple[str, str], Finding]] = {}
    missing: dict[str, dict[str, str]] = {}
    outlines: dict[str, list[Outline]] = {}
    for one in group.stacks:
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
    images = sorted({*findings, *missing, *outlines})
    return {
        image: Scored(
            tuple(findings.get(image, {}).values()),
            missing.get(image, {}),
            tuple(outlines.get(image, ())),
        )
        for image in images
    }
