"""Files that were read, written to the cohort in batches: one transaction each, conflicts refused one by
one.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from core.names import are_same
from data.cohort_key import keep_mark
from data.dicom.mr.acquisition import as_stated
from data.dicom.previews import digest_of, film_path, preview_path
from data.ingest import assign as assigning
from data.ingest.assign_images import known_in_cohort
from data.ingest.image_map import stated_of
from data.ingest.mending import fault_of, sync_folder
from data.ingest.read_file import Outcome, Reading
from data.ingest.sources import Source
from data.store.cohort import CohortStore
from data.store.transaction import Transaction

BATCH = (
    64  # files in one transaction, a film counted as several slices: what an interruption costs stays small
)
SLICE, MOST = 500_000, 4  # pixels of a slice at most, and as how many slices the largest film counts
_SAME = ("image", "sop_uid", "pixel_hash")  # what a film and its double have in common, one at least


@dataclass
class IngestResult:
    """What became of every file.

    found: files examined = ingested + already_there + refused.
    duplicates: films that were there under another name or UID (they count as already there).
    unassigned: films taken now or before whose subject or visit is not known; file where it came just now.
    flagged: films taken now with something to look at. held: those that a person must release.
    mended: films that were there, whose stored files were damaged and were made anew.
    series: stacks of slices of which this delivery brought some, as ``data.queries.stacks`` tells them.
    """

    found: int = 0
    ingested: int = 0
    already_there: int = 0
    refused: list[dict[str, str]] = field(default_factory=list)
    duplicates: list[dict[str, str]] = field(default_factory=list)
    flagged: list[dict[str, Any]] = field(default_factory=list)
    mended: list[dict[str, str]] = field(default_factory=list)
    held: list[dict[str, str]] = field(default_factory=list)
    unassigned: list[dict[str, Any]] = field(default_factory=list)
    series: list[dict[str, Any]] = field(default_factory=list)


class BatchWriter:
    """Collects outcomes and commits them in batches, in the order in which the files were listed."""

    def __init__(self, store: CohortStore, reading: Reading, actor: str, result: IngestResult) -> None:
        self._store, self._reading, self._actor, self._result = store, reading, actor, result
        self._waiting: list[tuple[Source, Outcome]] = []
        self._weight = 0
        self.names: dict[str, str] = {}  # image -> file of this delivery that brought it
        self.taken: dict[str, str] = {}  # image -> date in that file, which is stored nowhere

    def take(self, source: Source, outcome: Outcome) -> None:
        if outcome.taken is not None:
            self.taken[outcome.delivery["image"]] = outcome.taken.isoformat()
        if outcome.kind == "known":
            self.names.setdefault(outcome.delivery["image"], source.name)
        if outcome.kind == "known" and not outcome.delivery.get("map_subject") and not outcome.stated:
            self._result.already_there += 1
            return
        self._waiting.append((source, outcome))
        self._weight += _weight(outcome)
        if self._weight >= BATCH:
            self.commit()

    def commit(self) -> None:
        """Write what is waiting: films into their places, then their rows in one transaction."""
        if not self._waiting:
            return
        waiting, self._waiting, self._weight = self._waiting, [], 0
        with self._store.write(self._actor, "ingest", details={"files": len(waiting)}) as transaction:
            batch = _Batch(transaction, self._store.folder, self._reading.staging, self.names)
            batch.look_up([outcome.image for _, outcome in waiting if outcome.kind == "film"])
            for source, outcome in waiting:
                batch.take(source, outcome)
            keep_mark(transaction, self._reading.key)
            batch.finish(known_in_cohort(transaction, self._reading.key))
        batch.report(self._result)


def _weight(outcome: Outcome) -> int:
    """As how many slices of a series a file counts."""
    pixels = int(outcome.image.get("row_count") or 0) * int(outcome.image.get("column_count") or 0)
    return min(MOST, 1 + pixels // SLICE)


class _Batch:
    """Films of one transaction: which are new, which are duplicates, which are refused."""

    def __init__(self, transaction: Transaction, folder: Path, staging: Path, names: dict[str, str]) -> None:
        self._transaction, self._folder, self._staging, self._names = transaction, folder, staging, names
        self._images: list[dict[str, Any]] = []
        self._deliveries: list[dict[str, Any]] = []
        self._mapped: list[dict[str, Any]] = []
        self._refused: list[dict[str, Any]] = []
        self._remade: dict[str, str] = {}  # image -> SHA-256 of its new preview
        self._stated: dict[str, dict[str, str]] = {}  # image -> what a map file states of it
        self._folders: set[Path] = set()
        self._stored: list[dict[str, Any]] = []  # films of the cohort that one of these may repeat
        self._result = IngestResult()

    def look_up(self, images: list[dict[str, Any]]) -> None:
        """Find the stored films that share name, UID or pixels with one of these."""
        if not images:
            return
        alike = " OR ".join(f"i.{name} IN (SELECT unnest(${name}))" for name in _SAME)
        frame = self._transaction.query(
            "SELECT i.image, i.sop_uid, i.pixel_hash, i.preview_hash, "
            "d.* EXCLUDE (image, event, superseded_by) "
            "FROM main.image i LEFT JOIN main.delivery d ON d.image = i.image AND d.superseded_by IS NULL "
            f"WHERE i.superseded_by IS NULL AND ({alike}) ORDER BY i.event, i.image",
            {name: [image[name] for image in images] for name in _SAME},
        )
        rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
        self._stored = [{str(name): value for name, value in row.items()} for row in rows]

    def take(self, source: Source, outcome: Outcome) -> None:
        if outcome.kind == "refused":
            self._refuse(source, outcome.reason, outcome.fingerprint)
        elif outcome.kind == "known":
            self._result.already_there += 1
            self._keep_map(outcome.delivery)
            self._stated[outcome.delivery["image"]] = outcome.stated
        else:
            self._take_film(source, outcome)

    def _take_film(self, source: Source, outcome: Outcome) -> None:
        image, delivery = outcome.image, outcome.delivery
        double = self._double_of(outcome)
        if double is None:
            self._place(image["image"])
            self._images.append(_as_row(image))
            self._deliveries.append(delivery)
            self._names[image["image"]] = source.name
            self._result.ingested += 1
            if image["warnings"]:
                self._result.flagged.append({"file": source.name, "warnings": image["warnings"]})
            if image["held"]:
                held = {"file": source.name, "image": image["image"], "reason": image["held"]}
                self._result.held.append(held)
        elif double["image"] == image["image"]:
            self._keep_or_place(image["image"], double["preview_hash"])
            self._result.already_there += 1
            if outcome.mends:
                self._result.mended.append({"file": source.name, "was": outcome.mends})
            self._keep_map(delivery)
        else:
            self._drop(image["image"])
            self._take_double(source, outcome, double)

    def _double_of(self, outcome: Outcome) -> dict[str, Any] | None:
        """The stored film that this one repeats; None where it is new.

        The same UID with other pixels is a film of its own, with a warning on it.
        """
        image = outcome.image
        others = [*(other for other in self._stored if _alike(other, image)), *self._waiting_like(image)]
        for other in others:
            if other["image"] == image["image"]:
                return other
        for other in others:
            if other["pixel_hash"] == image["pixel_hash"] and not outcome.blank:
                return other
        if any(other["sop_uid"] == image["sop_uid"] for other in others):
            if outcome.blank and any(other["pixel_hash"] == image["pixel_hash"] for other in others):
                return others[0]
            image["warnings"].append(
                "another picture has the same SOP instance UID: one of the two was changed after it was made"
            )
        return None

    def _waiting_like(self, image: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            other | delivery
            for other, delivery in zip(self._images, self._deliveries, strict=True)
            if _alike(other, image)
        ]

    def _take_double(self, source: Source, outcome: Outcome, double: dict[str, Any]) -> None:
        """A film that is there already: by the same person and visit it is a double, else it is refused."""
        by_image = f"image {double['image'][:12]}"
        first = self._names.get(double["image"], by_image)
        same_uid = double["sop_uid"] == outcome.image["sop_uid"]
        conflict = _conflict(outcome.delivery, double)
        if conflict:
            words = f"the same picture as {{}}, but {conflict}; find out whose it is, and from when"
            self._refuse(source, words.format(first), outcome.fingerprint, kept=words.format(by_image))
            return
        how = "same SOP instance UID and pixels" if same_uid else "same pixels under another SOP instance UID"
        self._result.already_there += 1
        self._result.duplicates.append({"file": source.name, "same_as": first, "how": how})

    def _refuse(self, source: Source, reason: str, fingerprint: str, *, kept: str = "") -> None:
        """Report the file by its name; keep only its keyed hash, because a name may be that of the patient.

        kept: the reason to keep, where ``reason`` itself names a file.
        """
        self._result.refused.append({"file": source.name, "reason": reason})
        content = {"kind": "film", "fingerprint": fingerprint}
        self._refused.append({"reason": kept or reason, "content": json.dumps(content, sort_keys=True)})

    def _keep_map(self, delivery: dict[str, Any]) -> None:
        if delivery.get("map_subject"):
            self._mapped.append(delivery)

    def _place(self, image: str) -> None:
        for staged, final in (
            (self._staging / f"{image}.dcm", film_path(self._folder, image)),
            (self._staging / f"{image}.npy", preview_path(self._folder, image)),
        ):
            if staged.exists():  # absent where an earlier file of this batch was the same
                final.parent.mkdir(exist_ok=True)
                os.replace(staged, final)
                self._folders |= {final.parent, self._folder}

    def _keep_or_place(self, image: str, preview_hash: str | None) -> None:
        """The files of a row that is there stay while they are whole; else the new ones are placed and noted.

        Files that differ in their header alone may give the same film and another preview, and staged ones
        of the same name replace each other.
        """
        if not fault_of(self._folder, image, preview_hash).words:
            self._drop(image)
            return
        self._place(image)
        digest = digest_of(preview_path(self._folder, image))
        waiting = [row for row in self._images if row["image"] == image]
        for row in waiting:
            row["preview_hash"] = digest
        if not waiting:
            self._remade[image] = digest

    def _drop(self, image: str) -> None:
        for ending in ("dcm", "npy"):
            (self._staging / f"{image}.{ending}").unlink(missing_ok=True)

    def finish(self, known: assigning.Known) -> None:
        """Hand the rows to the transaction, assigned by name; dates follow in ``assign_images``.

        Their files are on the disk by then, under their names.
        """
        for folder in sorted(self._folders):
            sync_folder(folder)
        self._update_maps()
        self._update_previews()
        self._update_stated()
        if self._images:
            deliveries = pd.DataFrame(self._deliveries).astype(object)
            facts = deliveries.assign(film_date=[row["film_date"] for row in self._images])
            for row, film in zip(self._images, assigning.assign_by_name(facts, known), strict=True):
                row |= {"subject": film.subject, "visit": film.visit, "assigned_by": film.by}
            self._transaction.insert("image", pd.DataFrame(self._images).astype(object))
            self._transaction.insert("delivery", deliveries)
        new = self._not_yet_refused()
        if new:
            self._transaction.refuse("ingest", new)

    def _update_maps(self) -> None:
        """Note what a map file says about films that are there already."""
        for mapped in self._mapped:
            old = self._transaction.query(
                "SELECT * EXCLUDE (event, superseded_by) FROM main.delivery "
                "WHERE image = ? AND superseded_by IS NULL",
                [mapped["image"]],
            )
            says = (mapped.get("map_subject"), mapped.get("map_visit"))
            if old.empty or (old["map_subject"][0], old["map_visit"][0]) == says:
                continue
            self._transaction.supersede("delivery", old[["image"]])
            new = old.astype(object).assign(map_subject=says[0], map_visit=says[1])
            self._transaction.insert("delivery", new)

    def _update_previews(self) -> None:
        """Note the digest of a preview that was made anew, where it differs from what the cohort has."""
        for image, digest in self._remade.items():
            old = self._transaction.query(
                "SELECT * EXCLUDE (event, superseded_by) FROM main.image "
                "WHERE image = ? AND superseded_by IS NULL AND preview_hash IS DISTINCT FROM ?",
                [image, digest],
            )
            self._transaction.supersede("image", old[["image"]])
            self._transaction.insert("image", old.astype(object).assign(preview_hash=digest))

    def _update_stated(self) -> None:
        """Note what a map file states of images that are there already."""
        for image, all_said in self._stated.items():
            old = self._transaction.query(
                "SELECT * EXCLUDE (event, superseded_by) FROM main.image "
                "WHERE image = ? AND superseded_by IS NULL",
                [image],
            )
            said = {} if old.empty else stated_of(all_said, str(old["modality"][0]))
            if all(old[name][0] == value for name, value in said.items()):
                continue
            record = json.loads(old["classification"][0]) | {n: as_stated(v) for n, v in said.items()}
            kept = json.dumps(record, ensure_ascii=False, sort_keys=True)
            self._transaction.supersede("image", old[["image"]])
            self._transaction.insert("image", old.astype(object).assign(**said, classification=kept))

    def _not_yet_refused(self) -> list[dict[str, Any]]:
        """A file that is refused again for the same reason is not written down again."""
        old = self._transaction.query("SELECT reason, content FROM main.refused WHERE source = 'ingest'")
        seen = set(zip(old["reason"], old["content"], strict=True))
        new = []
        for row in self._refused:
            if (row["reason"], row["content"]) not in seen:
                seen.add((row["reason"], row["content"]))
                new.append(row)
        return new

    def report(self, total: IngestResult) -> None:
        """Add this batch to the whole, once it is committed."""
        total.ingested += self._result.ingested
        total.already_there += self._result.already_there
        total.refused += self._result.refused
        total.duplicates += self._result.duplicates
        total.flagged += self._result.flagged
        total.mended += self._result.mended
        total.held += self._result.held


def _alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return any(one[name] == other[name] for name in _SAME)


def _conflict(new: dict[str, Any], old: dict[str, Any]) -> str:
    """How two deliveries of one picture contradict each other about whose it is; ``""`` where they do not."""
    for name, words in (
        ("trial_subject", "for subject {new} instead of {old}"),
        ("trial_visit", "for visit {new} instead of {old}"),
        ("map_subject", "for subject {new} instead of {old} by the map file"),
        ("map_visit", "for visit {new} instead of {old} by the map file"),
    ):
        are_visits = name.endswith("visit")
        if new.get(name) and old.get(name) and not are_same(new[name], old[name], are_visits=are_visits):
            return words.format(new=new[name], old=old[name])
    named = new.get("trial_subject") and old.get("trial_subject")
    if not named and new.get("patient") != old.get("patient"):
        return "for another patient number"
    return ""


def _as_row(image: dict[str, Any]) -> dict[str, Any]:
    acquisition, areas = image["acquisition"], image["areas"]
    return image | {
        "acquisition": None if acquisition is None else json.dumps(acquisition, sort_keys=True),
        "areas": None if areas is None else json.dumps(areas, sort_keys=True),
        "classification": json.dumps(image["classification"], ensure_ascii=False, sort_keys=True),
        "warnings": json.dumps(image["warnings"], ensure_ascii=False),
    }
