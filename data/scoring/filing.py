"""What a scoring run writes: reader, campaign and run once, then findings and site scores visit by visit."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from core.domain import Abstained, Finding, Scored
from core.scores import get
from data.queries.series import A_SCAN, A_SLICE
from data.scoring.scan_scores import scan_scores
from data.scoring.stack_scores import stack_scores
from data.scoring.visit_scores import visit_scores
from data.store.cohort import CohortStore
from data.store.transaction import Transaction

Result = Scored | Abstained
FILMS, STACKS, SCANS = "films", "stacks", "scans"  # what a run reads
TOGETHER = {STACKS: "the stacks of a visit together", SCANS: "the scans of a visit together"}


@dataclass(frozen=True)
class Run:
    """The identity of a run: same weights, same settings, same run. reads: ``FILMS``, ``STACKS`` or
    ``SCANS``, and nothing else.
    """

    run: str
    system: str
    reader: str
    campaign: str
    read_mode: str
    weights_hash: str
    settings: str
    reads: str = FILMS

    @property
    def key(self) -> tuple[str, str, str, int]:
        """system, reader, campaign, read of its site scores."""
        return self.system, self.reader, self.campaign, 1


def begin(store: CohortStore, run: Run) -> None:
    """Make reader, campaign and run known to the cohort, once."""
    with store.write("sharpline score", "scoring run", details={"run": run.run}) as tx:
        if tx.value("SELECT 1 FROM main.run WHERE run = ? AND superseded_by IS NULL", [run.run]):
            return
        old = tx.value(
            "SELECT weights_hash FROM main.reader WHERE reader = ? AND superseded_by IS NULL", [run.reader]
        )
        if old != run.weights_hash:
            tx.supersede("reader", pd.DataFrame({"reader": [run.reader]}))
            tx.insert("reader", _reader(run))
        if not tx.value(
            "SELECT 1 FROM main.campaign WHERE campaign = ? AND system = ? AND superseded_by IS NULL",
            [run.campaign, run.system],
        ):
            tx.insert("campaign", _campaign(run))
        tx.insert("run", _run_row(run))


def _reader(run: Run) -> pd.DataFrame:
    text = f"{run.system} model; research only"
    return pd.DataFrame(
        [{"reader": run.reader, "kind": "model", "description": text, "weights_hash": run.weights_hash}]
    )


def _campaign(run: Run) -> pd.DataFrame:
    row = {"campaign": run.campaign, "system": run.system, "read_mode": run.read_mode}
    how = "one film at a time" if run.read_mode == "single" else "all films of a patient, order blinded"
    how = TOGETHER.get(run.reads, how)
    return pd.DataFrame([row | {"description": f"reads of the scoring model, {how}"}])


def _run_row(run: Run) -> pd.DataFrame:
    from importlib.metadata import version

    row = {key: value for key, value in asdict(run).items() if key not in ("read_mode", "reads")}
    return pd.DataFrame([row | {"software": f"sharpline {version('sharpline')}"}])


def pending_films(store: CohortStore, run: Run, foreign: Sequence[str] = ()) -> pd.DataFrame:
    """Films without a finding of this run: image, subject, visit, body_part, held; whole visits together.
    Slices of a series and ultrasound scans are no films.

    held: why a film is held back until a person releases it; it is abstained on, and not looked at.
    foreign: body parts whose films are not looked at.
    """
    return store.query(
        "SELECT image, subject, visit, body_part, held FROM main.image i WHERE superseded_by IS NULL "
        f"AND NOT list_contains($foreign::TEXT[], coalesce(body_part, '')) AND NOT {A_SLICE} "
        f"AND NOT {A_SCAN} AND NOT EXISTS (FROM main.finding f WHERE f.image = i.image AND f.run = $run "
        "AND f.superseded_by IS NULL) ORDER BY subject NULLS LAST, visit NULLS LAST, image",
        {"run": run.run, "foreign": list(foreign)},
    )


def waiting_visits(store: CohortStore, run: Run) -> list[tuple[str, str]]:
    """Visits with findings of this run that have no site scores of it: films assigned since they were
    scored.
    """
    frame = store.query(
        "SELECT DISTINCT i.subject, i.visit FROM main.finding f JOIN main.image i ON i.image = f.image "
        "AND i.superseded_by IS NULL WHERE f.run = $run AND f.superseded_by IS NULL AND f.site IS NOT NULL "
        "AND i.subject IS NOT NULL AND i.visit IS NOT NULL AND NOT EXISTS (FROM main.site_score s "
        "WHERE s.subject = i.subject AND s.visit = i.visit AND s.run = f.run AND s.image = f.image "
        "AND s.superseded_by IS NULL) ORDER BY ALL",
        {"run": run.run},
    )
    return list(zip(frame["subject"], frame["visit"], strict=True))


def store_visits(
    store: CohortStore, run: Run, visits: Sequence[tuple[str, str]], results: dict[str, Result]
) -> None:
    """Findings of these films and the site scores of these visits, in one transaction.

    A film that another process has scored meanwhile is left as that one stored it.
    """
    if not visits and not results:
        return
    with store.write("sharpline score", "score", details={"run": run.run, "images": len(results)}) as tx:
        there = set(
            tx.query(
                "SELECT DISTINCT image FROM main.finding WHERE run = ? AND superseded_by IS NULL", [run.run]
            )["image"]
        )
        new = {image: result for image, result in results.items() if image not in there}
        tx.insert("finding", finding_rows(run, new))
        tx.insert("unscorable", unscorable_rows(run, new))
        for subject, visit in visits:
            file_visit(tx, run, subject, visit)


FINDING_COLUMNS = (
    "finding", "run", "image", "system", "site", "feature", "grade", "grade_probabilities", "confidence",
    "geometry", "abstained", "compared",
)  # fmt: skip


def finding_rows(
    run: Run, results: dict[str, Result], compared: Mapping[tuple[str, str], dict[str, float]] | None = None
) -> pd.DataFrame:
    """Rows of ``finding``: the graded sites, and for a film on which the model abstained one row without a
    site.

    compared: for films that were read together, (image, site) -> other film -> probability that the grade
    differs there.
    """
    rows: list[dict[str, Any]] = []
    for image, result in results.items():
        if isinstance(result, Abstained):
            rows.append(_finding_row(run, image, None, abstained=result.reason))
            continue
        for finding in result.findings:
            rows.append(
                _finding_row(
                    run,
                    image,
                    finding.site,
                    finding.feature,
                    grade=finding.grade,
                    grade_probabilities=list(finding.grade_probabilities),
                    confidence=finding.confidence,
                    geometry=_geometry(finding),
                    compared=None if compared is None else _as_text(compared[image, finding.site]),
                )
            )
    return pd.DataFrame(rows, columns=list(FINDING_COLUMNS), dtype=object)


def _geometry(finding: Finding) -> str | None:
    """Where it is (box or polygon, and frame of a stack) and what was measured there, as JSON."""
    box, measured = finding.box, finding.measured
    shape: dict[str, Any] = {}
    if finding.polygon:
        shape["polygon"] = _rounded(finding.polygon)
    elif box:
        shape["box"] = [round(v, 2) for v in (box.x0, box.y0, box.x1, box.y1)]
    if finding.frame is not None:
        shape["frame"] = finding.frame
    if measured is not None:
        shape |= asdict(measured)
    return json.dumps(shape, ensure_ascii=False, allow_nan=False) if shape else None


def _rounded(polygon: tuple[tuple[float, float], ...]) -> list[list[float]]:
    return [[round(value, 2) for value in point] for point in polygon]


def _as_text(compared: dict[str, float]) -> str:
    return json.dumps({image: round(value, 4) for image, value in sorted(compared.items())})


def _finding_row(
    run: Run, image: str, site: str | None, feature: str | None = None, **values: Any
) -> dict[str, Any]:
    """A row with its name, in which a finding beside the site's grade names its feature as well."""
    special = [feature] if site and feature and feature != get(run.system).by_code[site].feature else []
    parts = (run.run, image, site or "", *special)
    name = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:20]
    keys = {"finding": name, "run": run.run, "image": image, "system": run.system, "site": site}
    return keys | ({"feature": feature} if feature else {}) | values


def unscorable_rows(run: Run, results: Mapping[str, Result]) -> pd.DataFrame:
    """Rows of ``unscorable``: run, image, site and reason."""
    rows = [
        (run.run, image, site, reason)
        for image, result in results.items()
        for site, reason in _not_graded(result).items()
    ]
    return pd.DataFrame(rows, columns=["run", "image", "site", "reason"], dtype=object)


def _not_graded(result: Result) -> Mapping[str, str]:
    if isinstance(result, Scored):
        return result.unscorable
    return dict.fromkeys(result.sites, result.reason)


def outline_rows(run: Run, results: Mapping[str, Result]) -> pd.DataFrame:
    """Rows of ``outline``; pieces of one structure on a frame are numbered as they come."""
    rows = []
    pieces: Counter[tuple[str, int, str, str]] = Counter()
    for image, result in results.items():
        for one in result.outlines if isinstance(result, Scored) else ():
            key = (image, one.frame, one.structure, one.name)
            pieces[key] += 1
            rows.append((run.run, *key, pieces[key], json.dumps(_rounded(one.polygon))))
    columns = ["run", "image", "frame", "structure", "name", "part", "polygon"]
    return pd.DataFrame(rows, columns=columns, dtype=object)


def chance_rows(run: Run, results: Mapping[str, Result]) -> pd.DataFrame:
    """Rows of ``diagnosis_chance``: the chance of what a task asks about, of each image that has any."""
    rows = [
        (run.run, image, task, float(chance))
        for image, result in results.items()
        if isinstance(result, Scored)
        for task, chance in result.chances.items()
    ]
    return pd.DataFrame(rows, columns=["run", "image", "task", "probability"])


def file_visit(tx: Transaction, run: Run, subject: str, visit: str) -> None:
    """The visit's site scores from all findings of this run on its films; older rows of this reader give
    way.
    """
    found = tx.query(
        "SELECT f.image, i.body_part, i.region, i.laterality, f.site, f.feature, f.grade, f.confidence, "
        "f.abstained "
        "FROM main.finding f "
        "JOIN main.image i ON i.image = f.image AND i.superseded_by IS NULL WHERE i.subject = ? "
        "AND i.visit = ? AND f.run = ? AND f.superseded_by IS NULL ORDER BY f.image, f.site",
        [subject, visit, run.run],
    )
    why = _unscorable(tx, run, subject, visit)
    if run.reads == STACKS:
        rows = stack_scores(found, run.system, why, _stacks(tx, run, subject, visit))
    elif run.reads == SCANS:
        rows = scan_scores(found, run.system, why)
    else:
        rows = visit_scores(found, run.system, why)
    system, reader, campaign, read = run.key
    if not rows:
        if run.reads != FILMS:  # what it says of a visit changes with the visit's images
            keys = {"subject": subject, "visit": visit, "run": run.run}
            tx.supersede("site_score", pd.DataFrame([keys]))
        return
    frame = pd.DataFrame(rows, dtype=object)
    frame = frame.assign(
        subject=subject, visit=visit, system=system, reader=reader, campaign=campaign, read=read, run=run.run
    )
    old = tx.query(
        "SELECT site, feature, grade, reason, image, run FROM main.site_score WHERE subject = ? "
        "AND visit = ? AND system = ? AND reader = ? AND campaign = ? AND read = ? AND superseded_by IS NULL",
        [subject, visit, system, reader, campaign, read],
    )
    if _same_rows(frame, old):
        return
    tx.supersede("site_score", frame[["subject", "visit", "system", "reader", "campaign", "read"]])
    tx.insert("site_score", frame)


def _stacks(tx: Transaction, run: Run, subject: str, visit: str) -> dict[str, str]:
    """Image -> stack that this run read it as a slice of."""
    rows = tx.query(
        "SELECT z.image, min(z.stack) AS stack FROM main.stack_slice z JOIN main.image i "
        "ON i.image = z.image AND i.superseded_by IS NULL WHERE i.subject = ? AND i.visit = ? "
        "AND z.run = ? AND z.superseded_by IS NULL GROUP BY z.image",
        [subject, visit, run.run],
    )
    return dict(zip(rows["image"], rows["stack"], strict=True))


def _unscorable(tx: Transaction, run: Run, subject: str, visit: str) -> dict[tuple[str, str], str]:
    """(image, site) -> why this run could not grade it, of the films of a visit."""
    rows = tx.query(
        "SELECT u.image, u.site, u.reason FROM main.unscorable u JOIN main.image i ON i.image = u.image "
        "AND i.superseded_by IS NULL WHERE i.subject = ? AND i.visit = ? AND u.run = ? "
        "AND u.superseded_by IS NULL",
        [subject, visit, run.run],
    )
    return {(str(row.image), str(row.site)): str(row.reason) for row in rows.itertuples(index=False)}


def _same_rows(new: pd.DataFrame, old: pd.DataFrame) -> bool:
    columns = ["site", "feature", "grade", "reason", "image", "run"]

    def as_set(frame: pd.DataFrame) -> set[tuple[str, ...]]:
        plain = frame[columns].astype(object).where(frame[columns].notna(), "")
        return {tuple(str(value) for value in row) for row in plain.itertuples(index=False)}

    return as_set(new) == as_set(old)
